"""What is no answer of central: online mode ends, every ask is answered all the same, and nothing is deleted."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import jwt
import msgspec
import pytest
from kiosk_sync import (
    KEY,
    NOON,
    SyncKiosk,
    act,
    answers,
    fault,
    identity,
    raises,
    verdict,
)

from kiosk.domain.journal import Spoken, Word
from kiosk.domain.values import ActId, IncarnationId
from kiosk.ports import (
    AnswerMissing,
    CentralReason,
    LedgerError,
    LedgerReason,
    Link,
    LinkChanged,
    VerdictCame,
)
from sync import wire
from sync.acts import ActsLog
from sync.central_client import CentralClient

DEADLINE_S = 1.5


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


# --- what is no answer -------------------------------------------------------------------------------------------


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
    online: SyncKiosk, broken: Callable[[str], httpx2.Response], reason: CentralReason, word: Word
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


def test_offline_an_ask_is_answered_at_once_without_a_call(kiosk: SyncKiosk) -> None:
    kiosk.central.broken = raises(httpx2.ConnectError("refused"))
    kiosk.turns()
    calls = len(kiosk.central.calls)
    kiosk.sync.ask(ActId("x"))
    said = kiosk.says()
    kiosk.sync.ask(said.id)
    kiosk.sync.turn()
    assert len(kiosk.heard(AnswerMissing)) == 2
    assert len(kiosk.central.calls) in (calls, calls + 1)


def test_without_enrolment_every_ask_is_answered_and_the_link_is_offline(kiosk: SyncKiosk) -> None:
    kiosk.sync = kiosk.agent(None)
    kiosk.sync.ask(kiosk.says().id)
    kiosk.sync.turn()
    missing, changed = kiosk.heard()
    assert isinstance(missing, AnswerMissing)
    assert missing.reason is CentralReason.NOT_ENROLLED
    assert changed == LinkChanged(Link.OFFLINE, CentralReason.NOT_ENROLLED)


def test_an_acts_file_that_cannot_be_opened_still_answers_every_ask(kiosk: SyncKiosk) -> None:
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


def test_an_acts_file_that_cannot_be_read_still_answers_every_ask(online: SyncKiosk) -> None:
    unreadable = UnreadableLog(online.folder, KEY)
    online.sync._log = unreadable
    for name in ("a", "b"):
        online.sync.ask(ActId(name))
    with pytest.raises(LedgerError):
        online.sync.turn()
    assert [event.act_id for event in online.heard(AnswerMissing)] == ["a", "b"]  # type: ignore[attr-defined]
    unreadable.close()


# --- the deadline ------------------------------------------------------------------------------------------------


class HangingLine:
    """Central answers, but calls of one kind hang until their deadline or for a while; somebody asks meanwhile."""

    def __init__(self, kiosk: SyncKiosk, path: str, lasts_s: float | None = None) -> None:
        self._kiosk, self._path, self._lasts_s = kiosk, path, lasts_s
        self._request = kiosk.says(Word.REQUEST, act(item=9))
        self.asked_at: float | None = None
        self.timeouts: list[float] = []

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response:
        self.timeouts.append(timeout)
        if self.asked_at is None and url.endswith(self._path):
            self.asked_at = self._kiosk.clock.monotonic()
            self._kiosk.sync.ask(self._request.id)
            lasts_s = timeout if self._lasts_s is None else self._lasts_s
            self._kiosk.clock.pass_time(min(lasts_s, timeout))
            if lasts_s >= timeout:
                raise httpx2.ReadTimeout("hangs")
        return self._kiosk.central.request(method, url, content=content, headers=headers, timeout=timeout)

    def interrupt(self) -> None:
        self._kiosk.central.interrupt()

    def close(self) -> None:
        self._kiosk.central.close()


def over(kiosk: SyncKiosk, line: HangingLine) -> None:
    """The kiosk's calls go over this line from now on, and a heartbeat is due."""
    kiosk.sync._client = CentralClient(identity(), IncarnationId("i1"), kiosk.clock, kiosk.offset, line)
    kiosk.clock.pass_time(6)


@pytest.mark.parametrize("path", ["/v1/health", "/v1/acts"], ids=["a heartbeat", "a drain"])
def test_an_ask_behind_a_call_that_hangs_is_answered_by_its_own_deadline(online: SyncKiosk, path: str) -> None:
    if path == "/v1/acts":
        online.says()
    line = HangingLine(online, path)
    over(online, line)
    online.sync.turn()
    online.sync.turn()
    (missing,) = online.heard(AnswerMissing)
    assert isinstance(missing, AnswerMissing)
    assert missing.reason is CentralReason.TOO_SLOW
    assert line.asked_at is not None
    assert online.clock.monotonic() - line.asked_at <= DEADLINE_S


def test_an_ask_behind_a_slow_call_has_the_time_that_is_left(online: SyncKiosk) -> None:
    line = HangingLine(online, "/v1/health", lasts_s=1.2)
    over(online, line)
    online.sync.turn()
    online.sync.turn()
    assert len(online.heard(VerdictCame)) == 1
    assert line.timeouts == [DEADLINE_S, pytest.approx(DEADLINE_S - 1.2)]


def test_an_ask_whose_time_is_over_before_it_is_sent_is_not_sent(online: SyncKiosk) -> None:
    said = online.says(Word.REQUEST)
    online.sync.ask(said.id)
    online.clock.pass_time(DEADLINE_S)
    online.sync.turn()
    assert online.heard()[:2] == [
        LinkChanged(Link.OFFLINE, CentralReason.TOO_SLOW),
        AnswerMissing(said.id, CentralReason.TOO_SLOW),
    ]
    assert "/v1/acts" not in online.central.calls


def test_a_token_made_again_does_not_lengthen_the_deadline(online: SyncKiosk) -> None:
    line = HangingLine(online, "/v1/health", lasts_s=1.0)
    once = [httpx2.Response(401, content=msgspec.json.encode(wire.Fault(code="token_time", now=NOON)))]
    online.central.broken = lambda path: once.pop() if once else None
    over(online, line)
    online.sync.turn()
    assert line.timeouts[:2] == [DEADLINE_S, pytest.approx(DEADLINE_S - 1.0)]


# --- time --------------------------------------------------------------------------------------------------------


def test_a_token_refused_for_its_time_is_made_again_once_with_centrals_clock(online: SyncKiosk) -> None:
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


def test_a_token_refused_twice_for_its_time_is_a_wrong_clock(online: SyncKiosk) -> None:
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


def test_the_offset_is_measured_from_each_answer(kiosk: SyncKiosk) -> None:
    assert kiosk.sync.clock_offset() is None
    kiosk.central.now = NOON + timedelta(seconds=40)
    kiosk.turns()
    assert kiosk.sync.clock_offset() == timedelta(seconds=40)


def test_a_kiosk_that_was_enrolled_by_stick_and_has_no_address_is_simply_offline(kiosk: SyncKiosk) -> None:
    nowhere = msgspec.structs.replace(identity(), url="")
    kiosk.sync = kiosk.agent(CentralClient(nowhere, IncarnationId("i1"), kiosk.clock, kiosk.offset))
    kiosk.says()
    kiosk.turns(2)
    assert kiosk.heard() == [LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE)]
    assert kiosk.log.queue()[0] == 1
