"""The patron's view model: the newest frozen `View` as read-only properties, and one slot for each intent.

It decides nothing: every property is read straight from the view, sentences come from `kiosk.words` in the view's
language, and every slot posts its `Touched` and waits for the next view. One `changed` signal, because a view is
replaced as a whole. Lives on the Qt thread; owned by `PatronWindow`, which outlives the engine.
"""

from collections.abc import Callable

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement

from kiosk.domain.values import LIBRARY_TIME
from kiosk.ports import Intent, Message, Phase, RowState, View
from kiosk.visit.facts import device_lines, facts, say_heard, say_minute
from kiosk.words import say, say_reason, sentences
from ui.patron.books import BookList, say_count
from ui.patron.staff_lines import StaffLines

QML_IMPORT_NAME = "Shelfpoint"
QML_IMPORT_MAJOR_VERSION = 1

Post = Callable[[Intent, str], None]
"""Tells the station what was touched."""
Knock = Callable[[str, str], None]
"""Tells the station the login and the password that somebody typed."""

COUNTDOWN_OVERLAY_S = 10
"""The last seconds of the countdown are shown over the whole stage (a matter of looks; when to end is the station's)."""


@QmlElement
class PatronScreen(QObject):
    """What is on the screen now."""

    changed = Signal()

    def __init__(
        self, post: Post, knock: Knock, library: str = "", branch: str = "", parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._post = post
        self._knock = knock
        self._library = library
        self._branch = branch
        self._view = View(phase=Phase.OUT_OF_SERVICE, out_of_service="starting")
        self._books = BookList(self)
        self._facts = StaffLines(self)
        self._devices = StaffLines(self)

    @property
    def view(self) -> View:
        """What is shown."""
        return self._view

    def show(self, view: View) -> None:
        """Replace what is shown; an equal view changes nothing."""
        if view == self._view:
            return
        self._view = view
        self._books.show(view)
        if view.staff is not None:
            told, language = view.staff, view.language
            self._facts.show((line.label, line.said, "", line.mark) for line in facts(told, view.link, language))
            self._devices.show(
                (line.name, line.said, line.detail, line.mark) for line in device_lines(told.devices, language)
            )
        self.changed.emit()

    # --- where and when

    @Property(str, notify=changed)
    def phase(self) -> str:
        return self._view.phase.value

    @Property(str, notify=changed)
    def language(self) -> str:
        return self._view.language.value

    @Property(str, notify=changed)
    def library(self) -> str:
        return self._view.library_name or self._library

    @Property(str, notify=changed)
    def branch(self) -> str:
        return self._view.branch_name or self._branch

    @Property(str, notify=changed)
    def link(self) -> str:
        return self._view.link.value

    @Property(str, notify=changed)
    def clock(self) -> str:
        now = self._view.now
        return "" if now is None else f"{now.astimezone(LIBRARY_TIME):%H:%M}"

    @Property(bool, notify=changed)
    def largeText(self) -> bool:
        return self._view.large_text

    @Property(bool, notify=changed)
    def highContrast(self) -> bool:
        return self._view.high_contrast

    @Property(bool, notify=changed)
    def lowReach(self) -> bool:
        return self._view.low_reach

    @Property(bool, notify=changed)
    def helpOpen(self) -> bool:
        return self._view.help_open

    @Property(int, notify=changed)
    def countdown(self) -> int:
        """Seconds left, or -1 while no countdown is shown."""
        return -1 if self._view.countdown_s is None else self._view.countdown_s

    @Property(str, notify=changed)
    def countdownText(self) -> str:
        seconds = self._view.countdown_s
        return "" if seconds is None else say_count("screen.ends_in", self._view.language, seconds)

    @Property(bool, notify=changed)
    def countdownNear(self) -> bool:
        seconds = self._view.countdown_s
        return seconds is not None and seconds <= COUNTDOWN_OVERLAY_S

    # --- what is said

    @Property(bool, notify=changed)
    def messageOpen(self) -> bool:
        return self._view.message is not None

    @Property(bool, notify=changed)
    def messageStops(self) -> bool:
        return self._view.message is not None and self._view.message.stop

    @Property(str, notify=changed)
    def messageTitle(self) -> str:
        return "" if self._view.message is None else self._view.message.title

    @Property(str, notify=changed)
    def messageText(self) -> str:
        return self._said(self._view.message)

    @Property(str, notify=changed)
    def blockedText(self) -> str:
        return self._said(self._view.blocked)

    @Property(str, notify=changed)
    def unreadyText(self) -> str:
        return self._said(self._view.unready)

    @Property(str, notify=changed)
    def messageReserve(self) -> str:
        """The item for which the message offers a hold; empty for none."""
        message = self._view.message
        return "" if message is None or message.reserve is None else str(message.reserve)

    @Property(str, notify=changed)
    def holdsBlockedText(self) -> str:
        return self._said(self._view.holds_blocked)

    @Property(str, notify=changed)
    def holdsText(self) -> str:
        """How many books the patron waits for; empty for none."""
        count = sum(row.hold is not None for row in self._view.rows)
        return say_count("screen.holds", self._view.language, count) if count else ""

    @Property(str, notify=changed)
    def outText(self) -> str:
        key = f"out.{self._view.out_of_service}"
        known = key in sentences(self._view.language)
        return say(key if known else "out.other", self._view.language)

    @Property(bool, notify=changed)
    def starting(self) -> bool:
        """Out of service only because the machine is starting."""
        return self._view.out_of_service == "starting"

    # --- the patron and the books

    @Property(str, notify=changed)
    def greeting(self) -> str:
        return say("screen.greeting", self._view.language, name=self._view.name) if self._view.name else ""

    @Property(bool, notify=changed)
    def identified(self) -> bool:
        return bool(self._view.name)

    @Property(QObject, constant=True)
    def books(self) -> BookList:
        return self._books

    @Property(int, notify=changed)
    def bookCount(self) -> int:
        return len(self._view.rows)

    @Property(str, notify=changed)
    def countText(self) -> str:
        """How many books this task has dealt with, in words; empty when none."""
        loans = [row for row in self._view.rows if row.hold is None]
        done = sum(row.state not in (RowState.REFUSED, RowState.WORKING) for row in loans)
        language = self._view.language
        match self._view.phase:
            case Phase.ACCOUNT:
                return say_count("screen.on_loan", language, done) if done else say("screen.on_loan_none", language)
            case Phase.BORROW:
                return say_count("screen.borrowed_now", language, done) if done else ""
            case Phase.RETURN:
                return say_count("screen.returned_now", language, done) if done else ""
            case _:
                return say_count("screen.books", language, done) if done else ""

    @Property(str, notify=changed)
    def quotaText(self) -> str:
        left = self._view.quota_left
        if left is None:
            return ""
        if left == 0:
            return say("screen.quota_none", self._view.language)
        return say_count("screen.quota_left", self._view.language, left)

    @Property(str, notify=changed)
    def nextTask(self) -> str:
        return "" if self._view.next_task is None else self._view.next_task.value

    # --- devices and the slip

    @Property(bool, notify=changed)
    def cardReaderReady(self) -> bool:
        return self._view.card_reader_ready

    @Property(bool, notify=changed)
    def scannerReady(self) -> bool:
        return self._view.scanner_ready

    @Property(bool, notify=changed)
    def cameraReady(self) -> bool:
        return self._view.camera_ready

    @Property(bool, notify=changed)
    def printerReady(self) -> bool:
        return self._view.printer_ready

    @Property(str, notify=changed)
    def slip(self) -> str:
        return self._view.slip.value

    @Property(str, notify=changed)
    def slipReasonText(self) -> str:
        reason = self._view.slip_reason
        return "" if reason is None else say(f"device.{reason}", self._view.language)

    @Property(str, notify=changed)
    def slipText(self) -> str:
        return self._view.slip_text

    @Property(bool, notify=changed)
    def provisional(self) -> bool:
        return self._view.provisional

    # --- staff

    @Property(QObject, constant=True)
    def staffFacts(self) -> StaffLines:
        return self._facts

    @Property(QObject, constant=True)
    def staffDevices(self) -> StaffLines:
        return self._devices

    @Property(str, notify=changed)
    def staffLogin(self) -> str:
        return "" if self._view.staff is None else self._view.staff.login

    @Property(bool, notify=changed)
    def staffAsking(self) -> bool:
        return self._view.staff is not None and self._view.staff.asking

    @Property(str, notify=changed)
    def staffRefusedText(self) -> str:
        staff = self._view.staff
        if staff is None or not staff.refused:
            return ""
        time = "" if staff.until is None else f"{staff.until.astimezone(LIBRARY_TIME):%H:%M}"
        return say(f"staff.{staff.refused}", self._view.language, time=time)

    @Property(str, notify=changed)
    def staffClock(self) -> str:
        """Date and time that staff can confirm; empty for none."""
        staff = self._view.staff
        return "" if staff is None or staff.clock is None or staff.clock_behind else say_minute(staff.clock)

    @Property(str, notify=changed)
    def staffHeardText(self) -> str:
        heard = None if self._view.staff is None else self._view.staff.heard
        return "" if heard is None else say_heard(heard, self._view.language)

    # --- intents

    @Slot()
    def borrow(self) -> None:
        self._post(Intent.BORROW, "")

    @Slot()
    def bringBack(self) -> None:
        """Intent RETURN; `return` is a reserved word on both sides."""
        self._post(Intent.RETURN, "")

    @Slot()
    def account(self) -> None:
        self._post(Intent.ACCOUNT, "")

    @Slot(str)
    def renew(self, item: str) -> None:
        self._post(Intent.RENEW, item)

    @Slot(str)
    def reserve(self, item: str) -> None:
        self._post(Intent.RESERVE, item)

    @Slot(str)
    def cancelHold(self, hold: str) -> None:
        self._post(Intent.CANCEL_HOLD, hold)

    @Slot()
    def finish(self) -> None:
        self._post(Intent.FINISH, "")

    @Slot()
    def printSlip(self) -> None:
        self._post(Intent.SLIP_PRINT, "")

    @Slot()
    def showQr(self) -> None:
        self._post(Intent.SLIP_QR, "")

    @Slot()
    def noSlip(self) -> None:
        self._post(Intent.SLIP_NONE, "")

    @Slot()
    def printAgain(self) -> None:
        self._post(Intent.PRINT_AGAIN, "")

    @Slot()
    def back(self) -> None:
        self._post(Intent.BACK, "")

    @Slot()
    def end(self) -> None:
        self._post(Intent.END, "")

    @Slot()
    def stay(self) -> None:
        self._post(Intent.STAY, "")

    @Slot()
    def dismiss(self) -> None:
        self._post(Intent.DISMISS, "")

    @Slot()
    def help(self) -> None:
        self._post(Intent.HELP, "")

    @Slot()
    def switchLanguage(self) -> None:
        self._post(Intent.LANGUAGE, self._view.language.other.value)

    @Slot()
    def switchLargeText(self) -> None:
        self._post(Intent.LARGE_TEXT, "")

    @Slot()
    def switchHighContrast(self) -> None:
        self._post(Intent.HIGH_CONTRAST, "")

    @Slot()
    def switchLowReach(self) -> None:
        self._post(Intent.LOW_REACH, "")

    @Slot()
    def staffDoor(self) -> None:
        self._post(Intent.STAFF, "")

    @Slot(str, str)
    def tryStaff(self, login: str, password: str) -> None:
        self._knock(login, password)

    @Slot()
    def confirmClock(self) -> None:
        self._post(Intent.STAFF_CLOCK, "")

    @Slot()
    def printStaff(self) -> None:
        self._post(Intent.STAFF_PRINT, "")

    def _said(self, message: Message | None) -> str:
        return "" if message is None else say_reason(message.reason, self._view.language, message.details)
