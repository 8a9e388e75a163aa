"""`shelfpoint devices test reader | scanner | camera`: what a person sees, and what a program reads (L4)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from device_bench import Bench

from drivers.virtual.card import Fault, VirtualCard
from drivers.virtual.video import DEVICE, CameraMissing, VirtualCamera, build

pytestmark = pytest.mark.xdist_group("pcscd")

CARD = VirtualCard(uid=bytes.fromhex("93A131C0"))
SIGNALS = """signals = true
trigger_on = "16 54 0D"
trigger_off = "16 55 0D"
beep = "07"
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, SIGNALS)
    yield bench
    bench.close()


def asked(command: Any, words: str) -> None:
    """Wait until the person is asked."""
    while words not in (line := command.stderr.readline()):
        assert line, "the command ended without asking"


def told(command: Any) -> tuple[int, dict[str, Any]]:
    out, _ = command.communicate(timeout=60)
    return command.returncode, json.loads(out)


def test_a_card_laid_on_the_reader_is_told_with_its_spelling(bench: Bench) -> None:
    with bench.start("test", "reader") as command:
        asked(command, "lay a card")
        bench.pad.lay(CARD)
        code, fields = told(command)
    assert code == 0
    assert (fields["outcome"], fields["uid"], fields["spelling"]) == ("read", "93A131C0", "C031A193")
    assert fields["signals"] == "none"  # the virtual reader's name tells no family


def test_a_card_that_cannot_be_read_is_named_and_the_next_one_counts(bench: Bench) -> None:
    with bench.start("test", "reader") as command:
        asked(command, "lay a card")
        bench.pad.lay(VirtualCard(uid=CARD.uid, fault=Fault.NONSENSE))
        asked(command, "could not be read")
        bench.pad.lay(CARD)
        code, fields = told(command)
    assert (code, fields["outcome"], fields["troubles"]) == (0, "read", ["card_unreadable"])


def test_nothing_in_time_is_1_and_a_device_that_is_away_is_3(bench: Bench) -> None:
    with bench.start("test", "scanner", "--seconds", "1") as command:
        assert told(command)[0] == 1
    bench.scanner.unplug()
    with bench.start("test", "scanner", "--seconds", "1") as command:
        code, fields = told(command)
    assert (code, fields["outcome"], fields["reason"]) == (3, "not_ready", "not_plugged")


def test_a_scanned_label_is_told_with_what_the_library_takes_it_for(bench: Bench) -> None:
    with bench.start("test", "scanner") as command:
        asked(command, "scan the label")
        bench.scanner.scan("]C0C0000001")
        code, fields = told(command)
    assert (code, fields["text"], fields["symbology"], fields["type"]) == (0, "C0000001", "code128", "item")


def test_the_kiosk_pulls_the_trigger_and_lets_go_and_beeps(bench: Bench) -> None:
    with bench.start("test", "scanner", "--trigger") as command:
        asked(command, "scan the label")
        assert bench.scanner.heard(10.0) == b"\x16T\r"
        bench.scanner.scan("C0000001")
        assert told(command)[0] == 0
    assert bench.scanner.heard(10.0) == b"\x16U\r\x07"


def test_a_scanner_without_a_trigger_command_says_which_setting_is_missing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with bench.call("test", "scanner", "--trigger") as command:
        _, err = command.communicate(timeout=60)
    bench.close()
    assert command.returncode == 1
    assert "set trigger_on" in err


def test_a_name_that_is_not_configured_is_answered_with_those_that_are(bench: Bench) -> None:
    with bench.call("test", "reader", "--name", "left") as command:
        _, err = command.communicate(timeout=60)
    assert (command.returncode, "there is reader" in err) == (1, True)


def test_a_code_before_the_camera_is_told_and_without_one_whether_pictures_come(tmp_path: Path) -> None:
    try:
        build()
    except CameraMissing as missing:
        pytest.skip(str(missing))
    twin = VirtualCamera(tmp_path / "camera.sock")
    twin.plug()
    bench = Bench(tmp_path, f'\n[[devices.cameras]]\ndevice = "{DEVICE}"\n', twin.environment)
    try:
        with bench.start("test", "camera", "--seconds", "3") as command:
            code, fields = told(command)
        assert (code, fields["outcome"], fields["pictures"]) == (1, "nothing", True)
        twin.show_code("code39", "C0000001")
        with bench.start("test", "camera") as command:
            code, fields = told(command)
        assert (code, fields["text"], fields["symbology"], fields["type"]) == (0, "C0000001", "code39", "item")
    finally:
        bench.close()
        twin.unplug()
