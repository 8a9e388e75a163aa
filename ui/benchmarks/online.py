"""Online checkout on loopback: request on disk, signed round trip, judged and on disk at central, verdict on disk, shown.

Everything is real: central in its own process, station, log, both sync threads. The floor is one signed HTTP round trip of
the same client plus three durable commits of the same row by bare sqlcipher3, in the same run.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from uuid_utils.compat import uuid7

from config.settings import KioskSettings
from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.values import ActId
from kiosk.ports import CardArrived, CodeRead, Event, Intent, Link, LinkChanged, RowState, Touched
from kiosk.station import QueueMailbox, Station
from sync import acts, replica, wire
from sync.acts import ActsLog
from sync.agent import SyncActs, SyncFeed
from sync.central.demo import demo_cast
from sync.central_client import CentralClient, enrol
from sync.clock_offset import ClockOffset
from sync.holdings import Holdings
from sync.replica import Replica, ReplicaWriter
from ui.benchmarks.lending import KEY, ClosedDoor, Floor, SilentPrinter, SilentScreen
from ui.benchmarks.measure import Figure, median, p99, timed
from ui.clock import SystemClock
from ui.demo.central_process import CentralProcess

ANSWER_S = 10.0


class Bench:
    """A kiosk without devices at a real central, handled from this thread."""

    def __init__(self, folder: Path, central: CentralProcess, settings: KioskSettings) -> None:
        clock = SystemClock()
        offset = ClockOffset(clock)
        identity = enrol(central.url, central.enrolment_code(), folder / "keys", clock)
        acts.prepare(folder, KEY)
        replica.prepare(folder, KEY)
        self._log = ActsLog(folder, KEY)
        self.client = CentralClient(identity, self._log.incarnation, clock, offset)
        feed = SyncFeed(
            open_replica=lambda: ReplicaWriter(folder, KEY),
            client=self.client,
            clock=clock,
            suspect=lambda: None,
            wait_s=0,
        )
        reader = Replica(folder, KEY, identity.index_key_bytes())
        while reader.place().fresh_at is None:
            feed.turn()
        self.cursor = ReplicaWriter(folder, KEY).cursor()
        self._mailbox, self._stop = QueueMailbox(), threading.Event()
        incarnation = self._log.incarnation
        self._sync = SyncActs(
            open_log=lambda: ActsLog(folder, KEY),
            client=CentralClient(identity, incarnation, clock, offset),
            offset=offset,
            mailbox=self._mailbox,
            clock=clock,
            health=lambda length, _oldest: wire.Health(incarnation=incarnation, program="bench", queue_length=length),
        )
        self.screen = SilentScreen()
        self.station = Station(
            library=Holdings(reader, self._log),
            acts=self._log,
            asker=self._sync,
            printer=SilentPrinter(),
            entrance=ClosedDoor(),
            screen=self.screen,
            clock=clock,
            settings=settings.visit(),
            new_act_id=lambda: ActId(str(uuid7())),
        )
        follow = SyncFeed(
            open_replica=lambda: ReplicaWriter(folder, KEY),
            client=CentralClient(identity, incarnation, clock, offset),
            clock=clock,
            suspect=self._sync.suspect,
        )
        for name, run in (("sync-acts", self._sync.run), ("sync-feed", follow.run)):
            threading.Thread(target=run, args=(self._stop,), name=name, daemon=True).start()
        self.hear_until(lambda event: event == LinkChanged(Link.ONLINE))

    def hear_until(self, wanted: Callable[[Event], bool]) -> None:
        """Handle what the sync thread posts until `wanted(event)`."""
        while True:
            event = self._mailbox.take(ANSWER_S)
            if event is None:
                raise AssertionError("central did not answer")
            self.station.handle(event)
            if wanted(event):
                return

    def borrow(self, item: str) -> None:
        """Scan one book and wait for the tick."""
        self.station.handle(CodeRead("scanner", item))
        while self.screen.view.rows[0].state is RowState.WORKING:
            event = self._mailbox.take(ANSWER_S)
            if event is None:
                raise AssertionError("central did not answer")
            self.station.handle(event)

    def close(self) -> None:
        self._stop.set()
        self._sync.suspect()
        self._log.close()


def checkout_online(folder: Path, settings: KioskSettings, runs: int) -> Figure:
    """Barcode → central's verdict on disk and shown."""
    central = CentralProcess(folder / "town")
    central.start()
    bench = Bench(folder, central, settings)
    floor = Floor(folder)
    cast = demo_cast()
    samples, trips, commits = [], [], []
    cursor = bench.cursor
    try:
        done = number = 0
        while done < runs:
            number += 1
            item = f"C{number + 300:07}"
            for event in (
                Touched(Intent.END),
                CardArrived("reader", CardRead(cast.ipass.uid, Technology.ISO14443A)),
            ):
                bench.station.handle(event)
            spent = timed(lambda item=item: bench.borrow(item))  # type: ignore[misc]
            if bench.screen.view.rows[0].state is RowState.DONE:
                samples.append(spent)
                done += 1
                trips.append(timed(lambda: bench.client.feed(cursor, 0)))
                commits.append(sum(timed(floor.commit) for _ in range(3)))
            bench.station.handle(Touched(Intent.END))
            bench.station.handle(Touched(Intent.RETURN))
            bench.borrow(item)
    finally:
        bench.close()
        floor.close()
        central.stop()
    bound = median(trips) + median(commits)
    return Figure(
        work="online checkout, loopback",
        median_ms=median(samples),
        p99_ms=p99(samples),
        runs=runs,
        floor="one signed HTTP round trip + three FULL commits of the same row",
        floor_ms=bound,
        goal="≤ 2 × floor",
        met=median(samples) <= 2 * bound,
        note=f"round trip {median(trips):.2f} ms, three commits {median(commits):.2f} ms",
    )
