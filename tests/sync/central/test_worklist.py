"""The work list: what waits, for whom, what to do about it, and that what one closed stays closed."""

import csv
import io
import json
from typing import Any

import pytest
from click.testing import CliRunner

from kiosk.domain.cases import Advice, advice
from kiosk.domain.journal import Deed, Word
from kiosk.domain.staff import EVERYWHERE, Grant, Role, branch_scope
from kiosk.domain.values import Reason
from kiosk.words import Language, sentences
from sync.central.places import UnknownRecord
from sync.central.ruling import NEEDS_PERSON
from sync.central.sheets import CASE_COLUMNS, cases_sheet, cell
from sync.central.worklist import NotYours, Order, Wanted
from ui.cli.central import central as central_command

ALL = frozenset({EVERYWHERE})
MAIN, EAST = frozenset({branch_scope("main")}), frozenset({branch_scope("east")})


@pytest.fixture
def busy(town: Any) -> Any:
    """Three cases: one item lent to two, a blocked reader, an unknown item."""
    town.clock.go(hours=1)
    town.say(Word.FACT, "b", membership="ben", minute=10)
    town.say(Word.FACT, "a", kiosk="main-2")
    town.clock.go(minutes=1)
    town.say(Word.FACT, "e", membership="eve", item="C2", minute=11)
    town.clock.go(minutes=1)
    town.say(Word.FACT, "=u", item="=NEW", minute=12)
    return town


def found(town: Any, within: Any = ALL, **more: Any) -> list[Any]:
    return town.central.worklist.find(Wanted(within=within, **more), names_within=ALL)


def test_every_reason_that_needs_a_person_has_advice_in_both_languages() -> None:
    for language in Language:
        assert {f"advice.{one}" for one in Advice} == {key for key in sentences(language) if key.startswith("advice.")}
    assert {advice(reason) for reason in NEEDS_PERSON} | {Advice.CHECK_KIOSK, Advice.FIND_CARD_HOLDER} == set(Advice)
    assert [one for one in NEEDS_PERSON if advice(one) is Advice.ASK_SUPPORT] == [Reason.CANNOT_BE_JUDGED]


def test_the_list_says_who_what_when_why_and_what_to_do(busy: Any) -> None:
    first, second, third = found(busy)
    assert (first.reason, first.advice, first.branch) == (Reason.LENT_TO_TWO, Advice.FIND_THE_ITEM, "main")
    assert (first.act, first.other_act, first.item, first.membership, first.name) == ("a", "b", "C1", "ann", "王○")
    assert (second.reason, second.advice) == (Reason.MEMBERSHIP_BLOCKED, Advice.SPEAK_TO_READER)
    assert third.advice is Advice.CATALOGUE_ITEM
    assert first.opened_at < second.opened_at < third.opened_at


def test_names_are_shown_only_where_they_may_be_seen(busy: Any) -> None:
    tasks = busy.central.worklist.find(Wanted(within=ALL), names_within=EAST)
    assert {task.name for task in tasks} == {None}


def test_a_place_sees_only_its_own_cases(busy: Any) -> None:
    assert len(found(busy, MAIN)) == 3
    assert found(busy, EAST) == []
    assert found(busy, frozenset()) == []


def test_the_list_is_filtered_sorted_and_cut(busy: Any) -> None:
    assert [task.act for task in found(busy, order=Order.NEWEST)] == ["=u", "e", "a"]
    assert [task.act for task in found(busy, reason=Reason.MEMBERSHIP_BLOCKED)] == ["e"]
    assert found(busy, branch="east") == []
    assert found(busy, branch="\0") == []
    assert [task.act for task in found(busy, offset=1, limit=1)] == ["e"]
    assert {order: len(found(busy, order=order)) for order in Order} == dict.fromkeys(Order, 3)


def test_somebody_takes_a_case_and_gives_it_back(busy: Any) -> None:
    worklist = busy.central.worklist
    chen = busy.central.staff.add("chen", "correct horse", [Grant(Role.CIRCULATION, branch_scope("main"))], who="t")
    reader = busy.central.staff.add("reader", "correct horse", [Grant(Role.AUDITOR, EVERYWHERE)], who="t")
    worklist.assign("lent_to_two:a:b", chen.id, who="s-1", within=MAIN)
    assert [task.act for task in found(busy, assignee=chen.id)] == ["a"]
    assert len(found(busy, assignee="")) == 2
    with pytest.raises(NotYours):
        worklist.assign("lent_to_two:a:b", reader.id, who="s-1", within=MAIN)
    with pytest.raises(UnknownRecord):
        worklist.assign("lent_to_two:a:b", "s-none\0", who="s-1", within=MAIN)
    worklist.assign("lent_to_two:a:b", None, who="s-1", within=MAIN)
    assert len(found(busy, assignee="")) == 3
    assert [line.what for line in busy.central.audit.lines(who="s-1")] == ["case assigned", "case assigned"]


def test_a_case_elsewhere_is_not_touched(busy: Any) -> None:
    for change in (
        lambda: busy.central.worklist.assign("lent_to_two:a:b", None, who="s-1", within=EAST),
        lambda: busy.central.worklist.done("lent_to_two:a:b", "", who="s-1", within=EAST),
    ):
        with pytest.raises(NotYours):
            change()
    assert len(found(busy)) == 3
    assert busy.central.audit.lines(who="s-1") == []


def test_a_case_is_closed_once_with_who_when_and_how_and_no_replay_opens_it(busy: Any) -> None:
    closed = busy.central.worklist.done("lent_to_two:a:b", "王先生\n已還書", who="s-1", within=MAIN)
    assert (closed.closed_by, closed.closed_how, closed.closed_at) == ("s-1", "王先生 已還書", busy.clock.now)
    with pytest.raises(UnknownRecord):
        busy.central.worklist.done("lent_to_two:a:b", "", who="s-2", within=MAIN)
    busy.say(Word.FACT, "r", deed=Deed.RETURN, minute=1, kiosk="main-3")  # between the two: no conflict any more
    busy.say(Word.FACT, "a", kiosk="main-2", sequence=1)
    assert "lent_to_two:a:b" not in busy.cases()
    assert "王先生" not in repr(busy.central.audit.lines())
    (kept,) = [task for task in found(busy, open_only=False) if task.reason is Reason.LENT_TO_TWO]
    assert (kept.closed_by, kept.closed_how) == ("s-1", "王先生 已還書")


def test_the_sheet_holds_no_formula(busy: Any) -> None:
    text = cases_sheet(found(busy), Language.ZH_TW)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == CASE_COLUMNS
    assert (rows[2]["item"], rows[2]["act"]) == ("'=NEW", "'=u")
    assert rows[0]["opened"] == "2026-11-24 13:00:00"
    assert all(value[:1] not in "=+-@\t\r\n" for row in rows for value in row.values() if value)
    assert [cell(one) for one in ("+1", "-1", "@x", "\t=1", None, 3)] == ["'+1", "'-1", "'@x", "'\t=1", "", 3]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_command_line_works_the_list(busy: Any, kind: str, tmp_path: Any) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(central_command, [*arguments, "--data", str(busy.settings.data)])

    busy.central.staff.add("chen", "correct horse", [Grant(Role.CIRCULATION, branch_scope("main"))], who="test")
    assert run("cases", "assign", "lent_to_two:a:b", "chen").exit_code == 0
    (row,) = json.loads(run("cases", "list", "--assignee", "chen", "--json").output)
    assert (row["case"], row["advice"]) == ("lent_to_two:a:b", "find_the_item")
    assert "請先查明書在誰手上" in run("cases", "list").output
    assert run("cases", "done", "lent_to_two:a:b", "--how", "在書架上").exit_code == 0
    assert run("cases", "done", "lent_to_two:a:b").exit_code == 2
    assert len(json.loads(run("cases", "list", "--json").output)) == 2
    file = tmp_path / "cases.csv"
    assert run("cases", "export", str(file), "--all", "--language", "en").exit_code == 0
    assert file.read_text(encoding="utf-8").count("lent_to_two:a:b") == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("cases", "export", str(file)).exit_code == 1
    assert run("audit", "export", str(tmp_path / "audit.csv"), "--what", "case closed").exit_code == 0
    assert "lent_to_two:a:b" in (tmp_path / "audit.csv").read_text(encoding="utf-8")
