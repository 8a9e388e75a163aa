"""Scripts for the twins: every word is played on the real twin and seen through the kiosk's own drivers (L3)."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.camera_next_door import CameraNextDoor
from ears import Ears

from drivers.device import Device
from drivers.escpos import MARK, ask_echo, ask_state
from drivers.link import TcpDoor
from drivers.printer_probe import Findings, probe
from drivers.scanner import SerialScanner
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.card import VirtualReader
from drivers.virtual.hands import Hands
from drivers.virtual.network import VirtualNetwork
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from drivers.virtual.script import BadScript, Step, play, read_script
from drivers.virtual.video import CameraMissing, VirtualCamera, build
from drivers.virtual.words import SYMBOLOGIES, WORDS
from kiosk.domain.values import Reason
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    CodeRead,
    CodeTrouble,
    DeviceChanged,
    DeviceReason,
    DeviceState,
    Event,
)

ROOT = Path(__file__).resolve().parents[2]
CARDS = {"ann": bytes.fromhex("93A131C0"), "bob": bytes.fromhex("04A1B2C3D4E5F6")}
CODES = {"mobile": "M9000031676"}


class Player:
    """Plays lines at once and remembers whose words were done."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.done: list[Step] = []
        self.waited: list[float] = []

    def __call__(self, *lines: str) -> None:
        script = "".join(f"after 0.5 {line}\n" for line in lines)
        for step in read_script(script, "test", CARDS):
            assert play([step], self.hands.do, lambda seconds: self.waited.append(seconds) or False)
            self.done.append(step)

    def played(self, device: str) -> set[str]:
        return {step.word for step in self.done if step.device == device}


@pytest.fixture
def player(pcscd: VirtualPcscd, tmp_path: Path) -> Iterator[Player]:
    scanner = VirtualScanner(tmp_path / "scanner")
    scanner.plug()
    said: list[str] = []
    with VirtualPrinter() as printer:
        network = VirtualNetwork(printer.port)
        hands = Hands(
            reader=VirtualReader(pcscd.ports[0]),
            pcscd=pcscd,
            scanner=scanner,
            printer=printer,
            network=network,
            cards=CARDS,
            codes=CODES,
            say=said.append,
        )
        yield Player(hands)
        hands.close()
        hands.reader.take()
        network.close()
        scanner.unplug()


class Watch:
    """One driver at work, and an ear for it."""

    def __init__(self, device: Device, ears: Ears) -> None:
        self.ears = ears
        self._supervisor = Supervisor([device], ears, back_off_s=(0.05,))
        self._supervisor.start()

    def becomes(self, state: DeviceState, reason: DeviceReason | None = None) -> None:
        def claim(event: Event) -> bool:
            return isinstance(event, DeviceChanged) and (event.status.state, event.status.reason) == (state, reason)

        self.ears.until(claim, 30.0)

    def hears(self) -> Event:
        return self.ears.until(lambda event: not isinstance(event, DeviceChanged | CardLeft))

    def stop(self) -> None:
        self._supervisor.stop()


# --- reading


def test_a_script_is_read_line_by_line_with_its_times_and_without_comments() -> None:
    text = "# first\n\nafter 0 reader lay ann\n  after 1.5 scanner scan A B # C \nafter 2 printer load\nafter 0 printer load 7\n"
    assert read_script(text, "s", CARDS) == [
        Step(3, 0.0, "reader", "lay", ("ann",)),
        Step(4, 1.5, "scanner", "scan", ("A B # C",)),
        Step(5, 2.0, "printer", "load"),
        Step(6, 0.0, "printer", "load", ("7",)),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("reader lay ann", "expected after SECONDS DEVICE WORD, got reader lay ann"),
        ("after soon reader lift", "expected seconds from 0 to 3600, got soon"),
        ("after -1 reader lift", "expected seconds from 0 to 3600, got -1"),
        ("after nan reader lift", "expected seconds from 0 to 3600, got nan"),
        ("after 1", "expected a device, one of reader, pcscd, scanner, printer, network, camera, trainer, got nothing"),
        ("after 1 readr lift", "expected a device, one of reader, pcscd"),
        ("after 1 reader", "expected what the reader does, one of lay, lift, tear"),
        ("after 1 reader lfit", "dead, nonsense, two, late-two, lock, unlock, unplug, plug, got lfit"),
        ("after 1 reader lay", "expected a card (ann, bob) or a UID in hexadecimal digits, got nothing"),
        ("after 1 reader lay 93A131", "or a UID in hexadecimal digits, got 93A131"),
        ("after 1 reader lay carol", "got carol"),
        ("after 1 reader two ann", "expected a card (ann, bob) or a UID in hexadecimal digits, got nothing"),
        ("after 1 reader lift ann", "expected nothing more after reader lift, got ann"),
        ("after 1 reader lay ann now", "expected nothing more after reader lay CARD, got now"),
        ("after 1 scanner scan", "expected CODE, the rest of the line, got nothing"),
        ("after 1 scanner bytes 1G", "expected bytes in hexadecimal digits, got 1G"),
        ("after 1 scanner bytes", "expected bytes in hexadecimal digits, got nothing"),
        ("after 1 scanner long 0", "expected a whole number from 1 to 7089, got 0"),
        ("after 1 scanner long 7090", "expected a whole number from 1 to 7089, got 7090"),
        ("after 1 printer buffer 0", "expected a whole number from 1 to 1000000, got 0"),
        ("after 1 printer buffer", "expected a whole number from 1 to 1000000, got nothing"),
        ("after 1 printer paper-out -3", "expected a whole number from 1 to 1000000, got -3"),
        ("after 1 printer load 99999999999999999999", "expected a whole number from 1"),
        ("after 1 printer late soon", "expected seconds from 0 to 3600, got soon"),
        ("after 1 printer late", "expected seconds from 0 to 3600, got nothing"),
        ("after 1 printer late-echo OLD", "expected four letters or digits, got OLD"),
        ("after 1 camera show aztec X", f"expected a kind of code, one of {', '.join(SYMBOLOGIES)}, got aztec"),
        ("after 1 camera show ean13 ABC", "expected what ean13 can say, got ABC"),
        ("after 1 camera show qr", "expected TEXT, the rest of the line, got nothing"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_what_is_expected(line: str, told: str) -> None:
    with pytest.raises(BadScript) as caught:
        read_script(f"# heading\n{line}\nafter 0 reader lift\nnonsense\n", "day.txt", CARDS)
    first, second = caught.value.problems
    assert first.startswith("day.txt:2: expected ")
    assert told in first
    assert second == "day.txt:4: expected after SECONDS DEVICE WORD, got nonsense"


def test_a_twin_that_is_not_on_the_bench_is_no_device_of_the_script(player: Player) -> None:
    with pytest.raises(BadScript, match="expected a device, one of reader, scanner, got camera"):
        read_script("after 0 camera stall\n", "s", CARDS, ("reader", "scanner"))
    with pytest.raises(OSError, match="no camera is on this bench"):
        player("camera stall")


def test_steps_wait_for_their_time_and_a_stop_leaves_the_rest_undone() -> None:
    steps = read_script("after 2 reader lift\nafter 3 network cut\nafter 4 network restore\n", "s", CARDS)
    waited, done = [], []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 3

    assert not play(steps, lambda step: done.append(str(step)), wait)
    assert (waited, done) == ([2.0, 3.0, 4.0], ["reader lift", "network cut"])


def test_the_page_about_twins_has_every_word_and_no_other() -> None:
    page = (
        (ROOT / "docs" / "twins.md")
        .read_text(encoding="utf-8")
        .partition("## Words")[2]
        .partition("## What the twins")[0]
    )
    for device, words in WORDS.items():
        part = page.partition(f"\n### {device}\n")[2].partition("\n### ")[0]
        rows = [line for line in part.splitlines() if line.startswith("| `")]
        assert rows == [f"| `{' '.join((name, *word.takes))}` | {word.does} |" for name, word in words.items()], device
    assert page.count("\n### ") == len(WORDS)


# --- playing: every word of every device


@pytest.mark.xdist_group("pcscd")
def test_every_word_of_the_reader_and_of_its_service(player: Player, pcscd: VirtualPcscd) -> None:
    ears = Ears()
    watch = Watch(CardReader("reader", "PICC 0", ears), ears)
    watch.becomes(DeviceState.READY)
    player("reader lay ann")
    first = watch.hears()
    assert isinstance(first, CardArrived)
    player("reader lift", "reader lay 11223344")
    second = watch.hears()
    assert isinstance(second, CardArrived)
    assert (first.card.uid, second.card.uid) == (CARDS["ann"], bytes.fromhex("11223344"))
    player("reader lift")
    for line, reasons in (
        ("mute bob", [Reason.CARD_UNREADABLE]),
        ("dead bob", [Reason.CARD_UNREADABLE]),
        ("nonsense ann", [Reason.CARD_UNREADABLE]),
        ("two ann 01234567", [Reason.CARD_TWO]),
        ("late-two ann 01234567", [None, Reason.CARD_TWO]),
    ):
        player(f"reader {line}")
        heard = [watch.hears() for _ in reasons]
        assert [event.reason if isinstance(event, CardTrouble) else None for event in heard] == reasons, line
        player("reader lift")
    player("reader tear bob", "reader lay ann")
    ears.until(lambda event: isinstance(event, CardArrived))
    player("reader unplug")
    watch.becomes(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED)
    player("reader plug")
    watch.becomes(DeviceState.READY)
    player("reader lock", "reader unlock", "pcscd kill")
    watch.becomes(DeviceState.ABSENT, DeviceReason.SERVICE_DOWN)
    player("pcscd start")
    watch.becomes(DeviceState.READY)
    player("pcscd freeze")
    watch.becomes(DeviceState.ABSENT, DeviceReason.SERVICE_DOWN)
    player("pcscd thaw")
    watch.becomes(DeviceState.READY)
    watch.stop()
    assert (player.played("reader"), player.played("pcscd")) == (set(WORDS["reader"]), set(WORDS["pcscd"]))


@pytest.mark.xdist_group("pcscd")
def test_every_word_of_the_scanner(player: Player) -> None:
    ears = Ears()
    watch = Watch(SerialScanner("scanner", str(player.hands.scanner.link), 9600, ears), ears)
    watch.becomes(DeviceState.READY)
    for line, event in (
        ("scan C0000001", CodeRead("scanner", "C0000001")),
        ("scan mobile", CodeRead("scanner", CODES["mobile"])),
        ("bare C0000002", CodeTrouble("scanner", Reason.CODE_UNREADABLE)),
        ("bytes FF FE 0D", CodeTrouble("scanner", Reason.CODE_UNREADABLE)),
        ("bytes 5D 45 34 39 36 33 38 35 30 37 34 0D", CodeRead("scanner", "96385074", "ean8")),
        ("long 500", CodeTrouble("scanner", Reason.CODE_TOO_LONG)),
    ):
        player(f"scanner {line}")
        assert watch.hears() == event, line
    player("scanner unplug")
    watch.becomes(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED)
    with pytest.raises(OSError, match="Bad file descriptor"):
        player("scanner scan C0000003")
    player("scanner plug")
    watch.becomes(DeviceState.READY)
    watch.stop()
    assert player.played("scanner") == set(WORDS["scanner"])


def test_a_code_that_nobody_reads_is_told_and_leaves_no_half_of_it_on_the_line(player: Player) -> None:
    with pytest.raises(OSError, match="nobody reads the scanner's line"):
        player("scanner bytes " + "39" * 100_000)
    ears = Ears()
    watch = Watch(SerialScanner("scanner", str(player.hands.scanner.link), 9600, ears), ears)
    watch.becomes(DeviceState.READY)
    player("scanner scan C0000001")
    assert watch.hears() == CodeRead("scanner", "C0000001")
    watch.stop()


def asked(twin: VirtualPrinter) -> Findings:
    link = TcpDoor("127.0.0.1", twin.port).open(1.0)
    try:
        return probe(link, 0.4)
    finally:
        link.close()


def answer(port: int, question: bytes, count: int = 1) -> bytes:
    """What comes back within a moment; nothing when the other side is silent or hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.3) as line:
        heard = b""
        try:
            line.sendall(question)
            while len(heard) < count and (part := line.recv(64)):
                heard += part
        except OSError:
            return heard
        return heard


@pytest.mark.xdist_group("pcscd")
def test_every_word_of_the_printer(player: Player) -> None:
    twin = player.hands.printer
    for ill, fault, well in (
        ("paper-out", DeviceReason.PAPER_OUT, "load"),
        ("near-end", DeviceReason.PAPER_LOW, "full"),
        ("open-cover", DeviceReason.COVER_OPEN, "close-cover"),
        ("jam", DeviceReason.CUTTER, "free"),
        ("hot", DeviceReason.HOT_HEAD, "cool"),
    ):
        player(f"printer {ill}")
        assert asked(twin).fault is fault
        player(f"printer {well}")
        assert asked(twin).fault is None
    player("printer silent")
    assert not asked(twin).state
    player("printer speak", "printer ignore-marks")
    assert asked(twin).confirms == "none"
    player("printer heed-marks", "printer paper-out", "printer run-dry")
    assert answer(twin.port, MARK) == b"\x0c"
    player("printer stop-dry")
    assert answer(twin.port, MARK) == b""
    player("printer load")
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5.0) as line:
        line.sendall(ask_state(1))
        assert line.recv(1) == b"\x12"
        player("printer noise 20 41")
        assert line.recv(2, socket.MSG_WAITALL) == b" A"
    player("printer keep-to-itself")
    told = asked(twin)
    assert (told.confirms, told.maker) == ("gs_h", "")
    player("printer tell-all", "printer late-echo OLD0")
    assert answer(twin.port, ask_echo(b"new1"), 14) == b"\x37\x22OLD0\x00\x37\x22new1\x00"
    player("printer late-mark")
    assert answer(twin.port, MARK, 2) == b"\x00\x00"
    player("printer late 60")
    assert answer(twin.port, ask_state(1)) == b""
    player("printer late 0")
    assert answer(twin.port, ask_state(1)) == b"\x12"
    player("printer swallow")
    assert answer(twin.port, ask_state(1)) == b""
    player("printer restore")
    assert answer(twin.port, ask_state(1)) == b"\x12"
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5.0) as line:
        line.sendall(ask_state(1))
        assert line.recv(1) == b"\x12"
        player("printer drop")
        assert _ended(line)
    player("printer paper-out", "printer buffer 8")
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5.0) as line:
        line.sendall(b"twelve bytes")
        twin.wait_until(lambda: len(twin.waiting()) == 8)
    player("printer power-cycle")
    assert twin.waiting() == b""
    player("printer no-buffer", "printer load", "printer slow-line 300")
    assert answer(twin.port, bytes(24) + ask_state(1)) == b""
    player("printer fast-line")
    assert answer(twin.port, bytes(24) + ask_state(1)) == b"\x12"
    player("printer let-wait", "printer hold")
    assert answer(twin.port, ask_state(1)) == b""
    player("printer release")
    twin.wait_until(lambda: not twin.serves)  # the line held before has ended
    player("printer turn-away", "printer hold")
    twin.wait_until(lambda: twin.serves)
    assert answer(twin.port, ask_state(1)) == b""
    player("printer release")
    twin.wait_until(lambda: not twin.serves)
    assert answer(twin.port, ask_state(1)) == b"\x12"
    player("printer unplug")
    with pytest.raises(ConnectionRefusedError):
        answer(twin.port, ask_state(1))
    player("printer plug")
    assert answer(twin.port, ask_state(1)) == b"\x12"
    assert player.played("printer") == set(WORDS["printer"])


def _ended(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.xdist_group("pcscd")
def test_every_word_of_the_network_and_the_trainer(player: Player) -> None:
    network, said = player.hands.network, list[str]()
    assert answer(network.port, ask_state(1)) == b"\x12"
    player("network swallow")
    assert answer(network.port, ask_state(1)) == b""
    player("network cut")
    with pytest.raises(ConnectionRefusedError):
        answer(network.port, ask_state(1))
    player("network restore")
    assert answer(network.port, ask_state(1)) == b"\x12"
    player.hands.say = said.append
    player("trainer say Watch the ticks.")
    assert said == ["Watch the ticks."]
    for device in ("network", "trainer"):
        assert player.played(device) == set(WORDS[device])


@pytest.mark.xdist_group("pcscd")
def test_every_word_of_the_camera(player: Player, tmp_path: Path) -> None:
    try:
        build()
    except CameraMissing as missing:
        pytest.skip(str(missing))
    twin, ears = VirtualCamera(tmp_path / "camera.sock"), Ears()
    player.hands.camera = twin
    player("camera plug")
    watch = Watch(CameraNextDoor(twin, ears), ears)
    watch.becomes(DeviceState.READY)
    player("camera show code128 C0000001")
    assert watch.hears() == CodeRead("camera", "C0000001", "code128")
    player("camera nothing", "camera bytes 00 FF", "camera show qr 館藏 C0000002")
    assert watch.hears() == CodeRead("camera", "館藏 C0000002", "qr")
    player("camera stall")
    watch.becomes(DeviceState.FAULT, DeviceReason.SILENT)
    for line, state, reason in (
        ("denied", DeviceState.FAULT, DeviceReason.NO_PERMISSION),
        ("locked", DeviceState.FAULT, DeviceReason.HELD_BY_OTHER),
        ("data", DeviceState.ABSENT, DeviceReason.NOT_PLUGGED),
        ("busy", DeviceState.FAULT, DeviceReason.HELD_BY_OTHER),
    ):
        player(f"camera {line}")
        watch.becomes(state, reason)
    player("camera well", "camera go-on")
    watch.becomes(DeviceState.READY)
    player("camera unplug")
    watch.becomes(DeviceState.ABSENT, DeviceReason.NOT_PLUGGED)
    player("camera plug")
    watch.becomes(DeviceState.READY)
    watch.stop()
    twin.unplug()
    assert player.played("camera") == set(WORDS["camera"])
