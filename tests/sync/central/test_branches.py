"""Libraries, branches, calendars and words: entered, changed, closed, refused with what helps, and told to the kiosks (D6)."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from kiosk.domain.calendar import library_day
from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.staff import Grant, Role, Scope, ScopeKind, branch_scope
from kiosk.domain.values import Reason
from sync.central.branches import BadPlace, Differs, StillServed
from sync.central.calendars import OFFICE, Day
from sync.central.day_lists import DayList
from sync.central.fleet import CodeRefused
from sync.central.import_sources import BadFile
from sync.central.place_lists import read_branches, read_terms
from sync.central.places import ClosedBranch, UnknownRecord
from sync.central.policies import BadPolicy
from sync.central.terms import TermKind
from sync.wire import CalendarEntry, LibraryEntry, TermEntry, WireLoanRule, WirePatronRule

CITY = LibraryEntry(code="city", name="市立圖書館")
KEY = b"\1" * 32


@pytest.fixture
def office(town: Any) -> Any:
    town.central.branches.add_library(CITY, who="test")
    return town.central.branches


def told(town: Any, shape: type, cursor: str | None = None) -> list[Any]:
    """Entries of this shape in the feed."""
    page = town.central.feed.page(cursor, KEY, "main")
    return [entry for entry in page.entries if isinstance(entry, shape)]


def head(town: Any) -> str:
    page = town.central.feed.page(None, KEY, "main")
    assert not page.more
    return str(page.cursor)


def test_the_same_said_twice_changes_nothing_and_another_thing_waits_for_change(town: Any, office: Any) -> None:
    east = {"name": "東區分館", "library": "city", "who": "test"}
    assert office.add_branch("east", **east) == [
        "+ branch east (東區分館) of library city: " + "; ".join(
            f"{day} open, hours not known" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        )
    ]  # fmt: skip
    before = head(town)
    assert office.add_branch("east", **east) == []
    assert office.add_library(CITY, who="test") == []
    with pytest.raises(Differs, match="東區分館 -> 東分館"):
        office.add_branch("east", **{**east, "name": "東分館"})
    with pytest.raises(Differs, match="--change"):
        office.add_library(structs.replace(CITY, kind="agency"), who="test")
    assert head(town) == before, "no kiosk hears of what did not change"
    assert office.add_branch("east", **{**east, "name": "東分館"}, change=True) != []
    assert [entry.name for entry in told(town, CalendarEntry, before)] == ["東分館"]


@pytest.mark.parametrize("code", ["", "a b", "總館", "-x", "x" * 41, "all"])
def test_a_code_that_cannot_be_one_is_refused(office: Any, code: str) -> None:
    with pytest.raises(BadPlace):
        office.add_branch(code, name="某", library="city", who="test")


@pytest.mark.parametrize(
    "entry", [structs.replace(CITY, kind="shop"), structs.replace(CITY, name=""), structs.replace(CITY, name="a\nb")]
)
def test_a_library_of_a_kind_or_name_that_cannot_be_is_refused(office: Any, entry: LibraryEntry) -> None:
    with pytest.raises(BadPlace):
        office.add_library(entry, who="test", change=True)


def test_an_unknown_place_names_the_known_ones_and_the_command_that_adds_one(town: Any, office: Any) -> None:
    central = town.central
    for ask in (
        lambda: central.fleet.make_code("nowhere"),
        lambda: central.holds.place(membership="ann", item="C1", branch="nowhere"),
        lambda: central.staff.add("chen", "correct horse", [Grant(Role.CIRCULATION, branch_scope("nowhere"))], who="t"),
        lambda: office.set_hours(["nowhere"], {"mon": "closed"}, who="test"),
        lambda: office.close_branch("nowhere", who="test"),
    ):
        with pytest.raises(UnknownRecord, match=r"'nowhere': known are main; add one: shelfpoint central branch add"):
            ask()
    with pytest.raises(UnknownRecord, match=r"known are A01, city; add one: shelfpoint central library add"):
        office.add_branch("east", name="東", library="none", who="test")
    school = Grant(Role.SCHOOL_ADMINISTRATOR, Scope(ScopeKind.SCHOOL, "city"))
    with pytest.raises(UnknownRecord, match=r"school 'city': known are A01"):
        central.staff.add("lin", "correct horse", [school], who="test")
    assert central.staff.known("chen") is central.staff.known("lin") is None, "a refused login is not half made"


def test_many_known_places_are_not_all_read_out(town: Any, office: Any) -> None:
    for number in range(20):
        office.add_branch(f"b{number:02}", name="分館", library="city", who="test")
    with pytest.raises(UnknownRecord, match="b11 and 9 more"):
        town.central.fleet.make_code("nowhere")


def test_a_branch_with_kiosks_is_not_closed_and_one_without_takes_nothing_new(town: Any, office: Any) -> None:
    central = town.central
    office.add_branch("east", name="東區分館", library="city", who="test")
    kiosk = central.fleet.enrol(central.fleet.make_code("east"), KEY)
    town.say(Word.FACT, "lent", item="C1")
    with pytest.raises(StillServed, match=r"east-1; revoke each first \(`shelfpoint central revoke"):
        office.close_branch("east", who="test")
    central.fleet.revoke(kiosk.id)
    unused = central.fleet.make_code("east")
    assert office.close_branch("east", who="test") == ["~ branch east: closed for good"]
    with pytest.raises(CodeRefused):
        central.fleet.enrol(unused, KEY)
    for ask in (lambda: central.fleet.make_code("east"), lambda: office.close_branch("east", who="test")):
        with pytest.raises(ClosedBranch, match="--reopen"):
            ask()
    policy = structs.replace(
        central.registry.policy(), policy_version="h", patron_rules=[WirePatronRule(category="*", quota=9, holds=9)]
    )
    with central.registry.change("test") as change:
        change.policy(policy)
    asked = central.holds.place(membership="ben", item="C1", branch="east")
    assert (asked.outcome, asked.reason) == (Outcome.REFUSED, Reason.HOLD_BRANCH_CLOSED)
    assert central.holds.place(membership="ben", item="C1", branch="main").outcome.stands
    assert town.loans()["C1"] == ("lent", "ann"), "what is lent stays"
    (line,) = central.audit.lines(what="branch closed")
    assert line.subject == "east"
    assert office.add_branch("east", name="", library="", who="test", reopen=True) == ["~ branch east: open again"]
    assert central.fleet.make_code("east")


def test_a_late_fact_of_a_branch_that_has_closed_is_entered(town: Any, office: Any) -> None:
    office.add_branch("east", name="東區分館", library="city", who="test")
    office.close_branch("east", who="test")
    word = structs.replace(town.word(Word.FACT, "late"), branch="east")
    assert town.tell(word)[0].outcome is Outcome.ACCEPTED


def test_a_day_closed_everywhere_reaches_every_open_branch_in_one_line_each(town: Any, office: Any) -> None:
    office.add_branch("east", name="東區分館", library="city", who="test")
    office.add_branch("west", name="西區分館", library="city", who="test")
    office.close_branch("west", who="test")
    typhoon = Day(date(2026, 12, 22), open=False, reason="颱風")
    before = head(town)
    assert len(office.set_day(["all"], typhoon, who="test", preview=True)) == 2
    assert head(town) == before, "a preview changes nothing"
    assert office.set_day(["all"], typhoon, who="test") == [
        "+ branch east: 2026-12-22 closed (颱風)",
        "+ branch main: 2026-12-22 closed (颱風)",
    ]
    assert {entry.branch for entry in told(town, CalendarEntry, before)} == {"east", "main"}
    assert office.set_day(["all"], typhoon, who="test") == []
    assert [line.details for line in town.central.audit.lines(what="day closed")] == [{"day": "2026-12-22"}] * 2
    assert len(office.clear_day(["main", "main"], typhoon.day, who="test")) == 1


def test_a_change_of_the_calendar_moves_new_due_dates_and_never_shortens_a_promise(town: Any, office: Any) -> None:
    due = date(2026, 12, 22)  # 28 days after the Tuesday of the tests
    first = town.say(Word.REQUEST, "a", item="C1")
    assert library_day(first.due_at) == due
    office.set_day(["all"], Day(due, open=False, reason="颱風"), who="test")
    assert library_day(town.say(Word.REQUEST, "b", item="C2").due_at) == date(2026, 12, 23)
    promised = town.say(Word.FACT, "offline", item="C3", due_at=first.due_at)
    assert promised.due_at >= first.due_at
    office.clear_day(["all"], due, who="test")
    office.set_day(["all"], Day(date(2026, 12, 21), open=True), who="test")
    dues = {loan.item: library_day(loan.due_at) for loan in town.central.holdings.open_loans()}
    assert dues == {"C1": due, "C2": date(2026, 12, 23), "C3": date(2026, 12, 23)}
    renewed = town.say(Word.REQUEST, "renew", deed=Deed.RENEW, item="C2")
    assert library_day(renewed.due_at) == date(2026, 12, 23)


def test_a_list_of_days_is_taken_for_some_branches_and_again_without_a_trace(town: Any, office: Any) -> None:
    listed = DayList(
        source=OFFICE, encoding="utf-8", days=(Day(date(2027, 1, 1), open=False, reason="開國紀念日"),), weekend=(),
        first=date(2027, 1, 1), last=date(2027, 12, 31),
    )  # fmt: skip
    assert office.take_list(["main"], listed, who="test") == ["+ branch main: 2027-01-01 closed (開國紀念日)"]
    before = head(town)
    assert office.take_list(["all"], listed, who="test") == []
    assert head(town) == before


def test_rules_name_only_what_is_known(town: Any, office: Any) -> None:
    policy = structs.replace(
        town.central.registry.policy(),
        policy_version="next",
        patron_rules=[WirePatronRule(category="wizard", quota=1), WirePatronRule(category="*", quota=1)],
        loan_rules=[WireLoanRule(item_type="scroll", branch="tower", category="wizard", loan_days=1)],
    )

    def change() -> None:
        with town.central.registry.change("test") as own:
            own.policy(policy)

    with pytest.raises(BadPolicy) as refused:
        change()
    assert [problem.partition(":")[2].split(",")[0].strip() for problem in refused.value.problems] == [
        "key patron_rules.category: expected a known one",
        "key loan_rules.item_type: expected a known one",
        "key loan_rules.branch: expected a known one",
    ]
    assert "item-type add" in str(refused.value)
    assert town.central.registry.policy().policy_version == "test-1", "nothing was changed"
    office.add_term(TermKind.CATEGORY, "wizard", zh="巫師", en="Wizard", who="test")
    office.add_term(TermKind.ITEM_TYPE, "scroll", zh="卷軸", en="Scroll", who="test")
    office.add_branch("tower", name="塔", library="city", who="test")
    change()
    assert town.central.registry.policy().policy_version == "next"
    assert TermEntry(key="category:wizard", zh="巫師", en="Wizard") in told(town, TermEntry)


def test_a_word_is_entered_once_and_changed_only_when_told_so(office: Any) -> None:
    assert office.add_term(TermKind.CATEGORY, "adult", zh="成人", en="Adult", who="test", change=True) != []
    assert office.add_term(TermKind.CATEGORY, "adult", zh="成人", en="Adult", who="test") == []
    with pytest.raises(Differs):
        office.add_term(TermKind.CATEGORY, "adult", zh="大人", en="Adult", who="test")
    for code, zh in (("", "某"), ("a b", "某"), ("x", ""), ("a:b", "某")):
        with pytest.raises(BadPlace):
            office.add_term(TermKind.CATEGORY, code, zh=zh, en="Some", who="test")


def test_what_was_never_touched_is_as_before(town: Any) -> None:
    """A branch of an older database has no library, hours or notes."""
    assert [line.entry.branch for line in town.central.branches.all()] == ["main"]
    assert town.say(Word.REQUEST, "a").outcome is Outcome.ACCEPTED


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_a_file_of_branches_changes_what_differs_and_an_empty_cell_says_nothing(
    town: Any, office: Any, tmp_path: Path
) -> None:
    text = "branch,name,library,telephone,mon,tue\nmain,新總館,city,,closed,\neast,東區分館,city,04-1,,8:30-17:00\n\n"
    rows = read_branches(listed(tmp_path, text))
    before = head(town)
    told = office.take_branches(rows, who="test", preview=True)
    assert head(town) == before
    assert office.take_branches(rows, who="test") == told
    assert told[:2] == ["~ branch main: name: 總館 -> 新總館", "~ branch main: library: none -> city"]
    assert told[2].startswith(
        "+ branch east (東區分館) of library city: mon open, hours not known; tue 08:30-17:00; wed"
    )
    assert len(told) == 3
    assert office.take_branches(rows, who="test") == []
    assert office.named("east").telephone == "04-1"


def test_a_file_of_words_is_taken_whole_or_not_at_all(town: Any, office: Any, tmp_path: Path) -> None:
    rows = read_terms(listed(tmp_path, "code,zh,en\nadult,成人,Adult\nsenior,樂齡,Senior\n"))
    assert (
        office.take_terms(TermKind.CATEGORY, rows, who="test", preview=True)[-1] == "+ category senior (樂齡, Senior)"
    )
    assert "category:senior" not in {one.key for one in office.terms(TermKind.CATEGORY)}
    office.take_terms(TermKind.CATEGORY, rows, who="test")
    assert "category:senior" in {one.key for one in office.terms(TermKind.CATEGORY)}
    bad = read_terms(listed(tmp_path, "code,zh,en\nnew,新,New\nb c,x,x\n"))
    with pytest.raises(BadPlace):
        office.take_terms(TermKind.CATEGORY, bad, who="test")
    assert "category:new" not in {one.key for one in office.terms(TermKind.CATEGORY)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("branch\nmain\n", "line 1: expected branch, name"),
        ("branch,name,colour\n", "line 1"),
        ("branch,name\nmain\n", "line 2: expected 2 columns"),
        ("branch,name\nmain,a\nmain,b\n", "line 3: expected each branch once"),
        ("branch,name,mon\nmain,a,nine\neast,b,ten\n", "line 2: mon: .*\n.*line 3: mon"),
    ],
)
def test_a_wrong_row_of_a_list_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        read_branches(listed(tmp_path, text))
