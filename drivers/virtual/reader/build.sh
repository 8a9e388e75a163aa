#!/bin/sh
# Builds the virtual card reader's driver into build/reader/libifdshelf.so, only when a source is newer.
#
#   build.sh                            build
#   build.sh conf FLAGS FILE PORT ...   build, then write a pcscd reader configuration to FILE: one reader per loopback
#                                       PORT; the reader is unplugged while FLAGS/PORT.unplugged exists
#
# Needs gcc, pkg-config and libpcsclite-dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../../.." && pwd -P)
source=$here/ifdshelf.c
library=$root/build/reader/libifdshelf.so

if [ ! -f "$library" ] || [ -n "$(find "$here" -name '*.[ch]' -newer "$library")" ]; then
  mkdir -p "$root/build/reader"
  fresh=$(mktemp "$root/build/reader/new.XXXXXX")
  # Two builds at once do no harm: each has its own file and the rename is atomic.
  # shellcheck disable=SC2046 -- the flags are words
  gcc -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC $(pkg-config --cflags libpcsclite) "$source" -o "$fresh" ||
    { rm -f "$fresh"; exit 1; }
  chmod 755 "$fresh"
  mv "$fresh" "$library"
fi

[ "${1:-}" = conf ] || exit 0
flags=$2
file=$3
shift 3
mkdir -p "$flags" "$(dirname "$file")"
number=0
for port in "$@"; do
  printf 'FRIENDLYNAME "Shelfpoint Virtual PICC %d"\nDEVICENAME %s:%d\nLIBPATH %s\nCHANNELID %d\n\n' \
    "$number" "$flags" "$port" "$library" "$port"
  number=$((number + 1))
done >"$file"
