"""The device rows of `shelfpoint bench` measure what they say, in small."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress

from drivers.barcodes import Code
from ui.benchmarks.cameras import in_turn, phones, read_all
from ui.benchmarks.code_frames import BURST, CONDITIONS, PHONE_CONDITIONS, PHONE_SYMBOLOGIES, SYMBOLOGIES, samples
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


def test_pyzbar_sees_few_samples_and_the_comparison_counts_those_only() -> None:
    whole, part = read_all(samples(2, 1, ((320, 240),), ("clean",), ("code39",)), compared=1)
    assert {name: score.total["all"] for name, score in whole.items()} == {"ours": 2, "zxing-cpp": 2}
    assert {score.total["all"] for score in part.values()} == {1}
    assert len(part["both in turn"].ms) == BURST


def test_both_in_turn_says_and_takes_what_its_two_readers_do() -> None:
    nothing, first, second = frozenset[Code](), frozenset({Code("1", "qr")}), frozenset({Code("2", "qr")})
    said = in_turn([(first, 2.0), (nothing, 3.0), (nothing, 1.0)], [(second, 40.0), (second, 50.0), (nothing, 60.0)])
    assert said == [(first, 2.0), (second, 53.0), (nothing, 61.0)]


def test_cards_on_telephones_are_measured_with_every_condition() -> None:
    with Progress(console=Console(quiet=True)) as progress:
        figure = phones(1, Console(quiet=True), progress)
    assert figure.runs == len(PHONE_CONDITIONS) * len(PHONE_SYMBOLOGIES) * BURST
    assert figure.met
