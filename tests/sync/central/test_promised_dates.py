"""A fact keeps the date that it promised; one that no rule could ever have promised is a case (promise 3)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.values import Reason
from sync.wire import PolicyEntry, WireLoanRule, WirePatronRule

from .conftest import NOON


def due(days: int) -> datetime:
    return NOON + timedelta(days=days)


def rules(town: Any, version: str, loan_days: int) -> None:
    with town.central.registry.change("desk") as change:
        change.policy(
            PolicyEntry(
                policy_version=version,
                patron_rules=[WirePatronRule(category="*", quota=9)],
                loan_rules=[WireLoanRule(loan_days=loan_days, renewals=2)],
            )
        )


@pytest.mark.parametrize("deed", [Deed.CHECKOUT, Deed.RENEW])
def test_a_date_3000_days_ahead_stands_and_is_a_case(town: Any, deed: Deed) -> None:
    if deed is Deed.RENEW:
        town.say(Word.FACT, "lent", due_at=due(28))
    said = town.say(Word.FACT, "a", deed=deed, minute=5, due_at=due(3000))
    assert (said.outcome, said.reason, dict(said.details)) == (
        Outcome.CASE, Reason.PROMISED_TOO_LONG, {"days": 3000, "limit": 28},
    )  # fmt: skip
    (loan,) = town.central.holdings.open_loans()
    assert loan.due_at == due(3000)
    assert town.cases() == {"promised_too_long:a"}


@pytest.mark.parametrize("days", [28, 29, 50])
def test_a_date_that_a_calendar_or_a_clock_may_explain_is_no_case(town: Any, days: int) -> None:
    assert town.say(Word.FACT, "a", due_at=due(days)).outcome is Outcome.ACCEPTED


def test_what_an_earlier_policy_gave_is_no_case(town: Any) -> None:
    rules(town, "generous", 200)
    rules(town, "strict", 7)
    assert town.say(Word.FACT, "a", due_at=due(200)).outcome is Outcome.ACCEPTED
    assert town.say(Word.FACT, "b", item="C2", due_at=due(300)).reason is Reason.PROMISED_TOO_LONG


def test_an_accepted_request_that_is_told_again_with_such_a_date_is_a_case_too(town: Any) -> None:
    assert town.say(Word.REQUEST, "a").outcome is Outcome.ACCEPTED
    said = town.say(Word.FACT, "a", minute=1, due_at=due(3000))
    assert (said.outcome, said.reason) == (Outcome.CASE, Reason.PROMISED_TOO_LONG)
    assert town.cases() == {"promised_too_long:a"}


def test_how_long_a_returned_copy_is_kept_is_no_promise_of_a_loan(town: Any) -> None:
    said = town.say(Word.FACT, "r", deed=Deed.RETURN, due_at=due(3000))
    assert said.reason is not Reason.PROMISED_TOO_LONG
