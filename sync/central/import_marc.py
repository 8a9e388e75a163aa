"""MARC records as rows of items: one for each copy, with the title and author as a reader looks for them.

Read by `import_sources`. A title is 245 $a $b $n $p in the order of the record, so that volumes can be told apart. Where 245 or
the author is written in Latin letters and a linked 880 has it in the original script, that stands first and the Latin
form behind " = ", as catalogues write parallel titles (ISBD 1.3); so either is found. Pure but for the records.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sync.central.import_rows import MAX_TEXT, Line, Mistake, Note, item_line
from sync.central.marc_files import Field, Record, Unread
from sync.wire import ItemEntry

_TITLE, _AUTHORS, _LINKED = "245", ("100", "110", "111", "700"), "880"
_ISBD = " /:;,.="
"""What stands between the parts of a description, and behind the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarcPlaces:
    """Where a library writes its copies in MARC; the defaults are Koha's."""

    barcode: str = "952p"
    """Field and subfield; each occurrence is one item."""
    branch: str = "952b"
    """Of the same occurrence."""
    item_type: str = "952y"
    """Of the same occurrence."""

    def tags(self) -> frozenset[str]:
        """All fields that are read."""
        return frozenset(("001", "003", _TITLE, *_AUTHORS, _LINKED, self.barcode[:3]))


def copy_lines(records: Iterable[Record | Unread], places: MarcPlaces, branch: str) -> Iterator[Line[ItemEntry]]:
    """One line for each copy; a record without copies is a mistake, and so is one that could not be read."""
    tag, code = places.barcode[:3], places.barcode[3:]
    for number, record in enumerate(records, start=1):
        if isinstance(record, Unread):
            yield Line(number, None, (Mistake(number, "(record)", record.expected, record.got),))
            continue
        title = _both_scripts(record, (_TITLE,), "abnp")
        author = _both_scripts(record, _AUTHORS, "a")
        work = _work(record)
        copies = [field for field in record if field.tag == tag and field.first(code)]
        if not copies:
            yield Line(number, None, (Mistake(number, places.barcode, "a copy's barcode", ""),))
        notes = [Note(number, field.tag, _unknown(field.unknown), "") for field in record if field.unknown]
        for copy in copies:
            row = {"id": copy.first(code), "title": title, "author": author}
            for name, where in (("branch", places.branch), ("item_type", places.item_type)):
                if where[:3] == tag and (text := copy.first(where[3:])):
                    row[name] = text
            if work:
                row["work"] = work
            yield item_line(number, row, branch, sheet=False, notes=notes)


def _unknown(count: int) -> str:
    return f"kept with a space for each of {count} characters that MARC-8 does not know"


def _work(record: Record) -> str:
    """The control number (001) with the agency it is of (003): what the copies of this record share. Without: nothing."""
    number, agency = (
        next((text for field in record if field.tag == tag and (text := field.data.strip())), "")
        for tag in ("001", "003")
    )
    return f"{agency}:{number}" if number and agency else number


def _both_scripts(record: Record, tags: tuple[str, ...], codes: str) -> str:
    """Of the first of these fields that says something: the original script, then Latin letters; or the one there is."""
    for field in record:
        if field.tag in tags and (text := _joined(field, codes)):
            linked = next(filter(None, (_joined(other, codes) for other in _linked(record, field))), "")
            break
    else:
        unlinked = (field for field in record if field.tag == _LINKED and field.first("6")[:3] in tags)
        return next(filter(None, (_joined(field, codes) for field in unlinked)), "")[:MAX_TEXT]
    if not linked or _is_latin(text) == _is_latin(linked):
        return text[:MAX_TEXT]
    original, latin = (linked, text) if _is_latin(text) else (text, linked)
    return f"{original} = {latin}"[:MAX_TEXT]


def _linked(record: Record, field: Field) -> Iterator[Field]:
    """880 fields of this one: by the number in $6 that both have (245 $6 880-01, 880 $6 245-01/$1)."""
    occurrence = field.first("6")[4:6]
    for other in record:
        if other.tag == _LINKED and other.first("6")[:6] == f"{field.tag}-{occurrence}" and occurrence:
            yield other


def _joined(field: Field, codes: str) -> str:
    return " ".join(field.all(codes)).rstrip(_ISBD)


def _is_latin(text: str) -> bool:
    """No letter of another script: what is written so beside an original is a transcription."""
    return not any(
        ord(char) > 0x24F
        and unicodedata.category(char) in ("Lo", "Ll", "Lu", "Lm", "Lt", "Co", "Cn")
        and not unicodedata.name(char, "").startswith(("LATIN", "MODIFIER"))
        for char in text
    )
