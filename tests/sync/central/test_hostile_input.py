"""Whatever is sent: an answer in the API's own words, never a failure of ours, and never another kiosk's acts."""

import itertools
import json
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kiosk.domain.journal import Outcome, Word
from kiosk.domain.staff import EVERYWHERE, Grant, Role
from sync.central.http.app import MAX_BODY
from sync.central.http.inside import make_inside_app
from sync.wire import Fault, FeedPage, LoanEntry, Push, Pushed

SHORT = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
OPERATIONS = [
    ("POST", "/v1/acts"),
    ("GET", "/v1/feed"),
    ("POST", "/v1/health"),
    ("POST", "/v1/staff-entry"),
    ("POST", "/v1/enrol"),
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_whatever_fits_the_schema_gets_an_answer_that_fits_it_too(
    caller: Any, town: Any, method: str, path: str
) -> None:
    schema = schemathesis.openapi.from_asgi("/schema/openapi.json", make_inside_app(town.central))
    operation = schema[path][method]

    @SHORT
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        body = b"" if method == "GET" else json.dumps(case.body).encode()
        headers = {"Authorization": f"Bearer {caller.token(body)}", "Content-Type": "application/json"}
        query = {name: value for name, value in dict(case.query or {}).items() if name != "wait_s"}
        answer = caller.client.request(method, path, content=body or None, headers=headers, params=query)
        assert answer.status_code in {200, 400, 401, 413, 429}, answer.text
        case.operation.validate_response(answer)
        if answer.status_code != 200:
            assert msgspec.json.decode(answer.content, type=Fault).code

    ask()


@given(noise=st.binary(max_size=300))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_noise_is_a_fault_and_nothing_is_held(caller: Any, town: Any, noise: bytes) -> None:
    headers = {"Authorization": f"Bearer {caller.token(noise)}", "Content-Type": "application/json"}
    answer = caller.client.post("/v1/acts", content=noise, headers=headers)
    assert answer.status_code == 400
    assert town.central.holdings.acts() == {}


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("due_at", "9999-12-31T23:59:59-01:00"),
        ("due_at", "9999-12-31T20:00:00Z"),
        ("due_at", "0001-01-01T00:00:00+01:00"),
        ("heard_at", "9999-12-31T23:59:59-01:00"),
        ("happened_at", "9999-12-31T23:59:59-01:00"),
        ("happened_at", "2026-11-24T04:00:00"),
        ("clock_offset_ms", 10**15),
        ("replica_age_ms", -(10**15)),
    ],
)
@pytest.mark.parametrize("doubtful", [False, True])
def test_a_time_that_nobody_can_reckon_with_is_a_case_and_stops_nothing_after_it(
    caller: Any, town: Any, field: str, told: Any, doubtful: bool
) -> None:
    def tell(name: str, **more: Any) -> tuple[str, str]:
        word = json.loads(msgspec.json.encode(town.word(Word.FACT, name))) | more
        answer = caller.call("POST", "/v1/acts", {"incarnation": "log-1", "words": [word]})
        (verdict,) = msgspec.json.decode(answer.content, type=Pushed).verdicts
        return verdict.outcome, str(verdict.reason)

    assert tell("far", **{field: told, "doubtful": doubtful}) == (Outcome.CASE, "cannot_be_judged")
    assert caller.call("GET", "/v1/feed").status_code == 200
    assert tell("back", deed="return", membership=None) == (Outcome.NOTED, "item_not_on_loan")
    assert tell("other", item="C2")[0] is Outcome.ACCEPTED
    assert [loan.act_id for loan in town.central.holdings.open_loans()] == ["other"]


@pytest.mark.parametrize(
    "strange", ["\0", "\0" * 200, "\udc80".encode("utf-8", "surrogatepass").decode("latin1"), "a" * 10_000]
)
def test_a_name_that_no_database_holds_is_a_fault(caller: Any, strange: str) -> None:
    for answer in (
        caller.call("GET", "/v1/feed", params={"incarnation": strange}),
        caller.call("GET", "/v1/feed", params={"cursor": strange}),
        caller.call("POST", "/v1/health", {"incarnation": strange, "program": "p", "queue_length": 0}),
        caller.call("POST", "/v1/acts", {"incarnation": strange, "words": []}),
        caller.call("GET", "/v1/feed", token=caller.token(b"", iss=strange)),
    ):
        assert answer.status_code < 500, answer.text


BODIES = [path for method, path in OPERATIONS if method == "POST"]
STAFF_BODIES = ["login", "users", "users/grant", "users/revoke", "users/password", "users/disable", "users/enable",
                "users/unlock", "cases/assign", "cases/done"]  # fmt: skip


def test_bytes_that_are_no_json_of_ours_are_a_fault_and_no_mistake_of_ours(caller: Any, town: Any) -> None:
    town.central.staff.add("chen", "correct horse", [Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE)], who="test")
    town.central.staff.grant("chen", Grant(Role.HEADQUARTERS, EVERYWHERE), who="test")
    session = town.central.sessions.begin("chen", "correct horse").token
    paths = [*BODIES, *(f"/v1/staff/{path}" for path in STAFF_BODIES)]
    taken = {route.path for route in caller.client.app.routes if {"POST"} & {*getattr(route, "methods", ())}}
    assert taken - {"/v1/staff/logout"} == {*paths}  # every route that takes a body
    bad = [
        b'{"login":"\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'"' + b"\xed\xa0\x80" + b'"',
        b"\x00",
        b'{"login":"a"',
    ]
    with capture_logs() as logs:
        for path, body in itertools.product(paths, bad):
            token = session if path.startswith("/v1/staff/") else caller.token(body)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            answer = caller.client.post(path, content=body, headers=headers)
            assert answer.status_code == 400, (path, body[:20], answer.text)
            assert msgspec.json.decode(answer.content, type=Fault).code == "bad_request"
    assert [line for line in logs if line["log_level"] == "error"] == []


def test_a_body_that_is_too_large_is_refused(caller: Any) -> None:
    assert caller.call("POST", "/v1/health", {"program": "x" * MAX_BODY}).status_code == 413


def test_a_kiosk_can_neither_read_nor_write_another_kiosks_acts(caller: Any, town: Any) -> None:
    town.say(Word.REQUEST, "theirs", kiosk="main-9", membership="ben")
    for word in Word:
        push = Push(incarnation="log-1", words=[town.word(word, "theirs", membership="ben", kiosk=caller.kiosk)])
        said = msgspec.json.decode(caller.call("POST", "/v1/acts", push).content, type=Pushed).verdicts[0]
        assert said.outcome is not Outcome.ACCEPTED
        assert (said.due_at, said.position) == (None, 0)
    assert town.loans() == {"C1": ("theirs", "ben")}
    assert town.central.inbox.held_through("main-9", "log-1") == 1
    page = msgspec.json.decode(caller.call("GET", "/v1/feed", params={"incarnation": "log-1"}).content, type=FeedPage)
    assert [entry.membership for entry in page.entries if isinstance(entry, LoanEntry)] == [
        "ben"
    ]  # quota, by opaque id


def test_a_newer_kiosks_deed_becomes_a_case_and_holds_back_no_other_word(caller: Any, town: Any) -> None:
    words = [json.loads(msgspec.json.encode(town.word(Word.FACT, name))) for name in ("a", "b", "c", "d")]
    words[1]["deed"], words[2]["word"] = "pay", "correction"
    body = {"incarnation": "log-1", "words": words}
    first = msgspec.json.decode(caller.call("POST", "/v1/acts", body).content, type=Pushed)
    assert [verdict.outcome is Outcome.CASE for verdict in first.verdicts] == [False, True, True, False]
    assert first.held_through == 4
    assert {case.act for case in town.central.holdings.cases()} >= {"b", "c"}
    again = msgspec.json.decode(caller.call("POST", "/v1/acts", body).content, type=Pushed)
    assert again.verdicts == first.verdicts
