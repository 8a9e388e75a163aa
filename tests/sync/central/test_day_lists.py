"""Files of days: the office calendar in both encodings and in its edition for Google, our own CSV; nothing is guessed (D6)."""

import codecs
from datetime import date
from pathlib import Path

import pytest

from sync.central.calendars import Day
from sync.central.day_lists import read_days
from sync.central.import_sources import BadFile

OFFICE = """西元日期,星期,是否放假,備註
20250101,三,2,開國紀念日
20250102,四,0,
20250125,六,2,
20250208,六,0,補行上班
20250228,五,2,和平紀念日
20250525,日,2,端午
20250526,一,0,
"""
CHANGES = (
    Day(date(2025, 1, 1), open=False, reason="開國紀念日"),
    Day(date(2025, 2, 8), open=True, reason="補行上班"),
    Day(date(2025, 2, 28), open=False, reason="和平紀念日"),
)


def written(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "days.csv"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (codecs.BOM_UTF8 + OFFICE.encode(), "utf-8"),
        (OFFICE.encode(), "utf-8"),
        (OFFICE.encode("cp950"), "big5"),
        (OFFICE.replace("\n", "\r\n").encode("cp950"), "big5"),
    ],
    ids=["mark", "utf-8", "big5", "big5 from Windows"],
)
def test_the_office_calendar_changes_weekday_holidays_and_make_up_days_only(
    tmp_path: Path, raw: bytes, encoding: str
) -> None:
    listed = read_days(written(tmp_path, raw))
    assert (listed.days, listed.encoding) == (CHANGES, encoding)
    assert [one.reason for one in listed.weekend] == ["端午"], "a person decides about a named Sunday"
    assert (listed.first, listed.last) == (date(2025, 1, 1), date(2025, 5, 26)), (
        "a file cut off says nothing of the rest"
    )


def test_the_edition_for_google_says_the_same(tmp_path: Path) -> None:
    rows = [
        "Subject,Start Date,Start Time,End Date,End Time,All Day Event,Description,Location",
        "開國紀念日,2025/1/1,,2025/1/1,,TRUE,,",
        "例假日,2025/01/25,,2025/01/25,,TRUE,,",
        "補行上班,2025/2/8,,2025/2/8,,TRUE,,",
        "和平紀念日,2025/2/28,,2025/2/28,,TRUE,,",
    ]
    raw = "\n".join(rows).encode()
    assert read_days(written(tmp_path, codecs.BOM_UTF8 + raw)).days == CHANGES
    with pytest.raises(BadFile, match="--encoding"):
        read_days(written(tmp_path, raw))
    assert read_days(tmp_path / "days.csv", "utf-8").days == CHANGES
    with pytest.raises(BadFile, match="expected CSV in big5"):
        read_days(tmp_path / "days.csv", "big5")


def test_our_own_csv_says_any_day(tmp_path: Path) -> None:
    listed = read_days(written(tmp_path, b"day,state,reason\n2027-02-06,closed,Lunar New Year\n\n2027-02-15,open,\n"))
    assert listed.days == (
        Day(date(2027, 2, 6), open=False, reason="Lunar New Year"),
        Day(date(2027, 2, 15), open=True),
    )


def test_every_wrong_row_is_told_with_its_line(tmp_path: Path) -> None:
    rows = ["20250101,三,2,x", "20250102,三,0,", "2025-01-03,五,0,", "20250106,一,1,", "20250107,二", "20250101,三,0,"]
    with pytest.raises(BadFile) as told:
        read_days(written(tmp_path, ("西元日期,星期,是否放假,備註\n" + "\n".join(rows)).encode()))
    lines = str(told.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == [f"line {number}" for number in (3, 4, 5, 6, 7)]
    assert "四 as weekday" in lines[0]
    assert "20260101" in lines[1]
    assert "是否放假" in lines[2]
    assert "all columns" in lines[3]
    assert "each day once" in lines[4]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "line 1"), ("a,b\n1,2\n", "line 1"), ("day,state,reason\n", "at least one day"),
     ("day,state,reason\n2027-01-01,shut,\n", "closed or open"), ("day,state,reason\n2027-02-30,closed,\n", "2026-12-31")],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        read_days(written(tmp_path, text.encode()))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"none\.csv"):
        read_days(tmp_path / "none.csv")
