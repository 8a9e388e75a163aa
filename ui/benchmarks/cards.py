"""Reader notices a card → UID in the mailbox, on the event-driven virtual reader through a real pcscd.

The floor is a bare blocking SCardGetStatusChange + GET DATA loop on the same reader, in the same run. Both are timed
from laying the card to the UID in Python; what the virtual reader itself takes is in both.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.bare_reader import first_uid, round_trips
from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.ports import CardArrived, CardLeft, DeviceChanged, DeviceState, Event
from kiosk.station import QueueMailbox
from ui.benchmarks.measure import Figure, median, p99

WAIT_S = 10.0


@contextmanager
def _reader(folder: Path) -> Iterator[VirtualReader]:
    """A virtual reader behind a pcscd of its own."""
    pcscd = VirtualPcscd(folder / "pcscd", readers=1)
    pcscd.start()
    os.environ.update(pcscd.environment)
    reader = VirtualReader(pcscd.ports[0])
    try:
        yield reader
    finally:
        reader.take()
        pcscd.stop()


def apdu_round_trip(folder: Path, runs: int) -> Figure:
    """A command to the card and its answer, by the driver's way and bare."""
    with _reader(folder) as reader:
        reader.lay(VirtualCard(uid=(0x95000000).to_bytes(4, "big")))
        ours, bare = round_trips(runs)
    return Figure(
        work="APDU to the card and back",
        median_ms=median(ours),
        p99_ms=p99(ours),
        runs=runs,
        floor="bare SCardTransmit",
        floor_ms=median(bare),
    )


def card_to_uid(folder: Path, runs: int) -> Figure:
    """Insert → UID, for the driver and for the bare loop."""
    with _reader(folder) as reader:
        samples = _driver(reader, runs)
        floors = _bare(reader, runs)
    return Figure(
        work="card on the reader → UID in the mailbox",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=runs,
        floor="bare blocking SCardGetStatusChange + GET DATA loop",
        floor_ms=median(floors),
        goal="≤ 1.5 × floor",
        met=median(samples) <= 1.5 * median(floors),
    )


def _driver(reader: VirtualReader, runs: int) -> list[float]:
    mailbox = QueueMailbox()
    supervisor = Supervisor([CardReader("reader", "Shelfpoint", mailbox)], mailbox)
    supervisor.start()
    _until(mailbox, lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    samples = []
    for run in range(runs):
        begun = perf_counter()
        reader.lay(VirtualCard(uid=(0x93000000 + run).to_bytes(4, "big")))
        _until(mailbox, lambda event: isinstance(event, CardArrived))
        samples.append((perf_counter() - begun) * 1000)
        reader.take()
        _until(mailbox, lambda event: isinstance(event, CardLeft))
    supervisor.stop()
    return samples


def _until(mailbox: QueueMailbox, wanted: Callable[[Event], bool]) -> None:
    while True:
        event = mailbox.take(WAIT_S)
        if event is None:
            raise AssertionError("the reader said nothing")
        if wanted(event):
            return


def _bare(reader: VirtualReader, runs: int) -> list[float]:
    samples = []
    for run in range(runs):
        heard = threading.Event()
        waiting = threading.Event()
        thread = threading.Thread(target=first_uid, args=(waiting, heard), daemon=True)
        thread.start()
        waiting.wait(WAIT_S)
        begun = perf_counter()
        reader.lay(VirtualCard(uid=(0x94000000 + run).to_bytes(4, "big")))
        if not heard.wait(WAIT_S):
            raise AssertionError("the bare loop heard nothing")
        samples.append((perf_counter() - begun) * 1000)
        thread.join(WAIT_S)
        reader.take()
    return samples
