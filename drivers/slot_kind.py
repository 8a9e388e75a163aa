"""What a slot of a reader takes, as its PC/SC name tells; used by the card driver, `devices suggest` and tapes. Pure.

pcsc-lite names a slot `Maker Product [Interface] (Serial) 00 00`. The interface is this slot; the product is the whole
reader and may name all of its slots ("uTrust 4711 F CL + SAM Reader"). So the brackets are asked first, and there the
last word counts ("ACR1552 1S CL Reader SAM" is the SAM's). A product that names several kinds tells none.

The names are those in the list of readers of the CCID driver, whose words also run together: `SAM1`, `SAMX_Reader`,
`5422CL`, `Contactless_10500231`.
"""

import re
from enum import StrEnum


class SlotKind(StrEnum):
    """What a slot of a reader takes."""

    CONTACTLESS = "contactless"
    CONTACT = "contact"
    SAM = "sam"
    """Holds a module of the reader's owner; never a patron's card."""


_WORD = re.compile(r"[A-Za-z0-9]+")
_INTERFACE = re.compile(r"\[([^\]]*)\]")
_SERIAL = re.compile(r"\([^)]*\)")
_KINDS = (
    (re.compile(r"SAM[0-9X]?"), SlotKind.SAM),
    (re.compile(r"PICC|[0-9]*CL|CLESS|NFC[0-9]?|contactless", re.IGNORECASE), SlotKind.CONTACTLESS),
    (re.compile(r"ICC|contact(ed)?", re.IGNORECASE), SlotKind.CONTACT),
)


def slot_kind(name: str) -> SlotKind | None:
    """What a PC/SC reader name says of its slot, or None where it says nothing."""
    interface = [kind for text in _INTERFACE.findall(name) for kind in _kinds_in(text)]
    if interface:
        return interface[-1]
    product = set(_kinds_in(_SERIAL.sub(" ", _INTERFACE.sub(" ", name))))
    return product.pop() if len(product) == 1 else None


def _kinds_in(text: str) -> list[SlotKind]:
    return [kind for word in _WORD.findall(text) for pattern, kind in _KINDS if pattern.fullmatch(word)]
