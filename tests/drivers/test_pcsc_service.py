"""The PC/SC service hangs, or may not be used; a real pcscd, stopped by a signal, or with a refusal before it (L1)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from ears import Ears
from refusing_pcscd import RefusingPcscd

from drivers import pcsc_service
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.ports import CardArrived, CardLeft, DeviceChanged, DeviceReason, DeviceState, Event

pytestmark = pytest.mark.xdist_group("pcscd")

CARD = VirtualCard(uid=bytes.fromhex("93A131C0"))
SETTINGS = """
library_name = "L"
branch = "m"
branch_name = "M"
data = "data"
keys = "keys"
codes = [{ type = "item", pattern = "C[0-9]{7}" }]
devices = { readers = [{ pattern = "Shelfpoint" }] }
"""


@pytest.fixture
def frozen(pcscd: VirtualPcscd) -> Iterator[VirtualPcscd]:
    """The process's pcscd, which a test may freeze; it goes on afterwards."""
    yield pcscd
    pcscd.thaw()


def is_down(event: Event) -> bool:
    return isinstance(event, DeviceChanged) and event.status.reason is DeviceReason.SERVICE_DOWN


def is_ready(event: Event) -> bool:
    return isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY


def test_a_service_that_hangs_is_told_within_5_s_and_well_again_when_it_goes_on(
    frozen: VirtualPcscd, readers: Ears
) -> None:
    pad = VirtualReader(frozen.ports[0])
    pad.lay(CARD)
    assert isinstance(readers.next(), CardArrived)
    frozen.freeze()
    began = monotonic()
    assert isinstance(readers.until(lambda event: isinstance(event, CardLeft) or is_down(event)), CardLeft)
    readers.until(is_down)
    assert monotonic() - began < 5
    status = readers.until(lambda event: is_down(event) and "does not answer" in str(event))
    assert isinstance(status, DeviceChanged)
    frozen.thaw()
    readers.until(is_ready)
    assert isinstance(readers.until(lambda event: isinstance(event, CardArrived)), CardArrived)
    pad.take()


def test_a_service_that_hangs_from_the_start_is_told_and_does_not_keep_the_kiosk_from_stopping(
    frozen: VirtualPcscd,
) -> None:
    ears = Ears()
    supervisor = Supervisor([CardReader("reader", "Shelfpoint", ears)], ears, back_off_s=(0.05,))
    frozen.freeze()
    supervisor.start()
    ears.until(is_down)
    began = monotonic()
    supervisor.stop()
    assert monotonic() - began < 3


def test_a_kiosk_stops_in_time_while_its_service_hangs(frozen: VirtualPcscd) -> None:
    ears = Ears()
    supervisor = Supervisor([CardReader("reader", "Shelfpoint", ears)], ears)
    supervisor.start()
    ears.until(is_ready)
    frozen.freeze()
    began = monotonic()
    supervisor.stop()
    assert monotonic() - began < 3


def test_a_service_that_is_away_or_answers_does_not_hang(pcscd: VirtualPcscd) -> None:
    assert not pcsc_service.hangs()
    os.environ["PCSCLITE_CSOCK_NAME"] = "/nowhere/pcscd.comm"  # libpcsclite remembers the one it heard of first
    try:
        assert not pcsc_service.hangs()
        pcsc_service.hang_up()
    finally:
        os.environ.update(pcscd.environment)


class Watch:
    """`shelfpoint devices watch`, a process of its own, behind a service that may refuse."""

    def __init__(self, watch: "subprocess.Popen[str]", service: RefusingPcscd, pad: VirtualReader) -> None:
        self._watch, self.service, self.pad = watch, service, pad

    def line(self) -> dict[str, Any]:
        assert self._watch.stdout is not None
        return json.loads(self._watch.stdout.readline())  # type: ignore[no-any-return]


@pytest.fixture
def service(pcscd: VirtualPcscd, tmp_path: Path) -> Iterator[RefusingPcscd]:
    service = RefusingPcscd(tmp_path, pcscd.socket_path)
    yield service
    service.close()


@pytest.fixture
def watch(
    pcscd: VirtualPcscd, service: RefusingPcscd, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Watch]:
    service.refuses_service = request.param == "service"
    service.refuses_cards = request.param == "cards"
    (tmp_path / "kiosk.toml").write_text(SETTINGS)
    pad = VirtualReader(pcscd.ports[0])
    program = Path(sys.executable).parent / "shelfpoint"
    with subprocess.Popen(
        [program, "devices", "watch", "--json", "--config", tmp_path / "kiosk.toml"],
        env={**os.environ, "PCSCLITE_CSOCK_NAME": str(service.socket_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Watch(process, service, pad)
        process.terminate()
    pad.take()


@pytest.mark.parametrize("watch", ["service"], indirect=True)
def test_a_service_that_polkit_refuses_is_no_permission_until_it_is_given(watch: Watch) -> None:
    status = watch.line()
    assert (status["state"], status["reason"]) == ("fault", "no_permission")
    assert "org.debian.pcsc-lite.access_pcsc" in status["detail"]
    watch.service.refuses_service = False
    assert watch.line()["state"] == "ready"


@pytest.mark.parametrize("watch", ["cards"], indirect=True)
def test_cards_that_polkit_refuses_are_no_permission_until_one_is_read(watch: Watch) -> None:
    assert watch.line()["state"] == "ready"
    watch.pad.lay(CARD)
    status = watch.line()
    assert (status["state"], status["reason"]) == ("fault", "no_permission")
    assert "org.debian.pcsc-lite.access_card" in status["detail"]
    watch.pad.take()
    assert watch.line()["event"] == "card_left"
    watch.service.refuses_cards = False
    watch.pad.lay(CARD)
    status = watch.line()
    assert status.get("uid") == "93A131C0", status
    assert watch.line()["state"] == "ready"
