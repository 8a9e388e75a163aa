"""A private smart-card service: the real pcscd, in the foreground, with virtual readers, for the demo and for tests.

Owns the child process, a folder with its configuration, and the ports of its readers. pcscd's socket path is compiled
in, but not the client's: where the kernel lets us (root, or user namespaces), pcscd runs in a mount namespace of its
own with a folder of ours bound over /run/pcscd, so that several run side by side and beside the machine's own; clients
find it through PCSCLITE_CSOCK_NAME. Elsewhere it takes the default path, and then only one can run.

pcsc-lite reads PCSCLITE_CSOCK_NAME once per process, at the first call: set it (`environment`) before the first card
is looked for. A killed pcscd leaves its socket and pid file, and refuses to start again while they are there (even a
zombie's pid counts): `start` reaps and removes both.

Not modelled: systemd's socket activation, polkit (pcsc-lite 2 is started with --disable-polkit), USB hot-plug (see
`drivers.virtual.usb_pcscd`).
Methods block for at most their deadline and are called from one thread.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parents[2]
BUILD = _ROOT / "drivers" / "virtual" / "reader" / "build.sh"
LIBRARY = _ROOT / "build" / "reader" / "libifdshelf.so"
_SYSTEM = Path("/run/pcscd")
START_DEADLINE_S = 10.0


class PcscdMissing(Exception):
    """pcscd, or what its reader driver is built with, is not on this machine."""


class VirtualPcscd:
    """A pcscd of our own with `readers` virtual readers; reader n is named "Shelfpoint Virtual PICC n 00 00"."""

    ENTER = (
        'mount --make-rprivate / && mount --bind "$0" /run/pcscd && rm -f /run/pcscd/pcscd.comm /run/pcscd/pcscd.pid && '
        'exec "$@"'
    )
    """What is run in the mount namespace; $0 is the folder that becomes /run/pcscd, then the command."""

    def __init__(self, folder: Path, readers: int = 1) -> None:
        self._folder = folder
        self._flags = folder / "flags"
        self._run = folder / "run"
        self._process: subprocess.Popen[bytes] | None = None
        self._private = False
        self.ports = _free_ports(readers)
        """Loopback port of each reader, where cards connect."""

    @property
    def socket_path(self) -> Path:
        """Where clients find it; valid after the first `start`."""
        return (self._run if self._private else _SYSTEM) / "pcscd.comm"

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client process needs in its environment."""
        return {"PCSCLITE_CSOCK_NAME": str(self.socket_path)}

    def start(self) -> None:
        """Build the driver if needed, start pcscd, return once it answers. Raises PcscdMissing. Starting twice changes nothing."""
        if self._process is not None and self._process.poll() is None:
            return
        program = shutil.which("pcscd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise PcscdMissing("pcscd is not installed")
        self._run.mkdir(parents=True, exist_ok=True)
        self._prepare()
        command = [program, "-f", "-c", str(self._folder / "conf")]
        help_text = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
        if "--disable-polkit" in help_text:
            command.append("--disable-polkit")
        enter = _namespace()
        self._private = enter is not None
        if enter is not None:
            command = [*enter, "sh", "-c", self.ENTER, str(self._run), *command]
        elif _answers(self.socket_path):
            raise PcscdMissing("another pcscd runs and no namespace can be made for a private one")
        for left_over in ("pcscd.comm", "pcscd.pid"):
            with contextlib.suppress(OSError):
                self.socket_path.with_name(left_over).unlink(missing_ok=True)
        with (self._folder / "pcscd.log").open("ab") as words:
            self._process = self._launch(command, self._private, words)
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """End it, politely and then not; reap it. Does nothing when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a crash: socket and pid file stay behind. It is reaped."""
        self._end(signal.SIGKILL)

    def unplug(self, reader: int = 0) -> None:
        """Pull the reader's cable: its name stays in the list, its state turns unavailable, its card is gone."""
        (self._flags / f"{self.ports[reader]}.unplugged").touch()

    def plug(self, reader: int = 0) -> None:
        """Put the cable back."""
        (self._flags / f"{self.ports[reader]}.unplugged").unlink(missing_ok=True)

    def signals(self, reader: int = 0) -> list[str]:
        """The commands for light and buzzer that the reader obeyed since the last call, as hexadecimal digits."""
        said = self._flags / f"{self.ports[reader]}.signals"
        lines = said.read_text().splitlines() if said.exists() else []
        said.unlink(missing_ok=True)
        return lines

    def lock(self, reader: int = 0) -> None:
        """Refuse escape commands, as drivers do whose settings do not allow them."""
        (self._flags / f"{self.ports[reader]}.locked").touch()

    def unlock(self, reader: int = 0) -> None:
        """Allow escape commands."""
        (self._flags / f"{self.ports[reader]}.locked").unlink(missing_ok=True)

    def _prepare(self) -> None:
        """Build the driver and write the configuration. Raises PcscdMissing."""
        ports = [str(port) for port in self.ports]
        build = subprocess.run(
            ["sh", str(BUILD), "conf", str(self._flags), str(self._folder / "conf" / "reader.conf"), *ports],
            capture_output=True,
            text=True,
            check=False,
        )
        if build.returncode:
            raise PcscdMissing(f"the virtual reader's driver could not be built: {build.stderr[-300:]}")

    def _launch(self, command: list[str], private: bool, words: IO[bytes]) -> "subprocess.Popen[bytes]":
        """Start the daemon, in a mount namespace of its own if `private`; what it says goes to `words`."""
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words)

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _wait_until_it_answers(self, process: "subprocess.Popen[bytes]") -> None:
        ends = time.monotonic() + START_DEADLINE_S
        gone = os.pidfd_open(process.pid)
        try:
            while not _answers(self.socket_path):
                died = select.select([gone], [], [], 0.01)[0]
                if died or time.monotonic() > ends:
                    self.kill()
                    words = (self._folder / "pcscd.log").read_text(errors="replace")[-300:]
                    raise PcscdMissing(f"pcscd did not come up: {words}")
        finally:
            os.close(gone)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _namespace() -> list[str] | None:
    """The command that gives a child its own mounts, or None where this is not allowed."""
    with contextlib.suppress(OSError):
        _SYSTEM.mkdir(exist_ok=True)
    if not _SYSTEM.is_dir():
        return None
    for command in (["unshare", "-m"], ["unshare", "-rm"]):
        try:
            tried = subprocess.run(
                [*command, "mount", "--make-rprivate", "/"], capture_output=True, check=False, timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if tried.returncode == 0:
            return command
    return None


def _free_ports(count: int) -> tuple[int, ...]:
    """Ports that are free now, asked of the kernel; held together so that they differ."""
    with contextlib.ExitStack() as held:
        doors = [held.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return tuple(door.getsockname()[1] for door in doors)
