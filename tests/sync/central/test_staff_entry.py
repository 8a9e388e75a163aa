"""A kiosk's staff page as central sees it: asked online, and told of every try by the kiosk's own log."""

from typing import Any

import msgspec

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.staff import EVERYWHERE, TRY_RULE, Entry, Grant, Role, branch_scope
from sync.wire import CalendarEntry, StaffAsk, StaffTold

PASSWORD = "correct horse"


def told(caller: Any, login: str, password: str = PASSWORD) -> Entry:
    answer = caller.call("POST", "/v1/staff-entry", StaffAsk(login=login, password=password))
    return msgspec.json.decode(answer.content, type=StaffTold).entry


def test_central_lets_in_whoever_may_open_a_kiosk_at_its_branch(town: Any, caller: Any) -> None:
    with town.central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east"))
    for login, one in (
        ("chen", Grant(Role.CIRCULATION, branch_scope("main"))),
        ("east", Grant(Role.CIRCULATION, branch_scope("east"))),
        ("reads", Grant(Role.AUDITOR, EVERYWHERE)),
    ):
        town.central.staff.add(login, PASSWORD, [one], who="test")
    assert told(caller, "Chen") is Entry.OK
    assert {told(caller, login) for login in ("east", "reads", "nobody")} == {Entry.WRONG}
    assert [told(caller, "chen", "wrong") for _ in range(TRY_RULE.tries)] == [Entry.WRONG] * TRY_RULE.tries
    assert told(caller, "chen") is Entry.LOCKED
    assert town.central.audit.lines(what="kiosk staff entry") == []  # by the kiosk's log only


def entry(town: Any, act: str, **more: Any) -> Any:
    return town.word(Word.FACT, act, membership=None, **{"deed": Deed.STAFF_ENTRY, "item": "", **more})


def test_every_try_is_one_line_of_the_audit_however_often_it_is_told(town: Any) -> None:
    words = [entry(town, "t1", staff="s-1", entry=Entry.OK), entry(town, "t2", entry=Entry.WRONG, minute=1)]
    for _ in range(2):
        assert [verdict.outcome for verdict in town.tell(*words)] == [Outcome.ACCEPTED] * 2
    lines = town.central.audit.lines(what="kiosk staff entry")
    assert [(line.who, line.subject, line.details["entry"]) for line in reversed(lines)] == [
        ("s-1", "main-1", "ok"),
        ("unknown", "main-1", "wrong"),
    ]
    assert town.cases() == set()
    assert town.central.inbox.held_through("main-1", "log-1") == 2


def test_a_clock_that_staff_confirmed_is_a_line_of_the_audit(town: Any) -> None:
    said = entry(town, "t1", deed=Deed.CLOCK_CONFIRMED, staff="s-1")
    assert [verdict.outcome for verdict in town.tell(said, said)] == [Outcome.ACCEPTED] * 2
    (line,) = town.central.audit.lines(what="kiosk clock confirmed")
    assert (line.who, line.subject, set(line.details)) == ("s-1", "main-1", {"at", "mode"})
    assert [one.outcome for one in town.tell(entry(town, "t2", deed=Deed.CLOCK_CONFIRMED))] == [Outcome.CASE]


def test_an_entry_that_makes_no_sense_is_a_case_and_holds_back_nobody(town: Any) -> None:
    said = town.tell(
        entry(town, "t1"),
        entry(town, "t2", entry=Entry.OK, item="C1"),
        town.word(Word.REQUEST, "t3", deed=Deed.STAFF_ENTRY, item="", membership=None, entry=Entry.OK),
        town.word(Word.FACT, "a"),
    )
    assert [one.outcome for one in said] == [Outcome.CASE, Outcome.CASE, Outcome.REFUSED, Outcome.ACCEPTED]
    assert town.central.audit.lines(what="kiosk staff entry") == []
