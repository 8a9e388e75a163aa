"""Reading codes in camera frames: our pipeline against zxing-cpp alone, pyzbar alone, and both in turn.

Every reader sees the same bursts and the same rule: two of three frames must agree. Times are of single frames that
hold a code, one thread. pyzbar is slow (half of the bench's time, once), so it sees the first two samples of every
sort; whatever is compared with it is counted on those same samples. "Both in turn" is not run a third time: what it
says and takes follows from the two runs of the same frame. The floors stand in `drivers.virtual.bare_decoders`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import process_time

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from drivers.barcodes import Code, CodeReader
from drivers.camera import PERIOD_S
from drivers.camera_looks import Agreement, Attention
from drivers.virtual.bare_decoders import only_zbar, only_zxing
from drivers.virtual.code_pictures import Grey
from ui.benchmarks.code_frames import (
    CONDITIONS,
    PHONE_CONDITIONS,
    PHONE_SYMBOLOGIES,
    SIZES,
    SYMBOLOGIES,
    Sample,
    empty,
    phone_samples,
    samples,
)
from ui.benchmarks.measure import Figure, median, p99, timed

Reader = Callable[[Grey], frozenset[Code]]
Looks = list[tuple[frozenset[Code], float]]
"""What was seen in each frame of a burst, and in how many milliseconds."""
POINTS = 5.0
"""So many points more than both in turn, says DESIGN.md 7."""
COMPARED = 2
"""Samples of every sort that pyzbar sees."""
EMPTY_LOOKS = 100
LARGEST_SHARE = 0.25


@dataclass(slots=True)
class Score:
    """How one reader did."""

    total: Counter[str] = field(default_factory=Counter)
    """Samples it was shown, in all and by symbology, condition and size."""
    read: Counter[str] = field(default_factory=Counter)
    """Those that it read."""
    wrong: list[str] = field(default_factory=list)
    """Values that stood in no frame."""
    ms: list[float] = field(default_factory=list)
    """For each frame."""

    @property
    def share(self) -> float:
        """Samples read, in per cent."""
        return 100 * self.read["all"] / self.total["all"]

    def add(self, sample: Sample, looks: Looks) -> None:
        """One more burst."""
        agreement, counted = Agreement(), set[Code]()
        for seen, ms in looks:
            self.ms.append(ms)
            counted.update(agreement.look(seen))
        sorts = ("all", sample.symbology, sample.condition, f"{sample.size[0]}×{sample.size[1]}")
        wanted = Code(sample.text, sample.symbology)
        self.total.update(sorts)
        if wanted in counted:
            self.read.update(sorts)
        self.wrong += [f"{sample.text}: {code.text}" for code in counted - {wanted}]


def look_at(reader: Reader, sample: Sample) -> Looks:
    """One reader on one burst."""
    looks: Looks = []
    for frame in sample.frames:
        seen: list[frozenset[Code]] = []
        ms = timed(lambda frame=frame, seen=seen: seen.append(reader(frame)))  # type: ignore[misc]
        looks.append((seen[0], ms))
    return looks


def in_turn(first: Looks, second: Looks) -> Looks:
    """The second reader where the first says nothing; its time is then added."""
    return [one if one[0] else (other[0], one[1] + other[1]) for one, other in zip(first, second, strict=True)]


def read_all(bursts: Iterable[Sample], compared: int = COMPARED) -> tuple[dict[str, Score], dict[str, Score]]:
    """Ours and zxing-cpp on every burst; and all four readers on the first `compared` samples of every sort."""
    ours, zxing, zbar = CodeReader(SYMBOLOGIES).read, only_zxing(SYMBOLOGIES), only_zbar(SYMBOLOGIES)
    whole = {name: Score() for name in ("ours", "zxing-cpp")}
    part = {name: Score() for name in ("ours", "zxing-cpp", "pyzbar", "both in turn")}
    for sample in bursts:
        looks = {"ours": look_at(ours, sample), "zxing-cpp": look_at(zxing, sample)}
        for name, score in whole.items():
            score.add(sample, looks[name])
        if sample.number < compared:
            looks["pyzbar"] = look_at(zbar, sample)
            looks["both in turn"] = in_turn(looks["zxing-cpp"], looks["pyzbar"])
            for name, score in part.items():
                score.add(sample, looks[name])
    return whole, part


def code_reading(each: int, console: Console, progress: Progress) -> list[Figure]:
    """The readers on `each` samples of every sort, in tables, and as figures with their goals."""
    count = each * len(SYMBOLOGIES) * len(CONDITIONS) * len(SIZES)
    whole, part = read_all(progress.track(samples(each), total=count, description="camera frames"))
    _show("every sample", whole, console)
    _show(f"the first {COMPARED} of every sort", part, console)
    ours, zxing, turn = whole["ours"], whole["zxing-cpp"], part["both in turn"]
    ahead = part["ours"].share - turn.share
    rates = ", ".join(f"{name} {score.share:.1f} %" for name, score in part.items())
    return [
        Figure(
            work="camera frame with a code → value",
            median_ms=median(ours.ms),
            p99_ms=p99(ours.ms),
            runs=len(ours.ms),
            floor="zxing-cpp alone",
            floor_ms=median(zxing.ms),
            goal=f"≤ 1.3 × floor, {POINTS:.0f} points over both in turn, none wrong",
            met=median(ours.ms) <= 1.3 * median(zxing.ms) and ahead >= POINTS and not ours.wrong,
            note=f"{count} samples: ours {ours.share:.1f} %, zxing-cpp {zxing.share:.1f} %, wrong values {len(ours.wrong)};"
            f" on {turn.total['all']} of them: {rates}; ahead by {ahead:.1f} points (both in turn: {len(turn.wrong)} wrong,"
            f" median {median(turn.ms):.1f} ms)",
        ),
        phones(each, console, progress),
        empty_pad(),
    ]


def phones(each: int, console: Console, progress: Progress) -> Figure:
    """The same pipeline on library cards that are shown on a telephone."""
    count = each * len(PHONE_SYMBOLOGIES) * len(PHONE_CONDITIONS)
    bursts = progress.track(phone_samples(each), total=count, description="telephones")
    whole, _ = read_all(bursts, compared=0)
    _show("telephones", whole, console)
    ours, zxing = whole["ours"], whole["zxing-cpp"]
    return Figure(
        work="the same, a card on a telephone",
        median_ms=median(ours.ms),
        p99_ms=p99(ours.ms),
        runs=len(ours.ms),
        floor="zxing-cpp alone",
        floor_ms=median(zxing.ms),
        goal="none wrong",
        met=not ours.wrong,
        note=f"{count} samples: ours {ours.share:.1f} %, zxing-cpp {zxing.share:.1f} %, wrong values {len(ours.wrong)}",
    )


def empty_pad() -> Figure:
    """What a pad without a code costs at ten frames a second, in processor time, after the first look."""
    reader, attention = CodeReader(SYMBOLOGIES), Attention()
    frames = empty((1280, 720))
    samples_ms = []
    for look in range(EMPTY_LOOKS):
        frame = frames[look % len(frames)]
        begun = process_time()
        reader.read(frame) if attention.deserves(frame) else reader.glance(frame)
        samples_ms.append((process_time() - begun) * 1000)
    share = sum(samples_ms) / len(samples_ms) / (PERIOD_S * 1000)
    return Figure(
        work="empty pad, 1280×720, one look",
        median_ms=median(samples_ms),
        p99_ms=p99(samples_ms),
        runs=EMPTY_LOOKS,
        goal=f"≤ {LARGEST_SHARE:.0%} of one core at 10 fps",
        met=share <= LARGEST_SHARE,
        note=f"{share:.1%} of one core, decoding only",
    )


def _show(which: str, scores: dict[str, Score], console: Console) -> None:
    table = Table(title=f"Samples read, %: {which} (two of three frames agree)")
    table.add_column("")
    for name in scores:
        table.add_column(name, justify="right")
    for sort, count in next(iter(scores.values())).total.items():
        table.add_row(sort, *(f"{100 * score.read[sort] / count:.1f}" for score in scores.values()))
    table.add_row("wrong values", *(str(len(score.wrong)) for score in scores.values()))
    table.add_row("ms a frame, median", *(f"{median(score.ms):.1f}" for score in scores.values()))
    table.add_row("ms a frame, p99", *(f"{p99(score.ms):.1f}" for score in scores.values()))
    console.print(table)
