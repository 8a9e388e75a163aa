"""How long the feed remembers what is gone: a card number, an item, a returned loan is no key in it for ever (promise 8).

Positions have no dates, so each run notes where the head is now; what is older than KEEP by these notes is pruned. A
kiosk that was away for longer reads a fresh snapshot. A chore of `periodic`; any thread; blocking.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from sync.central import tables
from sync.central.database import Database, upsert
from sync.central.feed import Feed
from sync.central.records import microseconds

KEEP = timedelta(days=30)
_NOTES = select(tables.meta.c.value).where(tables.meta.c.key == "feed_days")


class Tombstones:
    """Ages and goes."""

    def __init__(self, database: Database, feed: Feed, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._feed = feed
        self._clock = clock

    def forget_old(self) -> int:
        """Notes the head, prunes what is old; returns the position up to which tombstones are forgotten now."""
        now = self._clock()
        with self._database.write() as connection:
            held: list[list[int]] = json.loads(connection.execute(_NOTES).scalar() or "[]")
            notes = [*held, [microseconds(now), self._feed.head()]]
            old = [note for note in notes if note[0] <= microseconds(now - KEEP)]
            kept = old[-1:] + [note for note in notes if note not in old]
            upsert(connection, tables.meta, [{"key": "feed_days", "value": json.dumps(kept)}])
        before = old[-1][1] if old else 0
        self._feed.prune(before=before)
        return before
