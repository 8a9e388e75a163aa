"""One row of a file of items or patrons, as an entry or as a list of mistakes; what was read otherwise than it is written.

Made by `import_csv` and `import_marc`, read by `imports`. No row stops the reading: each mistake says line, field, what was
expected with what to do, and what was found. A row says something of the columns that its file has, of an empty cell too;
what it does not speak of stays as it is. Pure.

Why
Names and titles are tidied (`kiosk.domain.written`), because what computers put between the letters is nobody's fault; numbers
and ids are not, because one that was mended by guessing may be another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from kiosk.domain.identity import CardKind
from kiosk.domain.lending import ItemState, Standing
from kiosk.domain.written import Tidied, in_words, tidy
from sync.central import import_values
from sync.central.formulas import as_written
from sync.central.registry import Patron
from sync.wire import ItemEntry

MAX_ID = 128
MAX_TEXT = 1000
MAX_CODE = 40
MAX_NAME = 200
Entry = TypeVar("Entry")
_TRUE = {"1": True, "true": True, "yes": True, "": False, "0": False, "false": False, "no": False}
_UIDS = frozenset((CardKind.EASYCARD, CardKind.IPASS, CardKind.CHIP))
"""Kinds whose number is a chip's."""
ITEM_COLUMNS = frozenset(("id", "title", "author", "item_type", "branch", "state", "desk_only", "desensitise", "work"))
PATRON_COLUMNS = frozenset(
    (
        *("id", "name", "category", "standing", "expires_on", "suspended_until", "holds_suspended_until", "owed"),
        *(kind.value for kind in CardKind),
    )
)


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field of one row."""

    line: int
    """Line of a CSV file, number of the record in MARC."""
    field: str
    """Column, or MARC field and subfield."""
    expected: str
    """In words, with what to do."""
    got: str
    """As found, cut, with what is invisible spelled."""


@dataclass(frozen=True, slots=True)
class Note:
    """A field that is kept otherwise than it is written."""

    line: int
    """See Mistake.line."""
    field: str
    """See Mistake.field."""
    kept: str
    """What is kept and why, in words."""
    got: str
    """See Mistake.got."""


@dataclass(frozen=True, slots=True)
class Line(Generic[Entry]):
    """One row of a file."""

    number: int
    """See Mistake.line."""
    entry: Entry | None
    """None with mistakes."""
    mistakes: tuple[Mistake, ...] = ()
    said: frozenset[str] = frozenset()
    """Columns of which the row says something; the others of the entry have their defaults, for a new record."""
    notes: tuple[Note, ...] = ()
    """What is kept otherwise than it is written."""


@dataclass(slots=True)
class _Fields:
    """Takes fields out of one row and collects what is to be said of them."""

    line: int
    row: Mapping[str, str]
    sheet: bool = True
    """From a spreadsheet: an apostrophe that `formulas` put there is none of the text."""
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def text(self, name: str, *, limit: int = MAX_TEXT, needed: bool = False) -> str:
        """A name or title."""
        raw = self.row.get(name, "")
        tidied = tidy(self._cell(name))
        if needed and not tidied.text:
            self._wrong(name, "something")
        elif len(tidied.text) > limit:
            self._wrong(name, f"at most {limit} characters")
        elif tidied.text != raw.strip():
            self._note(name, f"{tidied.text} ({_changes(tidied)})")
        return tidied.text

    def number(self, name: str, *, needed: bool = False, uid: bool = False) -> str:
        """A number or id, as it stands."""
        value = self._cell(name)
        if not value:
            if needed:
                self._wrong(name, "something")
            return value
        exported = value != self.row.get(name, "").strip()  # an id that looks like a formula, and is meant so
        wrong = None if exported else import_values.wrong_number(value, uid=uid)
        if len(value) > MAX_ID:
            self._wrong(name, f"at most {MAX_ID} characters")
        elif wrong is not None:
            self._wrong(name, wrong)
        elif not value.isprintable():
            self._wrong(name, "visible characters only")
        return value

    def code(self, name: str, *, limit: int = MAX_CODE, needed: bool = False) -> str:
        """What another record is called by: a category, a branch, a work."""
        value = self._cell(name)
        if needed and not value:
            self._wrong(name, "something")
        elif len(value) > limit or not value.isprintable():
            self._wrong(name, f"at most {limit} visible characters")
        return value

    def flag(self, name: str) -> bool:
        value = _TRUE.get(self.row.get(name, "").strip().lower())
        if value is None:
            self._wrong(name, "1, 0, true, false, yes, no or nothing")
        return bool(value)

    def day(self, name: str) -> date | None:
        value = self.row.get(name, "").strip()
        if not value:
            return None
        try:
            day = import_values.day(value)
        except ValueError:
            self._wrong(name, import_values.DAY)
            return None
        if day.isoformat() != value:
            self._note(name, day.isoformat())
        return day

    def money(self, name: str) -> int:
        value = self.row.get(name, "").strip() or "0"
        try:
            amount = import_values.money(value)
        except ValueError:
            self._wrong(name, import_values.MONEY)
            return 0
        if "," in value:
            self._note(name, str(amount))
        return amount

    def state(self) -> ItemState:
        value = self.row.get("state", "").strip()
        if value and value not in {one.value for one in ItemState}:
            self._wrong("state", " or ".join(ItemState))
            return ItemState.IN_SERVICE
        return ItemState(value or ItemState.IN_SERVICE)

    def standing(self) -> Standing:
        value = self.row.get("standing", "").strip()
        if value and value not in {one.value for one in Standing}:
            self._wrong("standing", " or ".join(Standing))
            return Standing.ACTIVE
        return Standing(value or Standing.ACTIVE)

    def made(self, entry: Entry, said: frozenset[str]) -> Line[Entry]:
        """The row, once all fields are taken."""
        good = None if self.mistakes else entry
        return Line(self.line, good, tuple(self.mistakes), said, tuple(self.notes))

    def _cell(self, name: str) -> str:
        text = self.row.get(name, "").strip()
        return as_written(text) if self.sheet else text

    def _wrong(self, name: str, expected: str) -> None:
        self.mistakes.append(Mistake(self.line, name, expected, _got(self.row.get(name, ""))))

    def _note(self, name: str, kept: str) -> None:
        self.notes.append(Note(self.line, name, f"kept as {kept}", _got(self.row.get(name, ""))))


def item_line(
    line: int, row: Mapping[str, str], branch: str, *, sheet: bool = True, notes: Iterable[Note] = ()
) -> Line[ItemEntry]:
    """An item; `branch` where the row names none, `notes` of what was read before the row was made."""
    take = _Fields(line, {**row, "branch": row.get("branch", "").strip() or branch}, sheet, notes=list(notes))
    said = frozenset(row)
    entry = ItemEntry(
        id=take.number("id", needed=True),
        title=take.text("title", needed=True),
        author=take.text("author"),
        item_type=take.code("item_type") or "book",
        branch=take.code("branch", limit=MAX_ID, needed="branch" in said),
        state=take.state(),
        desk_only=take.flag("desk_only"),
        desensitise=take.flag("desensitise"),
        work=take.code("work", limit=MAX_ID),
    )
    return take.made(entry, said)


def patron_line(line: int, row: Mapping[str, str]) -> Line[Patron]:
    """A membership with its cards."""
    take = _Fields(line, row)
    cards = {kind: take.number(kind.value, uid=kind in _UIDS) for kind in CardKind}
    patron = Patron(
        id=take.number("id", needed=True),
        name=take.text("name", limit=MAX_NAME, needed=True),
        category=take.code("category", needed=True),
        standing=take.standing(),
        expires_on=take.day("expires_on"),
        suspended_until=take.day("suspended_until"),
        holds_suspended_until=take.day("holds_suspended_until"),
        owed=take.money("owed"),
        cards={kind: number for kind, number in cards.items() if number},
    )
    return take.made(patron, frozenset(row))


def _changes(tidied: Tidied) -> str:
    parts = ["spaces folded"] if tidied.folded else []
    if tidied.dropped:
        parts.append(f"without {in_words(''.join(tidied.dropped))}")
    return ", ".join(parts) or "without the apostrophe of an export"


def _got(raw: str) -> str:
    return in_words(raw)[:60]
