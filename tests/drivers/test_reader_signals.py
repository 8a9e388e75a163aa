"""Lights and beepers of readers and scanners: the right bytes, through the real pcscd and pty, and nobody waits (L1, L3)."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ears import Ears
from structlog.testing import capture_logs

from config.settings import Reader, Scanner
from drivers.catalog import scanner as driver_of
from drivers.reader_signals import READER_PROFILES, NoSignal, profile_of
from drivers.signals import DeviceSignals
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.scanner import VirtualScanner
from kiosk.ports import CardArrived, DeviceChanged, DeviceState, Event, Sound

GREEN, RED, HUSH = "FF0040A00401010101", "FF0040500401010201", "FF00520000"
pcsc = pytest.mark.xdist_group("pcscd")


def ready(event: Event) -> bool:
    return isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY


class Pad:
    """The first virtual reader under a supervisor, taken for one of the given family."""

    def __init__(self, daemon: VirtualPcscd, signals: str) -> None:
        self.daemon, self.ears = daemon, Ears()
        self.surface = VirtualReader(daemon.ports[0])
        self.reader = CardReader("reader", "PICC 0", self.ears, signals=signals)
        self.supervisor = Supervisor([self.reader], self.ears, back_off_s=(0.05,))
        self.supervisor.start()
        self.ears.until(ready)
        self.at_first = daemon.signals()

    def lay(self) -> str:
        """Lay a card; gives back where it was read."""
        self.surface.lay(VirtualCard(uid=bytes.fromhex("93A131C0")))
        arrived = self.ears.until(lambda event: isinstance(event, CardArrived))
        assert isinstance(arrived, CardArrived)
        return arrived.reader

    def show(self, source: str, *, taken: bool) -> list[str]:
        self.reader.show(source, taken=taken, stop=threading.Event())
        return self.daemon.signals()


@pytest.fixture
def pad(pcscd: VirtualPcscd, request: pytest.FixtureRequest) -> Iterator[Pad]:
    made = Pad(pcscd, request.param)
    yield made
    pcscd.unlock()
    made.surface.take()
    made.supervisor.stop()
    pcscd.signals()


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("ACS ACR122U PICC Interface 00 00", "acr122u"),
        ("ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00", "acr1252"),
        ("ACS ACR1281 1S Dual Reader 00 01", "acr1252"),
        ("ACS ACR1222L 00 00", None),
        ("HID Global OMNIKEY 5422 Smartcard Reader 00 00", None),
        ("Shelfpoint Virtual PICC 0 00 00", None),
    ],
)
def test_a_readers_name_tells_its_family_and_an_unknown_one_is_left_alone(name: str, family: str | None) -> None:
    found = profile_of(name)
    assert (found.name if found else None) == family


def test_the_settings_name_every_family_and_nothing_else() -> None:
    for name in READER_PROFILES:
        assert Reader(signals=name).signals == name  # type: ignore[arg-type]
    assert profile_of("ACS ACR122U PICC Interface 00 00", "none") is None


@pcsc
@pytest.mark.parametrize("pad", ["acr122u"], indirect=True)
def test_an_acr122u_shows_green_or_red_with_the_card_on_it_and_is_hushed_once_for_each_plugging(pad: Pad) -> None:
    assert pad.at_first == [HUSH]  # before any card
    source = pad.lay()
    assert pad.show(source, taken=True) == [GREEN]
    assert pad.show(source, taken=False) == [RED]
    pad.daemon.unplug()
    pad.ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.ABSENT)
    pad.surface.take()
    pad.daemon.plug()
    pad.ears.until(ready)
    assert pad.daemon.signals() == [HUSH]


@pcsc
@pytest.mark.parametrize("pad", ["acr122u"], indirect=True)
def test_an_acr122u_with_a_card_needs_no_escape_commands_and_without_one_it_does(pad: Pad) -> None:
    pad.daemon.unplug()
    pad.ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.ABSENT)
    pad.daemon.lock()
    pad.daemon.plug()
    pad.ears.until(ready)
    assert pad.daemon.signals() == []
    source = pad.lay()
    assert pad.show(source, taken=True) == [GREEN, HUSH]
    pad.surface.take()
    pad.ears.next()
    with pytest.raises(NoSignal, match="settings must allow"):
        pad.show(source, taken=True)
    pad.daemon.unlock()
    assert pad.show(source, taken=True) == [GREEN]


@pcsc
@pytest.mark.parametrize("pad", ["acr1252"], indirect=True)
@pytest.mark.parametrize("with_card", [True, False])
def test_an_acr1252_lights_beeps_and_goes_dark_again_by_escape_commands(pad: Pad, with_card: bool) -> None:
    source = pad.lay()
    if not with_card:
        pad.surface.take()
        pad.ears.next()
    assert pad.show(source, taken=True) == ["E00000290102", "E0000028010A", "E00000290100"]
    assert pad.show(source, taken=False) == ["E00000290101", "E0000028011E", "E00000290100"]


@pcsc
@pytest.mark.parametrize("pad", ["acr1252"], indirect=True)
def test_a_reader_is_not_asked_for_another_devices_codes(pad: Pad) -> None:
    pad.lay()
    assert pad.show("scanner", taken=True) == []


@pcsc
@pytest.mark.parametrize("pad", ["auto"], indirect=True)
def test_a_reader_of_no_known_family_is_left_alone(pad: Pad) -> None:
    assert pad.show(pad.lay(), taken=True) == []


@pcsc
@pytest.mark.parametrize("pad", ["acr1252"], indirect=True)
def test_the_next_card_is_read_while_a_reader_that_refuses_is_asked_to_show_something(pad: Pad) -> None:
    pad.daemon.lock()
    source = pad.lay()
    with pytest.raises(NoSignal):
        pad.show(source, taken=True)
    pad.surface.take()
    assert pad.lay() == source


class Lamp:
    """A device that shows, and is stuck or broken when told to be."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shown: list[tuple[str, bool]] = []
        self.broken = False
        self.asked = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()

    def show(self, source: str, *, taken: bool, stop: threading.Event) -> None:
        self.asked.release()
        self.free.wait(10)
        if self.broken:
            raise NoSignal("no lamp")
        self.shown.append((source, taken))


@pytest.fixture
def lamps() -> Iterator[tuple[Lamp, Lamp, DeviceSignals]]:
    first, second = Lamp("first"), Lamp("second")
    signals = DeviceSignals([first, second])
    signals.start()
    yield first, second, signals
    signals.stop()


def test_a_stuck_lamp_holds_nobody_up_and_of_what_waited_only_the_newest_is_shown(
    lamps: tuple[Lamp, Lamp, DeviceSignals],
) -> None:
    first, second, signals = lamps
    first.free.clear()
    signals.signal("one", Sound.OK)
    assert first.asked.acquire(timeout=10)
    signals.signal("two", Sound.OK)
    signals.signal("three", Sound.NO)  # returns although the lamp is stuck
    first.free.set()
    assert second.asked.acquire(timeout=10)
    assert second.asked.acquire(timeout=10)
    signals.stop()
    assert first.shown == [("one", True), ("three", False)]


def test_a_sound_that_asks_for_attention_is_shown_by_no_lamp(lamps: tuple[Lamp, Lamp, DeviceSignals]) -> None:
    first, second, signals = lamps
    signals.signal("one", Sound.ATTENTION)
    signals.signal("one", Sound.OK)
    assert second.asked.acquire(timeout=10)
    signals.stop()
    assert first.shown == [("one", True)]


def test_a_broken_lamp_is_logged_once_until_it_works_again_and_the_others_shine(
    lamps: tuple[Lamp, Lamp, DeviceSignals],
) -> None:
    first, second, signals = lamps

    def signal() -> None:
        signals.signal("one", Sound.OK)
        assert second.asked.acquire(timeout=10)

    with capture_logs() as logged:
        for first.broken in (True, True, False, True):
            signal()
        signals.stop()
    assert [line["device"] for line in logged] == ["first", "first"]
    assert len(second.shown) == 4


def test_a_lamp_with_a_bug_of_ours_is_logged_and_the_others_shine(lamps: tuple[Lamp, Lamp, DeviceSignals]) -> None:
    first, second, signals = lamps
    first.shown = None  # type: ignore[assignment]  # showing anything fails now
    with capture_logs() as logged:
        for _ in range(2):
            signals.signal("one", Sound.OK)
            assert second.asked.acquire(timeout=10)
        signals.stop()
    assert {line["log_level"] for line in logged} == {"error"}
    assert len(second.shown) == 2


def test_a_scanner_beeps_for_its_own_codes_only_and_only_when_asked_to(tmp_path: Path) -> None:
    twin, ears = VirtualScanner(tmp_path / "scanner"), Ears()
    twin.plug()
    silent = driver_of(Scanner(name="silent", path=str(twin.link), profile="datalogic"), ears)
    silent.show("silent", taken=True, stop=threading.Event())  # not even open: it would raise if it tried
    scanner = driver_of(Scanner(path=str(twin.link), profile="datalogic", signals=True), ears)
    supervisor = Supervisor([scanner], ears, back_off_s=(0.02,))
    supervisor.start()
    ears.until(ready)
    scanner.show("another", taken=True, stop=threading.Event())
    scanner.show("scanner", taken=True, stop=threading.Event())
    assert twin.heard() == b"\x01"
    scanner.show("scanner", taken=False, stop=threading.Event())
    assert twin.heard() == b"F"
    supervisor.stop()
    twin.unplug()
