"""A row of the acts file as a word and its verdict, and back: which columns there are, and how times are kept.

Times are whole microseconds since 1970 (UTC), spans whole milliseconds; ids and enums are their text.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import cast

from kiosk.domain.clock import Reading
from kiosk.domain.journal import Act, Deed, Mode, Outcome, Spoken, Verdict, Word
from kiosk.domain.staff import Entry, StaffId
from kiosk.domain.values import ActId, BranchId, CardId, ItemId, MembershipId, Reason

_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
COLUMNS = (
    "sequence, act, word, deed, membership, item, branch, happened_at, clock_offset_ms, mode, replica_age_ms, "
    "policy_version, due_at, request_sequence, heard_at, doubtful, boot, ticks_ms, outcome, reason, details, verdict_due_at, "
    "epoch, position, hold, staff, entry, card, sealed"
)


def spoken_of(row: Sequence[object]) -> Spoken:
    """A return also says what central told of it: the copy stands on that shelf, and is told so again after a restore."""
    (sequence, act, word, deed, membership, item, branch, happened, offset, mode, age, policy, due, request) = cast(
        "tuple[int, str, str, str, str | None, str, str, int, int | None, str, int | None, str | None, int | None, "
        "int | None]",
        tuple(row[:14]),
    )
    hold, told_due = cast("tuple[str | None, int | None]", (row[24], row[21]))
    staff, entry, card = cast("tuple[str | None, str | None, str | None]", tuple(row[25:28]))
    if deed == Deed.RETURN:
        due = due if due is not None else told_due
    heard, doubtful, boot, ticks = cast("tuple[int | None, int, str | None, int | None]", tuple(row[14:18]))
    return Spoken(
        sequence=sequence,
        word=Word(word),
        request_sequence=request,
        act=Act(
            id=ActId(act),
            deed=Deed(deed),
            membership=None if membership is None else MembershipId(membership),
            item=ItemId(item),
            branch=BranchId(branch),
            happened_at=moment(happened),
            clock_offset=None if offset is None else timedelta(milliseconds=offset),
            mode=Mode(mode),
            replica_age=None if age is None else timedelta(milliseconds=age),
            card=None if card is None else CardId(card),
            sealed=cast("bytes | None", row[28]),
            policy_version=policy,
            due_at=None if due is None else moment(due),
            hold=None if hold is None else ActId(hold),
            heard_at=None if heard is None else moment(heard),
            doubtful=bool(doubtful),
            reading=None if boot is None or ticks is None else Reading(boot, ticks / 1000),
            staff=None if staff is None else StaffId(staff),
            entry=None if entry is None else Entry(entry),
        ),
    )


def verdict_of(row: Sequence[object]) -> Verdict | None:
    act, word = str(row[1]), str(row[2])
    outcome, reason, details, due, epoch, position = cast(
        "tuple[str | None, str | None, str | None, int | None, str | None, int | None]", tuple(row[18:24])
    )
    hold = cast("str | None", row[24])
    if outcome is None:
        return None
    return Verdict(
        act_id=ActId(act),
        word=Word(word),
        outcome=Outcome(outcome),
        reason=None if reason is None else Reason(reason),
        details=MappingProxyType(json.loads(details) if details else {}),
        due_at=None if due is None else moment(due),
        epoch=epoch or "",
        position=position or 0,
        hold=None if hold is None else ActId(hold),
    )


def moment(micros: int) -> datetime:
    return _EPOCH_START + timedelta(microseconds=micros)


def micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH_START) // _MICROSECOND


def millis(span: timedelta | None) -> int | None:
    return None if span is None else round(span / timedelta(milliseconds=1))


def as_promised(act: Act, verdict: Verdict | None) -> Act:
    """The act with the due date that the patron was told."""
    if verdict is None or verdict.due_at is None:
        return act
    return replace(act, due_at=verdict.due_at)
