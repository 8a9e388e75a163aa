"""A reader that tells nothing by itself, which pcscd asks every 400 ms, as the installed program sees it (A2, A3)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.virtual.card import Fault, VirtualCard, VirtualReader
from drivers.virtual.pcscd import VirtualPcscd

pytestmark = pytest.mark.xdist_group("pcscd")

SETTINGS = """
library_name = "L"
branch = "m"
branch_name = "M"
data = "data"
keys = "keys"
codes = [{ type = "item", pattern = "C[0-9]{7}" }]
devices = { readers = [{ pattern = "Shelfpoint" }] }
"""
UID = bytes.fromhex("93A131C0")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[VirtualPcscd]:
    daemon = VirtualPcscd(tmp_path / "pcscd", polled=[0])
    daemon.start()
    yield daemon
    daemon.stop()


def test_a_card_taken_away_early_is_told_from_one_that_cannot_be_read(daemon: VirtualPcscd, tmp_path: Path) -> None:
    (tmp_path / "kiosk.toml").write_text(SETTINGS)
    pad = VirtualReader(daemon.ports[0])
    program = Path(sys.executable).parent / "shelfpoint"
    with subprocess.Popen(
        [program, "devices", "watch", "--json", "--count", "6", "--config", tmp_path / "kiosk.toml"],
        env={**os.environ, **daemon.environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        assert watch.stdout is not None

        def line() -> dict[str, Any]:
            return json.loads(watch.stdout.readline())  # type: ignore[union-attr, no-any-return]

        assert line()["state"] == "ready"
        pad.lay(VirtualCard(uid=UID, fault=Fault.TORN))
        assert line()["reason"] == "card_taken_early"
        assert line()["event"] == "card_left"
        pad.lay(VirtualCard(uid=UID, fault=Fault.MUTE))
        assert line()["reason"] == "card_unreadable"
        pad.take()
        assert line()["event"] == "card_left"
        pad.lay(VirtualCard(uid=UID))
        assert line()["uid"] == UID.hex().upper()
        assert watch.wait(30) == 0
    pad.take()
