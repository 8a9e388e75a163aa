"""Whose turn it is to import: one run of a kind (items, patrons) at a time, known by a row that is leased for a while.

Two runs of one file would take each other's staged rows, two files of patrons each other's cards; so the second is refused
and told who is at it. A run renews its lease with every transaction and gives it up when it ends. One that was killed loses
it after `LEASE`; then the file goes on where it stopped. Whoever was only stopped for longer than that finds at its next
transaction that its turn is over, and changes nothing more. Previews stage under runs of their own and are in nobody's way.

A file counts as applied until another file of its kind changes something; then it is applied again, whole, if it comes again,
and a rest that such a file had left behind is dropped. What no run needs any more is swept away in short transactions.
Any thread; blocking.
"""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    delete,
    exists,
    insert,
    not_,
    or_,
    select,
    update,
)

from sync.central import tables
from sync.central.bulk import among
from sync.central.database import Database, lock
from sync.central.records import microseconds, moment

LEASE = timedelta(minutes=2)
"""Longer than any transaction of an import takes, and the reading of its rows."""
SWEPT = 5000
"""Rows that one transaction sweeps away."""

PREVIEW, STAGING, APPLYING, DONE, PAST = "preview", "staging", "applying", "done", "past"
"""States of a run: only being checked; checked in order to be applied; being applied; applied; applied or given up, and
another file has changed something since."""

_RUN = tables.import_run.c
_KEY, _ROW = tables.import_key.c, tables.import_row.c
_CHANGED_NOTHING = _RUN.state.in_((PREVIEW, STAGING))


class ImportUnderWay(Exception):
    """Somebody else's run is in the way; the message says whose, since when, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run, as it was when its turn began."""

    id: int
    """Its row, and its rows."""
    state: str
    """See above. DONE, and for a preview APPLYING: there is nothing to do, and no turn to end."""
    staged: int
    """Good rows, where they were all staged before."""
    token: str = field(default="", repr=False)
    """Known to whoever has the turn."""


def leased(now: datetime) -> ColumnElement[bool]:
    """Somebody is at it; a lease from before the clock was set back is over."""
    return and_(_RUN.leased_until > microseconds(now), _RUN.leased_until <= microseconds(now + 2 * LEASE))


class ImportRuns:
    """Gives and ends turns."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._runner = f"process {os.getpid()} on {socket.gethostname()}"

    def begin(self, kind: str, digest: str, *, preview: bool) -> Turn:
        """The turn of this file, or what is known of it already. Raises ImportUnderWay."""
        self.sweep()
        token = secrets.token_hex(8)
        now = self._clock()
        with self._database.write() as connection:
            lock(connection, [f"import {kind}"])
            under_way = _RUN.state.in_((STAGING, APPLYING)) & leased(now)
            for other in connection.execute(select(tables.import_run).where(_RUN.kind == kind, under_way)):
                if not preview or other.digest == digest:
                    raise ImportUnderWay(_told(other, digest))
            known = select(tables.import_run).where(
                _RUN.kind == kind, _RUN.digest == digest, _RUN.state.in_((APPLYING, DONE))
            )
            run = connection.execute(known).one_or_none()
            if run is not None and (preview or run.state == DONE):
                return Turn(id=run.id, state=run.state, staged=run.staged)
            taken = {
                "runner": self._runner, "token": token, "started_at": microseconds(now),
                "leased_until": microseconds(now + LEASE),
            }  # fmt: skip
            if run is not None:
                connection.execute(update(tables.import_run).where(_RUN.id == run.id).values(**taken))
                return Turn(id=run.id, state=APPLYING, staged=run.staged, token=token)
            state = PREVIEW if preview else STAGING
            new = {"digest": digest, "kind": kind, "state": state, "staged": 0, "changed": 0}
            made = insert(tables.import_run).values(**new, **taken).returning(_RUN.id)
            return Turn(id=connection.execute(made).scalar_one(), state=state, staged=0, token=token)

    def renew(self, connection: Connection, turn: Turn, **values: object) -> None:
        """In every transaction of a run, before it writes; `values` of its row are set too.

        Raises ImportUnderWay when the turn is over: then nothing may be written.
        """
        until = microseconds(self._clock() + LEASE)
        own = update(tables.import_run).where(_RUN.id == turn.id, _RUN.token == turn.token)
        if not connection.execute(own.values(leased_until=until, **values)).rowcount:
            raise ImportUnderWay(
                f"this import stood still for more than {LEASE.seconds // 60} minutes and its turn is over; run it again"
            )

    def counts_now(self, connection: Connection, turn: Turn, kind: str) -> None:
        """This run changes something: no other file of its kind counts as applied from now on, nor goes on."""
        others = (_RUN.kind == kind, _RUN.id != turn.id, _RUN.state.in_((APPLYING, DONE)))
        connection.execute(update(tables.import_run).where(*others).values(state=PAST, token=""))

    def end(self, turn: Turn) -> None:
        """Gives the turn up; a run that changed nothing leaves nothing."""
        with self._database.write() as connection:
            own = update(tables.import_run).where(_RUN.id == turn.id, _RUN.token == turn.token)
            connection.execute(own.values(leased_until=0))
        self.sweep()

    def sweep(self) -> None:
        """Keys of runs that are checked, rows of those that are not to go on, all of those that died before they changed
        anything."""
        with self._database.write() as connection:
            over = and_(_CHANGED_NOTHING, not_(leased(self._clock())))
            ended = update(tables.import_run).where(over).values(token="")  # whoever only slept finds its turn over
            dead = list(connection.execute(ended.returning(_RUN.id)).scalars())
            keyed = and_(_RUN.state.in_((APPLYING, DONE, PAST)), exists().where(_KEY.run == _RUN.id))
            rowed = and_(_RUN.state.in_((DONE, PAST)), exists().where(_ROW.run == _RUN.id))
            left = list(connection.execute(select(_RUN.id).where(or_(keyed, rowed))).scalars())
            going_on = set(connection.execute(select(_RUN.id).where(_RUN.state == APPLYING)).scalars())
        for run in (*dead, *left):
            self._clear(tables.import_key, _KEY.key, run)
            if run not in going_on:
                self._clear(tables.import_row, _ROW.number, run)
        if dead:
            with self._database.write() as connection:
                connection.execute(delete(tables.import_run).where(among(_RUN.id), _RUN.token == ""), {"ids": dead})

    def _clear(self, table: Table, name: Column[Any], run: int) -> None:
        """All rows of one run in one table; kiosks' words get their turn in between."""
        own = table.c.run == run
        left = own
        while True:
            with self._database.write() as connection:
                query = select(name).where(left).order_by(name).limit(SWEPT)
                some = list(connection.execute(query).scalars())
                if some:
                    connection.execute(delete(table).where(left, name <= some[-1]))
            if len(some) < SWEPT:
                return
            left = and_(own, name > some[-1])  # those before are gone, but not from the index


def _told(run: Row[Any], digest: str) -> str:
    what = "this file is" if run.digest == digest else f"another file of {run.kind} is"
    return (
        f"{what} being imported since {moment(run.started_at):%Y-%m-%d %H:%M:%S} UTC by {run.runner}; wait until that has "
        f"ended. If that process is gone, try again after {moment(run.leased_until):%Y-%m-%d %H:%M:%S} UTC"
    )
