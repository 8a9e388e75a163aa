"""The same code again from a scanner that reads on by itself: told once as long as it stays in sight; pure.

Presentation scanners send a code several times a second while a book lies before them. The window counts from the last
time that the code was seen, so a book that is left lying is one scan; a patron who scans a book again takes longer.
Meant for such scanners only: a scanner with a trigger sends what a person wanted to send.
"""


class Repeats:
    """Remembers one scanner's last code. `window_s` 0 lets everything through."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._last: tuple[str, float] | None = None

    def again(self, text: str, now_s: float) -> bool:
        """This code is the last one, still in sight; `now_s` is monotonic."""
        last, self._last = self._last, (text, now_s)
        return last is not None and last[0] == text and now_s - last[1] < self._window_s
