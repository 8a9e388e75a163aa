"""The books on a screen as one list model over the view's frozen rows; lives on the Qt thread."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, assert_never

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtQml import QmlElement

from kiosk.ports import Phase, Row, RowState, View
from kiosk.visit.done import say_hold
from kiosk.words import Language, say, say_date, say_reason

QML_IMPORT_NAME = "Shelfpoint"
QML_IMPORT_MAJOR_VERSION = 1

_Index = QModelIndex | QPersistentModelIndex


class _Role(IntEnum):
    """What a line of the list can be asked for, under the names that QML uses."""

    ITEM = Qt.ItemDataRole.UserRole + 1
    TITLE = Qt.ItemDataRole.UserRole + 2
    MARK = Qt.ItemDataRole.UserRole + 3
    BADGE = Qt.ItemDataRole.UserRole + 4
    DUE = Qt.ItemDataRole.UserRole + 5
    NOTE = Qt.ItemDataRole.UserRole + 6
    RENEWABLE = Qt.ItemDataRole.UserRole + 7
    HOLD = Qt.ItemDataRole.UserRole + 8
    CANCELLABLE = Qt.ItemDataRole.UserRole + 9
    ASKS = Qt.ItemDataRole.UserRole + 10


@QmlElement
class BookList(QAbstractListModel):
    """Rows of the newest view, said in its language. Lines that stay keep their place, so the list does not jump."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[dict[int, object]] = []

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self._lines)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._lines):
            return None
        line = self._lines[index.row()]
        return line[_Role.TITLE] if role == Qt.ItemDataRole.DisplayRole else line.get(role)

    def roleNames(self) -> dict[int, QByteArray]:
        return {int(role): QByteArray(role.name.lower().encode()) for role in _Role}

    def show(self, view: View) -> None:
        """Take the rows of this view."""
        new = [_line(row, view) for row in view.rows]
        old_items = [line[_Role.ITEM] for line in self._lines]
        new_items = [line[_Role.ITEM] for line in new]
        added = len(new) - len(self._lines)
        if added > 0 and new_items[added:] == old_items and old_items:
            self.beginInsertRows(QModelIndex(), 0, added - 1)
            self._lines = new[:added] + self._lines
            self.endInsertRows()
        elif new_items != old_items:
            self.beginResetModel()
            self._lines = new
            self.endResetModel()
            return
        for place, (before, after) in enumerate(zip(self._lines, new, strict=True)):
            if before != after:
                self._lines[place] = after
                self.dataChanged.emit(self.index(place), self.index(place))


def _line(row: Row, view: View) -> dict[int, object]:
    return {
        _Role.ITEM: str(row.item),
        _Role.TITLE: row.title,
        _Role.MARK: row.state.value,
        _Role.BADGE: _badge(row, view.phase, view.language),
        _Role.DUE: _due(row, view),
        _Role.NOTE: _note(row, view),
        _Role.RENEWABLE: row.can_renew,
        _Role.HOLD: row.hold or "",
        _Role.CANCELLABLE: row.hold is not None and row.can_cancel,
        _Role.ASKS: row.confirm,
    }


def say_count(key: str, language: Language, count: int, place: str = "count") -> str:
    """A sentence with a number in it, with its own words for one (`<key>_one`)."""
    places: Mapping[str, int] = {place: count}
    return say(f"{key}_one" if count == 1 else key, language, **places)


_HOLDS = (RowState.HOLD_READY, RowState.HOLD_COMING, RowState.HOLD_WAITING)


def _due(row: Row, view: View) -> str:
    if row.state in _HOLDS:
        return say_hold(row, view.language) if view.phase is Phase.ACCOUNT else ""
    if row.due_at is None:
        return ""
    due = say("screen.due", view.language, date=say_date(row.due_at, view.language))
    if row.state is RowState.PROVISIONAL and view.phase is Phase.ACCOUNT:
        return f"{due}　{_left(row.days_left, view.language)}"  # its badge says 尚待確認
    return due


def _left(days: int | None, language: Language) -> str:
    if days is None:
        return ""
    if days == 0:
        return say("screen.due_today", language)
    if days < 0:
        return say_count("screen.overdue", language, -days, "days")
    return say_count("screen.days_left", language, days, "days")


def _badge(row: Row, phase: Phase, language: Language) -> str:
    match row.state:
        case RowState.WORKING:
            return say("screen.working", language)
        case RowState.PROVISIONAL:
            return say("screen.provisional", language)
        case RowState.REFUSED:
            return say("screen.not_returned" if phase is Phase.RETURN else "screen.not_borrowed", language)
        case RowState.OVERDUE:
            return _left(row.days_left, language) or say("slip.overdue", language)
        case RowState.HOLD_READY | RowState.HOLD_COMING | RowState.HOLD_WAITING:
            return say(f"screen.{row.state}", language)
        case RowState.DONE:
            if row.due_at is None:
                return say("screen.returned", language)
            if phase is Phase.BORROW:
                return say("screen.borrowed", language)
            return _left(row.days_left, language)
        case _ as never:
            assert_never(never)


def _note(row: Row, view: View) -> str:
    if row.reason is not None:
        return say_reason(row.reason, view.language, row.details)
    return ""
