#!/bin/sh
# Builds into build/reader, only when a source is newer: the virtual card reader's driver (libifdshelf.so) and what gives
# a pcscd folders of its own (libelsewhere.so).
#
# Needs gcc, pkg-config and libpcsclite-dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../../.." && pwd -P)

# build SOURCE LIBRARY FLAGS…: two builds at once do no harm, as each has its own file and the rename is atomic
build() {
  source=$here/$1
  library=$root/build/reader/$2
  shift 2
  if [ -f "$library" ] && [ -z "$(find "$here" -name '*.[ch]' -newer "$library")" ]; then return; fi
  mkdir -p "$root/build/reader"
  fresh=$(mktemp "$root/build/reader/new.XXXXXX")
  gcc -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC "$source" "$@" -o "$fresh" || { rm -f "$fresh"; exit 1; }
  chmod 755 "$fresh"
  mv "$fresh" "$library"
}

build elsewhere.c libelsewhere.so -ldl
# shellcheck disable=SC2046 -- the flags are words
build ifdshelf.c libifdshelf.so $(pkg-config --cflags libpcsclite)
