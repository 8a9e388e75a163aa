"""Which codes of a camera's frames count, and which frames deserve a long look; pure but for OpenCV's small picture.

`drivers.camera` asks on its decoding thread. Promises: a code that lies still counts once; one frame alone is never enough.
"""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.barcodes import Code, Grey


class Agreement:
    """Lets a value through once two of the last three frames hold it and none holds another of its symbology.

    A code that stays in view counts once; after `away` long looks without it, it counts again. A glance that misses it
    says nothing: a code that only the long look reads may still lie there.
    """

    FRAMES = 3
    NEEDED = 2

    def __init__(self, away: int = 4) -> None:
        self._away = away
        self._last: deque[frozenset[Code]] = deque(maxlen=self.FRAMES)
        self._counted: dict[Code, int] = {}

    def look(self, codes: frozenset[Code], *, long: bool = True) -> tuple[Code, ...]:
        """One more frame, after a long look or a glance: the codes that count now."""
        self._last.append(codes)
        for code in list(self._counted):
            self._counted[code] = 0 if code in codes else self._counted[code] + long
            if self._counted[code] >= self._away:
                del self._counted[code]
        agreed = [code for code in sorted(codes, key=lambda code: code.text) if self._agreed(code)]
        new = tuple(code for code in agreed if code not in self._counted)
        self._counted.update(dict.fromkeys(new, 0))
        return new

    def _agreed(self, code: Code) -> bool:
        votes = sum(code in codes for codes in self._last)
        rivals = any(
            other.symbology == code.symbology and other.text != code.text for codes in self._last for other in codes
        )
        return votes >= self.NEEDED and not rivals


class Attention:
    """Whether a frame deserves the long look: while the picture is new, and now and then; not a pad that lies empty.

    The picture is compared as a small one, so that the sensor's noise does not count as news.
    """

    LONG_LOOKS = 4
    EVERY = 30
    AGAIN = 3
    _SMALL = (32, 18)
    _NEWS = 2.0

    def __init__(self) -> None:
        self._known: NDArray[np.float32] | None = None
        self._looks = 0

    def deserves(self, frame: Grey) -> bool:
        """True for the first four frames of a new picture, then for three of thirty (two must agree)."""
        small = cv2.resize(frame, self._SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._known is None or float(np.abs(small - self._known).mean()) > self._NEWS:
            self._known = small
            self._looks = 0
        self._looks += 1
        return self._looks <= self.LONG_LOOKS or self._looks % self.EVERY < self.AGAIN
