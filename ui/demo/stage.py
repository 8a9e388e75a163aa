"""The stage of the demo: central in a process of its own, a private pcscd, and every virtual device, joined by the real
driver paths (pcscd, pty, TCP). The kiosk finds them in an ordinary settings file and does not know that it plays.

Everything lives in one folder and ends with `close`. One thread.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from config.settings import KioskSettings, load
from drivers.virtual.card import Fault, VirtualReader, card_with
from drivers.virtual.network import VirtualNetwork
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from drivers.virtual.video import DEVICE, VirtualCamera, build
from sync.central_client import enrol
from ui.clock import SystemClock
from ui.demo.central_process import PROGRAM, CentralProcess

Say = Callable[[str], None]


class Stage:
    """Virtual hardware and a central for one kiosk."""

    def __init__(
        self, folder: Path, say: Say, overrides: Mapping[str, object] | None = None, *, camera: bool = False
    ) -> None:
        """Sets everything up and enrols the kiosk; `overrides` are lines for [screen] and [central].

        With `camera` the kiosk has one, and must be started with `environment`. Raises CameraMissing, PcscdMissing.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        say("starting the central server with sample data")
        self.central = CentralProcess(folder)
        self.central.start()
        self.network = VirtualNetwork(self.central.port)
        say("starting pcscd with a virtual card reader")
        self.pcscd = VirtualPcscd(folder / "pcscd", readers=1)
        self.pcscd.start()
        os.environ.update(self.pcscd.environment)
        self.reader = VirtualReader(self.pcscd.ports[0])
        self.scanner = VirtualScanner(folder / "scanner")
        self.scanner.plug()
        self.printer = VirtualPrinter()
        self.camera = _camera(folder) if camera else None
        self.settings_file = self._write_settings(dict(overrides or {}))
        self.settings: KioskSettings = load(self.settings_file)
        say("enrolling the kiosk")
        enrol(self.network.url, self.central.enrolment_code(), self.settings.keys, SystemClock())

    @property
    def environment(self) -> Mapping[str, str]:
        """What the kiosk's process needs in its environment."""
        return {**self.pcscd.environment, **({} if self.camera is None else self.camera.environment)}

    def close(self) -> None:
        """End everything that was started here."""
        if self.camera is not None:
            self.camera.unplug()
        self.reader.take()
        self.scanner.unplug()
        self.printer.unplug()
        self.network.close()
        self.pcscd.stop()
        self.central.stop()

    def run_kiosk(self) -> "subprocess.Popen[bytes]":
        """The kiosk as its ordinary command, in a window of half its size, so that it fits beside the workbench."""
        return subprocess.Popen(
            [PROGRAM, "kiosk", "run", "--config", self.settings_file, "--windowed"],
            env={"QT_SCALE_FACTOR": "0.5", **os.environ, **self.environment},
        )

    def lay(self, number: str, fault: Fault = Fault.NONE) -> None:
        """Lay a card on the reader; `number` is its UID in hex, on-air order."""
        self.reader.lay(card_with(bytes.fromhex(number), fault=fault))

    def _write_settings(self, overrides: dict[str, object]) -> Path:
        path = self.folder / "kiosk.toml"
        for old in ("data", "keys"):
            shutil.rmtree(self.folder / old, ignore_errors=True)
        screen = {key: value for key, value in overrides.items() if not key.startswith("central.")}
        central = {key.removeprefix("central."): value for key, value in overrides.items() if key not in screen}
        template = resources.files("config").joinpath("demo.toml").read_text(encoding="utf-8")
        lines = [
            template,
            *(f"{key} = {json.dumps(value)}" for key, value in screen.items()),
            "",
            "[central]",
            *(f"{key} = {json.dumps(value)}" for key, value in central.items()),
            "",
            "[[devices.readers]]",
            'name = "reader"',
            'pattern = "Shelfpoint Virtual"',
            "[[devices.scanners]]",
            'name = "scanner"',
            f"path = {json.dumps(str(self.scanner.link))}",
            "[[devices.printers]]",
            'name = "printer"',
            'host = "127.0.0.1"',
            f"port = {self.printer.port}",
            'profile = "generic-80-big5"',
        ]
        if self.camera is not None:
            lines += ["[[devices.cameras]]", f"device = {json.dumps(DEVICE)}"]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def _camera(folder: Path) -> VirtualCamera:
    """Plugged in, before an empty pad."""
    build()
    camera = VirtualCamera(folder / "camera.sock")
    camera.plug()
    return camera
