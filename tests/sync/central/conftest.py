"""A small library on a real encrypted database, kiosks that speak to it, and a clock that stands still."""

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar.testing import TestClient
from postgres import Cluster, running

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Mode, Verdict, Word
from kiosk.domain.lending import ItemState, Standing
from kiosk.domain.values import IncarnationId, KioskId
from sync.central.http.app import make_app
from sync.central.office import Central, CentralSettings
from sync.central.passwords import Passwords
from sync.central.registry import Patron
from sync.central.terms import TermKind, term
from sync.wire import CalendarEntry, ItemEntry, LibraryEntry, PolicyEntry, WireLoanRule, WirePatronRule, WireWord

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)  # a Tuesday, noon in the library


@dataclass
class Clock:
    """Goes only when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def go(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Town:
    """Central of a small library, and words said to it."""

    central: Central
    clock: Clock
    settings: CentralSettings
    sequences: dict[tuple[str, str], Iterator[int]] = field(default_factory=dict)

    def word(
        self, word: Word, act: str, *, deed: Deed = Deed.CHECKOUT, membership: str | None = "ann", item: str = "C1",
        minute: float = 0, kiosk: str = "main-1", log: str = "log-1", sequence: int | None = None, **more: Any,
    ) -> WireWord:  # fmt: skip
        if sequence is None:
            sequence = next(self.sequences.setdefault((kiosk, log), itertools.count(1)))
        return WireWord(
            sequence=sequence, word=word, act=act, deed=deed,
            membership=None if deed is Deed.RETURN else membership, item=item, branch="main",
            happened_at=NOON + timedelta(minutes=minute), mode=Mode.ONLINE if word is Word.REQUEST else Mode.OFFLINE,
            **more,
        )  # fmt: skip

    def tell(self, *words: WireWord, kiosk: str = "main-1", log: str = "log-1") -> list[Verdict]:
        """Nothing is told before it happened: the clock goes on until then."""
        self.clock.now = max(self.clock.now, *(word.happened_at for word in words if word.happened_at.tzinfo), NOON)
        return self.central.inbox.judge(KioskId(kiosk), IncarnationId(log), words).verdicts

    def say(self, word: Word, act: str, *, kiosk: str = "main-1", log: str = "log-1", **more: Any) -> Verdict:
        return self.tell(self.word(word, act, kiosk=kiosk, log=log, **more), kiosk=kiosk, log=log)[0]

    def loans(self) -> dict[str, tuple[str, str]]:
        """item -> (act, membership) of every open loan."""
        return {loan.item: (loan.act_id, loan.membership) for loan in self.central.holdings.open_loans()}

    def cases(self) -> set[str]:
        """Ids of open cases."""
        return {case.id for case in self.central.holdings.cases()}


POLICY = PolicyEntry(
    policy_version="test-1",
    patron_rules=[WirePatronRule(category="*", quota=3)],
    loan_rules=[
        WireLoanRule(item_type="reference", loan_days=0, for_loan=False),
        WireLoanRule(loan_days=28, renewals=1),
    ],
)


def furnish(central: Central) -> None:
    """Ann and Ben in good standing, Dora suspended, Eve blocked; C1..C9, a desk-only, a reserved, a missing item."""
    with central.registry.change("test") as change:
        change.library(LibraryEntry(code="A01", name="甲學校", kind="school"))
        change.branch(CalendarEntry(branch="main", name="總館", closed_weekdays=[0]))
        for category in ("adult", "child"):
            change.term(term(TermKind.CATEGORY, category, category, category))
        for item_type in ("book", "reference", "dvd"):
            change.term(term(TermKind.ITEM_TYPE, item_type, item_type, item_type))
        change.policy(POLICY)
        change.patrons(
            [
                Patron(id="ann", name="王小明", category="adult", cards={CardKind.EASYCARD: "1A2B3C4D"}),
                Patron(id="ben", name="歐陽小華", category="adult", cards={CardKind.BARCODE: "P0000002"}),
                Patron(id="dora", name="陳朵拉", category="adult", suspended_until=(NOON + timedelta(days=5)).date()),
                Patron(id="eve", name="林夏娃", category="adult", standing=Standing.BLOCKED),
            ]
        )
        items = [ItemEntry(id=f"C{number}", title=f"書 {number}", branch="main") for number in range(1, 10)]
        items.append(ItemEntry(id="DESK", title="附光碟", branch="main", desk_only=True))
        items.append(ItemEntry(id="HELD", title="預約書", branch="main", reserved_for="ben"))
        items.append(ItemEntry(id="LOST", title="遺失", branch="main", state=ItemState.MISSING))
        change.items(items)


def quick_passwords() -> Passwords:
    """The same algorithm at its least cost."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """This test process's PostgreSQL."""
    with running() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def kind(request: pytest.FixtureRequest) -> str:
    """Every test of central runs on both databases; one about a single kind overrides this."""
    return str(request.param)


@pytest.fixture
def new_settings(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> Callable[[], CentralSettings]:
    """A factory: each call is another, empty database."""
    numbers = itertools.count()
    cluster: Cluster | None = request.getfixturevalue("cluster") if kind == "postgresql" else None

    def build() -> CentralSettings:
        data = tmp_path / f"central-{next(numbers)}"
        return CentralSettings(data=data, database=None if cluster is None else cluster.fresh())

    return build


@pytest.fixture
def new_town(new_settings: Callable[[], CentralSettings], clock: Clock) -> Iterator[Callable[[], Town]]:
    """A factory: each call is another library."""
    opened: list[Central] = []

    def build() -> Town:
        settings = new_settings()
        central = Central.open(settings, clock=clock, passwords=quick_passwords())
        opened.append(central)
        furnish(central)
        return Town(central, clock, settings)

    yield build
    for central in opened:
        central.close()


@pytest.fixture
def town(new_town: Callable[[], Town]) -> Town:
    return new_town()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Caller:
    """A kiosk at the other end of HTTP."""

    client: TestClient[Any]
    clock: Clock
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kiosk: str = ""
    index_key: str = ""

    def enrol(self, code: str) -> int:
        key = b64(self.key.public_key().public_bytes_raw())
        answer = self.client.post("/v1/enrol", json={"code": code, "public_key": key})
        if answer.status_code == 200:
            self.kiosk, self.index_key = answer.json()["kiosk"], answer.json()["index_key"]
        return answer.status_code

    def token(self, body: bytes, **claims: Any) -> str:
        now = int(self.clock.now.timestamp())
        usual = {"iss": self.kiosk, "iat": now, "exp": now + 60, "jti": "1", "bh": b64(hashlib.sha256(body).digest())}
        left = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(left, self.key, algorithm="EdDSA")

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> Any:
        data = b"" if body is None else json.dumps(msgspec.to_builtins(body)).encode()
        headers = {"Authorization": f"Bearer {token or self.token(data)}", "Content-Type": "application/json"}
        headers |= more.pop("headers", {})
        return self.client.request(method, path, content=data or None, headers=headers, **more)


@pytest.fixture
def caller(town: Town) -> Iterator[Caller]:
    """An enrolled kiosk."""
    with TestClient(make_app(town.central), raise_server_exceptions=False) as client:
        caller = Caller(client, town.clock)
        assert caller.enrol(town.central.fleet.make_code("main")) == 200
        yield caller
