"""What central holds, to be looked at: open loans, acts, and the cases that wait for a person. Any thread; blocking."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from kiosk.domain.lending import Loan
from kiosk.domain.reconcile import Held
from kiosk.domain.values import Reason
from sync.central import tables
from sync.central.database import Database
from sync.central.records import details_of, loan_of, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something that a person must look at."""

    id: str
    """The same for the same conflict."""
    reason: Reason
    """Why."""
    act: str
    """The act it is about; of two in conflict, the earlier."""
    other_act: str | None
    """The later one."""
    item: str | None
    """Which item."""
    membership: str | None
    """Whose, by opaque id."""
    kiosk: str | None
    """Whose word brought it up."""
    details: dict[str, str | int]
    """For the reason's sentence."""
    opened_at: datetime
    """When central found out."""
    closed_at: datetime | None
    """None while open."""
    closed_by: str | None
    """A person, `settled` when later acts explained it, `central` when it saw the end of it."""
    closed_how: str | None = None
    """In the words of who closed it."""


class Holdings:
    """Reads loans, acts and cases; the work list of the cases is `worklist`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_loans(self, *, membership: str | None = None, item: str | None = None) -> list[Loan]:
        """Of everybody, one membership or one item; oldest first."""
        loan = tables.loan.c
        query = select(tables.loan).where(loan.ended_by.is_(None)).order_by(loan.lent_at, loan.act)
        if membership is not None:
            query = query.where(loan.membership == membership)
        if item is not None:
            query = query.where(loan.item == item)
        with self._database.read() as connection:
            return [loan_of(row) for row in connection.execute(query)]

    def loan_acts(self, *, item: str) -> list[str]:
        """Checkouts of an item that count, open or ended, oldest first."""
        loan = tables.loan.c
        with self._database.read() as connection:
            query = select(loan.act).where(loan.item == item).order_by(loan.lent_at, loan.act)
            return list(connection.execute(query).scalars())

    def acts(self) -> dict[str, Held]:
        """What is held under every act id."""
        act = tables.act.c
        with self._database.read() as connection:
            return {row.id: Held(row.held) for row in connection.execute(select(act.id, act.held))}

    def cases(self, *, include_closed: bool = False) -> list[Case]:
        """Oldest first."""
        case = tables.case.c
        query = select(tables.case).order_by(case.opened_at, case.id)
        if not include_closed:
            query = query.where(case.closed_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Case(
                id=row.id,
                reason=Reason(row.reason),
                act=row.act,
                other_act=row.other_act,
                item=row.item,
                membership=row.membership,
                kiosk=row.kiosk,
                details=details_of(row.details),
                opened_at=moment(row.opened_at),
                closed_at=None if row.closed_at is None else moment(row.closed_at),
                closed_by=row.closed_by,
                closed_how=row.closed_how,
            )
            for row in rows
        ]
