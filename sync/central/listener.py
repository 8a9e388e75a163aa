"""Hears of changes that other central processes committed, so that waiting kiosks learn of them at once (PostgreSQL).

Every transaction that changes the feed says so on one channel (`database.tell_others`); PostgreSQL delivers that with the
commit. One thread and one connection for each process listen and ring the bell. A connection that breaks is made anew, and
the bell is rung then, for something may have been missed; until it stands again, long polls look by themselves every two
seconds, as they always do. SQLite has no such channel and one process.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog

from sync.central.bell import Bell
from sync.central.database import Database

LOOK_S = 0.5
"""Between two looks whether the process ends; a notice is heard at once."""
RETRY_S = 2.0

log = structlog.get_logger(__name__)


@contextmanager
def others_heard(database: Database, bell: Bell) -> Iterator[None]:
    """Rings `bell` for the commits of other processes while the block runs; on SQLite nothing to do."""
    if database.dialect != "postgresql":
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(database, bell, stop), name="listener", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(database: Database, bell: Bell, stop: threading.Event) -> None:
    broken = False
    while not stop.is_set():
        try:
            with database.listening() as connection:
                if broken:
                    log.info("Other processes are heard again")
                broken = False
                bell.ring()
                while not stop.is_set():
                    for notice in connection.notifies(timeout=LOOK_S):
                        if notice.payload != database.name:
                            bell.ring()
        except psycopg.Error as error:
            if not broken:
                log.warning("Other processes cannot be heard; long polls look by themselves", why=str(error))
            broken = True
            stop.wait(RETRY_S)
