"""`shelfpoint bench cameras` looks for wrong values, finds them, and goes on where it was broken off (A8)."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from drivers.barcodes import Code
from drivers.virtual.code_scenes import SMALL, SORTS, scene
from ui.benchmarks.camera_campaign import DEFAULT_SYMBOLOGIES, Campaign, ForeignCheckpoint, campaign

SHELFPOINT = Path(sys.executable).with_name("shelfpoint")


def test_a_slice_of_the_campaign_reads_most_of_its_scenes_and_nothing_wrong() -> None:
    result = campaign(40, 20261128, DEFAULT_SYMBOLOGIES)
    assert result.wrong == []
    assert result.total["all"] == 40
    assert result.read["all"] >= 20


def test_a_wrong_value_is_counted_beside_the_right_one_and_instead_of_it() -> None:
    shown = scene(3, 0, frames=1)
    right, wrong = Code(shown.text, shown.symbology), Code("C9999999", "code39")
    result = Campaign(3, DEFAULT_SYMBOLOGIES)
    for values in ((right, wrong), (wrong,), (right,), ()):
        result.samples = 0
        result.show(lambda _, values=values: values)  # type: ignore[misc]
    assert result.read["all"] == 2
    assert result.wrong == [f"0 {shown.symbology} {shown.text}: code39 C9999999"] * 2


def test_two_of_five_scenes_have_modules_of_one_to_two_and_a_half_pixels() -> None:
    sizes = [scene(1, number, frames=0).module_px for number in range(100)]
    assert sum(SMALL[0] <= size <= SMALL[1] for size in sizes) >= 40
    assert max(sizes) > 2 * SMALL[1]


def test_a_scene_is_the_same_whatever_was_drawn_before() -> None:
    first = [scene(1, number, SORTS, frames=2) for number in (4, 5)]
    again = [scene(1, number, SORTS, frames=2) for number in (5, 4)][::-1]
    for drawn, redrawn in zip(first, again, strict=True):
        assert (drawn.symbology, drawn.text, drawn.marks) == (redrawn.symbology, redrawn.text, redrawn.marks)
        assert all(np.array_equal(a, b) for a, b in zip(drawn.frames, redrawn.frames, strict=True))
        assert not np.array_equal(*drawn.frames)


def test_a_campaign_that_was_broken_off_ends_as_one_in_a_piece(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    advanced: list[int] = []
    campaign(5, 2, ("code39", "itf"), kept)
    assert campaign(9, 2, ("code39", "itf"), kept, advanced.append) == campaign(9, 2, ("code39", "itf"))
    assert sum(advanced) == 9
    assert json.loads(kept.read_text("utf-8"))["samples"] == 9


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"seed": 1}', "\x00"])
def test_a_file_that_is_no_checkpoint_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(content, "utf-8")
    with pytest.raises(ForeignCheckpoint, match=r"kept\.json: not a checkpoint"):
        campaign(1, 2, ("code39",), kept)
    assert kept.read_text("utf-8") == content


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SHELFPOINT, "bench", "cameras", *arguments], capture_output=True, text=True, timeout=90, check=False
    )


def test_the_command_tells_a_program_what_was_read_and_refuses_another_campaigns_checkpoint(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    ended = bench("--samples", "3", "--seed", "4", "--checkpoint", str(kept), "--json")
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert (answer["samples"], answer["seed"], answer["wrong"]) == (3, 4, [])
    assert answer == json.loads(kept.read_text("utf-8"))
    other = bench("--samples", "3", "--seed", "5", "--checkpoint", str(kept))
    assert other.returncode == 2
    assert "begun with --seed 4 and code39, code128, codabar, qr" in " ".join(other.stderr.replace("│", " ").split())
