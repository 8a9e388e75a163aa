"""The lock files are whole: every requirement has hashes, no address stands in them, and they match pyproject.toml."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-server.lock", "requirements-dev.lock", "requirements-build.lock"]


def entries(lock: str) -> list[str]:
    """The requirements of a lock file, one text each: pin, marker and hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


def pins(lock: str) -> dict[str, set[str]]:
    """Locked versions by name; a name may have several, told apart by markers."""
    versions: dict[str, set[str]] = {}
    for entry in entries(lock):
        name, _, rest = entry.partition("==")
        versions.setdefault(canonicalize_name(name), set()).add(re.split(r"[\s;\\]", rest)[0])
    return versions


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def declared(*groups: str) -> list[Requirement]:
    """What pyproject.toml asks for: the dependencies and the named extras or groups."""
    table = project()
    wanted = list(table["project"]["dependencies"])
    for group in groups:
        extras = table["project"]["optional-dependencies"]
        wanted += extras[group] if group in extras else table["dependency-groups"][group]
    return [Requirement(line) for line in wanted]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_has_hashes(lock: str) -> None:
    loose = [
        entry.splitlines()[0]
        for entry in entries(lock)
        if not re.match(r"[a-z0-9._-]+==\S", entry) or not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    ]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_and_no_option_stands_in_a_lock_file(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"^.*(?:https?:|file:|git\+|@ |^-).*$", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ("kiosk", "server")),
        ("requirements-server.lock", ("server",)),
        ("requirements-dev.lock", ("kiosk", "server", "dev")),
    ],
)
def test_a_lock_file_holds_what_pyproject_declares(lock: str, groups: tuple[str, ...]) -> None:
    locked = pins(lock)
    unmet = [
        f"{wanted} (locked: {locked.get(canonicalize_name(wanted.name), 'nothing')})"
        for wanted in declared(*groups)
        if not any(wanted.specifier.contains(version) for version in locked.get(canonicalize_name(wanted.name), ()))
    ]
    assert unmet == []


def test_the_development_lock_holds_the_product_in_the_same_versions() -> None:
    development = pins("requirements-dev.lock")
    differing = {name for name, versions in pins("requirements.lock").items() if development.get(name) != versions}
    assert differing == set()


def test_a_server_alone_needs_no_qt_and_no_reader() -> None:
    assert pins("requirements-server.lock").keys().isdisjoint({"pyside6-essentials", "shiboken6", "pyscard"})


def test_the_build_tools_are_locked_within_the_declared_bounds() -> None:
    locked = pins("requirements-build.lock")
    table = project()
    wanted = [Requirement(line) for line in table["build-system"]["requires"]]
    wanted.append(Requirement("uv" + table["tool"]["uv"]["required-version"]))
    assert [str(tool) for tool in wanted if not all(tool.specifier.contains(v) for v in locked[tool.name])] == []
    assert {"setuptools", "swig"} <= locked.keys()
