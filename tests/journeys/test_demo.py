"""The headless demo as a newcomer runs it: every scene goes well, and pictures, slips and a report are left."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.xdist_group("pcscd")
def test_the_headless_demo_plays_every_scene(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("shelfpoint")
    done = subprocess.run(
        [program, "demo", "--headless", "--out", str(tmp_path / "out"), "--folder", str(tmp_path / "stage")],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert done.stdout.count("\nok ") >= 10
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for kind, least in (("screens", 15), ("slips", 4)):
        pictures = sorted((tmp_path / "out" / kind).glob("*.png"))
        assert len(pictures) >= least
        assert all(f"{kind}/{picture.name}" in report for picture in pictures)
