"""Scanners that pretend to be a keyboard: which keys were a scan and which were typed; pure, times are passed in.

A scanner types a key every few milliseconds and ends with Enter or Tab; no person keeps that up. So every key is held
back until the pause after it tells what it was: part of a burst, or typed, and then it goes where it was meant to go
(at most the key gap later). A burst without its end, or too short for a code, is told as such or given back as typed.

Why
Enter is held like any key: what comes after it without a pause is another line of the same label (see `drivers.frames`).
After a burst that was cut off its rest comes within a second and is no typing. How slowly a scanner types differs by its
settings and its radio, so the gap is a setting; `SlowKeys` notices where it is too small.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from drivers.frames import Frames, Scanned
from kiosk.domain.identity import MAX_CODE_LENGTH
from kiosk.domain.values import Reason

GAP_S = 0.035
"""No longer pause is inside a burst, where the settings say nothing else (reference/devices.md B3)."""
LEAST_KEYS = 4
"""Shorter bursts are typing: two keys may fall together under one hand."""
REST_S = 1.0
"""So long after a burst that was cut off its rest may come."""
SLOWEST_S = 0.25
"""No scanner types more slowly; a person who looks for each key does."""
_END = "\r"


@dataclass(frozen=True, slots=True)
class Typed:
    """These many held keys were typed by a person: let them through in order."""

    count: int
    """All that were held."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A scanner typed: the held keys belong to nobody's text field."""

    heard: Sequence[Scanned | Reason] = field(repr=False)
    """The code, or what was wrong with it; empty for the rest of what was told before."""


class Wedge:
    """Sorts the keys of one keyboard."""

    def __init__(self, gap_s: float = GAP_S) -> None:
        self._gap_s = gap_s
        self._held: list[str] = []
        self._last_s = 0.0
        self._torn_s: float | None = None
        """When a burst was cut off."""

    @property
    def holding(self) -> bool:
        """Keys are held back; call `quiet` when the gap has passed without another."""
        return bool(self._held)

    def press(self, char: str, now_s: float) -> Typed | Burst | None:
        """A key that writes a character is held; gives back what the keys before it were, if a pause lay between."""
        before = self.quiet(now_s)
        self._held.append(char)
        self._last_s = now_s
        return before

    def end(self, now_s: float) -> Typed | Burst | None:
        """Enter or Tab: held like a key where a burst may be under way, else not (`holding` tells)."""
        before = self.quiet(now_s)
        if self._held:
            self._held.append(_END)
            self._last_s = now_s
        elif self._is_rest(now_s):
            self._torn_s = None
            return before or Burst(())
        return before

    def quiet(self, now_s: float) -> Typed | Burst | None:
        """What the held keys were, once the pause is long enough; None before."""
        if not self._held or now_s - self._last_s < self._gap_s:
            return None
        keys, self._held = self._held, []
        written, whole = len(keys) - keys.count(_END), keys[-1] == _END
        if whole and self._is_rest(self._last_s):
            self._torn_s = None
            return Burst(())
        if written < LEAST_KEYS:
            return Typed(len(keys))
        self._torn_s = None if whole else self._last_s
        if not whole:
            return Burst((Reason.CODE_UNREADABLE,))
        frames = Frames()
        heard = frames.feed("".join(keys[: 2 * MAX_CODE_LENGTH]).encode("utf-8", "replace") + b"\r")
        return Burst([*heard, *frames.pause()])

    def _is_rest(self, now_s: float) -> bool:
        return self._torn_s is not None and now_s - self._torn_s < REST_S


class SlowKeys:
    """Lines that look like a code and were typed too slowly for one of a keyboard's scans."""

    def __init__(self, gap_s: float = GAP_S) -> None:
        self._gap_s = gap_s
        self._line = ""
        self._last_s = 0.0
        self._slowest_s = 0.0

    def press(self, char: str, now_s: float) -> None:
        """A key that writes a character."""
        pause_s = now_s - self._last_s
        if self._line and pause_s <= SLOWEST_S:
            self._slowest_s = max(self._slowest_s, pause_s)
        else:
            self._line, self._slowest_s = "", 0.0
        self._line = (self._line + char)[-2 * MAX_CODE_LENGTH :]
        self._last_s = now_s

    def end(self, now_s: float) -> float | None:
        """Enter or Tab: the longest pause between two keys, if the line looks like a code and no burst was one."""
        line, slowest_s = self._line, max(self._slowest_s, now_s - self._last_s)
        self._line = ""
        shaped = LEAST_KEYS <= len(line) <= MAX_CODE_LENGTH and line.isascii() and " " not in line
        slow = self._gap_s <= slowest_s <= SLOWEST_S
        return slowest_s if shaped and slow and any(char.isdigit() for char in line) else None


def advice(slowest_s: float) -> str:
    """For staff and the log: what to set for a scanner whose keys come so far apart."""
    wanted_ms = -(-int(slowest_s * 1500) // 10) * 10
    return f"its keys come up to {slowest_s * 1000:.0f} ms apart: set key_gap_ms = {wanted_ms}, or the scanner to type faster"
