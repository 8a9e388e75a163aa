"""Camera frames of codes as hands, cameras and label printers make them: the numbered scenes of the camera campaign.

`ui/benchmarks/camera_campaign.py` and the tests ask for them. Promises: drawn by `drivers.barcode_patterns` and qrcode, never by
what reads; the same scene for the same seed and number, whatever was drawn before.

Why
`ui/benchmarks/code_frames.py` compares readers under one condition at a time, with modules of three pixels and more. What a
decoder reads wrongly hides in the mixture: two of five scenes have modules of 1.0 to 2.5 pixels, and each scene has its
own print (ink, ratio, gap, spelling), place (turned, seen from the side, cut by the picture's edge), light, blur, noise
and JPEG. Not modelled: lenses, rolling shutter, a hand that moves between two frames.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.main import QRCode

from drivers.barcode_patterns import (
    WIDE,
    Layout,
    code128_check,
    code128_layout,
    code128_spellings,
    code128_text,
    layout,
)

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]
SORTS = ("code128",) * 4 + ("code39",) * 3 + ("codabar",) * 2 + ("qr",)
"""Of ten scenes of the symbologies that a camera looks for by default."""
MORE_SORTS = ("ean13", "itf")
SIZES = ((480, 360), (640, 480), (1280, 720), (1920, 1080))
_SHARES = (0.35, 0.35, 0.29, 0.01)
SMALL = (1.0, 2.5)
LARGE = (2.5, 7.0)
"""Pixels in a module."""
SMALL_SHARE = 0.4
BURST = 3
_FINE = 3
_LETTERS = "ABCDEFGHJKLMNPRSTWX"


@dataclass(frozen=True, slots=True)
class Scene:
    """A still code before a camera."""

    symbology: str
    """As `drivers.barcodes` names it."""
    text: str = field(repr=False)
    """What a scanner would send."""
    module_px: float
    """How wide its module is."""
    marks: tuple[str, ...]
    """What is hard about it."""
    frames: tuple[Grey, ...]
    """A burst that differs by noise."""


def sorts_of(symbologies: Collection[str]) -> tuple[str, ...]:
    """These symbologies as often as they are met, then over again."""
    return tuple(sort for sort in SORTS + MORE_SORTS if sort in symbologies)


def scene(seed: int, number: int, sorts: tuple[str, ...] = SORTS, frames: int = BURST) -> Scene:
    """The numbered scene of this seed, in so many frames."""
    rng = np.random.default_rng((seed, number))
    symbology = sorts[number % len(sorts)]
    small = number // len(sorts) % 5 < SMALL_SHARE * 5
    size = SIZES[int(rng.choice(len(SIZES), p=_SHARES))]
    text, label, module = _printed(symbology, rng)
    module_px = float(rng.uniform(*(SMALL if small else LARGE)))
    longest = 0.8 * size[0] if rng.random() < 0.7 else 1.1 * size[1]
    module_px = min(module_px, longest * module / label.shape[1])
    picture, marks = _laid(label, module_px / module, size, rng)
    picture, more = _seen(picture, module_px, rng)
    return Scene(symbology, text, module_px, tuple(sorted(marks | more)), _burst(picture, frames, rng))


def _digits(count: int, rng: np.random.Generator) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, count))


def _printed(symbology: str, rng: np.random.Generator) -> tuple[str, Floats, int]:
    """A text, its label (1 white paper, 0 ink) and how many of the label's pixels a module takes."""
    if symbology == "qr":
        return _printed_qr(rng)
    match symbology:
        case "code39":
            text = str(rng.choice(list(_LETTERS))) + _digits(int(rng.integers(5, 9)), rng)
        case "code128":
            text = _code128_text(rng)
        case "codabar":
            text = _digits(int(rng.choice((8, 10, 14))), rng)
        case "ean13":
            body = str(rng.choice(("978", "471"))) + _digits(9, rng)
            total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(body))
            text = body + str(-total % 10)
        case _:
            text = _digits(int(rng.choice((8, 10, 14))), rng)
    made = _layout(symbology, text, rng)
    module = 8
    bars = _bars(made, module, float(rng.uniform(2.0, 3.0)), float(rng.normal(0.05, 0.1)))
    quiet = int(rng.choice((6, 8, 10, 12)))
    bars = np.pad(bars, quiet * module, constant_values=1)
    high = int(len(bars) * rng.uniform(0.12, 0.45))
    label = np.repeat(bars[None, :], high, axis=0)
    return text, np.pad(label, ((4 * module, 4 * module), (0, 0)), constant_values=1), module


def _code128_text(rng: np.random.Generator) -> str:
    letter = str(rng.choice(list(_LETTERS)))
    match int(rng.integers(0, 4)):
        case 0:
            return letter + _digits(int(rng.integers(6, 10)), rng)
        case 1:
            return _digits(int(rng.choice((8, 10, 12, 14))), rng)
        case 2:
            return letter + str(rng.choice(list(_LETTERS))) + "-" + _digits(6, rng)
        case _:
            return letter + _digits(9, rng)


def _layout(symbology: str, text: str, rng: np.random.Generator) -> Layout:
    if symbology == "code128":
        ways = code128_spellings(text)
        return code128_layout(_any_spelling(text, rng) if rng.random() < 0.1 else ways[int(rng.integers(0, len(ways)))])
    start, stop = (str(rng.choice(list("ABCD"))) for _ in range(2))
    drawn = f"{start}{text}{stop}" if symbology == "codabar" else text
    made = layout(symbology, drawn, 2 if symbology in ("code39", "codabar") and rng.random() < 0.1 else 1)
    if made is None:
        raise ValueError(f"{symbology} does not say this text")
    return made


def _any_spelling(text: str, rng: np.random.Generator) -> tuple[int, ...]:
    """Pairs here and there, as no program would choose them."""
    values, code_set, index = [104], "B", 0
    while index < len(text):
        pair = text[index : index + 2]
        wanted = "C" if len(pair) == 2 and pair.isdigit() and rng.random() < 0.7 else "B"
        if wanted != code_set:
            values.append(99 if wanted == "C" else 100)
        code_set = wanted
        values.append(int(pair) if wanted == "C" else ord(text[index]) - 32)
        index += 2 if wanted == "C" else 1
    whole = (*values, code128_check(tuple(values)))
    if code128_text(whole) != text:
        raise ValueError("a wrong spelling")
    return whole


def _bars(made: Layout, module: int, ratio: float, ink: float) -> Floats:
    """One row; each bar is `ink` modules wider than it should be."""
    edges = np.concatenate(([0.0], np.cumsum([ratio if width == WIDE else width for width in made.widths()])))
    edges[0::2] -= ink / 2
    edges[1::2] += ink / 2
    at = np.arange(-module, (math.ceil(edges[-1]) + 1) * module) / module
    dark = np.zeros(len(at))
    for start, stop in zip(edges[0::2], edges[1::2], strict=True):
        dark += np.clip((at + 1 / module - start) * module, 0, 1) - np.clip((at + 1 / module - stop) * module, 0, 1)
    return np.asarray(1 - dark.clip(0, 1), dtype=np.float32)


def _printed_qr(rng: np.random.Generator) -> tuple[str, Floats, int]:
    text = "LIB-" + _digits(8, rng) if rng.random() < 0.6 else f"館藏-{_digits(7, rng)}"
    code: QRCode[Any] = QRCode(
        error_correction=ERROR_CORRECT_M if rng.random() < 0.5 else ERROR_CORRECT_L, border=4 + int(rng.integers(0, 3))
    )
    code.add_data(text)
    code.make(fit=True)
    module = 8
    light = 1 - np.array(code.get_matrix(), dtype=np.float32)
    return text, np.kron(light, np.ones((module, module), dtype=np.float32)), module


def _laid(label: Floats, scale: float, size: tuple[int, int], rng: np.random.Generator) -> tuple[Floats, set[str]]:
    """The label in the picture, turned and seen from the side as it happens."""
    marks = set[str]()
    wide, high = label.shape[1] * scale, label.shape[0] * scale
    sort = rng.random()
    turn = rng.uniform(-5, 5) if sort < 0.5 else rng.uniform(-30, 30) if sort < 0.75 else rng.uniform(-180, 180)
    if abs(turn) > 5:
        marks.add("turned")
    angle = math.radians(float(turn))
    corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2
    if rng.random() < 0.3:
        marks.add("from the side")
        side, by = int(rng.integers(0, 4)), rng.uniform(0.03, 0.2)
        for corner in (side, (side + 1) % 4):
            corners[corner] *= (1 - by, 1) if side % 2 == 0 else (1, 1 - by)
    corners = corners @ np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    reach = np.abs(corners).max(axis=0)
    room = np.maximum(np.array(size) / 2 - reach, 0)
    middle = np.array(size) / 2 + rng.uniform(-0.9, 0.9, 2) * room
    if rng.random() < 0.05:
        marks.add("cut off")
        middle = np.array(size) * rng.uniform(0, 1, 2)
    there = corners + middle
    picture = _clutter(size, rng)
    low = np.maximum(np.floor(there.min(axis=0)).astype(int) - 2, 0)
    top = np.minimum(np.ceil(there.max(axis=0)).astype(int) + 2, size)
    if (top <= low).any():
        return picture, marks
    wide_px, high_px = (top - low) * _FINE
    here = np.array(
        [(0, 0), (label.shape[1], 0), (label.shape[1], label.shape[0]), (0, label.shape[0])], dtype=np.float32
    )
    how = cv2.getPerspectiveTransform(here, ((there - low) * _FINE).astype(np.float32))
    paper, ink = rng.uniform(165, 245), rng.uniform(8, 70)
    light = ink + (paper - ink) * label
    if rng.random() < 0.05:
        marks.add("inverted")
        light = paper + ink - light
    fine = cv2.warpPerspective(light, how, (int(wide_px), int(high_px)), flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(np.ones_like(label), how, (int(wide_px), int(high_px)))
    to = (int(top[0] - low[0]), int(top[1] - low[1]))
    fine, cover = (cv2.resize(part, to, interpolation=cv2.INTER_AREA) for part in (fine, cover))
    area = (slice(low[1], top[1]), slice(low[0], top[0]))
    picture[area] = fine + picture[area] * (1 - cover)
    if rng.random() < 0.07:
        marks.add("covered")
        _cover(picture, there, rng)
    return picture, marks


def _cover(picture: Floats, there: "NDArray[np.float64]", rng: np.random.Generator) -> None:
    """A finger, or a sticker, over a part of it."""
    low, top = there.min(axis=0), there.max(axis=0)
    middle = rng.uniform(low, top)
    axes = (int(rng.uniform(0.03, 0.2) * (top[0] - low[0])) + 2, int(rng.uniform(0.1, 0.5) * (top[1] - low[1])) + 2)
    grey = float(rng.choice((rng.uniform(30, 90), rng.uniform(180, 240))))
    at = (int(middle[0]), int(middle[1]))
    cv2.ellipse(picture, at, axes, float(rng.uniform(0, 180)), 0, 360, grey, -1)


@cache
def _grounds(size: tuple[int, int]) -> tuple[Floats, ...]:
    """A few desks with print and other things on them."""
    rng = np.random.default_rng(size)
    grounds = []
    for _ in range(8):
        ground = np.full((size[1], size[0]), rng.uniform(40, 215), dtype=np.float32)
        for _ in range(int(rng.integers(8, 30))):
            x, y = int(rng.integers(0, size[0])), int(rng.integers(0, size[1]))
            grey = float(rng.uniform(20, 235))
            if rng.random() < 0.5:
                to = (x + int(rng.integers(10, size[0] // 3)), y + int(rng.integers(4, size[1] // 3)))
                cv2.rectangle(ground, (x, y), to, grey, -1 if rng.random() < 0.6 else 1)
            else:
                for letter in range(int(rng.integers(8, 40))):
                    left = x + letter * int(rng.integers(4, 9))
                    cv2.line(
                        ground, (left, y), (left + int(rng.integers(-3, 4)), y + 12), grey, int(rng.integers(1, 4))
                    )
        grounds.append(ground)
    return tuple(grounds)


def _clutter(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    grounds = _grounds(size)
    ground = grounds[int(rng.integers(0, len(grounds)))]
    return np.array(np.roll(ground, tuple(int(by) for by in rng.integers(0, min(size), 2)), axis=(0, 1)))


def _seen(picture: Floats, module_px: float, rng: np.random.Generator) -> tuple[Floats, set[str]]:
    """Light, lens and gain."""
    marks = set[str]()
    height, width = picture.shape
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0.0, 0.4)
    x, y = np.linspace(-0.5, 0.5, width, dtype=np.float32), np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    picture = picture * (
        1 - np.float32(strength) * (0.5 + x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle)))
    )
    if rng.random() < 0.07:
        marks.add("glare")
        at = rng.uniform(-0.25, 0.25, 2).astype(np.float32)
        spread = rng.uniform(0.05, 0.2, 2).astype(np.float32)
        picture += (
            np.float32(300) * np.exp(-(((x - at[0]) / spread[0]) ** 2)) * np.exp(-(((y - at[1]) / spread[1]) ** 2))
        )
    blur = max(0.3, module_px * float(rng.uniform(0.0, 0.3 if rng.random() < 0.7 else 0.65)))
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), dtype=np.float32)
    if blur > 0.45 * module_px:
        marks.add("blurred")
    if rng.random() < 0.08:
        marks.add("moved")
        steps = max(2, round(float(rng.uniform(0.5, 1.6)) * module_px) + 1)
        kernel = np.zeros((steps, steps), dtype=np.float32)
        kernel[steps // 2] = 1 / steps
        spin = cv2.getRotationMatrix2D(((steps - 1) / 2, (steps - 1) / 2), float(rng.uniform(0, 180)), 1.0)
        spun = np.asarray(cv2.warpAffine(kernel, spin, (steps, steps)), dtype=np.float32)
        moved = cv2.filter2D(picture, -1, spun / np.float32(max(float(spun.sum()), 1e-3)))
        picture = np.asarray(moved, dtype=np.float32)
    gain = float(rng.uniform(0.25, 1.35))
    if gain < 0.45:
        marks.add("faint")
    return np.asarray(picture * gain + rng.uniform(0, 40), dtype=np.float32), marks


@cache
def _noises() -> Floats:
    return np.random.default_rng(8).standard_normal((1400, 2300), dtype=np.float32)


def _burst(picture: Floats, count: int, rng: np.random.Generator) -> tuple[Grey, ...]:
    """The sensor's noise, and what the camera's JPEG leaves."""
    sigma = float(rng.choice((rng.uniform(1, 8), rng.uniform(8, 28)), p=(0.85, 0.15)))
    quality = int(rng.integers(45, 96)) if rng.random() < 0.6 else 0
    height, width = picture.shape
    frames = []
    for _ in range(count):
        noises = _noises()
        top, left = (int(rng.integers(0, room)) for room in (1400 - height, 2300 - width))
        noise = noises[top : top + height, left : left + width]
        frame = (picture + noise * np.float32(sigma)).clip(0, 255).astype(np.uint8)
        if quality:
            packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            frame = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        frames.append(frame)
    return tuple(frames)
