"""The patron's kiosk as a process: the composition root's threads behind the window. Qt thread."""

from collections.abc import Callable

from config.settings import KioskSettings
from kiosk.ports import Screen
from kiosk.station import QueueMailbox
from ui.assembly import start_kiosk
from ui.patron.window import PatronWindow, WindowSettings, run


def run_kiosk(
    settings: KioskSettings,
    *,
    full_screen: bool,
    moving: bool = True,
    at_work: Callable[[PatronWindow], None] | None = None,
) -> int:
    """Serve patrons until the window is closed; returns the exit code. Without `moving` pages change at once."""
    mailbox = QueueMailbox()

    def start(screen: Screen) -> Callable[[], None]:
        return start_kiosk(settings, mailbox, screen).stop

    return run(
        mailbox=mailbox,
        start=start,
        settings=WindowSettings(
            library=settings.library_name,
            branch=settings.branch_name,
            size=None if full_screen else (settings.screen.width, settings.screen.height),
            moving=moving,
        ),
        at_work=at_work,
    )
