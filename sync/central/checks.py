"""Is central well, and what does the library lack? For `central doctor`. Blocking; a large SQLite file takes a while."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, not_, select

from sync.central import tables
from sync.central.database import DatabaseUnusable
from sync.central.import_runs import APPLYING, STAGING, leased
from sync.central.office import Central
from sync.central.readiness import QUESTIONS, Answer, Check

QUIET = timedelta(minutes=15)
"""A kiosk silent for longer is told."""


_NEWEST = "shelfpoint central restore COPY, with the newest backup"


def checks(central: Central) -> list[Check]:
    """All of them; each is asked even if one before it failed."""
    return [
        _asked("database file" if central.database.dialect == "sqlite" else "PostgreSQL", _whole, central),
        _asked("schema", lambda central: (True, central.database.version(), ""), central),
        _asked("feed", _feed, central),
        _asked("imports", _imports, central),
        _asked("kiosks", _kiosks, central),
        _asked("cases", _cases, central),
        _asked("periodic work", _periodic, central),
        *(_asked(name, ask, central) for name, ask in QUESTIONS),
    ]


def _asked(name: str, ask: Callable[[Central], Answer], central: Central) -> Check:
    """A database that cannot answer is an answer too."""
    try:
        return Check(name, *ask(central))
    except DatabaseUnusable as error:
        return Check(name, False, f"cannot be read: {error}")


def _whole(central: Central) -> Answer:
    with central.database.read() as connection:
        if central.database.dialect != "sqlite":
            return True, str(connection.exec_driver_sql("SHOW server_version").scalar_one()), ""
        wrong = connection.exec_driver_sql("PRAGMA cipher_integrity_check").scalars().all()  # every page's own seal
        if wrong:
            return False, f"{len(wrong)} damaged pages, first: {wrong[0]}", _NEWEST
        said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        return said == "ok", said, "" if said == "ok" else _NEWEST


def _feed(central: Central) -> Answer:
    with central.database.read() as connection:
        newest = connection.execute(select(func.max(tables.feed.c.position))).scalar() or 0
        head = connection.execute(select(tables.feed_head.c.position)).scalar_one()
    return newest <= head, f"newest entry {newest}, head {head}", "" if newest <= head else _NEWEST


def _imports(central: Central) -> Answer:
    with central.database.read() as connection:
        run = tables.import_run.c
        unfinished = select(func.count()).where(run.state.in_((STAGING, APPLYING)), not_(leased(central.clock())))
        halted = connection.execute(unfinished).scalar_one()
    if halted:
        return False, f"{halted} unfinished", "the same import command again: it goes on where it stopped"
    return True, "none unfinished", ""


def _kiosks(central: Central) -> Answer:
    now = central.clock()
    enrolled = [kiosk for kiosk in central.fleet.all() if kiosk.revoked_at is None]
    quiet = [kiosk.id for kiosk in enrolled if kiosk.health_at is None or now - kiosk.health_at > QUIET]
    counted = f"{len(enrolled)} enrolled"
    return (
        (False, f"{counted}, silent: {', '.join(quiet)}", "shelfpoint central fleet") if quiet else (True, counted, "")
    )


def _cases(central: Central) -> Answer:
    with central.database.read() as connection:
        count = select(func.count()).select_from(tables.case).where(tables.case.c.closed_at.is_(None))
        return True, f"{connection.execute(count).scalar_one()} open", ""


def _periodic(central: Central) -> Answer:
    failed = [f"{one.chore} failed at {one.at:%Y-%m-%d %H:%M} UTC ({one.kind})" for one in central.periodic.failures()]
    return (False, "; ".join(failed), "central's log says where") if failed else (True, "nothing failed", "")
