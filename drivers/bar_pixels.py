"""A line laid across a code's bars, and the pixels along it; pure but for OpenCV.

`drivers.print_check` compares them with the bars that a text would have, on the camera's decoding thread. Promises: the
line crosses the bars squarely, whatever way the decoder crossed them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.bar_drawings import GRID, MARGIN, Drawing, Floats

Grey = NDArray[np.uint8]
"""Rows of grey pixels."""
_OUTSIDE = MARGIN + 4 * GRID
"""Samples beside the code that are looked at."""
_SHIFTS = np.array((-1.5, -0.75, 0.0, 0.75, 1.5)) * GRID
"""By so much the ends that a decoder names are tried to be off."""
_SLANTS = np.linspace(-0.45, 0.45, 46)
_SURE = 0.85
"""So alike they are only where they lie right."""
_FIRST_BLUR = 0.5
_ROWS = 13
_TALLEST = 12.0
_LEAST_REACH = 3.0
_LOW = 8.0
"""Rows; from so many on the corners tell how the bars slant, else the grey levels do."""
_SHORTEST = 20.0
_LEAST_CROSSING = 0.4
"""Cosine between the decoder's row and the bars' normal: flatter crossings are no reading."""
_ALIKE = 0.12
"""Rows that are so much less alike than the best one are left out."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the bars."""

    start: Floats
    """Pixel where the first bar begins."""
    stop: Floats
    """Pixel where the last bar ends."""
    along_start: Floats
    """Along the first bar, one pixel across the line."""
    along_stop: Floats
    """Along the last bar."""
    reach: float
    """So far along the bars they are known to go, in pixels."""
    low: bool
    """The decoder saw so few rows that no other line is to be had."""


def line_across(picture: Grey, corners: Floats, height: float) -> Line | None:
    """The line across the bars at a share of the seen height; None where the place makes no sense."""
    top_left, top_right, bottom_right, bottom_left = corners
    start = top_left + (bottom_left - top_left) * height
    stop = top_right + (bottom_right - top_right) * height
    length = float(np.hypot(*(stop - start)))
    if length < _SHORTEST:
        return None
    tall = float(min(np.hypot(*(bottom_left - top_left)), np.hypot(*(bottom_right - top_right))))
    along = (stop - start) / length
    if tall >= _LOW:
        bars = [(bottom_left - top_left) / tall, (bottom_right - top_right) / tall]
    else:
        middle = (start + stop) / 2
        bars = [_bars_between(picture, start, middle, along), _bars_between(picture, middle, stop, along)]
    normals = [np.array((bar[1], -bar[0])) / max(float(np.hypot(*bar)), 1e-6) for bar in bars]
    normals = [normal if normal @ along > 0 else -normal for normal in normals]
    across = normals[0] + normals[1]
    across /= float(np.hypot(*across))
    if float(across @ along) < _LEAST_CROSSING:
        return None
    middle = (start + stop) / 2
    ends = []
    for at, normal in zip((start, stop), normals, strict=True):
        ends.append(middle + across * float((at - middle) @ normal) / float(across @ normal))
    upright = np.array((-across[1], across[0]))
    slants = []
    for normal in normals:
        bar = np.array((-normal[1], normal[0]))
        slants.append(bar / float(bar @ upright))
    return Line(ends[0], ends[1], slants[0], slants[1], min(max(tall * 0.4, _LEAST_REACH), _TALLEST), tall < _LOW)


def _bars_between(picture: Grey, start: Floats, stop: Floats, along: Floats) -> Floats:
    """The direction of the bars around this piece of a line, from the grey levels' slopes."""
    length = float(np.hypot(*(stop - start)))
    upright = np.array((-along[1], along[0]))
    wide, high = max(8, round(length)), 11
    corner = start - upright * (high // 2)
    turn = np.array(((along[0], upright[0], corner[0]), (along[1], upright[1], corner[1])), dtype=np.float64)
    patch = cv2.warpAffine(
        picture, turn, (wide, high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    smooth = cv2.GaussianBlur(patch.astype(np.float32), (0, 0), 0.8)
    slope_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[1:-1].astype(np.float64)
    slope_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[1:-1].astype(np.float64)
    turned = 0.5 * float(
        np.arctan2(2 * (slope_x * slope_y).sum(), (slope_x * slope_x).sum() - (slope_y * slope_y).sum())
    )
    return np.asarray(upright * np.cos(turned) - along * np.sin(turned))


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a drawing lies among the pixels, in samples."""

    first: float
    """Where the first bar begins."""
    last: float
    """Where the last bar ends."""
    slant: float
    """By how much modules are narrower at the end than at the beginning, as a logarithm: the label is seen from the side."""

    def at(self, part: Floats) -> Floats:
        """Places of shares of the code."""
        return np.asarray(self.first + (self.last - self.first) * _foreshortened(part, self.slant))

    def moved(self, moves: Floats, inner: int) -> "Pose":
        """After a step by a constant, a slope and a curve over -1 to 1, in samples of a drawing of `inner`."""
        constant, slope, curve = np.clip(moves, -4, 4) / inner
        length = self.last - self.first
        return Pose(
            self.first + (constant - slope + curve) * length,
            self.last + (constant + slope + curve) * length,
            self.slant + 4 * curve,
        )


def _foreshortened(part: Floats, slant: "float | Floats") -> Floats:
    return np.asarray(part / (part + np.exp(slant) * (1 - part)))


class Pixels:
    """Rows of pixels across the bars, side by side; `samples` from the first bar to the last, as the decoder saw them."""

    def __init__(self, picture: Grey, line: Line, samples: int) -> None:
        self._line = line
        self._samples = samples
        self._frame = picture.shape
        part = (np.arange(-_OUTSIDE, samples + _OUTSIDE) + 0.5) / samples
        off = np.linspace(-line.reach, line.reach, _ROWS)[:, None]
        x, y = (
            line.start[axis]
            + part * (line.stop[axis] - line.start[axis])
            + off * (line.along_start[axis] * (1 - part) + line.along_stop[axis] * part)
            for axis in (0, 1)
        )
        seen = cv2.remap(
            picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        self._rows = seen.astype(np.float64)
        self._where = np.arange(self._rows.shape[1]) - _OUTSIDE + 0.5
        self.mean = self._rows.mean(axis=0)

    def read(self, row: Floats, where: Floats) -> Floats:
        """Grey levels of a row at places that count in samples from the first bar."""
        return np.interp(where, self._where, row)

    def placed(self, drawing: Drawing) -> tuple[Pose, float]:
        """Where it lies best, roughly, and how alike it and the pixels then are."""
        return max(self.places(drawing), key=lambda each: each[1])

    def places(self, drawing: Drawing) -> tuple[tuple[Pose, float], ...]:
        """The same seen from the front, and where that is not sure, from the side too."""
        front = self._shifted(drawing, 0.0)
        if front[1] >= _SURE:
            return (front,)
        ends = np.zeros(len(_SLANTS)), np.full(len(_SLANTS), float(self._samples))
        slants = self._alike(drawing, *ends, _SLANTS)
        return front, self._shifted(drawing, float(_SLANTS[int(np.argmax(slants))]))

    def _shifted(self, drawing: Drawing, slant: float) -> tuple[Pose, float]:
        first, last = (ends.ravel() for ends in np.meshgrid(_SHIFTS, self._samples + _SHIFTS))
        alike = self._alike(drawing, first, last, np.full(len(first), slant))
        best = int(np.argmax(alike))
        return Pose(float(first[best]), float(last[best]), slant), float(alike[best])

    def alike(self, drawing: Drawing, pose: Pose) -> float:
        """How alike the drawing and the pixels are, dark for dark: 1 at best."""
        ends = np.array([pose.first]), np.array([pose.last]), np.array([pose.slant])
        return float(self._alike(drawing, *ends)[0])

    def _alike(self, drawing: Drawing, first: Floats, last: Floats, slant: Floats) -> Floats:
        bars = drawing.blurred(_FIRST_BLUR)[::2]
        part = _foreshortened(drawing.parts()[::2], slant[:, None])
        seen = self.read(self.mean, first[:, None] + (last - first)[:, None] * part)
        return _correlations(seen, -bars)

    def best_rows(self, where: Floats, expected: Floats, near: slice) -> Floats:
        """The mean of those rows that look like what is expected: others lie in a glare, or beside the code."""
        alike = _correlations(np.stack([self.read(row, where)[near] for row in self._rows]), expected[near])
        return np.asarray(self._rows[alike >= alike.max() - _ALIKE].mean(axis=0))

    def inside(self, pose: Pose, quiet: float) -> bool:
        """So many samples beside the code still lie in the picture."""
        way = self._line.stop - self._line.start
        ends = [self._line.start + way * (end / self._samples) for end in (pose.first - quiet, pose.last + quiet)]
        height, width = self._frame
        return all(0 <= x <= width - 1 and 0 <= y <= height - 1 for x, y in ends)


def _correlations(rows: Floats, wanted: Floats) -> Floats:
    rows = rows - rows.mean(axis=1, keepdims=True)
    wanted = wanted - wanted.mean()
    return np.asarray(rows @ wanted / (np.linalg.norm(rows, axis=1) * np.linalg.norm(wanted) + 1e-9))
