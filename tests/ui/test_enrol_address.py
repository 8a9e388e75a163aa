"""`shelfpoint kiosk enrol` introduces no kiosk over a line on which anybody may listen, unless somebody says that nobody can."""

import subprocess
import sys
from pathlib import Path

import pytest
from central_server import CentralServer

from kiosk.ports import CentralError
from sync.enrolment import check_address

COMMAND = Path(sys.executable).with_name("shelfpoint")


def enrol(config: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [COMMAND, "kiosk", "enrol", "--config", config, "--code", "4J7K-9QXZ-A2MT", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return CentralServer(tmp_path / "central").blank_kiosk(tmp_path / "kiosk")


def test_an_address_without_tls_is_refused_before_anything_is_asked_or_made(config: Path) -> None:
    refused = enrol(config, "--url", "http://192.0.2.7:8470")
    assert refused.returncode == 1
    assert "http://192.0.2.7:8470" in refused.stderr
    assert "--plain-http" in refused.stderr
    assert sorted(path.name for path in config.parent.iterdir()) == ["kiosk.toml"]


def test_with_the_flag_it_is_asked(config: Path) -> None:
    unreachable = enrol(config, "--url", "http://127.0.0.2:1", "--plain-http")
    assert "unreachable" in unreachable.stderr + unreachable.stdout


@pytest.mark.parametrize(
    "url",
    [
        "https://central.example",
        "http://localhost:8470",
        "http://LOCALHOST",
        "http://127.0.0.1:8470",
        "http://[::1]:8470",
    ],
)
def test_tls_and_this_very_machine_need_no_flag(url: str) -> None:
    check_address(url, plain_http=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://central.example", "http://localhost.example", "http://127.0.0.1.example", "http://10.0.0.7:8470",
        "http://[fe80::1]", "ftp://central.example", "central.example", "https://", "",
    ],
)  # fmt: skip
def test_every_other_address_is_refused(url: str) -> None:
    with pytest.raises(CentralError):
        check_address(url, plain_http=False)
