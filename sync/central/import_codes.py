"""Which categories of readers and types of items the library knows, so that an import refuses what no rule would ever fit.

Asked by `imports` once for each file. They follow from the lending rules in force; before a library has set any, nothing can be
called unknown. Inside the caller's transaction.
"""

from sqlalchemy import Connection

from kiosk.domain.lending import ANY
from sync.central import stored
from sync.central.records import policy_of

EVERY = frozenset((ANY,))
"""Stands for whatever is written."""


def known_categories(connection: Connection) -> frozenset[str]:
    """Categories that a rule for readers names; with `ANY` among them every category is known."""
    body = connection.execute(stored.POLICY).scalar()
    return EVERY if body is None else frozenset(rule.category for rule in policy_of(body).patron_rules)


def known_item_types(connection: Connection) -> frozenset[str]:
    """Types that a rule for loans names; with `ANY` among them every type is known."""
    body = connection.execute(stored.POLICY).scalar()
    return EVERY if body is None else frozenset(rule.item_type for rule in policy_of(body).loan_rules)


def wrong_code(code: str, known: frozenset[str]) -> str | None:
    """What is expected in the place of an unknown one, with what to do; None for a known one."""
    if code in known or ANY in known:
        return None
    return f"one of {', '.join(sorted(known))}; else set a lending rule for it first"
