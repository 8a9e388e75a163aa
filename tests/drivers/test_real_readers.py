"""Readers as makers build them, as the installed program sees them through a real pcscd (A2, A3)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
codes = [{{ type = "item", pattern = "C[0-9]{{7}}" }}]
devices = {{ readers = [{{ {reader} }}] }}
"""
UID = bytes.fromhex("93A131C0")
UTRUST_4711 = tuple(
    f"Identiv Identiv uTrust 4711 F CL + SAM Reader [uTrust 4711 F {slot} Reader] (55291748200123)"
    for slot in ("SAM", "CL")
)


class Watch:
    """`shelfpoint devices watch`, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]


@contextmanager
def watching(daemon: VirtualPcscd, folder: Path, reader: str) -> Iterator[Watch]:
    """The daemon and the program, which has one reader with these settings."""
    (folder / "kiosk.toml").write_text(SETTINGS.format(reader=reader))
    daemon.start()
    try:
        with subprocess.Popen(
            [
                Path(sys.executable).parent / "shelfpoint",
                "devices",
                "watch",
                "--json",
                "--config",
                folder / "kiosk.toml",
            ],
            env={**os.environ, **daemon.environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Watch(process)
            finally:
                process.terminate()
    finally:
        daemon.stop()


def test_a_card_taken_early_off_a_polled_reader_is_told_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    daemon = VirtualPcscd(tmp_path / "pcscd", polled=[0])
    with watching(daemon, tmp_path, "pattern = 'Shelfpoint'") as watch:
        pad = VirtualReader(daemon.ports[0])
        assert watch.line()["state"] == "ready"
        for early in (Fault.BRUSHED, Fault.TORN):
            pad.lay(VirtualCard(uid=UID, fault=early))
            assert watch.line()["reason"] == "card_taken_early"
            assert watch.line()["event"] == "card_left"
        pad.lay(VirtualCard(uid=UID, fault=Fault.MUTE))
        assert watch.line()["reason"] == "card_unreadable"
        pad.take()
        assert watch.line()["event"] == "card_left"
        pad.lay(VirtualCard(uid=UID))
        assert watch.line()["uid"] == UID.hex().upper()
        pad.take()


@pytest.mark.parametrize(
    ("reader", "used"),
    [
        ("pattern = 'uTrust 4711'", [False, True]),
        ("pattern = 'uTrust 4711', slot = 'contactless'", [True, True]),
        (r"pattern = 'SAM Reader\]', slot = 'contactless'", [True, False]),
    ],
)
def test_a_slot_is_used_as_its_brackets_or_the_settings_say(tmp_path: Path, reader: str, used: list[bool]) -> None:
    daemon = VirtualPcscd(tmp_path / "pcscd", readers=2, names=UTRUST_4711)
    with watching(daemon, tmp_path, reader) as watch:
        ready = watch.line()
        assert [f"F {slot} Reader]" in ready["detail"] for slot in ("SAM", "CL")] == used
        for number, is_used in enumerate(used):
            pad = VirtualReader(daemon.ports[number])
            pad.lay(VirtualCard(uid=bytes([0x40 + number, 1, 2, 3])))
            if is_used:
                assert watch.line()["uid"] == f"4{number}010203"
                pad.take()
                assert watch.line()["event"] == "card_left"
            pad.take()
