"""Is central well? A few questions to its database, for `central doctor`. Blocking; a large SQLite file takes a while."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from sync.central import tables
from sync.central.office import Central

QUIET = timedelta(minutes=15)
"""A kiosk silent for longer is told."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    name: str
    """What was asked."""
    ok: bool
    """False where somebody should act."""
    found: str
    """In words."""


def checks(central: Central) -> list[Check]:
    """All of them; each is asked even if one before it failed."""
    with central.database.read() as connection:
        if central.database.dialect == "sqlite":
            said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
            whole = Check("database file", said == "ok", said)
        else:
            version = str(connection.exec_driver_sql("SHOW server_version").scalar_one())
            whole = Check("PostgreSQL", True, version)
        newest = connection.execute(select(func.max(tables.feed.c.position))).scalar() or 0
        head = connection.execute(select(tables.feed_head.c.position)).scalar_one()
        count = select(func.count()).select_from(tables.case).where(tables.case.c.closed_at.is_(None))
        waiting = connection.execute(count).scalar_one()
        run = tables.import_run.c
        halted = connection.execute(select(func.count()).where(run.state != "done")).scalar_one()
        rules = connection.execute(select(tables.policy.c.version).where(tables.policy.c.current == 1)).scalar()
    now = central.clock()
    enrolled = [kiosk for kiosk in central.fleet.all() if kiosk.revoked_at is None]
    quiet = [kiosk.id for kiosk in enrolled if kiosk.health_at is None or now - kiosk.health_at > QUIET]
    return [
        whole,
        Check("schema", True, central.database.version()),
        Check("feed", newest <= head, f"newest entry {newest}, head {head}"),
        Check("lending rules", rules is not None, rules or "none set: every loan is refused"),
        Check("imports", not halted, f"{halted} unfinished" if halted else "none unfinished"),
        Check("kiosks", not quiet, f"{len(enrolled)} enrolled" + (f", silent: {', '.join(quiet)}" if quiet else "")),
        Check("cases", True, f"{waiting} open"),
    ]
