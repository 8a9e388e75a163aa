"""The composition root: builds one kiosk from its settings, starts its threads, stops them.

Here, and only here, does the type checker see that Holdings is a Library, ActsLog an Acts, and so on. Threads:
`qt` is the caller's, `station`, `sync-acts`, `sync-feed`, `staff-door`, one per device under the supervisor, and `device-signals`.
A bug of ours in one of them is logged and ends the process; whoever started it (systemd, the demo) starts it again,
and the log on disk makes that harmless. Knows nothing of Qt.
"""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Protocol
from wsgiref.simple_server import WSGIServer

import structlog
from uuid_utils.compat import uuid7

from config.settings import KioskSettings
from drivers.catalog import DeviceSet, build_devices
from drivers.viewfinder import Viewfinder
from kiosk.domain.values import ActId, BranchId, IncarnationId, KioskError
from kiosk.ports import (
    CentralError,
    CentralReason,
    DeviceChanged,
    Event,
    LedgerError,
    LedgerReason,
    Machine,
    Phase,
    Screen,
    Sound,
    Started,
    View,
)
from kiosk.station import QueueMailbox, Station
from sync import rescue, wipe, wire
from sync.acts import ActsLog
from sync.agent import SyncActs, SyncFeed
from sync.central_client import IDENTITY, CentralClient, Identity, load_identity
from sync.clock_offset import ClockOffset
from sync.encrypted import first_key, is_sealed
from sync.enrolment import check_records
from sync.holdings import Holdings
from sync.link_state import LinkRules
from sync.owner import Owner
from sync.replica import ReplicaCare, ReplicaWriter
from sync.staff_door import Doorkeeper, StaffDoor
from ui.clock import SystemClock
from ui.vitals import Vitals

log = structlog.get_logger(__name__)

DATABASE_KEY = "database.key"
CRASHED = 70
"""Exit code after a bug of ours (sysexits EX_SOFTWARE)."""
TOOK_LEAVE = 75
"""Exit code after central's order to take leave; started again, the kiosk says that it is not enrolled."""
LEAVE_S = 5.0
"""For the station to end its step, and for staff at the door to get their answer."""


class Post:
    """The station's mailbox, with an ear for health: remembers each device's newest state for the heartbeat."""

    def __init__(self, mailbox: QueueMailbox) -> None:
        self._mailbox = mailbox
        self._devices: dict[str, str] = {}

    def post(self, event: Event) -> None:
        if isinstance(event, DeviceChanged):
            status = event.status
            said = status.state if status.reason is None else f"{status.state}: {status.reason}"
            self._devices = {**self._devices, status.device: said}
        self._mailbox.post(event)

    def devices(self) -> dict[str, str]:
        return self._devices


class Looking(Protocol):
    """A camera, or a scanner whose trigger is pulled, seen from here."""

    def wanted(self, wanted: bool) -> None: ...


class Switch:
    """The station's screen, with a hand on cameras and triggers: they look only while the screen shown takes codes.

    Remembers for the heartbeat why nobody is served.
    """

    PHASES = frozenset({Phase.IDENTIFY, Phase.BORROW, Phase.RETURN, Phase.STAFF})

    def __init__(self, screen: Screen, looking: Sequence[Looking]) -> None:
        self._screen = screen
        self._looking = looking
        self.trouble = ""

    def show(self, view: View) -> None:
        self.trouble = view.out_of_service if view.phase is Phase.OUT_OF_SERVICE else ""
        for device in self._looking:
            device.wanted(view.phase in self.PHASES)
        self._screen.show(view)

    def play(self, sound: Sound) -> None:
        self._screen.play(sound)


@dataclass(slots=True)
class Kiosk:
    """A kiosk that runs."""

    mailbox: Post
    """Where touches go."""
    stop: Callable[[], None]
    """Ends every thread; returns when the station and the devices have stopped."""


StationFactory = Callable[..., Station]


def require_identity(settings: KioskSettings) -> Identity:
    """The enrolled identity; raises CentralError(NOT_ENROLLED) that says what to do."""
    identity = load_identity(settings.keys)
    if identity is None:
        raise CentralError(
            CentralReason.NOT_ENROLLED,
            "run 'shelfpoint central enrol' at central, then 'shelfpoint kiosk enrol --url … --code …' here; "
            f"or, if {IDENTITY} is sealed, run this with the credential (deploy/README.md)",
        )
    return identity


def start_kiosk(
    settings: KioskSettings,
    mailbox: QueueMailbox,
    screen: Screen,
    *,
    make_station: StationFactory = Station,
    viewfinder: Viewfinder | None = None,
) -> Kiosk:
    """Open both files, build the station and start every thread. Raises LedgerError, CentralError, DeviceError.

    `viewfinder` is given the pictures of the first camera.
    """
    wipe.resume(settings.data, settings.keys, DATABASE_KEY, datetime.now(UTC))
    identity = require_identity(settings)
    owner = Owner(settings.data)
    clock, post, stop = SystemClock(), Post(mailbox), threading.Event()
    offset = ClockOffset(clock)
    past_settled = threading.Event()
    key_path = settings.keys / DATABASE_KEY
    try:
        key = first_key(key_path, settings.data)
        rescue.prepare_or_rescue(settings.data, key, clock.now())
        care = ReplicaCare(settings.data, key, identity.index_key_bytes())
        care.prepare()
        incarnation = _incarnation(settings, key, identity)
    except KioskError:
        owner.release()
        raise
    devices = build_devices(settings.devices, post, viewfinder)
    machine = Machine(
        kiosk=identity.kiosk,
        program=version("shelfpoint"),
        key_sealed=is_sealed(key_path),
        identity_sealed=is_sealed(settings.keys / IDENTITY),
    )
    staff_client = CentralClient(identity, incarnation, clock, offset)

    def staff_door() -> StaffDoor:
        log_file = ActsLog(settings.data, key)
        try:
            replica = care.reader()
        except LedgerError as error:
            care.noticed(error)
            log_file.close()
            raise
        return StaffDoor(
            acts=log_file,
            replica=replica,
            central=staff_client,
            branch=BranchId(settings.branch),
            deadline_s=settings.central.deadline_s,
            noticed=care.noticed,
        )

    doorkeeper = Doorkeeper(staff_door, post)

    def take_leave(farewell: wire.Farewell) -> None:
        """On `sync-acts`: nobody records any more, then everything goes, and the process with what it remembers."""
        wipe.begin(settings.keys, farewell)
        stop.set()
        doorkeeper.close()
        try:
            if not ended(recording, LEAVE_S) and farewell is wire.Farewell.RETIRE:
                raise LedgerError(LedgerReason.LOCKED, "somebody still records")
            sync_feed.interrupt()
            wipe.finish(settings.data, settings.keys, DATABASE_KEY, clock.now(), farewell)
        except (LedgerError, OSError) as error:
            log.error(
                "the kiosk cannot be wiped; it tries again when it starts, or when central says it again",
                why=str(error),
            )
        finally:
            os._exit(TOOK_LEAVE)

    shown = Switch(screen, devices.looking)
    health = _health(settings.data, post, shown, offset, clock, incarnation)
    vitals = Vitals(lambda waiting, oldest: health(waiting, oldest, sync_feed.fresh_at, sync_feed.filling))
    sync_acts = SyncActs(
        open_log=lambda: ActsLog(settings.data, key),
        client=CentralClient(identity, incarnation, clock, offset),
        offset=offset,
        mailbox=post,
        clock=clock,
        health=vitals.counted,
        rules=LinkRules(
            probes_needed=settings.central.probes_needed,
            probe_s=settings.central.probe_s,
            longest_s=settings.central.longest_probe_s,
            heartbeat_s=settings.central.heartbeat_s,
        ),
        deadline_s=settings.central.deadline_s,
        keep=timedelta(days=settings.central.keep_acts_days),
        leave=take_leave,
        seals=identity.seals(),
        passed=lambda: sync_feed.passed,
    )
    sync_feed = SyncFeed(
        open_replica=lambda: ReplicaWriter(settings.data, key, version("shelfpoint")),
        client=CentralClient(identity, incarnation, clock, offset),
        clock=clock,
        suspect=sync_acts.suspect,
        care=care,
    )
    care.on_damage = sync_feed.interrupt
    page: WSGIServer | None = None
    if settings.metrics.port:
        from ui.kiosk_metrics import KioskFigures, serve  # its library takes time to load

        about = KioskFigures(identity.kiosk, identity.branch, machine.program, vitals.now, lambda: sync_acts.link)
        page = serve(about, settings.metrics.port)

    def station() -> None:
        log_file = ActsLog(settings.data, key)
        knowledge = Holdings(care.reader(), log_file, care)
        built = make_station(
            library=knowledge,
            acts=log_file,
            asker=sync_acts,
            printer=devices.printer,
            screen=shown,
            clock=clock,
            entrance=doorkeeper,
            settings=replace(settings.visit(), machine=machine),
            new_act_id=lambda: ActId(str(uuid7())),
            signals=devices.signals,
        )
        built.handle(Started())
        past_settled.set()
        built.run(mailbox, stop)
        knowledge.close()
        log_file.close()

    def sync() -> None:
        """Waits until open acts of the last life are withdrawn, so that the first drain takes them along."""
        past_settled.wait()  # the station sets it, or ends the process
        sync_acts.run(stop)

    recording = [_thread("station", station), _thread("staff-door", doorkeeper.run)]
    threads = [*recording, _thread("sync-acts", sync), _thread("sync-feed", lambda: sync_feed.run(stop))]
    devices.supervisor.start()
    devices.signals.start()
    for thread in threads:
        thread.start()

    def end() -> None:
        if page is not None:
            page.shutdown()
            page.server_close()
        _stop(stop, threads, doorkeeper, sync_acts, sync_feed, devices, owner)

    return Kiosk(post, end)


def _stop(
    stop: threading.Event,
    threads: list[threading.Thread],
    doorkeeper: Doorkeeper,
    sync_acts: SyncActs,
    sync_feed: SyncFeed,
    devices: DeviceSet,
    owner: Owner,
) -> None:
    stop.set()
    doorkeeper.close()
    sync_acts.suspect()
    devices.signals.stop()
    devices.supervisor.stop()
    ended(threads[:3], LEAVE_S)
    sync_feed.interrupt()
    owner.release()


def ended(threads: Sequence[threading.Thread], timeout_s: float) -> bool:
    """True when all of them have; each is waited for so long at most."""
    for thread in threads:
        thread.join(timeout=timeout_s)
    return not any(thread.is_alive() for thread in threads)


def _thread(name: str, work: Callable[[], None]) -> threading.Thread:
    def guarded() -> None:
        try:
            work()
        except BaseException:
            log.exception("a thread of the kiosk died of a bug", thread=name)
            os._exit(CRASHED)

    return threading.Thread(target=guarded, name=name, daemon=True)


def _incarnation(settings: KioskSettings, key: bytes, identity: Identity) -> IncarnationId:
    """Of the log, which must be this kiosk's."""
    opened = ActsLog(settings.data, key)
    try:
        check_records(opened, settings.data, identity.kiosk)
        return opened.incarnation
    finally:
        opened.close()


def _health(
    data: Path,
    post: Post,
    shown: Switch,
    offset: ClockOffset,
    clock: SystemClock,
    incarnation: IncarnationId,
) -> Callable[[int, datetime | None, datetime | None, int | None], wire.Health]:
    program = version("shelfpoint")

    def health(waiting: int, oldest: datetime | None, fresh: datetime | None, filling: int | None) -> wire.Health:
        now, behind = clock.now(), offset.value
        return wire.Health(
            incarnation=incarnation,
            program=program,
            queue_length=waiting,
            queue_age_ms=None if oldest is None else int((now - oldest).total_seconds() * 1000),
            replica_age_ms=None if fresh is None else int((now - fresh).total_seconds() * 1000),
            clock_offset_ms=None if behind is None else int(behind.total_seconds() * 1000),
            devices=post.devices(),
            disk_free_mb=_free_mb(data),
            trouble=shown.trouble,
            filling_percent=filling,
        )

    return health


def _free_mb(folder: Path) -> int | None:
    """None where the system does not say."""
    try:
        return shutil.disk_usage(folder).free // 2**20
    except OSError:
        return None
