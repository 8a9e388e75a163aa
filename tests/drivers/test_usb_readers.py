"""Readers plugged into USB and pulled out, through pcscd's own hot-plug code (A2, L1): a process of its own looks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.pcscd import PcscdMissing
from drivers.virtual.usb_pcscd import UsbPcscd

pytestmark = pytest.mark.xdist_group("pcscd")

CARD = VirtualCard(uid=bytes.fromhex("93A131C0"))
SETTINGS = """
library_name = "L"
branch = "m"
branch_name = "M"
data = "data"
keys = "keys"
codes = [{ type = "item", pattern = "C[0-9]{7}" }]
devices = { readers = [{ pattern = "ACR122U" }] }
"""


class Looker:
    """`shelfpoint devices …` looking at the readers of one pcscd."""

    def __init__(self, daemon: UsbPcscd, folder: Path) -> None:
        self.daemon = daemon
        self._config = folder / "kiosk.toml"
        self._config.write_text(SETTINGS)

    def call(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [Path(sys.executable).parent / "shelfpoint", "devices", *words, "--json", "--config", self._config],
            env={**os.environ, **self.daemon.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Looker]:
    daemon = UsbPcscd(tmp_path, readers=2)
    try:
        daemon.start()
    except PcscdMissing as missing:
        pytest.skip(str(missing))
    yield Looker(daemon, tmp_path)
    daemon.stop()


def test_a_reader_pulled_out_with_its_card_is_gone_with_its_name_and_works_when_it_is_back(looker: Looker) -> None:
    pad = VirtualReader(looker.daemon.ports[0])
    with looker.call("watch", "--count", "9") as watch:
        assert watch.stdout is not None

        def line() -> dict[str, Any]:
            return json.loads(watch.stdout.readline())  # type: ignore[union-attr, no-any-return]

        assert line()["reason"] == "not_plugged"
        for _ in range(2):
            looker.daemon.plug()
            ready = line()
            assert (ready["state"], "ACR122U PICC Interface (SN0001)" in ready["detail"]) == ("ready", True)
            pad.lay(CARD)
            assert line()["uid"] == "93A131C0"
            looker.daemon.unplug()
            assert [line()["event"], line()["state"]] == ["card_left", "absent"]
            pad.take()
        assert watch.wait(30) == 0


def test_its_name_alone_tells_how_it_shows_that_a_card_was_read(looker: Looker) -> None:
    looker.daemon.plug()
    pad = VirtualReader(looker.daemon.ports[0])
    pad.lay(CARD)
    with looker.call("test", "reader") as command:
        told = json.loads(command.communicate(timeout=60)[0])
    assert (told["outcome"], told["signals"]) == ("read", "acr122u")
    assert looker.daemon.signals() == ["FF00520000", "FF0040A00401010101"]
    pad.take()


def test_two_readers_of_one_model_come_and_go_on_their_own(looker: Looker) -> None:
    looker.daemon.plug(0)
    looker.daemon.plug(1)
    pad = VirtualReader(looker.daemon.ports[1])
    with looker.call("watch", "--count", "3") as watch:
        assert watch.stdout is not None
        ready = json.loads(watch.stdout.readline())
        assert ready["detail"].count("ACR122U") == 2
        looker.daemon.unplug(0)
        left = json.loads(watch.stdout.readline())
        assert ("SN0001" in left["detail"], "SN0002" in left["detail"], left["state"]) == (False, True, "ready")
        pad.lay(CARD)
        assert json.loads(watch.stdout.readline())["uid"] == "93A131C0"
        assert watch.wait(30) == 0
    pad.take()
