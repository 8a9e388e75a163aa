"""A branch comes back after a long time alone: its backlog over HTTP into central, against the bare writing of the rows.

Everything is real: the kiosk's outbox and sync thread's code, signed requests, central in its own process, judged and on
disk. The floor writes every row that the judged acts have left in all of central's tables, with one executemany for
each table in one transaction, into an equal empty database.
"""

import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.progress import Progress
from sqlalchemy import Table, insert, select

from kiosk.domain.journal import Act, Deed, Mode, Word
from kiosk.domain.values import ActId, BranchId, ItemId, MembershipId
from kiosk.station import QueueMailbox
from sync import acts, wire
from sync.acts import ActsLog
from sync.agent import SyncActs
from sync.central import tables
from sync.central.office import Central, CentralSettings
from sync.central_client import CentralClient
from sync.clock_offset import ClockOffset
from sync.encrypted import connect
from ui.benchmarks.lending import KEY
from ui.benchmarks.measure import Figure, timed
from ui.benchmarks.town import BRANCH, LOANS_EACH, Town, item_id
from ui.clock import SystemClock

LEFT_BY_ACTS = (tables.incarnation, tables.act, tables.loan, tables.case, tables.word, tables.feed)
TENTHS = 10


def drain(folder: Path, database: str | None, spare: str | None, count: int, progress: Progress) -> list[Figure]:
    """`count` facts told at once. `database`, `spare`: addresses of empty PostgreSQL databases, or None for SQLite."""
    engine = "SQLite" if database is None else "PostgreSQL"
    task = progress.add_task(f"{count} acts to {engine}", total=None)
    town = Town(folder, database)
    town.found(items=count, memberships=count // LOANS_EACH)
    acts.prepare(folder, KEY)
    with town.serving(1):
        identity = town.enrolled(1)[0]
        log = ActsLog(folder, KEY)
        write_backlog(folder, count)
        clock = SystemClock()
        offset = ClockOffset(clock)
        incarnation = log.incarnation
        sync = SyncActs(
            open_log=lambda: ActsLog(folder, KEY),
            client=CentralClient(identity, incarnation, clock, offset),
            offset=offset,
            mailbox=QueueMailbox(),
            clock=clock,
            health=lambda length, _oldest: wire.Health(incarnation=incarnation, program="bench", queue_length=length),
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent = timed(sync.turn)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        left = log.queue()[0]
        if left:
            raise AssertionError(f"{left} acts are still waiting")
        log.close()
    last = pace(town.settings)
    floor = bare(town.settings, CentralSettings(data=folder / "bare", database=spare))
    progress.remove_task(task)
    return [
        Figure(
            work=f"backlog of {count} acts → central, {engine}",
            median_ms=spent,
            p99_ms=spent,
            runs=1,
            floor="executemany of every row that they leave in all tables",
            floor_ms=floor,
            goal="≤ 5 ×; linear; flat memory at the kiosk",
            met=spent <= 5 * floor,
            note=f"{count / spent * 1000:.0f} acts/s; the last tenth took {last:.2f} times as long as the first; "
            f"the kiosk grew by {grown / 1024:.0f} MB",
        )
    ]


def write_backlog(folder: Path, count: int) -> None:
    """Checkouts of the last hours that central has not heard of: each item once, some for each membership."""
    db = connect(folder / acts.FILE, KEY, durable=True)
    start = datetime.now(UTC) - timedelta(hours=30)
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT INTO word (act, word, deed, membership, item, branch, happened_at, clock_offset_ms, mode, "
        "replica_age_ms, policy_version, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (act.id, Word.FACT, act.deed, act.membership, act.item, act.branch, _micros(act.happened_at), 0, act.mode,
             0, act.policy_version, _micros(act.due_at or act.happened_at))
            for act in (checkout(number, start + timedelta(milliseconds=number)) for number in range(count))
        ),
    )  # fmt: skip
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


def checkout(number: int, at: datetime) -> Act:
    """The n-th loan of the town."""
    return Act(
        id=ActId(f"00000000-0000-7000-8000-{number:012}"),
        deed=Deed.CHECKOUT,
        membership=MembershipId(f"m{number // LOANS_EACH}"),
        item=ItemId(item_id(number)),
        branch=BranchId(BRANCH),
        happened_at=at,
        clock_offset=timedelta(),
        mode=Mode.OFFLINE,
        replica_age=timedelta(),
        policy_version="bench-1",
        due_at=at + timedelta(days=28),
    )


def pace(settings: CentralSettings) -> float:
    """How long the last tenth of all words took, as a multiple of the first tenth."""
    central = Central.open(settings)
    with central.database.read() as connection:
        times = connection.execute(select(tables.word.c.judged_at).order_by(tables.word.c.sequence)).scalars().all()
    central.close()
    tenth = len(times) // TENTHS
    return float((times[-1] - times[-tenth]) / max(times[tenth - 1] - times[0], 1))


def bare(settings: CentralSettings, spare: CentralSettings) -> float:
    """Milliseconds to write the rows of LEFT_BY_ACTS anew."""
    full, empty = Central.open(settings), Central.open(spare)
    with full.database.read() as connection:
        rows: list[tuple[Table, list[dict[str, Any]]]] = []
        for table in LEFT_BY_ACTS:
            query = select(table)
            if table is tables.feed:
                query = query.where(table.c.kind == "loan")
            rows.append((table, [dict(row) for row in connection.execute(query).mappings()]))

    def write() -> None:
        with empty.database.write() as connection:
            for table, found in rows:
                if found:
                    connection.execute(insert(table), found)

    spent = timed(write)
    full.close()
    empty.close()
    return spent


def _micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
