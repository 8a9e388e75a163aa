"""The patron's kiosk as a process: the composition root's threads behind the window. Qt thread.

A kiosk that cannot start (not enrolled, a damaged file) says so on its screen instead of staying dark.
"""

from collections.abc import Callable

import structlog

from config.settings import KioskSettings
from drivers.viewfinder import Viewfinder
from kiosk.ports import CentralError, LedgerError, Phase, Screen, View
from kiosk.station import QueueMailbox
from ui.assembly import start_kiosk
from ui.patron.window import PatronWindow, WindowSettings, run

log = structlog.get_logger(__name__)


def run_kiosk(
    settings: KioskSettings,
    *,
    full_screen: bool,
    moving: bool = True,
    at_work: Callable[[PatronWindow], None] | None = None,
) -> int:
    """Serve patrons until the window is closed; returns the exit code. Without `moving` pages change at once."""
    mailbox = QueueMailbox()
    viewfinder = Viewfinder() if settings.devices.cameras else None

    def start(screen: Screen) -> Callable[[], None]:
        try:
            return start_kiosk(settings, mailbox, screen, viewfinder=viewfinder).stop
        except (CentralError, LedgerError) as error:
            log.error("the kiosk cannot start", reason=error.reason, detail=error.detail)
            screen.show(
                View(phase=Phase.OUT_OF_SERVICE, language=settings.screen.language, out_of_service=error.reason)
            )
            return lambda: None

    return run(
        mailbox=mailbox,
        start=start,
        settings=WindowSettings(
            library=settings.library_name,
            branch=settings.branch_name,
            size=None if full_screen else (settings.screen.width, settings.screen.height),
            moving=moving,
            viewfinder=viewfinder,
            keyboard_scanner=settings.devices.keyboard_scanner,
            key_gap_s=settings.devices.key_gap_ms / 1000,
        ),
        at_work=at_work,
    )
