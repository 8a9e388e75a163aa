"""Timing and telling: repeat, take percentiles, compare with a floor. Ratios are told, as machines differ."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the bench."""

    work: str
    """What was measured."""
    median_ms: float
    """Middle of all runs."""
    p99_ms: float
    """99 of 100 runs were at least as fast."""
    runs: int
    """How many."""
    floor: str = ""
    """What it is compared with."""
    floor_ms: float | None = None
    """Median of the floor in the same run."""
    goal: str = ""
    """From DESIGN.md section 7."""
    met: bool | None = None
    """Whether the goal is met; None where there is none."""
    note: str = ""
    """Sizes, or why it could not be measured."""

    @property
    def ratio(self) -> float | None:
        """Times the floor."""
        return None if not self.floor_ms else self.median_ms / self.floor_ms


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    start = perf_counter()
    work()
    return (perf_counter() - start) * 1000


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def p99(samples: Sequence[float]) -> float:
    """The value that 99 % do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def show(figures: Sequence[Figure], console: Console) -> None:
    """A table for people."""
    table = Table(title="Shelfpoint bench", show_lines=False)
    for name in ("work", "median ms", "p99 ms", "floor ms", "× floor", "goal", ""):
        table.add_column(name, justify="left" if name in ("work", "goal", "") else "right")
    for figure in figures:
        table.add_row(
            figure.work,
            f"{figure.median_ms:.2f}",
            f"{figure.p99_ms:.2f}",
            "" if figure.floor_ms is None else f"{figure.floor_ms:.2f}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.goal,
            {True: "met", False: "NOT met", None: ""}[figure.met],
        )
    console.print(table)
    for figure in figures:
        if figure.floor or figure.note:
            floor = f" Floor: {figure.floor}." if figure.floor else ""
            note = f" {figure.note}." if figure.note else ""
            console.print(f"[dim]{figure.work}: {figure.runs} runs.{floor}{note}[/dim]")


def as_json(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """For programs."""
    return [{**asdict(figure), "ratio": figure.ratio} for figure in figures]
