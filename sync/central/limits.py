"""How often somebody may knock in vain: logins and enrolments, by client address and by login name.

Only tries that fail count: a hundred kiosks set up in a row, or all staff of a town behind one address, are welcome.
Counted in the database and not in memory, so that N processes agree and a restart forgives nothing; what is counted is
rare by nature (people who log in, kiosks that are set up), so the write costs nothing that matters. Who is over the limit
costs one read. A row lives as long as its window, and an address that fills rows with names is stopped by its own
limit, so the table stays small. IPv6 counts by /64, which is what one line gets. Names are kept as hashes only.
"""

import hashlib
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, select

from sync.central import tables
from sync.central.database import Database, lock, upsert
from sync.central.records import microseconds, moment


class Door(StrEnum):
    """What is knocked at."""

    LOGIN = "login"
    ENROL = "enrol"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times in so long."""

    times: int
    window: timedelta


BY_ADDRESS = Limit(40, timedelta(minutes=5))
BY_NAME = Limit(20, timedelta(minutes=5))


class TooOften(Exception):
    """Come back later."""

    def __init__(self, after: timedelta) -> None:
        super().__init__("too many tries")
        self.after = after


class Limits:
    """Counts knocks."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def guard(
        self, door: Door, *, address: str, name: str | None = None, counts: tuple[type[Exception], ...]
    ) -> Iterator[None]:
        """Around one try: TooOften if there were too many, and one more counted if it ends with one of `counts`."""
        wanted = _wanted(door, address, name)
        with self._database.read() as connection:
            for key, limit in wanted:
                _count(connection, key, limit, self._clock())
        try:
            yield
        except counts:
            self.knock(door, address=address, name=name)
            raise

    def knock(self, door: Door, *, address: str, name: str | None = None) -> None:
        """Counts one try. Raises TooOften; such a try counts no further."""
        wanted = _wanted(door, address, name)
        now = self._clock()
        with self._database.write() as connection:
            lock(connection, [key for key, _ in wanted])
            rows = [{"key": key, **_count(connection, key, limit, now)} for key, limit in wanted]
            upsert(connection, tables.knock, rows)

    def forget_old(self) -> int:
        """Deletes windows that are over; how many."""
        before = microseconds(self._clock() - max(BY_ADDRESS.window, BY_NAME.window))
        with self._database.write() as connection:
            return int(connection.execute(delete(tables.knock).where(tables.knock.c.begun_at < before)).rowcount)


def _wanted(door: Door, address: str, name: str | None) -> list[tuple[str, Limit]]:
    wanted = [(f"{door}:at:{address_key(address)}", BY_ADDRESS)]
    if name is not None:
        wanted.append((f"{door}:as:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:32]}", BY_NAME))
    return wanted


def address_key(address: str) -> str:
    """What counts as one client."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def _count(connection: Connection, key: str, limit: Limit, now: datetime) -> dict[str, int]:
    """The row with one knock more. Raises TooOften."""
    row = connection.execute(select(tables.knock).where(tables.knock.c.key == key)).one_or_none()
    if row is None or not timedelta() <= now - moment(row.begun_at) < limit.window:
        return {"begun_at": microseconds(now), "count": 1}
    count = int(row._mapping["count"])  # `row.count` is the tuple's method
    if count >= limit.times:
        raise TooOften(moment(row.begun_at) + limit.window - now)
    return {"begun_at": row.begun_at, "count": count + 1}
