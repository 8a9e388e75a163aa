"""Acts as central stores them, and the statements that fetch what a batch of words touches.

The statements are built once, when the module is loaded: building one costs more than running it. Those on items,
memberships and logs lock their rows in key order where a database has row locks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, insert, select

from kiosk.domain.journal import Deed
from kiosk.domain.reconcile import Held, ItemEvent
from kiosk.domain.values import ActId, IncarnationId, ItemId, KioskId, MembershipId, Reason
from sync.central import tables
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
            "at": None if self.at is None else microseconds(self.at),
            "incarnation": self.incarnation_row,
            "sequence": self.sequence,
            "due_at": None if self.due_at is None else microseconds(self.due_at),
        }


@dataclass(frozen=True, slots=True)
class Log:
    """The incarnation that is speaking."""

    row: int
    kiosk: KioskId
    name: IncarnationId


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
EPOCH = select(tables.meta.c.value).where(tables.meta.c.key == "epoch")
POLICY = select(tables.policy.c.body).where(tables.policy.c.current == 1)
_ACT = select(tables.act, tables.incarnation.c.kiosk, tables.incarnation.c.name.label("log")).join(
    tables.incarnation, tables.incarnation.c.id == tables.act.c.incarnation
)
ACTS = _ACT.where(tables.act.c.id.in_(_IDS))
EVENTS = _ACT.where(tables.act.c.item.in_(_IDS), tables.act.c.counts == 1)
WORDS = select(tables.word).where(tables.word.c.act.in_(_IDS))
SPEAKERS = select(tables.word.c.incarnation, tables.word.c.sequence, tables.word.c.act, tables.word.c.word).where(
    tables.word.c.incarnation.in_(bindparam("logs", expanding=True)), tables.word.c.sequence.in_(_IDS)
)
BRANCHES = select(tables.branch).where(tables.branch.c.id.in_(_IDS))
ITEMS = select(tables.item).where(tables.item.c.id.in_(_IDS)).order_by(tables.item.c.id).with_for_update()
MEMBERSHIPS = (
    select(tables.membership).where(tables.membership.c.id.in_(_IDS)).order_by(tables.membership.c.id).with_for_update()
)
OPEN_LOANS = select(tables.loan).where(tables.loan.c.membership.in_(_IDS), tables.loan.c.ended_by.is_(None))
LOANS = select(tables.loan).where(tables.loan.c.item.in_(_IDS)).order_by(tables.loan.c.lent_at)
CONFLICTS = select(tables.case.c.id, tables.case.c.item, tables.case.c.closed_by).where(
    tables.case.c.item.in_(_IDS), tables.case.c.reason == Reason.LENT_TO_TWO.value
)
NEW_WORDS = insert(tables.word)


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
        at=None if row.at is None else moment(row.at),
        sequence=row.sequence,
        counts=bool(row.counts),
        due_at=None if row.due_at is None else moment(row.due_at),
    )
