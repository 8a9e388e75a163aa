"""Pictures of bars that tests lay where they want them; drawn from the layout alone, a sensor's pixel sees its whole area."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.barcode_patterns import START_B, WIDE, Layout, code128_check, code128_layout, layout

Grey = NDArray[np.uint8]
_FINE = 12
_SCALE = 4


def laid(symbology: str, text: str) -> Layout:
    """Code 128 without pairs."""
    if symbology == "code128":
        return code128_layout(letters(text))
    made = layout(symbology, text)
    assert made is not None
    return made


def letters(text: str) -> tuple[int, ...]:
    """Code 128 in set B, with its check symbol."""
    values = (START_B, *(ord(letter) - 32 for letter in text))
    return (*values, code128_check(values))


def printed(
    made: Layout,
    module_px: float,
    size: tuple[int, int] = (900, 300),
    *,
    turn: float = 0.0,
    middle: tuple[float, float] | None = None,
    quiet: int = 11,
    high_px: float = 60.0,
    light_bars: bool = False,
    noise: float = 2.0,
) -> tuple[Grey, NDArray[np.float64]]:
    """A frame (width, height) with a label on a grey desk, and the corners of its bars in reading order."""
    widths = [round((2.5 if width == WIDE else width) * _FINE) for width in made.widths()]
    bars = np.repeat([index % 2 for index in range(len(widths))], widths)
    label = np.pad(bars.astype(np.float32), quiet * _FINE, constant_values=1.0)[None, :].repeat(16, axis=0)
    angle, scale = math.radians(turn), module_px / _FINE
    across = np.array((math.cos(angle), math.sin(angle)))
    along = np.array((-math.sin(angle), math.cos(angle)))
    centre = np.array(middle or (size[0] / 2, size[1] / 2))

    def corners(wide: float, high: float) -> NDArray[np.float64]:
        return np.array(
            [centre + x * wide / 2 * across + y * high / 2 * along for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        )

    there = (corners(label.shape[1] * scale, high_px) * _SCALE).astype(np.float32)
    here = np.array([(0, 0), (label.shape[1], 0), (label.shape[1], 16), (0, 16)], dtype=np.float32)
    how = cv2.getPerspectiveTransform(here, there)
    fine = (size[0] * _SCALE, size[1] * _SCALE)
    ink = 215 - 185 * label if light_bars else 30 + 185 * label
    laid_on = cv2.warpPerspective(ink, how, fine, borderMode=cv2.BORDER_CONSTANT, borderValue=120.0)
    scene = cv2.GaussianBlur(cv2.resize(laid_on, size, interpolation=cv2.INTER_AREA), (0, 0), 0.4)
    grain = np.random.default_rng(1).standard_normal(scene.shape) * noise
    return (scene + grain).clip(0, 255).astype(np.uint8), corners(len(bars) * scale, high_px)


def bars_px(made: Layout, module_px: float) -> float:
    """How wide the bars are, first to last."""
    return sum(module_px * (2.5 if width == WIDE else width) for width in made.widths())
