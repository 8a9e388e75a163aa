"""Asking a camera's node how it is before OpenCV opens it: OpenCV only says that it could not, never why.

Opens the node, asks what it can do (VIDIOC_QUERYCAP) and whether its buffers are free (VIDIOC_REQBUFS for none, which
takes nothing and is refused while another program streams), and closes it. Sizes and numbers: Linux media API,
videodev2.h, the same on every architecture. Blocks for milliseconds; opening wakes the camera, so it is asked only when
pictures are wanted.
"""

import errno
import fcntl
import os
import struct

from kiosk.ports import DeviceError, DeviceReason

_QUERYCAP, _CAPABILITY = 0x80685600, 104
_REQBUFS, _REQUEST = 0xC0145608, struct.Struct("5I")
_CAN_CAPTURE = 0x00000001
_HAS_OWN_CAPS = 0x80000000
_VIDEO_CAPTURE, _MAPPED = 1, 1


def ask_node(path: str) -> None:
    """Returns when the camera can be used now; DeviceError NOT_PLUGGED, NO_PERMISSION, HELD_BY_OTHER otherwise.

    NOT_PLUGGED also for a node that takes no pictures: a USB camera has one for its timing data beside the real one.
    """
    try:
        node = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceError(_reason(error), f"{path}: {error.strerror}") from error
    try:
        if not _captures(node):
            raise DeviceError(DeviceReason.NOT_PLUGGED, f"{path}: takes no pictures; a camera's other node may")
        fcntl.ioctl(node, _REQBUFS, _REQUEST.pack(0, _VIDEO_CAPTURE, _MAPPED, 0, 0))
    except OSError as error:
        raise DeviceError(_reason(error), f"{path}: {error.strerror}") from error
    finally:
        os.close(node)


def _captures(node: int) -> bool:
    try:
        about = fcntl.ioctl(node, _QUERYCAP, bytes(_CAPABILITY))
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EINVAL):
            return False  # no video node at all
        raise
    whole, own = struct.unpack_from("2I", about, 84)
    return bool((own if whole & _HAS_OWN_CAPS else whole) & _CAN_CAPTURE)


def _reason(error: OSError) -> DeviceReason:
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceReason.NO_PERMISSION
    if error.errno == errno.EBUSY:
        return DeviceReason.HELD_BY_OTHER
    return DeviceReason.NOT_PLUGGED
