"""Periodic work: one row for each chore, with a lease; a timer only ticks.

However many processes tick, the one that takes the lease does the work; one that dies at it loses the lease after a while,
and another does it again. So a chore must not mind being done twice. One that fails, for whatever reason, holds up no
other: it is logged, noted in the database for `doctor` and the metrics, and tried again when its lease is over. The note
names the kind of error only, for an error's text may quote a person. Any thread; blocking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, insert, or_, select, update

from sync.central import tables
from sync.central.database import Database, DatabaseUnusable, lock, upsert
from sync.central.records import microseconds, moment

LEASE = timedelta(minutes=10)
"""Longer than a chore takes on most days; one that takes longer may be begun by another process, too."""
TICK_S = 30.0
"""Between two looks whether something is due."""

_FAILED = "chore failed: "
"""Before a chore's name: the key of its note."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that is to be done now and then."""

    name: str
    """Its row."""
    every: timedelta
    """From one time to the next."""
    run: Callable[[], object]
    """Does it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A chore did not end well the last time that it was tried."""

    chore: str
    """Its name."""
    at: datetime
    """When."""
    kind: str
    """Of error, as the program calls it."""


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
                self._note(chore, error)
            except Exception as error:
                log.error("periodic work failed", chore=chore.name, exc_info=error)
                self._note(chore, error)
        return done

    def names(self) -> list[str]:
        """Of every chore."""
        return [chore.name for chore in self._chores]

    def failures(self) -> list[Failure]:
        """Chores that failed the last time, whichever process tried them."""
        meta = tables.meta.c
        names = {_FAILED + chore.name: chore.name for chore in self._chores}
        with self._database.read() as connection:
            rows = connection.execute(select(meta.key, meta.value).where(meta.key.in_(names)).order_by(meta.key)).all()
        told = ((names[row.key], *row.value.split(" ", 1)) for row in rows)
        return [Failure(name, moment(int(at)), kind) for name, at, kind in told]

    def _note(self, chore: Chore, error: Exception) -> None:
        """Where even this cannot be written the log has to do."""
        value = f"{microseconds(self._clock())} {type(error).__name__}"
        try:
            with self._database.write() as connection:
                upsert(connection, tables.meta, [{"key": _FAILED + chore.name, "value": value}])
        except DatabaseUnusable as unusable:
            log.warning("a failed chore could not be noted", chore=chore.name, why=str(unusable))

    def _take(self, chore: Chore) -> bool:
        now, row = self._clock(), tables.chore
        at = microseconds(now)
        with self._database.read() as connection:
            held = connection.execute(select(row).where(row.c.name == chore.name)).one_or_none()
        # beyond these the clock was set back; the margin is for processes and machines whose clocks differ a little
        late, stale = microseconds(now + chore.every + LEASE), microseconds(now + 2 * LEASE)
        if held is not None and (at < held.due_at <= late or at < held.leased_until <= stale):
            return False
        with self._database.write() as connection:
            lock(connection, [f"chore {chore.name}"])
            if connection.execute(select(row.c.name).where(row.c.name == chore.name)).one_or_none() is None:
                connection.execute(insert(row).values(name=chore.name, due_at=0, leased_until=0))
            free = update(row).where(
                row.c.name == chore.name,
                or_(row.c.due_at <= at, row.c.due_at > late),
                or_(row.c.leased_until <= at, row.c.leased_until > stale),
            )
            return bool(connection.execute(free.values(leased_until=microseconds(now + LEASE))).rowcount)

    def _finish(self, chore: Chore) -> None:
        row = tables.chore
        with self._database.write() as connection:
            due = microseconds(self._clock() + chore.every)
            connection.execute(update(row).where(row.c.name == chore.name).values(due_at=due, leased_until=0))
            connection.execute(delete(tables.meta).where(tables.meta.c.key == _FAILED + chore.name))
