"""The station: one mailbox, one thread; runs the visit and carries out its effects, in order, before it shows a view.

Never waits for the network: `Ask` is handed over, the answer comes back as an event. `handle` also runs without the
thread, so tests need none. Effects are the ports that the composition root passes in; a test that wants to die
between two of them wraps a port there, the station has no switch for it.

When the acts file cannot be written, nothing is shown as done: the screen says "out of service", why, and the station
tries again every few seconds. Our own bugs climb out of `run`; the supervisor of the process restarts the kiosk.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from kiosk.domain.clock import ClockWatch, Reading
from kiosk.domain.journal import Act, Word
from kiosk.domain.values import ActId
from kiosk.ports import (
    Acts,
    Ask,
    Asker,
    CardArrived,
    CardTrouble,
    Clock,
    CodeRead,
    CodeTrouble,
    Effect,
    Event,
    Knock,
    LedgerError,
    Library,
    Phase,
    Play,
    Print,
    PrintEnded,
    Printer,
    Record,
    Screen,
    Settle,
    Signals,
    StaffAnswered,
    StaffEntrance,
    StaffTried,
    Started,
    Ticked,
    Touched,
    TrustClock,
    View,
)
from kiosk.visit.glance import Glance
from kiosk.visit.shell import PHASES, remind_of_card, rule_for, step
from kiosk.visit.state import OutOfService, Visit, VisitSettings, World
from kiosk.visit.steps import open_start
from kiosk.visit.view import view_of

TICK_S = 0.25
RETRY_S = 5.0
COUNT_EVERY_S = 5.0


class QueueMailbox:
    """The station's mailbox; any thread may post."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def post(self, event: Event) -> None:
        self._queue.put(event)

    def take(self, timeout_s: float) -> Event | None:
        """The oldest event, or None after `timeout_s` seconds."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None


class Station:
    """Runs visits. All methods but the constructor belong to the thread that calls `run` (or to a test)."""

    def __init__(
        self,
        *,
        library: Library,
        acts: Acts,
        asker: Asker,
        printer: Printer,
        screen: Screen,
        clock: Clock,
        entrance: StaffEntrance,
        settings: VisitSettings,
        new_act_id: Callable[[], ActId],
        signals: Signals | None = None,
    ) -> None:
        self._library = library
        self._glance = Glance(library)
        self._acts = acts
        self._asker = asker
        self._printer = printer
        self._screen = screen
        self._clock = clock
        self._entrance = entrance
        self._settings = settings
        self._new_act_id = new_act_id
        self._signals = signals
        self._source: str | None = None
        """The device whose card or code is being dealt with."""
        self._watch = ClockWatch(wall=clock.now(), monotonic=clock.monotonic())
        self._unshown: tuple[Act, ...] = ()
        """What earlier lives recorded and may not have shown; told until this life ends."""
        self._unseen = False
        """Staff have not been shown it."""
        self._written: set[ActId] = set()
        """Recorded or settled, and not shown yet."""
        self._queue: tuple[int, datetime | None] = (0, None)
        self._counted_at: float | None = None
        self._shown: View | None = None
        self.visit = Visit(language=settings.language, touched_at=clock.monotonic())

    def run(self, mailbox: QueueMailbox, stop: threading.Event) -> None:
        """Handle events until `stop` is set, a tick at least every quarter of a second; `Started` was handled before."""
        ticked = self._clock.monotonic()
        while not stop.is_set():
            event = mailbox.take(TICK_S)
            if event is not None:
                self.handle(event)
            now = self._clock.monotonic()
            if now - ticked >= TICK_S:
                ticked = now
                self.handle(Ticked())

    def handle(self, event: Event) -> None:
        """One event: look up its rule, carry out the effects, then show."""
        world = self._world(event)
        self._source = source_of(event, self._source)
        try:
            if isinstance(event, Started):
                self._settle_the_past()
            elif isinstance(event, Ticked) and isinstance(self.visit.task, OutOfService):
                self._try_again(self.visit.task, world)
            before = self.visit
            rule = rule_for(before.task, event)
            outcome = step(before, event, world)
            _held(rule is None or not rule.leads_to, before, outcome.visit, rule.leads_to if rule else ())
            for effect in outcome.effects:
                self._carry_out(effect)
            self.visit = outcome.visit
            view = view_of(self.visit, world)
        except LedgerError as error:
            self._written.clear()  # what was written is not what is shown now
            ended = remind_of_card(open_start(self.visit, world))
            self.visit = replace(ended, task=OutOfService(str(error.reason), world.monotonic))
            view = view_of(self.visit, world)
        if view != self._shown:
            self._shown = view
            self._screen.show(view)
        self._note_shown(view)

    def _settle_the_past(self) -> None:
        """An act still open at start becomes a withdrawal before the first visit (DESIGN.md one act 3)."""
        for act in self._acts.open_requests():
            self._acts.record(Word.WITHDRAWAL, act)
        self._unshown = self._acts.unshown()
        self._unseen = bool(self._unshown)

    def _note_shown(self, view: View) -> None:
        """What was written is shown by now, and on their page staff see what was not."""
        try:
            if self._written:
                self._acts.shown(self._written)
                self._written.clear()
            if view.phase is Phase.STAFF and self._unseen:
                self._acts.seen([act.id for act in self._unshown])
                self._unseen = False
        except LedgerError:
            return  # noted with the next view; where that cannot be either, the next start brings them up

    def _try_again(self, task: OutOfService, world: World) -> None:
        if world.monotonic - task.since < RETRY_S:
            return
        self.visit = replace(self.visit, task=OutOfService(task.key, world.monotonic))
        self._acts.check()
        self._settle_the_past()
        self.visit = remind_of_card(open_start(self.visit, world))

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Record(word=word, act=act):
                self._acts.record(word, act)
                self._written.add(act.id)
                self._glance.forget()
            case Ask(act_id=act_id):
                self._asker.ask(act_id)
            case Settle(verdict=verdict):
                self._acts.settle(verdict)
                self._written.add(verdict.act_id)
                self._glance.forget()
            case Print(job=job, slip=slip):
                self._printer.print_slip(job, slip)
            case Knock() as knock:
                self._entrance.knock(knock)
            case TrustClock():
                self._watch = self._watch.confirmed()
            case Play(sound=sound):
                self._screen.play(sound)
                if self._signals is not None and self._source is not None:
                    self._signals.signal(self._source, sound)
            case _ as never:
                assert_never(never)

    def _world(self, event: Event) -> World:
        wall, monotonic = self._clock.now(), self._clock.monotonic()
        offset = self._asker.clock_offset()
        self._watch = self._watch.look(wall, monotonic, self._newest(event)).answered(self._asker.clock_heard())
        self._glance = Glance(self._library)
        return World(
            now=wall if offset is None else wall + offset,
            wall=wall,
            monotonic=monotonic,
            library=self._glance,
            settings=self._settings,
            new_act_id=self._new_act_id,
            clock_trusted=not self._watch.jumped,
            clock_offset=offset,
            reading=Reading(self._clock.boot(), monotonic),
            unshown=self._unshown,
            queue=lambda: self._count(monotonic),
        )

    def _count(self, monotonic: float) -> tuple[int, datetime | None]:
        """The outbox, counted at most every few seconds: with a long backlog that is work."""
        if self._counted_at is None or monotonic - self._counted_at >= COUNT_EVERY_S:
            self._queue, self._counted_at = self._acts.queue(), monotonic
        return self._queue

    def _newest(self, event: Event) -> datetime | None:
        """The latest time in what is on the disk: of the acts, of the knowledge, and of central's clock when it told it.

        Only at start is that more than the watch knows. A clock that stands before central's last word is wrong, also where it
        was so before and the kiosk's own times agree with it.
        """
        if not isinstance(event, Started):
            return None
        try:
            now = self._clock.now()
            acted, age, heard = self._acts.newest(), self._library.age(now), self._library.heard_at()
        except LedgerError:
            return None
        written = [moment for moment in (acted, None if age is None else now - age, heard) if moment is not None]
        return max(written, default=None)


def source_of(event: Event, before: str | None) -> str | None:
    """The device whose card or code this event brings or answers; None after a touch, and for a slip's sounds.

    A verdict answers the newest card or code: it keeps the device.
    """
    match event:
        case CardArrived(reader=device) | CardTrouble(reader=device):
            return device
        case CodeRead(scanner=device) | CodeTrouble(scanner=device):
            return device
        case Touched() | PrintEnded() | StaffTried() | StaffAnswered():
            return None
        case _:
            return before


def _held(stays: bool, before: Visit, after: Visit, leads_to: tuple[object, ...]) -> None:
    phase = PHASES[type(after.task)]
    allowed = phase is PHASES[type(before.task)] if stays else phase in leads_to or after.task == before.task
    if not allowed:
        raise AssertionError(f"{type(before.task).__name__} may not lead to {phase}")
