"""Who is in front of the kiosk: raw UIDs, their refusal, their spelling, and what a scanned code is.

A reader tells only the *class* of a card (technology and UID length): an EasyCard and an iPASS look alike to it.
The *kind* comes from the membership's record. The UID is kept raw, in on-air order; each library configures how its
system spells it (reference: ISO/IEC 14443-3 for 08 and 88 first bytes; PC/SC part 3 for GET DATA and ATR).
"Try every rule" never happens at run time: reversing one card's UID gives another card's valid UID.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from kiosk.domain.values import Reason, Refused


class CardKind(StrEnum):
    """Kinds of card that a membership's record may name; at most one active card of each kind (A1)."""

    EASYCARD = "easycard"
    IPASS = "ipass"
    CHIP = "chip"
    BARCODE = "barcode"
    MOBILE = "mobile"


class Technology(StrEnum):
    """What the reader can tell of a card."""

    ISO14443A = "iso14443a"
    ISO14443B = "iso14443b"
    ISO15693 = "iso15693"
    FELICA = "felica"
    CONTACT = "contact"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CardClass:
    """What two cards that look alike to a reader have in common; spelling rules are chosen by it."""

    technology: Technology
    """How the card speaks."""
    uid_length: int
    """Bytes in the UID."""

    def __str__(self) -> str:
        return f"{self.technology}/{self.uid_length}"


@dataclass(frozen=True, slots=True)
class CardRead:
    """One card as the reader saw it. `repr` hides the UID, so that a log or a traceback never tells it."""

    uid: bytes = field(repr=False)
    """Raw UID in on-air order: 4, 7, 8 or 10 bytes. Of a contact card: the bytes of its number as the chip holds them."""
    technology: Technology
    """From the ATR (PC/SC part 3, storage-card RID and SS byte)."""

    @property
    def card_class(self) -> CardClass:
        return CardClass(self.technology, len(self.uid))


UID_LENGTHS = frozenset({4, 7, 8, 10})
"""Bytes of a contactless card's UID (ISO/IEC 14443-3, 15693-3, FeliCa)."""
LONGEST_CONTACT = 32
"""Bytes of the longest number that is read from a contact card."""
_BLANK = frozenset({0x00, 0x20, 0xFF})
"""What fills a number that was never written."""
_TEST_UIDS = {bytes.fromhex(text) for text in ("01020304", "DEADBEEF", "CAFEBABE", "00010203")}


def unfit(card: CardRead) -> Refused | None:
    """Why this UID can never be an identity (A3), or None. Such a UID is not looked up and not logged."""
    uid = card.uid
    if card.technology is Technology.CONTACT:
        return _unfit_contact(uid)
    if len(uid) not in UID_LENGTHS:
        return Refused(Reason.CARD_UNREADABLE)
    if card.technology is Technology.ISO14443B:
        return Refused(Reason.CARD_TYPE_B)
    if (len(set(uid)) == 1 and uid[0] in (0x00, 0xFF)) or uid in _TEST_UIDS:
        return Refused(Reason.CARD_TEST_NUMBER)
    if card.technology is not Technology.FELICA and len(uid) == 4:
        if uid[0] == 0x08:
            return Refused(Reason.CARD_RANDOM)
        if uid[0] == 0x88:
            return Refused(Reason.CARD_INCOMPLETE)
    return None


def _unfit_contact(number: bytes) -> Refused | None:
    """The library wrote it: any number is one, but for a blank one. First bytes mean nothing here."""
    if not 0 < len(number) <= LONGEST_CONTACT:
        return Refused(Reason.CARD_UNREADABLE)
    return Refused(Reason.CARD_TEST_NUMBER) if len(set(number)) == 1 and number[0] in _BLANK else None


class Base(StrEnum):
    """How a number is written."""

    HEX_UPPER = "HEX"
    HEX_LOWER = "hex"
    DECIMAL = "dec"
    BCD = "bcd"
    """Two digits a byte, filled up with F at the end (contact cards)."""
    TEXT = "text"
    """ASCII characters, filled up with spaces, 00 or FF at the ends (contact cards)."""


class ByteOrder(StrEnum):
    """Which end comes first."""

    ON_AIR = "on_air"
    REVERSED = "reversed"


class Take(StrEnum):
    """Which bytes an old system keeps of a longer UID."""

    ALL = "all"
    FIRST4 = "first4"
    LAST4 = "last4"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpellingRule:
    """How one library's system writes the UIDs of one class of card (reference/devices.md A4)."""

    base: Base = Base.HEX_UPPER
    """Base and letter case."""
    order: ByteOrder = ByteOrder.ON_AIR
    """Byte order, applied after `take`."""
    take: Take = Take.ALL
    """Bytes used, counted in on-air order."""
    pad_to: int = 0
    """Left-fill with zeros to this many characters; 0 leaves the number as it is."""
    prefix: str = ""
    """Written before the number."""
    suffix: str = ""
    """Written after the number."""

    def spell(self, uid: bytes) -> str:
        """The number as the library system stores it, from a raw UID in on-air order."""
        match self.take:
            case Take.ALL:
                part = uid
            case Take.FIRST4:
                part = uid[:4]
            case Take.LAST4:
                part = uid[-4:]
            case _ as never:
                assert_never(never)
        if self.order is ByteOrder.REVERSED:
            part = part[::-1]
        match self.base:
            case Base.HEX_UPPER:
                number = part.hex().upper()
            case Base.HEX_LOWER:
                number = part.hex()
            case Base.DECIMAL:
                number = str(int.from_bytes(part, "big"))
            case Base.BCD:
                number = part.hex().upper().rstrip("F")
            case Base.TEXT:  # a byte that is no character becomes one that no number has
                text = part.strip(bytes(_BLANK)).decode("ascii", "replace")
                number = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
            case _ as never_base:
                assert_never(never_base)
        return f"{self.prefix}{number.rjust(self.pad_to, '0')}{self.suffix}"


def rules_that_make(number: str, uid: bytes, technology: Technology = Technology.ISO14443A) -> tuple[SpellingRule, ...]:
    """Every plain rule (no prefix or suffix) that spells this UID as `number`: for enrolment, never for look-up.

    Any two of them spell some other card of the class differently: see `kiosk.domain.spelling_doubt`.
    """
    if technology is Technology.CONTACT:
        # BCD before HEX for digits: both spell this card alike, but only BCD the next one, whose last half byte is empty.
        bases = (Base.TEXT, Base.BCD if number.isdigit() else Base.HEX_UPPER, Base.HEX_UPPER, Base.DECIMAL)
        fitting = [rule for rule in (SpellingRule(base=base) for base in bases) if rule.spell(uid) == number]
        return tuple(fitting[:1])
    takes = (Take.ALL,) if len(uid) == 4 else tuple(Take)
    fitting = []
    for base in (Base.HEX_UPPER, Base.HEX_LOWER, Base.DECIMAL):
        for order in ByteOrder:
            for take in takes:
                for pad_to in _widths(number, base, len(uid) if take is Take.ALL else 4):
                    rule = SpellingRule(base=base, order=order, take=take, pad_to=pad_to)
                    if rule.spell(uid) == number:
                        fitting.append(rule)
    return tuple(fitting)


def _widths(number: str, base: Base, size: int) -> tuple[int, ...]:
    """What a number may have been filled up to, 0 for nothing: its system's longest number, or what its zeros show.

    Hexadecimal digits are always as many as the bytes need. A decimal number of full width tells nothing: both fit it.
    """
    if base is Base.DECIMAL:
        open_or_filled = (number.startswith("0") and number != "0") or len(number) >= len(str(256**size - 1))
    else:
        open_or_filled = len(number) > 2 * size
    return (0, len(number)) if open_or_filled else (0,)


class CodeType(StrEnum):
    """What a scanned code is for."""

    PATRON = "patron"
    ITEM = "item"
    VOUCHER = "voucher"
    """For a prize (F4)."""
    EVENT = "event"
    """Of an activity that gives points (F5)."""
    VIRTUAL_CARD = "virtual_card"
    """A virtual inter-library card (E4)."""
    ISBN = "isbn"
    INVOICE_CARRIER = "invoice_carrier"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePattern:
    """One shape of code that this library uses."""

    type: CodeType
    """PATRON, ITEM, VOUCHER, EVENT or VIRTUAL_CARD; the others are known without a pattern."""
    pattern: re.Pattern[str]
    """Must match the whole text."""
    symbologies: frozenset[str] = frozenset()
    """Of `SYMBOLOGIES`; empty means any, as a plain scanner tells none."""


@dataclass(frozen=True, slots=True)
class TypedCode:
    """A code with its type."""

    type: CodeType
    """What it is for."""
    text: str = field(repr=False)
    """The characters, trimmed."""


ADD_ONS = frozenset({"ean2", "ean5"})
"""The small code beside a book number, scanned alone: a price or an issue."""
SYMBOLOGIES = (
    frozenset({"code39", "code128", "codabar", "ean13", "ean8", "itf", "qr", "datamatrix", "pdf417"}) | ADD_ONS
)
"""What scanners and cameras call the kinds of code that they tell apart."""

MAX_CODE_LENGTH = 128
"""No library barcode is longer; a longer text is noise or an attack."""

_MOBILE_CARRIER = re.compile(r"/[0-9A-Z.+-]{7}")
_CERTIFICATE_CARRIER = re.compile(r"[A-Z]{2}[0-9]{14}")


def type_code(text: str, symbology: str | None, patterns: Sequence[CodePattern]) -> TypedCode:
    """Types a scanned text by the library's patterns, first match wins; ISBN and carriers are known without patterns.

    A valid EAN-13 that starts with 977, 978 or 979 (with or without its 2- or 5-digit add-on, which some scanners set
    off by a space) is never an item, nor is an add-on alone.
    """
    text = text.strip()
    if symbology in ADD_ONS or is_book_number(text.replace(" ", "")):
        return TypedCode(CodeType.ISBN, text)
    for pattern in patterns:
        if pattern.pattern.fullmatch(text) and (
            symbology is None or not pattern.symbologies or symbology in pattern.symbologies
        ):
            return TypedCode(pattern.type, text)
    if _MOBILE_CARRIER.fullmatch(text) or _CERTIFICATE_CARRIER.fullmatch(text):
        return TypedCode(CodeType.INVOICE_CARRIER, text)
    return TypedCode(CodeType.UNKNOWN, text)


def is_book_number(text: str) -> bool:
    """True for an ISBN or ISSN in EAN-13, alone or with its add-on (13, 15 or 18 digits, check digit right)."""
    if len(text) not in (13, 15, 18) or not (text.isascii() and text.isdigit()):
        return False
    if text[:3] not in ("977", "978", "979"):
        return False
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text[:13]))
    return total % 10 == 0


def mask_name(name: str) -> str:
    """王小明 → 王○明, 王明 → 王○, 歐陽小明 → 歐○○明; a Latin name keeps the first letter of each part."""
    name = " ".join(name.split())
    if not name:
        return ""
    if name.isascii():
        return " ".join(f"{part[0]}***" for part in name.split(" "))
    if len(name) <= 2:
        return f"{name[0]}○"
    return f"{name[0]}{'○' * (len(name) - 2)}{name[-1]}"
