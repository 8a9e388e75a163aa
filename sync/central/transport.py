"""Whether kiosks and staff reach central through TLS, as far as central itself can see (for `central doctor`).

Told by the HTTP doors of each request that proved who sent it, on worker threads. Promises to cost a look at memory and at most one
write an hour; a database that cannot be written is logged and stops no request.

Why. Central speaks plain HTTP; TLS is the matter of a proxy in front, which says X-Forwarded-Proto (deploy/nginx-central.conf). Nobody
gains anything by a lie here, and a request that came plainly from another machine is told even if others come by TLS.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from sync.central import tables
from sync.central.database import Database, DatabaseUnusable, upsert
from sync.central.records import microseconds, moment

log = structlog.get_logger(__name__)

SECURE, PLAIN = "tls seen", "plain seen"
"""Where the newest of each stands in `meta`."""
EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest requests of each kind, to the hour."""

    secure: datetime | None
    """Through TLS."""
    plain: datetime | None
    """From another machine without."""


class Transport:
    """What was seen of the way between."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[str, datetime] = {}

    def note(self, peer: str, forwarded_proto: str | None) -> None:
        """A request whose sender is known came from `peer`; from this very machine without a proxy says nothing."""
        if forwarded_proto == "https":
            key = SECURE
        elif _is_here(peer):
            return
        else:
            key = PLAIN
        now = self._clock()
        before = self._noted.get(key)
        if before is not None and now - before < EVERY:
            return
        self._noted[key] = now
        try:
            with self._database.write() as connection:
                upsert(connection, tables.meta, [{"key": key, "value": str(microseconds(now))}])
        except DatabaseUnusable as error:
            log.warning("It cannot be noted how requests come", why=str(error))

    def seen(self) -> Seen:
        """As noted by any process."""
        columns = tables.meta.c
        with self._database.read() as connection:
            rows = connection.execute(select(columns.key, columns.value).where(columns.key.in_((SECURE, PLAIN))))
            matches = {row.key: moment(int(row.value)) for row in rows}
        return Seen(matches.get(SECURE), matches.get(PLAIN))


def _is_here(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return True  # a socket without an address, or a test's
