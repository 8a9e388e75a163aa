"""Lints every QML file under ui/ with no warning allowed, on the types that Python declares with @QmlElement.

    .venv/bin/python scripts/qmllint.py            all files
    .venv/bin/python scripts/qmllint.py FILE ...   these files

qmllint reads types from .qmltypes files; Python types have none, so they are made first, in build/qml:
pyside6-metaobjectdump reads the Python sources (it does not run them), pyside6-qmltyperegistrar writes the .qmltypes,
and a qmldir beside it names the module. metaobjectdump knows only types declared in the plain way
(`class Model(QObject)`, `@Property(str, notify=changed)`, `@Slot(str)`) and forgets `constant=True`; that is put back
here, otherwise qmllint would call every constant property stale.

Exits with 0 when there is nothing to say, else with qmllint's own code. Needs no display.
"""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "qml"
TOOLS = Path(sys.executable).parent
MODULE_NAME = re.compile(r"^QML_IMPORT_NAME\b", re.MULTILINE)


def run(*command: str | Path) -> int:
    """Print the command, run it in the project's folder, and return its exit code; blocking."""
    words = [str(word) for word in command]
    print("+", " ".join(word.removeprefix(f"{ROOT}/") for word in words), flush=True)
    return subprocess.run(words, cwd=ROOT, check=False).returncode


def constant_properties(source: Path) -> set[tuple[str, str]]:
    """(class, property) of each `@Property(..., constant=True)` in a Python file."""
    return {
        (owner.name, getter.name)
        for owner in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(owner, ast.ClassDef)
        for getter in owner.body
        if isinstance(getter, ast.FunctionDef)
        for mark in getter.decorator_list
        if isinstance(mark, ast.Call)
        for keyword in mark.keywords
        if keyword.arg == "constant" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    }


def dump(sources: list[Path]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """What Python declares, as moc would say it, by QML module and major version."""
    raw = STAGE / "python.json"
    if run(TOOLS / "pyside6-metaobjectdump", "--quiet", "--out-file", raw, *sources) != 0:
        sys.exit("qmllint: the Python types could not be read")
    modules: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for entry in json.loads(raw.read_text(encoding="utf-8")):
        constant = constant_properties(Path(entry["inputFile"]))
        for declared in entry["classes"]:
            for field in declared.get("properties", []):
                field["constant"] = (declared["className"], field["name"]) in constant
        modules[entry["QML_IMPORT_NAME"], entry["QML_IMPORT_MAJOR_VERSION"]].append(entry)
    return modules


def qml_folder_of(module: str) -> Path | None:
    """The folder of QML files that the engine finds under this module's name, if there is one (…/Shelfpoint/Patron)."""
    for qmldir in (ROOT / "ui").rglob("qmldir"):
        named = f"module {module}" in qmldir.read_text(encoding="utf-8").splitlines()
        if named and qmldir.parent.as_posix().endswith("/" + module.replace(".", "/")):
            return qmldir.parent
    return None


def stage_module(module: str, major: int, entries: list[dict[str, Any]]) -> None:
    """Write build/qml/<module>/ with a qmldir, the .qmltypes and links to the QML files of the same module."""
    folder = STAGE / module.replace(".", "/")
    folder.mkdir(parents=True, exist_ok=True)
    moc, types = folder / f"python{major}.json", folder / f"python{major}.qmltypes"
    moc.write_text(json.dumps(entries), encoding="utf-8")
    foreign = (Path(TOOLS) / "..").resolve().glob("lib/python*/site-packages/PySide6/Qt/metatypes/qt6*_metatypes.json")
    known = ",".join(str(path) for path in sorted(foreign) if re.match(r"qt6(core|gui|qml|quick)_", path.name))
    options = ["--import-name", module, "--major-version", str(major), "--minor-version", "0"]
    if known:
        options += ["--foreign-types", known]
    if run(
        TOOLS / "pyside6-qmltyperegistrar", *options, "--generate-qmltypes", types, "-o", folder / "unused.cpp", moc
    ):
        sys.exit(f"qmllint: no .qmltypes could be made for {module}")
    lines = [f"module {module}"]
    if beside := qml_folder_of(module):
        lines = (beside / "qmldir").read_text(encoding="utf-8").splitlines()
        for file in beside.iterdir():
            if file.name != "qmldir" and not (folder / file.name).exists():
                (folder / file.name).symlink_to(file)
    (folder / "qmldir").write_text("\n".join([*lines, f"typeinfo {types.name}"]) + "\n", encoding="utf-8")


def import_roots() -> list[Path]:
    """Folders under ui/ from which a qmldir's module name is a path, so that `import Shelfpoint.Shapes` is found."""
    roots = []
    for qmldir in sorted((ROOT / "ui").rglob("qmldir")):
        found = re.search(r"^module (\S+)$", qmldir.read_text(encoding="utf-8"), re.MULTILINE)
        if found and qml_folder_of(found[1]) == qmldir.parent:
            roots.append(qmldir.parents[found[1].count(".") + 1])
    return roots


def main(arguments: list[str]) -> int:
    """Lint the named files, or all; returns the exit code."""
    files = [Path(name).resolve() for name in arguments] or sorted((ROOT / "ui").rglob("*.qml"))
    if not files:
        print("qmllint: there is no QML yet")
        return 0
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    sources = [
        path for path in sorted((ROOT / "ui").rglob("*.py")) if MODULE_NAME.search(path.read_text(encoding="utf-8"))
    ]
    if sources:
        for (module, major), entries in dump(sources).items():
            stage_module(module, major, entries)
    options = ["--max-warnings", "0", "--unused-imports", "warning"]
    for folder in dict.fromkeys([STAGE, *import_roots()]):
        options += ["-I", str(folder)]
    return run(TOOLS / "pyside6-qmllint", *options, *(path.relative_to(ROOT) for path in files))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
