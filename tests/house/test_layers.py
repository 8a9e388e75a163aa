"""The floors of the house hold: imports point down, and the heart stands on the standard library alone."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def imported_by(source: Path) -> set[str]:
    """Top-level names that a module imports, anywhere in it; relative imports stay inside and are left out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"), filename=str(source))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_every_import_contract_is_kept() -> None:
    check = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_heart_imports_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"kiosk"}
    strangers = {
        f"{source.relative_to(ROOT)}: {name}"
        for source in sorted((ROOT / "kiosk").rglob("*.py"))
        for name in imported_by(source) - allowed
    }
    assert strangers == set()
