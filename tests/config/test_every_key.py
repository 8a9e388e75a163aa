"""No key of a kiosk's settings is read and then forgotten: each is taken by the module that builds from it."""

import ast
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from config import settings
from config.settings import (
    Camera,
    CardRule,
    Central,
    CodeRule,
    ContactScript,
    Devices,
    KioskSettings,
    Metrics,
    Printer,
    Reader,
    Scanner,
    Screen,
)

ROOT = Path(__file__).resolve().parents[2]
VISIT, ROOM, WINDOW, COMMAND = "config/settings.py:visit", "ui/assembly.py", "ui/patron/app.py", "ui/cli/kiosk.py"
DEVICES = "drivers/catalog.py"
TAKEN: dict[type[BaseModel], tuple[str, ...]] = {
    CardRule: (VISIT,),
    CodeRule: (VISIT,),
    ContactScript: (DEVICES,),
    Reader: (DEVICES,),
    Scanner: (DEVICES,),
    Printer: (DEVICES,),
    Camera: (DEVICES,),
    Devices: (DEVICES, WINDOW),
    Central: (ROOM,),
    Metrics: (ROOM,),
    Screen: (VISIT, WINDOW, COMMAND),
    KioskSettings: (VISIT, ROOM, WINDOW),
}
"""Where the keys of each table are taken: a module, or one function of it."""


@cache
def read_in(place: str) -> frozenset[str]:
    """Attributes that are read there."""
    path, _, function = place.partition(":")
    tree: ast.AST = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    if function:
        tree = next(one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == function)
    loads = (one for one in ast.walk(tree) if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Load))
    return frozenset(one.attr for one in loads)


def test_every_table_of_the_settings_is_looked_at_here() -> None:
    tables = {
        one
        for one in vars(settings).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == settings.__name__
    }
    assert {one for one in tables if not one.__name__.startswith("_")} == set(TAKEN)


@pytest.mark.parametrize(("table", "key"), [(table, key) for table in TAKEN for key in table.model_fields], ids=str)
def test_a_key_is_taken_where_its_table_is_used(table: type[BaseModel], key: str) -> None:
    assert any(key in read_in(place) for place in TAKEN[table]), f"{table.__name__}.{key} does nothing"
