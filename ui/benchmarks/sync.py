"""The kiosk's files as they grow: a loan with a long log behind it, the replica's first fill, and what a delta costs.

The log is filled by one bulk insert of settled rows, the replica through the feed's own path (`ReplicaWriter.apply`).
The floor of the fill is one executemany of the same rows into the same tables of an equal encrypted file.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from config.settings import KioskSettings
from kiosk.domain.identity import CardRead, Technology
from kiosk.ports import CardArrived, CodeRead, Intent, RowState, Touched
from sync import acts, replica, wire
from sync.encrypted import connect
from sync.replica import ReplicaWriter
from ui.benchmarks.lending import KEY, City, Feeding, fill, item_id, pages, station, uid
from ui.benchmarks.measure import Figure, median, p99, timed

BASKET = 5
DELTA = 20


def grow(folder: Path, rows: int, city: City) -> None:
    """Settled facts in the log until it has `rows`, spread over the city's items and memberships."""
    db = connect(folder / acts.FILE, KEY, durable=True)
    (have,) = db.execute("SELECT coalesce(max(sequence), 0) FROM word").fetchone()
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT INTO word (sequence, act, word, deed, membership, item, branch, happened_at, mode, policy_version, "
        "outcome, epoch, position) VALUES (?, ?, 'fact', 'return', ?, ?, 'main', ?, 'online', 'bench-1', "
        "'accepted', 'bench', 1)",
        (
            (number, f"00000000-0000-7000-8000-{number:012}", f"m{number % city.memberships}",
             item_id(number * 7919 % city.items), now)
            for number in range(have + 1, rows + 1)
        ),
    )  # fmt: skip
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


def loans_at_length(
    folder: Path, settings: KioskSettings, city: City, lengths: Sequence[int], runs: int, progress: Progress
) -> list[Figure]:
    """Barcode → durable verdict offline, with more and more kept acts; the first length is the floor of the others."""
    fill(folder, city, progress)
    figures: list[Figure] = []
    for stage, kept in enumerate(lengths):
        grow(folder, kept, city)
        built, screen, log = station(folder, settings)
        samples = []
        with Feeding(folder, city) as feeding:
            for run in range(stage * runs, (stage + 1) * runs):  # nobody comes twice, and no book
                if run % BASKET == 0:
                    built.handle(Touched(Intent.END))
                    card = CardRead(uid(run * 104729 % city.memberships), Technology.ISO14443A)
                    built.handle(CardArrived("reader", card))
                code = CodeRead("scanner", item_id((run * 15485863 + 11) % city.items))
                samples.append(timed(lambda built=built, code=code: built.handle(code)))  # type: ignore[misc]
                if screen.view.rows[0].state is not RowState.PROVISIONAL:
                    raise AssertionError(f"the loan was not recorded: {screen.view.rows[0]}")
        log.checkpoint()
        log.close()
        size = (folder / acts.FILE).stat().st_size
        floor = figures[0].median_ms if figures else None
        figures.append(
            Figure(
                work=f"barcode → durable verdict, {kept} kept acts",
                median_ms=median(samples),
                p99_ms=p99(samples),
                runs=runs,
                floor="" if floor is None else f"the same with {lengths[0]} kept acts",
                floor_ms=floor,
                goal="" if floor is None else "≤ 1.3 ×",
                met=None if floor is None else median(samples) <= 1.3 * floor,
                note=f"acts file {size / 1e6:.1f} MB, {feeding.pages} feed pages applied meanwhile",
            )
        )
    return figures


def first_fill(folder: Path, city: City) -> list[Figure]:
    """The replica's first fill against a bulk insert of the same rows, and a delta of a few entries afterwards."""
    replica.prepare(folder / "fed", KEY)
    replica.prepare(folder / "bulk", KEY)
    told = list(pages(city))
    writer = ReplicaWriter(folder / "fed", KEY)
    fed_ms = sum(timed(lambda page=page: writer.apply(page, datetime.now(UTC))) for page in told)  # type: ignore[misc]
    bulk_ms = _bulk(folder)
    entries = sum(len(page.entries) for page in told)
    size = sum(path.stat().st_size for path in (folder / "fed").iterdir())
    deltas = []
    for number in range(50):
        books: list[wire.FeedEntry] = [
            wire.ItemEntry(id=item_id((number * 104729 + each) % city.items), title="改", branch="main")
            for each in range(DELTA)
        ]
        page = wire.FeedPage(
            epoch="bench", now=datetime.now(UTC), cursor="c", position=number + 2, more=False, entries=books
        )
        deltas.append(timed(lambda page=page: writer.apply(page, datetime.now(UTC))))  # type: ignore[misc]
    writer.close()
    return [
        Figure(
            work="first fill of the replica",
            median_ms=fed_ms,
            p99_ms=fed_ms,
            runs=1,
            floor="one bulk insert of the same rows into an equal file",
            floor_ms=bulk_ms,
            goal="≤ 3 ×; ≤ 1 GB on disk at 1 M items + 500 k memberships",
            met=fed_ms <= 3 * bulk_ms and size <= 1e9,
            note=f"{entries} entries, {size / 1e6:.0f} MB on disk",
        ),
        Figure(
            work=f"a delta of {DELTA} items",
            median_ms=median(deltas),
            p99_ms=p99(deltas),
            runs=len(deltas),
            goal="costs only what changed",
            note=f"in a replica of {entries} entries",
        ),
    ]


def _bulk(folder: Path) -> float:
    """Milliseconds to copy the filled tables, already in memory, into the equal file in one transaction."""
    source = connect(folder / "fed" / replica.FILE, KEY, durable=False)
    target = connect(folder / "bulk" / replica.FILE, KEY, durable=False)
    tables = ("membership", "card", "item", "loan", "calendar", "policy")
    rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    source.close()

    def insert() -> None:
        target.execute("BEGIN IMMEDIATE")
        for table, found in rows.items():
            if found:
                places = ", ".join("?" * len(found[0]))
                target.executemany(f"INSERT INTO {table} VALUES ({places})", found)
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    spent = timed(insert)
    target.close()
    return spent
