"""May any rule have promised this date? A fact keeps the date it promised (promise 3); one that none could is for a person.

Asked by central of facts: a kiosk with a clock that ran far ahead, or a faulty one, may have promised anything.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from kiosk.domain.calendar import Calendar, days_left, due_at
from kiosk.domain.lending import Policy
from kiosk.domain.values import Reason, Refused

SLACK = timedelta(days=31)
"""For days that were closed by a calendar of then, and for a clock that was wrong by days."""


def longest_loan(policies: Iterable[Policy]) -> int | None:
    """The most days that a rule of these gives, for a loan or for a renewal; None without any rule."""
    return max((rule.loan_days for policy in policies for rule in policy.loan_rules), default=None)


def promised_too_long(due: datetime, at: datetime, longest: int | None, calendar: Calendar) -> Refused | None:
    """What is wrong with a date promised at this moment, where no rule gives more than `longest` days; None: nothing.

    A renewal never promises less than the loan had, and that was made before.
    """
    if longest is None or due <= due_at(at, longest, calendar) + SLACK:
        return None
    return Refused(Reason.PROMISED_TOO_LONG, {"days": days_left(due, at), "limit": longest})
