"""A damaged MARC 21 record costs itself and says so; the records after it are read, or the file is refused."""

import io
from pathlib import Path

import pymarc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync.central.import_marc import MarcPlaces
from sync.central.import_rows import BadFile, Line
from sync.central.import_sources import read_items
from sync.central.iso2709 import LONGEST, CutOff, Damaged, records
from sync.wire import ItemEntry


def marc(number: int) -> bytes:
    """A record of one copy, B0 to B9."""
    record = pymarc.Record(force_utf8=True)
    title = [pymarc.Subfield("a", "臺灣史" * (number + 1))]
    copy = [pymarc.Subfield("p", f"B{number}"), pymarc.Subfield("b", "main")]
    record.add_field(pymarc.Field(tag="245", indicators=pymarc.Indicators("0", "0"), subfields=title))
    record.add_field(pymarc.Field(tag="952", indicators=pymarc.Indicators(" ", " "), subfields=copy))
    made: bytes = record.as_marc()
    return made


SIX = [marc(number) for number in range(6)]
STARTS = [sum(map(len, SIX[:number])) for number in range(7)]


def read(folder: Path, data: bytes) -> list[Line[ItemEntry]]:
    (folder / "c.mrc").write_bytes(data)
    return list(read_items(folder / "c.mrc", MarcPlaces(), ""))


def ids(lines: list[Line[ItemEntry]]) -> list[str | None]:
    return [line.entry.id if line.entry is not None else None for line in lines]


@pytest.mark.parametrize(
    "length",
    [b"0x070", b"00069", b"00071", b"99999", b"00000", b"     ", b"-0070", b"%05d" % (len(SIX[1]) + len(SIX[2]))],
)
def test_a_wrong_length_costs_one_record_and_the_report_says_how_many_bytes(tmp_path: Path, length: bytes) -> None:
    damaged = length + SIX[1][5:]
    lines = read(tmp_path, b"".join([SIX[0], damaged, *SIX[2:]]))
    assert ids(lines) == ["B0", None, "B2", "B3", "B4", "B5"]
    (mistake,) = lines[1].mistakes
    assert (mistake.line, mistake.field, mistake.expected) == (2, "(record)", "a whole MARC record")
    assert mistake.got == f"its length says {length.decode()!r}; {len(SIX[1])} bytes passed over"


def test_a_record_that_is_broken_inside_costs_one_record(tmp_path: Path) -> None:
    broken = SIX[1][:12] + b"xxxxx" + SIX[1][17:]  # where its fields begin
    lines = read(tmp_path, b"".join([SIX[0], broken, SIX[2]]))
    assert ids(lines) == ["B0", None, "B2"]
    assert lines[1].mistakes[0].got.startswith("unreadable inside: ")


@pytest.mark.parametrize("cut", [1, 3, len(SIX[5]) - 1])
def test_a_file_that_ends_inside_a_record_is_refused_and_says_where(tmp_path: Path, cut: int) -> None:
    with pytest.raises(BadFile, match=rf"got {len(SIX[5]) - cut} bytes after record 5 without the end of a record"):
        read(tmp_path, b"".join(SIX)[:-cut])


def test_line_ends_between_records_and_what_fills_the_last_block_do_no_harm(tmp_path: Path) -> None:
    assert ids(read(tmp_path, b"\r\n".join(SIX[:2]) + b"\n\x1a\0\0 ")) == ["B0", "B1"]
    with pytest.raises(BadFile, match="at least one row or record, got none"):
        read(tmp_path, b"\x1a")


def test_megabytes_without_an_end_are_counted_and_not_kept() -> None:
    hole = b"x" * (3_000_000)
    found = list(records(io.BytesIO(SIX[0] + hole + SIX[1] + SIX[2])))
    assert found == [SIX[0], Damaged("no end within the greatest length", len(hole) + len(SIX[1])), SIX[2]]
    with pytest.raises(CutOff, match=f"^{len(hole)} bytes after record 1 "):
        list(records(io.BytesIO(SIX[0] + hole)))


def test_the_longest_record_is_read_wherever_the_blocks_end() -> None:
    long = b"%05d" % LONGEST + b"x" * (LONGEST - 6) + b"\x1d"
    assert list(records(io.BytesIO(long * 3))) == [long] * 3


@example(place=STARTS[1], byte=10)
@example(place=STARTS[1] - 1, byte=13)
@given(place=st.integers(0, STARTS[-1] - 1), byte=st.integers(0, 255))
def test_whatever_byte_is_wrong_the_records_that_it_is_not_in_are_read_and_none_goes_missing_in_silence(
    place: int, byte: int
) -> None:
    data = bytearray(b"".join(SIX))
    data[place] = byte
    hit = max(number for number in range(6) if STARTS[number] <= place)
    lost = {hit, hit + 1} if place == STARTS[hit + 1] - 1 else {hit}  # without its end it takes the next along
    found: list[bytes | Damaged] = []
    try:
        found += records(io.BytesIO(bytes(data)))
        ended = True
    except CutOff:
        ended = False
        assert place == STARTS[-1] - 1
    assert {SIX[number] for number in range(6) if number not in lost} <= set(found)
    total = sum(one.passed_over if isinstance(one, Damaged) else len(one) for one in found)
    assert not ended or total == len(data)
