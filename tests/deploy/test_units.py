"""What deploy/ brings for systemd, polkit and the disk: taken by the tools that will read it, and as closed as it says (L4)."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtQml import QJSEngine

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROGRAM = Path(sys.executable).with_name("shelfpoint")
SERVICES = ("shelfpoint-central", "shelfpoint-backup", "shelfpoint-kiosk")


def tool(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_has_nothing_to_say_against_a_unit(name: str, tmp_path: Path) -> None:
    """Run on a copy whose programs are those of this machine: neither cage nor an installed Shelfpoint is needed for it."""
    for unit in DEPLOY.glob("shelfpoint-*.*"):
        if unit.suffix in (".service", ".timer"):
            text = unit.read_text(encoding="utf-8").replace("/usr/local/bin/shelfpoint", str(PROGRAM))
            (tmp_path / unit.name).write_text(text.replace("/usr/bin/cage", "/bin/true"), encoding="utf-8")
    drop_in = tmp_path / "shelfpoint-kiosk.service.d"
    drop_in.mkdir()
    shutil.copy(DEPLOY / "shelfpoint-kiosk-sealed.conf", drop_in / "sealed.conf")
    done = tool("systemd-analyze", "verify", "--man=no", tmp_path / f"{name}.service")
    about = [line for line in (done.stdout + done.stderr).splitlines() if name in line]
    assert (done.returncode, about) == (0, []), done.stderr


def test_the_timer_is_one_and_says_a_time(tmp_path: Path) -> None:
    text = (DEPLOY / "shelfpoint-backup.timer").read_text(encoding="utf-8")
    (when,) = re.findall(r"^OnCalendar=(.*)$", text, re.MULTILINE)
    assert tool("systemd-analyze", "calendar", when).returncode == 0


@pytest.mark.parametrize(
    ("name", "most"), [("shelfpoint-central", 2.0), ("shelfpoint-backup", 2.0), ("shelfpoint-kiosk", 2.5)]
)
def test_a_units_sandbox_is_as_tight_as_the_text_says(name: str, most: float) -> None:
    done = tool("systemd-analyze", "security", "--offline=true", "--no-pager", DEPLOY / f"{name}.service")
    level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level.group(1)) <= most


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_makes_files_for_its_own_account_and_has_limits(name: str) -> None:
    text = (DEPLOY / f"{name}.service").read_text(encoding="utf-8")
    assert "UMask=0077" in text
    assert re.search(r"^MemoryMax=[0-9]+[MG]$", text, re.MULTILINE)
    assert name == "shelfpoint-backup" or re.search(r"^LimitNOFILE=[0-9]+$", text, re.MULTILINE)


def test_the_kiosks_account_is_in_the_groups_of_its_devices(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    for name in ("passwd", "group"):
        (etc / name).write_text("root:x:0:0::/root:/bin/sh\n" if name == "passwd" else "root:x:0:\n", encoding="ascii")
    for kind in ("kiosk", "central"):
        done = tool("systemd-sysusers", f"--root={tmp_path}", DEPLOY / f"sysusers-{kind}.conf")
        assert done.returncode == 0, done.stderr
    groups = {line.split(":")[0]: line.split(":")[3] for line in (etc / "group").read_text().splitlines()}
    assert {name for name, members in groups.items() if "kiosk" in members.split(",")} >= {
        "dialout", "input", "video", "lp"
    }  # fmt: skip
    assert "shelfpoint" in groups


@pytest.mark.parametrize("kind", ["central", "kiosk"])
def test_folders_are_made_and_belong_to_the_account_alone(kind: str, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give folders away")
    conf = (DEPLOY / f"tmpfiles-{kind}.conf").read_text(encoding="utf-8")
    copy = tmp_path / "own.conf"
    copy.write_text(re.sub(r"shelfpoint shelfpoint|kiosk kiosk", "root root", conf), encoding="utf-8")
    done = tool("systemd-tmpfiles", "--create", f"--root={tmp_path}", copy)
    assert done.returncode == 0, done.stderr
    state = tmp_path / ("var/lib/shelfpoint" if kind == "central" else "var/lib/shelfpoint-kiosk")
    assert state.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "etc/shelfpoint").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("action", "user", "answer"),
    [
        ("org.debian.pcsc-lite.access_pcsc", "kiosk", "yes"),
        ("org.debian.pcsc-lite.access_card", "kiosk", "yes"),
        ("org.debian.pcsc-lite.access_pcsc", "www-data", "not handled"),
        ("org.freedesktop.login1.power-off", "kiosk", "not handled"),
    ],
)
def test_polkit_lets_the_kiosks_account_at_readers_and_cards_and_at_nothing_else(
    action: str, user: str, answer: str, qapp: object
) -> None:
    engine = QJSEngine()
    engine.evaluate(
        'var rule; var polkit = {Result: {YES: "yes", NOT_HANDLED: "not handled"}, addRule: function (r) {rule = r}}'
    )
    loaded = engine.evaluate((DEPLOY / "polkit-pcscd.rules").read_text(encoding="utf-8"))
    assert not loaded.isError(), loaded.toString()
    assert engine.evaluate(f'rule({{id: "{action}"}}, {{user: "{user}"}})').toString() == answer


@pytest.mark.parametrize("kind", ["central", "kiosk"])
def test_the_script_brings_every_file_that_its_kind_needs(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", DEPLOY / "install.sh", kind],
        env={**os.environ, "DESTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    brought = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir()}
    assert {
        "usr/local/bin/shelfpoint",
        f"etc/systemd/system/shelfpoint-{kind}.service",
        f"etc/sysusers.d/shelfpoint-{kind}.conf",
        f"etc/tmpfiles.d/shelfpoint-{kind}.conf",
    } <= brought
    assert ("etc/polkit-1/rules.d/50-shelfpoint-pcscd.rules" in brought) == (kind == "kiosk")
    assert ("usr/local/bin/shelfpoint-central" in brought) == (kind == "central")
    assert not any("kiosk.toml" in name for name in brought)


def test_the_script_refuses_what_it_does_not_know() -> None:
    done = tool("sh", DEPLOY / "install.sh", "desk")
    assert (done.returncode, done.stderr) == (
        1,
        "install stopped: say which: install.sh central, or install.sh kiosk.\n",
    )


def test_roots_central_commands_run_as_centrals_account(tmp_path: Path) -> None:
    shim = tmp_path / "bin"
    shim.mkdir()
    for name, text in (
        ("shelfpoint", 'echo "$SHELFPOINT_CENTRAL_DATA: $*"'),
        ("runuser", 'echo "as $2" && shift 3 && exec "$@"'),
        ("id", '[ "$1" = -u ] && echo "$FAKE_ID" || echo "$FAKE_NAME"'),
    ):
        (shim / name).write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
        (shim / name).chmod(0o755)

    def run(**env: str) -> "subprocess.CompletedProcess[str]":
        path = {"PATH": f"{shim}:/usr/bin:/bin"}
        return subprocess.run(
            ["sh", DEPLOY / "shelfpoint-central", "fleet"], env=path | env, capture_output=True, text=True, check=False
        )

    assert run(FAKE_ID="0", FAKE_NAME="root").stdout == "as shelfpoint\n/var/lib/shelfpoint/central: central fleet\n"
    assert run(FAKE_ID="9", FAKE_NAME="shelfpoint").stdout == "/var/lib/shelfpoint/central: central fleet\n"
    assert run(FAKE_ID="7", FAKE_NAME="clerk").returncode == 1
    copy = run(FAKE_ID="7", FAKE_NAME="clerk", SHELFPOINT_CENTRAL_ACCOUNT="", SHELFPOINT_CENTRAL_DATA="/x")
    assert copy.stdout == "/x: central fleet\n"
