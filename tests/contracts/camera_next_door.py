"""The camera's driver as a device here, though it works in a process of its own: its OpenCV must be started with the twin."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from drivers.device import Report
from drivers.virtual.video import VirtualCamera
from kiosk.ports import CodeRead, DeviceKind, DeviceReason, DeviceState, DeviceStatus, Mailbox

ROOT = Path(__file__).resolve().parents[2]
EYE = ROOT / "tests" / "drivers" / "camera_eye.py"


class CameraNextDoor:
    """The looking process, switched on; what it tells is told here."""

    kind = DeviceKind.CAMERA
    name = "camera"

    def __init__(self, twin: VirtualCamera, mailbox: Mailbox) -> None:
        self._environment = {**os.environ, **twin.environment, "PYTHONPATH": str(ROOT), "OPENCV_LOG_LEVEL": "SILENT"}
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._eye: subprocess.Popen[str] | None = None

    def run(self, stop: threading.Event, report: Report) -> None:
        eye = subprocess.Popen(
            [sys.executable, str(EYE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._environment,
        )
        with self._lock:
            self._eye = eye
            self._say("on")
            if stop.is_set():
                self._say("end")
        assert eye.stdout is not None
        for line in eye.stdout:
            self._hear(json.loads(line), report)
        with self._lock:
            self._eye = None
        eye.communicate()

    def wake(self) -> None:
        with self._lock:
            self._say("end")

    def _say(self, order: str) -> None:
        if self._eye is None or self._eye.stdin is None or self._eye.stdin.closed:
            return
        try:
            self._eye.stdin.write(order + "\n")
            self._eye.stdin.flush()
        except BrokenPipeError:
            return  # it has ended already

    def _hear(self, said: list[str], report: Report) -> None:
        match said:
            case ["device", state, reason]:
                why = DeviceReason(reason) if reason else None
                report(DeviceStatus(device=self.name, kind=self.kind, state=DeviceState(state), reason=why))
            case ["code", text, symbology]:
                self._mailbox.post(CodeRead(self.name, text, symbology))
