"""docs/states.md is what the tables are, not what they were."""

import subprocess
import sys
from pathlib import Path

from kiosk.domain.journal import Word
from kiosk.domain.reconcile import Held
from kiosk.ports import Phase

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "states.md"


def test_the_page_of_states_is_what_the_script_draws() -> None:
    drawn = subprocess.run(
        [sys.executable, "scripts/states.py"], cwd=ROOT, capture_output=True, check=True, timeout=60
    ).stdout.decode("utf-8")
    assert PAGE.read_text(encoding="utf-8") == drawn, "run: .venv/bin/python scripts/states.py > docs/states.md"


def test_the_page_names_every_phase_and_every_cell_of_the_words() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [f"### {phase}\n" in page for phase in Phase] == [True] * len(Phase)
    lines = [line for line in page.partition("Words of an act")[2].splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(Held)
    assert all(line.count(" | ") == len(Word) for line in lines)
