"""What the kiosk knows: pages laid over what was known, whole or resumed, and card numbers that only this kiosk finds."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk_sync import ANN, BOB, CARD, DUE, INDEX_KEY, KEY, NOON, card, copy, lent, open_replica, page, patron, rules

from kiosk.domain.calendar import Calendar
from kiosk.domain.holds import HoldState
from kiosk.domain.identity import CardKind
from kiosk.domain.lending import ItemState, Standing
from kiosk.domain.values import ActId, BranchId, ItemId, WorkId
from kiosk.ports import CardHit
from sync import wire
from sync.encrypted import connect, migrated
from sync.replica import FILE, HEAD, SLICE, Place, Replica, ReplicaWriter, prepare

ONE = ItemId("C0000001")
MAIN = BranchId("main")
Files = tuple[ReplicaWriter, Replica]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    writer, reader = open_replica(tmp_path)
    yield writer, reader
    writer.close()
    reader.close()


def everything(reader: Replica) -> list[tuple[object, ...]]:
    rows = []
    for table in ("membership", "card", "item", "loan", "hold", "calendar", "policy", "library", "term"):
        rows += [(table, *row) for row in reader._db.execute(f"SELECT * FROM {table}").fetchall()]
    return sorted(rows, key=repr)


def test_an_empty_replica_knows_nothing_and_has_no_place(files: Files) -> None:
    _, reader = files
    assert reader.place() == Place(epoch="", position=-1, fresh_at=None)
    assert (reader.card(CARD), reader.membership(ANN), reader.item(ONE), reader.policy()) == (None, None, None, None)
    assert (reader.loan_of(ONE), reader.loans_of(ANN)) == (None, ())
    assert reader.calendar(MAIN) == Calendar()


def test_every_kind_of_entry_comes_back_as_the_feed_told_it(files: Files) -> None:
    writer, reader = files
    who = patron(
        standing=Standing.BLOCKED, expires_on=date(2027, 1, 2), suspended_until=date(2026, 12, 1), owed=20,
        holds_suspended_until=date(2026, 12, 9),
    )  # fmt: skip
    what = copy(
        author="某人",
        item_type="dvd",
        state=ItemState.MISSING,
        desk_only=True,
        reserved_for=BOB,
        desensitise=True,
        work="w1",
    )
    days = wire.CalendarEntry(
        branch="main",
        name="總館",
        closed_weekdays=[0],
        closed_days=[date(2026, 12, 25)],
        open_days=[date(2026, 12, 28)],
    )
    loan = lent(renewals=2)
    hold = wire.HoldEntry(
        id="h1", membership=ANN, work="w1", asked=ONE, branch="main", placed_at=NOON, state=HoldState.READY, item=ONE,
        ready_until=NOON + timedelta(days=7),
    )  # fmt: skip
    writer.apply(page(who, card(), what, loan, hold, days, rules(), begins=True), NOON)
    assert reader.holds_on(WorkId("w1")) == reader.holds_of(ANN) == (hold.hold(),)
    assert reader.hold(ActId("h1")) == hold.hold()
    assert (reader.branch_name(MAIN), reader.branch_name(BranchId("east"))) == ("總館", "east")
    assert reader.membership(ANN) == who.membership()
    assert reader.card(CARD) == CardHit(ANN, CardKind.EASYCARD)
    assert reader.item(ONE) == what.item()
    assert reader.loan_of(ONE) == loan.loan()
    assert reader.loans_of(ANN) == (loan.loan(),)
    assert reader.calendar(MAIN) == days.calendar()
    assert reader.policy() == rules().policy()
    assert reader.place() == Place(epoch="e1", position=10, fresh_at=NOON, heard_at=NOON)


def test_libraries_and_words_come_and_go_with_the_feed(files: Files) -> None:
    writer, reader = files
    city = wire.LibraryEntry(code="city", name="市立圖書館", kind="of_tomorrow")
    adult = wire.TermEntry(key="category:adult", zh="成人", en="Adult")
    writer.apply(page(city, adult, begins=True), NOON)
    writer.apply(page(wire.CalendarEntry(branch="main", library="city"), position=10), NOON)
    assert (reader.library_name(MAIN), reader.library_name(BranchId("east"))) == ("市立圖書館", "")
    assert reader._db.execute("SELECT key, zh, en FROM term").fetchall() == [("category:adult", "成人", "Adult")]
    gone = [wire.GoneEntry(kind="library", key="city"), wire.GoneEntry(kind="term", key="category:adult")]
    writer.apply(page(*gone, position=11), NOON)
    assert reader.library_name(MAIN) == ""
    assert reader._db.execute("SELECT * FROM term").fetchall() == []


def test_a_replica_of_the_program_before_is_carried_up_and_knows_its_branch_as_before(tmp_path: Path) -> None:
    migrated(tmp_path / FILE, KEY, "replica", HEAD)
    old = connect(tmp_path / FILE, KEY, durable=False)
    old.execute("DROP TABLE library")
    old.execute("DROP TABLE term")
    old.execute("UPDATE alembic_version SET version_num = 'replica_0004'")
    body = b'{"type":"calendar","branch":"main","name":"\xe7\xb8\xbd\xe9\xa4\xa8","closed_weekdays":[0]}'
    old.execute("INSERT INTO calendar VALUES ('main', ?, 1)", (body,))
    old.close()
    prepare(tmp_path, KEY)
    reader = Replica(tmp_path, KEY, INDEX_KEY)
    assert reader.branch_name(MAIN) == "總館"
    assert reader.calendar(MAIN) == Calendar(closed_weekdays=frozenset({0}))
    assert reader.library_name(MAIN) == ""
    reader.close()


def test_a_card_is_found_by_this_kiosks_index_key_only(files: Files, tmp_path: Path) -> None:
    writer, reader = files
    writer.apply(page(patron(), card(), begins=True), NOON)
    stranger = Replica(tmp_path, KEY, bytes(32))
    assert reader.card(CARD) is not None
    assert stranger.card(CARD) is None
    assert reader.card(CARD.lower()) is None
    writer.apply(page(card("C031A193", BOB, index_key=bytes(32)), position=11), NOON)
    assert reader.card("C031A193") is None
    stranger.close()


def test_a_change_replaces_the_row_and_a_tombstone_takes_it_away(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(), card(), copy(), lent(), rules(), begins=True), NOON)
    writer.apply(page(patron(owed=5), copy(title="新書名"), position=11), NOON)
    assert reader.membership(ANN) == patron(owed=5).membership()
    assert reader.item(ONE) == copy(title="新書名").item()
    gone = [
        wire.GoneEntry(kind="membership", key=ANN),
        wire.GoneEntry(kind="card", key=card().index),
        wire.GoneEntry(kind="item", key=ONE),
        wire.GoneEntry(kind="loan", key="elsewhere"),
        wire.GoneEntry(kind="policy", key="p1"),
        wire.GoneEntry(kind="calendar", key="never known"),
    ]
    writer.apply(page(*gone, position=12, cursor="c12"), NOON + timedelta(minutes=1))
    assert everything(reader) == []
    assert reader.place() == Place(epoch="e1", position=12, fresh_at=NOON + timedelta(minutes=1), heard_at=NOON)


def test_the_newest_rules_count_even_when_one_backlog_brings_several(files: Files) -> None:
    writer, reader = files
    writer.apply(page(rules("p1"), position=10, begins=True), NOON)
    writer.apply(page(rules("p2"), rules("p5", quota=1), position=10, more=True), NOON)
    policy = reader.policy()
    assert policy is not None
    assert policy.version == "p5"


def test_a_page_applied_twice_changes_nothing(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(), card(), copy(1), copy(2), begins=True), NOON)
    delta = page(patron(owed=1), wire.GoneEntry(kind="item", key="C0000002"), lent(), position=11, cursor="c11")
    writer.apply(delta, NOON)
    once = everything(reader), reader.place(), writer.cursor()
    writer.apply(delta, NOON)
    assert (everything(reader), reader.place(), writer.cursor()) == once


def test_half_way_through_a_snapshot_the_old_knowledge_serves(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(ANN), patron(BOB), copy(1), copy(2), begins=True), NOON)
    old = reader.place()
    new = {"epoch": "e2", "position": 0}
    writer.apply(page(patron(ANN, owed=9), more=True, begins=True, cursor="s1", **new), NOON)  # type: ignore[arg-type]
    assert reader.place() == old
    assert reader.membership(BOB) is not None
    assert reader.membership(ANN) == patron(owed=9).membership()
    assert writer.cursor() == "s1"
    writer.apply(page(copy(1), epoch="e2", position=30, cursor="s2"), NOON)
    assert reader.place() == Place(epoch="e2", position=30, fresh_at=NOON, heard_at=NOON)
    assert (reader.membership(BOB), reader.item(ItemId("C0000002"))) == (None, None)
    assert (reader.membership(ANN) is not None, reader.item(ONE) is not None) == (True, True)


def test_a_snapshot_broken_off_resumes_where_its_last_page_was(files: Files, tmp_path: Path) -> None:
    writer, reader = files
    writer.apply(page(patron(BOB), begins=True), NOON)
    writer.apply(page(patron(ANN), more=True, begins=True, cursor="s1"), NOON)
    writer.close()
    again = ReplicaWriter(tmp_path, KEY)
    assert again.cursor() == "s1"
    again.apply(page(copy(1), cursor="s2", position=40), NOON)
    assert (reader.membership(ANN) is not None, reader.membership(BOB), again.cursor()) == (True, None, "s2")
    again.close()


def test_a_snapshot_begun_anew_forgets_what_only_the_broken_one_named(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(BOB), more=True, begins=True, cursor="s1"), NOON)
    writer.apply(page(patron(ANN), begins=True, cursor="s9"), NOON)
    assert (reader.membership(ANN) is not None, reader.membership(BOB)) == (True, None)


def test_a_snapshots_cards_are_found_once_it_is_whole_and_the_last_word_on_a_number_counts(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(ANN), patron(BOB), card(CARD, ANN), card("0003", BOB), begins=True), NOON)
    first = page(card(CARD, ANN), card("0001", ANN), more=True, begins=True, cursor="s1")
    writer.apply(first, NOON)
    assert reader.card("0001") is None
    assert reader.card("0003") == CardHit(BOB, CardKind.EASYCARD)  # the old knowledge serves
    writer.apply(page(card(CARD, BOB), patron(ANN), patron(BOB), snapshot=True, cursor="s2"), NOON)
    assert reader.card(CARD) == CardHit(BOB, CardKind.EASYCARD)
    assert reader.card("0001") == CardHit(ANN, CardKind.EASYCARD)
    assert reader.card("0003") is None


def test_a_snapshot_broken_off_keeps_the_cards_it_has_brought(files: Files, tmp_path: Path) -> None:
    writer, reader = files
    writer.apply(page(card("0001", ANN), more=True, begins=True, cursor="s1"), NOON)
    writer.close()
    again = ReplicaWriter(tmp_path, KEY)
    again.apply(page(card("0002", BOB), snapshot=True, cursor="s2"), NOON)
    assert (reader.card("0001"), reader.card("0002")) == (
        CardHit(ANN, CardKind.EASYCARD),
        CardHit(BOB, CardKind.EASYCARD),
    )
    again.close()


def test_a_card_voided_after_the_snapshot_stays_void_and_one_begun_anew_forgets_the_broken_ones_cards(
    files: Files,
) -> None:
    writer, reader = files
    writer.apply(page(card("0009", BOB), more=True, begins=True, cursor="s1"), NOON)
    writer.apply(page(card(CARD, ANN), more=True, begins=True, cursor="s2"), NOON)
    index = card(CARD, ANN).index
    writer.apply(page(wire.GoneEntry(kind="card", key=index), position=44, cursor="s3"), NOON)
    assert (reader.card(CARD), reader.card("0009")) == (None, None)


def test_a_snapshot_that_ends_in_a_backlog_of_changes_is_swept_at_the_end(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(BOB), copy(2), begins=True), NOON)
    writer.apply(page(patron(ANN), more=True, begins=True, position=0, cursor="s1"), NOON)
    writer.apply(page(copy(1), more=True, position=0, cursor="s2"), NOON)
    assert reader.membership(BOB) is not None
    writer.apply(page(patron(ANN, owed=3), position=44, cursor="s3"), NOON)
    assert [row[:2] for row in everything(reader)] == [("item", "C0000001"), ("membership", "m-ann")]
    assert reader.place().position == 44


def test_a_long_page_goes_in_slices_and_is_whole(files: Files) -> None:
    writer, reader = files
    total = 2 * SLICE + 7
    writer.apply(page(*[copy(number) for number in range(total)], begins=True), NOON)
    assert len(everything(reader)) == total
    writer.apply(page(copy(1), begins=True, cursor="s2"), NOON)
    assert len(everything(reader)) == 1


def test_only_the_last_page_makes_the_knowledge_fresh(files: Files) -> None:
    writer, reader = files
    writer.apply(page(patron(), begins=True), NOON)
    writer.apply(page(copy(1), more=True, position=11), NOON + timedelta(hours=1))
    assert reader.place().fresh_at == NOON
    writer.apply(page(position=12), NOON + timedelta(hours=2))
    assert reader.place().fresh_at == NOON + timedelta(hours=2)


def test_an_item_handed_on_between_two_slices_belongs_to_its_newest_loan(files: Files) -> None:
    writer, reader = files
    writer.apply(page(lent(by="old"), begins=True), NOON)
    newer = wire.LoanEntry(act="new", membership=BOB, item=ONE, lent_at=NOON, due_at=DUE)
    writer.apply(page(newer, position=11, more=True), NOON)
    holder = reader.loan_of(ONE)
    assert holder is not None
    assert holder.membership == BOB


entries = st.one_of(
    st.builds(lambda n, owed: patron(f"m{n}", owed=owed), st.integers(0, 4), st.integers(0, 3)),
    st.builds(lambda n, t: copy(n, title=f"t{t}"), st.integers(0, 4), st.integers(0, 3)),
    st.builds(lambda n, who: card(f"000{n}", who), st.integers(0, 4), st.sampled_from([ANN, BOB])),
    st.builds(lambda n: wire.GoneEntry(kind="card", key=card(f"000{n}").index), st.integers(0, 4)),
    st.builds(lambda n: wire.GoneEntry(kind="membership", key=f"m{n}"), st.integers(0, 4)),
    st.builds(lambda n: wire.GoneEntry(kind="item", key=f"C{n:07}"), st.integers(0, 4)),
)


@given(feed=st.lists(entries, min_size=1, max_size=16), cuts=st.lists(st.integers(1, 5), max_size=8), data=st.data())
@settings(max_examples=25, deadline=None)
def test_however_the_feed_is_cut_and_repeated_the_replica_ends_alike(
    feed: list[wire.FeedEntry], cuts: list[int], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole_writer, whole = open_replica(tmp_path_factory.mktemp("whole"))
    whole_writer.apply(page(begins=True), NOON)
    whole_writer.apply(page(*feed, position=11), NOON)
    writer, reader = open_replica(tmp_path_factory.mktemp("cut"))
    writer.apply(page(begins=True), NOON)
    rest, number = list(feed), 0
    while rest:
        size = cuts[number] if number < len(cuts) else len(rest)
        part, rest, number = rest[:size], rest[size:], number + 1
        for _ in range(data.draw(st.integers(1, 2))):
            writer.apply(page(*part, position=10 + number, more=bool(rest)), NOON)
    assert [row[:-1] for row in everything(reader)] == [row[:-1] for row in everything(whole)]
    for each in (whole_writer, whole, writer, reader):
        each.close()
    assert INDEX_KEY != KEY


def test_a_snapshot_tells_how_far_it_is_over_a_restart_until_it_is_whole(tmp_path: Path) -> None:
    feed, reader = open_replica(tmp_path)
    assert feed.filling() is None
    for read, entries in ((0, [patron()]), (250, [card()]), (999, [copy(1)])):
        told = page(*entries, begins=read == 0, snapshot=True, more=True, cursor=f"c{read}")
        feed.apply(msgspec.structs.replace(told, read=read, goal=1000), NOON)
    feed.close()
    feed, _ = open_replica(tmp_path)
    assert (feed.filling(), reader.filling(), feed.cursor()) == (99, 99, "c999")
    feed.apply(msgspec.structs.replace(page(copy(2), snapshot=True), read=1000, goal=1000), NOON)
    assert feed.filling() is None
    feed.apply(msgspec.structs.replace(page(copy(3), more=True), read=1001, goal=2000), NOON)
    assert feed.filling() is None  # a backlog is no fill: everything is known, only not the newest
    feed.close()
    reader.close()
