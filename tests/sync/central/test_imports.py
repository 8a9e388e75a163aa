"""Files of items and patrons: checked whole, applied once, taken up where they stopped; and everything out again."""

import csv
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pymarc
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from kiosk.domain.cases import Advice
from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Word
from kiosk.domain.lending import ItemState, Standing
from kiosk.domain.staff import EVERYWHERE
from kiosk.domain.values import Reason
from sync.central import tables
from sync.central.import_sources import BadFile, MarcPlaces, read_items, read_patrons
from sync.central.imports import APPLY, Report, RowReport, digest_of
from sync.central.worklist import Wanted
from sync.wire import CalendarEntry, CardEntry, ItemEntry, MembershipEntry
from ui.cli.central import central as central_command


class Killed(Exception):
    """Stands for a process that dies between two transactions."""


def quiet(phase: str, done: int, total: int | None) -> None:
    pass


def take_items(town: Any, file: Path, progress: Any = quiet, **how: bool) -> Report:
    with closing(RowReport(file.with_suffix(".report"))) as report:
        lines = read_items(file, MarcPlaces(), "main")
        return town.central.imports.items(digest_of(file, "items"), lines, report, progress, **how)


def take_patrons(town: Any, file: Path, **how: bool) -> Report:
    with closing(RowReport(file.with_suffix(".report"))) as report:
        return town.central.imports.patrons(digest_of(file, "patrons"), read_patrons(file), report, quiet, **how)


def bad_rows(file: Path) -> list[tuple[str, str, str]]:
    with file.with_suffix(".report").open(encoding="utf-8", newline="") as report:
        return [(row["line"], row["field"], row["got"]) for row in csv.DictReader(report) if row["result"] == "bad"]


def feed_items(town: Any) -> dict[str, ItemEntry]:
    entries, cursor = [], None
    while True:
        page = town.central.feed.page(cursor, b"", "")
        entries += page.entries
        cursor = page.cursor
        if not page.more:
            return {entry.id: entry for entry in entries if isinstance(entry, ItemEntry)}


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    file = tmp_path / "items.csv"
    rows = "".join(f"N{number},新書 {number},作者,book,main\n" for number in range(3 * APPLY + 7))
    file.write_text("id,title,author,item_type,branch\n" + rows, encoding="utf-8")
    return file


def test_a_file_is_applied_once_by_its_digest(town: Any, catalogue: Path) -> None:
    total = 3 * APPLY + 7
    done = take_items(town, catalogue)
    assert (done.good, done.bad, done.changed, done.applied, done.before) == (total, 0, total, True, False)
    assert feed_items(town)["N5"].title == "新書 5"
    head = town.central.feed.head()
    again = take_items(town, catalogue)
    assert (again.before, again.changed, town.central.feed.head()) == (True, 0, head)
    catalogue.write_text(catalogue.read_text().replace("N5,新書 5,", "N5,改名,"))
    other = take_items(town, catalogue)
    assert (other.good, other.changed, town.central.feed.head()) == (total, 1, head + 1)


def test_a_preview_changes_nothing(town: Any, catalogue: Path) -> None:
    head = town.central.feed.head()
    done = take_items(town, catalogue, preview=True)
    assert (done.good, done.applied, town.central.feed.head()) == (3 * APPLY + 7, False, head)
    assert take_items(town, catalogue).applied


@pytest.mark.parametrize("stop", [("checking", 1000), ("applying", APPLY), ("applying", 3 * APPLY)])
def test_an_import_that_died_goes_on_where_it_stopped(town: Any, catalogue: Path, stop: tuple[str, int]) -> None:
    def die(phase: str, done: int, total: int | None) -> None:
        if (phase, done) == stop:
            raise Killed

    with pytest.raises(Killed):
        take_items(town, catalogue, die)
    held = len([id_ for id_ in feed_items(town) if id_.startswith("N")])
    assert held == (stop[1] if stop[0] == "applying" else 0)
    head = town.central.feed.head()
    seen: list[tuple[str, int]] = []
    done = take_items(town, catalogue, lambda phase, done, total: seen.append((phase, done)))
    assert (done.good, done.changed) == (3 * APPLY + 7, 3 * APPLY + 7)
    assert town.central.feed.head() == head + 3 * APPLY + 7 - held
    assert (stop[0] == "checking") == any(phase == "checking" for phase, _ in seen)


def test_a_preview_of_an_import_that_died_leaves_the_rest_where_it_is(town: Any, catalogue: Path) -> None:
    def die(phase: str, done: int, total: int | None) -> None:
        if (phase, done) == ("applying", APPLY):
            raise Killed

    with pytest.raises(Killed):
        take_items(town, catalogue, die)
    head = town.central.feed.head()
    told = take_items(town, catalogue, preview=True)
    assert (told.applied, told.good, told.waiting) == (False, 3 * APPLY + 7, 2 * APPLY + 7)
    assert town.central.feed.head() == head
    assert take_items(town, catalogue).applied
    assert town.central.feed.head() == head + 2 * APPLY + 7


def test_bad_rows_are_named_and_nothing_is_applied(town: Any, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(
        "id,title,branch,state,desk_only\n"
        "A1,好,main,,\n"
        ",無號,main,,\n"
        "A2,,nowhere,lost,maybe\n"
        "A1,又一次,main,,\n"
        "A3,短\n"
        "A4,遠,nowhere,,1\n"
    )
    done = take_items(town, file)
    assert (done.good, done.bad, done.applied) == (1, 5, False)
    assert bad_rows(file) == [
        ("3", "id", ""), ("4", "title", ""), ("4", "state", "lost"), ("4", "desk_only", "maybe"), ("5", "id", "A1"),
        ("6", "(row)", "2 columns"), ("7", "branch", "nowhere"),
    ]  # fmt: skip
    assert "A1" not in feed_items(town)
    assert take_items(town, file, skip_bad=True).applied
    assert feed_items(town)["A1"].title == "好"


def test_an_import_leaves_the_reservation(town: Any, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("id,title\nHELD,預約書(二版)\n")
    assert take_items(town, file).changed == 1
    assert (feed_items(town)["HELD"].title, feed_items(town)["HELD"].reserved_for) == ("預約書(二版)", "ben")


def marc() -> list[pymarc.Record]:
    def record(number: int, *copies: str) -> pymarc.Record:
        made = pymarc.Record(force_utf8=True)
        if number == 1:
            made.add_field(pymarc.Field(tag="001", data="0000123"), pymarc.Field(tag="003", data="TW-LIB"))
        title = [pymarc.Subfield("a", f"臺灣史 {number} :"), pymarc.Subfield("b", "增訂 /")]
        made.add_field(pymarc.Field(tag="245", indicators=pymarc.Indicators("1", "0"), subfields=title))
        author = [pymarc.Subfield("a", "王堃,")]
        made.add_field(pymarc.Field(tag="100", indicators=pymarc.Indicators("1", " "), subfields=author))
        for copy in copies:
            subfields = [pymarc.Subfield("p", copy), pymarc.Subfield("b", "main"), pymarc.Subfield("y", "dvd")]
            made.add_field(pymarc.Field(tag="952", indicators=pymarc.Indicators(" ", " "), subfields=subfields))
        return made

    return [record(1, "M1", "M2"), record(2), *(record(number, f"M{number}") for number in range(3, 40))]


def binary(file: Path, records: list[pymarc.Record]) -> Path:
    file = file.with_suffix(".mrc")
    file.write_bytes(b"".join(record.as_marc() for record in records))
    return file


def xml(file: Path, records: list[pymarc.Record]) -> Path:
    file = file.with_suffix(".xml")
    body = b"".join(pymarc.record_to_xml(record) for record in records)
    file.write_bytes(b'<collection xmlns="http://www.loc.gov/MARC21/slim">' + body + b"</collection>")
    return file


@pytest.mark.parametrize("write", [binary, xml])
def test_marc_records_become_one_item_for_each_copy(
    town: Any, tmp_path: Path, write: Callable[[Path, list[pymarc.Record]], Path]
) -> None:
    file = write(tmp_path / "catalogue", marc())
    done = take_items(town, file, skip_bad=True)
    assert (done.good, done.bad, bad_rows(file)) == (39, 1, [("2", "952p", "")])
    item = feed_items(town)["M2"]
    assert (item.title, item.author, item.item_type, item.branch) == ("臺灣史 1 : 增訂", "王堃", "dvd", "main")
    assert [feed_items(town)[id_].work for id_ in ("M1", "M2", "M3")] == ["TW-LIB:0000123", "TW-LIB:0000123", ""]


def test_a_csv_names_the_work_that_copies_share(town: Any, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("id,title,work\nW1,書,w\nW2,書,w\nW3,別的,\n")
    assert take_items(town, file).applied
    assert [feed_items(town)[id_].work for id_ in ("W1", "W2", "W3")] == ["w", "w", ""]


def test_a_column_that_a_file_does_not_have_changes_nothing_and_an_empty_cell_empties(
    town: Any, tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    file.write_text(
        "id,title,author,item_type,branch,state,desk_only,desensitise,work\n"
        "K1,書,作者,dvd,main,missing,1,1,w\n"
        "K2,書,作者,dvd,main,missing,1,1,w\n"
    )
    assert take_items(town, file).changed == 2
    before = feed_items(town)["K1"]
    file.write_text("id,title\nK1,新名\n")
    assert take_items(town, file).changed == 1
    assert feed_items(town)["K1"] == msgspec.structs.replace(before, title="新名")
    file.write_text("id,title,author,item_type,branch,state,desk_only,desensitise,work\nK2,書,,,,,,,\n")
    assert take_items(town, file).changed == 1
    assert feed_items(town)["K2"] == ItemEntry(id="K2", title="書", branch="main")


def test_a_file_without_branches_moves_no_item_and_says_where_new_ones_stand(town: Any, tmp_path: Path) -> None:
    with town.central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east", name="東區分館"))
        change.items([ItemEntry(id="E1", title="書", branch="east")])
    file = tmp_path / "items.csv"
    file.write_text("id,title\nE1,新名\nE2,新書\n")
    with closing(RowReport(file.with_suffix(".report"))) as report:
        lines = read_items(file, MarcPlaces(), "")
        done = town.central.imports.items("nowhere", lines, report, quiet, skip_bad=True)
    assert (done.good, bad_rows(file)) == (1, [("3", "branch", "")])
    assert take_items(town, file).applied
    assert {id_: feed_items(town)[id_].branch for id_ in ("E1", "E2")} == {"E1": "east", "E2": "main"}


@pytest.mark.parametrize("write", [binary, xml])
def test_marc_changes_nothing_of_which_it_does_not_speak(
    town: Any, tmp_path: Path, write: Callable[[Path, list[pymarc.Record]], Path]
) -> None:
    with town.central.registry.change("test") as change:
        change.items(
            [
                ItemEntry(id=id_, title="舊", branch="main", state=ItemState.MISSING, desk_only=True, work="kept")
                for id_ in ("M1", "M3")
            ]
        )
    take_items(town, write(tmp_path / "catalogue", marc()), skip_bad=True)
    one, three = feed_items(town)["M1"], feed_items(town)["M3"]
    assert (one.title, one.work) == ("臺灣史 1 : 增訂", "TW-LIB:0000123")
    assert (three.title, three.work) == ("臺灣史 3 : 增訂", "kept")  # its record has no control number
    assert (three.state, three.desk_only) == (ItemState.MISSING, True)


def test_a_hold_stays_on_its_work_when_its_item_is_imported_without_works(town: Any, tmp_path: Path) -> None:
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=id_, title="書", branch="main", work="w") for id_ in ("A1", "A2")])
    town.say(Word.FACT, "h", deed=Deed.PLACE_HOLD, membership="ben", item="A1")
    file = tmp_path / "items.csv"
    file.write_text("id,title\nA1,書(二版)\nA2,書(二版)\n")
    assert take_items(town, file).applied
    town.say(Word.FACT, "r", deed=Deed.RETURN, item="A2", minute=1, hold="h")
    assert [line.copy for line in town.central.holds.list()] == ["A2"]


def test_a_patron_keeps_what_a_file_does_not_speak_of(town: Any, tmp_path: Path) -> None:
    file = tmp_path / "patrons.csv"
    columns = "id,name,category,standing,expires_on,suspended_until,holds_suspended_until,owed,easycard\n"
    file.write_text(columns + "fay,新人,adult,blocked,2027-12-31,2027-01-02,2027-01-03,20,99887766\n")
    assert take_patrons(town, file).changed == 1
    file.write_text("id,name,category\nfay,新人,child\n")
    assert take_patrons(town, file).changed == 1
    told = town.central.feed.page(None, b"", "").entries
    fay = next(one for one in told if isinstance(one, MembershipEntry) and one.id == "fay")
    assert (fay.category, fay.standing, fay.owed) == ("child", Standing.BLOCKED, 20)
    assert [str(day) for day in (fay.expires_on, fay.suspended_until, fay.holds_suspended_until)] == [
        "2027-12-31", "2027-01-02", "2027-01-03",
    ]  # fmt: skip
    file.write_text(columns + "fay,新人,child,,,,,,\n")
    assert take_patrons(town, file).changed == 1
    told = town.central.feed.page(None, b"", "").entries
    fay = next(one for one in told if isinstance(one, MembershipEntry) and one.id == "fay")
    assert (fay.standing, fay.owed, fay.expires_on, fay.suspended_until) == (Standing.ACTIVE, 0, None, None)
    assert [one.membership for one in told if isinstance(one, CardEntry)].count("fay") == 1  # cards stay bound


def test_files_that_are_something_else_are_refused_whole(tmp_path: Path) -> None:
    for name, content in {
        "a.csv": b"id,title,mood\n", "b.csv": b"title\n", "c.csv": b"\xff\xfe", "d.xml": b"<html>", "e.pdf": b"",
        "f.csv": b'id,title\nA,"open', "g.mrc": b"nonsense that is no record" * 9,
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadFile):
            list(read_items(tmp_path / name, MarcPlaces(), "main"))


def test_patrons_come_with_cards_and_only_differences_reach_the_feed(town: Any, tmp_path: Path) -> None:
    file = tmp_path / "patrons.csv"
    file.write_text(
        "id,name,category,standing,expires_on,owed,easycard\n"
        "ann,王小明,adult,,,,1A2B3C4D\n"
        "fay,新人,adult,active,2027-12-31,20,99887766\n"
        "gus,重複,adult,active,,,99887766\n"
        "hal,錯誤,adult,alive,31/12/2027,-5,\n"
    )
    head = town.central.feed.head()
    assert not take_patrons(town, file).applied
    assert bad_rows(file) == [
        ("4", "easycard", "card 99887766"), ("5", "standing", "alive"), ("5", "expires_on", "31/12/2027"),
        ("5", "owed", "-5"),
    ]  # fmt: skip
    assert (tmp_path / "patrons.report").stat().st_mode & 0o777 == 0o600
    done = take_patrons(town, file, skip_bad=True)
    assert (done.good, done.changed, town.central.feed.head()) == (2, 1, head + 2)
    assert town.say(Word.REQUEST, "a", membership="fay").reason is not None


def cards(town: Any) -> dict[str, str]:
    """Number: the membership that it opens."""
    card = tables.card.c
    with town.central.database.read() as connection:
        rows = connection.execute(select(card.number, card.membership).where(card.active == 1))
        return {row.number: row.membership for row in rows}


@pytest.fixture
def patrons(tmp_path: Path) -> Callable[[str], Path]:
    def write(rows: str) -> Path:
        file = tmp_path / "patrons.csv"
        file.write_text("id,name,category,easycard,barcode\n" + rows, encoding="utf-8")
        return file

    return write


def test_a_card_of_another_membership_is_not_moved_and_becomes_a_case(
    town: Any, patrons: Callable[[str], Path], tmp_path: Path
) -> None:
    before = cards(town)
    file = patrons("zoe,新人,adult,1A2B3C4D,\nyan,好人,adult,77777777,\n")
    preview = take_patrons(town, file, preview=True)
    assert (preview.good, preview.bad, preview.cases, town.cases()) == (1, 1, 0, set())
    refused = take_patrons(town, file)
    assert (refused.good, refused.bad, refused.cases, refused.applied) == (1, 1, 1, False)
    assert bad_rows(file) == [("2", "easycard", "1A2B3C4D")]
    assert (cards(town), town.cases()) == (before, {"card_bound_to_another:ann:zoe:easycard"})
    done = take_patrons(town, file, skip_bad=True)
    assert (done.good, done.changed, done.applied) == (1, 1, True)
    assert cards(town) == before | {"77777777": "yan"}
    assert town.say(Word.REQUEST, "a", membership="zoe").reason is Reason.MEMBERSHIP_UNKNOWN
    (case,) = town.central.worklist.find(Wanted(within=frozenset({EVERYWHERE})))
    assert (case.membership, case.details, case.advice) == (
        "zoe", {"other": "ann", "kind": "easycard"}, Advice.FIND_CARD_HOLDER,
    )  # fmt: skip
    assert "1A2B3C4D" not in repr(case)


@pytest.mark.parametrize("order", [1, -1], ids=["taken first", "given up first"])
def test_a_file_that_gives_the_holder_another_card_frees_the_old_one(
    town: Any, patrons: Callable[[str], Path], order: int
) -> None:
    rows = ["zoe,新人,adult,1A2B3C4D,\n", "ann,王小明,adult,55555555,\n"]
    done = take_patrons(town, patrons("".join(rows[::order])))
    assert (done.good, done.bad, done.cases, done.applied, done.changed) == (2, 0, 0, True, 2)
    assert {number: cards(town)[number] for number in ("1A2B3C4D", "55555555")} == {
        "1A2B3C4D": "zoe", "55555555": "ann",
    }  # fmt: skip


@pytest.mark.parametrize("order", [1, -1])
def test_two_that_change_cards_with_each_other_may_and_a_chain_that_nobody_ends_may_not(
    town: Any, patrons: Callable[[str], Path], order: int
) -> None:
    assert take_patrons(town, patrons("ben,歐陽小華,adult,22222222,\neve,林夏娃,adult,33333333,\n")).applied
    rows = ["ann,王小明,adult,22222222,\n", "ben,歐陽小華,adult,1A2B3C4D,\n"]
    assert take_patrons(town, patrons("".join(rows[::order]))).applied
    assert [cards(town)[number] for number in ("22222222", "1A2B3C4D")] == ["ann", "ben"]
    # Ben would give his to Zoe and take Eve's; Eve keeps hers, so neither of the two rows may count.
    before = cards(town)
    chain = ["zoe,新人,adult,1A2B3C4D,\n", "ben,歐陽小華,adult,33333333,\n"]
    refused = take_patrons(town, patrons("".join(chain[::order])), skip_bad=True)
    assert (refused.good, refused.bad, refused.cases, cards(town)) == (0, 2, 2, before)


def test_a_card_that_was_bound_elsewhere_while_the_import_ran_is_not_moved_either(
    town: Any, patrons: Callable[[str], Path], tmp_path: Path
) -> None:
    def meanwhile(phase: str, done: int, total: int | None) -> None:
        if phase == "checking":
            with town.central.registry.change("desk") as change:
                change.bind_card("ben", CardKind.IPASS, "88888888")

    file = patrons("zoe,新人,adult,88888888,\n")
    with closing(RowReport(tmp_path / "report")) as report:
        done = town.central.imports.patrons(digest_of(file, "x"), read_patrons(file), report, meanwhile)
    assert (done.applied, done.changed, cards(town)["88888888"]) == (True, 0, "ben")
    assert town.cases() == {"card_bound_to_another:ben:zoe:easycard"}


def test_a_card_of_another_membership_is_not_bound_by_hand_either_before_a_person_has_looked(town: Any) -> None:
    place = ["--data", str(town.settings.data)]
    if town.settings.database is not None:
        place += ["--database", town.settings.database]
    before = cards(town)
    refused = run("bind-card", *place, "ben", "easycard", "--number", "1A2B3C4D")
    assert (refused.exit_code, "opens ann" in refused.output, "1A2B3C4D" in refused.output) == (1, True, False)
    assert (cards(town), town.cases()) == (before, {"card_bound_to_another:ann:ben:easycard"})
    assert run("bind-card", *place, "ben", "easycard", "--number", "1A2B3C4D", "--take").exit_code == 0
    assert cards(town)["1A2B3C4D"] == "ben"
    (line,) = town.central.audit.lines(what="card bound")
    assert (line.subject, line.details) == ("ben", {"kind": "easycard", "taken_from": "ann"})


def test_a_case_of_a_card_that_a_person_has_closed_stays_closed(town: Any, patrons: Callable[[str], Path]) -> None:
    file = patrons("zoe,新人,adult,1A2B3C4D,\n")
    take_patrons(town, file)
    (case,) = town.cases()
    town.central.worklist.done(case, "查過了", who="chen", within=frozenset({EVERYWHERE}))
    assert take_patrons(town, file).cases == 1
    assert town.cases() == set()


def test_a_blocked_patron_and_a_moved_card_reach_the_feed_while_an_import_runs(town: Any, catalogue: Path) -> None:
    cursor = town.central.feed.page(None, b"", "").cursor
    heard: list[tuple[int, set[str]]] = []

    def meanwhile(phase: str, done: int, total: int | None) -> None:
        if phase == "applying" and done == APPLY:
            with town.central.registry.change("desk") as change:
                change.stand("ann", Standing.BLOCKED)
                change.bind_card("ben", CardKind.EASYCARD, "1A2B3C4D", take=True)
            page = town.central.feed.page(cursor, b"", "")
            entries = [*page.entries, *town.central.feed.page(page.cursor, b"", "").entries]
            blocked = {
                one.id for one in entries if isinstance(one, MembershipEntry) and one.standing is Standing.BLOCKED
            }
            cards = {one.membership for one in entries if isinstance(one, CardEntry)}
            heard.append((done, blocked | cards))

    take_items(town, catalogue, meanwhile)
    assert heard == [(APPLY, {"ann", "ben"})]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(central_command, list(arguments))


def test_the_command_line_imports_exports_and_says_how_central_is(town: Any, catalogue: Path, tmp_path: Path) -> None:
    place = ["--data", str(town.settings.data)]
    if town.settings.database is not None:
        place += ["--database", town.settings.database]
    told = run("import-items", *place, str(catalogue), "--preview", "--json")
    assert (told.exit_code, json.loads(told.output)["applied"]) == (0, False)
    told = run("import-items", *place, str(catalogue), "--json")
    assert (told.exit_code, json.loads(told.output)["changed"]) == (0, 3 * APPLY + 7)
    assert "before" in run("import-items", *place, str(catalogue)).output
    assert (tmp_path / "items.csv.report.csv").exists()
    (tmp_path / "p.csv").write_text("id,name,category\nzoe,,adult\n")
    assert run("import-patrons", *place, str(tmp_path / "p.csv")).exit_code == 1
    (tmp_path / "p.csv").write_text("mood\n")
    assert run("import-patrons", *place, str(tmp_path / "p.csv")).exit_code == 2
    town.say(Word.FACT, "a")
    assert run("export", *place, str(tmp_path / "out"), "--json").exit_code == 0
    files = {path.stem for path in (tmp_path / "out").iterdir()}
    assert {"item", "membership", "person", "card", "loan", "act", "word", "case", "audit", "kiosk"} <= files
    assert not files & {"enrolment_code", "import_row"}
    with (tmp_path / "out" / "loan.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["act"], row["membership"]) for row in csv.DictReader(file)] == [("a", "ann")]
    assert "index_salt" not in (tmp_path / "out" / "kiosk.csv").read_text()
    assert run("export", *place, str(tmp_path / "out")).exit_code == 1
    assert run("key", "copy", *place, str(tmp_path / "copy.key")).exit_code == 0
    told = run("doctor", *place, "--json")
    assert told.exit_code == 1
    lacks = {row["check"]: row["mend"] for row in json.loads(told.output) if not row["ok"]}
    assert lacks.keys() == {"branches", "holidays", "administrator", "TLS", "backup"}
    assert all(lacks.values())
    town.central.fleet.enrol(town.central.fleet.make_code("main"), b"\1" * 32)
    assert run("doctor", *place).exit_code == 1
