"""A scanner that types: its codes reach the station and no text field; what a person types arrives as typed (A8)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtQuick import QQuickItem, QQuickView

from drivers.wedge import GAP_S
from kiosk.domain.values import Reason
from kiosk.ports import CodeRead, CodeTrouble, DeviceChanged, DeviceEvent
from ui.patron.keyboard import KeyboardScanner


class Desk:
    """A window with one text field, a scanner in front of it, and a clock that stands still."""

    def __init__(self, qml: Path) -> None:
        self.heard: list[DeviceEvent] = []
        self.seconds = 10.0
        self.view = QQuickView()
        self.view.setSource(QUrl.fromLocalFile(str(qml)))
        self.view.show()
        root = self.view.rootObject()
        assert isinstance(root, QQuickItem)
        self.field: QQuickItem = root
        root.forceActiveFocus()
        self.scanner = KeyboardScanner(self.view, self.heard.append, monotonic=lambda: self.seconds)
        assert isinstance(self.heard.pop(), DeviceChanged)

    def keys(self, text: str, gap_s: float = 0.0) -> None:
        for char in text:
            self.seconds += gap_s
            self.press(char, 0)

    def enter(self) -> None:
        self.press("\r", Qt.Key.Key_Return)

    def press(self, text: str, key: int) -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QCoreApplication.sendEvent(self.view, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))

    def wait(self) -> None:
        self.seconds += 2 * GAP_S
        self.scanner.look()

    @property
    def text(self) -> str:
        return str(self.field.property("text"))


@pytest.fixture
def desk(app: QGuiApplication, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    qml = tmp_path / "Field.qml"
    qml.write_text(
        f"import QtQuick\nTextInput {{ property int entered; onAccepted: entered += 1; focus: true;"
        f" echoMode: TextInput.{getattr(request, 'param', 'Normal')} }}\n"
    )
    desk = Desk(qml)
    yield desk
    desk.scanner.close()
    desk.view.close()


def test_a_burst_is_a_code_and_reaches_no_text_field(desk: Desk) -> None:
    desk.keys("]C0C0000001", gap_s=0.004)
    desk.enter()
    desk.wait()
    assert desk.heard == [CodeRead("keyboard", "C0000001", "code128")]
    assert desk.text == ""


def test_what_a_person_types_arrives_as_typed_and_is_no_code(desk: Desk) -> None:
    desk.keys("C0000001", gap_s=0.08)
    desk.seconds += 0.08
    desk.enter()
    desk.wait()
    assert desk.text == "C0000001"
    assert desk.heard == []


def test_a_code_that_was_typed_slowly_and_that_nobody_wanted_is_told_to_patron_and_staff(desk: Desk) -> None:
    desk.field.setProperty("focus", False)
    desk.field.setFocus(False)
    for _ in range(2):
        desk.keys("C0000001", gap_s=0.05)
        desk.seconds += 0.05
        desk.enter()
        desk.wait()
    said = [event for event in desk.heard if isinstance(event, DeviceChanged)]
    assert [event for event in desk.heard if event not in said] == [CodeTrouble("keyboard", Reason.CODE_UNREADABLE)] * 2
    assert ["set key_gap_ms = 80" in change.status.detail for change in said] == [True]
    assert desk.text == ""


def test_the_lines_of_one_label_reach_the_station_as_one_unknown_code(desk: Desk) -> None:
    for line in ("BEGIN:VCARD", "P0000001", "END:VCARD"):
        desk.keys(line, gap_s=0.004)
        desk.enter()
    desk.wait()
    assert desk.heard == [CodeTrouble("keyboard", Reason.CODE_UNKNOWN)]
    assert desk.text == ""


def test_enter_right_after_a_last_key_is_typed_too(desk: Desk) -> None:
    desk.keys("12")
    desk.enter()
    desk.wait()
    assert desk.text == "12"
    assert desk.field.property("entered") == 1


@pytest.mark.parametrize("desk", ["Password", "NoEcho"], indirect=True)
def test_a_scan_while_a_pin_is_typed_is_swallowed_and_not_told(desk: Desk) -> None:
    desk.keys("12", gap_s=0.2)
    desk.wait()
    desk.keys("C0000001")
    desk.enter()
    desk.wait()
    assert desk.text == "12"
    assert desk.heard == []


def test_a_burst_without_its_end_is_told_as_unclear_and_typed_nowhere(desk: Desk) -> None:
    desk.keys("C0000001")
    desk.wait()
    assert desk.heard == [CodeTrouble("keyboard", Reason.CODE_UNREADABLE)]
    assert desk.text == ""
