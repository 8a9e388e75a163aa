"""Many writers on one PostgreSQL: no reader passes a late commit, and two processes judge no word twice."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Outcome, Spoken, Word
from kiosk.domain.reconcile import Held
from kiosk.domain.values import IncarnationId, KioskId
from sync.central.database import DatabaseUnusable, Defeated, lock, open_postgresql
from sync.central.feed import Feed, Marks
from sync.central.inbox import Inbox
from sync.central.judge import judge
from sync.central.keys import KeyFileUnusable
from sync.central.office import Central
from sync.central.registry import Change
from sync.central.ruling import Known, Ruling
from sync.wire import CardEntry, ItemEntry

WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("kind", ["postgresql"]),
    pytest.mark.xdist_group("postgresql"),
]


@pytest.fixture
def second(town: Any) -> Any:
    """Another process of the same central, as far as the database can tell."""
    central = Central.open(town.settings, clock=town.clock)
    yield central
    central.close()


def read_all(feed: Feed, cursor: str | None) -> tuple[list[Any], str]:
    entries: list[Any] = []
    while True:
        page = feed.page(cursor, b"", "")
        entries += page.entries
        cursor = page.cursor
        if not page.more:
            return entries, cursor


def test_no_reader_passes_a_commit_that_was_held_back(town: Any, second: Central) -> None:
    _, cursor = read_all(town.central.feed, None)
    held_back, may_end = threading.Event(), threading.Event()

    def late() -> None:
        with town.central.database.write() as connection:
            marks = Marks(connection)
            marks.add("item", "C1")
            marks.write()  # it has its position, and its commit waits
            held_back.set()
            assert may_end.wait(20)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(late)
        assert held_back.wait(20)
        later = pool.submit(change_item, second, "C2")
        entries, cursor = read_all(town.central.feed, cursor)
        assert entries == []
        assert not later.done()  # it waits for its position, so it cannot come before the late one
        may_end.set()
        first.result(20)
        later.result(20)
    entries, _ = read_all(town.central.feed, cursor)
    assert [entry.id for entry in entries] == ["C1", "C2"]


def test_what_comes_back_while_tombstones_are_pruned_stays_in_the_feed(town: Any, second: Central) -> None:
    with town.central.registry.change("test") as change:
        change.bind_card("ann", CardKind.EASYCARD, "99999999")  # 1A2B3C4D is void
    _, cursor = read_all(town.central.feed, None)
    head = town.central.feed.head()
    held_back, may_end = threading.Event(), threading.Event()

    def bind_again() -> None:
        with second.database.write() as connection:
            change = Change(connection, "test", town.clock())
            change.bind_card("ben", CardKind.EASYCARD, "1A2B3C4D")
            change.marks.write()
            held_back.set()
            assert may_end.wait(20)

    with ThreadPoolExecutor(2) as pool:
        binding = pool.submit(bind_again)
        assert held_back.wait(20)
        pruning = pool.submit(town.central.feed.prune, before=head)
        with town.central.database.read() as connection:
            while not connection.execute(BLOCKED).scalar_one():
                assert not pruning.done()
        may_end.set()
        binding.result(20)
        pruning.result(20)
    entries, _ = read_all(town.central.feed, cursor)
    assert [entry.membership for entry in entries if isinstance(entry, CardEntry)] == ["ben"]


def change_item(central: Central, item: str) -> None:
    with central.registry.change("test") as change:
        change.items([ItemEntry(id=item, title="書", branch="main")])


def test_a_reader_beside_many_writers_hears_every_change_once_in_order(town: Any, second: Central) -> None:
    _, cursor = read_all(town.central.feed, None)
    total, writers = 60, 4
    heard: list[str] = []

    def write(number: int) -> None:
        central = (town.central, second)[number % 2]
        for turn in range(total // writers):
            with central.database.write() as connection:
                marks = Marks(connection)
                marks.add("loan", f"{number}-{turn}")  # a key without state: told as gone
                connection.execute(text("SELECT pg_sleep(:s)"), {"s": 0.002 * ((number + turn) % 3)})
                marks.write()
                connection.execute(text("SELECT pg_sleep(:s)"), {"s": 0.002 * (turn % 2)})

    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write, number) for number in range(writers)]
        while True:
            ended = all(one.done() for one in running)
            entries, cursor = read_all(second.feed, cursor)
            heard += [entry.key for entry in entries]
            if ended:
                break
        for one in running:
            one.result()
    assert len(heard) == total
    assert set(heard) == {f"{number}-{turn}" for number in range(writers) for turn in range(total // writers)}
    for number in range(writers):
        assert [key for key in heard if key.startswith(f"{number}-")] == [
            f"{number}-{turn}" for turn in range(total // writers)
        ]


def test_a_word_told_to_two_processes_at_once_is_judged_once(town: Any, second: Central) -> None:
    for number in range(8):
        word = town.word(Word.FACT, f"a{number}", item=f"C{number + 1}")
        with ThreadPoolExecutor(4) as pool:
            said = list(
                pool.map(
                    lambda central: central.inbox.judge("main-1", "log-1", [word]).verdicts[0],  # noqa: B023
                    [town.central, second] * 2,
                )
            )
        assert [verdict for verdict in said if verdict != said[0]] == []
    assert len(town.loans()) == 8
    assert town.cases() == set()


@pytest.mark.parametrize("item", ["C1", "never-seen"])
def test_one_item_asked_for_by_many_at_once_goes_to_one(town: Any, second: Central, item: str) -> None:
    ask = Word.REQUEST if item == "C1" else Word.FACT
    words = [
        (
            f"main-{number}",
            town.word(ask, f"a{number}", membership=who, item=item, kiosk=f"main-{number}", minute=number),
        )
        for number, who in enumerate(["ann", "ben", "ann", "ben"])
    ]
    with ThreadPoolExecutor(4) as pool:
        said = list(
            pool.map(
                lambda pair: pair[0].inbox.judge(pair[1][0], "log-1", [pair[1][1]]).verdicts[0],
                zip(itertools.cycle([town.central, second]), words, strict=False),
            )
        )
    if ask is Word.REQUEST:
        assert sorted(verdict.outcome for verdict in said) == [Outcome.ACCEPTED, *[Outcome.REFUSED] * 3]
    else:  # facts all stand; whatever order they came in, the latest has it and each change of hands is a case
        assert town.loans() == {item: ("a3", "ben")}
        assert {"lent_to_two:a0:a1", "lent_to_two:a1:a2", "lent_to_two:a2:a3"} <= town.cases()


def test_one_membership_at_two_kiosks_at_once_keeps_its_quota(town: Any, second: Central) -> None:
    words = [
        (f"main-{number}", town.word(Word.REQUEST, f"a{number}", item=f"C{number + 1}", kiosk=f"main-{number}"))
        for number in range(6)
    ]
    with ThreadPoolExecutor(6) as pool:
        list(
            pool.map(
                lambda pair: pair[0].inbox.judge(pair[1][0], "log-1", [pair[1][1]]),
                zip(itertools.cycle([town.central, second]), words, strict=False),
            )
        )
    assert len(town.loans()) == 3


def test_batches_that_cross_each_other_all_get_through(town: Any, second: Central) -> None:
    def push(number: int) -> set[Outcome]:
        items = [f"C{place + 1}" for place in range(9)]
        if number % 2:
            items.reverse()
        kiosk = f"main-{number}"
        words = [
            town.word(Word.FACT, f"{kiosk}-{item}", deed=Deed.RETURN, item=item, kiosk=kiosk, minute=number)
            for item in items
        ]
        central = (town.central, second)[number % 2]
        return {verdict.outcome for verdict in central.inbox.judge(kiosk, "log-1", words).verdicts}

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(push, range(6)))
    assert all(Outcome.CASE not in outcomes for outcomes in said)
    assert len(town.central.holdings.acts()) == 54
    assert set(town.central.holdings.acts().values()) == {Held.FACT}


def test_a_deadlock_defeats_one_and_is_told_apart(town: Any, second: Central) -> None:
    both = threading.Barrier(2)

    def cross(central: Central, names: list[str]) -> bool:
        try:
            with central.database.write() as connection:
                lock(connection, names[:1])
                both.wait(20)
                lock(connection, names[1:])
        except Defeated:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(cross, town.central, ["a", "b"]), pool.submit(cross, second, ["b", "a"])]
        assert sorted(one.result(30) for one in ends) == [False, True]


def test_a_batch_that_was_defeated_is_judged_again_without_a_case(town: Any, second: Central) -> None:
    """Another writer takes the membership's row first and then waits for a name that the batch holds."""
    word = town.word(Word.FACT, "a")
    row_taken = threading.Event()

    def other() -> bool:
        try:
            with second.database.write() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '10s'"))  # so that the batch is the one defeated
                connection.execute(text("SELECT id FROM membership WHERE id = 'ann' FOR UPDATE"))
                row_taken.set()
                waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
                while not connection.execute(waiting).scalar():
                    connection.execute(text("SELECT pg_sleep(0.01)"))
                lock(connection, ["item C1"])
        except Defeated:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        rival = pool.submit(other)
        assert row_taken.wait(20)
        verdict = pool.submit(town.tell, word).result(30)[0]
        assert rival.result(30)
    assert verdict.outcome is Outcome.ACCEPTED
    assert town.cases() == set()


def test_two_processes_that_start_on_an_empty_database_both_come_up(
    cluster: Any, new_settings: Callable[[], Any], clock: Any
) -> None:
    from dataclasses import replace

    settings = replace(new_settings(), database=cluster.empty())
    with ThreadPoolExecutor(2) as pool:
        opened = [one.result(60) for one in [pool.submit(Central.open, settings, clock=clock) for _ in range(2)]]
    assert len({central.epoch() for central in opened}) == 1
    for central in opened:
        central.close()


def test_a_key_of_another_database_is_refused(town: Any) -> None:
    key = town.settings.root_key_file()
    key.write_text("00" * 32)
    with pytest.raises(KeyFileUnusable, match="not the key"):
        Central.open(town.settings)
    key.unlink()
    with pytest.raises(KeyFileUnusable, match="recovery copy"):
        Central.open(town.settings)


@pytest.mark.parametrize("address", ["no address", "mysql://a/b", "postgresql:///none?host=/nowhere"])
def test_an_address_that_leads_nowhere_is_told(kind: str, address: str) -> None:
    with pytest.raises(DatabaseUnusable):
        open_postgresql(address)


def test_forgetting_waits_for_a_batch_that_judges_another_copy_of_the_work(town: Any, second: Central) -> None:
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=item, title="書", branch="main", work="w") for item in ("A1", "A2")])
    town.say(Word.FACT, "h", deed=Deed.PLACE_HOLD, membership="ben", item="A1")
    town.say(Word.FACT, "c", deed=Deed.CANCEL_HOLD, membership="ben", item="A1", minute=1, hold="h")
    town.clock.go(days=100)
    judging, may_end = threading.Event(), threading.Event()

    def slowly(spoken: Spoken, known: Known) -> Ruling:
        judging.set()
        assert may_end.wait(20)
        return judge(spoken, known)

    inbox = Inbox(town.central.database, town.clock, slowly)
    word = town.word(Word.FACT, "a", membership="ann", item="A2", minute=2)
    with ThreadPoolExecutor(2) as pool:
        told = pool.submit(inbox.judge, KioskId("main-1"), IncarnationId("log-1"), [word])
        assert judging.wait(20)
        forgetting = pool.submit(second.retention.run)
        with town.central.database.read() as connection:
            while not connection.execute(WAITING).scalar_one():
                assert not forgetting.done()
        may_end.set()
        told.result(20)
        assert forgetting.result(20).acts == 2
