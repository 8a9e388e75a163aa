"""Acts as central stores them, and the statements that fetch what a batch of words touches.

The statements are built once, when the module is loaded: building one costs more than running it. Those on items,
memberships and logs lock their rows in key order where a database has row locks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam, literal_column, select

from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import Held, ItemEvent, is_unlinked
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, KioskId, MembershipId, Reason
from sync.central import tables
from sync.central.bulk import among, among_pairs
from sync.central.records import AnyRow, microseconds, moment
from sync.central.ruling import Unjudgeable


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAct:
    """A row of the act table."""

    id: ActId
    held: Held
    deed: Deed | None
    membership: MembershipId | None
    item: ItemId | None
    branch: str | None
    kiosk: KioskId
    incarnation: IncarnationId
    incarnation_row: int
    at: datetime | None
    sequence: int
    counts: bool
    due_at: datetime | None
    hold: ActId | None
    doubtful_from: datetime | None = None
    doubtful_until: datetime | None = None

    def event(self) -> ItemEvent:
        """As an event of its item; only for a row that counts."""
        if self.deed is None or self.at is None:
            raise Unjudgeable("a counting act has lost its contents")
        return ItemEvent(
            act_id=self.id,
            deed=self.deed,
            membership=self.membership,
            at=self.at,
            kiosk=self.kiosk,
            incarnation=self.incarnation,
            sequence=self.sequence,
            due_at=self.due_at,
            item=self.item or ItemId(""),
            branch=BranchId(self.branch or ""),
            hold=self.hold,
            doubtful_from=self.doubtful_from,
            doubtful_until=self.doubtful_until,
        )

    def row(self) -> dict[str, Any]:
        """For an upsert."""
        return {
            "id": self.id,
            "held": self.held.value,
            "counts": int(self.counts),
            "deed": None if self.deed is None else self.deed.value,
            "membership": self.membership,
            "item": self.item,
            "branch": self.branch,
            "at": _micros(self.at),
            "incarnation": self.incarnation_row,
            "sequence": self.sequence,
            "due_at": _micros(self.due_at),
            "doubtful_from": _micros(self.doubtful_from),
            "doubtful_until": _micros(self.doubtful_until),
            "hold": self.hold,
            "linked": int(self.membership is not None and not is_unlinked(self.membership)),
        }


@dataclass(frozen=True, slots=True)
class Log:
    """The incarnation that is speaking."""

    row: int
    kiosk: KioskId
    name: IncarnationId


COUNTS = tables.act.c.counts == literal_column("1")
"""Spelled out, so that a prepared statement finds the index of what counts."""
EPOCH = select(tables.meta.c.value).where(tables.meta.c.key == "epoch")
POLICIES = select(tables.policy.c.body)
POLICY = select(tables.policy.c.body).where(tables.policy.c.current == literal_column("1"))
_ACT = select(tables.act, tables.incarnation.c.kiosk, tables.incarnation.c.name.label("log")).join(
    tables.incarnation, tables.incarnation.c.id == tables.act.c.incarnation
)
ACT_ROWS = _ACT
"""Acts with their logs, to be narrowed down."""
ACTS = _ACT.where(among(tables.act.c.id))
EVENTS = _ACT.where(among(tables.act.c.item), COUNTS)
_SINCE = tables.quiet.c
_OLDEST: BindParameter[int] = bindparam("oldest", type_=BigInteger())
RECENT_EVENTS = _ACT.join(tables.quiet, _SINCE.item == tables.act.c.item).where(
    among(_SINCE.item), among(tables.act.c.item), tables.act.c.at >= _OLDEST, tables.act.c.at >= _SINCE.at, COUNTS
)
"""Since the cut of each item, with the return at which it is cut. Items and the `oldest` of their cuts are named besides, so
that whatever a planner thinks of tables that it has not counted yet, it reads little else."""
WORDS = select(tables.word).where(among(tables.word.c.act))
SPEAKERS = select(tables.word.c.incarnation, tables.word.c.sequence, tables.word.c.act, tables.word.c.word).where(
    among_pairs(tables.word.c.incarnation, tables.word.c.sequence)
)
BRANCHES = select(tables.branch).where(among(tables.branch.c.id))
ITEMS = select(tables.item).where(among(tables.item.c.id)).order_by(tables.item.c.id).with_for_update()
MEMBERSHIPS = (
    select(tables.membership).where(among(tables.membership.c.id)).order_by(tables.membership.c.id).with_for_update()
)
OPEN_LOANS = select(tables.loan).where(among(tables.loan.c.membership), tables.loan.c.ended_by.is_(None))
LOANS = select(tables.loan).where(among(tables.loan.c.item)).order_by(tables.loan.c.lent_at)
RECENT_LOANS = (
    select(tables.loan)
    .join(tables.quiet, _SINCE.item == tables.loan.c.item)
    .where(among(_SINCE.item), among(tables.loan.c.item))
    .where(tables.loan.c.lent_at > _OLDEST, tables.loan.c.lent_at > _SINCE.at)
    .order_by(tables.loan.c.lent_at)
)
OF_ONE_ITEM = (Reason.LENT_TO_TWO, Reason.ORDER_UNKNOWN)
"""Conflicts of two acts of one item; the others are of a work."""
_OF_TWO_ACTS = (*OF_ONE_ITEM, Reason.ITEM_RESERVED, Reason.HOLD_COPY_STRAY)
_CASE = tables.case.c
CONFLICTS = select(
    _CASE.id, _CASE.act, _CASE.other_act, _CASE.item, _CASE.reason, _CASE.closed_at, _CASE.closed_by, _CASE.closed_how
).where(among(_CASE.item), _CASE.other_act.is_not(None), _CASE.reason.in_([one.value for one in _OF_TWO_ACTS]))


def held_act(row: AnyRow) -> HeldAct:
    """From a row of ACTS or EVENTS."""
    return HeldAct(
        id=row.id,
        held=Held(row.held),
        deed=None if row.deed is None else Deed(row.deed),
        membership=row.membership,
        item=row.item,
        branch=row.branch,
        kiosk=row.kiosk,
        incarnation=row.log,
        incarnation_row=row.incarnation,
        at=_moment(row.at),
        sequence=row.sequence,
        counts=bool(row.counts),
        due_at=_moment(row.due_at),
        doubtful_from=_moment(row.doubtful_from),
        doubtful_until=_moment(row.doubtful_until),
        hold=None if row.hold is None else ActId(row.hold),
    )


def event_of(row: AnyRow) -> ItemEvent:
    """From a row of EVENTS, the short way: `held_act(row).event()`. Raises Unjudgeable."""
    deed, at = row.deed, row.at
    if deed is None or at is None:
        raise Unjudgeable("a counting act has lost its contents")
    return ItemEvent(
        act_id=row.id,
        deed=_DEEDS[deed],
        membership=row.membership,
        at=moment(at),
        kiosk=row.kiosk,
        incarnation=row.log,
        sequence=row.sequence,
        due_at=_moment(row.due_at),
        item=row.item,
        branch=BranchId(row.branch or ""),
        hold=row.hold,
        doubtful_from=_moment(row.doubtful_from),
        doubtful_until=_moment(row.doubtful_until),
    )


_DEEDS = {deed.value: deed for deed in Deed}


def _micros(at: datetime | None) -> int | None:
    return None if at is None else microseconds(at)


def _moment(us: int | None) -> datetime | None:
    return None if us is None else moment(us)
