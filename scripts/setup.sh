#!/bin/sh
# Brings a bare Debian 12 (or Ubuntu 24.04) to the point where Shelfpoint runs: system packages, .venv, the
# locked dependencies, this project itself, the virtual card reader's driver and the compiled translations.
# Only what is missing is installed, so a second run is quick.
#
#   sh scripts/setup.sh run     what the kiosk, the desk and central need    (called by ./run.sh)
#   sh scripts/setup.sh test    the same plus the development tools          (called by ./test.sh)
#   sh scripts/setup.sh central what a server with central alone needs       (called by deploy/install.sh)
#
# Ends with 0, or with 1 after one sentence that says what is in the way.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
venv=$here/.venv
started=$(date +%s)

packages="python3 python3-venv python3-dev gcc pkg-config ca-certificates
  libpcsclite-dev pcscd libzbar0 libgl1 libegl1 libxkbcommon0 libglib2.0-0 libdbus-1-3 libfontconfig1 libgssapi-krb5-2
  fontconfig fonts-noto-cjk fonts-noto-ui-core fonts-cns11643-sung libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxkbcommon-x11-0
  libwayland-cursor0"

say() { printf 'set-up: %s\n' "$*"; }
stop() { printf 'set-up stopped: %s\n' "$*" >&2; exit 1; }

case "${1:-run}" in
  run) lock=requirements.lock ;;
  test)
    lock=requirements-dev.lock
    # tests make throw-away clusters and print queues, and plug card readers into a made-up USB bus
    # and see whether nginx and systemd take what deploy/ gives them
    packages="$packages postgresql postgresql-common cups-daemon cups-client umockdev gir1.2-umockdev-1.0 python3-gi
      nginx-light systemd" ;;
  central)
    lock=requirements-server.lock
    packages="python3 python3-venv ca-certificates" ;;
  *) stop "'$1' is not a kind of set-up; say 'run', 'test' or 'central'." ;;
esac

# ./run.sh and ./test.sh may be started at the same moment; the second waits for the first. Whatever may start a
# daemon (apt) does not get the lock's file handle.
mkdir -p build
exec 9>build/setup.lock
flock -n 9 || { say "waiting for another set-up of this folder"; flock 9; }

# --- system packages ------------------------------------------------------------------------------------------------
# apt is asked, not dpkg: only apt knows that libzbar0 is called libzbar0t64 on Ubuntu 24.04. A simulated install
# needs no root. A line "Inst name [old] (new)" is an upgrade of something that is there already, so it does not count.

simulate() { LC_ALL=C apt-get -s --no-upgrade --no-install-recommends install $packages 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"
  elif [ -t 0 ]; then sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

system_packages() {
  if plan=$(simulate); then
    missing=$(printf '%s\n' "$plan" | grep '^Inst ' | grep -cv '^Inst [^ ]* \[' || true)
    [ "$missing" != 0 ] || return 0
    say "system packages missing: $missing"
  else
    say "apt does not know every system package that is needed; its lists may be empty"
  fi
  by_hand="an administrator can run: apt-get update && apt-get install --no-install-recommends $(echo $packages)"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || stop "system packages are missing and you are neither root nor is sudo here; $by_hand"
    as_root true || stop "system packages are missing and sudo did not let this user in; $by_hand"
  fi
  say "reading apt's package lists"
  as_root apt-get -q -o DPkg::Lock::Timeout=120 update ||
    stop "apt could not read its package lists (its own words are above); is the network there?"
  plan=$(simulate) ||
    stop "apt does not find all system packages; is the network there? It says: $(printf '%s\n' "$plan" | grep '^E:' | tr '\n' ' ')"
  say "installing with apt: $(printf '%s\n' "$plan" | grep '^Inst ' | cut -d' ' -f2 | tr '\n' ' ')"
  as_root apt-get -q -y -o DPkg::Lock::Timeout=120 --no-upgrade --no-install-recommends install $packages 9>&- ||
    stop "apt could not install the system packages (its own words are above); is the network there?"
}

if command -v apt-get >/dev/null; then
  system_packages
else
  say "there is no apt here, so the system packages are taken as present: $(echo $packages)"
fi

# --- Python ---------------------------------------------------------------------------------------------------------
# Usable means: 3.11 to 3.14, can make a .venv, and has the headers that pyscard is compiled with. Interpreters of
# the distribution come first; shims of version managers are passed over, they change with the folder.

usable() {
  "$1" -c 'import os, sys, sysconfig, venv, ensurepip
sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 14)
              and (sys.argv[1] == "requirements-server.lock"
                   or os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))))' "$lock" 2>/dev/null
}

find_python() {
  for folder in /usr/bin /usr/local/bin $(echo "$PATH" | tr ':' ' '); do
    case "$folder" in */shims*|*/.venv/*) continue ;; esac
    for name in python3.11 python3.12 python3.13 python3.14 python3; do
      if [ -x "$folder/$name" ] && usable "$folder/$name"; then echo "$folder/$name"; return 0; fi
    done
  done
  return 1
}

# A .venv that was copied from elsewhere, or whose interpreter has gone, is made anew.
if ! { "$venv/bin/python" -c 'pass' && grep -qF "$venv" "$venv/bin/activate"; } 2>/dev/null; then
  python=$(find_python) ||
    stop "no Python 3.11 to 3.14 with venv and header files was found (found: $(python3 --version 2>/dev/null || echo none)); Debian 12 and Ubuntu 24.04 bring one."
  say "making .venv with $python ($("$python" --version))"
  rm -rf "$venv"
  "$python" -m venv "$venv" || stop "$python could not make $venv; is there room on the disk?"
fi

# --- locked dependencies --------------------------------------------------------------------------------------------
# The stamp names what .venv holds. The development lock is a superset of requirements.lock with the same versions,
# so ./run.sh takes a .venv that ./test.sh has made and does not strip it.

stamp=$venv/shelfpoint.stamp
holds() { echo "$1 $(cat "$1" requirements-build.lock pyproject.toml | sha256sum | cut -d' ' -f1)"; }
held=$(cat "$stamp" 2>/dev/null || true)
kind=$lock
[ ! -x "$venv/bin/pytest" ] || lock=requirements-dev.lock
# A machine that has the kiosk's .venv keeps it when central is added.
case "$lock $held" in "requirements-server.lock requirements.lock "*) lock=requirements.lock ;; esac

if [ "$held" != "$(holds "$lock")" ]; then
  rm -f "$stamp"
  # uv reads no pip.conf, so an index that this machine has set for pip is handed on; certificates come from the
  # system, as behind many a town hall's proxy.
  export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_NO_PROGRESS=1
  index=$("$venv/bin/python" -m pip config list 2>/dev/null | sed -n "s/^[^=]*\.index-url='\(.*\)'\$/\1/p" | tail -n 1)
  [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
  wanted=$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements-build.lock)
  if [ "uv==$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$wanted" ]; then
    say "installing $wanted"
    sed -n '/^uv==/,/[^\\]$/p' requirements-build.lock >build/uv.txt
    "$venv/bin/python" -m pip --disable-pip-version-check install -q --require-hashes --no-deps -r build/uv.txt ||
      stop "the Python package index could not be reached (pip's own words are above); is the network there?"
  fi
  say "installing what $lock names ($(grep -c '^[a-z]' "$lock") packages)"
  "$venv/bin/uv" pip sync -q --python "$venv/bin/python" --require-hashes \
    --build-constraints requirements-build.lock --require-build-hashes "$lock" ||
    stop "the dependencies of $lock could not be installed (uv's own words are above); is the network there?"
  say "installing this project, editable"
  "$venv/bin/uv" pip install -q --python "$venv/bin/python" --no-deps \
    --build-constraints requirements-build.lock --require-build-hashes --editable . ||
    stop "this project itself could not be installed (uv's own words are above)."
  holds "$lock" >"$stamp"
fi

# --- what is built here ---------------------------------------------------------------------------------------------
if [ "$kind" = requirements-server.lock ]; then
  say "ready after $(($(date +%s) - started)) s"
  exit 0
fi
if [ -f drivers/virtual/reader/build.sh ]; then
  sh drivers/virtual/reader/build.sh || stop "the virtual card reader's driver could not be built (the compiler's words are above)."
fi
sh scripts/translations.sh compile || stop "the translations could not be compiled (lrelease's words are above)."

say "ready after $(($(date +%s) - started)) s"
