"""What a newer program says stops nothing that is understood, and is read so that nothing is lent by mistake."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from kiosk_sync import ANN, CARD, INDEX_KEY, KEY, NOON, SyncKiosk, act, card, copy, page, patron, rules, verdict

from kiosk.domain.holds import HoldState
from kiosk.domain.journal import Deed, Mode, Outcome, Word
from kiosk.domain.lending import HoldQueue, ItemState, MissingItem, Standing
from kiosk.domain.staff import Entry
from kiosk.domain.values import ItemId, Reason
from kiosk.ports import AnswerMissing, VerdictCame
from sync import replica, stick, tolerant, wire
from sync.central.calendars import Day, with_day, with_hours
from sync.replica import Replica, ReplicaWriter

AT = NOON.isoformat()


def told(message: msgspec.Struct, **changes: object) -> dict[str, Any]:
    """As JSON, with other values."""
    return {**json.loads(msgspec.json.encode(message)), **changes}


def read(shape: type[Any], message: object) -> Any:
    return tolerant.decode(json.dumps(message).encode(), shape)


def feed(*entries: object) -> wire.FeedPage:
    found: wire.FeedPage = read(wire.FeedPage, told(page(), entries=list(entries)))
    return found


# --- the feed ----------------------------------------------------------------------------------------------------


HOLD = wire.HoldEntry(id="h", membership=ANN, work="w", asked="C0000001", branch="main", placed_at=NOON)


@pytest.mark.parametrize(
    ("entry", "field", "safe"),
    [
        (patron(), "standing", Standing.BLOCKED),
        (copy(), "state", ItemState.NOT_FOR_LOAN),
        (HOLD, "state", HoldState.ON_THE_WAY),
        (rules(), "missing_item", MissingItem.TO_DESK),
        (rules(), "hold_queue", HoldQueue.STRICT),
    ],
)
def test_a_value_that_is_not_known_is_read_as_the_careful_one(entry: wire.StateEntry, field: str, safe: object) -> None:
    found = feed(told(entry, **{field: "of_tomorrow"}), told(copy(9)))
    assert getattr(found.entries[0], field) is safe
    assert found.entries[1] == copy(9)
    assert found.passed_over == 1


def test_an_entry_of_another_type_is_passed_over_and_counted() -> None:
    found = feed(
        told(copy(1)),
        {"type": "room", "id": "r1", "seats": 4},
        told(copy(2)),
        {"type": "gone", "kind": "room", "key": "r1"},
    )
    assert found.entries == [copy(1), copy(2)]
    assert found.passed_over == 2


class EarlierCalendar(msgspec.Struct, tag_field="type", tag="calendar"):
    """As programs read it that knew neither hours nor reasons nor libraries."""

    branch: str
    name: str = ""
    closed_weekdays: list[int] = msgspec.field(default_factory=list)
    closed_days: list[date] = msgspec.field(default_factory=list)
    open_days: list[date] = msgspec.field(default_factory=list)


def test_an_earlier_kiosk_reads_of_a_branch_what_counts_for_due_dates() -> None:
    entry = wire.CalendarEntry(branch="main", name="總館", library="city")
    entry = with_hours(entry, {"mon": "closed", "tue": "08:30-21:00"})
    entry = with_day(entry, Day(date(2026, 12, 22), open=False, reason="颱風"))
    read_as = msgspec.json.decode(msgspec.json.encode(entry), type=EarlierCalendar)
    assert (read_as.name, read_as.closed_weekdays, read_as.closed_days) == ("總館", [0], [date(2026, 12, 22)])
    of_earlier = msgspec.json.decode(msgspec.json.encode(read_as), type=wire.CalendarEntry)
    assert of_earlier.calendar() == entry.calendar()


def test_what_is_known_of_a_card_whose_kind_is_not_known_is_forgotten() -> None:
    (entry,) = feed(told(card(), kind="implant")).entries
    assert entry == wire.GoneEntry(kind="card", key=card().index)


def test_a_plain_page_counts_nothing_and_a_broken_one_is_refused() -> None:
    assert feed(told(copy(1))).passed_over == 0
    for broken in ({"entries": 3}, {"entries": [3]}, {"cursor": None}, {"now": "noon"}):
        with pytest.raises(msgspec.ValidationError):
            read(wire.FeedPage, told(page(copy(1)), **broken))


def test_what_was_passed_over_is_asked_for_again_by_another_program_only(tmp_path: Path) -> None:
    replica.prepare(tmp_path, KEY)
    old = ReplicaWriter(tmp_path, KEY, "1.0")
    old.apply(msgspec.structs.replace(page(patron(), begins=True), passed_over=1), NOON)
    old.apply(page(copy(1), cursor="c11", position=11), NOON)
    assert old.cursor() == "c11"
    old.close()
    new = ReplicaWriter(tmp_path, KEY, "1.1")
    assert new.cursor() == ""
    new.apply(page(patron(), card(), copy(1), begins=True, cursor="c12", position=12), NOON)
    assert new.cursor() == "c12"
    new.close()
    reader = Replica(tmp_path, KEY, INDEX_KEY)
    assert reader.card(CARD) is not None
    assert reader.item(ItemId("C0000001")) is not None
    reader.close()


# --- verdicts ----------------------------------------------------------------------------------------------------


def answer(*verdicts: object) -> wire.Pushed:
    pushed: wire.Pushed = read(wire.Pushed, {"epoch": "e1", "now": AT, "held_through": 1, "verdicts": list(verdicts)})
    return pushed


@pytest.mark.parametrize("outcome", [Outcome.NOTED, Outcome.REFUSED, Outcome.CASE])
def test_a_reason_that_is_not_known_becomes_the_general_one_and_the_outcome_stands(outcome: Outcome) -> None:
    one = told(
        wire.WireVerdict.of(verdict(act(), outcome=outcome)), reason="of_tomorrow", details={"n": 1, "list": [1]}
    )
    (read_one,) = answer(one).verdicts
    assert (read_one.outcome, read_one.reason, read_one.details) == (outcome, Reason.OTHER, {"n": 1})


@pytest.mark.parametrize(("word", "outcome"), [(Word.FACT, Outcome.CASE), (Word.WITHDRAWAL, Outcome.CANCELLED)])
def test_of_an_outcome_that_is_not_known_a_last_word_is_held(word: Word, outcome: Outcome) -> None:
    (one,) = answer(told(wire.WireVerdict.of(verdict(act(), word)), outcome="postponed")).verdicts
    assert one.outcome is outcome


def test_a_request_with_an_outcome_that_is_not_known_has_no_verdict(tmp_path: Path) -> None:
    kiosk = SyncKiosk(tmp_path)
    kiosk.turns()
    kiosk.heard()
    said = kiosk.says(Word.REQUEST, act(mode=Mode.ONLINE))
    strange = told(wire.WireVerdict.of(verdict(said, Word.REQUEST)), outcome="postponed")
    content = json.dumps({"epoch": "e1", "now": AT, "verdicts": [strange]}).encode()
    kiosk.central.broken = lambda path: httpx2.Response(200, content=content) if path == "/v1/acts" else None
    kiosk.sync.ask(said.id)
    kiosk.turns()
    assert len(kiosk.heard(AnswerMissing)) == 1
    kiosk.log.close()


def test_a_newer_reason_does_not_end_online_mode(tmp_path: Path) -> None:
    kiosk = SyncKiosk(tmp_path)
    kiosk.turns()
    kiosk.heard()
    said = kiosk.says(Word.REQUEST, act(mode=Mode.ONLINE))
    strange = told(wire.WireVerdict.of(verdict(said, Word.REQUEST, Outcome.REFUSED)), reason="of_tomorrow")
    content = json.dumps({"epoch": "e1", "now": AT, "verdicts": [strange]}).encode()
    kiosk.central.broken = lambda path: httpx2.Response(200, content=content) if path == "/v1/acts" else None
    kiosk.sync.ask(said.id)
    kiosk.turns()
    (came,) = kiosk.heard()
    assert isinstance(came, VerdictCame)
    assert (came.verdict.outcome, came.verdict.reason) == (Outcome.REFUSED, Reason.OTHER)
    kiosk.log.close()


def test_an_order_of_a_kind_that_is_not_known_is_no_order() -> None:
    envelope = {"epoch": "e1", "now": AT, "order": {"farewell": "sell", "signature": "x"}}
    assert read(wire.Envelope, envelope).order is None
    assert read(wire.StaffTold, {**envelope, "entry": "perhaps"}).entry is Entry.WRONG


# --- words -------------------------------------------------------------------------------------------------------


def word(**changes: object) -> dict[str, Any]:
    return {
        "sequence": 1, "word": "fact", "act": "a1", "deed": "return", "item": "C1", "branch": "main",
        "happened_at": AT, "mode": "offline", **changes,
    }  # fmt: skip


def test_words_about_strange_things_are_marked_and_the_others_are_read_as_they_are() -> None:
    words = [word(), word(deed="pay", mode="dreaming"), word(word="correction"), word(entry="perhaps")]
    push = read(wire.Push, {"incarnation": "i", "words": words})
    assert [each.strange for each in push.words] == ["", "deed pay", "word correction", ""]
    assert (push.words[1].mode, push.words[2].word, push.words[3].entry) == (Mode.OFFLINE, Word.FACT, Entry.WRONG)
    assert push.words[0] == wire.WireWord(
        sequence=1,
        word=Word.FACT,
        act="a1",
        deed=Deed.RETURN,
        item="C1",
        branch="main",
        happened_at=NOON,
        mode=Mode.OFFLINE,
    )


@pytest.mark.parametrize("broken", [{"sequence": "one"}, {"act": None}, {"deed": 3}, {"happened_at": "noon"}])
def test_words_that_are_broken_and_not_new_are_refused(broken: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(wire.Push, {"incarnation": "i", "words": [word(deed="pay"), word(**broken)]})


def test_pieces_of_a_parcel_are_read_in_the_same_way() -> None:
    piece = {"type": "words", "push": {"incarnation": "i", "words": [word(deed="pay")]}}
    found = tolerant.decode_piece(json.dumps(piece).encode())
    assert isinstance(found, stick.StickWords)
    assert found.push.words[0].strange == "deed pay"
    with pytest.raises(msgspec.ValidationError):
        tolerant.decode_piece(b'{"type": "song"}')
