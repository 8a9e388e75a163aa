"""Double lendings whose book has come back, closed where no new word has closed them: what an older program left open.

Called by `retention` before it cuts, because an open case keeps an item's links. Whether the book has come back says
`kiosk.domain.reconcile` from all acts of the item; one small transaction for each item, under the inbox's own lock. Blocking.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, update

from kiosk.domain.reconcile import settle
from kiosk.domain.values import Reason
from sync.central import stored, tables
from sync.central.database import Database, lock
from sync.central.ledger_cases import State, closed
from sync.central.works import conflict_id

_CASE = tables.case.c
_OPEN = (_CASE.reason == Reason.LENT_TO_TWO.value, _CASE.closed_at.is_(None))


def close_returned(database: Database, clock: Callable[[], datetime]) -> int:
    """How many cases were closed."""
    with database.read() as connection:
        query = select(_CASE.item).where(*_OPEN, _CASE.item.is_not(None)).distinct().order_by(_CASE.item)
        items = connection.execute(query).scalars().all()
    count = 0
    for item in items:
        with database.write() as connection:
            lock(connection, [f"item {item}"])
            rows = connection.execute(stored.EVENTS, {"ids": [item]})
            settled = settle([stored.event_of(row) for row in rows])
            over = sorted(map(conflict_id, settled.came_back))
            if over:
                close = update(tables.case).where(*_OPEN, _CASE.id.in_(over))
                count += connection.execute(close.values(**closed(State.CAME_BACK, clock()))).rowcount
    return count
