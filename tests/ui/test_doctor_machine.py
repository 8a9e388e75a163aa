"""What `shelfpoint doctor` says of the machine: services that take ports, rights, the way to central, the seal (L4, C7)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import KioskSettings, Reader, load
from ui.cli.doctor_machine import card_service, doubled_readers, grabbers, may_open, seal, way_to_central

SETTINGS = """
library_name = "測試市立圖書館"
branch = "main"
branch_name = "總館"
data = "data"
keys = "keys"
codes = [{{ type = "item", pattern = "C[0-9]{{7}}" }}]
{devices}
"""


def settings(folder: Path, devices: str) -> KioskSettings:
    file = folder / "kiosk.toml"
    file.write_text(SETTINGS.format(devices=devices), encoding="utf-8")
    return load(file)


def machine(folder: Path, running: str = "", installed: str = "") -> Path:
    (folder / "proc/7").mkdir(parents=True)
    (folder / "proc/7/comm").write_text(f"{running or 'sh'}\n", encoding="ascii")
    (folder / "usr/sbin").mkdir(parents=True)
    if installed:
        (folder / "usr/sbin" / installed).touch()
    return folder


@pytest.mark.parametrize("name", ["ModemManager", "brltty"])
def test_programs_that_take_serial_ports_are_told_whether_they_run_or_wait(name: str, tmp_path: Path) -> None:
    def finding_on(root: Path) -> tuple[bool, str]:
        (finding,) = [finding for finding in grabbers(root) if finding.what == name]
        return finding.well, finding.detail

    purge = f"apt-get purge {name.lower()}"
    well, detail = finding_on(machine(tmp_path / "a", running=name))
    assert (well, detail.startswith("it runs"), purge in detail) == (False, True, True)
    well, detail = finding_on(machine(tmp_path / "b", installed=name))
    assert (well, detail.startswith("it is installed"), purge in detail) == (False, True, True)
    assert finding_on(machine(tmp_path / "c")) == (True, "not here")


@pytest.mark.parametrize(
    ("url", "well"),
    [
        ("https://central.example", True),
        ("http://127.0.0.1:8470", True),
        ("http://[::1]:8470", True),
        ("http://localhost:8470", True),
        ("http://192.0.2.7:8470", False),
        ("http://central.example", False),
        ("http://127.0.0.1.evil.example", False),
    ],
)
def test_plain_http_may_only_stay_on_this_machine(url: str, well: bool) -> None:
    finding = way_to_central(url)
    assert (finding.well, "nginx with TLS" in finding.detail) == (well, not well)


def test_without_a_tpm_it_is_said_what_a_copied_disk_tells(tmp_path: Path) -> None:
    assert "within a second" in seal(tmp_path / "none").detail
    assert "TPM first" in seal(tmp_path / "none").detail
    (tmp_path / "tpmrm0").touch()
    assert "can seal" in seal(tmp_path / "tpmrm0").detail


def test_a_device_that_this_account_may_not_open_is_told_with_its_group(tmp_path: Path) -> None:
    path = tmp_path / "scanner"
    path.touch()
    devices = f'[[devices.scanners]]\nname = "table"\npath = "{path}"\n\n[[devices.scanners]]\nname = "hand"\npath = "/dev/tty"\n'
    configured = settings(tmp_path, f'{devices}\n[[devices.printers]]\npath = "/dev/usb/lp-none"\n')
    assert list(may_open(configured, opens=lambda node: True)) == []
    unnamed, group = may_open(configured, opens=lambda node: False)
    assert (unnamed.what, unnamed.well, str(path) in unnamed.detail) == ("rights on table", False, True)
    assert "usermod -a -G dialout kiosk" in group.detail


def test_rights_are_the_systems(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may open everything")
    (tmp_path / "scanner").touch(mode=0)
    assert len(list(may_open(settings(tmp_path, f'[[devices.scanners]]\npath = "{tmp_path}/scanner"\n')))) == 1


def test_two_entries_for_one_reader_are_told() -> None:
    names = ["ACS ACR122U PICC Interface 00 00", "Other 01 00"]
    both = (Reader(name="left", pattern="ACR122"), Reader(name="right", pattern="PICC"))
    (finding,) = doubled_readers(both, names)
    assert (finding.well, "left and right match it" in finding.detail) == (False, True)
    assert list(doubled_readers((Reader(pattern="ACR122"), Reader(pattern="^Other")), names)) == []


def test_a_pcscd_that_never_answers_is_told_in_time(tmp_path: Path) -> None:
    code = "from ui.cli.doctor_machine import card_service; f = card_service(); print(f.well, f.detail)"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "pcscd"))
        silent.listen()
        hangs = {**os.environ, "PCSCLITE_CSOCK_NAME": str(tmp_path / "pcscd")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=hangs, capture_output=True, text=True, check=True, timeout=60
        )
    assert done.stdout.startswith("False pcscd takes calls and does not answer; ")


def test_no_pcscd_is_told_without_an_exception(tmp_path: Path) -> None:
    code = "from ui.cli.doctor_machine import card_service; f = card_service(); print(f.well, f.detail)"
    away = {**os.environ, "PCSCLITE_CSOCK_NAME": str(tmp_path / "nobody")}
    done = subprocess.run([sys.executable, "-c", code], env=away, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False 0x8010001D; start pcscd")
    assert card_service().what == "card reader service"
