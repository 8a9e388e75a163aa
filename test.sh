#!/bin/sh
# Sets up what is missing, then checks everything: style, types, layers, QML, translations, tests.
# Each step prints its command, so that it can be run alone. The first failure ends it.
# Arguments go to pytest: ./test.sh tests/house -k lock
set -eu
cd "$(dirname "$0")"
sh scripts/setup.sh test

step() {
  printf '\n+ %s\n' "$*"
  "$@" || { printf '\ntest: stopped, this step failed: %s\n' "$*" >&2; exit 1; }
}

step .venv/bin/ruff check .
step .venv/bin/ruff format --check .
step .venv/bin/mypy
step .venv/bin/lint-imports --no-logo
step .venv/bin/python scripts/qmllint.py
step sh scripts/translations.sh compile
# Qt draws without a screen, and the same way on every machine.
step env QT_QPA_PLATFORM=offscreen QT_QUICK_BACKEND=software .venv/bin/pytest -n 2 --dist loadgroup "$@"
printf '\ntest: everything passed\n'
