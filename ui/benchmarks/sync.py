"""The kiosk's files as they grow: a loan behind a long log or a long queue, the replica's first fill, what a delta costs.

The log is filled by one bulk insert, of settled rows or of loans and returns that wait for central; the replica through the
feed's own path (`ReplicaWriter.apply`).
The floor of the fill is one executemany of the same rows into the same tables of an equal encrypted file.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from config.settings import KioskSettings
from kiosk.domain.identity import CardRead, Technology
from kiosk.ports import CardArrived, CodeRead, Intent, RowState, Touched
from sync import acts, replica, wire
from sync.encrypted import connect, drop
from sync.replica import ReplicaWriter
from ui.benchmarks.lending import KEY, City, Feeding, fill, item_id, pages, station, uid
from ui.benchmarks.measure import Figure, median, p99, timed

BASKET = 5
DELTA = 20
WORDS_A_VISIT = 3
"""In a queue: two loans, and the return of the first."""


def grow(folder: Path, rows: int, city: City) -> None:
    """Settled facts in the log until it has `rows`, spread over the city's items and memberships."""
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    _insert(
        folder,
        rows,
        "'online', 'accepted', 'bench', 1, NULL",
        lambda number: ("return", f"m{number % city.memberships}", item_id(number * 7919 % city.items), now),
    )


def queue(folder: Path, rows: int, city: City) -> None:
    """As after a long outage: visit after visit, and nothing was sent.

    Books with an even number are on the shelf; those with an odd one are out, each at the reader of its number.
    """
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    due = now + 28 * 86_400_000_000

    def word(number: int) -> tuple[str, str | None, str, int]:
        visit, step = divmod(number, WORDS_A_VISIT)
        book = item_id((2 * visit + (step == 1)) % city.items)
        return ("return", None, book, now) if step == 2 else ("checkout", f"m{visit % city.memberships}", book, now)

    _insert(folder, rows, f"'offline', NULL, NULL, NULL, {due}", word)


def _insert(folder: Path, rows: int, known: str, word: Callable[[int], tuple[str, str | None, str, int]]) -> None:
    """Facts until the log has `rows`; `word` says deed, membership, item and time of each."""
    db = connect(folder / acts.FILE, KEY, durable=True)
    (have,) = db.execute("SELECT coalesce(max(sequence), 0) FROM word").fetchone()
    db.execute("BEGIN IMMEDIATE")
    db.executemany(
        "INSERT INTO word (sequence, act, word, deed, membership, item, happened_at, branch, policy_version, "
        f"mode, outcome, epoch, position, due_at) VALUES (?, ?, 'fact', ?, ?, ?, ?, 'main', 'bench-1', {known})",
        ((number, f"00000000-0000-7000-8000-{number:012}", *word(number)) for number in range(have + 1, rows + 1)),
    )
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()


def loans_at_length(
    folder: Path, settings: KioskSettings, city: City, lengths: Sequence[int], runs: int, progress: Progress
) -> list[Figure]:
    """Barcode → durable verdict offline, with more and more acts kept, then waiting; the first length is the floor.

    Who comes has no other loan in the first case, and one in the second, whatever the length.
    """
    fill(folder, city, progress)
    figures = _at_lengths(folder, settings, city, lengths, runs, "kept acts", grow, lambda _, visit: visit * 104729)
    drop(folder / acts.FILE)
    acts.prepare(folder, KEY)
    return figures + _at_lengths(
        folder,
        settings,
        city,
        lengths,
        runs,
        "acts waiting",
        queue,
        lambda rows, visit: rows // WORDS_A_VISIT - 1 - visit,
    )


def _at_lengths(
    folder: Path,
    settings: KioskSettings,
    city: City,
    lengths: Sequence[int],
    runs: int,
    what: str,
    lengthen: Callable[[Path, int, City], None],
    reader: Callable[[int, int], int],
) -> list[Figure]:
    """`lengthen` brings the log to a length; `reader` is the membership of a visit at this length."""
    figures: list[Figure] = []
    for stage, length in enumerate(lengths):
        lengthen(folder, length, city)
        built, screen, log = station(folder, settings)
        samples = []
        with Feeding(folder, city) as feeding:
            for run in range(stage * runs, (stage + 1) * runs):  # nobody comes twice, and no book
                if run % BASKET == 0:
                    built.handle(Touched(Intent.END))
                    who = reader(length, run // BASKET) % city.memberships
                    built.handle(CardArrived("reader", CardRead(uid(who), Technology.ISO14443A)))
                code = CodeRead("scanner", item_id(2 * (run * 15485863 + 11) % city.items))  # even, so not out
                samples.append(timed(lambda built=built, code=code: built.handle(code)))  # type: ignore[misc]
                if screen.view.rows[0].state is not RowState.PROVISIONAL:
                    raise AssertionError(f"the loan was not recorded: {screen.view.rows[0]}")
        log.checkpoint()
        log.close()
        size = (folder / acts.FILE).stat().st_size
        floor = figures[0].median_ms if figures else None
        figures.append(
            Figure(
                work=f"barcode → durable verdict, {length} {what}",
                median_ms=median(samples),
                p99_ms=p99(samples),
                runs=runs,
                floor="" if floor is None else f"the same with {lengths[0]} {what}",
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
