"""A card that is void from now on reaches an online kiosk within half a minute, also while a large import runs (G6).

Central serves in a process of its own; the import runs here, beside it, like the command does. It may apply all but its
last rows while the kiosk follows the feed, and ends only when the kiosk has heard: so the order of events is what is
asserted.
"""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from central_server import CentralServer

from kiosk.domain.identity import CardKind
from kiosk.domain.values import IncarnationId
from sync.agent import SyncFeed
from sync.central.demo import demo_cast
from sync.central.import_marc import MarcPlaces
from sync.central.import_report import RowReport
from sync.central.import_sources import read_items
from sync.central.imports import digest_of
from sync.central_client import CentralClient, load_identity
from sync.clock_offset import ClockOffset
from sync.encrypted import first_key
from sync.replica import Replica, ReplicaWriter, prepare
from ui.assembly import DATABASE_KEY
from ui.clock import SystemClock

ITEMS = 12_000
WITHIN_S = 30.0
PATRON = demo_cast().ipass
NEW_CARD = "5A5A5A5A"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CentralServer]:
    server = CentralServer(tmp_path / "central")
    server.start()
    yield server
    server.stop()


class FollowingKiosk:
    """The feed's thread of a real kiosk, and a look at what its station would find."""

    def __init__(self, server: CentralServer, folder: Path) -> None:
        settings = server.settings(server.enrolled_kiosk(folder))
        identity, clock = load_identity(settings.keys), SystemClock()
        assert identity is not None
        key = first_key(settings.keys / DATABASE_KEY, settings.data)
        prepare(settings.data, key)
        self.replica = Replica(settings.data, key, identity.index_key_bytes())
        self._stop = threading.Event()
        self._feed = SyncFeed(
            open_replica=lambda: ReplicaWriter(settings.data, key),
            client=CentralClient(identity, IncarnationId("i1"), clock, ClockOffset(clock)),
            clock=clock,
            suspect=lambda: None,
        )
        self._thread = threading.Thread(target=self._feed.run, args=(self._stop,))
        self._thread.start()

    def knows(self, number: str) -> bool:
        return self.replica.card(number) is not None

    def until(self, known: str | None = None, unknown: str | None = None) -> bool:
        """Waits until a card is known, or no more; False if it never comes so far."""
        for _ in range(int(WITHIN_S / 0.05)):
            if (known is None or self.knows(known)) and (unknown is None or not self.knows(unknown)):
                return True
            self._stop.wait(0.05)
        return False

    def close(self) -> None:
        self._stop.set()
        self._feed.interrupt()
        self._thread.join(10.0)
        self.replica.close()


@pytest.fixture
def kiosk(server: CentralServer, tmp_path: Path) -> Iterator[FollowingKiosk]:
    kiosk = FollowingKiosk(server, tmp_path / "kiosk")
    yield kiosk
    kiosk.close()


def test_a_void_card_overtakes_a_large_import(server: CentralServer, kiosk: FollowingKiosk, tmp_path: Path) -> None:
    assert kiosk.until(known=PATRON.number)
    source = tmp_path / "items.csv"
    rows = "".join(f"X{number:07},書 {number},,book,main\n" for number in range(ITEMS))
    source.write_text("id,title,author,item_type,branch\n" + rows, encoding="utf-8")
    events: list[str] = []
    under_way, heard = threading.Event(), threading.Event()

    def progress(phase: str, done: int, total: int | None) -> None:
        if phase == "applying" and total is not None:
            if done >= total // 2:
                under_way.set()
            if done >= total - 500:
                heard.wait(2 * WITHIN_S)  # the last rows wait for the kiosk

    def run() -> None:
        with closing(server.open()) as opened, closing(RowReport(tmp_path / "report.csv")) as report:
            places = MarcPlaces(barcode="952p", branch="952b", item_type="952y")
            lines = read_items(source, places, "")
            done = opened.imports.items(digest_of(source, "items"), lines, report, progress)
            events.append(f"imported {done.good}")

    importing = threading.Thread(target=run)
    importing.start()
    try:
        assert under_way.wait(60.0)
        with closing(server.open()) as opened, opened.registry.change("desk") as change:
            change.bind_card(PATRON.membership, CardKind.IPASS, NEW_CARD)
        events.append("void" if kiosk.until(known=NEW_CARD, unknown=PATRON.number) else "never heard")
    finally:
        heard.set()
        importing.join(60.0)
    assert events == ["void", f"imported {ITEMS}"]
