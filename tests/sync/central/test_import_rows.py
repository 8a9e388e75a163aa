"""What a row of a file may be written with: names are tidied and say so, numbers are taken as they stand or not at all."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.central.formulas import as_written, harmless
from sync.central.import_rows import item_line, patron_line
from sync.central.import_values import money, wrong_number


def patron(**cells: str) -> dict[str, str]:
    return {"id": "p1", "name": "林小華", "category": "adult", **cells}


@pytest.mark.parametrize(
    ("written", "kept", "why"),
    [
        ("林　小華", "林 小華", "spaces folded"),
        ("林\u00a0小華", "林 小華", "spaces folded"),
        ("\u200e林小華", "林小華", "without <U+200E>"),
        ("林\x98小\x9c華", "林小華", "without <U+0098><U+009C>"),
        ("林\n小\u00ad華", "林 小華", "spaces folded, without <U+00AD>"),
    ],
)
def test_a_name_is_tidied_and_the_line_says_how(written: str, kept: str, why: str) -> None:
    line = patron_line(7, patron(name=written))
    assert line.entry is not None
    assert line.entry.name == kept
    (note,) = line.notes
    assert (note.line, note.field, note.kept) == (7, "name", f"kept as {kept} ({why})")
    assert "<U+" in note.got


@pytest.mark.parametrize(
    "name", ["林\ue000", "林\U000323b0", "مریم می\u200cخواند", "佐藤 花子", "O’Brien", "  林小華 "]
)
def test_a_name_that_a_person_may_have_is_kept_without_a_word(name: str) -> None:
    line = patron_line(2, patron(name=name))
    assert line.entry is not None
    assert (line.entry.name, line.notes) == (name.strip(), ())


def test_a_title_of_nothing_but_marks_is_missing_and_a_long_one_is_measured_as_it_is_kept() -> None:
    assert [one.expected for one in item_line(2, {"id": "A", "title": "\u200f\u00ad"}, "main").mistakes] == [
        "something"
    ]
    assert item_line(2, {"id": "A", "title": "字" * 1000 + "\u200f"}, "main").entry is not None
    assert item_line(2, {"id": "A", "title": "字" * 1001}, "main").entry is None


@pytest.mark.parametrize(
    ("number", "to_do"),
    [
        ("9.78986E+12", "last digits are lost"),
        ("1E+05", "last digits are lost"),
        ("2,1E13", "last digits are lost"),
        ("'00012", "take the apostrophe away"),
        ('="00012"', "format the column as text"),
        ("30001.0", "without decimals"),
        ("30,001,000", "without commas"),
        ("C00 12", "without spaces inside"),
        ("C00\u300012", "without spaces inside"),
        ("C00\u200b12", "visible characters only"),
        ("C００12", "half-width"),
        ("C٣٤", "half-width"),
    ],
)
def test_a_number_that_a_spreadsheet_has_spoiled_is_told_with_what_to_do(number: str, to_do: str) -> None:
    for line, name in (
        (item_line(3, {"id": number, "title": "書"}, "main"), "id"),
        (patron_line(3, patron(barcode=number)), "barcode"),
    ):
        (mistake,) = line.mistakes
        assert (line.entry, mistake.line, mistake.field) == (None, 3, name)
        assert to_do in mistake.expected
        assert number not in mistake.expected  # it is shown on a screen, too


@pytest.mark.parametrize("uid", ["04:a2:2f:91", "04-A2-2F-91", "0x04A22F91", "04:A2:2F:91:00:11:22"])
def test_the_number_of_a_chip_is_written_without_marks(uid: str) -> None:
    for kind in ("easycard", "ipass", "chip"):
        assert [one.field for one in patron_line(2, patron(**{kind: uid})).mistakes] == [kind]
    assert patron_line(2, patron(barcode="04-A2-2F-91")).entry is not None


@pytest.mark.parametrize(
    "number", ["12345E67", "1E234567", "00012", "-5", "+886912345678", "A-1", "C/1", "書-1", "/AB12CD3"]
)
def test_a_number_that_only_looks_odd_is_one(number: str) -> None:
    assert wrong_number(number, uid=number.isalnum()) is None
    assert item_line(2, {"id": number, "title": "書"}, "main").entry is not None


def test_a_number_that_begins_like_a_formula_comes_back_from_an_export() -> None:
    for id_ in ("=NEW", "-5", "+1", "@x", "'=x"):
        line = item_line(2, {"id": harmless(id_), "title": "書"}, "main")
        assert line.entry is not None
        assert line.entry.id == id_
    assert item_line(2, {"id": "'=x", "title": "書"}, "main", sheet=False).entry is None  # MARC was no spreadsheet


@given(st.text())
def test_what_an_export_writes_for_a_spreadsheet_is_read_as_it_was(text: str) -> None:
    assert as_written(harmless(text)) == text
    assert harmless(text)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2028-02-29", date(2028, 2, 29)),
        ("2028/2/29", date(2028, 2, 29)),
        ("2028.02.29", date(2028, 2, 29)),
        ("117/2/29", date(2028, 2, 29)),
        ("99-12-31", date(2010, 12, 31)),
        ("民國117年2月29日", date(2028, 2, 29)),
        ("中華民國 9 年 1 月 2 日", date(1920, 1, 2)),
        ("民國8/1/2", date(1919, 1, 2)),
        ("西元2028年2月29日", date(2028, 2, 29)),
        ("117年12月31日", date(2028, 12, 31)),
    ],
)
def test_a_day_is_read_in_every_way_that_can_mean_one_day_only(written: str, meant: date) -> None:
    line = patron_line(2, patron(expires_on=written))
    assert line.entry is not None
    assert line.entry.expires_on == meant
    assert [(one.field, one.kept) for one in line.notes] == (
        [] if written == meant.isoformat() else [("expires_on", f"kept as {meant.isoformat()}")]
    )


@pytest.mark.parametrize(
    "written",
    ["05/06/07", "31/12/2027", "12/31/99", "117/2/30", "1170229", "500/1/1", "117/13/1", "明年", "２０２８-01-01"],
)
def test_a_day_that_may_mean_two_days_or_none_is_told(written: str) -> None:
    (mistake,) = patron_line(2, patron(expires_on=written)).mistakes
    assert (mistake.field, "民國116年12月31日" in mistake.expected) == ("expires_on", True)


def test_an_amount_may_have_commas_where_they_belong() -> None:
    assert [money(one) for one in ("0", "1200", "1,200", "1,234,567")] == [0, 1200, 1200, 1234567]
    line = patron_line(2, patron(owed="2,500"))
    assert line.entry is not None
    assert (line.entry.owed, [one.kept for one in line.notes]) == (2500, ["kept as 2500"])
    for bad in ("1,20", "12,00", "1.200", "NT$1,200", "-5", "１２００", "1,2000"):
        (mistake,) = patron_line(2, patron(owed=bad)).mistakes
        assert mistake.expected == "whole NT$ like 1200 or 1,200"
