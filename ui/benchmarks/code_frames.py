"""A seeded set of camera frames with one code each, for the bench and, in small, for the tests.

A sample is a burst of three frames of one scene that differ by the sensor's noise, as three frames of a camera do. The
scene: paper with uneven light and clutter, a label somewhere near the middle, tilted a little; then one condition.
A second set is a library card on a telephone: a bright screen before a dark room, its own grid of pixels in the camera's
(moiré), a lamp mirrored in the glass, or a screen that is turned down.
Not modelled: lenses (distortion, depth of field over the label), rolling shutter, JPEG, a moving hand between frames.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from drivers.virtual.code_pictures import Grey, label, modules

SYMBOLOGIES = ("code39", "code128", "codabar", "ean13", "qr")
CONDITIONS = ("clean", "blur", "motion", "tilt", "perspective", "noise", "low contrast", "glare")
PHONE_SYMBOLOGIES = ("code39", "code128", "qr")
"""How mobile library cards are shown."""
PHONE_CONDITIONS = ("screen", "screen moiré", "screen glare", "screen dim")
SIZES = ((640, 480), (1280, 720), (1920, 1080))
BURST = 3
_FINE = 2
"""Scenes are drawn so many times larger and averaged down: that is how a sensor's pixel sees an edge."""
_SENSOR = 3.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One scene."""

    symbology: str
    """Of the code that it shows."""
    text: str
    """What the code says."""
    condition: str
    """What is hard about it."""
    size: tuple[int, int]
    """Width and height of the frames."""
    number: int
    """Counts the samples of one sort, from 0."""
    frames: tuple[Grey, ...]
    """The burst."""


def samples(
    each: int,
    seed: int = 20261221,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    conditions: tuple[str, ...] = CONDITIONS,
    symbologies: tuple[str, ...] = SYMBOLOGIES,
) -> Iterator[Sample]:
    """`each` scenes for every symbology, condition and size; the same ones for the same seed, in any order."""
    for size, condition, symbology, number in product(sizes, conditions, symbologies, range(each)):
        own = crc32(f"{seed} {size} {condition} {symbology} {number}".encode())
        yield _sample(symbology, condition, size, number, np.random.default_rng(own))


def phone_samples(each: int, seed: int = 20261221, size: tuple[int, int] = (1280, 720)) -> Iterator[Sample]:
    """The same for library cards on telephones."""
    return samples(each, seed, (size,), PHONE_CONDITIONS, PHONE_SYMBOLOGIES)


def empty(size: tuple[int, int], seed: int = 1) -> tuple[Grey, ...]:
    """A burst of the pad without a code."""
    rng = np.random.default_rng(seed)
    return _noised(_background(size, rng), _SENSOR, rng)


def _sample(symbology: str, condition: str, size: tuple[int, int], number: int, rng: np.random.Generator) -> Sample:
    text = _text(symbology, rng)
    scene, module_px = _scene(symbology, text, condition, size, rng)
    scene, sigma = _worsened(scene, condition, module_px, rng)
    return Sample(symbology, text, condition, size, number, _noised(scene, sigma, rng))


def _text(symbology: str, rng: np.random.Generator) -> str:
    def digits(count: int) -> str:
        return "".join(str(digit) for digit in rng.integers(0, 10, count))

    match symbology:
        case "code39":
            return "S" + digits(7)
        case "code128":
            return "B" + digits(9)
        case "codabar":
            return digits(10)
        case "ean13":
            body = "978" + digits(9)
            total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
            return body + str(-total % 10)
        case _:
            return "LIB-" + digits(8)


def _share(symbology: str, rng: np.random.Generator) -> float:
    """How much of the frame's width the code takes."""
    return float(rng.uniform(0.28, 0.42) if symbology == "qr" else rng.uniform(0.45, 0.65))


def _background(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Paper under uneven light with lines of something like print."""
    width, height = size
    picture = Image.new("L", size, int(rng.integers(150, 215)))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(6, 14))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        grey = int(rng.integers(40, 230))
        if rng.random() < 0.5:
            pen.rectangle(
                (x, y, x + int(rng.integers(10, width // 5)), y + int(rng.integers(4, height // 8))), fill=grey
            )
        else:
            for letter in range(int(rng.integers(8, 30))):
                left = x + letter * width // 110
                pen.line((left, y, left + int(rng.integers(-3, 4)), y + height // 50), fill=grey, width=2)
    return _lit(np.asarray(picture, dtype=np.float64), rng)


def _lit(scene: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    height, width = scene.shape
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0.0, 0.35)
    x, y = np.linspace(-0.5, 0.5, width), np.linspace(-0.5, 0.5, height)[:, None]
    return np.asarray(scene * (1 - strength * (0.5 + x * math.cos(angle) + y * math.sin(angle))))


def _scene(
    symbology: str, text: str, condition: str, size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """The label laid on the paper, tilted by up to five degrees or as the condition says; and its narrow bar in pixels."""
    width, height = size
    share = _share(symbology, rng)
    wide = width * share
    drawn = Image.fromarray(label(symbology, text, max(2, round(_FINE * wide / modules(symbology, text).shape[1]))))
    narrow = modules(symbology, text).shape[1] / (2 if symbology == "codabar" else 1)
    screen = condition in PHONE_CONDITIONS
    if screen:
        body = ImageOps.expand(ImageOps.expand(drawn, drawn.width // 14, 255), drawn.width // 30, 0)
        narrow, wide, drawn = narrow * body.width / drawn.width, wide * body.width / drawn.width, body
    high = wide * drawn.height / drawn.width
    angle = rng.uniform(-math.pi, math.pi) if condition == "tilt" else math.radians(rng.uniform(-5, 5))
    fit = min(1.0, 0.94 * height / (abs(wide * math.sin(angle)) + abs(high * math.cos(angle))))
    wide, high = wide * fit, high * fit
    corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2
    if condition == "perspective":
        side, by = int(rng.integers(0, 4)), rng.uniform(0.12, 0.3)
        for corner in (side, (side + 1) % 4):
            corners[corner] *= (1 - by, 1) if side % 2 == 0 else (1, 1 - by)
    turn = np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    middle = np.array([width, height]) * (0.5 + rng.uniform(-0.04, 0.04, 2))
    there = (corners @ turn + middle) * _FINE
    ground = _background(size, rng) * (0.16 if screen else 1.0)  # the camera's exposure follows the bright screen
    paper = Image.fromarray(ground.clip(0, 255).astype(np.uint8)).resize((width * _FINE, height * _FINE))
    how = _projection(there, drawn.size)
    laid = drawn.transform(paper.size, Image.Transform.PERSPECTIVE, how, Image.Resampling.BILINEAR)
    covered = Image.new("L", drawn.size, 255).transform(paper.size, Image.Transform.PERSPECTIVE, how)
    ink, white = _ink_and_white(condition, rng)
    printed = laid.point([min(255, round(ink + (white - ink) * grey / 255)) for grey in range(256)])
    paper.paste(printed, (0, 0), covered)
    scene = np.asarray(paper.reduce(_FINE), dtype=np.float64)
    return scene if screen else _lit(scene, rng), wide / narrow


def _ink_and_white(condition: str, rng: np.random.Generator) -> tuple[float, float]:
    """Grey of a dark and of a light module."""
    match condition:
        case "screen dim":
            return rng.uniform(18, 30), rng.uniform(48, 80)
        case "screen" | "screen moiré" | "screen glare":
            return rng.uniform(20, 60), rng.uniform(245, 330)  # black that glows; white that is burnt out
        case _:
            return rng.uniform(15, 45), rng.uniform(200, 240)


def _projection(there: NDArray[np.float64], size: tuple[int, int]) -> list[float]:
    """Pillow's eight numbers that lead from the frame's pixels back to the label's."""
    here = [(0, 0), (size[0], 0), size, (0, size[1])]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(there, here, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return [float(number) for number in np.linalg.solve(np.array(rows), np.array(wanted))]


def _worsened(
    scene: NDArray[np.float64], condition: str, module_px: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """The scene under its condition, and the sensor's noise."""
    height, width = scene.shape
    match condition:
        case "blur":
            soft = ImageFilter.GaussianBlur(rng.uniform(0.35, 1.0) * module_px)
            picture = Image.fromarray(scene.clip(0, 255).astype(np.uint8)).filter(soft)
            return np.asarray(picture, dtype=np.float64), _SENSOR
        case "motion":
            steps = max(1, round(rng.uniform(0.6, 2.0) * module_px))
            angle = rng.uniform(0, 2 * math.pi)
            moved = [
                np.roll(scene, (round(step * math.sin(angle)), round(step * math.cos(angle))), axis=(0, 1))
                for step in range(steps + 1)
            ]
            return np.asarray(np.mean(moved, axis=0)), _SENSOR
        case "noise":
            return scene, float(rng.uniform(15, 45))
        case "low contrast":
            span, floor = rng.uniform(25, 60), rng.uniform(40, 150)
            return floor + scene / 255 * span, _SENSOR
        case "glare":
            at_x, at_y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.35, 0.65) * height
            wide, high = rng.uniform(0.05, 0.16) * width, rng.uniform(0.04, 0.12) * height
            x, y = np.arange(width), np.arange(height)[:, None]
            return scene + 400 * np.exp(-(((x - at_x) / wide) ** 2) - ((y - at_y) / high) ** 2), _SENSOR
        case "screen" | "screen dim":
            return scene, _SENSOR * 2  # a dark room: the sensor's gain is up
        case "screen moiré":
            return scene * _moire(scene.shape, rng), _SENSOR * 2
        case "screen glare":
            return scene + _lamp(scene.shape, rng), _SENSOR * 2
        case _:
            return scene, _SENSOR


def _moire(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """What two grids that hardly differ leave: waves in two directions, with a fine one along the screen's rows."""
    height, width = shape
    x, y = np.arange(width), np.arange(height)[:, None]
    waves = np.ones(shape)
    for period, depth in ((rng.uniform(6, 60), 0.16), (rng.uniform(6, 60), 0.16), (rng.uniform(2.1, 4.0), 0.10)):
        angle, phase = rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi)
        along = x * math.cos(angle) + y * math.sin(angle)
        waves -= rng.uniform(0.5, 1.0) * depth * (1 + np.sin(2 * math.pi * along / period + phase))
    return waves


def _lamp(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """A ceiling lamp mirrored in the glass: a bar with soft ends, burnt out in its middle."""
    height, width = shape
    at_x, at_y, angle = rng.uniform(0.35, 0.65) * width, rng.uniform(0.4, 0.6) * height, rng.uniform(-0.5, 0.5)
    x, y = np.arange(width) - at_x, np.arange(height)[:, None] - at_y
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    long, thick = rng.uniform(0.08, 0.2) * width, rng.uniform(0.015, 0.04) * height
    return np.asarray(rng.uniform(120, 300) * np.exp(-((along / long) ** 4) - (across / thick) ** 2))


def _noised(scene: NDArray[np.float64], sigma: float, rng: np.random.Generator) -> tuple[Grey, ...]:
    def frame() -> Grey:
        noise = rng.standard_normal(scene.shape, dtype=np.float32) * sigma
        return np.asarray((scene + noise).clip(0, 255), dtype=np.uint8)

    return tuple(frame() for _ in range(BURST))
