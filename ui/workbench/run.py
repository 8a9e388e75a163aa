"""The workbench as a process: its own QApplication around the window. Qt thread; blocking until the window is closed."""

from PySide6.QtCore import QTranslator
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from ui.patron.window import FONT, TRANSLATION, ends_on_signals
from ui.workbench.bench import Bench
from ui.workbench.window import WorkbenchWindow

BESIDE_THE_KIOSK = 580
"""Pixels from the left: the demo's kiosk window is 540 wide."""


def run(bench: Bench) -> int:
    """Show the workbench over this bench; returns the exit code when its window is closed."""
    app = QApplication(["shelfpoint-workbench"])
    app.setFont(QFont(FONT))
    translator = QTranslator()
    if translator.load(str(TRANSLATION)):
        app.installTranslator(translator)
    window = WorkbenchWindow(bench)
    room = app.primaryScreen().availableGeometry()
    window.resize(min(window.width(), room.width() - BESIDE_THE_KIOSK), min(window.height(), room.height()))
    window.move(BESIDE_THE_KIOSK, 0)
    window.show()
    with ends_on_signals(app):
        return app.exec()
