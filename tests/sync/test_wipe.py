"""Only central can wipe a kiosk, a wipe cut short goes on, and what was not told stays for central alone."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from kiosk_sync import NOON, SyncKiosk, act, answers, identity, open_log, open_replica

from kiosk.domain.journal import Word
from kiosk.domain.values import IncarnationId
from kiosk.ports import LedgerError, LedgerReason
from sync import acts, replica, sealed, stick, wipe, wire
from sync.central_client import CentralClient, Identity, keep_identity, load_identity
from sync.encrypted import connect, draft_of, write_secret
from sync.wire import Farewell

CENTRAL = Ed25519PrivateKey.from_private_bytes(bytes(range(100, 132)))
OPENS = X25519PrivateKey.from_private_bytes(bytes(range(132, 164)))
KEY_NAME = "database.key"
SMALL = 4 * 2**20
"""Bytes of a disk that is soon full."""


def enrolled() -> Identity:
    return msgspec.structs.replace(
        identity(),
        central_signs=wire.unpadded(CENTRAL.public_key().public_bytes_raw()),
        central_opens=wire.unpadded(OPENS.public_key().public_bytes_raw()),
    )


def order(farewell: Farewell, of: Identity | None = None, by: Ed25519PrivateKey = CENTRAL) -> wire.Order:
    kiosk = of or enrolled()
    said = wire.farewell_said(kiosk.kiosk, kiosk.public_key(), farewell)
    return wire.Order(farewell=farewell, signature=wire.unpadded(by.sign(said)))


# --- who may order it --------------------------------------------------------------------------------------------


@pytest.fixture
def left() -> list[Farewell]:
    return []


@pytest.fixture
def kiosk(tmp_path: Path, left: list[Farewell]) -> Iterator[SyncKiosk]:
    kiosk = SyncKiosk(tmp_path)
    client = CentralClient(enrolled(), IncarnationId("i1"), kiosk.clock, kiosk.offset, kiosk.central)
    kiosk.sync = kiosk.agent(client, leave=left.append)
    yield kiosk
    kiosk.log.close()


def refusing(told: wire.Order, code: str = "revoked") -> Callable[[str], httpx2.Response | None]:
    return answers(401, msgspec.json.encode(wire.Fault(code=code, order=told)))


def test_a_stolen_kiosk_leaves_at_the_next_contact_with_whatever_it_has_not_told(
    kiosk: SyncKiosk, left: list[Farewell]
) -> None:
    kiosk.says()
    kiosk.central.broken = refusing(order(Farewell.STOLEN))
    kiosk.turns(3)
    assert left == [Farewell.STOLEN]


def test_a_retiring_kiosk_leaves_when_it_has_told_everything(kiosk: SyncKiosk, left: list[Farewell]) -> None:
    kiosk.says()
    kiosk.central.order = order(Farewell.RETIRE)
    kiosk.central.broken = lambda path: httpx2.Response(503) if path == "/v1/acts" else None
    kiosk.turns(2)
    assert left == []
    kiosk.central.broken = None
    kiosk.turns(3)
    assert left == [Farewell.RETIRE]
    assert kiosk.log.queue() == (0, None)


@pytest.mark.parametrize(
    "forged",
    [
        order(Farewell.STOLEN, by=Ed25519PrivateKey.generate()),
        order(Farewell.STOLEN, of=msgspec.structs.replace(enrolled(), kiosk="k2")),
        order(Farewell.STOLEN, of=msgspec.structs.replace(enrolled(), private_key=wire.unpadded(bytes(range(32))))),
        wire.Order(farewell=Farewell.STOLEN, signature=order(Farewell.RETIRE).signature),
        wire.Order(farewell=Farewell.STOLEN, signature="%%%"),
        wire.Order(farewell=Farewell.STOLEN, signature=""),
    ],
    ids=["another signature", "another kiosk", "an earlier enrolment", "another farewell", "no base64", "empty"],
)
def test_nobody_else_can_order_it(kiosk: SyncKiosk, left: list[Farewell], forged: wire.Order) -> None:
    kiosk.central.broken = refusing(forged)
    kiosk.turns(3)
    kiosk.central.broken, kiosk.central.order = None, forged
    kiosk.turns(3)
    assert left == []


def test_a_kiosk_that_knows_no_key_of_central_heeds_no_order(tmp_path: Path, left: list[Farewell]) -> None:
    kiosk = SyncKiosk(tmp_path)
    kiosk.sync = kiosk.agent(kiosk.client(), leave=left.append)
    kiosk.central.broken = refusing(order(Farewell.STOLEN, of=identity()))
    kiosk.turns(3)
    assert left == []
    kiosk.log.close()


# --- what goes ---------------------------------------------------------------------------------------------------


class Machine:
    """The folders of a kiosk that has worked."""

    def __init__(self, folder: Path) -> None:
        self.data, self.keys = folder / "data", folder / "keys"
        self.data.mkdir()
        keep_identity(self.keys, enrolled())
        write_secret(self.keys / KEY_NAME, bytes(range(32)))
        writer, reader = open_replica(self.data)
        writer.close()
        reader.close()
        (self.data / (replica.FILE + ".damaged")).write_bytes(b"old")
        log = open_log(self.data)
        self.incarnation = log.incarnation
        self.settled, self.told = act(item=1), act(item=2)
        self.asked = act(item=3)
        log.record(Word.FACT, self.told)
        log.record(Word.REQUEST, self.asked)
        log.close()

    def wipe(self) -> None:
        wipe.resume(self.data, self.keys, KEY_NAME, NOON)

    def everything(self) -> set[str]:
        return {path.name for folder in (self.data, self.keys) for path in folder.iterdir()} - {"running.lock"}

    def sealed_words(self) -> list[tuple[Word, str]]:
        (rest,) = wipe.left_behind(self.data)
        with sealed.opened(rest, self.data) as parcel:
            parcel.verify(enrolled().signs().public_key())
            assert (parcel.head.what, parcel.head.kiosk) == ("left", "k1")
            pieces = [msgspec.json.decode(piece, type=stick.StickPiece) for piece in parcel.pieces(OPENS)]
        return [
            (word.word, word.act)
            for piece in pieces
            if isinstance(piece, stick.StickWords)
            for word in piece.push.words
        ]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("farewell", list(Farewell))
def test_everything_goes_but_what_central_has_not_heard(machine: Machine, farewell: Farewell) -> None:
    wipe.begin(machine.keys, farewell)
    machine.wipe()
    assert machine.everything() == {f"left-k1-{machine.incarnation[:8]}-1.parcel"}
    assert machine.sealed_words() == [(Word.FACT, machine.told.id), (Word.WITHDRAWAL, machine.asked.id)]
    assert load_identity(machine.keys) is None


def test_what_an_earlier_enrolment_left_and_nobody_fetched_is_left_by_the_next_one_too(machine: Machine) -> None:
    for _ in range(2):
        wipe.begin(machine.keys, Farewell.RETIRE)
        machine.wipe()
        before = wipe.left_behind(machine.data)
        keep_identity(machine.keys, enrolled())
        write_secret(machine.keys / KEY_NAME, bytes(range(32)))
        log = open_log(machine.data)
        log.record(Word.FACT, act(item=4))
        log.close()
    assert len(before) == 2


def test_nothing_is_left_by_a_kiosk_that_has_told_everything(machine: Machine) -> None:
    for part in machine.data.glob("acts.db*"):
        part.unlink()
    open_log(machine.data).close()
    wipe.begin(machine.keys, Farewell.RETIRE)
    machine.wipe()
    assert machine.everything() == set()


def test_without_an_order_a_start_wipes_nothing(machine: Machine) -> None:
    before = machine.everything()
    machine.wipe()
    assert machine.everything() == before


@pytest.mark.parametrize("farewell", list(Farewell))
def test_an_order_that_cannot_be_noted_is_carried_out_all_the_same(machine: Machine, farewell: Farewell) -> None:
    (machine.keys / f".{wipe.NOTE}.new").mkdir()
    wipe.begin(machine.keys, farewell)
    assert wipe.ordered(machine.keys) is None
    wipe.finish(machine.data, machine.keys, KEY_NAME, NOON, farewell)
    (rest,) = wipe.left_behind(machine.data)
    assert machine.everything() == {rest.name, f".{wipe.NOTE}.new"}
    assert machine.sealed_words() == [(Word.FACT, machine.told.id), (Word.WITHDRAWAL, machine.asked.id)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_does_not_keep_a_stolen_kiosk_from_wiping_itself(small_disk: Path) -> None:
    machine = Machine(small_disk)
    with (small_disk / "filling").open("wb", buffering=0) as file, suppress(OSError):
        for _ in range(SMALL // 512):
            file.write(bytes(512))
    wipe.begin(machine.keys, Farewell.STOLEN)
    assert wipe.ordered(machine.keys) is None
    wipe.finish(machine.data, machine.keys, KEY_NAME, NOON, Farewell.STOLEN)
    (rest,) = wipe.left_behind(machine.data)  # the replica made room for it
    assert machine.everything() == {rest.name}


def test_what_a_power_cut_left_of_a_secret_half_written_goes_too(machine: Machine) -> None:
    draft = draft_of(machine.keys / "kiosk.json")
    draft.write_bytes(b"keys of an enrolment that was never kept")
    wipe.begin(machine.keys, Farewell.STOLEN)
    machine.wipe()
    assert not draft.exists()


GONE = ["replica.db", "acts.db", KEY_NAME, "kiosk.json"]


@pytest.mark.parametrize("farewell", list(Farewell))
@pytest.mark.parametrize("steps", range(len(GONE) + 1))
def test_a_wipe_cut_short_at_any_step_goes_on(machine: Machine, farewell: Farewell, steps: int) -> None:
    """As the wipe leaves the folders when it dies: the sealed rest stands before the log goes."""
    wipe.begin(machine.keys, farewell)
    if steps > 1:
        whole = {path: path.read_bytes() for folder in (machine.data, machine.keys) for path in folder.iterdir()}
        machine.wipe()
        for path, content in whole.items():
            if not any(path.name.startswith(name) for name in GONE[:steps]):
                path.write_bytes(content)
    elif steps == 1:
        for part in machine.data.glob("replica.db*"):
            part.unlink()
    machine.wipe()
    assert len(machine.everything()) == 1
    assert machine.sealed_words() == [(Word.FACT, machine.told.id), (Word.WITHDRAWAL, machine.asked.id)]


def spoil(machine: Machine) -> None:
    path = machine.data / acts.FILE
    raw = bytearray(path.read_bytes())
    raw[4096:] = bytes(len(raw) - 4096)
    path.write_bytes(raw)
    (machine.data / f"{acts.FILE}-wal").unlink(missing_ok=True)


def test_a_log_that_cannot_be_read_stops_a_retiring_kiosk_but_not_a_stolen_one(machine: Machine) -> None:
    spoil(machine)
    wipe.begin(machine.keys, Farewell.RETIRE)
    with pytest.raises(LedgerError, match="nothing is wiped") as stopped:
        machine.wipe()
    assert stopped.value.reason is LedgerReason.DAMAGED
    assert {"acts.db", KEY_NAME, "kiosk.json"} <= machine.everything()
    wipe.begin(machine.keys, Farewell.STOLEN)
    machine.wipe()
    assert machine.everything() == set()


def test_of_a_stolen_kiosks_damaged_log_what_can_be_read_is_sealed(machine: Machine) -> None:
    path, key = machine.data / acts.FILE, bytes(range(32))
    db = connect(path, key, durable=True)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'outbox'").fetchone()
    db.close()
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * 4096 + 60 : (page - 1) * 4096 + 360] = bytes(300)
    path.write_bytes(raw)
    wipe.begin(machine.keys, Farewell.STOLEN)
    machine.wipe()
    (rest,) = machine.everything()
    assert rest.startswith("left-k1-")
    assert (Word.FACT, machine.told.id) in machine.sealed_words()


# --- a sealed identity -------------------------------------------------------------------------------------------


def sealed_identity(folder: Path, monkeypatch: pytest.MonkeyPatch, of: Identity) -> None:
    """As systemd hands it to the kiosk's service."""
    folder.mkdir(exist_ok=True)
    (folder / "kiosk.json").write_bytes(msgspec.json.encode(of))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


def test_a_sealed_identity_serves_and_a_newer_enrolment_outranks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    sealed_identity(tmp_path / "sealed", monkeypatch, enrolled())
    assert load_identity(keys) == enrolled()
    newer = msgspec.structs.replace(enrolled(), kiosk="k2", private_key=wire.unpadded(bytes(range(32))))
    keep_identity(keys, newer)
    assert load_identity(keys) == newer


@pytest.mark.parametrize("farewell", Farewell)
def test_a_wiped_kiosk_is_not_enrolled_even_if_systemd_still_has_its_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, farewell: Farewell
) -> None:
    data, keys = tmp_path / "data", tmp_path / "keys"
    data.mkdir()
    sealed_identity(tmp_path / "sealed", monkeypatch, enrolled())
    wipe.begin(keys, farewell)
    wipe.resume(data, keys, KEY_NAME, NOON)
    assert load_identity(keys) is None
    wipe.begin(keys, farewell)
    wipe.resume(data, keys, KEY_NAME, NOON)  # once more, as after a power cut
    assert load_identity(keys) is None
    again = msgspec.structs.replace(enrolled(), private_key=wire.unpadded(bytes(range(32))))
    sealed_identity(tmp_path / "sealed", monkeypatch, again)
    assert load_identity(keys) == again
