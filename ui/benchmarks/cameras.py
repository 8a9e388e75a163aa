"""Reading codes in camera frames: our pipeline against zxing-cpp alone, pyzbar alone, and both in turn.

Every reader sees the same bursts and the same rule: two of three frames must agree. Times are of single frames that
hold a code, one thread. The readers that are compared with stand in `drivers.virtual.bare_decoders`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import process_time

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from drivers.barcodes import Agreement, Attention, Code, CodeReader
from drivers.camera import PERIOD_S
from drivers.virtual.bare_decoders import in_turn, only_zbar, only_zxing
from drivers.virtual.code_pictures import Grey
from ui.benchmarks.code_frames import CONDITIONS, SIZES, SYMBOLOGIES, Sample, empty, samples
from ui.benchmarks.measure import Figure, median, p99, timed

Reader = Callable[[Grey], frozenset[Code]]
POINTS = 5.0
"""So many points more than both in turn, says DESIGN.md 7."""
EMPTY_LOOKS = 100
LARGEST_SHARE = 0.25


@dataclass(slots=True)
class Score:
    """How one reader did."""

    read: Counter[str] = field(default_factory=Counter)
    """Samples read, in all and by symbology, condition and size."""
    wrong: list[str] = field(default_factory=list)
    """Values that stood in no frame."""
    ms: list[float] = field(default_factory=list)
    """For each frame."""


def read_all(readers: dict[str, Reader], bursts: Iterable[Sample]) -> tuple[dict[str, Score], Counter[str]]:
    """Each reader on each burst; and how many samples there are of each sort."""
    scores = {name: Score() for name in readers}
    total: Counter[str] = Counter()
    for sample in bursts:
        sorts = ("all", sample.symbology, sample.condition, f"{sample.size[0]}×{sample.size[1]}")
        total.update(sorts)
        wanted = Code(sample.text, sample.symbology)
        for name, reader in readers.items():
            agreement, counted = Agreement(), set[Code]()
            for frame in sample.frames:
                seen: list[frozenset[Code]] = []
                scores[name].ms.append(timed(lambda reader=reader, frame=frame, seen=seen: seen.append(reader(frame))))  # type: ignore[misc]
                counted.update(agreement.look(seen[0]))
            if wanted in counted:
                scores[name].read.update(sorts)
            scores[name].wrong += [f"{sample.text}: {code.text}" for code in counted - {wanted}]
    return scores, total


def code_reading(each: int, console: Console, progress: Progress) -> list[Figure]:
    """Four readers on `each` samples of every sort, in a table, and as figures with their goals."""
    readers: dict[str, Reader] = {
        "ours": CodeReader(SYMBOLOGIES).read,
        "zxing-cpp": only_zxing(SYMBOLOGIES),
        "pyzbar": only_zbar(SYMBOLOGIES),
        "both in turn": in_turn(SYMBOLOGIES),
    }
    count = each * len(SYMBOLOGIES) * len(CONDITIONS) * len(SIZES)
    scores, total = read_all(readers, progress.track(samples(each), total=count, description="camera frames"))
    _show(scores, total, console)
    ours, zxing, turn = scores["ours"], scores["zxing-cpp"], scores["both in turn"]
    share = {name: 100 * score.read["all"] / count for name, score in scores.items()}
    ahead = share["ours"] - share["both in turn"]
    rates = ", ".join(f"{name} {rate:.1f} %" for name, rate in share.items())
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
            note=f"{count} samples read: {rates}; ahead by {ahead:.1f} points; wrong values: {len(ours.wrong)}"
            f" (both in turn: {len(turn.wrong)}, median {median(turn.ms):.1f} ms)",
        ),
        empty_pad(),
    ]


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


def _show(scores: dict[str, Score], total: Counter[str], console: Console) -> None:
    table = Table(title="Samples read, % (two of three frames agree)")
    table.add_column("")
    for name in scores:
        table.add_column(name, justify="right")
    for sort, count in total.items():
        table.add_row(sort, *(f"{100 * score.read[sort] / count:.1f}" for score in scores.values()))
    table.add_row("wrong values", *(str(len(score.wrong)) for score in scores.values()))
    table.add_row("ms a frame, median", *(f"{median(score.ms):.1f}" for score in scores.values()))
    table.add_row("ms a frame, p99", *(f"{p99(score.ms):.1f}" for score in scores.values()))
    console.print(table)
