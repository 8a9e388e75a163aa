"""The window of virtual hardware (Qt Widgets): lay a card, scan a book, look at the paper, pull a plug. Qt thread.

Everything acts through `Bench`, never on the application. Slips are looked for a few times a second; whatever a bench
cannot do just now is told in the status line.
"""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kiosk.domain.values import KioskError
from ui.workbench.bench import Bench, TableBook, TableCard

W = TypeVar("W", bound=QWidget)

LOOK_MS = 300
"""How often new slips are looked for."""
SLIP_WIDTH = 380
CARD_COLUMNS = 2

STYLE = """
QMainWindow, QScrollArea, QWidget#ground { background: #efe9dc; }
QScrollArea { border: none; }
QLabel { color: #23262f; font-size: 15px; }
QLabel#heading { font-size: 19px; font-weight: bold; padding: 4px 0; }
QLabel#paper { background: #ffffff; border: 1px solid #d8cfbd; padding: 6px; }
QLabel#note { color: #4b4a4f; font-size: 13px; }
QFrame#card { background: #ffffff; border: 2px solid #0b5a57; border-radius: 12px; }
QFrame#card[down="true"] { background: #d6e8e4; }
QFrame#book { background: #ffffff; border: 1px solid #d8cfbd; border-left: 8px solid #0b5a57; border-radius: 4px; }
QPushButton { background: #ffffff; color: #0b5a57; border: 2px solid #0b5a57; border-radius: 8px; padding: 6px 12px;
              font-size: 15px; }
QPushButton:pressed, QPushButton:checked { background: #0b5a57; color: #ffffff; }
QPushButton:focus { border-color: #23262f; }
QCheckBox { color: #23262f; font-size: 15px; padding: 3px; }
QLineEdit { background: #ffffff; color: #23262f; border: 2px solid #d8cfbd; border-radius: 8px; padding: 6px;
            font-size: 15px; }
"""


class WorkbenchWindow(QMainWindow):
    """Cards at the left, books in the middle, paper and switches at the right."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._shown_slips = 0
        self._cards: dict[str, QFrame] = {}
        self.setWindowTitle(self.tr("Workbench: virtual hardware"))
        self.setStyleSheet(STYLE)
        ground = _named(QWidget(), "ground")
        columns = QHBoxLayout(ground)
        columns.setSpacing(24)
        columns.setContentsMargins(20, 16, 20, 12)
        columns.addLayout(self._table_of_cards(), 5)
        columns.addLayout(self._table_of_books(), 6)
        columns.addLayout(self._right_side(), 5)
        self.setCentralWidget(ground)
        self.resize(1440, 860)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look_for_slips)
        self._timer.start(LOOK_MS)

    # --- what lies on the table

    def _table_of_cards(self) -> QVBoxLayout:
        column, inside = self._column(self.tr("Cards"))
        lift = _named(QPushButton(self.tr("Take the card away")), "btn_lift")
        lift.clicked.connect(lambda: self._try(self._lift))
        column.addWidget(lift)
        grid = QGridLayout()
        grid.setSpacing(12)
        for place, card in enumerate(self._bench.cards()):
            grid.addWidget(self._card(card), place // CARD_COLUMNS, place % CARD_COLUMNS)
        inside.addLayout(grid)
        inside.addStretch()
        return column

    def _card(self, card: TableCard) -> QFrame:
        frame = _named(QFrame(), "card")
        box = QVBoxLayout(frame)
        box.addWidget(_label(card.label))
        if card.note:
            box.addWidget(_label(card.note, "note"))
        buttons = QHBoxLayout()
        lay = _named(QPushButton(self.tr("Scan") if card.scanned else self.tr("Lay")), f"btn_lay_{card.name}")
        lay.clicked.connect(lambda: self._try(lambda: self._lay(card)))
        buttons.addWidget(lay)
        if not card.scanned:
            tear = _named(QPushButton(self.tr("Too short")), f"btn_tear_{card.name}")
            tear.setToolTip(self.tr("Held to the reader and taken away before it was read"))
            tear.clicked.connect(lambda: self._try(lambda: self._bench.tear_card(card.name)))
            buttons.addWidget(tear)
        box.addLayout(buttons)
        self._cards[card.name] = frame
        return frame

    def _table_of_books(self) -> QVBoxLayout:
        column, inside = self._column(self.tr("Books"))
        line = QHBoxLayout()
        self._code = _named(QLineEdit(), "code")
        self._code.setPlaceholderText(self.tr("Any code"))
        self._code.setAccessibleName(self.tr("Any code"))
        self._code.returnPressed.connect(lambda: self._try(self._scan_typed))
        scan = _named(QPushButton(self.tr("Scan")), "btn_scan")
        scan.clicked.connect(lambda: self._try(self._scan_typed))
        line.addWidget(self._code)
        line.addWidget(scan)
        column.addLayout(line)
        for book in self._bench.books():
            inside.addWidget(self._book(book))
        inside.addStretch()
        return column

    def _book(self, book: TableBook) -> QFrame:
        frame = _named(QFrame(), "book")
        row = QHBoxLayout(frame)
        words = QVBoxLayout()
        words.addWidget(_label(book.title))
        words.addWidget(_label(f"{book.code}　{book.note}".rstrip(), "note"))
        row.addLayout(words, 1)
        scan = _named(QPushButton(self.tr("Scan")), f"btn_scan_{book.code}")
        scan.setAccessibleDescription(book.title)
        scan.clicked.connect(lambda: self._try(lambda: self._bench.scan(book.code)))
        row.addWidget(scan)
        return frame

    def _right_side(self) -> QVBoxLayout:
        column, self._paper = self._column(self.tr("The printer's paper"))
        self._paper.addStretch()
        column.addWidget(_label(self.tr("Switches"), "heading"))
        switches = QGridLayout()
        wanted: list[tuple[str, str, Callable[[bool], None]]] = [
            ("network", self.tr("Network cable"), self._bench.set_network),
            ("paper", self.tr("Paper in the printer"), self._bench.set_paper),
            *(
                (f"plug_{device}", self.tr("Plugged in: {device}").replace("{device}", device), self._plug(device))
                for device in self._bench.devices()
            ),
        ]
        for place, (name, text, act) in enumerate(wanted):
            switch = _named(QCheckBox(text), f"switch_{name}")
            switch.setChecked(True)
            switch.toggled.connect(lambda there, act=act: self._try(lambda: act(there)))
            switches.addWidget(switch, place // 2, place % 2)
        column.addLayout(switches)
        return column

    def _column(self, heading: str) -> tuple[QVBoxLayout, QVBoxLayout]:
        column = QVBoxLayout()
        column.addWidget(_label(heading, "heading"))
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = _named(QWidget(), "ground")
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 10, 0)
        layout.setSpacing(10)
        area.setWidget(inside)
        column.addWidget(area, 1)
        return column, layout

    # --- hands

    def look_for_slips(self) -> None:
        """Show the slips that came since the last look, newest on top."""
        slips = self._bench.slips()
        for png in slips[self._shown_slips :]:
            paper = _named(QLabel(), "paper")
            picture = QPixmap()
            picture.loadFromData(png)
            paper.setPixmap(picture.scaledToWidth(SLIP_WIDTH, Qt.TransformationMode.SmoothTransformation))
            paper.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            paper.setAccessibleName(self.tr("A printed slip"))
            self._paper.insertWidget(0, paper, 0, Qt.AlignmentFlag.AlignHCenter)
        self._shown_slips = len(slips)

    def _lay(self, card: TableCard) -> None:
        if card.scanned:
            self._bench.scan(card.name)
            return
        self._bench.lay_card(card.name)
        self._mark(card.name)

    def _lift(self) -> None:
        self._bench.lift_card()
        self._mark("")

    def _scan_typed(self) -> None:
        if self._code.text():
            self._bench.scan(self._code.text())

    def _plug(self, device: str) -> Callable[[bool], None]:
        return lambda there: self._bench.plug(device) if there else self._bench.unplug(device)

    def _mark(self, lying: str) -> None:
        for name, frame in self._cards.items():
            frame.setProperty("down", name == lying)
            frame.style().polish(frame)

    def _try(self, act: Callable[[], None]) -> None:
        """Do it; what the world does not allow just now is said below, and nothing else happens."""
        try:
            act()
        except (KioskError, OSError) as error:
            self.statusBar().showMessage(str(error), 6000)


def _named(widget: W, name: str) -> W:
    """The widget with this objectName, by which the style and the tests know it."""
    widget.setObjectName(name)
    return widget


def _label(text: str, name: str = "") -> QLabel:
    label = _named(QLabel(text), name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
