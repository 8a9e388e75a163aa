"""Rows of central's tables as values of the domain and entries of the wire, and back. Pure; any thread."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import Hold, HoldState
from kiosk.domain.journal import Outcome, Verdict, Word
from kiosk.domain.lending import Item, ItemState, Loan, Membership, Policy, Standing
from kiosk.domain.values import ActId, BranchId, Detail, ItemId, MembershipId, Reason, WorkId
from sync.wire import (
    CalendarEntry,
    HoldEntry,
    ItemEntry,
    LibraryEntry,
    LoanEntry,
    MembershipEntry,
    PolicyEntry,
    TermEntry,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

AnyRow = Row[Any]


def microseconds(moment: datetime) -> int:
    """UTC microseconds since 1970. Raises TypeError for a naive datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(us: int) -> datetime:
    """Aware UTC."""
    return _EPOCH + timedelta(microseconds=us)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def membership_of(row: AnyRow) -> Membership:
    """Without a name: no rule asks for it."""
    return Membership(
        id=MembershipId(row.id),
        category=row.category,
        standing=Standing(row.standing),
        expires_on=_day(row.expires_on),
        suspended_until=_day(row.suspended_until),
        owed=row.owed,
        holds_suspended_until=_day(row.holds_suspended_until),
    )


def membership_entry(row: AnyRow) -> MembershipEntry:
    """Row of membership joined with person; the name leaves central as its first character and ○ only."""
    return MembershipEntry(
        id=row.id,
        category=row.category,
        standing=Standing(row.standing),
        display_name=surname_only(row.name or ""),
        expires_on=_day(row.expires_on),
        suspended_until=_day(row.suspended_until),
        owed=row.owed,
        holds_suspended_until=_day(row.holds_suspended_until),
    )


_TWO_CHARACTER_SURNAMES = frozenset(("歐陽", "司馬", "諸葛", "上官", "司徒", "東方", "夏侯", "皇甫", "尉遲", "公孫"))


def surname_only(name: str) -> str:
    """王小明 → 王○; 歐陽小明 → 歐陽○; a Latin name keeps its first letter."""
    name = name.strip()
    if not name:
        return ""
    surname = name[:2] if len(name) > 2 and name[:2] in _TWO_CHARACTER_SURNAMES else name[0]
    return f"{surname}○"


def item_of(row: AnyRow) -> Item:
    """As the rules see it."""
    return Item(
        id=ItemId(row.id),
        title=row.title,
        author=row.author,
        item_type=row.item_type,
        branch=BranchId(row.branch),
        state=ItemState(row.state),
        desk_only=bool(row.desk_only),
        reserved_for=None if row.reserved_for is None else MembershipId(row.reserved_for),
        desensitise=bool(row.desensitise),
        work=WorkId(row.work),
        missing_since=None if row.missing_since is None else moment(row.missing_since),
    )


def item_entry(row: AnyRow) -> ItemEntry:
    """As the kiosk's replica holds it."""
    return ItemEntry(
        id=row.id,
        title=row.title,
        author=row.author,
        item_type=row.item_type,
        branch=row.branch,
        state=ItemState(row.state),
        desk_only=bool(row.desk_only),
        reserved_for=row.reserved_for,
        desensitise=bool(row.desensitise),
        work="" if row.work == row.id else row.work,
    )


def item_row(entry: ItemEntry, now: int) -> dict[str, Any]:
    """For an insert; `now`: when a missing one was recorded as such."""
    return msgspec.structs.asdict(entry) | {
        "missing_since": now if entry.state is ItemState.MISSING else None,
        "state": entry.state.value,
        "desk_only": int(entry.desk_only),
        "desensitise": int(entry.desensitise),
        "work": entry.work or entry.id,
    }


def loan_of(row: AnyRow) -> Loan:
    """An open loan."""
    return Loan(
        act_id=ActId(row.act),
        membership=MembershipId(row.membership),
        item=ItemId(row.item),
        lent_at=moment(row.lent_at),
        due_at=moment(row.due_at),
        renewals=row.renewals,
    )


def loan_entry(row: AnyRow) -> LoanEntry:
    """An open loan, as the feed tells it."""
    return LoanEntry(
        act=row.act,
        membership=row.membership,
        item=row.item,
        lent_at=moment(row.lent_at),
        due_at=moment(row.due_at),
        renewals=row.renewals,
    )


def hold_of(row: AnyRow) -> Hold:
    """Open or ended."""
    return Hold(
        id=ActId(row.id),
        membership=MembershipId(row.membership),
        asked=ItemId(row.asked),
        branch=BranchId(row.branch),
        placed_at=moment(row.placed_at),
        state=HoldState(row.state),
        item=None if row.item is None else ItemId(row.item),
        ready_until=None if row.ready_until is None else moment(row.ready_until),
        by=None if row.by_act is None else ActId(row.by_act),
        left=None if row.left_item is None else ItemId(row.left_item),
    )


def hold_row(hold: Hold, work: str) -> dict[str, Any]:
    """For an upsert."""
    return {
        "id": hold.id,
        "membership": hold.membership,
        "work": work,
        "asked": hold.asked,
        "branch": hold.branch,
        "placed_at": microseconds(hold.placed_at),
        "state": hold.state.value,
        "item": hold.item,
        "ready_until": None if hold.ready_until is None else microseconds(hold.ready_until),
        "by_act": hold.by,
        "left_item": hold.left,
    }


def hold_entry(row: AnyRow) -> HoldEntry:
    """An open hold, as the feed tells it."""
    return HoldEntry(
        id=row.id,
        membership=row.membership,
        work=row.work,
        asked=row.asked,
        branch=row.branch,
        placed_at=moment(row.placed_at),
        state=HoldState(row.state),
        item=row.item,
        ready_until=None if row.ready_until is None else moment(row.ready_until),
    )


def policy_entry(body: str) -> PolicyEntry:
    """From the policy table."""
    return msgspec.json.decode(body, type=PolicyEntry)


def policy_of(body: str) -> Policy:
    """As the rules use it."""
    return policy_entry(body).policy()


def calendar_entry(body: str) -> CalendarEntry:
    """From the branch table."""
    return msgspec.json.decode(body, type=CalendarEntry)


def calendar_of(body: str) -> Calendar:
    """As the rules use it."""
    return calendar_entry(body).calendar()


def library_entry(row: AnyRow) -> LibraryEntry:
    """As the feed tells it."""
    return LibraryEntry(code=row.code, name=row.name, kind=row.kind)


def term_entry(row: AnyRow) -> TermEntry:
    """As the feed tells it."""
    return TermEntry(key=row.key, zh=row.zh, en=row.en)


def body_of(entry: PolicyEntry | CalendarEntry) -> str:
    """For the policy and branch tables."""
    return msgspec.json.encode(entry).decode()


def details_text(details: Mapping[str, Detail]) -> str | None:
    """Compact; nothing for nothing."""
    return json.dumps(dict(details), ensure_ascii=False, separators=(",", ":")) if details else None


def details_of(text: str | None) -> dict[str, Detail]:
    """The other way."""
    return json.loads(text) if text else {}


def verdict_of(row: AnyRow) -> Verdict:
    """What was said once, from the word table."""
    return Verdict(
        act_id=ActId(row.act),
        word=Word(row.word),
        outcome=Outcome(row.outcome),
        reason=None if row.reason is None else Reason(row.reason),
        details=details_of(row.details),
        due_at=None if row.due_at is None else moment(row.due_at),
        epoch=row.epoch,
        position=row.position,
        hold=None if row.hold is None else ActId(row.hold),
    )
