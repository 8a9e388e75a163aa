"""The way of acts to central, turn by turn: one event for each ask, nothing lost for any answer that is none."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import jwt
import msgspec
import pytest
from fakes import FakeClock
from kiosk_sync import (
    KEY,
    NOON,
    FakeCentral,
    FakeMailbox,
    act,
    copy,
    identity,
    open_log,
    open_replica,
    page,
    verdict,
)

from kiosk.domain.journal import Act, Deed, Mode, Outcome, Spoken, Word
from kiosk.domain.values import ActId, IncarnationId
from kiosk.ports import (
    AnswerMissing,
    CentralError,
    CentralReason,
    LedgerError,
    LedgerReason,
    Link,
    LinkChanged,
    VerdictCame,
)
from sync import wire
from sync.acts import ActsLog
from sync.agent import BATCH, SyncActs, SyncFeed
from sync.central_client import CentralClient, ClockOffset
from sync.link_state import LinkRules
from sync.replica import ReplicaWriter


class Kiosk:
    """The sync threads' half of a kiosk, driven by turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.central = FakeCentral()
        self.mailbox = FakeMailbox()
        self.clock = FakeClock()
        self.offset = ClockOffset()
        self.log = open_log(folder)
        self.opens: list[LedgerError] = []
        self.sync = self.agent(self.client())

    def client(self) -> CentralClient:
        return CentralClient(identity(), IncarnationId("i1"), self.clock, self.offset, self.central)

    def agent(self, client: CentralClient | None) -> SyncActs:
        return SyncActs(
            open_log=self.open,
            client=client,
            offset=self.offset,
            mailbox=self.mailbox,
            clock=self.clock,
            health=self.health,
            rules=LinkRules(probes_needed=2),
            jitter=random.Random(1),
        )

    def open(self) -> ActsLog:
        if self.opens:
            raise self.opens.pop()
        return self.log

    def health(self, length: int, oldest: datetime | None) -> wire.Health:
        return wire.Health(incarnation="i1", program="test", queue_length=length)

    def says(self, word: Word = Word.FACT, of: Act | None = None) -> Act:
        said = of or act()
        self.log.record(word, said)
        return said

    def turns(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.pass_time(self.sync.turn())

    def heard(self, kind: type | None = None) -> list[object]:
        """What was posted since the last look."""
        events, self.mailbox.events = self.mailbox.events, []
        return [event for event in events if kind is None or isinstance(event, kind)]


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path)
    yield kiosk
    kiosk.log.close()


@pytest.fixture
def online(kiosk: Kiosk) -> Kiosk:
    kiosk.turns()
    assert kiosk.heard() == [LinkChanged(Link.ONLINE)]
    return kiosk


# --- answers -----------------------------------------------------------------------------------------------------


def test_an_ask_brings_one_verdict_and_leaves_writing_it_to_the_station(online: Kiosk) -> None:
    said = online.says(Word.REQUEST, act(mode=Mode.ONLINE))
    online.sync.ask(said.id)
    online.turns()
    (came,) = online.heard()
    assert isinstance(came, VerdictCame)
    assert (came.verdict.act_id, came.verdict.outcome, came.verdict.epoch) == (said.id, Outcome.ACCEPTED, "e1")
    assert [found.id for found in online.log.open_requests()] == [said.id]


def test_several_asks_are_answered_in_order_one_event_each(online: Kiosk) -> None:
    asked = [online.says(Word.FACT, act(deed=Deed.RETURN)).id for _ in range(3)]
    for act_id in asked:
        online.sync.ask(act_id)
    online.turns()
    assert [event.verdict.act_id for event in online.heard(VerdictCame)] == asked  # type: ignore[attr-defined]


def test_a_refusal_of_central_is_an_answer(online: Kiosk) -> None:
    online.central.outcome = Outcome.REFUSED
    online.sync.ask(online.says(Word.REQUEST).id)
    online.turns()
    (came,) = online.heard()
    assert isinstance(came, VerdictCame)
    assert came.verdict.outcome is Outcome.REFUSED


def test_of_an_answer_with_several_words_of_the_act_the_asked_one_counts(online: Kiosk) -> None:
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


# --- what is no answer -------------------------------------------------------------------------------------------


def answers(status: int, content: bytes) -> Callable[[str], httpx2.Response]:
    return lambda path: httpx2.Response(status, content=content)


def raises(error: Exception) -> Callable[[str], httpx2.Response]:
    def answer(path: str) -> httpx2.Response:
        raise error

    return answer


def fault(code: str) -> bytes:
    return msgspec.json.encode(wire.Fault(code=code))


def pushed(**changes: object) -> bytes:
    """A well-formed answer about another act."""
    other = wire.WireVerdict.of(verdict(act()))
    told: dict[str, object] = {"epoch": "e1", "now": NOON.isoformat(), "held_through": 9, "verdicts": [other]}
    return msgspec.json.encode({**told, **changes})


NO_ANSWERS = {
    "html": (answers(200, b"<html>Please log in</html>"), CentralReason.NOT_CENTRAL),
    "garbage": (answers(200, b"\xff\x00{]"), CentralReason.NOT_CENTRAL),
    "empty": (answers(200, b""), CentralReason.NOT_CENTRAL),
    "other json": (answers(200, b'{"status": "ok"}'), CentralReason.NOT_CENTRAL),
    "a list": (answers(200, b"[]"), CentralReason.NOT_CENTRAL),
    "too deep": (answers(200, b'{"epoch":"e1","x":' + b"[" * 100_000), CentralReason.NOT_CENTRAL),
    "time without a zone": (answers(200, pushed(now="2026-11-20T04:00:00")), CentralReason.NOT_CENTRAL),
    "names another act": (answers(200, pushed()), CentralReason.NOT_CENTRAL),
    "no verdict": (answers(200, pushed(verdicts=[])), CentralReason.NOT_CENTRAL),
    "redirect": (answers(302, b""), CentralReason.NOT_CENTRAL),
    "404": (answers(404, b"<html>"), CentralReason.NOT_CENTRAL),
    "4xx of central": (answers(400, fault("bad_request")), CentralReason.NOT_CENTRAL),
    "502 of a proxy": (answers(502, b"<html>Bad gateway</html>"), CentralReason.NOT_CENTRAL),
    "500 of central": (answers(500, fault("internal")), CentralReason.BUSY),
    "429": (answers(429, fault("slow_down")), CentralReason.BUSY),
    "revoked": (answers(401, fault("revoked")), CentralReason.CREDENTIAL_REVOKED),
    "time-out": (raises(httpx2.ReadTimeout("slow")), CentralReason.TOO_SLOW),
    "no connection in time": (raises(httpx2.ConnectTimeout("slow")), CentralReason.TOO_SLOW),
    "refused": (raises(httpx2.ConnectError("refused")), CentralReason.UNREACHABLE),
    "cut": (raises(httpx2.RemoteProtocolError("cut")), CentralReason.UNREACHABLE),
}


@pytest.mark.parametrize("word", [Word.REQUEST, Word.FACT])
@pytest.mark.parametrize(("broken", "reason"), NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_what_is_no_answer_ends_online_mode_and_deletes_nothing(
    online: Kiosk, broken: Callable[[str], httpx2.Response], reason: CentralReason, word: Word
) -> None:
    waiting = online.says()
    said = online.says(word)
    online.central.broken = broken
    online.sync.ask(said.id)
    online.turns()
    assert online.heard() == [LinkChanged(Link.OFFLINE, reason), AnswerMissing(said.id, reason)]
    expected = {waiting.id, said.id} if word is Word.FACT else {waiting.id}
    assert {spoken.act.id for spoken in online.log.unsent(9)} == expected
    online.turns(3)
    assert {spoken.act.id for spoken in online.log.unsent(9)} == expected
    assert online.heard() == []


def test_offline_an_ask_is_answered_at_once_without_a_call(kiosk: Kiosk) -> None:
    kiosk.central.broken = raises(httpx2.ConnectError("refused"))
    kiosk.turns()
    calls = len(kiosk.central.calls)
    kiosk.sync.ask(ActId("x"))
    said = kiosk.says()
    kiosk.sync.ask(said.id)
    kiosk.sync.turn()
    assert len(kiosk.heard(AnswerMissing)) == 2
    assert len(kiosk.central.calls) in (calls, calls + 1)


def test_without_enrolment_every_ask_is_answered_and_the_link_is_offline(kiosk: Kiosk) -> None:
    kiosk.sync = kiosk.agent(None)
    kiosk.sync.ask(kiosk.says().id)
    kiosk.sync.turn()
    missing, changed = kiosk.heard()
    assert isinstance(missing, AnswerMissing)
    assert missing.reason is CentralReason.NOT_ENROLLED
    assert changed == LinkChanged(Link.OFFLINE, CentralReason.NOT_ENROLLED)


def test_an_acts_file_that_cannot_be_opened_still_answers_every_ask(kiosk: Kiosk) -> None:
    kiosk.opens = [LedgerError(LedgerReason.LOCKED)]
    for name in ("a", "b"):
        kiosk.sync.ask(ActId(name))
    kiosk.sync.suspect()
    with pytest.raises(LedgerError):
        kiosk.sync.turn()
    assert [event.act_id for event in kiosk.heard(AnswerMissing)] == ["a", "b"]  # type: ignore[attr-defined]
    kiosk.turns()
    assert kiosk.heard() == [LinkChanged(Link.ONLINE)]


class UnreadableLog(ActsLog):
    def newest_word(self, act: ActId) -> Spoken | None:
        raise LedgerError(LedgerReason.DAMAGED)


def test_an_acts_file_that_cannot_be_read_still_answers_every_ask(online: Kiosk) -> None:
    unreadable = UnreadableLog(online.folder, KEY)
    online.sync._log = unreadable
    for name in ("a", "b"):
        online.sync.ask(ActId(name))
    with pytest.raises(LedgerError):
        online.sync.turn()
    assert [event.act_id for event in online.heard(AnswerMissing)] == ["a", "b"]  # type: ignore[attr-defined]
    unreadable.close()


# --- time --------------------------------------------------------------------------------------------------------


def test_a_token_refused_for_its_time_is_made_again_once_with_centrals_clock(online: Kiosk) -> None:
    centrals = NOON + timedelta(minutes=30)
    once = [httpx2.Response(401, content=msgspec.json.encode(wire.Fault(code="token_time", now=centrals)))]
    online.central.now = centrals
    online.central.broken = lambda path: once.pop() if once else None
    online.central.headers.clear()
    said = online.says(Word.REQUEST)
    online.sync.ask(said.id)
    online.turns()
    assert [type(event) for event in online.heard()] == [VerdictCame]
    tokens = [headers["Authorization"].removeprefix("Bearer ") for headers in online.central.headers]
    issued = [jwt.decode(token, options={"verify_signature": False})["iat"] for token in tokens]
    assert online.central.calls.count("/v1/acts") == 2
    assert 1700 < issued[1] - issued[0] < 1900
    offset = online.sync.clock_offset()
    assert offset is not None
    assert offset > timedelta(minutes=29)


def test_a_token_refused_twice_for_its_time_is_a_wrong_clock(online: Kiosk) -> None:
    refused = msgspec.json.encode(wire.Fault(code="token_time", now=NOON + timedelta(days=1)))
    online.central.broken = answers(401, refused)
    calls = len(online.central.calls)
    said = online.says(Word.REQUEST)
    online.sync.ask(said.id)
    online.sync.turn()
    assert online.heard()[:2] == [
        LinkChanged(Link.OFFLINE, CentralReason.CLOCK_WRONG),
        AnswerMissing(said.id, CentralReason.CLOCK_WRONG),
    ]
    assert online.central.calls[calls:].count("/v1/acts") == 2


def test_the_offset_is_measured_from_each_answer(kiosk: Kiosk) -> None:
    assert kiosk.sync.clock_offset() is None
    kiosk.central.now = NOON + timedelta(seconds=40)
    kiosk.turns()
    assert kiosk.sync.clock_offset() == timedelta(seconds=40)


# --- the outbox --------------------------------------------------------------------------------------------------


def test_the_outbox_is_drained_in_sequence_order_and_in_batches_before_the_kiosk_is_online(kiosk: Kiosk) -> None:
    said = [kiosk.says().id for _ in range(2 * BATCH + 5)]
    kiosk.turns()
    assert [word.act for word in kiosk.central.words] == said
    assert [word.sequence for word in kiosk.central.words] == list(range(1, len(said) + 1))
    assert kiosk.central.calls.count("/v1/acts") == 3
    assert kiosk.log.queue() == (0, None)
    kiosk.turns()
    assert kiosk.heard() == [LinkChanged(Link.ONLINE)]
    assert kiosk.log.agree("e1", len(said)) == 0


def test_a_line_cut_in_the_middle_of_a_backlog_loses_and_doubles_nothing(kiosk: Kiosk) -> None:
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


def test_an_answer_lost_on_its_way_is_asked_for_again(kiosk: Kiosk) -> None:
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


def test_a_withdrawal_names_its_request_so_that_no_gap_stays(kiosk: Kiosk) -> None:
    kiosk.says(Word.WITHDRAWAL, kiosk.says(Word.REQUEST))
    kiosk.turns()
    assert [(word.sequence, word.request_sequence) for word in kiosk.central.words] == [(2, 1)]
    assert kiosk.central.held_through == 2


def test_an_ask_goes_before_the_rest_of_a_backlog(online: Kiosk) -> None:
    for _ in range(BATCH + 1):
        online.says()
    said = online.says(Word.REQUEST)
    online.clock.pass_time(60)
    online.sync.ask(said.id)
    online.turns()
    assert online.central.words[0].act == said.id


def test_a_suspicion_is_looked_into_at_once(online: Kiosk) -> None:
    assert online.sync.turn() > 0
    calls = len(online.central.calls)
    online.central.broken = raises(httpx2.ConnectError("refused"))
    online.sync.suspect()
    online.sync.turn()
    assert online.central.calls[calls:] == ["/v1/health"]
    assert online.heard() == [LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)]


def test_coming_back_takes_several_good_probes(online: Kiosk) -> None:
    online.central.broken = raises(httpx2.ConnectError("refused"))
    online.clock.pass_time(60)
    online.turns()
    online.central.broken = None
    online.turns(1)
    assert online.heard(LinkChanged) == [LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)]
    online.turns(1)
    assert online.heard() == [LinkChanged(Link.ONLINE)]


# --- a restored central ------------------------------------------------------------------------------------------


def test_a_restored_central_gets_the_lost_part_of_the_log_again(online: Kiosk) -> None:
    first, second = online.says(), online.says()
    accepted = online.says(Word.REQUEST)
    online.sync.ask(accepted.id)
    online.clock.pass_time(60)
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


def test_a_verdict_repeated_from_an_older_epoch_counts_as_contained_in_the_new_ones_feed(online: Kiosk) -> None:
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


def test_the_feed_is_pulled_page_by_page_and_one_failure_is_reported_once(kiosk: Kiosk) -> None:
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
    feed.close_line()
    assert kiosk.central.closed
    writer.close()
    reader.close()


def test_the_client_says_which_answer_was_none(kiosk: Kiosk) -> None:
    kiosk.central.broken = answers(502, b"<html>secret page</html>")
    with pytest.raises(CentralError) as caught:
        kiosk.client().feed("", 0)
    assert caught.value.reason is CentralReason.NOT_CENTRAL
    assert "secret" not in str(caught.value)
