"""The PC/SC service as a whole: is it there, may we use it, does it answer; called by the card driver. Any thread.

pcscd that hangs still takes connections, since the kernel does that for it; libpcsclite then waits for an answer for
ever, in every call, and one waiting call keeps all others of the process waiting too. So the service is asked by a
connection of our own first, with a deadline: the version message with which libpcsclite itself begins (winscard_msg.h;
unchanged since 1.8), to which any answer will do. A call that waits is ended by shutting down its socket under it: to
libpcsclite the service then went away.

A refusal by polkit is known by SCARD_W_SECURITY_VIOLATION. libpcsclite makes it of a connection that was reset, which
a service that dies just then does too: so it must say so twice.
"""

import contextlib
import os
import pwd
import socket
import struct
from pathlib import Path

from smartcard import scard

from kiosk.ports import DeviceError, DeviceReason

ANSWER_S = 1.5
"""pcscd answers within a millisecond; on a machine that is busy with other things it may take some hundred."""
_CMD_VERSION = 0x11
_VERSION = struct.pack("=IIiiI", 12, _CMD_VERSION, 4, 4, 0)
"""Size of the body, command; protocol 4:4, result."""


def establish() -> int:
    """A context of PC/SC. Blocks at most `ANSWER_S` for a service that hangs; DeviceError SERVICE_DOWN or NO_PERMISSION."""
    if hangs():
        hang_up()
        raise DeviceError(DeviceReason.SERVICE_DOWN, "pcscd takes calls and does not answer")
    for _ in range(2):
        code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        if code == scard.SCARD_S_SUCCESS:
            return int(context)
        if code != scard.SCARD_W_SECURITY_VIOLATION:
            raise lost(code)
    raise DeviceError(DeviceReason.NO_PERMISSION, refused("access_pcsc"))


def ask() -> None:
    """Whether a context can be had. Blocks and raises as `establish`."""
    scard.SCardReleaseContext(establish())


def lost(code: int) -> DeviceError:
    """The error for a call that the service did not answer as it should."""
    return DeviceError(DeviceReason.SERVICE_DOWN, f"0x{code & 0xFFFFFFFF:08X}")


def refused(action: str) -> str:
    """What polkit refuses, and to whom, for staff."""
    try:
        account = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        account = str(os.geteuid())
    return f"polkit refuses org.debian.pcsc-lite.{action} to {account}"


def hangs(patience_s: float = ANSWER_S) -> bool:
    """Whether it takes connections and says nothing for so long. False where there is none: the next call tells."""
    limit = struct.pack("ll", int(patience_s), int(patience_s % 1 * 1_000_000))
    with socket.socket(socket.AF_UNIX) as line:
        for way in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):  # unlike settimeout, the first waits in a full queue, too
            line.setsockopt(socket.SOL_SOCKET, way, limit)
        try:
            line.connect(_path())
            line.sendall(_VERSION)
            line.recv(1)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


def hang_up() -> None:
    """End every call of this process that waits for the service, with an error to its caller. Does not block."""
    with socket.socket(socket.AF_UNIX) as line:
        line.setblocking(False)
        try:
            line.connect(_path())
        except BlockingIOError:
            service = os.fsencode(_path())
        except OSError:
            return
        else:
            service = os.fsencode(line.getpeername())
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile, no socket, or not connected
            if not handle.readlink().name.startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(handle.name))) as theirs:
                if theirs.family == socket.AF_UNIX and os.fsencode(theirs.getpeername()) == service:
                    theirs.shutdown(socket.SHUT_RDWR)


def _path() -> str:
    return os.environ.get("PCSCLITE_CSOCK_NAME", "/run/pcscd/pcscd.comm")
