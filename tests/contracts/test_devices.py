"""What every device promises, run on every driver over its real path: with its twin, and with `-m hardware` on real ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from contracts import benches
from contracts.benches import Bench

from drivers.printer import SlipPrinter
from drivers.queue_printer import QueuePrinter
from drivers.supervisor import Supervisor
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CodeRead,
    DeviceChanged,
    DeviceKind,
    DeviceState,
    Event,
    PrintEnded,
    PrintOutcome,
)
from kiosk.slip import Line, Slip, SlipKind
from kiosk.words import Language

pytestmark = pytest.mark.xdist_group("pcscd")

SLIP = Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=(Line("圖書館"),))
TWINS = {
    DeviceKind.CARD_READER: [benches.reader, benches.contact_slot],
    DeviceKind.SCANNER: [benches.serial_scanner, benches.ssi_scanner, benches.keyboard_scanner],
    DeviceKind.PRINTER: [benches.network_printer, benches.serial_printer, benches.usb_printer, benches.queue_printer],
    DeviceKind.CAMERA: [benches.camera],
}


def on(*kinds: DeviceKind) -> pytest.MarkDecorator:
    """Every driver of these kinds, and the real devices."""
    twins = [pytest.param(make, id=make.__name__) for kind in kinds for make in TWINS[kind]]
    hardware = [
        pytest.param(lambda folder, pcscd, kind=kind: benches.real(kind), id=f"real {kind}", marks=pytest.mark.hardware)
        for kind in kinds
    ]
    return pytest.mark.parametrize("make", [*twins, *hardware])


@pytest.fixture
def bench(
    make: Callable[[Path, VirtualPcscd], Bench], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    real = request.node.get_closest_marker("hardware") is not None
    made = make(tmp_path, None if real else request.getfixturevalue("pcscd"))
    yield made
    if not real:
        made.leave()
        made.plug()  # readers are shared
        if made.device.kind is not DeviceKind.CARD_READER:
            made.unplug()
    made.close()


@contextmanager
def at_work(bench: Bench) -> Iterator[None]:
    supervisor = Supervisor([bench.device], bench.ears, back_off_s=(0.05,))
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()


def state(bench: Bench, wanted: DeviceState) -> None:
    def claim(event: Event) -> bool:
        return isinstance(event, DeviceChanged) and event.status.state is wanted

    bench.ears.until(claim, bench.patience_s)


@on(*DeviceKind)
def test_a_device_says_that_it_is_ready_goes_and_comes_back_by_itself(bench: Bench) -> None:
    with at_work(bench):
        state(bench, DeviceState.READY)
        bench.unplug()
        state(bench, DeviceState.ABSENT)
        bench.plug()
        state(bench, DeviceState.READY)


@on(*DeviceKind)
def test_a_device_can_be_stopped_at_rest_and_started_again(bench: Bench) -> None:
    for _ in range(2):
        with at_work(bench):
            state(bench, DeviceState.READY)
        assert not bench.ears.waiting()  # nothing is said after the end


@on(DeviceKind.CARD_READER)
def test_a_card_is_told_when_it_comes_and_when_it_goes(bench: Bench) -> None:
    with at_work(bench):
        state(bench, DeviceState.READY)
        bench.use()
        arrived = bench.ears.next(bench.patience_s)
        assert isinstance(arrived, CardArrived)
        bench.leave()
        assert bench.ears.next(bench.patience_s) == CardLeft(arrived.reader)


@on(DeviceKind.SCANNER, DeviceKind.CAMERA)
def test_a_code_is_told_with_the_scanners_name_and_without_its_end(bench: Bench) -> None:
    with at_work(bench):
        state(bench, DeviceState.READY)
        bench.use()
        code = bench.ears.next(bench.patience_s)
        assert isinstance(code, CodeRead)
        assert code.scanner == bench.device.name
        assert code.text.isprintable()
        assert code.text == code.text.strip()


@on(DeviceKind.PRINTER)
def test_every_job_ends_once_and_says_how(bench: Bench) -> None:
    device = bench.device
    assert isinstance(device, SlipPrinter | QueuePrinter)
    sent = (
        (PrintOutcome.SPOOLED,)
        if isinstance(device, QueuePrinter)
        else (PrintOutcome.PRINTED, PrintOutcome.UNCONFIRMED)
    )
    with at_work(bench):
        state(bench, DeviceState.READY)
        device.print_slip("one", SLIP)
        ended = bench.ears.until(lambda event: isinstance(event, PrintEnded), bench.patience_s)
        assert isinstance(ended, PrintEnded)
        assert ended.job == "one"
        assert ended.outcome in sent
        bench.unplug()
        state(bench, DeviceState.ABSENT)
        device.print_slip("two", SLIP)
        failed = bench.ears.until(lambda event: isinstance(event, PrintEnded), bench.patience_s)
        assert isinstance(failed, PrintEnded)
        assert (failed.job, failed.outcome) == ("two", PrintOutcome.FAILED)
        assert failed.reason is not None
