"""Dense lines for staff as a list model: facts about the kiosk, or its devices. Qt thread."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt

_Index = QModelIndex | QPersistentModelIndex
Line = tuple[str, str, str, str]
"""Label, how it stands, small print, mark."""


class _Role(IntEnum):
    """In the order of a `Line`."""

    LABEL = Qt.ItemDataRole.UserRole + 1
    SAID = Qt.ItemDataRole.UserRole + 2
    DETAIL = Qt.ItemDataRole.UserRole + 3
    MARK = Qt.ItemDataRole.UserRole + 4


class StaffLines(QAbstractListModel):
    """Lines that stay keep their place, so the list does not jump under a finger."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self._lines)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._lines):
            return None
        line = self._lines[index.row()]
        place = role - _Role.LABEL
        return line[place] if 0 <= place < len(line) else line[1] if role == Qt.ItemDataRole.DisplayRole else None

    def roleNames(self) -> dict[int, QByteArray]:
        return {int(role): QByteArray(role.name.lower().encode()) for role in _Role}

    def show(self, lines: Iterable[Line]) -> None:
        """Take these."""
        new = list(lines)
        if len(new) != len(self._lines):
            self.beginResetModel()
            self._lines = new
            self.endResetModel()
            return
        for place, (before, after) in enumerate(zip(self._lines, new, strict=True)):
            if before != after:
                self._lines[place] = after
                self.dataChanged.emit(self.index(place), self.index(place))
