"""The headless demo: scripted visits on the offscreen kiosk, touched by QTest on named targets.

The kiosk's window lives on the Qt thread; the script runs on its own thread, touches through `Hand`, and works devices
only through their twins. Each scene checks what the patron sees and leaves pictures; a scene that fails is told in
the report and makes the exit code 1.
"""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from PySide6.QtQuick import QQuickWindow

from drivers.virtual.card import Fault
from kiosk.ports import DeviceState, Link, Phase, RowState, SlipState, View
from kiosk.words import Language
from sync.central.demo import DemoCast
from ui.demo.stage import Stage
from ui.patron.finger import Finger
from ui.patron.window import PatronWindow

PATIENCE_S = 12.0
STAFF_PRESS_S = 2.3
"""A little longer than the header wants."""
T = TypeVar("T")


class SceneFailedError(Exception):
    """The screen did not show what it should have."""


@dataclass(slots=True)
class Scene:
    """One scene of the play, for the report."""

    title: str
    """In both languages."""
    pictures: list[Path] = field(default_factory=list)
    """Screens and slips, in order."""
    notes: list[str] = field(default_factory=list)
    """What was checked."""
    failure: str = ""
    """Why it failed; empty when it went well."""
    seconds: float = 0.0
    """How long it took."""


class Hand(QObject):
    """Runs pieces of the script on the Qt thread."""

    _wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._wanted.connect(self._do, Qt.ConnectionType.QueuedConnection)

    def ask(self, work: Callable[[], T]) -> T:
        """Run `work` on the Qt thread and give its result; any other thread."""
        future: Future[T] = Future()
        self._wanted.emit((work, future))
        return future.result(PATIENCE_S)

    @Slot(object)
    def _do(self, wanted: tuple[Callable[[], T], "Future[T]"]) -> None:
        work, future = wanted
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001  raised again on the thread that asked
            future.set_exception(error)


class Play:
    """All scenes; `begin` starts the script's thread, `scenes` tells how it went."""

    def __init__(self, stage: Stage, cast: DemoCast, out: Path) -> None:
        self.scenes: list[Scene] = []
        self._stage = stage
        self._cast = cast
        self._out = out
        self._window: PatronWindow | None = None
        self._hand: Hand | None = None
        self._finger: Finger | None = None
        self._pictures = 0

    def begin(self, window: PatronWindow) -> None:
        """Called on the Qt thread when the event loop runs."""
        self._window, self._hand = window, Hand()
        if not isinstance(window.window, QQuickWindow):
            raise TypeError("the kiosk has no window")
        self._finger = Finger(window.window)
        threading.Thread(target=self._perform, name="demo-script", daemon=True).start()

    # --- the script ---------------------------------------------------------------------------------------------

    def _perform(self) -> None:
        try:
            self._play_all()
        finally:
            self._on_qt(QCoreApplication.quit)

    def _play_all(self) -> None:
        for title, scene in (
            ("開機：連上總館 · Start: online with central", self._start),
            ("悠遊卡線上借三本 · Borrow three by EasyCard, online", self._borrow_three),
            ("不能借的書：說明原因 · Refused loan, with its reason", self._refused),
            ("還書 · Return", self._return),
            ("卡片太早拿開 · Card taken away too early", self._taken_early),
            ("斷線：一卡通借書，尚待確認 · Network off: borrow by iPASS, not yet confirmed", self._offline),
            ("恢復連線：總館接受 · Network on: accepted by central", self._back_online),
            ("沒紙與補印 · Paper out and reprint", self._paper_out),
            ("館員專用頁：設備、網路、紙 · Staff page: devices, network, paper", self._staff),
            ("切換語言 · Language switch", self._language),
            ("閒置自動結束 · Idle time-out", self._idle),
        ):
            self._scene(title, scene)

    def _start(self) -> None:
        self._until(
            "the start page, online, with every device and all records",
            lambda view: (
                view.phase is Phase.START
                and view.unready is None
                and view.link is Link.ONLINE
                and view.card_reader_ready
                and view.scanner_ready
                and view.printer_ready
            ),
        )
        self._picture("start")

    def _borrow_three(self) -> None:
        self._touch("btn_borrow")
        self._until("the page that asks for a card", lambda view: view.phase is Phase.IDENTIFY)
        self._picture("identify")
        self._tap(self._cast.easycard.number, Phase.BORROW)
        for number, book in enumerate(self._cast.lendable[:3], 1):
            self._stage.scanner.scan(book)
            self._until(
                f"book {number} borrowed",
                lambda view, number=number: (
                    len(view.rows) == number  # type: ignore[misc]
                    and view.rows[0].state is RowState.DONE
                ),
            )
        self._picture("borrowed")
        self._touch("btn_finish")
        self._print_slip("loan")
        self._leave()

    def _refused(self) -> None:
        self._tap(self._cast.easycard.number, Phase.BORROW)
        self._stage.scanner.scan(self._cast.reserved)
        self._until("the reason of the refusal", lambda view: view.message is not None and view.message.stop)
        self._picture("refused")
        self._touch("btn_dismiss")
        self._leave()

    def _return(self) -> None:
        self._touch("btn_return")
        self._until("the return page", lambda view: view.phase is Phase.RETURN)
        self._stage.scanner.scan(self._cast.on_loan)
        self._until("the book taken back", lambda view: bool(view.rows) and view.rows[0].state is RowState.DONE)
        self._picture("returned")
        self._touch("btn_finish")
        self._print_slip("return")
        self._leave()

    def _taken_early(self) -> None:
        self._stage.lay(self._cast.easycard.number, Fault.TORN)
        self._until("hold it a little longer", lambda view: view.message is not None)
        self._picture("taken-early")
        self._stage.reader.take()
        self._touch("btn_dismiss")

    def _offline(self) -> None:
        self._stage.network.cut()
        self._until("the kiosk says that it is offline", lambda view: view.link is Link.OFFLINE)
        self._picture("offline")
        self._tap(self._cast.ipass.number, Phase.BORROW)
        for book in self._cast.lendable[3:5]:
            self._stage.scanner.scan(book)
            self._until(
                "borrowed, not yet confirmed",
                lambda view, book=book: (
                    bool(view.rows)  # type: ignore[misc]
                    and view.rows[0].item == book
                    and view.rows[0].state is RowState.PROVISIONAL
                ),
            )
        self._picture("provisional")
        self._touch("btn_finish")
        self._print_slip("provisional")
        if "尚待確認" not in "".join(self._stage.printer.slips()[-1].text):
            raise SceneFailedError("the slip does not say 尚待確認")
        self._note("the slip says 尚待確認")
        self._leave()

    def _back_online(self) -> None:
        self._stage.network.restore()
        self._until("online again, by itself", lambda view: view.link is Link.ONLINE)
        held = self._stage.central.ask("loans")
        wanted = set(self._cast.lendable[3:5])
        found = {loan["item"] for loan in held if loan["membership"] == self._cast.ipass.membership}  # type: ignore[attr-defined]
        if not wanted <= found:
            raise SceneFailedError(f"central has {sorted(found)} instead of {sorted(wanted)}")
        self._note("central holds both loans of the offline visit, once")
        self._tap(self._cast.ipass.number, Phase.BORROW)
        self._touch("btn_account")
        self._until(
            "my account without 尚待確認",
            lambda view: (
                view.phase is Phase.ACCOUNT
                and len(view.rows) == 2
                and all(row.state is RowState.DONE for row in view.rows)
            ),
        )
        self._picture("account")
        self._leave()

    def _paper_out(self) -> None:
        self._tap(self._cast.ipass.number, Phase.BORROW)
        self._stage.scanner.scan(self._cast.lendable[5])
        self._until("borrowed", lambda view: bool(view.rows) and view.rows[0].state is RowState.DONE)
        self._touch("btn_finish")
        self._until("the last page", lambda view: view.phase is Phase.DONE)
        self._stage.printer.paper_out_after(3)  # during the slip: once it has been noticed, printing is not offered
        self._touch_first("btn_slip_print", "btn_print_again")
        self._until("paper is out, in words", lambda view: view.slip is SlipState.FAILED)
        self._picture("paper-out")
        self._stage.printer.load_paper()
        self._print_slip("reprint", again=True)
        if "補印" not in "".join(self._stage.printer.slips()[-1].text):
            raise SceneFailedError("the second slip does not say 補印")
        self._note("the second slip says 補印, the loan happened once")
        self._leave()

    def _staff(self) -> None:
        """Staff come while central is away: the verifier in the replica lets them in."""
        self._stage.network.cut()
        self._until("the kiosk says that it is offline", lambda view: view.link is Link.OFFLINE)
        self._on_qt(lambda: self._the_finger().hold("clock", STAFF_PRESS_S))
        self._until("the door of the staff page", lambda view: view.phase is Phase.STAFF_LOGIN)
        for letter in self._cast.staff_login:
            self._touch(f"key_{letter}")
        self._touch("key_enter")
        for letter in self._cast.staff_password:
            self._touch(f"key_{letter}")
        self._picture("staff-door")
        self._touch("key_enter")
        self._until("the staff page", lambda view: view.phase is Phase.STAFF and view.staff is not None)
        self._stage.lay(self._cast.easycard.number)
        self._until(
            "a card tried out, nobody looked up",
            lambda view: view.staff is not None and view.staff.heard is not None and not view.name,
        )
        self._stage.reader.take()
        self._stage.printer.paper_out_after(3)
        self._touch("btn_staff_print")
        self._until("paper is out, in words", lambda view: view.slip is SlipState.FAILED)
        self._picture("staff-offline")
        self._stage.printer.load_paper()
        self._stage.network.restore()
        self._until(
            "everything well again",
            lambda view: (
                view.link is Link.ONLINE
                and view.staff is not None
                and all(status.state is DeviceState.READY for status in view.staff.devices)
            ),
        )
        before = len(self._stage.printer.slips())
        self._touch("btn_staff_print")
        self._until("the page printed", lambda view: view.slip is SlipState.PRINTED)
        self._keep_slip(before, "staff")
        self._until("every act sent", lambda view: view.staff is not None and view.staff.waiting == 0)
        self._picture("staff")
        self._leave()

    def _language(self) -> None:
        self._touch("btn_language")
        self._until("English", lambda view: view.language is Language.EN)
        self._picture("english")
        self._tap(self._cast.ipass.number, Phase.BORROW)
        self._picture("english-borrow")
        self._touch("btn_language")
        self._until("繁體中文", lambda view: view.language is Language.ZH_TW)
        self._leave()

    def _idle(self) -> None:
        self._tap(self._cast.easycard.number, Phase.BORROW)
        self._until("the countdown", lambda view: view.countdown_s is not None)
        self._picture("countdown")
        self._until("the start page, by itself", lambda view: view.phase is Phase.START and not view.name)
        self._picture("start-again")

    # --- what scenes are made of --------------------------------------------------------------------------------

    def _scene(self, title: str, act: Callable[[], None]) -> None:
        scene = Scene(title)
        self.scenes.append(scene)
        begun = monotonic()
        try:
            act()
        except Exception as error:  # noqa: BLE001  a scene that fails is told in the report, and the next one is tried
            scene.failure = f"{type(error).__name__}: {error}"
            self._picture("failed")
            with contextlib.suppress(SceneFailedError, LookupError):
                self._start_over()
        scene.seconds = monotonic() - begun

    def _tap(self, number: str, phase: Phase) -> None:
        self._stage.lay(number)
        self._until("the card is known", lambda view: view.phase is phase and bool(view.name))
        self._stage.reader.take()

    def _print_slip(self, name: str, *, again: bool = False) -> None:
        self._until("the last page", lambda view: view.phase is Phase.DONE)
        before = len(self._stage.printer.slips())
        if not again:
            self._picture(f"{name}-done")
        self._touch_first("btn_print_again" if again else "btn_slip_print", "btn_slip_print")
        self._until("printed, confirmed by the printer", lambda view: view.slip is SlipState.PRINTED)
        self._keep_slip(before, name)
        self._picture(f"{name}-printed")

    def _keep_slip(self, before: int, name: str) -> None:
        self._stage.printer.wait_for_slip(before + 1, PATIENCE_S)
        path = self._path("slips", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stage.printer.slips()[-1].framed().save(path)
        self.scenes[-1].pictures.append(path)

    def _leave(self) -> None:
        if self._view().phase is not Phase.START:
            self._touch_first("btn_end", "btn_leave", "btn_slip_none")
        self._until("the start page", lambda view: view.phase is Phase.START)

    def _start_over(self) -> None:
        self._stage.reader.take()
        self._stage.network.restore()
        self._stage.printer.load_paper()
        for name in ("btn_dismiss", "btn_end", "btn_leave"):
            if self._on_qt(lambda name=name: self._the_finger().shows(name)):  # type: ignore[misc]
                self._touch(name)
                threading.Event().wait(0.3)

    def _until(self, what: str, wanted: Callable[[View], bool]) -> None:
        deadline = monotonic() + PATIENCE_S
        seen: dict[str, None] = {}
        while not wanted(view := self._view()):
            seen[str(view.phase) if view.message is None else f"{view.phase}: {view.message.reason}"] = None
            if monotonic() > deadline:
                raise SceneFailedError(f"waited in vain for: {what}; the screen showed {', '.join(seen)}")
            threading.Event().wait(0.02)
        self._note(what)

    def _note(self, what: str) -> None:
        self.scenes[-1].notes.append(what)

    def _touch(self, name: str) -> None:
        self._on_qt(lambda: self._the_finger().touch(name))

    def _touch_first(self, *names: str) -> None:
        shown = [name for name in names if self._on_qt(lambda name=name: self._the_finger().shows(name))]  # type: ignore[misc]
        if not shown:
            raise SceneFailedError(f"none of {', '.join(names)} is shown")
        self._touch(shown[0])

    def _picture(self, name: str) -> None:
        path = self._path("screens", name)
        self._on_qt(lambda: self._the_finger().picture(path))
        self.scenes[-1].pictures.append(path)

    def _path(self, folder: str, name: str) -> Path:
        self._pictures += 1
        return self._out / folder / f"{self._pictures:02}-{name}.png"

    def _view(self) -> View:
        return self._on_qt(lambda: self._the_window().screen.view)

    def _on_qt(self, work: Callable[[], T]) -> T:
        if self._hand is None:
            raise SceneFailedError("the play has not begun")
        return self._hand.ask(work)

    def _the_finger(self) -> Finger:
        if self._finger is None:
            raise SceneFailedError("the play has not begun")
        return self._finger

    def _the_window(self) -> PatronWindow:
        if self._window is None:
            raise SceneFailedError("the play has not begun")
        return self._window
