"""Slip printers by their model's name, as python-escpos' capability database describes them.

Owns the reading of that database: width, columns, knife and one-byte code pages of some thirty models, and what of it is
not to be believed. `drivers.printer_profiles` makes profiles of it. Reads one file of the package, once; any thread.

Why
- The file is read, the package is not imported: `escpos.capabilities` configures logging, makes a folder and pickles at
  its import.
- Customer displays and impact printers stand in it too. What cannot print a picture (GS v 0) or prints in coarse dots
  cannot print a slip of ours, whose rare characters are pictures.
- The database says nothing of Chinese: which code a printer holds is its edition, not its model.
"""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

CELL_DOTS = 12
"""Width of a Latin letter of Font A, and half the width of a Chinese character, at the least."""
_COARSE_DPI = 150
_WIDEST_CELL = 15
_NO_MODELS = frozenset({"default", "simple"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of the database."""

    name: str
    """As the database calls it, and the settings too."""
    maker: str
    """Who sells it."""
    width_dots: int
    """Printable width; a multiple of 8."""
    columns: int
    """Cells of Font A in a line."""
    cutter: bool
    """It has a knife."""
    code_pages: tuple[str, ...]
    """One-byte code pages for Western letters; for an inventory, slips need none."""


@cache
def models() -> Mapping[str, Model]:
    """Every model of the database that prints slips, by name."""
    spec = importlib.util.find_spec("escpos")
    if spec is None or not spec.submodule_search_locations:
        return MappingProxyType({})
    file = Path(spec.submodule_search_locations[0], "capabilities.json")
    entries: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["profiles"]
    return MappingProxyType({name: _model(name, entry) for name, entry in entries.items() if _prints(name, entry)})


def _prints(name: str, entry: Mapping[str, Any]) -> bool:
    dpi = _number(entry["media"].get("dpi"))
    return (
        name not in _NO_MODELS and bool(entry["features"].get("bitImageRaster")) and (dpi is None or dpi >= _COARSE_DPI)
    )


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    columns = int(entry["fonts"]["0"]["columns"])
    dots = _number(entry["media"].get("width", {}).get("pixels"))
    width = (columns * CELL_DOTS if dots is None else dots) // 8 * 8
    if not CELL_DOTS <= width / columns <= _WIDEST_CELL:  # one entry gives the size of a letter instead
        columns = width // CELL_DOTS
    features = entry["features"]
    return Model(
        name=name,
        maker=str(entry["vendor"]),
        width_dots=width,
        columns=columns,
        cutter=bool(features.get("paperFullCut") or features.get("paperPartCut")),
        code_pages=tuple(sorted({str(page) for page in entry["codePages"].values()} - {"Unknown"})),
    )


def _number(value: object) -> int | None:
    """A number of the database; it says "Unknown" where it knows none."""
    return value if isinstance(value, int) else None
