"""A camera that reads codes (A8): OpenCV's V4L2 capture in the device's own thread, on only while a screen needs it.

The device's thread owns the handle and does nothing but take frames, because what waits in the driver's buffers grows
old (up to half a second, reference/probe.md 3.1); ten times a second it unpacks the newest and hands it to a second
thread, `<name>:codes`, which decodes it and never sees an old one. That one rests as long as it worked, so that
decoding takes at most half a core at the worst, and a pad that lies empty is only glanced at (`barcodes.Attention`).

Switched off, the handle is closed and the camera's light goes out; whether it is there is then asked of the file system
alone. Before it is opened its node is asked whether it can be (`drivers.camera_node`): OpenCV never says why not.
`isOpened()` is no health check: a failed or late read, or nothing but bytes that are no picture, is a loss, and the
supervisor opens it anew. For that JPEG frames are unpacked here: OpenCV's own way gives the last good picture again, and
says that all is well. Nothing of a frame is kept or written anywhere. OpenCV and the decoders are imported at the first
use, not at the kiosk's start.
"""

import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from drivers.camera_node import ask_node
from drivers.device import Report
from drivers.viewfinder import Picture, Viewfinder
from kiosk.ports import CodeRead, DeviceError, DeviceKind, DeviceReason, DeviceState, DeviceStatus, Mailbox

if TYPE_CHECKING:
    import cv2

    from drivers.barcodes import Grey

PERIOD_S = 0.1
"""Between two frames that are looked at."""
LOOK_S = 2.0
"""While off: between two looks whether it is still there."""
SILENCE_S = 1
"""A frame that takes longer is a fault. Whole seconds: OpenCV takes no others."""
BLIND_S = 3.0
"""A camera that sends for so long, and nothing of it a picture, is as good as silent."""
PREVIEW_WIDTH = 480


class Camera:
    """One camera; a `Device`. `device` is a path or the number of /dev/video; `lengths` as for `barcodes.CodeReader`."""

    kind = DeviceKind.CAMERA

    def __init__(
        self,
        name: str,
        device: str | int,
        size: tuple[int, int],
        symbologies: Collection[str],
        mailbox: Mailbox,
        viewfinder: Viewfinder | None = None,
        lengths: Mapping[str, Collection[int]] | None = None,
    ) -> None:
        self.name = name
        self._path = f"/dev/video{device}" if isinstance(device, int) else device
        self._size = size
        self._symbologies = symbologies
        self._lengths = lengths or {}
        self._mailbox = mailbox
        self._viewfinder = viewfinder or Viewfinder()
        self._wanted = threading.Event()
        self._changed = threading.Event()

    def wanted(self, wanted: bool) -> None:
        """Look, or rest; any thread, never blocks."""
        if wanted != self._wanted.is_set():
            (self._wanted.set if wanted else self._wanted.clear)()
            self._changed.set()

    def run(self, stop: threading.Event, report: Report) -> None:
        """Serve until stopped; raises DeviceError when the camera is not there, is unplugged or falls silent."""
        while not stop.is_set():
            self._changed.clear()
            if self._wanted.is_set():
                self._look(stop, report)
                continue
            self._require()
            report(self._ready())
            if not stop.is_set():
                self._changed.wait(LOOK_S)

    def wake(self) -> None:
        self._changed.set()

    def _ready(self) -> DeviceStatus:
        return DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY, detail=self._path)

    def _require(self) -> None:
        if not Path(self._path).exists():
            raise DeviceError(DeviceReason.NOT_PLUGGED, self._path)
        if not os.access(self._path, os.R_OK | os.W_OK):
            raise DeviceError(DeviceReason.NO_PERMISSION, self._path)

    def _look(self, stop: threading.Event, report: Report) -> None:
        """Open, and take frames until nobody wants them."""
        ask_node(self._path)
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(SILENCE_S))
        import cv2

        capture = cv2.VideoCapture(self._path, cv2.CAP_V4L2)
        desk = _Desk(self.name, self._symbologies, self._lengths, self._mailbox)
        try:
            if not capture.isOpened():
                raise DeviceError(DeviceReason.SILENT, f"{self._path}: OpenCV could not open it")
            capture.set(cv2.CAP_PROP_FOURCC, _jpeg())
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
            packed = int(capture.get(cv2.CAP_PROP_FOURCC)) == _jpeg() and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
            desk.start()
            self._take_frames(capture, packed, desk, stop, report)
        finally:
            desk.close()
            capture.release()
            self._viewfinder.put(None)

    def _take_frames(
        self, capture: "cv2.VideoCapture", packed: bool, desk: "_Desk", stop: threading.Event, report: Report
    ) -> None:
        """`packed`: frames come as JPEG, else as pictures."""
        due, seen = 0.0, monotonic()
        while self._wanted.is_set() and not stop.is_set():
            if not capture.grab():
                self._require()
                raise DeviceError(DeviceReason.SILENT, self._path)
            if monotonic() < due:
                continue
            now = monotonic()
            due = now + PERIOD_S
            got, frame = capture.retrieve()
            picture = (_unpacked(frame) if packed else frame) if got else None
            if picture is not None and picture.ndim == 3:
                seen = now
                self._viewfinder.put(_small(picture))
                desk.put(_grey(picture))
                report(self._ready())
            elif now - seen > BLIND_S:
                raise DeviceError(DeviceReason.SILENT, f"{self._path}: what it sends is no picture")


class _Desk:
    """Where the newest frame lies until the decoding thread takes it."""

    def __init__(
        self, name: str, symbologies: Collection[str], lengths: Mapping[str, Collection[int]], mailbox: Mailbox
    ) -> None:
        self._name = name
        self._symbologies = symbologies
        self._lengths = lengths
        self._mailbox = mailbox
        self._turn = threading.Condition()
        self._frame: Grey | None = None
        self._closed = False
        self._bug: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"device:{name}:codes", daemon=True)

    def start(self) -> None:
        """Begin to decode."""
        self._thread.start()

    def put(self, frame: "Grey") -> None:
        """A newer frame; raises what went wrong while decoding an older one."""
        with self._turn:
            if self._bug is not None:
                raise self._bug
            self._frame = frame
            self._turn.notify()

    def close(self) -> None:
        """Decode no more; returns when the frame in hand is done."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._decode()
        except Exception as bug:  # noqa: BLE001 -- raised again on the device's thread, where the supervisor tells it
            with self._turn:
                self._bug = bug

    def _decode(self) -> None:
        from drivers.barcodes import CodeReader
        from drivers.camera_looks import Agreement, Attention

        reader, attention, agreement = CodeReader(self._symbologies, self._lengths), Attention(), Agreement()
        rest_s = 0.0
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._closed, timeout=rest_s)
                self._turn.wait_for(lambda: self._closed or self._frame is not None)
                if self._closed or self._frame is None:
                    return
                frame, self._frame = self._frame, None
            begun = monotonic()
            long = attention.deserves(frame)
            codes = reader.read(frame) if long else reader.glance(frame)
            for code in agreement.look(codes, long=long):
                self._mailbox.post(CodeRead(self._name, code.text, code.symbology))
            rest_s = monotonic() - begun


def _jpeg() -> int:
    import cv2

    return cv2.VideoWriter.fourcc(*"MJPG")


def _unpacked(jpeg: "cv2.typing.MatLike") -> "cv2.typing.MatLike | None":
    """The picture in these bytes; None when they are none."""
    import cv2

    return cv2.imdecode(jpeg, cv2.IMREAD_COLOR) if jpeg.size else None


def _small(frame: "cv2.typing.MatLike") -> Picture:
    """As large as the screen's preview."""
    import cv2

    height, width = frame.shape[:2]
    small = cv2.resize(frame, (PREVIEW_WIDTH, max(1, height * PREVIEW_WIDTH // width)), interpolation=cv2.INTER_NEAREST)
    return Picture(small.shape[1], small.shape[0], small.tobytes())


def _grey(frame: "cv2.typing.MatLike") -> "Grey":
    import cv2
    import numpy as np

    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
