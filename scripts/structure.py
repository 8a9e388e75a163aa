"""Measures the house: files a folder, arrows between rooms, long functions, wide classes, names for two things, empty names.

    .venv/bin/python scripts/structure.py             a table
    .venv/bin/python scripts/structure.py --json      for a program: numbers only
    .venv/bin/python scripts/structure.py --list      also where each of them is

A room is a folder below kiosk, config, documents, drivers, sync and ui. Migrations and the virtual twins stand outside the count
of files; Qt's classes outside that of methods, as each slot and property is one. Reads the sources as text; runs nothing.
"""

import argparse
import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("kiosk", "config", "documents", "drivers", "sync", "ui")
LONG_LINES = 40
WIDE_METHODS = 20
UNCOUNTED = ("migrations", "virtual")
EMPTY_NAMES = frozenset({"told", "said", "place", "found", "one", "own", "held"})
"""Identifiers that say nothing about the thing that they stand for."""
QT = ("QObject", "QAbstractListModel", "QAbstractTableModel", "QMainWindow", "QWidget", "QQuickImageProvider")


@dataclass(slots=True)
class Structure:
    """What was measured."""

    files: Counter[str] = field(default_factory=Counter)
    """Python files lying flat in each folder."""
    arrows: set[tuple[str, str]] = field(default_factory=set)
    """Folder that imports, folder that is imported."""
    functions: int = 0
    """How many there are."""
    long: list[str] = field(default_factory=list)
    """Those of more than `LONG_LINES`, with their place."""
    wide: list[str] = field(default_factory=list)
    """Classes with more than `WIDE_METHODS` public methods, with their place."""
    classes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Public class name: the modules that define it."""
    empty: list[str] = field(default_factory=list)
    """Places that bind a name of `EMPTY_NAMES`."""

    @property
    def doubled(self) -> list[str]:
        """Class names that stand for two or more things."""
        return sorted(f"{name}: {', '.join(where)}" for name, where in self.classes.items() if len(where) > 1)

    def figures(self) -> dict[str, float]:
        """The numbers that a test can bound."""
        counted = {folder: count for folder, count in self.files.items() if not set(UNCOUNTED) & set(folder.split("/"))}
        return {
            "largest_folder": max(counted.values(), default=0),
            "arrows_between_rooms": len(self.arrows),
            "long_functions_percent": round(100 * len(self.long) / max(1, self.functions), 2),
            "wide_classes": len(self.wide),
            "names_for_two_things": len(self.doubled),
            "empty_names": len(self.empty),
        }


def measure(root: Path = ROOT) -> Structure:
    """Reads every source below the project's folders; blocking, about two seconds."""
    structure = Structure()
    for top in FOLDERS:
        for path in sorted((root / top).rglob("*.py")):
            if "__pycache__" not in path.parts:
                _take(structure, path.relative_to(root), ast.parse(path.read_text(encoding="utf-8")))
    return structure


def _take(structure: Structure, path: Path, tree: ast.Module) -> None:
    room = path.parent.as_posix()
    structure.files[room] += path.name != "__init__.py"
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                structure.arrows.update(_arrows(room, [alias.name for alias in names]))
            case ast.ImportFrom(module=str(module), names=names, level=0):
                structure.arrows.update(_arrows(room, [f"{module}.{alias.name}" for alias in names]))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                structure.functions += 1
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONG_LINES:
                    structure.long.append(f"{path}:{node.lineno} {node.name} ({length} lines)")
            case ast.ClassDef(name=name):
                _take_class(structure, path, node)
                if not name.startswith("_"):
                    structure.classes[name].append(path.as_posix())
    structure.empty += [f"{path}:{line} {name}" for line, name in _bound(tree) if name in EMPTY_NAMES]


def _take_class(structure: Structure, path: Path, node: ast.ClassDef) -> None:
    methods = {
        part.name
        for part in node.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not part.name.startswith("_")
    }
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    if len(methods) > WIDE_METHODS and not bases & set(QT):
        structure.wide.append(f"{path}:{node.lineno} {node.name} ({len(methods)} methods)")


def _arrows(room: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if name.split(".")[0] not in FOLDERS:
            continue
        target = ROOT / name.replace(".", "/")
        while not target.is_dir():
            target = target.parent
        other = target.relative_to(ROOT).as_posix()
        if other != room:
            yield room, other


def _bound(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that is given to something: variables, parameters, functions."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    structure = measure()
    figures = structure.figures()
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        print(f"{name.replace('_', ' '):28} {figure:g}")
    print("\nlargest folders: " + ", ".join(f"{folder} {count}" for folder, count in structure.files.most_common(8)))
    if arguments.list:
        for title, lines in (
            ("long functions", structure.long),
            ("wide classes", structure.wide),
            ("names for two things", structure.doubled),
            ("empty names", structure.empty),
        ):
            print(f"\n{title}:", *lines, sep="\n  ", file=sys.stdout)


if __name__ == "__main__":
    main()
