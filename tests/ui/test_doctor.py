"""What `shelfpoint doctor` says of scanners: as the driver finds them, not as a file name."""

import json
from pathlib import Path

from click.testing import CliRunner

from config.settings import CodeRule
from drivers.usb_ports import UsbPort
from ui.cli.doctor import loose_codes, scanner_at
from ui.cli.main import shelfpoint

HAND = "usb:0c2e:0b61"
SETTINGS = """
library_name = "測試市立圖書館"
branch = "main"
branch_name = "總館"
data = "data"
keys = "keys"

[[codes]]
type = "item"
pattern = "C[0-9]{6,7}"

[[devices.scanners]]
name = "hand"
path = "usb:0c2e:0b61:NOBODY"

[[devices.scanners]]
name = "table"
path = "table-scanner"
"""


def port(path: Path, serial: str = "") -> UsbPort:
    path.touch()
    return UsbPort(path=str(path), vendor="0c2e", product="0b61", serial=serial)


def test_a_scanner_named_by_its_usb_id_is_well_when_such_a_device_is_plugged_in(tmp_path: Path) -> None:
    found = scanner_at("hand", HAND, [port(tmp_path / "ttyACM0")])
    assert (found.well, found.detail) == (True, f"{HAND} at {tmp_path / 'ttyACM0'}")


def test_one_that_is_away_and_two_that_cannot_be_told_apart_are_not(tmp_path: Path) -> None:
    two = [port(tmp_path / "ttyACM0", "A"), port(tmp_path / "ttyACM1", "B")]
    away = scanner_at("hand", HAND, [])
    assert (away.well, away.detail.startswith(f"not found: {HAND}; ")) == (False, True)
    assert "2 devices answer to it; name its serial number" in scanner_at("hand", HAND, two).detail
    assert scanner_at("hand", f"{HAND}:B", two).well


def test_a_path_is_looked_for_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "scanner"
    assert not scanner_at("table", str(path), []).well
    path.touch()
    assert scanner_at("table", str(path), []).well


def test_a_shape_of_no_fixed_length_is_told_where_a_label_may_be_read_in_part() -> None:
    rules = [
        CodeRule(type="item", pattern="C[0-9]{7}"),
        CodeRule(type="item", pattern="[0-9]{8,10}", symbologies=frozenset({"code128", "qr"})),
        CodeRule(type="patron", pattern="[0-9]{6,8}", symbologies=frozenset({"itf", "code128"})),
        CodeRule(type="patron", pattern="P[0-9]+"),
    ]
    told = list(loose_codes(rules))
    assert [(finding.what, finding.well) for finding in told] == [
        ("codes.2 (patron)", False),
        ("codes.3 (patron)", False),
    ]
    assert "a label in itf that is read in part" in told[0].detail
    assert "codabar, code39, itf" in told[1].detail


def test_the_command_looks_at_every_scanner_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    done = CliRunner().invoke(shelfpoint, ["doctor", "--json", "--config", str(file)])
    told = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert "C[0-9]{6,7} fits codes of several lengths" in told["codes.0 (item)"]["detail"]
    assert told["scanner hand"]["detail"].startswith("not found: usb:0c2e:0b61:NOBODY;")
    assert told["scanner table"]["detail"].startswith("not found: table-scanner;")
