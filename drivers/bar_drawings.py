"""Codes as samples: how a layout of bars looks, `GRID` samples to a module, sharp or blurred; pure but for OpenCV's filter.

`drivers.print_check` lays these over a picture's pixels, on the camera's decoding thread. Promises: what is kept between
codes is bounded by the symbologies, never by what was read.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.barcode_patterns import WIDE, Alphabet, Layout, Slot, Widths

Floats = NDArray[np.float64]
GRID = 4
"""Samples in a module."""
MARGIN = 6 * GRID
"""Samples of paper beside a drawn code."""
SPILL = 6
"""Samples to which a character's blur is followed beyond it."""


class Letters:
    """The members of an alphabet as samples; and, for each blur, what tells them apart."""

    def __init__(self, alphabet: Alphabet, ratio: float) -> None:
        self.rows = np.array([_samples(widths, ratio, alphabet.bar_first) for widths in alphabet.members])
        self._blurred: dict[float, tuple[Floats, Floats]] = {}

    def blurred(self, blur: float) -> tuple[Floats, Floats]:
        """The members under this blur, `SPILL` wider on both sides, and how far every two are apart (squares)."""
        if blur not in self._blurred:
            rows = smooth(np.pad(self.rows, ((0, 0), (SPILL, SPILL))), blur)
            squares = (rows * rows).sum(axis=1)
            self._blurred[blur] = (rows, squares[:, None] + squares[None, :] - 2 * rows @ rows.T)
        return self._blurred[blur]


@cache
def letters(alphabet: Alphabet, ratio: float) -> Letters:
    """One object for each alphabet and ratio of wide to narrow."""
    return Letters(alphabet, ratio)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A code as it would look without blur."""

    bars: Floats
    """1 in a bar, 0 beside and between them, with `MARGIN` on both sides."""
    slots: tuple[tuple[int, Letters, int], ...]
    """For each character: the sample where it begins, what could stand there, and what does."""

    @property
    def inner(self) -> int:
        """Samples from the first bar to the last."""
        return len(self.bars) - 2 * MARGIN

    def parts(self) -> Floats:
        """The samples as shares of the code: 0 where the first bar begins, 1 where the last ends."""
        return np.asarray((np.arange(-MARGIN, self.inner + MARGIN) + 0.5) / self.inner)

    def blurred(self, blur: float) -> Floats:
        """The bars under a blur."""
        return np.asarray(smooth(self.bars[None, :], blur)[0])


def drawing(layout: Layout, ratio: float) -> Drawing:
    """A layout whose wide elements are `ratio` modules wide."""
    pieces: list[Floats] = [np.zeros(MARGIN)]
    slots: list[tuple[int, Letters, int]] = []
    bar, at = True, MARGIN
    for part in layout.parts:
        if isinstance(part, Slot):
            known = letters(part.alphabet, ratio)
            slots.append((at, known, part.pick))
            piece, elements = known.rows[part.pick], len(part.alphabet.members[part.pick])
        else:
            piece, elements = _samples(part, ratio, bar), len(part)
        pieces.append(piece)
        at += len(piece)
        bar ^= elements % 2 == 1
    pieces.append(np.zeros(MARGIN))
    return Drawing(np.concatenate(pieces), tuple(slots))


def smooth(rows: Floats, blur: float) -> Floats:
    """Each row under a blur of so many modules (standard deviation)."""
    return np.asarray(cv2.filter2D(rows, -1, _kernel(blur), borderType=cv2.BORDER_CONSTANT), dtype=np.float64)


@cache
def _kernel(blur: float) -> Floats:
    reach = int(np.ceil(3 * blur * GRID))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (blur * GRID)) ** 2)
    return np.asarray(kernel / kernel.sum())[None, :]


def _samples(widths: Widths, ratio: float, bar_first: bool) -> Floats:
    counts = [round(GRID * (ratio if width == WIDE else width)) for width in widths]
    return np.repeat([float((place % 2 == 0) == bar_first) for place in range(len(widths))], counts)
