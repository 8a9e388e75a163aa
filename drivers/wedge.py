"""Scanners that pretend to be a keyboard: which keys were a scan and which were typed; pure, times are passed in.

A scanner types a key every few milliseconds and ends with Enter or Tab; no person keeps that up. So every key is held
back until the pause after it tells what it was: part of a burst, or typed, and then it goes where it was meant to go
(at most `GAP_S` later). A burst without its end, or too short for a code, is told as such or given back as typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.frames import Frames, Scanned
from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason

GAP_S = 0.035
"""No longer pause is inside a burst (reference/devices.md B3)."""
LEAST_KEYS = 4
"""Shorter bursts are typing: two keys may fall together under one hand."""


@dataclass(frozen=True, slots=True)
class Typed:
    """These many held keys were typed by a person: let them through in order."""

    count: int
    """All that were held."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A scanner typed: the held keys belong to nobody's text field."""

    heard: Sequence[Scanned | Reason] = field(repr=False)
    """The code, or what was wrong with it."""


class Wedge:
    """Sorts the keys of one keyboard."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._last_s = 0.0

    @property
    def holding(self) -> bool:
        """Keys are held back; call `quiet` when `GAP_S` has passed without another."""
        return bool(self._held)

    def press(self, char: str, now_s: float) -> Typed | Burst | None:
        """A key that writes a character is held; gives back what the keys before it were, if a pause lay between."""
        before = self.quiet(now_s)
        self._held.append(char)
        self._last_s = now_s
        return before

    def quiet(self, now_s: float) -> Typed | Burst | None:
        """What the held keys were, once the pause is long enough; None before."""
        if not self._held or now_s - self._last_s < GAP_S:
            return None
        return self._ended(whole=False)

    def end(self, now_s: float) -> Typed | Burst | None:
        """Enter or Tab: ends a burst, if one is under way; `Typed` or None: that key was typed as well."""
        return self.quiet(now_s) or (self._ended(whole=True) if self._held else None)

    def _ended(self, *, whole: bool) -> Typed | Burst:
        keys, self._held = self._held, []
        if len(keys) < LEAST_KEYS:
            return Typed(len(keys))
        if not whole:
            return Burst((Reason.CODE_UNREADABLE,))
        frames = Frames()
        return Burst(frames.feed("".join(keys[: MAX_CODE_LENGTH + 8]).encode("utf-8", "replace") + b"\r"))
