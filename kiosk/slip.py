"""What a slip says, not how it is printed (B5): blocks from top to bottom, made from loans and words.

Drivers turn a `Slip` into ESC/POS bytes, the screen into a picture or a QR. Names are masked before they come here.
"""

from dataclasses import dataclass
from enum import StrEnum

from kiosk.words import Language


class SlipKind(StrEnum):
    """Which document it is."""

    LOAN = "loan"
    RETURN = "return"
    ACCOUNT = "account"
    TEST = "test"


class Weight(StrEnum):
    """How loud a line is."""

    TITLE = "title"
    """Twice as large, centred."""
    STRONG = "strong"
    """Bold."""
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, wrapped by display cells where it is too long."""

    text: str
    """What it says."""
    weight: Weight = Weight.PLAIN
    """How loud."""
    centred: bool = False
    """In the middle of the paper."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A label at the left and its value at the right."""

    label: str
    """For example 應還日期."""
    value: str
    """For example 2026-12-21."""
    weight: Weight = Weight.PLAIN
    """How loud."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """A Code 128 barcode with its text below."""

    data: str
    """ASCII only."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code, centred."""

    data: str
    """Any text."""


Block = Line | Pair | Rule | Barcode | QrCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One document."""

    kind: SlipKind
    """Which."""
    language: Language
    """Of its sentences."""
    blocks: tuple[Block, ...]
    """Top to bottom."""

    def plain_text(self) -> str:
        """The slip as lines of text: for the QR on the screen and for tests."""
        lines = []
        for block in self.blocks:
            match block:
                case Line(text=text):
                    lines.append(text)
                case Pair(label=label, value=value):
                    lines.append(f"{label} {value}")
                case Rule():
                    lines.append("-" * 8)
                case Barcode(data=data) | QrCode(data=data):
                    lines.append(data)
        return "\n".join(lines)
