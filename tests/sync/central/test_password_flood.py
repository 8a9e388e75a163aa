"""Outsiders who log in all at once cost nobody else anything: passwords have threads and a queue of their own."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from litestar.testing import TestClient

from kiosk.domain.journal import Word
from kiosk.domain.staff import EVERYWHERE, Entry, Grant, Role
from sync.central.http.app import make_app
from sync.central.http.password_lanes import EACH
from sync.central.office import Central
from sync.central.passwords import Passwords
from sync.wire import Fault, Push, Pushed, StaffAsk, StaffTold

from .conftest import Caller, Clock, Town, furnish


class SlowHasher(PasswordHasher):
    """As slow as it is told to be, for the passwords of strangers."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go_on = threading.Event()
        self.looking = threading.Semaphore(0)

    def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002
        if password == "strange password":
            self.looking.release()
            self.go_on.wait(30)
        return super().verify(hash, password)


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def hasher() -> Iterator[SlowHasher]:
    hasher = SlowHasher()
    yield hasher
    hasher.go_on.set()


@pytest.fixture
def town(new_settings: Any, clock: Clock, hasher: SlowHasher) -> Iterator[Town]:
    settings = new_settings()
    central = Central.open(settings, clock=clock, passwords=Passwords(hasher))
    furnish(central)
    yield Town(central, clock, settings)
    central.close()


def test_a_hundred_logins_at_once_keep_neither_acts_nor_a_kiosks_staff_waiting(town: Town, hasher: SlowHasher) -> None:
    town.central.staff.add("chen", "correct horse", [Grant(Role.HEADQUARTERS, EVERYWHERE)], who="test")
    with TestClient(make_app(town.central)) as client, ThreadPoolExecutor(100) as strangers:
        caller = Caller(client, town.clock)
        assert caller.enrol(town.central.fleet.make_code("main")) == 200
        asked = {"login": "nobody", "password": "strange password"}
        logins: list[Future[Any]] = [
            strangers.submit(client.post, "/v1/staff/login", json=asked) for _ in range(100)
        ]  # fmt: skip
        assert hasher.looking.acquire(timeout=30)
        for number in range(3):  # while not one of them is answered that found a place
            push = Push(incarnation="log-1", words=[town.word(Word.FACT, f"a{number}", item=f"C{number + 1}")])
            assert msgspec.json.decode(caller.call("POST", "/v1/acts", push).content, type=Pushed).verdicts
        entry = caller.call("POST", "/v1/staff-entry", StaffAsk(login="chen", password="correct horse"))
        assert msgspec.json.decode(entry.content, type=StaffTold).entry is Entry.OK
        assert sum(not login.done() for login in logins) >= EACH
        hasher.go_on.set()
        answers = [login.result(30) for login in logins]
    full = [answer for answer in answers if answer.status_code == 503]
    assert len(full) + sum(answer.status_code in (401, 429) for answer in answers) == 100
    assert len(full) >= 100 - 2 * EACH - 5
    assert {msgspec.json.decode(answer.content, type=Fault).code for answer in full} == {"busy"}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in full)
