"""Whether a picture really shows the text that a decoder reads in it: the text's bars are laid over the pixels.

`drivers.barcodes` asks for every linear code, on the camera's decoding thread. Promises: yes only where each character fits
the pixels clearly better than any other character could, both ends are followed by light paper, and the whole quiet
zone lies in the picture. About two milliseconds a code.

Why
A decoder cuts a line of pixels into bars first and judges their widths later. Where modules are one or two pixels wide
that goes wrong in the same way in every frame of a still label, check characters included, and a copy of another size
or a second decoder errs alike often enough. Laying the bars of the text over the pixels (blur, ink and light fitted)
uses every grey level of many rows, and "this character or another?" is answered by the difference between the two, in
units of that difference: the lead is 1 where the picture is exactly as expected, -1 where it is as the rival would look.

Code 128 says one text in many ways, and nobody but the decoder knows which one it saw. The usual ones are tried; for any
other the symbols are read from the pixels (`_spelled`), and must then say the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from drivers.bar_drawings import GRID, MARGIN, SPILL, Drawing, Floats, Letters, drawing, letters
from drivers.bar_pixels import Grey, Line, Pixels, Pose, line_across
from drivers.barcode_patterns import (
    START_A,
    START_B,
    START_C,
    Layout,
    code128_alphabet,
    code128_layout,
    code128_spellings,
    code128_text,
    layout,
)

QUIET = {"code39": 10, "code128": 10, "codabar": 10, "itf": 10, "ean13": 7}
"""Modules of light paper that the standards demand (EAN-13: on its narrower side)."""
LIGHT = 4
"""Modules of it that must be seen light: real labels are often cut closer than the standards say."""
_RATIOS = (2.5, 3.0, 2.0, 2.75, 2.25)
"""Wide elements in modules."""
_BLURS = (0.3, 0.5, 0.7, 0.9, 1.15)
"""Standard deviations in modules."""
_HEIGHTS = (0.5, 0.2, 0.8)
"""Where the line is laid, as shares of the bars' height that the decoder saw."""
_LEAD = 0.25
_LEAD_UNCHECKED = 0.4
"""The least lead of every character, in a symbology with a check character and in one without."""
_SHARE = 0.75
"""The least share of the pixels' variation that the text must explain."""
_WORTH = 0.4
"""So alike a drawing and the pixels must be at first sight."""
_UNCHECKED = frozenset({"code39", "codabar", "itf"})
_LEAST_CONTRAST = 0.3
"""The least contrast of one character, as a share of the whole code's."""
_LEAST_GREY = 2.0
"""Grey levels between light and dark, or there is no code."""
_EDGE = 3
"""Samples beside a bar that its blur may darken."""
_DARK = 0.35
"""So much darker than expected, as a share of the contrast, is no light paper."""
_STEPS = 3
_ROUNDS = 5
_LOOKS = 4
"""So many numbers of symbols are tried, seen from the front or from the side."""
_ONE_WIDTH = (1.0,)
_GAPS = (1, 2, 3)
"""Modules between two characters."""
_GAPPED = frozenset({"code39", "codabar"})


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What a decoder says about a picture."""

    symbology: str
    """One of `QUIET`."""
    text: str
    """Codabar with its start and stop letters."""
    corners: Floats
    """4 x 2: pixels of the code's top left, top right, bottom right and bottom left, read in its own direction."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a picture shows a text."""

    lead: float
    """By how much the worst character leads its best rival: 1 as expected, -1 as that rival."""
    share: float
    """Of the pixels' variation, explained."""
    light: bool
    """Both ends are followed by light paper, and their quiet zones lie in the picture."""


def shows(picture: Grey, claim: Claim) -> bool:
    """The picture shows this text, and the whole of it."""
    enough = _LEAD_UNCHECKED if claim.symbology in _UNCHECKED else _LEAD
    return any(fit.lead >= enough and fit.share >= _SHARE and fit.light for fit in fits(picture, claim))


def fits(picture: Grey, claim: Claim) -> Iterator[Fit]:
    """For every height and drawing that is worth a look, the likeliest first."""
    for height in _HEIGHTS:
        line = line_across(picture, claim.corners, height)
        if line is None:
            return
        for made, ratios in _layouts(claim):
            drawn = drawing(made, ratios[0])
            pixels = Pixels(picture, line, drawn.inner)
            drawn, pose, alike = _of_best_ratio(pixels, made, drawn, ratios)
            if alike >= _WORTH and (fit := _laid(pixels, drawn, pose, claim)) is not None:
                yield fit
        if claim.symbology == "code128":
            yield from _spelled(picture, line, claim)
        if line.low:
            return


def _layouts(claim: Claim) -> Iterator[tuple[Layout, tuple[float, ...]]]:
    """What the code may be made of, and how wide its wide elements may be."""
    if claim.symbology == "code128":
        for values in code128_spellings(claim.text):
            yield code128_layout(values), _ONE_WIDTH
        return
    for gap in _GAPS if claim.symbology in _GAPPED else _GAPS[:1]:
        if (made := layout(claim.symbology, claim.text, gap)) is not None:
            yield made, _ONE_WIDTH if claim.symbology == "ean13" else _RATIOS


def _of_best_ratio(
    pixels: Pixels, made: Layout, drawn: Drawing, ratios: tuple[float, ...]
) -> tuple[Drawing, Pose, float]:
    pose, alike = pixels.placed(drawn)
    if len(ratios) == 1:
        return drawn, pose, alike
    others = (drawn, *(drawing(made, ratio) for ratio in ratios[1:]))
    best = max(others, key=lambda other: pixels.alike(other, pose))
    return best, *pixels.placed(best)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A drawing that lies as well as it can."""

    seen: Floats
    """The pixels under its samples."""
    bars: Floats
    """The drawing under its blur."""
    blur: float
    """In modules."""
    expected: Floats
    """The pixels as they should be."""
    contrast: float
    """Grey levels from light to dark, negative."""
    share: float
    """Of the pixels' variation, explained."""
    pose: Pose
    """Where it lies."""


def _settled(pixels: Pixels, drawn: Drawing, pose: Pose, *, slanting: bool = True) -> _Settled | None:
    """Least squares in a few steps; None where dark and light are not the drawing's. The slant may be left as it is."""
    part = drawn.parts()
    near = slice(MARGIN - 2 * GRID, MARGIN + drawn.inner + 2 * GRID)
    row = pixels.mean
    settled: _Settled | None = None
    for step in range(_STEPS + 1):
        seen = pixels.read(row, pose.at(part))
        blurs = _BLURS if step else _BLURS[1:2]
        blur, bars = max(
            ((blur, drawn.blurred(blur)) for blur in blurs), key=lambda each: _likeness(seen[near], each[1][near])
        )
        settled, moves = _least_squares(seen, bars, blur, part, near, pose)
        if settled.contrast > -_LEAST_GREY:
            return None
        if step == 0:
            row = pixels.best_rows(pose.at(part), settled.expected, near)
        if step < _STEPS:
            pose = pose.moved(moves if slanting else moves * (1, 1, 0), drawn.inner)
    return settled


def _likeness(seen: Floats, bars: Floats) -> float:
    seen, bars = seen - seen.mean(), bars - bars.mean()
    return float(-(seen @ bars) / np.sqrt((seen @ seen) * (bars @ bars) + 1e-9))


def _least_squares(
    seen: Floats, bars: Floats, blur: float, part: Floats, near: slice, pose: Pose
) -> tuple[_Settled, Floats]:
    """Light that varies over the code, ink that spreads, and by how much the drawing lies wrong."""
    x = 2 * part - 1
    slope = np.gradient(bars)
    columns = np.stack(
        (np.ones_like(x), x, x * x, bars, x * bars, np.abs(slope), slope, x * slope, x * x * slope), axis=1
    )
    inner, there = columns[near], seen[near]
    square = inner.T @ inner
    square[np.diag_indices_from(square)] += 1e-6
    weights = np.linalg.solve(square, inner.T @ there)
    spread = there - there.mean()
    left = there - inner @ weights
    contrast = float(weights[3])
    share = 1 - float(left @ left) / max(float(spread @ spread), 1e-9)
    expected = columns[:, :6] @ weights[:6]
    moves = -weights[6:] / (contrast or 1.0)
    return _Settled(seen, bars, blur, expected, contrast, share, pose), moves


def _laid(pixels: Pixels, drawn: Drawing, pose: Pose, claim: Claim) -> Fit | None:
    settled = _settled(pixels, drawn, pose)
    return None if settled is None else _fit(pixels, drawn, settled, claim)


def _fit(pixels: Pixels, drawn: Drawing, settled: _Settled, claim: Claim) -> Fit:
    quiet = GRID * QUIET[claim.symbology] * (settled.pose.last - settled.pose.first) / drawn.inner
    light = pixels.inside(settled.pose, quiet) and _is_light(settled)
    return Fit(float(_leads(drawn, settled)[0].min()), settled.share, light)


def _leads(drawn: Drawing, settled: _Settled) -> tuple[Floats, tuple[int, ...]]:
    """Each character's lead over its best rival; and what fits best in each place."""
    leads, best = np.full(len(drawn.slots), -1.0), [pick for _, _, pick in drawn.slots]
    alike: dict[Letters, list[int]] = {}
    for number, (_, known, _) in enumerate(drawn.slots):
        alike.setdefault(known, []).append(number)
    for known, numbers in alike.items():
        rows, apart = known.blurred(settled.blur)
        starts = np.array([drawn.slots[number][0] for number in numbers])
        picks = np.array([drawn.slots[number][2] for number in numbers])
        there = (starts - SPILL)[:, None] + np.arange(rows.shape[1])
        ideal, real = settled.bars[there], settled.seen[there]
        ideal = ideal - ideal.mean(axis=1, keepdims=True)
        real = real - real.mean(axis=1, keepdims=True)
        contrast = (real * ideal).sum(axis=1) / (ideal * ideal).sum(axis=1)
        contrast = np.minimum(contrast, _LEAST_CONTRAST * settled.contrast)
        wrong = (real - contrast[:, None] * ideal) / contrast[:, None]
        towards = wrong @ rows.T
        towards -= np.take_along_axis(towards, picks[:, None], axis=1)
        between = apart[picks]
        better = between - 2 * towards
        for row, number in enumerate(numbers):
            best[number] = int(np.argmin(better[row]))
        themselves = np.arange(len(picks)), picks
        between[themselves], towards[themselves] = 1.0, 0.0
        leads[numbers] = (1 - 2 * towards / between).min(axis=1)
    return leads, tuple(best)


def _is_light(settled: _Settled) -> bool:
    """No bar in the first modules beside the code."""
    samples = len(settled.seen)
    left = np.arange(MARGIN - LIGHT * GRID, MARGIN - _EDGE)
    beside = np.concatenate((left, samples - 1 - left))
    return bool((settled.seen[beside] - settled.expected[beside] > _DARK * settled.contrast).all())


def _spelled(picture: Grey, line: Line, claim: Claim) -> Iterator[Fit]:
    """Code 128 in some other spelling of the text: its symbols as the pixels show them, for the likeliest numbers of symbols."""
    least, most = (len(claim.text) + 1) // 2 + 2, len(claim.text) + 5
    looks: list[tuple[float, Pose, Pixels, Drawing]] = []
    for count in range(least, most + 1):
        drawn = _average(count)
        pixels = Pixels(picture, line, drawn.inner)
        looks += [(alike - abs(pose.slant), pose, pixels, drawn) for pose, alike in pixels.places(drawn)]
    looks.sort(key=lambda look: -look[0])
    for _, pose, pixels, drawn in looks[:_LOOKS]:
        settled = _settled(pixels, drawn, pose, slanting=False)
        for number in range(_ROUNDS):
            if settled is None:
                break
            _, values = _leads(drawn, settled)
            if values == tuple(pick for _, _, pick in drawn.slots):
                break
            drawn = drawing(code128_layout(values), 1.0)
            settled = _settled(pixels, drawn, settled.pose, slanting=number > 0)
        if settled is not None and code128_text(tuple(pick for _, _, pick in drawn.slots)) == claim.text:
            yield _fit(pixels, drawn, settled, claim)


@lru_cache(maxsize=64)
def _average(count: int) -> Drawing:
    """So many symbols of Code 128 of which only the stop is known: each looks like the mean of all."""
    known = letters(code128_alphabet(), 1.0)
    drawn = drawing(code128_layout((START_B,) * count), 1.0)
    bars = drawn.bars.copy()
    mean, starts = known.rows.mean(axis=0), known.rows[START_A : START_C + 1].mean(axis=0)
    for number, (at, _, _) in enumerate(drawn.slots):
        bars[at : at + len(mean)] = mean if number else starts
    return Drawing(bars, drawn.slots)
