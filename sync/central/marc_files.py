"""Records of MARC 21 files (ISO 2709) and MARCXML, as the fields that are wanted of them; one odd record costs itself alone.

Read by `import_marc`. A record that cannot be read comes as `Unread` in its place; where the rest of a file cannot be found
again the whole is a bad file (`iso2709`; XML that is not well-formed). Memory holds one record; blocking.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pymarc

from sync.central import iso2709
from sync.central.import_rows import BadFile
from sync.central.marc_text import MARC_ENCODINGS, Decoded, OtherCharacters, decoder

LEADER = 24
"""Characters of it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    tag: str
    """Three characters."""
    data: str = ""
    """Of a control field."""
    subfields: tuple[tuple[str, str], ...] = ()
    """Code and text, in the order of the record."""
    unknown: int = 0
    """Characters that could not be read; a space stands for each."""

    def all(self, codes: str) -> list[str]:
        """Texts of these subfields that are not blank, in the order of the record."""
        return [stripped for code, text in self.subfields if code in codes and (stripped := text.strip())]

    def first(self, codes: str) -> str:
        """Or nothing."""
        return next(iter(self.all(codes)), "")


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that could not be read."""

    expected: str
    """In words, with what to do."""
    got: str
    """In words."""


Record = tuple[Field, ...]


def binary_records(path: Path, wanted: Collection[str], encoding: str | None) -> Iterator[Record | Unread]:
    """Of a MARC 21 file, with fields of the wanted tags only. Raises BadFile."""
    if encoding is not None and encoding not in MARC_ENCODINGS:
        raise BadFile(f"{path}: MARC 21 is in {', '.join(MARC_ENCODINGS)}, not in {encoding}")
    try:
        with path.open("rb") as file:
            for piece in iso2709.records(file):
                if isinstance(piece, iso2709.Damaged):
                    yield Unread("a whole MARC record", f"{piece.why}; {piece.passed_over} bytes passed over")
                else:
                    yield _binary(piece, wanted, encoding)
    except iso2709.CutOff as error:
        raise BadFile(f"{path}: expected MARC 21 to its end, got {error}; is the file whole?") from error
    except OSError as error:
        raise BadFile(f"{path}: {error}") from error


def _binary(data: bytes, wanted: Collection[str], encoding: str | None) -> Record | Unread:
    try:
        read = pymarc.Record(data, to_unicode=False)
    except Exception as error:  # noqa: BLE001 - whatever pymarc says of its inside, the report tells
        return Unread(
            "a whole MARC record", f"unreadable inside: {type(error).__name__}; {len(data)} bytes passed over"
        )
    try:
        decoded = decoder(data, encoding)
        return tuple(_decoded(field, decoded) for field in read.fields if field.tag in wanted)
    except OtherCharacters as error:
        return Unread(error.expected, error.got)


def _decoded(field: pymarc.Field, decoded: Callable[[bytes], Decoded]) -> Field:
    """A field whose texts pymarc has left as bytes, whatever its annotations say."""
    if field.control_field:
        whole = decoded(cast(bytes, field.data))
        return Field(field.tag, whole.text, unknown=whole.unknown)
    parts = [(one.code, decoded(cast(bytes, one.value))) for one in field.subfields]
    texts = tuple((code, part.text) for code, part in parts)
    return Field(field.tag, subfields=texts, unknown=sum(part.unknown for _, part in parts))


def xml_records(path: Path, wanted: Collection[str]) -> Iterator[Record | Unread]:
    """Of a MARCXML file, with fields of the wanted tags only; in any namespace. Raises BadFile."""
    open_elements: list[ElementTree.Element] = []
    try:
        with path.open("rb") as file:
            for event, element in ElementTree.iterparse(file, events=("start", "end")):
                if event == "start":
                    open_elements.append(element)
                    continue
                open_elements.pop()
                if _name(element) == "record" and any(_name(part) in _PARTS for part in element):
                    yield _xml(element, wanted)
                if _name(element) == "record" and open_elements:
                    open_elements[-1].remove(element)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadFile(f"{path}: expected MARCXML in UTF-8 or UTF-16, got {error}") from error
    except OSError as error:
        raise BadFile(f"{path}: {error}") from error


_PARTS = frozenset(("leader", "controlfield", "datafield"))


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _xml(record: ElementTree.Element, wanted: Collection[str]) -> Record | Unread:
    fields: list[Field] = []
    wrong = ""
    for part in record:
        tag = part.get("tag", "")
        match _name(part):
            case "leader" if len(part.text or "") != LEADER:
                wrong = wrong or f"a leader of {len(part.text or '')} characters instead of {LEADER}"
            case "controlfield" | "datafield" if len(tag) != 3:
                wrong = wrong or f"a field with the tag {tag!r}"
            case "controlfield":
                fields.append(Field(tag, part.text or ""))
            case "datafield":
                subfields = [one for one in part if _name(one) == "subfield"]
                if any(len(one.get("code", "")) != 1 for one in subfields):
                    wrong = wrong or f"a subfield without a code in field {tag}"
                fields.append(
                    Field(tag, subfields=tuple((one.get("code", ""), "".join(one.itertext())) for one in subfields))
                )
            case _:
                pass  # of another namespace
    if wrong:
        number = next((field.data.strip() for field in fields if field.tag == "001"), "")
        return Unread("a whole MARC record", f"{wrong}; control number {number or 'none'}")
    return tuple(field for field in fields if field.tag in wanted)
