"""A finger for the headless demo and for tests: touches named targets of the window as a patron would. Qt thread.

Touches go through QTest, so they take the way of a real press: hit test, handlers, bindings. A target that is hidden,
disabled, covered or outside the window cannot be touched; that is an error, not a silent miss.
"""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtQuick import QQuickItem, QQuickWindow
from PySide6.QtTest import QTest

MAKING_MS = 50
"""Longest slice of finishing lines at one go."""


class NoSuchTargetError(LookupError):
    """There is nothing of that name to be touched now."""


class Finger:
    """Finds targets by objectName, touches them, and takes pictures."""

    def __init__(self, window: QQuickWindow) -> None:
        self._window = window

    def items(self) -> Iterator[QQuickItem]:
        """Every visible item of the window, lines of lists included; lines still in the making are finished first."""
        making = self._window.incubationController()
        while making.incubatingObjectCount():
            making.incubateFor(MAKING_MS)
        todo = [self._window.contentItem()]
        while todo:
            item = todo.pop()
            if item.isVisible():
                yield item
                todo += item.childItems()

    def targets(self) -> list[str]:
        """Names of everything that can be touched now."""
        return sorted(
            item.objectName() for item in self.items() if item.objectName().startswith("btn_") and item.isEnabled()
        )

    def find(self, name: str) -> QQuickItem:
        """The visible item of that name; raises NoSuchTargetError."""
        for item in self.items():
            if item.objectName() == name:
                return item
        raise NoSuchTargetError(f"{name} is not shown; there are: {', '.join(self.targets())}")

    def shows(self, name: str) -> bool:
        """True while an item of that name is visible."""
        return any(item.objectName() == name for item in self.items())

    def text(self, name: str) -> str:
        """What the text item or button of that name says."""
        return str(self.find(name).property("text"))

    def touch(self, name: str) -> None:
        """Press and release in the middle of the target; raises NoSuchTargetError when it cannot be touched."""
        item = self.find(name)
        middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
        if not item.isEnabled() or not self._window.contentItem().contains(QPointF(middle)):
            raise NoSuchTargetError(f"{name} is shown but cannot be touched at {middle.x()}, {middle.y()}")
        self.press(middle)

    def press(self, point: QPoint) -> None:
        """Press and release at a point of the window."""
        QTest.mouseClick(self._window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)

    def hold(self, name: str, seconds: float) -> None:
        """Keep the finger in the middle of it for so long; blocking."""
        item = self.find(name)
        middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
        QTest.mousePress(self._window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
        QTest.qWait(round(seconds * 1000))
        QTest.mouseRelease(self._window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)

    def picture(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._window.grabWindow().save(str(path)):
            raise OSError(f"the picture could not be written: {path}")
