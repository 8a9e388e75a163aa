"""Suggest, record and replay: settings to paste, and recorded faults that replay as tests (L3)."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Devices
from drivers.input_nodes import InputNode
from drivers.retell import retell_printer, retell_scanner
from drivers.suggest import suggestions
from drivers.tape import Piece, Way
from drivers.usb_ports import UsbPort
from drivers.virtual.scanner import VirtualScanner

TAPES = Path(__file__).resolve().parents[1] / "tapes"
TOLD = {
    "scanner-two-codes-in-one-burst": [
        "code C0000001 (code128)",
        "code C0000002 (code39)",
        "trouble code_unreadable",
        "trouble code_unreadable",
    ],
    "printer-paper-out-in-the-middle": ["state ready", "state paper_out", "marked", "state paper_low"],
    "printer-stale-echo": ["echo OLD!", "echo A1b2", "state paper_low"],
}


def shelfpoint(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [Path(sys.executable).parent / "shelfpoint", "devices", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ)


def test_every_tape_is_told() -> None:
    assert {path.stem for path in TAPES.glob("*.tape")} == set(TOLD)


@pytest.mark.parametrize("name", TOLD)
def test_a_recorded_fault_is_told_as_it_was(name: str) -> None:
    done = shelfpoint("replay", TAPES / f"{name}.tape")
    assert (done.returncode, done.stdout.splitlines()) == (0, TOLD[name]), done.stderr


def test_a_tape_says_what_ends_its_scanners_codes(tmp_path: Path) -> None:
    burst = (TAPES / "scanner-two-codes-in-one-burst.tape").read_text(encoding="utf-8")
    tape = tmp_path / "pause.tape"
    tape.write_text(
        burst.replace(burst.partition("\n")[0], "# shelfpoint tape 1: scanner, ends pause"), encoding="utf-8"
    )
    assert shelfpoint("replay", tape).stdout.splitlines()[-1] == "code C0000003"


def test_what_is_no_tape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.tape").write_text("hello")
    assert shelfpoint("replay", tmp_path / "no.tape").returncode == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(Way), st.binary(min_size=1, max_size=20)), max_size=20))
def test_no_tape_stops_the_telling(pieces: list[tuple[float, Way, bytes]]) -> None:
    tape = [Piece(*piece) for piece in pieces]
    assert all(line.isprintable() for line in [*retell_scanner(tape), *retell_printer(tape)])


def test_what_a_printer_says_of_itself_is_told_in_printable_words() -> None:
    heard = b"\x5fEP\x07SON\x00" + b"\x37\x2264\x1f64\x00" + b"\x37\x36" + b"1\x1f1\x00"
    assert list(retell_printer([Piece(0.0, Way.HEARD, heard)])) == ["about itself EP?SON", "has drawn a QR code"]
    echo = [Piece(0.0, Way.HEARD, b"\x37\x22ab\x01\xff\x00")]
    assert list(retell_printer(echo)) == ["echo ab?\ufffd"]


def test_what_is_scanned_while_recording_replays(tmp_path: Path) -> None:
    twin = VirtualScanner(tmp_path / "scanner")
    twin.plug()
    config, tape = tmp_path / "kiosk.toml", tmp_path / "fault.tape"
    config.write_text(
        'library_name = "L"\nbranch = "m"\nbranch_name = "M"\ndata = "data"\nkeys = "keys"\n'
        'codes = [{ type = "item", pattern = "C[0-9]{7}" }]\n'
        f'[devices]\nscanners = [{{ path = "{twin.link}" }}]\n'
    )
    command = [Path(sys.executable).parent / "shelfpoint", "devices", "record", tape, "--name", "scanner"]
    with subprocess.Popen([*command, "--config", config], stderr=subprocess.PIPE, text=True) as recording:
        assert recording.stderr is not None
        while "Recording" not in recording.stderr.readline():
            pass
        twin.scan("]C0C0000007")
        twin.scan("", end="")  # a label's time later
        twin.noise(b"\xff\r")
        while not tape.read_text().replace("\n", " ").endswith("0D ") or "FF" not in tape.read_text():
            assert recording.poll() is None
        twin.unplug()
        assert recording.wait(20) == 1
    assert "# lost: not_plugged" in tape.read_text()
    assert shelfpoint("replay", tape).stdout.splitlines() == ["code C0000007 (code128)", "trouble code_unreadable"]


def test_suggestions_can_be_pasted_into_the_settings() -> None:
    readers = (
        "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00",
        "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader SAM] 01 00",
        "InfoThink IT-500U Reader 00 00",
    )
    ports = (
        UsbPort(path="/dev/ttyACM0", vendor="0c2e", product="0b61", serial='S"1', model="Xenon 1900"),
        UsbPort(path="/dev/ttyUSB0", vendor="0403", product="6001", links=("/dev/serial/by-id/usb-FTDI",)),
    )
    pasted = tomllib.loads("\n\n".join(suggestions(readers, ports)))["devices"]
    devices = Devices.model_validate(pasted)
    assert len(devices.readers) == 2
    assert devices.readers[0].pattern.startswith("^ACS ACR1252 1S CL Reader ")
    assert [(entry.path, entry.profile) for entry in devices.scanners] == [
        ('usb:0c2e:0b61:S"1', "honeywell"),
        ("/dev/serial/by-id/usb-FTDI", "generic"),
    ]


def test_a_keyboard_is_suggested_only_when_it_says_that_it_is_a_scanner() -> None:
    folder = "/dev/input/by-id/usb-"
    nodes = (
        InputNode(path=f"{folder}Logitech-event-kbd", vendor="046d", model="USB Keyboard"),
        InputNode(path=f"{folder}Honeywell-event-kbd", vendor="0c2e", model="Voyager 1450g"),
        InputNode(path=f"{folder}TMC-event-kbd", vendor="1a86", model="HIDKeyBoard Barcode Reader"),
    )
    pasted = tomllib.loads("\n\n".join(suggestions((), (), nodes)))["devices"]
    assert [scanner.path for scanner in Devices(**pasted).scanners] == [nodes[1].path, nodes[2].path]
