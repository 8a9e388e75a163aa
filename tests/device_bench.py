"""The command `shelfpoint devices` in a process of its own, with a virtual reader and a virtual scanner."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from drivers.virtual.card import VirtualReader
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.scanner import VirtualScanner

SETTINGS = """
library_name = "Library"
branch = "main"
branch_name = "Main"
data = "data"
keys = "keys"

[[cards]]
order = "reversed"

[[codes]]
type = "item"
pattern = "C[0-9]{{7}}"

[[devices.readers]]
name = "reader"
pattern = "Shelfpoint"

[[devices.scanners]]
name = "scanner"
path = "{scanner}"
"""


class Bench:
    """A reader and a scanner, and the command that looks at them; `more` settings, and what more the command needs."""

    def __init__(self, folder: Path, more: str = "", environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self._environment = environment
        self.pcscd = VirtualPcscd(folder / "pcscd")
        self.scanner = VirtualScanner(folder / "scanner")
        self.settings = folder / "kiosk.toml"
        self.settings.write_text(SETTINGS.format(scanner=self.scanner.link) + more, encoding="utf-8")
        self.pcscd.start()
        self.scanner.plug()
        self.pad = VirtualReader(self.pcscd.ports[0])

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return self.call(*words, "--json")

    def call(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [Path(sys.executable).parent / "shelfpoint", "devices", *words, "--config", self.settings],
            env={**os.environ, **self.pcscd.environment, **self._environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self.pad.take()
        self.scanner.unplug()
        self.pcscd.stop()
