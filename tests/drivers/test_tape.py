"""Tapes: what passed through a link can be read, kept and played again; nothing but a tape is taken for one."""

import io
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.tape import FIRST_LINE, BadTape, Piece, Recorder, Replayer, TapeMismatch, Way, open_tape, read_tape
from kiosk.ports import DeviceError, DeviceReason

PAPER_OUT = f"{FIRST_LINE}: paper out\n0.000000 > 10 04 02\n\n# a remark\n0.001204 < 32\n"


class Line:
    """A link that answers from a list and may break after so many bytes."""

    def __init__(self, answers: Sequence[bytes] = (), breaks_after: int | None = None) -> None:
        self.sent = 0
        self.closed = False
        self._answers = list(answers)
        self._breaks_after = breaks_after

    def read(self, deadline_s: float) -> bytes:
        return self._answers.pop(0) if self._answers else b""

    def write(self, data: bytes, deadline_s: float) -> None:
        if self._breaks_after is not None and self.sent + len(data) > self._breaks_after:
            self.sent = self._breaks_after
            raise DeviceError(DeviceReason.SILENT)
        self.sent += len(data)

    def close(self, *, lost: bool = False) -> None:
        self.closed = True


def test_a_recording_can_be_read_by_a_person_and_by_a_program() -> None:
    text, ticks = io.StringIO(), iter([0.0, 0.0, 0.001204])
    recorder = Recorder(Line([b"\x32"]), text, lambda: next(ticks))
    recorder.write(b"\x10\x04\x02", 1.0)
    assert recorder.read(1.0) == b"\x32"
    assert recorder.sent == 3
    assert text.getvalue() == "0.000000 > 10 04 02\n0.001204 < 32\n"
    assert read_tape(PAPER_OUT.splitlines()) == read_tape([FIRST_LINE, *text.getvalue().splitlines()])


def test_a_recorder_changes_nothing_and_writes_down_what_had_left_before_a_failure() -> None:
    line, text = Line(breaks_after=2), io.StringIO()
    recorder = Recorder(line, text, lambda: 0.0)
    assert recorder.read(0.0) == b""
    with pytest.raises(DeviceError):
        recorder.write(b"\x01\x02\x03", 1.0)
    recorder.close()
    assert line.closed
    assert text.getvalue() == "0.000000 > 01 02\n"


def test_a_tape_is_for_its_owners_eyes_and_never_overwrites_another(tmp_path: Path) -> None:
    path = tmp_path / "printer.tape"
    with open_tape(path, "paper\nout") as tape:
        tape.write(f"{Piece(0.5, Way.SENT, b'!')}\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_tape(path.read_text(encoding="utf-8").splitlines()) == (Piece(0.5, Way.SENT, b"!"),)
    with pytest.raises(FileExistsError):
        open_tape(path, "again")


def test_a_replay_answers_only_when_it_was_asked_as_on_the_tape() -> None:
    replay = Replayer(read_tape(PAPER_OUT.splitlines()))
    assert replay.read(5.0) == b""
    replay.write(b"\x10", 1.0)
    replay.write(b"\x04\x02", 1.0)
    assert replay.sent == 3
    assert replay.read(5.0) == b"\x32"
    assert replay.finished
    with pytest.raises(DeviceError):
        replay.read(5.0)


@pytest.mark.parametrize("written", [b"\x10\x04\x04", b"\x10\x04\x02\x1b"])
def test_a_replay_refuses_what_is_not_on_the_tape(written: bytes) -> None:
    with pytest.raises(TapeMismatch):
        Replayer(read_tape(PAPER_OUT.splitlines())).write(written, 1.0)


@pytest.mark.parametrize(
    "lines",
    [["0.0 > 10"], [FIRST_LINE, "0.0 ? 10"], [FIRST_LINE, "soon > 10"], [FIRST_LINE, "0.0 > 1"], [FIRST_LINE, "0.0 >"]],
)
def test_what_is_no_tape_is_refused_with_its_line(lines: list[str]) -> None:
    with pytest.raises(BadTape, match=r"line \d"):
        read_tape(lines)


@given(
    st.lists(st.tuples(st.sampled_from((Way.SENT, Way.HEARD)), st.binary(min_size=1, max_size=20)), max_size=12),
    st.integers(1, 7),
)
def test_every_recording_plays_again_however_writes_are_cut(traffic: list[tuple[Way, bytes]], size: int) -> None:
    text = io.StringIO()
    recorder = Recorder(Line([data for way, data in traffic if way is Way.HEARD]), text, lambda: 0.0)
    for way, data in traffic:
        if way is Way.SENT:
            recorder.write(data, 1.0)
        else:
            recorder.read(1.0)
    replay = Replayer(read_tape([FIRST_LINE, *text.getvalue().splitlines()]))
    for way, data in traffic:
        if way is Way.SENT:
            for start in range(0, len(data), size):
                replay.write(data[start : start + size], 1.0)
        else:
            assert replay.read(1.0) == data
    assert replay.finished
