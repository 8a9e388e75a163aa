"""Imports by the library's rules: known categories and types; what is told, in the report and at once; and exports that come back."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sync.central.export import export
from sync.wire import ItemEntry

from .test_imports import bad_rows, feed_items, run, take_items, take_patrons


def test_a_category_or_type_that_is_unknown_is_refused_with_those_that_are_known(town: Any, tmp_path: Path) -> None:
    people, items = tmp_path / "p.csv", tmp_path / "i.csv"
    people.write_text("id,name,category\nx1,甲,audlt\nx2,乙,child\n", encoding="utf-8")
    items.write_text("id,title,item_type\nT1,甲,bok\nT2,乙,book\nT3,丙,\n", encoding="utf-8")
    for done, file, got, known in (
        (take_patrons(town, people, skip_bad=True), people, ("2", "category", "audlt"), "adult, child"),
        (take_items(town, items, skip_bad=True), items, ("2", "item_type", "bok"), "book, dvd, reference"),
    ):
        assert (done.bad, done.applied, bad_rows(file)) == (1, True, [got])
        assert done.first[0].expected.startswith(f"a known one; known are {known}; ")
        assert "shelfpoint central" in done.first[0].expected
    assert {"T2", "T3"} <= feed_items(town).keys()
    assert "T1" not in feed_items(town)


def test_the_report_says_what_is_kept_otherwise_and_holds_no_formula(town: Any, tmp_path: Path) -> None:
    file = tmp_path / "patrons.csv"
    file.write_text(
        "id,name,category,expires_on,owed\n"
        'n1,林　小華,adult,117/12/31,"1,500"\n'
        "n2,林小華,adult,,\n"
        "=n3,林小華,adult,,\n",
        encoding="utf-8",
    )
    done = take_patrons(town, file, skip_bad=True)
    assert (done.good, done.bad, done.noted) == (2, 1, 1)
    with file.with_suffix(".report").open(encoding="utf-8", newline="") as report:
        rows = [tuple(row.values()) for row in csv.DictReader(report)]
    assert [(row[0], row[2], row[4]) for row in rows if row[1] == "bad"] == [("4", "id", "'=n3")]
    assert [row[0] for row in rows if row[1] == "good"] == ["2", "3"]
    assert [row[2:] for row in rows if row[1] == "note"] == [
        ("name", "kept as 林 小華 (spaces folded)", "林<U+3000>小華"),
        ("expires_on", "kept as 2028-12-31", "117/12/31"),
        ("owed", "kept as 1500", "1,500"),
    ]


def test_names_of_every_kind_reach_kiosks_and_come_back_the_same(town: Any, tmp_path: Path) -> None:
    titles = ["林\ue000傳", "\U000323b0字典", "کتاب\u200cها", "圖解 資料庫"]
    file = tmp_path / "items.csv"
    file.write_text(
        "id,title\n" + "".join(f"U{place},{title}\n" for place, title in enumerate(titles)), encoding="utf-8"
    )
    assert take_items(town, file).applied
    assert [feed_items(town)[f"U{place}"].title for place in range(len(titles))] == titles


def test_an_export_can_be_imported_again_with_every_id(town: Any, tmp_path: Path) -> None:
    ids = ["-5", "+1", "@x", "=NEW", "'=y", "A1"]
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=id_, title=f"={id_}", branch="main") for id_ in ids])
    export(town.central.database, tmp_path / "out", lambda table, rows: None)
    text = (tmp_path / "out" / "item.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert all(cell[:1] not in "=+-@" for row in rows for cell in row.values() if cell)
    own = ("reserved_for", "missing_since")
    without = [{name: cell for name, cell in row.items() if name not in own} for row in rows]
    back = tmp_path / "back.csv"
    with back.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, without[0])
        writer.writeheader()
        writer.writerows(without)
    done = take_items(town, back)
    assert (done.bad, done.changed, done.applied) == (0, 0, True)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_command_says_the_first_mistakes_the_encoding_and_never_makes_a_folder(
    town: Any, kind: str, tmp_path: Path
) -> None:
    place = ["--data", str(town.settings.data)]
    file = tmp_path / "p.csv"
    file.write_text("id,name,category,easycard\nq1,林\u3000小華,adult,04:A2:2F:91\n", encoding="cp950")
    told = run("import-patrons", *place, str(file), "--preview")
    assert (told.exit_code, "it reads as cp950: say --encoding cp950" in told.output) == (2, True)
    told = run("import-patrons", *place, str(file), "--preview", "--encoding", "cp950")
    assert "line 2, easycard: expected the number without marks between its bytes" in told.output
    assert (told.exit_code, "04:A2:2F:91" in told.output) == (1, False)
    told = run("import-patrons", *place, str(file), "--preview", "--encoding", "cp950", "--json")
    assert json.loads(told.output)["first_mistakes"][0]["field"] == "easycard"
    file.write_text("id,name,category\nq1,林小華\n", encoding="utf-8")
    told = run("import-patrons", *place, str(file), "--preview")
    assert "line 2, (row): expected 3 columns, got 2 columns" in told.output
    file.write_text("id,name,category\nq1,林　小華,adult\n", encoding="utf-8")
    assert "1 rows are kept otherwise" in run("import-patrons", *place, str(file), "--preview").output
    stick = tmp_path / "media" / "stick"
    for command in (
        ("import-patrons", str(file), "--preview", "--report", str(stick / "report.csv")),
        ("export", str(stick / "out")),
        ("backup", str(stick / "copy.sqlite")),
        ("key", "copy", str(stick / "root.key")),
    ):
        told = run(*command[:1], *command[1:], *place)
        assert (told.exit_code, f"there is no folder {stick}" in told.output) == (2, True), told.output
    assert not (tmp_path / "media").exists()
