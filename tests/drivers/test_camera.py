"""The camera over OpenCV's real V4L2 code: a process of its own with the virtual camera preloaded (A8, L1, L3)."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.camera_node import ask_node
from drivers.virtual.video import CameraMissing, Fault, VirtualCamera, build
from kiosk.ports import DeviceError, DeviceReason
from tests.drivers.qr_symbols import PARTS, picture

ROOT = Path(__file__).resolve().parents[2]
READY, UNPLUGGED, SILENT = ["device", "ready", None], ["device", "absent", "not_plugged"], ["device", "fault", "silent"]


class Eye:
    """The looking process."""

    def __init__(self, camera: VirtualCamera) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("camera_eye.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **camera.environment, "PYTHONPATH": str(ROOT), "OPENCV_LOG_LEVEL": "SILENT"},
        )
        self._said: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def next(self) -> list[Any]:
        return self._said.get(timeout=15)

    def quiet(self, seconds: float) -> None:
        """Nothing is told for so long."""
        with pytest.raises(queue.Empty):
            self._said.get(timeout=seconds)

    def until(self, wanted: list[Any]) -> list[list[Any]]:
        heard = [self.next()]
        while heard[-1] != wanted:
            heard.append(self.next())
        return heard

    def end(self) -> list[Any]:
        self.tell("end")
        while (said := self.next())[0] != "ended":
            pass
        assert self._process.wait(20) == 0
        return said

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[VirtualCamera]:
    try:
        build()
    except CameraMissing as missing:
        pytest.skip(str(missing))
    twin = VirtualCamera(tmp_path / "camera.sock")
    twin.plug()
    yield twin
    twin.unplug()


@pytest.fixture
def eye(camera: VirtualCamera) -> Iterator[Eye]:
    looking = Eye(camera)
    yield looking
    looking.close()


def test_a_code_held_before_the_camera_is_told_once_with_its_symbology(camera: VirtualCamera, eye: Eye) -> None:
    eye.tell("on")
    eye.until(READY)
    camera.show_code("code39", "C0000001")
    assert eye.next() == ["code", "C0000001", "code39"]
    camera.show_code("qr", "C0000002")
    assert eye.next() == ["code", "C0000002", "qr"]
    assert eye.end() == ["ended", True, None]


def test_parts_of_a_message_in_view_are_no_value_and_no_fault_of_the_camera(camera: VirtualCamera, eye: Eye) -> None:
    eye.tell("on")
    eye.until(READY)
    camera.show(picture(PARTS))
    eye.tell("picture")
    assert eye.next()[0] == "picture"
    eye.quiet(1.5)  # the long looks of a new picture: a decoder that failed would end the camera
    camera.show_code("code39", "C0000007")
    assert eye.next() == ["code", "C0000007", "code39"]


def test_while_nobody_wants_it_the_camera_reads_nothing_and_opencv_is_not_loaded(
    camera: VirtualCamera, eye: Eye
) -> None:
    camera.show_code("code39", "C0000001")
    eye.until(READY)
    eye.tell("picture")
    assert eye.next() == ["picture", None, None]
    assert eye.end() == ["ended", False, None]


def test_switched_off_and_on_it_reads_again_and_the_preview_is_gone_meanwhile(camera: VirtualCamera, eye: Eye) -> None:
    camera.show_code("code128", "C0000001")
    eye.tell("on")
    eye.until(["code", "C0000001", "code128"])
    eye.tell("picture")
    assert eye.next() == ["picture", 480, 480 * 270 * 3]
    eye.tell("off")
    camera.show_code("code128", "C0000002")
    eye.tell("on")
    eye.until(["code", "C0000002", "code128"])


def test_an_unplugged_camera_is_told_and_reads_again_when_it_is_back(camera: VirtualCamera, eye: Eye) -> None:
    eye.tell("on")
    eye.until(READY)
    camera.unplug()
    eye.until(UNPLUGGED)
    camera.show_code("qr", "C0000003")
    camera.plug()
    assert eye.until(["code", "C0000003", "qr"])[0] == READY


def test_a_camera_that_falls_silent_is_a_fault_and_heals(camera: VirtualCamera, eye: Eye) -> None:
    eye.tell("on")
    eye.until(READY)
    camera.stall()
    eye.until(SILENT)
    camera.stall(False)
    eye.until(READY)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.DENIED, ["device", "fault", "no_permission"]),
        (Fault.LOCKED, ["device", "fault", "held_by_other"]),
        (Fault.BUSY, ["device", "fault", "held_by_other"]),
        (Fault.DATA, ["device", "absent", "not_plugged"]),
    ],
)
def test_a_camera_that_cannot_be_used_says_why_and_reads_when_it_can_be(
    camera: VirtualCamera, eye: Eye, fault: Fault, told: list[Any]
) -> None:
    camera.suffer(fault)
    camera.show_code("qr", "C0000005")
    eye.tell("on")
    eye.until(told)
    camera.suffer(None)
    eye.until(["code", "C0000005", "qr"])


def test_bytes_that_are_no_picture_do_not_end_the_camera(camera: VirtualCamera, eye: Eye) -> None:
    eye.tell("on")
    eye.until(READY)
    camera.send_bytes(b"\xff\xd8 no picture \xff\xd9")
    camera.show_code("code39", "C0000004")
    eye.until(["code", "C0000004", "code39"])


def test_a_camera_that_sends_nothing_but_what_is_no_picture_is_a_fault_and_heals(
    camera: VirtualCamera, eye: Eye
) -> None:
    eye.tell("on")
    eye.until(READY)
    camera.send_bytes(b"\xff\xd8 no picture \xff\xd9")
    assert eye.next() == SILENT
    camera.show_code("code39", "C0000006")
    assert eye.until(["code", "C0000006", "code39"])[0] == READY


def test_a_node_that_is_no_camera_is_told_as_such(tmp_path: Path) -> None:
    for path, told in ((os.devnull, "takes no pictures"), (str(tmp_path / "video7"), "No such file")):
        with pytest.raises(DeviceError, match=told) as refused:
            ask_node(path)
        assert refused.value.reason is DeviceReason.NOT_PLUGGED
