#!/bin/sh
# Sets up what is missing, then opens the demo: the kiosk, a window with all virtual devices, and a small central.
# Without a display it plays scripted visits and leaves screenshots, slips and report.html in out/.
# Arguments go to `shelfpoint demo` (see `./run.sh --help` once set up).
set -eu
cd "$(dirname "$0")"
sh scripts/setup.sh run

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  exec .venv/bin/shelfpoint demo "$@"
fi
echo "run: there is no display here, so the demo plays by itself; its pictures and report.html go to out/"
exec .venv/bin/shelfpoint demo --headless --out out "$@"
