"""Periodic work: a row with a lease for each chore; a timer only ticks, in every process of central.

Whoever ticks takes the lease of a chore that is due and does it; the others see the lease and pass on. A process that
dies while working leaves a lease that runs out; the chore is begun again, so every chore can be done twice without
harm. A chore that fails is told in the log and tried again after `AGAIN`. Blocking; one thread of each process.
"""

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from sync.central import tables
from sync.central.database import Database, lock, upsert
from sync.central.records import microseconds, moment

LEASE = timedelta(minutes=30)
AGAIN = timedelta(minutes=10)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that comes back."""

    name: str
    every: timedelta
    do: Callable[[], str]
    """Does it and says in a few words what was done."""


class Chores:
    """Does what is due."""

    def __init__(self, database: Database, clock: Callable[[], datetime], chores: Sequence[Chore]) -> None:
        self._database = database
        self._clock = clock
        self._chores = chores
        self._me = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"

    def tick(self) -> list[str]:
        """Does every chore that is due and that nobody else is doing; their names."""
        return [chore.name for chore in self._chores if self._take(chore) and self._work(chore)]

    def _take(self, chore: Chore) -> bool:
        now = microseconds(self._clock())
        own = tables.chore.c
        with self._database.read() as connection:  # most ticks find nothing to do, and then write nothing
            row = connection.execute(select(tables.chore).where(own.name == chore.name)).one_or_none()
        if row is not None and (row.due_at > now or (row.leased_until or 0) > now):
            return False
        with self._database.write() as connection:
            lock(connection, [f"chore {chore.name}"])
            row = connection.execute(select(tables.chore).where(own.name == chore.name)).one_or_none()
            if row is not None and (row.due_at > now or (row.leased_until or 0) > now):
                return False
            until = microseconds(self._clock() + LEASE)
            due = now if row is None else row.due_at
            upsert(
                connection,
                tables.chore,
                [{"name": chore.name, "due_at": due, "leased_until": until, "holder": self._me}],
            )
        return True

    def _work(self, chore: Chore) -> bool:
        try:
            said = chore.do()
        except Exception:
            log.exception("A chore failed; it is tried again", chore=chore.name)
            self._release(chore, AGAIN, None)
            return False
        self._release(chore, chore.every, said)
        return True

    def _release(self, chore: Chore, after: timedelta, said: str | None) -> None:
        """Only if the lease is still ours: one that ran out may be another's by now."""
        now = self._clock()
        values: dict[str, object] = {"due_at": microseconds(now + after), "leased_until": None}
        if said is not None:
            values |= {"done_at": microseconds(now), "said": said}
        own = tables.chore
        with self._database.write() as connection:
            mine = update(own).where(own.c.name == chore.name, own.c.holder == self._me)
            connection.execute(mine.values(**values))

    def done_at(self, name: str) -> datetime | None:
        """When it was last done."""
        own = tables.chore.c
        with self._database.read() as connection:
            at = connection.execute(select(own.done_at).where(own.name == name)).scalar()
        return None if at is None else moment(at)
