"""The API: who is let in, what every fault looks like, and a round of enrolment, acts and feed."""

import asyncio
import hashlib
import threading
from datetime import timedelta
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar.testing import TestClient

from kiosk.domain.journal import Outcome, Word
from sync.central import tables
from sync.central.bell import Bell
from sync.central.fleet import Fleet
from sync.central.http.app import MAX_BODY
from sync.central.http.inside import make_inside_app
from sync.central.keys import RootKey
from sync.central_client import signed
from sync.packed import packed
from sync.wire import (
    MAX_WORDS,
    CalendarEntry,
    Envelope,
    Farewell,
    Fault,
    FeedPage,
    Health,
    ItemEntry,
    Order,
    Push,
    Pushed,
    StaffAsk,
    farewell_said,
    padded,
    request_said,
    unpadded,
)

from .conftest import b64

HEALTH = Health(incarnation="log-1", program="test", queue_length=0)


def fault(answer: Any) -> tuple[int, str]:
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).code


def test_a_kiosks_row_is_believed_for_a_moment_but_nobody_is_refused_on_it(town: Any, caller: Any) -> None:
    """What another process changed counts within a second; what this one changed, and a new key, at once."""
    elsewhere = Fleet(town.central.database, RootKey(bytes(32)), town.clock)
    assert caller.call("GET", "/v1/feed").status_code == 200
    code = elsewhere.make_code("main", again=caller.kiosk)
    caller.key = Ed25519PrivateKey.generate()
    elsewhere.enrol(code, caller.key.public_key().public_bytes_raw())
    assert caller.call("GET", "/v1/feed").status_code == 200
    known = town.central.fleet.caller(caller.kiosk)
    elsewhere.revoke(caller.kiosk, farewell=Farewell.STOLEN)
    assert town.central.fleet.caller(caller.kiosk) is known
    town.central.fleet.revoke(caller.kiosk)
    assert caller.call("GET", "/v1/feed").status_code == 401


def test_a_round_of_acts_and_feed(town: Any, caller: Any) -> None:
    answer = caller.call("GET", "/v1/feed")
    page = msgspec.json.decode(answer.content, type=FeedPage)
    assert page.snapshot_begins
    word = town.word(Word.REQUEST, "a")
    pushed = msgspec.json.decode(
        caller.call("POST", "/v1/acts", Push(incarnation="log-1", words=[word])).content, type=Pushed
    )
    assert (pushed.verdicts[0].outcome, pushed.held_through, pushed.now) == (Outcome.ACCEPTED, 1, town.clock.now)
    answer = caller.call("GET", "/v1/feed", params={"cursor": page.cursor, "wait_s": 25, "incarnation": "log-1"})
    delta = msgspec.json.decode(answer.content, type=FeedPage)
    assert [entry.act for entry in delta.entries] == ["a"]
    assert (delta.position, delta.held_through) == (pushed.verdicts[0].position, 1)
    health = msgspec.json.decode(caller.call("POST", "/v1/health", HEALTH).content, type=Envelope)
    assert (health.epoch, health.held_through) == (town.central.epoch(), 1)
    assert town.central.fleet.find(caller.kiosk).health == HEALTH


def test_an_enrolment_code_works_once_and_for_an_hour(town: Any, caller: Any) -> None:
    code = town.central.fleet.make_code("main")
    assert caller.enrol(code.lower().replace("-", " ")) == 200
    assert caller.kiosk == "main-2"
    assert caller.enrol(code) == 401
    late = town.central.fleet.make_code("main")
    town.clock.go(minutes=61)
    assert caller.enrol(late) == 401
    bad = caller.client.post("/v1/enrol", json={"code": "AAAA", "public_key": "AAAA"})
    assert fault(bad) == (400, "bad_request")


def test_a_kiosk_enrolled_anew_keeps_its_id_and_gets_another_index_key(town: Any, caller: Any) -> None:
    before = (caller.kiosk, caller.index_key)
    town.central.fleet.revoke("main-1")
    assert caller.enrol(town.central.fleet.make_code("main", again="main-1")) == 200
    assert caller.kiosk == before[0]
    assert caller.index_key != before[1]
    assert caller.call("GET", "/v1/feed").status_code == 200


def test_a_kiosk_that_an_older_program_only_revoked_is_told_so_and_can_be_told_to_wipe(town: Any, caller: Any) -> None:
    town.central.fleet.revoke(caller.kiosk)
    with town.central.database.write() as connection:
        connection.execute(tables.kiosk.update().values(farewell=None))
    answer = caller.call("GET", "/v1/feed")
    assert fault(answer) == (401, "revoked")
    assert answer.json()["order"] is None
    assert town.central.fleet.revoke(caller.kiosk) is Farewell.RETIRE
    assert order_of(town, caller, caller.call("POST", "/v1/health", HEALTH).json()) is Farewell.RETIRE


def test_whoever_revokes_lets_the_kiosk_forget_and_a_stolen_one_stays_stolen(town: Any, caller: Any) -> None:
    town.central.fleet.revoke(caller.kiosk)
    assert order_of(town, caller, caller.call("GET", "/v1/feed").json()) is Farewell.RETIRE
    assert town.central.fleet.revoke(caller.kiosk, farewell=Farewell.STOLEN) is Farewell.STOLEN
    assert town.central.fleet.revoke(caller.kiosk) is Farewell.STOLEN
    assert order_of(town, caller, caller.call("GET", "/v1/feed").json()) is Farewell.STOLEN


def order_of(town: Any, caller: Any, told: Any) -> Farewell:
    """What an answer orders, if central signed it for this very kiosk."""
    order = msgspec.convert(told["order"], Order)
    said = farewell_said(caller.kiosk, unpadded(caller.key.public_key().public_bytes_raw()), order.farewell)
    town.central.fleet.signs().public_key().verify(padded(order.signature), said)
    return order.farewell


def test_a_kiosk_that_moved_leaves_its_name_to_nobody_and_its_branch_open(town: Any, caller: Any) -> None:
    with town.central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east", name="東"))
    names = [caller.kiosk]
    for branch, again in (("main", None), ("east", "main-1"), ("main", None)):
        caller.key = Ed25519PrivateKey.generate()
        assert caller.enrol(town.central.fleet.make_code(branch, again=again)) == 200
        names.append(caller.kiosk)
    assert names == ["main-1", "main-2", "main-1", "main-3"]


def test_a_stolen_kiosk_gets_nothing_but_the_order_to_wipe(town: Any, caller: Any) -> None:
    town.central.fleet.revoke(caller.kiosk, farewell=Farewell.STOLEN)
    push = Push(incarnation="log-1", words=[town.word(Word.FACT, "a")])
    for answer in (
        caller.call("GET", "/v1/feed"), caller.call("POST", "/v1/health", HEALTH), caller.call("POST", "/v1/acts", push)
    ):  # fmt: skip
        assert fault(answer) == (401, "revoked")
        assert order_of(town, caller, answer.json()) is Farewell.STOLEN
    assert town.central.holdings.acts() == {}


def test_a_retiring_kiosk_may_tell_but_is_told_nothing(town: Any, caller: Any) -> None:
    town.central.fleet.revoke(caller.kiosk, farewell=Farewell.RETIRE)
    assert fault(caller.call("GET", "/v1/feed")) == (401, "retired")
    asked = StaffAsk(login="chen", password="secret")
    assert fault(caller.call("POST", "/v1/staff-entry", asked)) == (401, "retired")
    pushed = caller.call("POST", "/v1/acts", Push(incarnation="log-1", words=[town.word(Word.FACT, "a")]))
    assert pushed.json()["verdicts"][0]["outcome"] == "accepted"
    assert order_of(town, caller, pushed.json()) is Farewell.RETIRE
    health = caller.call("POST", "/v1/health", HEALTH)
    assert order_of(town, caller, health.json()) is Farewell.RETIRE


def test_who_only_claims_to_be_a_stolen_kiosk_is_told_no_order(town: Any, caller: Any) -> None:
    town.central.fleet.revoke(caller.kiosk, farewell=Farewell.STOLEN)
    answer = caller.call("GET", "/v1/feed", token=caller.token(b"", iat=1)[:-8] + "AAAAAAAA")
    assert fault(answer) == (401, "bad_token")
    assert answer.json()["order"] is None


def test_a_kiosk_enrolled_anew_after_a_farewell_is_welcome(town: Any, caller: Any) -> None:
    town.central.fleet.revoke(caller.kiosk, farewell=Farewell.STOLEN)
    assert caller.enrol(town.central.fleet.make_code("main", again=caller.kiosk)) == 200
    assert caller.call("GET", "/v1/feed").status_code == 200


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "main-9"}, "unknown_kiosk"),
        ({"iss": None}, "unknown_kiosk"),
        ({"jti": None}, "bad_token"),
        ({"exp": None}, "bad_token"),
        ({"bh": "other"}, "bad_body_hash"),
        ({"bh": None}, "bad_body_hash"),
        ({"iat": "soon"}, "bad_token"),
    ],
)
def test_a_token_with_a_wrong_claim_opens_nothing(caller: Any, claims: dict[str, Any], code: str) -> None:
    answer = caller.call("GET", "/v1/feed", token=caller.token(b"", **claims))
    assert fault(answer) == (401, code)


FEED = "/v1/feed?cursor=&wait_s=0&incarnation=log-1"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", FEED, None),
        ("GET", FEED.replace("cursor=", "cursor=abc"), "bad_request_hash"),
        ("GET", "/v1/feed", "bad_request_hash"),
        ("GET", FEED.replace("log-1", "log-2"), "bad_request_hash"),
        ("POST", FEED, "bad_request_hash"),
    ],
)
def test_a_token_of_one_request_opens_no_other(caller: Any, method: str, path: str, code: str | None) -> None:
    token = caller.token(b"", rh=b64(hashlib.sha256(request_said(method, FEED)).digest()))
    answer = caller.call("GET", path, token=token)
    assert (answer.status_code, None if code is None else fault(answer)[1]) == (200 if code is None else 401, code)


def test_the_kiosks_own_token_names_its_request_and_one_of_an_older_kiosk_is_taken_without(caller: Any) -> None:
    own = signed(caller.kiosk, caller.key, "GET", FEED, b"", caller.clock.now)
    assert caller.call("GET", FEED, token=own).status_code == 200
    assert fault(caller.call("GET", FEED + "&more=1", token=own)) == (401, "bad_request_hash")
    assert caller.call("GET", FEED, token=caller.token(b"")).status_code == 200


@pytest.mark.parametrize("skew", [-61, 61, 86_400, -86_400])
def test_a_token_of_another_time_is_answered_with_centrals_clock(town: Any, caller: Any, skew: int) -> None:
    at = int(town.clock.now.timestamp()) + skew
    answer = caller.call("GET", "/v1/feed", token=caller.token(b"", iat=at, exp=at + 60))
    told = msgspec.json.decode(answer.content, type=Fault)
    assert (answer.status_code, told.code, told.now) == (401, "token_time", town.clock.now)


def test_a_small_skew_is_let_in_and_a_long_life_is_not(town: Any, caller: Any) -> None:
    at = int(town.clock.now.timestamp())
    assert caller.call("GET", "/v1/feed", token=caller.token(b"", iat=at - 59, exp=at)).status_code == 200
    assert fault(caller.call("GET", "/v1/feed", token=caller.token(b"", exp=at + 301))) == (401, "bad_token")


def test_a_stolen_name_or_another_algorithm_opens_nothing(caller: Any) -> None:
    claims = {"iss": caller.kiosk, "iat": 1, "exp": 2, "jti": "1"}
    other = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA")
    for token in (other, jwt.encode(claims, None, algorithm="none"), "a.b.c", "x" * 5000):
        assert caller.call("GET", "/v1/feed", token=token).status_code == 401
    assert fault(caller.client.get("/v1/feed")) == (401, "no_token")


def test_a_packed_push_is_judged_and_told_so_and_a_bomb_is_refused(town: Any, caller: Any) -> None:
    def post(body: bytes, coding: str = "gzip") -> Any:
        headers = {
            "Authorization": f"Bearer {caller.token(body)}",
            "Content-Type": "application/json",
            "Content-Encoding": coding,
        }
        return caller.client.post("/v1/acts", content=body, headers=headers)

    push = msgspec.json.encode(Push(incarnation="log-1", words=[town.word(Word.FACT, "a")]))
    answer = post(packed(push))
    assert answer.headers["accept-encoding"] == "gzip"
    assert msgspec.json.decode(answer.content, type=Pushed).held_through == 1
    assert fault(post(packed(b" " * (MAX_BODY + 1)))) == (413, "too_large")
    assert fault(post(packed(push)[:-1])) == (400, "bad_request")
    assert fault(post(push, "br")) == (415, "not_json")


def test_a_large_page_is_packed_for_who_takes_that_and_plain_for_others(town: Any, caller: Any) -> None:
    with town.central.registry.change("test") as change:
        change.items([ItemEntry(id=f"L{number}", title="書" * 20, branch="main") for number in range(60)])
    whole = caller.call("GET", "/v1/feed", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in whole.headers
    small = caller.call("GET", "/v1/feed", headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) * 3 < len(whole.content)
    assert (
        msgspec.json.decode(small.content, type=FeedPage).entries
        == msgspec.json.decode(whole.content, type=FeedPage).entries
    )


def test_every_fault_is_a_fault(town: Any, caller: Any) -> None:
    assert fault(caller.client.get("/nowhere")) == (404, "not_found")
    assert fault(caller.client.get("/v1/acts")) == (405, "method_not_allowed")
    assert fault(caller.call("POST", "/v1/acts", {"incarnation": "log-1", "words": [{}]})) == (400, "bad_request")
    assert fault(caller.call("POST", "/v1/acts", {"incarnation": "", "words": []})) == (400, "bad_request")
    assert fault(caller.call("POST", "/v1/acts", "x" * 2_000_000))[0] == 413
    many = [town.word(Word.FACT, f"a{number}") for number in range(MAX_WORDS + 1)]
    assert fault(caller.call("POST", "/v1/acts", Push(incarnation="log-1", words=many))) == (413, "too_many_words")
    assert fault(caller.call("GET", "/v1/feed", params={"wait_s": "soon"})) == (400, "bad_request")
    assert fault(caller.client.post("/v1/enrol", content=b"<html>")) == (400, "bad_request")


def test_a_database_that_fails_is_no_verdict(town: Any, caller: Any) -> None:
    with town.central.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE word RENAME TO word_away")
    answer = caller.call("POST", "/v1/acts", Push(incarnation="log-1", words=[town.word(Word.FACT, "a")]))
    assert fault(answer) == (503, "database")


def test_a_newer_kiosk_may_say_more_than_central_knows(town: Any, caller: Any) -> None:
    word = msgspec.to_builtins(town.word(Word.FACT, "a")) | {"mood": "good"}
    answer = caller.call("POST", "/v1/acts", {"incarnation": "log-1", "words": [word], "version": 7, "more": {}})
    assert answer.json()["verdicts"][0]["outcome"] == "accepted"


def test_two_kiosks_get_different_indexes_of_the_same_card(town: Any, caller: Any) -> None:
    def index() -> str:
        entries = caller.call("GET", "/v1/feed").json()["entries"]
        return next(entry["index"] for entry in entries if entry["type"] == "card" and entry["kind"] == "easycard")

    first = index()
    caller.enrol(town.central.fleet.make_code("main"))
    assert index() != first


def test_a_long_poll_is_woken_by_a_commit(town: Any, caller: Any) -> None:
    cursor = caller.call("GET", "/v1/feed").json()["cursor"]
    answers: list[Any] = []

    def poll() -> None:
        answers.append(caller.call("GET", "/v1/feed", params={"cursor": cursor, "wait_s": 25}))

    waiting = threading.Thread(target=poll)
    waiting.start()
    town.say(Word.FACT, "a")
    waiting.join(10)
    assert [entry["act"] for entry in answers[0].json()["entries"]] == ["a"]


def test_an_ended_bell_lets_nobody_wait(town: Any, caller: Any) -> None:
    cursor = caller.call("GET", "/v1/feed").json()["cursor"]
    town.central.bell.close()
    assert caller.call("GET", "/v1/feed", params={"cursor": cursor, "wait_s": 25}).json()["entries"] == []


def test_the_bell_misses_nothing_between_look_and_wait() -> None:
    async def story() -> None:
        bell = Bell()
        seen = bell.count
        bell.ring()
        await bell.wait(seen, timedelta(hours=1).total_seconds())
        waiting = asyncio.create_task(bell.wait(bell.count, timedelta(hours=1).total_seconds()))
        threading.Thread(target=bell.ring).start()
        await waiting
        await bell.wait(bell.count, 0)

    asyncio.run(story())


def test_the_api_is_described_at_the_inner_address_only(town: Any, caller: Any) -> None:
    for path in ("/schema", "/schema/openapi.json", "/metrics"):
        assert fault(caller.client.get(path)) == (404, "not_found")
    with TestClient(make_inside_app(town.central)) as inside:
        schema = inside.get("/schema/openapi.json").json()
        assert inside.get("/v1/live").status_code == 404
    ours = {path for path in schema["paths"] if not path.startswith("/v1/staff/")}
    assert ours == {"/v1/live", "/v1/enrol", "/v1/acts", "/v1/feed", "/v1/health", "/v1/staff-entry"}
    assert schema["paths"]["/v1/acts"]["post"]["security"] == [{"kiosk": []}]
    assert caller.client.get("/v1/live").json() == {"live": True}
