"""What one word costs at central when its item has gone out often, and when many have waited for its work.

Judged in this process, without HTTP, on a real database: so the figure is central's own work and one commit. The items take
turns, so that whatever else the machine does falls on all of them alike.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from rich.progress import Progress

from kiosk.domain.journal import Deed, Mode, Verdict, Word
from kiosk.domain.values import IncarnationId, KioskId
from sync.central.office import Central
from sync.wire import MAX_WORDS, ItemEntry, WireWord
from ui.benchmarks.measure import Figure, median, p99, timed
from ui.benchmarks.town import BRANCH, Town, item_id

LENGTHS = (10, 1000)
"""Acts that the item has behind it; the first is the floor of the other."""
COPIES, COPIES_ACTS, HOLDS = 10, 2000, 50
GOALS = (1.0, 1.3, 3.0)
"""Of each, as a multiple of the first."""
KIOSK, LOG = KioskId("bench"), IncarnationId("bench-log")


def one_word(folder: Path, database: str | None, runs: int, progress: Progress) -> list[Figure]:
    """`database`: address of an empty PostgreSQL database, or None for SQLite."""
    engine = "SQLite" if database is None else "PostgreSQL"
    task = progress.add_task(f"long histories, {engine}", total=None)
    town = Town(folder, database)
    town.found(items=len(LENGTHS), memberships=HOLDS + 1)
    central = Central.open(town.settings)
    with central.registry.change("bench") as change:
        change.items([ItemEntry(id=f"W{copy}", title="人人都等", branch=BRANCH, work="W") for copy in range(COPIES)])
    story = _Story(central)
    for place, length in enumerate(LENGTHS):
        story.tell([story.next_of(item_id(place)) for _ in range(length)])
    story.tell([story.next_of(f"W{number % COPIES}") for number in range(COPIES_ACTS)])
    story.tell([story.word(Deed.PLACE_HOLD, "W0", f"m{number + 1}") for number in range(HOLDS)])
    items = [*(item_id(place) for place in range(len(LENGTHS))), "W1"]
    samples: dict[str, list[float]] = {item: [] for item in items}
    for _ in range(runs):
        for item in items:
            samples[item].append(timed(story.telling(item)))
    central.close()
    progress.remove_task(task)
    floor = median(samples[items[0]])
    return [
        Figure(
            work=f"one word, {what}, {engine}",
            median_ms=median(samples[item]),
            p99_ms=p99(samples[item]),
            runs=runs,
            floor="" if item == items[0] else f"an item of {LENGTHS[0]} acts",
            floor_ms=None if item == items[0] else floor,
            goal="" if item == items[0] else f"≤ {GOALS[place]:g} ×",
            met=None if item == items[0] else median(samples[item]) <= GOALS[place] * floor,
        )
        for place, (item, what) in enumerate(
            zip(
                items,
                (
                    *(f"an item of {length} acts" for length in LENGTHS),
                    f"a work of {COPIES} copies, {COPIES_ACTS} acts and {HOLDS} waiting",
                ),
                strict=True,
            )
        )
    ]


class _Story:
    """One kiosk's log: books go out and come back, a second apart."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._numbers = count(1)
        self._start = datetime.now(UTC) - timedelta(days=1)
        self._out: dict[str, bool] = {}

    def word(self, deed: Deed, item: str, membership: str | None) -> WireWord:
        number = next(self._numbers)
        at = self._start + timedelta(seconds=number)
        return WireWord(
            sequence=number,
            word=Word.FACT,
            act=f"history-{number}",
            deed=deed,
            membership=membership,
            item=item,
            branch=BRANCH,
            happened_at=at,
            mode=Mode.OFFLINE,
            due_at=at + timedelta(days=28) if deed is Deed.CHECKOUT else None,
        )

    def next_of(self, item: str) -> WireWord:
        """It goes out if it is in, and comes back if it is out."""
        self._out[item] = not self._out.get(item, False)
        return self.word(Deed.CHECKOUT, item, "m0") if self._out[item] else self.word(Deed.RETURN, item, None)

    def tell(self, words: list[WireWord]) -> list[Verdict]:
        """All verdicts."""
        said: list[Verdict] = []
        for first in range(0, len(words), MAX_WORDS):
            said += self._central.inbox.judge(KIOSK, LOG, words[first : first + MAX_WORDS]).verdicts
        wrong = next((one for one in said if not one.outcome.stands), None)
        if wrong is not None:
            raise AssertionError(f"an act does not stand: {wrong}")
        return said

    def telling(self, item: str) -> Callable[[], object]:
        """The next word of an item, ready to be told."""
        word = self.next_of(item)
        return lambda: self.tell([word])
