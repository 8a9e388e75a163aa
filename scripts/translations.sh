#!/bin/sh
# The texts written in QML and Widgets (all other sentences stand in kiosk/words).
#
#   sh scripts/translations.sh update     read the sources again into ui/translations/*.ts   (commit these)
#   sh scripts/translations.sh compile    make the .qm files that the program loads          (never committed)
#
# compile does only what is out of date and does nothing while there are no .ts files.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin

run() { printf '+ %s\n' "$*"; "$@"; }

case "${1:-compile}" in
  update)
    sources=$(find ui -name '*.qml' -o -name '*.py' | sort)
    for ts in ui/translations/*.ts; do
      [ -f "$ts" ] || { echo "translations: there is no .ts file in ui/translations yet"; exit 0; }
      run "$bin/pyside6-lupdate" -locations none -no-obsolete $sources -ts "$ts"
    done
    ;;
  compile)
    for ts in ui/translations/*.ts; do
      [ -f "$ts" ] || exit 0
      qm=${ts%.ts}.qm
      if [ ! -f "$qm" ] || [ -n "$(find "$ts" -newer "$qm")" ]; then
        run "$bin/pyside6-lrelease" -silent "$ts" -qm "$qm"
      fi
    done
    ;;
  *) echo "translations: say 'update' or 'compile', not '$1'" >&2; exit 2 ;;
esac
