"""Pages that are made once for all kiosks lead each of them to central's state, and skip nothing (D5)."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Word
from kiosk.domain.staff import EVERYWHERE, Grant, Role, branch_scope
from sync.central.database import Database
from sync.central.feed import Feed
from sync.central.feed_own import Reader
from sync.central.pages import CHUNK, SNAPSHOT_S, Pages
from sync.packed import unpacked
from sync.wire import CalendarEntry, FeedPage, GoneEntry, ItemEntry

from .conftest import NOON
from .test_feed import key_of

NAMES = {"membership": "MembershipEntry", "item": "ItemEntry", "calendar": "CalendarEntry", "hold": "HoldEntry", "staff": "StaffEntry"}  # fmt: skip


class Kiosk:
    """Reads page by page, as the replica does: laid over what is known, generation by generation."""

    def __init__(self, pages: Pages, number: int, branch: str = "main") -> None:
        self._pages = pages
        self.reader = Reader(bytes([number]) * 32, branch)
        self.cursor: str | None = None
        self.state: dict[tuple[str, str], Any] = {}
        self._named: set[tuple[str, str]] | None = None
        self.last: FeedPage | None = None
        self.read = 0

    def look(self) -> FeedPage:
        ready = self._pages.page(self.cursor, self.reader)
        begun, rest = ready.part.begun, ready.rest(NOON, 0)
        page = msgspec.json.decode(begun.plain() + rest, type=FeedPage)
        assert msgspec.json.decode(unpacked(begun.ended(rest), 10**8), type=FeedPage) == page
        assert ready.empty is (not page.entries and not page.more and not page.snapshot)
        if page.snapshot_begins:
            self._named = set()
        for entry in page.entries:
            if isinstance(entry, GoneEntry):
                assert not page.snapshot
                self.state.pop((NAMES.get(entry.kind, entry.kind), entry.key), None)
            else:
                self.state[key_of(entry)] = entry
                if self._named is not None:
                    self._named.add(key_of(entry))
        if not page.more and self._named is not None:
            self.state = {key: entry for key, entry in self.state.items() if key in self._named}
            self._named = None
        self.cursor, self.last = page.cursor, page
        self.read += len(page.entries)
        return page

    def catch_up(self) -> list[FeedPage]:
        pages = [self.look()]
        while pages[-1].more:
            pages.append(self.look())
        return pages


def truth(feed: Feed, reader: Reader) -> dict[tuple[str, str], Any]:
    """Central's state, read alone."""
    state, cursor, more = {}, None, True
    while more:
        page = feed.page(cursor, reader.index_key, reader.branch)
        state.update({key_of(entry): entry for entry in page.entries})
        cursor, more = page.cursor, page.more
    return state


class Changes:
    """Something happens in the library."""

    def __init__(self, town: Any, dice: random.Random) -> None:
        self._town, self._dice, self._number = town, dice, 0
        self._out: set[str] = set()

    def one(self) -> None:
        self._number += 1
        number, item = self._number, f"C{self._dice.randint(1, 9)}"
        choice = self._dice.random()
        if choice < 0.6:
            deed = Deed.RETURN if item in self._out else Deed.CHECKOUT
            self._out ^= {item}
            self._town.say(Word.FACT, f"act-{number}", deed=deed, item=item, minute=number)
            return
        with self._town.central.registry.change("test") as change:
            if choice < 0.75:
                change.bind_card("ann", CardKind.EASYCARD, f"{number:08X}", take=True)
            elif choice < 0.9:
                items = [
                    ItemEntry(id=f"N{number}-{n}", title=f"書 {n}", branch="main")
                    for n in range(self._dice.randint(1, 12))
                ]
                change.items(items)
            else:
                change.items([ItemEntry(id="C9", title=f"改名 {number}", branch="main")])


@pytest.mark.parametrize("seed", range(12))
def test_whoever_reads_at_whatever_pace_ends_at_centrals_state(town: Any, seed: int) -> None:
    """Small pages and little memory, so that parts are made, joined, dropped and made anew all the time."""
    dice = random.Random(seed)
    now = [0.0]
    town.central.staff.add("chen", "correct horse", [Grant(Role.HEADQUARTERS, EVERYWHERE)], who="test")
    with town.central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east", name="東區分館"))
    town.central.staff.add("lin", "correct horse", [Grant(Role.CIRCULATION, branch_scope("east"))], who="test")
    pages = Pages(
        town.central.feed, page=dice.choice((3, 8, 50)), chunk=dice.choice((2, 5, 11)),
        most_bytes=dice.choice((2_000, 10**6)), seconds=lambda: now[0],
    )  # fmt: skip
    kiosks = [Kiosk(pages, number, ("main", "east")[number % 2]) for number in range(5)]
    changes = Changes(town, dice)
    whole = 0
    for _ in range(120):
        match dice.random():
            case chance if chance < 0.45:
                changes.one()
            case chance if chance < 0.97:
                kiosk = dice.choice(kiosks)
                page = kiosk.catch_up()[-1] if chance > 0.85 else kiosk.look()
                if not page.more:
                    whole += 1
                    assert page.position == town.central.feed.head()
                    assert kiosk.state == truth(town.central.feed, kiosk.reader)
            case _:
                now[0] += dice.choice((1.0, SNAPSHOT_S + 1))
                dice.choice(kiosks).cursor = dice.choice((None, "nonsense"))
    for kiosk in kiosks:
        kiosk.catch_up()
        assert kiosk.state == truth(town.central.feed, kiosk.reader)
        assert not any(name == "StaffEntry" and id_ == "lin" for name, id_ in kiosk.state)
    assert whole > 5


@pytest.fixture
def counted(town: Any) -> Iterator[Callable[[], int]]:
    """How many statements the readers have run."""
    count = [0]
    engine = town.central.database._reader

    def ran(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        count[0] += not statement.startswith("BEGIN")

    event.listen(engine, "before_cursor_execute", ran)
    yield lambda: count[0]
    event.remove(engine, "before_cursor_execute", ran)


LOOK = 2
"""Statements: where the feed stands, and the epoch."""


def test_a_snapshot_is_read_once_however_many_kiosks_want_it(town: Any, counted: Callable[[], int]) -> None:
    assert isinstance(town.central.database, Database)
    pages = Pages(town.central.feed, chunk=4)
    first = Kiosk(pages, 1)
    told = len(first.catch_up())
    before = counted()
    others = [Kiosk(pages, number) for number in range(2, 30)]
    for kiosk in others:
        assert len(kiosk.catch_up()) == told
    assert counted() - before == LOOK * told * len(others)  # and nothing but where it stands
    assert all(kiosk.state.keys() - first.state.keys() for kiosk in others)  # cards: each by its own hashes


def test_a_page_of_one_place_is_read_and_packed_once_for_all(town: Any, counted: Callable[[], int]) -> None:
    pages = Pages(town.central.feed)
    kiosks = [Kiosk(pages, number) for number in range(20)]
    for kiosk in kiosks:
        kiosk.catch_up()
    town.say(Word.FACT, "a")
    kiosks[0].catch_up()
    town.say(Word.FACT, "b", item="C2")
    kiosks[1].catch_up()
    before = counted()
    parts = {id(pages.page(kiosk.cursor, kiosk.reader).part) for kiosk in kiosks[2:]}
    assert len(parts) == 1
    assert counted() - before == LOOK * len(kiosks[2:])
    for kiosk in kiosks:
        (page,) = kiosk.catch_up()
        assert (page.position, page.more) == (town.central.feed.head(), False)
        assert kiosk.state == truth(town.central.feed, kiosk.reader)


def test_who_joins_a_snapshot_later_hears_what_was_taken_away_meanwhile(town: Any) -> None:
    """The trap of a snapshot that is kept: it tells no tombstones, so what is gone since must come after it."""
    pages = Pages(town.central.feed, chunk=3)
    town.say(Word.FACT, "a")
    Kiosk(pages, 1).catch_up()
    town.say(Word.FACT, "r", deed=Deed.RETURN, minute=1)
    late = Kiosk(pages, 2)
    told = late.catch_up()
    assert [page.snapshot for page in told][-2:] == [True, False]
    assert ("loan", "a") not in late.state
    assert late.state == truth(town.central.feed, late.reader)


def test_an_old_snapshot_is_not_joined(town: Any) -> None:
    now = [0.0]
    pages = Pages(town.central.feed, chunk=3, seconds=lambda: now[0])
    Kiosk(pages, 1).catch_up()
    town.say(Word.FACT, "a")
    now[0] += SNAPSHOT_S + 1
    told = Kiosk(pages, 2).catch_up()
    assert all(page.snapshot for page in told)


def test_a_new_epoch_begins_anew_for_everybody(town: Any) -> None:
    pages = Pages(town.central.feed, chunk=3)
    kiosk = Kiosk(pages, 1)
    kiosk.catch_up()
    assert not pages.filling(kiosk.cursor)
    before = kiosk.cursor
    town.central.renew_epoch()
    assert kiosk.look().snapshot_begins
    assert pages.filling(before)
    kiosk.catch_up()
    assert kiosk.state == truth(town.central.feed, kiosk.reader)


def test_a_backlog_longer_than_a_page_comes_in_pages_that_others_use_too(town: Any, counted: Callable[[], int]) -> None:
    pages = Pages(town.central.feed, page=5)
    kiosks = [Kiosk(pages, number) for number in range(3)]
    for kiosk in kiosks:
        kiosk.catch_up()
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=f"L{number}", title="書", branch="main") for number in range(23)])
    told = kiosks[0].catch_up()
    assert [len(page.entries) for page in told] == [5, 5, 5, 5, 3]
    assert [page.position for page in told[:-1]] == [told[0].position] * 4  # moves only when all is there
    before = counted()
    again = kiosks[1].catch_up()
    assert counted() - before <= LOOK * len(again) + 2 * len(again[-1:])  # at most the short end is read again
    assert kiosks[0].state.keys() & kiosks[1].state.keys() >= {("ItemEntry", "L22")}


def test_pages_of_a_snapshot_are_no_larger_than_an_older_kiosk_can_hold() -> None:
    longest = msgspec.json.encode(
        ItemEntry(id="C" * 40, title="書" * 300, author="名" * 100, branch="b" * 40, work="w" * 40)
    )
    assert len(longest) * CHUNK < 32 * 1024 * 1024
