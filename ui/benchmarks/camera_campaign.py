"""Does the camera ever tell a wrong value? Thousands of scenes, each a frame of its own, and every value that is read in them.

`shelfpoint bench cameras` and the tests call it. Promises: the same scenes for the same seed and range; a run that was broken off
goes on from its checkpoint.

Why
A single frame is asked, and a value that is wrong there is counted, although at the kiosk two frames must agree:
frames of a still label differ by noise alone, and mostly err alike.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from drivers.barcodes import Code, CodeReader
from drivers.virtual.code_scenes import SMALL, Grey, scene, sorts_of

DEFAULT_SYMBOLOGIES = ("code39", "code128", "codabar", "qr")
"""What a camera looks for unless its settings say otherwise."""
KEPT_EVERY = 100
"""Samples between two checkpoints."""
Reader = Callable[[Grey], Iterable[Code]]


class ForeignCheckpoint(Exception):
    """This file is no checkpoint, or another campaign's."""


@dataclass(slots=True)
class Campaign:
    """What came of the scenes so far."""

    seed: int
    """Of the scenes."""
    symbologies: tuple[str, ...]
    """Shown, and looked for."""
    samples: int = 0
    """Scenes shown, and the number of the next one."""
    total: Counter[str] = field(default_factory=Counter)
    """By symbology and by what is hard about them; `small`: modules of 1.0 to 2.5 pixels."""
    read: Counter[str] = field(default_factory=Counter)
    """Those that were read."""
    wrong: list[str] = field(default_factory=list)
    """Number, symbology and text of the scene, and the value that it does not show."""

    def show(self, reader: Reader) -> None:
        """One more scene."""
        shown = scene(self.seed, self.samples, sorts_of(self.symbologies), frames=1)
        values = set(reader(shown.frames[0]))
        wanted = Code(shown.text, shown.symbology)
        small = SMALL[0] <= shown.module_px <= SMALL[1]
        sorts = ("all", shown.symbology, *shown.marks, *(("small",) if small else ()))
        self.total.update(sorts)
        if wanted in values:
            self.read.update(sorts)
        self.wrong += [
            f"{self.samples} {wanted.symbology} {wanted.text}: {code.symbology} {code.text}"
            for code in values - {wanted}
        ]
        self.samples += 1

    def as_json(self) -> dict[str, object]:
        """For a program."""
        return {**asdict(self), "total": dict(self.total), "read": dict(self.read)}


def campaign(
    samples: int,
    seed: int,
    symbologies: tuple[str, ...],
    checkpoint: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Campaign:
    """So many scenes; `checkpoint` is read first and written now and then. ForeignCheckpoint if it is another's."""
    result = _begun(seed, symbologies, checkpoint)
    advance(min(result.samples, samples))
    reader = CodeReader(symbologies).read
    while result.samples < samples:
        result.show(reader)
        advance(1)
        if checkpoint is not None and (result.samples % KEPT_EVERY == 0 or result.samples == samples):
            _keep(result, checkpoint)
    return result


def _begun(seed: int, symbologies: tuple[str, ...], checkpoint: Path | None) -> Campaign:
    if checkpoint is None or not checkpoint.exists():
        return Campaign(seed, symbologies)
    try:
        saved = json.loads(checkpoint.read_text("utf-8"))
        begun = Campaign(
            saved["seed"],
            tuple(saved["symbologies"]),
            saved["samples"],
            Counter(saved["total"]),
            Counter(saved["read"]),
            list(saved["wrong"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise ForeignCheckpoint(f"{checkpoint}: not a checkpoint of this command; name another file") from fault
    if (begun.seed, begun.symbologies) != (seed, symbologies):
        raise ForeignCheckpoint(
            f"{checkpoint}: begun with --seed {begun.seed} and {', '.join(begun.symbologies)}; give the same, or another file"
        )
    return begun


def _keep(result: Campaign, checkpoint: Path) -> None:
    new = checkpoint.with_name(checkpoint.name + ".new")
    new.write_text(json.dumps(result.as_json(), ensure_ascii=False), "utf-8")
    new.replace(checkpoint)
