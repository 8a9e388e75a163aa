"""A real central in a process of its own, and a kiosk's settings enrolled at it; for journeys and faults."""

import json
import os
from pathlib import Path

from config.settings import KioskSettings, load
from sync.central.office import Central, CentralSettings
from sync.central_client import enrol
from ui.clock import SystemClock
from ui.demo.central_process import CentralProcess


class CentralServer(CentralProcess):
    """`shelfpoint central serve` with the sample library, and a look at its database from here."""

    def open(self) -> Central:
        """The same database, looked at from here."""
        return Central.open(CentralSettings(data=self.data))

    def enrolled_kiosk(self, folder: Path, url: str | None = None, **central: object) -> Path:
        """A settings file of a kiosk without devices, enrolled through the API."""
        path = self.blank_kiosk(folder, **central)
        opened = self.open()  # quicker than the command, which is tested elsewhere
        code = opened.fleet.make_code("main")
        opened.close()
        enrol(url or self.url, code, self.settings(path).keys, SystemClock())
        return path

    @staticmethod
    def blank_kiosk(folder: Path, **central: object) -> Path:
        """A settings file of a kiosk without devices that nobody knows yet."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "kiosk.toml"
        lines = [
            'library_name = "測試市立圖書館"',
            'branch = "main"',
            'branch_name = "總館"',
            'data = "data"',
            'keys = "keys"',
            '[[codes]]\ntype = "patron"\npattern = "P[0-9]{7}"',
            '[[codes]]\ntype = "item"\npattern = "C[0-9]{7}"',
            "[devices]\nreaders = []",
            "[central]",
            *(f"{key} = {json.dumps(value)}" for key, value in central.items()),
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    @staticmethod
    def settings(path: Path) -> KioskSettings:
        return load(path)


def quiet_environment(**more: str) -> dict[str, str]:
    """This process's environment, plus more."""
    return {**os.environ, **more}
