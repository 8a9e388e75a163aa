"""The device rows of `shelfpoint bench` measure what they say, in small."""

from pathlib import Path

import numpy as np
import pytest

from ui.benchmarks.code_frames import BURST, CONDITIONS, SYMBOLOGIES, samples
from ui.benchmarks.scanners import byte_to_event
from ui.benchmarks.slips import BAUDS, slip_seconds


def test_a_slip_in_text_takes_a_twentieth_of_its_picture_at_every_speed() -> None:
    figures = slip_seconds(runs=5)
    assert len(figures) == len(BAUDS)
    assert all(figure.met for figure in figures)
    assert [figures[0].median_ms / figure.median_ms for figure in figures] == pytest.approx([1, 2, 12])


def test_every_scanned_byte_is_timed_for_the_driver_and_for_the_floor(tmp_path: Path) -> None:
    figure = byte_to_event(tmp_path, runs=5)
    assert figure.runs == 5
    assert figure.floor_ms is not None
    assert 0 < figure.floor_ms < 1000
    assert 0 < figure.median_ms < 1000


def test_the_same_seed_draws_the_same_frames_and_every_burst_differs_by_noise_only() -> None:
    size = ((320, 240),)
    first, again, other = (list(samples(1, seed, size)) for seed in (1, 1, 2))
    assert len(first) == len(SYMBOLOGIES) * len(CONDITIONS)
    for one, two in zip(first, again, strict=True):
        assert one.text == two.text
        assert all(np.array_equal(a, b) for a, b in zip(one.frames, two.frames, strict=True))
        assert len(one.frames) == BURST
        assert not np.array_equal(one.frames[0], one.frames[1])
    assert [sample.text for sample in first] != [sample.text for sample in other]
