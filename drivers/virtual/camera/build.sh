#!/bin/sh
# Builds the virtual camera's shim into build/camera/libshelfcam.so, only when its source is newer. Needs gcc.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../../.." && pwd -P)
source=$here/shelfcam.c
library=$root/build/camera/libshelfcam.so

if [ ! -f "$library" ] || [ -n "$(find "$source" -newer "$library")" ]; then
  mkdir -p "$root/build/camera"
  fresh=$(mktemp "$root/build/camera/new.XXXXXX")
  # Two builds at once do no harm: each has its own file and the rename is atomic.
  gcc -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC "$source" -o "$fresh" -ldl -lpthread ||
    { rm -f "$fresh"; exit 1; }
  chmod 755 "$fresh"
  mv "$fresh" "$library"
fi
