"""The way of acts to central, turn by turn: one event for each ask, nothing lost for any answer that is none."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import msgspec
import pytest
from kiosk_sync import (
    KEY,
    NOON,
    SyncKiosk,
    act,
    answers,
    copy,
    open_log,
    open_replica,
    page,
    raises,
    verdict,
)
from structlog.testing import capture_logs

from kiosk.domain.clock import Reading
from kiosk.domain.journal import Act, Deed, Mode, Outcome, Word
from kiosk.domain.values import ItemId
from kiosk.ports import (
    CentralError,
    CentralReason,
    Link,
    LinkChanged,
    VerdictCame,
)
from sync import wire
from sync.agent import BATCH, SCATTER_S, SyncFeed
from sync.replica import ReplicaWriter


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[SyncKiosk]:
    kiosk = SyncKiosk(tmp_path)
    yield kiosk
    kiosk.log.close()


@pytest.fixture
def online(kiosk: SyncKiosk) -> SyncKiosk:
    kiosk.turns()
    assert kiosk.heard() == [LinkChanged(Link.ONLINE)]
    return kiosk


# --- answers -----------------------------------------------------------------------------------------------------


def test_an_ask_brings_one_verdict_and_leaves_writing_it_to_the_station(online: SyncKiosk) -> None:
    said = online.says(Word.REQUEST, act(mode=Mode.ONLINE))
    online.sync.ask(said.id)
    online.turns()
    (came,) = online.heard()
    assert isinstance(came, VerdictCame)
    assert (came.verdict.act_id, came.verdict.outcome, came.verdict.epoch) == (said.id, Outcome.ACCEPTED, "e1")
    assert [found.id for found in online.log.open_requests()] == [said.id]


def test_several_asks_are_answered_in_order_one_event_each(online: SyncKiosk) -> None:
    asked = [online.says(Word.FACT, act(deed=Deed.RETURN)).id for _ in range(3)]
    for act_id in asked:
        online.sync.ask(act_id)
    online.turns()
    assert [event.verdict.act_id for event in online.heard(VerdictCame)] == asked  # type: ignore[attr-defined]


def test_a_refusal_of_central_is_an_answer(online: SyncKiosk) -> None:
    online.central.outcome = Outcome.REFUSED
    online.sync.ask(online.says(Word.REQUEST).id)
    online.turns()
    (came,) = online.heard()
    assert isinstance(came, VerdictCame)
    assert came.verdict.outcome is Outcome.REFUSED


def test_of_an_answer_with_several_words_of_the_act_the_asked_one_counts(online: SyncKiosk) -> None:
    said = online.says()
    extra = [(Word.REQUEST, Outcome.REFUSED), (Word.FACT, Outcome.CASE)]
    verdicts = [wire.WireVerdict.of(verdict(said, word, outcome)) for word, outcome in extra]
    pushed = wire.Pushed(epoch="e1", now=NOON, verdicts=verdicts)
    online.central.broken = lambda path: httpx2.Response(200, content=msgspec.json.encode(pushed))
    online.sync.ask(said.id)
    online.turns()
    (came,) = online.heard(VerdictCame)
    assert isinstance(came, VerdictCame)
    assert came.verdict.outcome is Outcome.CASE


# --- the outbox --------------------------------------------------------------------------------------------------


def test_the_outbox_is_drained_in_sequence_order_and_in_batches_before_the_kiosk_is_online(kiosk: SyncKiosk) -> None:
    said = [kiosk.says().id for _ in range(2 * BATCH + 5)]
    kiosk.turns()
    assert [word.act for word in kiosk.central.words] == said
    assert [word.sequence for word in kiosk.central.words] == list(range(1, len(said) + 1))
    assert kiosk.central.calls.count("/v1/acts") == 3
    assert kiosk.log.queue() == (0, None)
    kiosk.turns()
    assert kiosk.heard() == [LinkChanged(Link.ONLINE)]
    assert kiosk.log.agree("e1", len(said)) == 0


def test_a_line_cut_in_the_middle_of_a_backlog_loses_and_doubles_nothing(kiosk: SyncKiosk) -> None:
    said = [kiosk.says().id for _ in range(2 * BATCH)]
    kiosk.central.broken = lambda path: (
        raises(httpx2.ReadError("cut"))(path) if path == "/v1/acts" and kiosk.central.words else None
    )
    kiosk.turns()
    assert kiosk.log.queue()[0] == BATCH
    kiosk.central.broken = None
    kiosk.turns(6)
    assert [word.act for word in kiosk.central.words] == said
    assert kiosk.heard()[-1] == LinkChanged(Link.ONLINE)


def pushes(kiosk: SyncKiosk, told: Callable[[int], None]) -> list[int]:
    """How many words central had heard before each push; `told` is called with the number of each, before it is judged."""
    heard: list[int] = []

    def hear(path: str) -> None:
        if path == "/v1/acts":
            heard.append(len(kiosk.central.words))
            told(len(heard))

    kiosk.central.broken = hear
    return heard


def test_what_was_said_of_one_push_is_on_disk_before_the_next_but_one_is_sent(kiosk: SyncKiosk) -> None:
    for _ in range(3 * BATCH):
        kiosk.says()
    waiting: list[int] = []

    def look(number: int) -> None:
        log = open_log(kiosk.folder)  # this is the helper's thread
        waiting.append(log.queue()[0])
        log.close()

    pushes(kiosk, look)
    kiosk.turns()
    assert waiting[0] == 3 * BATCH
    assert waiting[2] <= 2 * BATCH
    assert kiosk.log.queue() == (0, None)


def test_a_fast_line_is_given_more_words_at_a_time_and_a_slow_one_is_not(kiosk: SyncKiosk) -> None:
    for _ in range(9 * BATCH):
        kiosk.says()
    heard = pushes(kiosk, lambda number: None)
    kiosk.turns()
    assert [place // BATCH for place in heard] == [0, 1, 2, 4, 8]
    for _ in range(4 * BATCH):
        kiosk.says()
    heard = pushes(kiosk, lambda number: kiosk.clock.pass_time(0.5))
    kiosk.clock.pass_time(60)
    kiosk.turns()
    assert [place // BATCH for place in heard] == [9, 10, 11, 12]


def test_a_central_restored_in_the_middle_of_a_backlog_is_told_the_lost_part_before_anything_else(
    kiosk: SyncKiosk,
) -> None:
    said = [kiosk.says().id for _ in range(3 * BATCH)]
    heard = pushes(kiosk, lambda number: kiosk.central.restored(held_through=BATCH // 2) if number == 2 else None)
    kiosk.turns(3)
    again = [word.act for word in kiosk.central.words[heard[2] :]]
    assert again == [*said[BATCH // 2 : BATCH], *said[2 * BATCH :]]  # the restored central has judged what is between
    assert kiosk.central.held_through == len(said)
    assert kiosk.log.queue() == (0, None)


def test_an_answer_lost_on_its_way_is_asked_for_again(kiosk: SyncKiosk) -> None:
    said = kiosk.says()
    judge, lose = kiosk.central._judge, [True]

    def judged_but_lost(push: wire.Push) -> httpx2.Response:
        answer = judge(push)
        if lose:
            lose.clear()
            raise httpx2.ReadTimeout("lost")
        return answer

    kiosk.central._judge = judged_but_lost  # type: ignore[method-assign]
    kiosk.turns(4)
    assert [word.act for word in kiosk.central.words] == [said.id, said.id]
    assert kiosk.log.queue() == (0, None)


def test_a_withdrawal_names_its_request_so_that_no_gap_stays(kiosk: SyncKiosk) -> None:
    kiosk.says(Word.WITHDRAWAL, kiosk.says(Word.REQUEST))
    kiosk.turns()
    assert [(word.sequence, word.request_sequence) for word in kiosk.central.words] == [(2, 1)]
    assert kiosk.central.held_through == 2


def test_an_ask_goes_before_the_rest_of_a_backlog(online: SyncKiosk) -> None:
    for _ in range(BATCH + 1):
        online.says()
    said = online.says(Word.REQUEST)
    online.clock.pass_time(60)
    online.sync.ask(said.id)
    online.turns()
    assert online.central.words[0].act == said.id


def test_a_suspicion_is_looked_into_at_once(online: SyncKiosk) -> None:
    assert online.sync.turn() > 0
    calls = len(online.central.calls)
    online.central.broken = raises(httpx2.ConnectError("refused"))
    online.sync.suspect()
    online.sync.turn()
    assert online.central.calls[calls:] == ["/v1/health"]
    assert online.heard() == [LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)]


def test_coming_back_takes_several_good_probes(online: SyncKiosk) -> None:
    online.central.broken = raises(httpx2.ConnectError("refused"))
    online.clock.pass_time(60)
    online.turns()
    online.central.broken = None
    online.turns(1)
    assert online.heard(LinkChanged) == [LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)]
    online.turns(1)
    assert online.heard() == [LinkChanged(Link.ONLINE)]


# --- a restored central ------------------------------------------------------------------------------------------


def test_a_restored_central_gets_the_lost_part_of_the_log_again(online: SyncKiosk) -> None:
    first, second = online.says(), online.says()
    accepted = online.says(Word.REQUEST)
    online.clock.pass_time(60)
    online.sync.ask(accepted.id)
    online.turns()
    (came,) = online.heard()
    assert isinstance(came, VerdictCame)
    online.log.settle(came.verdict)
    online.turns(2)
    online.central.words.clear()
    online.central.restored(held_through=1)
    online.turns(4)
    assert [(word.act, word.word) for word in online.central.words] == [
        (second.id, Word.FACT),
        (accepted.id, Word.FACT),
    ]
    assert first.id not in {word.act for word in online.central.words}
    assert online.log.queue() == (0, None)
    assert online.central.held_through == 4


def test_a_verdict_repeated_from_an_older_epoch_counts_as_contained_in_the_new_ones_feed(online: SyncKiosk) -> None:
    said = online.says()
    old = wire.WireVerdict.of(verdict(said, epoch="e0", position=900))
    answer = wire.Pushed(epoch="e1", now=NOON, held_through=1, verdicts=[old])
    online.central.broken = lambda path: (
        httpx2.Response(200, content=msgspec.json.encode(answer)) if path == "/v1/acts" else None
    )
    online.clock.pass_time(60)
    online.turns()
    assert online.log.queue() == (0, None)
    assert online.log.standing(said.item, "e1", 0) is None


# --- the feed ----------------------------------------------------------------------------------------------------


def test_the_feed_is_pulled_page_by_page_and_one_failure_is_reported_once(kiosk: SyncKiosk) -> None:
    writer, reader = open_replica(kiosk.folder)
    suspicions: list[int] = []
    feed = SyncFeed(
        open_replica=lambda: ReplicaWriter(kiosk.folder, KEY),
        client=kiosk.client(),
        clock=kiosk.clock,
        suspect=lambda: suspicions.append(1),
        jitter=random.Random(1),
    )
    kiosk.central.broken = answers(200, b"<html>")
    pauses = [feed.turn() for _ in range(12)]
    assert suspicions == [1]
    assert 0 < pauses[0] < pauses[3] < max(pauses) <= 15.0
    kiosk.central.broken = None
    kiosk.central.pages = [page(copy(1), more=True, begins=True, cursor="s1"), page(copy(2), cursor="s2")]
    assert (feed.turn(), feed.turn()) == (0.0, 0.0)
    assert (reader.place().position, writer.cursor()) == (10, "s2")
    feed.interrupt()
    assert kiosk.central.calls[-1] == "interrupted"
    writer.close()
    reader.close()


def test_a_long_fill_is_told_in_the_log_now_and_then_and_to_the_heartbeat(kiosk: SyncKiosk) -> None:
    writer, _ = open_replica(kiosk.folder)
    feed = SyncFeed(
        open_replica=lambda: writer,
        client=kiosk.client(),
        clock=kiosk.clock,
        suspect=lambda: None,
        jitter=random.Random(1),
    )
    kiosk.central.pages = [
        msgspec.structs.replace(
            page(copy(part), more=part < 9, begins=part == 0, snapshot=True, cursor=f"s{part}"),
            read=part * 100,
            goal=900,
        )
        for part in range(10)
    ]
    percents = []
    with capture_logs() as told:
        for _ in range(10):
            feed.turn()
            percents.append(feed.filling)
            kiosk.clock.pass_time(10)
    assert percents == [0, 11, 22, 33, 44, 55, 66, 77, 88, None]
    lines = [{name: line[name] for name in ("event", "percent", "entries") if name in line} for line in told]
    assert lines == [
        {"event": "the replica is being filled", "percent": 0, "entries": 1},
        {"event": "the replica is being filled", "percent": 33, "entries": 4},
        {"event": "the replica is being filled", "percent": 66, "entries": 7},
        {"event": "the replica is whole", "entries": 10},
    ]
    writer.close()


def test_a_snapshot_after_a_restore_begins_at_a_scattered_moment_and_old_knowledge_serves_until_then(
    kiosk: SyncKiosk,
) -> None:
    """C1, D5: every kiosk of a city hears of a new epoch at once; what they then read is long."""
    waits, suspicions = [], []
    for seed in range(8):
        folder = kiosk.folder / str(seed)
        folder.mkdir()
        writer, reader = open_replica(folder)
        feed = SyncFeed(
            open_replica=lambda writer=writer: writer,
            client=kiosk.client(),
            clock=kiosk.clock,
            suspect=lambda: suspicions.append(1),
            jitter=random.Random(seed),
        )
        again = page(copy(2), begins=True, snapshot=True, epoch="e2", cursor="s2")
        kiosk.central.pages = [page(copy(1), begins=True, snapshot=True), again, again]
        assert feed.turn() == 0.0  # a first fill waits for nothing
        assert feed.turn() == 0.0  # the new epoch is heard
        asked = len(kiosk.central.calls)
        waited = 0.0
        while (wait_s := feed.turn()) > 0:
            assert (len(kiosk.central.calls), reader.place().epoch) == (asked, "e1")
            assert reader.item(ItemId("C0000001")) is not None
            kiosk.clock.pass_time(wait_s)
            waited += wait_s
        assert (len(kiosk.central.calls), reader.place().epoch) == (asked + 1, "e2")
        waits.append(waited)
        writer.close()
        reader.close()
    assert all(0 < wait <= SCATTER_S for wait in waits)
    assert max(waits) - min(waits) > SCATTER_S / 2
    assert len(suspicions) == 2 * len(waits)  # the log hears of it at once, and again when its feed has changed


def test_the_client_says_which_answer_was_none(kiosk: SyncKiosk) -> None:
    kiosk.central.broken = answers(502, b"<html>secret page</html>")
    with pytest.raises(CentralError) as caught:
        kiosk.client().feed("", 0)
    assert caught.value.reason is CentralReason.NOT_CENTRAL
    assert "secret" not in str(caught.value)


# --- time --------------------------------------------------------------------------------------------------------


def undated(kiosk: SyncKiosk, boot: str) -> Act:
    reading = Reading(boot, kiosk.clock.monotonic())
    return kiosk.says(of=replace(act(), clock_offset=None, doubtful=True, reading=reading))


def test_what_was_recorded_before_central_was_heard_is_dated_when_it_is_sent(kiosk: SyncKiosk) -> None:
    said = undated(kiosk, kiosk.clock.boot())
    kiosk.clock.pass_time(600)
    kiosk.clock.wall -= timedelta(days=1)
    kiosk.central.now = NOON + timedelta(days=3)
    kiosk.turns(3)
    (word,) = kiosk.central.words
    assert not word.doubtful
    assert word.spoken().act.corrected_at == kiosk.central.now - timedelta(seconds=600)
    assert next(kiosk.log.words())[0].act == said


def test_what_another_boot_recorded_stays_undated(kiosk: SyncKiosk) -> None:
    undated(kiosk, "boot-0")
    kiosk.turns(3)
    (word,) = kiosk.central.words
    assert word.doubtful
    assert word.clock_offset_ms is None


def test_a_wall_clock_that_jumps_does_not_move_centrals_time(online: SyncKiosk) -> None:
    before = online.sync.clock_offset()
    online.clock.wall -= timedelta(days=1)
    after = online.sync.clock_offset()
    assert before is not None
    assert after == before + timedelta(days=1)
