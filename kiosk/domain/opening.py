"""Opening hours of a week as people write them: `08:30-21:00`, `08:30-12:00, 13:30-17:00`, `closed` (D6). Pure.

Called by central's commands and set-up; promises that what it reads it spells again in one way.
"""

import re
from dataclasses import dataclass
from datetime import time

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As settings and commands name them; 0 = Monday, as everywhere."""
CLOSED = "closed"
EXPECTED = "hours like 08:30-21:00, several parts with a comma between them, or closed"
_PART = re.compile(r"(\d{1,2}):(\d{2})\s*[-–~～]\s*(\d{1,2}):(\d{2})")
_MIDNIGHT = 24 * 60


class BadHours(ValueError):
    """Not opening hours; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a day without a break, in minutes after midnight."""

    opens: int
    """First minute."""
    closes: int
    """The minute after the last one; 1440 is midnight."""

    def __str__(self) -> str:
        return f"{_spelled(self.opens)}-{_spelled(self.closes)}"


def parse_hours(text: str) -> tuple[Part, ...]:
    """Parts in their order; none for a closed day. Raises BadHours."""
    if text.strip().lower() in (CLOSED, "休館"):
        return ()
    parts: list[Part] = []
    for piece in re.split(r"[,，、]", text):
        match = _PART.fullmatch(piece.strip())
        if match is None:
            raise BadHours(f"expected {EXPECTED}; got {text!r}")
        opens, closes = (_minutes(*match.group(at, at + 1)) for at in (1, 3))
        if opens is None or closes is None or opens >= closes or (parts and parts[-1].closes > opens):
            raise BadHours(f"expected {EXPECTED}, each part later than the one before; got {text!r}")
        parts.append(Part(opens, closes))
    return tuple(parts)


def spell_hours(parts: tuple[Part, ...]) -> str:
    """The one way in which these hours are written."""
    return ", ".join(map(str, parts)) or CLOSED


def _minutes(hours: str, minutes: str) -> int | None:
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= _MIDNIGHT else None


def _spelled(minutes: int) -> str:
    if minutes == _MIDNIGHT:
        return "24:00"
    return time(minutes // 60, minutes % 60).strftime("%H:%M")
