"""A private pcscd on a made-up USB bus: readers that are really plugged in and pulled out, names and all.

`VirtualPcscd` has its readers from a configuration file: an unplugged one keeps its name. Here they appear and vanish as
USB readers do, found by pcscd's own hot-plug code and called as an ACR122U is. Needs umockdev and its binding for the
system's Python; `PcscdMissing` says which is not there. Not modelled: USB traffic, and libccid,
whose place the virtual driver takes (a CCID device would need the kernel's USB gadget).
"""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from drivers.virtual.pcscd import LIBRARY, PcscdMissing, VirtualPcscd, build_driver

_PYTHON = "/usr/bin/python3"
_BUS = Path(__file__).resolve().parent / "reader" / "usb_bus.py"
_INFO = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>CFBundleExecutable</key><string>libifdshelf.so</string>
<key>ifdProtocolVersion</key><string>3.0</string>
<key>ifdCapabilities</key><string>0x00000000</string>
<key>ifdVendorID</key><array><string>0x072F</string></array>
<key>ifdProductID</key><array><string>0x2200</string></array>
<key>ifdFriendlyName</key><array><string>ACS ACR122U PICC Interface</string></array>
</dict></plist>
"""


OPEN_S = 15.0


class UsbPcscd(VirtualPcscd):
    """Reader n is named "ACS ACR122U PICC Interface (SN000n+1) 00 00" while it is plugged; at first none is."""

    def plug(self, reader: int = 0) -> None:
        """Put the cable in; returns when pcscd has opened the reader and a card can be laid on it."""
        self._order(f"plug {reader + 1}")
        deadline = time.monotonic() + OPEN_S
        while not _listens(self.ports[reader]):
            if time.monotonic() > deadline:
                raise RuntimeError(f"pcscd did not open reader {reader + 1} in {OPEN_S:g} s")
            time.sleep(0.01)

    def unplug(self, reader: int = 0) -> None:
        """Pull it: the reader's name goes with it."""
        self._order(f"unplug {reader + 1}")

    def _prepare(self) -> None:
        build_driver()
        tried = subprocess.run(
            [_PYTHON, "-c", 'import gi; gi.require_version("UMockdev", "1.0")'], capture_output=True, check=False
        )
        if tried.returncode or shutil.which("umockdev-wrapper") is None:
            raise PcscdMissing("umockdev or its binding for Python is not installed")
        bundle = self._drivers / "ifdshelf.bundle" / "Contents"
        (bundle / "Linux").mkdir(parents=True, exist_ok=True)
        (bundle / "Info.plist").write_text(_INFO)
        shutil.copy(LIBRARY, bundle / "Linux")
        for folder in (self._flags, self._folder / "conf"):
            folder.mkdir(exist_ok=True)

    def _launch(
        self, command: list[str], own_folders: Mapping[str, str], words: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        ports = ",".join(str(port) for port in self.ports)
        environment = {**os.environ, **own_folders, "IFDSHELF_FOLDER": str(self._flags), "IFDSHELF_PORTS": ports}
        command = ["umockdev-wrapper", _PYTHON, str(_BUS), *command]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, env=environment)

    def _order(self, order: str) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("it does not run")
        process.stdin.write(f"{order}\n".encode())
        process.stdin.flush()
        if process.stdout.readline() != b"ok\n":
            raise RuntimeError(f"the bus did not do it: {order}")


def _listens(port: int) -> bool:
    """Whether the reader's driver listens for cards: as the kernel tells, since a connection would be a card."""
    wanted = f"0100007F:{port:04X} 00000000:0000 0A"
    return any(wanted in line for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines())
