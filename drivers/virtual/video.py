"""The far end of the virtual camera: sends JPEG frames to the shim in `drivers/virtual/camera/shelfcam.c`.

The program that looks through the camera is started with `environment` (LD_PRELOAD), in a process of its own; its
OpenCV then opens `DEVICE` by its real V4L2 code. Misbehaves on command: unplugged, plugged again, stalled (open, but no
frame comes), held by another program, not permitted, any picture or bytes that are no picture. Not modelled: exposure, focus, moving pictures, raw formats, USB
bandwidth; see the shim. Frames are sent by a thread of this object's own; methods may be called from any one thread.
"""

import contextlib
import fcntl
import io
import socket
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from drivers.virtual.code_pictures import Grey, desk

DEVICE = "/dev/video9"
_ROOT = Path(__file__).resolve().parents[2]
_BUILD = Path(__file__).resolve().parent / "camera" / "build.sh"
_LIBRARY = _ROOT / "build" / "camera" / "libshelfcam.so"
_QUEUED_FRAMES = 4
"""A UVC driver drops frames when so many buffers wait."""


class Fault(StrEnum):
    """Why the camera cannot be used."""

    DENIED = "denied"
    """Its node may not be opened."""
    LOCKED = "locked"
    """Another program holds it, and it cannot be opened a second time."""
    BUSY = "busy"
    """Another program streams from it: it can be opened, but gives nothing."""
    DATA = "data"
    """It is the camera's node for timing data and takes no pictures."""


class CameraMissing(Exception):
    """The shim cannot be built on this machine."""


def build() -> None:
    """Compile the shim if needed; blocks for a second at most. Raises CameraMissing."""
    done = subprocess.run(["sh", str(_BUILD)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CameraMissing(f"the virtual camera could not be built: {done.stderr[-300:]}")


class VirtualCamera:
    """One camera, unplugged at first, showing an empty pad."""

    def __init__(self, socket_path: Path, size: tuple[int, int] = (1280, 720), fps: float = 30.0) -> None:
        self.size = size
        self._path = socket_path
        self._pause_s = 1 / fps
        self._frame = b""
        self._stalled = threading.Event()
        self._door: socket.socket | None = None
        self._lines: list[socket.socket] = []
        self._unplugged = threading.Event()
        self.show(np.full((size[1], size[0]), 120, np.uint8))

    @property
    def environment(self) -> Mapping[str, str]:
        """What the looking process needs in its environment."""
        return {
            "LD_PRELOAD": str(_LIBRARY),
            "SHELFCAM_SOCKET": str(self._path),
            "SHELFCAM_DEVICE": DEVICE,
            "SHELFCAM_SIZE": f"{self.size[0]}x{self.size[1]}",
        }

    def plug(self) -> None:
        """Be there; plugging twice changes nothing."""
        if self._door is not None:
            return
        self._path.unlink(missing_ok=True)
        self._unplugged = threading.Event()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(self._path))
        self._door.listen(2)
        threading.Thread(target=self._serve, args=(self._door, self._unplugged), daemon=True).start()

    def unplug(self) -> None:
        """Vanish: whoever looks gets ENODEV."""
        door, self._door = self._door, None
        if door is None:
            return
        self._unplugged.set()
        self._path.unlink(missing_ok=True)
        for line in [door, *self._lines]:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        door.close()
        self._lines = []

    def suffer(self, fault: Fault | None) -> None:
        """This fault from now on, for whoever opens the camera next; None: none."""
        for name in Fault:
            self._path.with_name(f"{self._path.name}.{name}").unlink(missing_ok=True)
        if fault is not None:
            self._path.with_name(f"{self._path.name}.{fault}").touch()

    def stall(self, stalled: bool = True) -> None:
        """Send nothing, or go on."""
        (self._stalled.set if stalled else self._stalled.clear)()

    def show(self, frame: Grey) -> None:
        """Lie this picture before the lens; JPEG of quality 90, as UVC cameras send."""
        jpeg = io.BytesIO()
        Image.fromarray(frame).convert("RGB").save(jpeg, "JPEG", quality=90)
        self.send_bytes(jpeg.getvalue())

    def show_code(self, symbology: str, text: str) -> None:
        """Lie a label with this code before the lens."""
        self.show(desk(symbology, text, self.size))

    def show_nothing(self) -> None:
        """An empty pad."""
        self.show(np.full((self.size[1], self.size[0]), 120, np.uint8))

    def send_bytes(self, data: bytes) -> None:
        """Any bytes as a frame, pictures or not."""
        self._frame = data

    def _serve(self, door: socket.socket, unplugged: threading.Event) -> None:
        while not unplugged.is_set():
            try:
                line, _ = door.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._send, args=(line, unplugged), daemon=True).start()

    def _send(self, line: socket.socket, unplugged: threading.Event) -> None:
        with contextlib.suppress(OSError), line:
            while not unplugged.wait(self._pause_s):
                frame = self._frame
                if not self._stalled.is_set() and _waiting(line) <= _QUEUED_FRAMES * len(frame):
                    line.sendall(struct.pack("<I", len(frame)) + frame)


def _waiting(line: socket.socket) -> int:
    """Bytes that the other end has not taken yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    return int(count)
