"""The virtual reader and its pcscd are themselves what they claim, seen with bare PC/SC calls and none of our drivers."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartcard import scard

from drivers.virtual.card import Fault, VirtualCard, VirtualReader, storage_atr
from drivers.virtual.pcscd import PcscdMissing, VirtualPcscd

pytestmark = pytest.mark.xdist_group("pcscd")

CARD = VirtualCard(uid=bytes.fromhex("93A131C0"))
GET_UID = [0xFF, 0xCA, 0x00, 0x00, 0x00]


class Watch:
    """One reader through bare calls."""

    def __init__(self) -> None:
        _, self.context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        self.name = scard.SCardListReaders(self.context, [])[1][0]
        self.state = scard.SCARD_STATE_UNAWARE
        self.result = 0
        self.change(0)

    def change(self, wait_ms: int = 5000) -> int:
        self.result, states = scard.SCardGetStatusChange(self.context, wait_ms, [(self.name, self.state)])
        self.state = states[0][1] & ~scard.SCARD_STATE_CHANGED
        return self.state

    def until(self, flag: int, there: bool) -> None:
        while bool(self.state & flag) is not there:
            self.change()
            assert self.result == scard.SCARD_S_SUCCESS

    def transmit(self) -> tuple[int, bytes]:
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        result, card, _ = scard.SCardConnect(self.context, self.name, scard.SCARD_SHARE_SHARED, protocols)
        if result != scard.SCARD_S_SUCCESS:
            return result, b""
        result, answer = scard.SCardTransmit(card, scard.SCARD_PCI_T1, GET_UID)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        return result, bytes(answer)


@pytest.fixture
def watch(pcscd: VirtualPcscd) -> Iterator[Watch]:
    watch = Watch()
    pad = VirtualReader(pcscd.ports[0])
    while watch.state & scard.SCARD_STATE_PRESENT:  # the last test's card may just be leaving
        watch.change(2000)
        if watch.result == scard.SCARD_E_TIMEOUT:  # pcscd 1.9 may miss that a card left which it was just powering
            pad.lay(CARD)
            pad.take()
    yield watch
    scard.SCardReleaseContext(watch.context)


@pytest.fixture
def pad(pcscd: VirtualPcscd) -> Iterator[VirtualReader]:
    pad = VirtualReader(pcscd.ports[0])
    yield pad
    pad.take()


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.MUTE, Fault.NONSENSE])
def test_no_swap_is_hidden_however_fast(watch: Watch, pad: VirtualReader, fault: Fault) -> None:
    for _ in range(40):
        before = watch.state >> 16
        pad.lay(VirtualCard(uid=CARD.uid, fault=fault))
        watch.until(scard.SCARD_STATE_PRESENT, there=True)
        watch.transmit()
        pad.lay(CARD)
        while (watch.state >> 16) - before < 3:  # in, out, in
            watch.change()
            assert watch.result == scard.SCARD_S_SUCCESS
        pad.take()
        watch.until(scard.SCARD_STATE_PRESENT, there=False)


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        (Fault.NONE, scard.SCARD_S_SUCCESS),
        (Fault.NONSENSE, scard.SCARD_S_SUCCESS),
        (Fault.TORN, scard.SCARD_E_NOT_TRANSACTED),
        (Fault.MUTE, scard.SCARD_E_NOT_TRANSACTED),
        (Fault.DEAD, scard.SCARD_W_UNPOWERED_CARD),
    ],
)
def test_each_fault_looks_as_on_a_real_reader(watch: Watch, pad: VirtualReader, fault: Fault, result: int) -> None:
    pad.lay(VirtualCard(uid=CARD.uid, fault=fault))
    watch.until(scard.SCARD_STATE_PRESENT, there=True)
    assert bool(watch.state & scard.SCARD_STATE_MUTE) is (fault is Fault.DEAD)
    got, answer = watch.transmit()
    assert got == result
    assert (answer == CARD.uid + b"\x90\x00") is (fault is Fault.NONE)
    if fault is Fault.TORN:
        watch.until(scard.SCARD_STATE_PRESENT, there=False)


def test_a_torn_card_leaves_and_a_mute_one_stays(watch: Watch, pad: VirtualReader) -> None:
    pad.lay(VirtualCard(uid=CARD.uid, fault=Fault.MUTE))
    watch.until(scard.SCARD_STATE_PRESENT, there=True)
    count = watch.state >> 16
    watch.transmit()
    watch.change(0)
    assert watch.state & scard.SCARD_STATE_PRESENT
    assert watch.state >> 16 == count


def test_an_unplugged_reader_is_unavailable_without_its_card_and_comes_back(
    pcscd: VirtualPcscd, watch: Watch, pad: VirtualReader
) -> None:
    pad.lay(CARD)
    watch.until(scard.SCARD_STATE_PRESENT, there=True)
    pcscd.unplug()
    try:
        watch.until(scard.SCARD_STATE_UNAVAILABLE, there=True)
        assert not watch.state & scard.SCARD_STATE_PRESENT
    finally:
        pcscd.plug()
    watch.until(scard.SCARD_STATE_UNAVAILABLE, there=False)


def test_the_storage_atr_is_the_one_that_real_readers_make() -> None:
    assert storage_atr() == bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
    assert storage_atr(0x11, 0x003B) == bytes.fromhex("3B8F8001804F0CA00000030611003B0000000042")


LIST = """
from smartcard import scard
result, context = scard.SCardEstablishContext(0)
print(result, len(scard.SCardListReaders(context, [])[1]) if not result else 0)
"""


def readers_seen(daemon: VirtualPcscd) -> str:
    """What a program of its own sees: libpcsclite remembers the first socket path it was told."""
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        env={**os.environ, **daemon.environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.strip()


def test_a_second_daemon_runs_beside_the_first_and_survives_being_killed(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    other = VirtualPcscd(tmp_path, readers=3)
    other.start()
    try:
        assert readers_seen(other) == "0 3"
        assert readers_seen(pcscd) == "0 2"
        other.kill()
        assert other.socket_path.exists()
        assert readers_seen(other) == f"{scard.SCARD_E_NO_SERVICE} 0"
        other.start()
        assert readers_seen(other) == "0 3"
    finally:
        other.stop()


def running_in(folder: Path) -> int:
    """Processes whose command names this folder."""
    found = 0
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended just now
            found += os.fsencode(folder) in command.read_bytes()
    return found


def test_a_service_that_is_started_twice_runs_once_and_none_outlives_its_end(tmp_path: Path) -> None:
    daemon = VirtualPcscd(tmp_path)
    daemon.start()
    once = running_in(tmp_path / "conf")
    daemon.start()
    assert running_in(tmp_path / "conf") == once > 0
    daemon.stop()
    assert running_in(tmp_path / "conf") == 0


START_AND_LOOK = """
import os, subprocess, sys
from pathlib import Path
from drivers.virtual.pcscd import PcscdMissing, VirtualPcscd
daemon = VirtualPcscd(Path(sys.argv[1]), readers=2)
daemon.start()
try:
    subprocess.run([sys.executable, "-c", sys.argv[2]], env={**os.environ, **daemon.environment}, check=True, timeout=30)
finally:
    daemon.stop()
"""
MACHINES_OWN = Path("/run/pcscd")


def machines_own() -> object:
    """What would change if somebody wrote into the folder of the machine's own pcscd."""
    if not MACHINES_OWN.exists():
        return None
    return MACHINES_OWN.stat().st_mtime_ns, sorted(MACHINES_OWN.iterdir())


def test_it_needs_no_privilege_and_leaves_the_machines_own_pcscd_alone(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    dropped = ["--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    no_namespaces = tmp_path / "unshare"  # where a kernel or a container forbids them to everybody
    no_namespaces.write_text("#!/bin/sh\nexit 1\n")
    no_namespaces.chmod(0o755)
    before = machines_own()
    done = subprocess.run(
        ["setpriv", "--no-new-privs", *dropped, sys.executable, "-c", START_AND_LOOK, tmp_path, LIST],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout.strip(), done.returncode) == ("0 2", 0), done.stderr
    assert machines_own() == before
    assert readers_seen(pcscd) == "0 2"


def test_a_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(PcscdMissing, match="longer than 107 bytes"):
        VirtualPcscd(tmp_path / ("deep" * 30)).start()
