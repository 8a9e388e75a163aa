"""The feed resumes where it stopped, tells what is gone, and starts anew when a cursor is worth nothing."""

import hashlib
import hmac
from typing import Any

import pytest
from sqlalchemy import select

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Word
from kiosk.domain.lending import Standing
from sync.central import tables
from sync.central.feed import Cursor, Feed, Page
from sync.central.records import surname_only
from sync.central.tombstones import Tombstones
from sync.wire import (
    CardEntry,
    GoneEntry,
    ItemEntry,
    LibraryEntry,
    LoanEntry,
    MembershipEntry,
    PolicyEntry,
    TermEntry,
)

KEY = b"k" * 32


def read_all(feed: Feed, cursor: str | None = None) -> tuple[list[Any], list[Page]]:
    pages = []
    while True:
        page = feed.page(cursor, KEY, "")
        pages.append(page)
        cursor = page.cursor
        if not page.more:
            return [entry for page in pages for entry in page.entries], pages


def key_of(entry: Any) -> tuple[str, str]:
    match entry:
        case GoneEntry():
            return entry.kind, entry.key
        case LoanEntry():
            return "loan", entry.act
        case CardEntry():
            return "card", entry.index
        case PolicyEntry():
            return "policy", entry.policy_version
        case LibraryEntry():
            return "library", entry.code
        case TermEntry():
            return "term", entry.key
        case _:
            return type(entry).__name__, getattr(entry, "id", None) or entry.branch


def apply(entries: list[Any]) -> dict[tuple[str, str], Any]:
    state: dict[tuple[str, str], Any] = {}
    for entry in entries:
        if isinstance(entry, GoneEntry):
            name = {"membership": "MembershipEntry", "item": "ItemEntry"}.get(entry.kind, entry.kind)
            state.pop((name, entry.key), None)
        else:
            state[key_of(entry)] = entry
    return state


def test_a_snapshot_in_small_pages_holds_everything_once(town: Any) -> None:
    town.say(Word.FACT, "a")
    town.say(Word.FACT, "b", item="C2")
    town.say(Word.FACT, "r", deed=Deed.RETURN, item="C2", minute=5)
    entries, pages = read_all(Feed(town.central.database, page_size=4))
    assert [page.snapshot_begins for page in pages] == [True] + [False] * (len(pages) - 1)
    assert all(page.snapshot for page in pages)
    assert all(page.position == 0 for page in pages[:-1])
    assert pages[-1].position == town.central.feed.head()
    assert {page.goal for page in pages} == {pages[-1].read} == {town.central.feed.head()}
    assert [page.read for page in pages] == sorted({page.read for page in pages})
    keys = [key_of(entry) for entry in entries]
    assert len(set(keys)) == len(keys)
    assert not any(isinstance(entry, GoneEntry) for entry in entries)
    assert [entry.act for entry in entries if isinstance(entry, LoanEntry)] == ["a"]
    assert len([entry for entry in entries if isinstance(entry, ItemEntry)]) == 12


def test_what_changes_during_a_snapshot_arrives_after_it(town: Any) -> None:
    feed = Feed(town.central.database, page_size=3)
    town.say(Word.FACT, "a")
    first = feed.page(None, KEY, "")
    town.say(Word.FACT, "r", deed=Deed.RETURN, minute=1)
    town.say(Word.FACT, "b", item="C2")
    rest, pages = read_all(feed, first.cursor)
    assert not any(page.snapshot_begins for page in pages)
    assert apply([*first.entries, *rest]) == apply(read_all(feed)[0])
    assert pages[-1].position == feed.head()


def test_deltas_carry_new_states_and_tombstones(town: Any) -> None:
    feed = town.central.feed
    _, pages = read_all(feed)
    town.say(Word.FACT, "a")
    verdict = town.say(Word.FACT, "b", item="C2")
    page = feed.page(pages[-1].cursor, KEY, "")
    assert [entry.act for entry in page.entries] == ["a", "b"]
    assert (page.snapshot, page.more, page.position) == (False, False, verdict.position)
    town.say(Word.FACT, "r", deed=Deed.RETURN, minute=9)
    with town.central.registry.change("test") as change:
        change.stand("eve", Standing.CLOSED)
        change.bind_card("ann", CardKind.EASYCARD, "99999999")
    page = feed.page(page.cursor, KEY, "")
    old = hmac.new(KEY, b"1A2B3C4D", hashlib.sha256).hexdigest()
    new = hmac.new(KEY, b"99999999", hashlib.sha256).hexdigest()
    assert page.entries == [
        GoneEntry(kind="loan", key="a"),
        GoneEntry(kind="membership", key="eve"),
        GoneEntry(kind="card", key=old),
        CardEntry(index=new, membership="ann", kind=CardKind.EASYCARD),
    ]
    assert feed.page(page.cursor, KEY, "").entries == []


def test_a_card_bound_anew_moves_and_is_not_gone(town: Any) -> None:
    _, pages = read_all(town.central.feed)
    with town.central.registry.change("test") as change:
        change.bind_card("ben", CardKind.EASYCARD, "1A2B3C4D", take=True)
    (entry,) = town.central.feed.page(pages[-1].cursor, KEY, "").entries
    assert (entry.membership, entry.kind) == ("ben", CardKind.EASYCARD)


def test_a_new_policy_ends_the_one_before(town: Any) -> None:
    _, pages = read_all(town.central.feed)
    entries, _ = read_all(town.central.feed)
    (policy,) = [entry for entry in entries if isinstance(entry, PolicyEntry)]
    with town.central.registry.change("test") as change:
        change.policy(PolicyEntry(policy_version="test-2", patron_rules=policy.patron_rules, loan_rules=[]))
    gone, new = town.central.feed.page(pages[-1].cursor, KEY, "").entries
    assert gone == GoneEntry(kind="policy", key="test-1")
    assert new.policy_version == "test-2"


def test_names_and_numbers_leave_central_only_masked(town: Any) -> None:
    entries, _ = read_all(town.central.feed)
    names = {entry.id: entry.display_name for entry in entries if isinstance(entry, MembershipEntry)}
    assert (names["ann"], names["ben"]) == ("王○", "歐陽○")
    text = repr(entries)
    for secret in ("小明", "小華", "1A2B3C4D", "P0000002"):
        assert secret not in text
    assert surname_only("Smith") == "S○"


@pytest.mark.parametrize(
    "cursor",
    ["", "garbage", "!" * 50, "x" * 5000, "書", "MS4", Cursor("0123", 1, 1).text(), Cursor("epoch", 10**9, 1).text()],
    ids=range(8),
)
def test_a_worthless_cursor_gets_a_snapshot(town: Any, cursor: str) -> None:
    page = town.central.feed.page(cursor.replace("epoch", town.central.epoch()), KEY, "")
    assert page.snapshot_begins


def test_a_new_epoch_makes_old_cursors_worthless(town: Any) -> None:
    _, pages = read_all(town.central.feed)
    town.central.renew_epoch()
    assert town.central.feed.page(pages[-1].cursor, KEY, "").snapshot_begins


def test_a_cursor_older_than_the_kept_tombstones_gets_a_snapshot(town: Any) -> None:
    feed = town.central.feed
    _, early = read_all(feed)
    town.say(Word.FACT, "a")
    town.say(Word.FACT, "r", deed=Deed.RETURN, minute=1)
    _, late = read_all(feed, early[-1].cursor)
    feed.prune(before=feed.head())
    assert feed.page(early[-1].cursor, KEY, "").snapshot_begins
    assert not feed.page(late[-1].cursor, KEY, "").snapshot_begins
    assert len(read_all(feed)[0]) == len(apply(read_all(feed)[0]))


def test_a_void_card_number_is_no_key_in_the_feed_for_ever(town: Any) -> None:
    feed, tombstones = town.central.feed, Tombstones(town.central.database, town.central.feed, town.clock)

    def known() -> bool:
        with town.central.database.read() as connection:
            keys = connection.execute(select(tables.feed.c.key).where(tables.feed.c.kind == "card")).scalars().all()
        return "1A2B3C4D" in keys

    with town.central.registry.change("test") as change:
        change.bind_card("ann", CardKind.EASYCARD, "99990000")
    _, pages = read_all(feed)
    assert tombstones.forget_old() == 0
    town.clock.go(days=29)
    assert tombstones.forget_old() == 0
    assert known()
    assert not feed.page(pages[-1].cursor, KEY, "").snapshot_begins
    town.say(Word.FACT, "later", minute=29 * 24 * 60 + 1)
    town.clock.go(days=2)
    assert tombstones.forget_old() == pages[-1].position
    assert not known()
    assert not feed.page(pages[-1].cursor, KEY, "").snapshot_begins  # it has read all that was forgotten
    town.clock.go(days=31)
    assert tombstones.forget_old() > pages[-1].position
    assert feed.page(pages[-1].cursor, KEY, "").snapshot_begins


def test_every_verdict_names_the_position_of_its_effect(town: Any) -> None:
    head = town.central.feed.head()
    first, second = town.tell(town.word(Word.REQUEST, "a"), town.word(Word.REQUEST, "b", item="C2"))
    assert (first.position, second.position) == (head + 1, head + 2)
    refused = town.say(Word.REQUEST, "c", membership="ben")
    assert refused.position == head + 2
    assert first.epoch == town.central.epoch()
