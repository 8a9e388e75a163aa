"""One kiosk cannot take all of central: bounds far above what any kiosk does, kept in memory, told as 429."""

import threading
from typing import Any

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from kiosk.domain.journal import Word
from sync.agent import BATCH
from sync.central.http.app import make_app
from sync.central.http.rates import POLLS, RATES, Call, Rate, Rates
from sync.central.limits import TooOften
from sync.wire import MAX_ENTRIES, MAX_WAIT_S, Health, Push


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_fills_again_and_is_each_kiosks_own() -> None:
    clock = Seconds()
    rates = Rates(clock, {Call.ACTS: Rate(3, 0.5), Call.HEALTH: Rate(1, 1)})
    for _ in range(3):
        rates.take("main-1", Call.ACTS)
    for _ in range(2):  # a refused call costs nothing
        with pytest.raises(TooOften) as refused:
            rates.take("main-1", Call.ACTS)
        assert refused.value.after.total_seconds() == 2
    rates.take("main-2", Call.ACTS)
    rates.take("main-1", Call.HEALTH)
    clock.now += 2
    rates.take("main-1", Call.ACTS)
    with pytest.raises(TooOften):
        rates.take("main-1", Call.ACTS)
    clock.now += 3600
    for _ in range(3):
        rates.take("main-1", Call.ACTS)
    with pytest.raises(TooOften):
        rates.take("main-1", Call.ACTS)


def test_the_bounds_let_a_large_backlog_a_first_fill_and_every_rush_hour_pass() -> None:
    rates = Rates(Seconds())  # not even time to fill again
    for _ in range(100_000 // BATCH):
        rates.take("main-1", Call.ACTS)
    for _ in range(1_500_000 // MAX_ENTRIES):
        rates.take("main-1", Call.FEED)
    assert RATES[Call.ACTS].each_second >= 100 * 5 / 60
    assert RATES[Call.FEED].each_second * MAX_WAIT_S > POLLS


def test_a_kiosk_over_its_bound_hears_429_and_when_to_come_and_another_is_served(town: Any, caller: Any) -> None:
    clock = Seconds()
    caller.client.app.state.rates = Rates(clock, {call: Rate(1, 0.1) for call in Call})
    push = Push(incarnation="log-1", words=[town.word(Word.FACT, "a")])
    health = Health(incarnation="log-1", program="test", queue_length=0)
    calls = [("POST", "/v1/acts", push), ("GET", "/v1/feed", None), ("POST", "/v1/health", health)]
    for call in calls:
        assert caller.call(*call).status_code == 200
        refused = caller.call(*call)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        assert refused.json()["code"] == "too_often"
    wrong = caller.call("POST", "/v1/acts", push, token=caller.token(b"another body"))
    assert wrong.status_code == 401  # who cannot sign spends nobody's share
    first = caller.kiosk
    assert caller.enrol(town.central.fleet.make_code("main")) == 200
    assert caller.kiosk != first
    assert caller.call("POST", "/v1/health", health).status_code == 200
    clock.now += 10
    assert caller.call("POST", "/v1/health", health).status_code == 200


def test_a_kiosk_holds_few_long_polls_open_and_each_counts_until_it_ends(town: Any, caller: Any) -> None:
    rates = Rates(Seconds(), polls=2)
    caller.client.app.state.rates = rates
    with rates.poll(caller.kiosk), rates.poll("main-9"):
        assert caller.call("GET", "/v1/feed").status_code == 200
        with rates.poll(caller.kiosk):
            refused = caller.call("GET", "/v1/feed")
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        assert caller.call("GET", "/v1/feed").status_code == 200
    cursor = caller.call("GET", "/v1/feed").json()["cursor"]
    answers: list[Any] = []

    def wait() -> None:
        answers.append(caller.call("GET", "/v1/feed", params={"cursor": cursor, "wait_s": 20}))

    polling = threading.Thread(target=wait)
    polling.start()
    while not rates.open(caller.kiosk):
        threading.Event().wait(0.01)
    town.central.bell.close()
    polling.join(10)
    assert answers[0].status_code == 200
    assert rates.open(caller.kiosk) == 0


def test_every_route_of_kiosks_names_what_it_costs(town: Any, caller: Any) -> None:
    assert caller.call("OPTIONS", "/v1/acts").status_code == 204
    app: Litestar = make_app(town.central)
    told = {
        route.path: handler.opt.get("call")
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler) and handler.http_methods != {"OPTIONS"}
    }
    assert {path: call for path, call in told.items() if call is not None} == {
        "/v1/acts": Call.ACTS,
        "/v1/feed": Call.FEED,
        "/v1/health": Call.HEALTH,
        "/v1/staff-entry": Call.STAFF_ENTRY,
    }
