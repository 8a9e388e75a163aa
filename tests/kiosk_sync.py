"""Acts, verdicts, feed pages and a central that answers on command, for tests of the kiosk's half of sync."""

import base64
import hashlib
import hmac
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx2
import msgspec
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fakes import FakeClock
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2 as sqlcipher

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Act, Deed, Mode, Outcome, Verdict, Word
from kiosk.domain.values import ActId, BranchId, IncarnationId, ItemId, MembershipId, Reason
from kiosk.ports import Event, LedgerError
from sync import acts, replica, wire
from sync.agent import SyncActs
from sync.central_client import CentralClient, Identity
from sync.clock_offset import ClockOffset
from sync.encrypted import connect
from sync.link_state import LinkRules

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DUE = NOON + timedelta(days=28)
ANN, BOB = MembershipId("m-ann"), MembershipId("m-bob")
KEY = bytes(range(32))
INDEX_KEY = bytes(range(32, 64))
CARD = "93A131C0"

_numbers = count(1)


def act(
    item: int = 1,
    deed: Deed = Deed.CHECKOUT,
    who: MembershipId | None = ANN,
    minute: float = 0,
    mode: Mode = Mode.OFFLINE,
    due_at: datetime | None = DUE,
) -> Act:
    return Act(
        id=ActId(f"00000000-0000-7000-8000-{next(_numbers):012}"),
        deed=deed,
        membership=None if deed is Deed.RETURN else who,
        item=ItemId(f"C{item:07}"),
        branch=BranchId("main"),
        happened_at=NOON + timedelta(minutes=minute),
        clock_offset=timedelta(milliseconds=1500),
        mode=mode,
        replica_age=timedelta(minutes=2),
        policy_version="p1",
        due_at=None if deed is Deed.RETURN else due_at,
    )


def verdict(
    of: Act,
    word: Word = Word.FACT,
    outcome: Outcome = Outcome.ACCEPTED,
    epoch: str = "e1",
    position: int = 7,
    due_at: datetime | None = DUE,
    reason: Reason | None = None,
) -> Verdict:
    return Verdict(
        act_id=of.id, word=word, outcome=outcome, reason=reason, due_at=due_at, epoch=epoch, position=position
    )


def open_log(folder: Path) -> acts.ActsLog:
    acts.prepare(folder, KEY)
    return acts.ActsLog(folder, KEY)


def log_of_revision(folder: Path, revision: str) -> None:
    """An empty acts file as an older program left it, made by the schema's own history."""
    _of_revision(folder / acts.FILE, "acts", revision, "INSERT INTO meta VALUES ('incarnation', 'an-older-log')")


def replica_of_revision(folder: Path, revision: str, *statements: str) -> None:
    """The same of a replica, with what these statements write."""
    _of_revision(folder / replica.FILE, "replica", revision, *statements)


def _of_revision(file: Path, kind: str, revision: str, *statements: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(acts.__file__).parent / "migrations" / kind))
    scripts = ScriptDirectory.from_config(config)
    engine = create_engine(
        "sqlite://", module=sqlcipher, creator=lambda: connect(file, KEY, durable=True), poolclass=NullPool
    )
    steps = EnvironmentContext(config, scripts, fn=lambda found, _: scripts._upgrade_revs(revision, found))
    with steps as environment, engine.begin() as connection:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
        for statement in statements:
            connection.exec_driver_sql(statement)


def open_replica(folder: Path, index_key: bytes = INDEX_KEY) -> tuple[replica.ReplicaWriter, replica.Replica]:
    replica.prepare(folder, KEY)
    return replica.ReplicaWriter(folder, KEY), replica.Replica(folder, KEY, index_key)


# --- the feed ----------------------------------------------------------------------------------------------------


def page(
    *entries: wire.FeedEntry,
    position: int = 10,
    cursor: str = "c10",
    more: bool = False,
    begins: bool = False,
    snapshot: bool = False,
    epoch: str = "e1",
) -> wire.FeedPage:
    return wire.FeedPage(
        epoch=epoch,
        now=NOON,
        cursor=cursor,
        position=position,
        more=more,
        snapshot=begins or snapshot,
        snapshot_begins=begins,
        entries=list(entries),
    )


def patron(who: str = ANN, **changes: object) -> wire.MembershipEntry:
    values: dict[str, object] = {"id": who, "category": "adult", "display_name": "王○"}
    return wire.MembershipEntry(**{**values, **changes})  # type: ignore[arg-type]


def card(number: str = CARD, who: str = ANN, index_key: bytes = INDEX_KEY, id_: str = "") -> wire.CardEntry:
    index = hmac.new(index_key, number.encode(), hashlib.sha256).hexdigest()
    return wire.CardEntry(index=index, membership=who, kind=CardKind.EASYCARD, id=id_)


def copy(item: int = 1, **changes: object) -> wire.ItemEntry:
    values: dict[str, object] = {"id": f"C{item:07}", "title": f"測試書 {item}", "branch": "main"}
    return wire.ItemEntry(**{**values, **changes})  # type: ignore[arg-type]


def lent(
    item: int = 1, who: str = ANN, by: str = "elsewhere", due_at: datetime = DUE, renewals: int = 0
) -> wire.LoanEntry:
    return wire.LoanEntry(
        act=by, membership=who, item=f"C{item:07}", lent_at=NOON - timedelta(days=1), due_at=due_at, renewals=renewals
    )


def rules(version: str = "p1", quota: int = 3) -> wire.PolicyEntry:
    return wire.PolicyEntry(
        policy_version=version,
        patron_rules=[wire.WirePatronRule(category="*", quota=quota)],
        loan_rules=[wire.WireLoanRule(loan_days=28, renewals=1)],
    )


# --- central -----------------------------------------------------------------------------------------------------


class FakeMailbox:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def post(self, event: Event) -> None:
        self.events.append(event)


class FakeCentral:
    """A transport that keeps what it was sent; `broken` makes an answer of its own instead."""

    def __init__(self) -> None:
        self.epoch = "e1"
        self.position = 20
        self.now = NOON
        self.held: set[int] = set()
        self.words: list[wire.WireWord] = []
        self.calls: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.pages: list[wire.FeedPage] = []
        self.outcome = Outcome.ACCEPTED
        self.broken: Callable[[str], httpx2.Response | None] | None = None
        self.closed = False
        self.order: wire.Order | None = None
        self.unseals = False

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response:
        path = url.removeprefix("https://central.test").partition("?")[0]
        self.calls.append(path)
        self.headers.append(headers)
        if self.broken is not None and (answer := self.broken(path)) is not None:
            return answer
        if path == "/v1/acts":
            return self._judge(msgspec.json.decode(content, type=wire.Push))
        if path == "/v1/feed":
            return _json(self.pages.pop(0))
        return _json(
            wire.Envelope(
                epoch=self.epoch,
                now=self.now,
                held_through=self.held_through,
                order=self.order,
                unseals=self.unseals,
            )
        )

    def interrupt(self) -> None:
        self.calls.append("interrupted")

    def close(self) -> None:
        self.closed = True

    @property
    def held_through(self) -> int:
        return next(number for number in count() if number + 1 not in self.held)

    def restored(self, held_through: int, epoch: str = "e2") -> None:
        """As after `central restore` from a backup."""
        self.epoch, self.held = epoch, set(range(1, held_through + 1))

    def _judge(self, push: wire.Push) -> httpx2.Response:
        verdicts = []
        for word in push.words:
            self.words.append(word)
            self.held.update(number for number in (word.sequence, word.request_sequence) if number is not None)
            self.position += 1
            outcome = Outcome.CANCELLED if word.word is Word.WITHDRAWAL else self.outcome
            verdicts.append(
                wire.WireVerdict(
                    act=word.act,
                    word=word.word,
                    outcome=outcome,
                    reason=Reason.ITEM_RESERVED if outcome is Outcome.REFUSED else None,
                    due_at=word.due_at if outcome.stands else None,
                    epoch=self.epoch,
                    position=self.position,
                )
            )
        return _json(
            wire.Pushed(
                epoch=self.epoch,
                now=self.now,
                held_through=self.held_through,
                verdicts=verdicts,
                unseals=self.unseals,
            )
        )


def _json(answer: msgspec.Struct) -> httpx2.Response:
    return httpx2.Response(200, content=msgspec.json.encode(answer))


def identity() -> Identity:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32)).private_bytes_raw()
    return Identity(
        url="https://central.test",
        kiosk="k1",
        branch="main",
        private_key=_b64(key),
        index_key=_b64(INDEX_KEY),
    )


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SyncKiosk:
    """The sync threads' half of a kiosk, driven by turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.central = FakeCentral()
        self.mailbox = FakeMailbox()
        self.clock = FakeClock()
        self.offset = ClockOffset(self.clock)
        self.log = open_log(folder)
        self.opens: list[LedgerError] = []
        self.sync = self.agent(self.client())

    def client(self) -> CentralClient:
        return CentralClient(identity(), IncarnationId("i1"), self.clock, self.offset, self.central)

    def agent(self, client: CentralClient | None, leave: Callable[[wire.Farewell], None] | None = None) -> SyncActs:
        return SyncActs(
            open_log=self.open,
            client=client,
            offset=self.offset,
            mailbox=self.mailbox,
            clock=self.clock,
            health=self.health,
            rules=LinkRules(probes_needed=2),
            jitter=random.Random(1),
            leave=leave,
        )

    def open(self) -> acts.ActsLog:
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


def answers(status: int, content: bytes) -> Callable[[str], httpx2.Response]:
    return lambda path: httpx2.Response(status, content=content)


def raises(error: Exception) -> Callable[[str], httpx2.Response]:
    def answer(path: str) -> httpx2.Response:
        raise error

    return answer


def fault(code: str) -> bytes:
    return msgspec.json.encode(wire.Fault(code=code))
