"""Periodic work: one row for each chore, with a lease; a timer only ticks.

However many processes tick, the one that takes the lease does the work; one that dies at it loses the lease after a while,
and another does it again. So a chore must not mind being done twice. Any thread; blocking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import insert, select, update

from sync.central import tables
from sync.central.database import Database, DatabaseUnusable, lock
from sync.central.records import microseconds

LEASE = timedelta(minutes=10)
"""Longer than any chore takes."""
TICK_S = 30.0
"""Between two looks whether something is due."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that is to be done now and then."""

    name: str
    """Its row."""
    every: timedelta
    """From one time to the next."""
    run: Callable[[], object]
    """Does it; may raise DatabaseUnusable."""


class Periodic:
    """Does what is due."""

    def __init__(self, database: Database, clock: Callable[[], datetime], chores: Sequence[Chore]) -> None:
        self._database = database
        self._clock = clock
        self._chores = chores

    def tick(self) -> list[str]:
        """Does every chore that is due and that nobody else has taken; names of those done. What fails is tried again."""
        done = []
        for chore in self._chores:
            try:
                if self._take(chore):
                    chore.run()
                    self._finish(chore)
                    done.append(chore.name)
            except DatabaseUnusable as error:
                log.warning("periodic work could not be done", chore=chore.name, why=str(error))
        return done

    def _take(self, chore: Chore) -> bool:
        now, row = self._clock(), tables.chore
        at = microseconds(now)
        with self._database.read() as connection:
            held = connection.execute(select(row).where(row.c.name == chore.name)).one_or_none()
        if held is not None and (held.due_at > at or held.leased_until > at):
            return False
        with self._database.write() as connection:
            lock(connection, [f"chore {chore.name}"])
            if connection.execute(select(row.c.name).where(row.c.name == chore.name)).one_or_none() is None:
                connection.execute(insert(row).values(name=chore.name, due_at=0, leased_until=0))
            free = update(row).where(row.c.name == chore.name, row.c.due_at <= at, row.c.leased_until <= at)
            return bool(connection.execute(free.values(leased_until=microseconds(now + LEASE))).rowcount)

    def _finish(self, chore: Chore) -> None:
        row = tables.chore
        with self._database.write() as connection:
            due = microseconds(self._clock() + chore.every)
            connection.execute(update(row).where(row.c.name == chore.name).values(due_at=due, leased_until=0))
