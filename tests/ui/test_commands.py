"""The command line from outside: help, exit codes, and what each command needs to have installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.central.office import Central, CentralSettings
from sync.wire import Health
from ui.cli.main import COMMANDS

PROGRAM = Path(sys.executable).with_name("shelfpoint")

KIOSK_ONLY = "PySide6 shiboken6 smartcard serial escpos PIL qrcode cv2 zxingcpp pyzbar pyudev usb"
SERVER_ONLY = "litestar granian psycopg argon2 pymarc"

BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing!r}.split():
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
sys.argv = ["shelfpoint", *{arguments!r}]
from ui.cli.main import main
main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)


def run_without(missing: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = BLOCK.format(missing=missing, arguments=arguments)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_help(command: str) -> None:
    done = run(command, "--help")
    assert (done.returncode, "Usage:" in done.stdout) == (0, True), done.stderr


def test_wrong_settings_are_told_whole_and_end_with_two(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text('library_name = 3\nbranch = "main"\ndata = "d"\nkeys = "k"\nsurprise = 1\n', encoding="utf-8")
    done = run("queue", "status", "--config", str(path))
    assert done.returncode == 2
    for key in ("library_name", "branch_name", "codes", "surprise"):
        assert f"{path}: key {key}: expected " in done.stderr


def test_an_unknown_option_ends_with_two() -> None:
    assert run("bench", "--nonsense").returncode == 2


def test_a_command_that_promises_a_code_ends_with_it(tmp_path: Path) -> None:
    """As the installed script: what a test runner inside this process sees is not what a shell sees."""
    data = ("--data", str(tmp_path / "central"))
    assert run("central", "load-demo", *data).returncode == 0
    doctor = run("central", "doctor", *data)
    assert (doctor.returncode, "BAD" in doctor.stdout) == (1, True)
    assert run("central", "fleet", *data).returncode == 0
    made = run("central", "enrol", "--branch", "main", "--json", *data)
    enrolled(tmp_path / "central", json.loads(made.stdout)["code"])
    assert run("central", "fleet", *data).returncode == 1, "a kiosk that serves nobody"
    short = tmp_path / "short.csv"
    short.write_text("id,name,category\nx1,王小明\n", encoding="utf-8")
    assert run("central", "import-patrons", *data, str(short)).returncode == 1
    assert run("central", "import-patrons", *data, "--preview", str(short)).returncode == 1
    short.write_text("id,title,branch\nC9,書,nowhere\n", encoding="utf-8")
    assert run("central", "import-items", *data, str(short)).returncode == 1
    wish = ("hold", "place", "--membership", "nobody", "--item", "C0000001", "--branch", "main")
    assert run("central", *wish, *data).returncode == 1
    assert run("central", "hold", "cancel", "nothing", *data).returncode == 2
    assert run("central", "backup", *data, str(tmp_path / "copy")).returncode == 1, "no recovery copy of the key"
    assert run("central", "revoke", "nobody-1", *data).returncode == 2


def enrolled(data: Path, code: str) -> None:
    """A kiosk with a full disk."""
    opened = Central.open(CentralSettings(data=data))
    kiosk = opened.fleet.enrol(code, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    opened.fleet.note_health(kiosk.id, Health(incarnation="1", program="1", queue_length=0, trouble="disk_full"))
    opened.close()


def test_central_works_with_only_the_server_extra(tmp_path: Path) -> None:
    data = str(tmp_path / "central")
    assert run_without(KIOSK_ONLY, "central", "load-demo", "--data", data).returncode == 0
    made = run_without(KIOSK_ONLY, "central", "enrol", "--branch", "main", "--data", data, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["branch"] == "main"


def test_devices_work_with_only_the_kiosk_extra(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(
        'library_name = "x"\nbranch = "main"\nbranch_name = "x"\ndata = "d"\nkeys = "k"\n'
        '[[codes]]\ntype = "item"\npattern = "C[0-9]+"\n[devices]\nreaders = []\n'
        '[[devices.scanners]]\nname = "scanner"\npath = "/nowhere"\n',
        encoding="utf-8",
    )
    done = run_without(SERVER_ONLY, "devices", "list", "--json", "--config", str(path))
    assert done.returncode == 1, done.stderr
    assert "not_plugged" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_part_that_is_not_installed_is_named() -> None:
    done = run_without(KIOSK_ONLY, "demo", "--headless")
    assert done.returncode == 1
    assert "is not installed here" in done.stderr
    assert "Traceback" not in done.stderr
