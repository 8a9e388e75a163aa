"""When a scanner in manual-trigger mode is pulled and let go: a page wants codes or does not; pure, bytes out.

Such a scanner shines from the pull until it has read a code or its own time is up, and then it is dark: so it is pulled
anew a moment after each code, and now and then while nothing comes. How long its own time is, no command tells; those
that are known take five seconds or more (drivers.scanner_profiles names the manuals), and a pull while it shines changes
nothing. The moment after a code lets the book be taken away.
"""

AGAIN_S = 4.0
"""Between two pulls while nothing is read."""
REST_S = 0.3
"""From a code to the next pull."""


class Trigger:
    """One scanner's trigger; `on` empty: it has none, and nothing is ever due. Times are monotonic."""

    def __init__(self, on: bytes = b"", off: bytes = b"", again_s: float = AGAIN_S) -> None:
        self._on = on
        self._off = off
        self._again_s = again_s
        self._due: float | None = None
        """The next pull; None while it is let go."""

    def say(self, *, wanted: bool, now_s: float) -> bytes:
        """What to send now."""
        if not self._on:
            return b""
        if not wanted:
            pulled, self._due = self._due is not None, None
            return self._off if pulled else b""
        if self._due is not None and now_s < self._due:
            return b""
        self._due = now_s + self._again_s
        return self._on

    def fell(self, now_s: float) -> None:
        """A code was read: the scanner is dark."""
        if self._due is not None:
            self._due = now_s + REST_S

    def patience_s(self, now_s: float) -> float | None:
        """How long nothing is due as long as nobody changes their mind; None: for ever."""
        return None if self._due is None else max(0.0, self._due - now_s)
