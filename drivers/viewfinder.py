"""The newest small picture of a camera, on its way to the screen. Any thread; nobody ever waits for the other side."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture."""

    width: int
    """In pixels."""
    height: int
    """In pixels."""
    bgr: bytes = field(repr=False)
    """Three bytes a pixel, blue first, row after row without a gap."""


class Viewfinder:
    """Holds one picture: a newer one replaces it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: Picture | None = None

    def put(self, picture: Picture | None) -> None:
        """Replace what is seen; None when the camera is off or lost."""
        with self._lock:
            self._newest = picture

    def newest(self) -> Picture | None:
        """What is seen now."""
        with self._lock:
            return self._newest
