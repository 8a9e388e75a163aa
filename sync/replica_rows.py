"""One feed entry as a row of the replica. Pure."""

import json
from datetime import date
from typing import assert_never

import msgspec

from sync.act_rows import micros
from sync.wire import (
    CalendarEntry,
    CardEntry,
    HoldEntry,
    ItemEntry,
    LibraryEntry,
    LoanEntry,
    MembershipEntry,
    PolicyEntry,
    StaffEntry,
    StateEntry,
    TermEntry,
)

SqlValue = str | int | bytes | None


def row_of(entry: StateEntry, position: int) -> tuple[str, tuple[SqlValue, ...]]:
    """Table, and the row without its generation."""
    match entry:
        case MembershipEntry():
            return "membership", (
                entry.id,
                entry.category,
                entry.standing,
                entry.display_name,
                _day(entry.expires_on),
                _day(entry.suspended_until),
                entry.owed,
                _day(entry.holds_suspended_until),
            )
        case CardEntry():
            return "card", (bytes.fromhex(entry.index), entry.membership, entry.kind)
        case ItemEntry():
            return "item", (
                entry.id,
                entry.title,
                entry.author,
                entry.item_type,
                entry.branch,
                entry.state,
                int(entry.desk_only),
                entry.reserved_for,
                int(entry.desensitise),
                entry.work or entry.id,
            )
        case LoanEntry():
            return "loan", (
                entry.act,
                entry.membership,
                entry.item,
                micros(entry.lent_at),
                micros(entry.due_at),
                entry.renewals,
            )
        case HoldEntry():
            return "hold", (
                entry.id,
                entry.membership,
                entry.work,
                entry.asked,
                entry.branch,
                micros(entry.placed_at),
                entry.state,
                entry.item,
                micros(entry.ready_until),
            )
        case CalendarEntry():
            return "calendar", (entry.branch, msgspec.json.encode(entry))
        case PolicyEntry():
            return "policy", (entry.policy_version, msgspec.json.encode(entry), position)
        case StaffEntry():
            grants = json.dumps([[grant.role, grant.scope] for grant in entry.grants])
            return "staff", (entry.id, bytes.fromhex(entry.index), entry.verifier, grants)
        case LibraryEntry():
            return "library", (entry.code, msgspec.json.encode(entry))
        case TermEntry():
            return "term", (entry.key, entry.zh, entry.en)
        case _ as never:
            assert_never(never)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
