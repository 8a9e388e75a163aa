"""Every change leaves a line that says who, what and of which subject."""

from typing import Any

import pytest

from kiosk.domain.identity import CardKind
from kiosk.domain.lending import Standing
from sync.central.terms import TermKind, term
from sync.wire import CalendarEntry, LibraryEntry, PolicyEntry, WireLoanRule, WirePatronRule

POLICY = PolicyEntry(
    policy_version="next",
    patron_rules=[WirePatronRule(category="*", quota=1)],
    loan_rules=[WireLoanRule(loan_days=7)],
)
CHANGES = {
    ("branch set", "east"): lambda change, central: change.branch(CalendarEntry(branch="east")),
    ("policy set", "next"): lambda change, central: change.policy(POLICY),
    ("card bound", "ann"): lambda change, central: change.bind_card("ann", CardKind.IPASS, "99"),
    ("membership set", "ann"): lambda change, central: change.stand("ann", Standing.BLOCKED),
    ("library set", "city"): lambda change, central: change.library(LibraryEntry(code="city", name="市立圖書館")),
    ("term set", "category:x"): lambda change, central: change.term(term(TermKind.CATEGORY, "x", "某", "Some")),
}


@pytest.mark.parametrize("said", CHANGES)
def test_a_change_of_the_records_is_audited_with_it(town: Any, said: tuple[str, str]) -> None:
    with town.central.registry.change("s-7") as change:
        CHANGES[said](change, town.central)
    assert said in [(line.what, line.subject) for line in town.central.audit.lines(who="s-7")]


def test_kiosks_and_people_come_and_go_with_a_line_each(town: Any, caller: Any) -> None:
    central = town.central
    central.fleet.make_code("main", who="s-7")
    central.fleet.revoke(caller.kiosk, who="s-7")
    central.retention.forget("ben", who="s-7")
    lines = central.audit.lines(who="s-7")
    assert [(line.what, line.subject) for line in reversed(lines)] == [
        ("enrolment code made", "main"), ("kiosk revoked", caller.kiosk), ("person forgotten", "ben"),
    ]  # fmt: skip
    central.renew_epoch()
    assert central.audit.lines(limit=1)[0].what == "epoch renewed"
    assert [line.who for line in central.audit.lines(what="kiosk enrolled")] == [caller.kiosk]


def test_the_audit_is_read_newest_first_by_time_and_number(town: Any) -> None:
    for minute in range(3):
        town.clock.go(minutes=minute)
        town.central.fleet.make_code("main", who="s-7")
    numbers = [line.number for line in town.central.audit.lines(who="s-7")]
    assert numbers == sorted(numbers, reverse=True)
    assert [line.number for line in town.central.audit.lines(who="s-7", before=numbers[0], limit=1)] == numbers[1:2]
    newest = town.central.audit.lines(who="s-7", since=town.clock.now)
    assert [line.number for line in newest] == numbers[:1]
    assert [line.number for line in town.central.audit.lines(who="s-7", until=town.clock.now)] == numbers[1:]
