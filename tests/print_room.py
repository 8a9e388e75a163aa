"""A slip printer under its supervisor, and ears for what it says: for the tests of printers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ears import Ears

from drivers.link import Door
from drivers.printer import Patience, SlipPrinter
from drivers.printer_profiles import DEFAULT_PROFILE, Profile
from drivers.supervisor import Supervisor
from kiosk.ports import DeviceChanged, DeviceReason, DeviceState, Event, PrintEnded
from kiosk.slip import Line, Slip, SlipKind
from kiosk.words import Language

QUICK = Patience(answer_s=1.0, job_s=5.0, watch_s=0.01, poll_s=0.02)
SLIP = Slip(kind=SlipKind.TEST, language=Language.ZH_TW, blocks=tuple(Line(f"第{n}行") for n in range(6)))


@contextmanager
def running(
    door: Door, profile: Profile = DEFAULT_PROFILE, patience: Patience = QUICK
) -> Iterator[tuple[SlipPrinter, Ears]]:
    ears = Ears()
    printer = SlipPrinter("slips", door, profile, mailbox=ears, patience=patience)
    supervisor = Supervisor([printer], ears, back_off_s=(0.02,))
    supervisor.start()
    try:
        yield printer, ears
    finally:
        supervisor.stop()


def ended(ears: Ears) -> PrintEnded:
    event = ears.until(lambda event: isinstance(event, PrintEnded))
    assert isinstance(event, PrintEnded)
    return event


def is_now(state: DeviceState, reason: DeviceReason | None = None) -> Callable[[Event], bool]:
    def claim(event: Event) -> bool:
        return isinstance(event, DeviceChanged) and (event.status.state, event.status.reason) == (state, reason)

    return claim
