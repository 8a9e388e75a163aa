#!/bin/sh
# Installs a central or a kiosk from this tree, as root, on Debian 12 or Ubuntu 24.04: programs, accounts, folders, units.
# It starts nothing, and it overwrites no settings of yours: only files that it brought itself are written again.
#
#   sh /opt/shelfpoint/deploy/install.sh central     # no Qt, no devices: requirements-server.lock
#   sh /opt/shelfpoint/deploy/install.sh kiosk
#
# DESTDIR=FOLDER puts the files below FOLDER and runs nothing: for packages.
# Ends with 0, or with 1 after one sentence that says what is in the way.
set -eu
tree=$(cd "$(dirname "$0")/.." && pwd -P)
kind=${1:-}
root=${DESTDIR:-}

say() { printf 'install: %s\n' "$*"; }
stop() { printf 'install stopped: %s\n' "$*" >&2; exit 1; }
put() { install -D -m "${3:-644}" "$tree/deploy/$1" "$root$2"; }

case "$kind" in central|kiosk) ;; *) stop "say which: install.sh central, or install.sh kiosk." ;; esac
if [ -z "$root" ]; then
  [ "$(id -u)" = 0 ] || stop "this needs root; try sudo."
  sh "$tree/scripts/setup.sh" "$([ "$kind" = central ] && echo central || echo run)" || exit 1
  [ "$kind" = central ] || env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install \
    cage xwayland dbus libpam-systemd || stop "apt could not install the kiosk's shell (its own words are above)."
fi

install -d -m 755 "$root/usr/local/bin"
ln -sfn "$tree/.venv/bin/shelfpoint" "$root/usr/local/bin/shelfpoint"
put "sysusers-$kind.conf" "/etc/sysusers.d/shelfpoint-$kind.conf"
put "tmpfiles-$kind.conf" "/etc/tmpfiles.d/shelfpoint-$kind.conf"
put "shelfpoint-$kind.service" "/etc/systemd/system/shelfpoint-$kind.service"
if [ "$kind" = central ]; then
  put shelfpoint-central /usr/local/bin/shelfpoint-central 755
  put shelfpoint-backup.service /etc/systemd/system/shelfpoint-backup.service
  put shelfpoint-backup.timer /etc/systemd/system/shelfpoint-backup.timer
else
  put polkit-pcscd.rules /etc/polkit-1/rules.d/50-shelfpoint-pcscd.rules
  put modprobe-acr122u.conf /etc/modprobe.d/shelfpoint-acr122u.conf
fi
[ -z "$root" ] || exit 0

systemd-sysusers "shelfpoint-$kind.conf" || stop "the account could not be made (the words of systemd-sysusers are above)."
systemd-tmpfiles --create "shelfpoint-$kind.conf" || stop "the folders could not be made (the words of systemd-tmpfiles are above)."
[ ! -d /run/systemd/system ] || systemctl daemon-reload
if [ "$kind" = kiosk ] && [ -e /sys/module/pn533_usb ]; then
  modprobe -r pn533_usb || say "the kernel still holds the card reader (pn533_usb); restart the machine once."
fi
if [ "$kind" = central ]; then
  say "done. Next: shelfpoint-central setup, then systemctl enable --now shelfpoint-central shelfpoint-backup.timer"
else
  say "done. Next: shelfpoint kiosk setup, then systemctl enable --now shelfpoint-kiosk"
fi
