"""PC/SC reader names -> physical readers, each with a pattern that no other one matches.

Owns what pcsc-lite puts into a name: "MODEL [INTERFACE] (SERIAL) II SS", with the reader's number and the slot's in
hexadecimal; interface and serial number only where the device has them. Pure; any thread.

Why
- Two entries of the settings that match one reader read every card twice. So slots of one reader share an entry, and
  patterns are anchored at both ends.
- The reader's number changes with the order of plugging. It stands in a pattern only where nothing else tells two apart.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivers.slot_kind import SlotKind, slot_kind

_NAME = re.compile(
    r"(?P<model>.*?)(?: \[(?P<interface>[^\]]*)\])?(?: \((?P<serial>[^)]*)\))? (?P<number>[0-9A-F]{2}) [0-9A-F]{2}"
)
_TWO_DIGITS = "[0-9A-F]{2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalReader:
    """One interface of one device, with all its slots."""

    names: tuple[str, ...]
    """As PC/SC lists them, a name for each slot."""
    pattern: str
    """Matches these names, also after another order of plugging where `by_number` is False, and no other reader."""
    kind: SlotKind | None
    """What its slots take; None: no name says it."""
    by_number: bool = False
    """Only its number in the order of plugging tells it from another one of its model."""
    spare: bool = False
    """The contact interface of a device that has a contactless one too."""


@dataclass(frozen=True, slots=True)
class _Parts:
    stem: str
    """The name without its two numbers."""
    device: str
    """Model and serial number: what all interfaces of a device share."""
    number: str
    """Two hexadecimal digits; empty in a name that has none."""


def physical_readers(names: Iterable[str]) -> tuple[PhysicalReader, ...]:
    """One for each reader that may hold a patron's card, in the order of the names; SAM slots are left out."""
    slots: dict[tuple[str, str], list[str]] = {}
    for name in sorted(set(names)):
        if slot_kind(name) is not SlotKind.SAM:
            parts = _parts(name)
            slots.setdefault((parts.stem, parts.number), []).append(name)
    tapping = {
        _parts(names_here[0]).device
        for names_here in slots.values()
        if slot_kind(names_here[0]) is SlotKind.CONTACTLESS
    }
    return tuple(_physical(names_here, slots, tapping) for names_here in slots.values())


def _physical(names_here: list[str], slots: Mapping[tuple[str, str], object], tapping: set[str]) -> PhysicalReader:
    parts = _parts(names_here[0])
    twins = sum(stem == parts.stem for stem, _ in slots)
    kind = slot_kind(names_here[0])
    return PhysicalReader(
        names=tuple(names_here),
        pattern=_pattern(parts, by_number=twins > 1),
        kind=kind,
        by_number=twins > 1,
        spare=kind is not SlotKind.CONTACTLESS and parts.device in tapping,
    )


def _pattern(parts: _Parts, *, by_number: bool) -> str:
    stem = re.escape(parts.stem).replace("\\ ", " ")
    if not parts.number:
        return f"^{stem}$"
    return f"^{stem} {parts.number if by_number else _TWO_DIGITS} {_TWO_DIGITS}$"


def _parts(name: str) -> _Parts:
    match = _NAME.fullmatch(name)
    if match is None:
        return _Parts(name, name, "")
    stem = name[: match.start("number") - 1]
    return _Parts(stem, f"{match['model']} ({match['serial'] or ''})", match["number"])
