"""A private smart-card service: the real pcscd, in the foreground, with virtual readers, for the demo and for tests.

Owns the child process, a folder with its configuration, and the ports of its readers. pcscd's paths (socket,
process-id file, USB drivers) are compiled in: a library that is loaded into it (reader/elsewhere.c) moves them into
that folder. So several run side by side and beside the machine's own, by any account, in a container or a chroot too;
clients find it through PCSCLITE_CSOCK_NAME. The machine's own readers stay with the machine's own pcscd.

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
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).resolve().parents[2]
_BUILD = _ROOT / "drivers" / "virtual" / "reader" / "build.sh"
LIBRARY = _ROOT / "build" / "reader" / "libifdshelf.so"
_ELSEWHERE = LIBRARY.with_name("libelsewhere.so")
_PRELOAD = 'exec env LD_PRELOAD="$0${LD_PRELOAD:+:$LD_PRELOAD}" "$@"'
"""Loads $0 before the command that follows, and before what is loaded into it already (umockdev)."""
_LONGEST_SOCKET = 107
"""Bytes of a socket's path (unix(7))."""
START_DEADLINE_S = 10.0


class PcscdMissing(Exception):
    """pcscd, or what its reader driver is built with, is not on this machine."""


class VirtualPcscd:
    """A pcscd of our own with virtual readers; reader n is named "Shelfpoint Virtual PICC n" or `names[n]`, and "0n 00"."""

    def __init__(self, folder: Path, readers: int = 1, polled: Collection[int] = (), names: Sequence[str] = ()) -> None:
        """`polled` are the numbers of readers that tell nothing by themselves: pcscd asks them every 400 ms."""
        self._folder = folder
        self._flags = folder / "flags"
        self._run = folder / "run"
        self._drivers = folder / "drivers"
        """Takes the place of /usr/lib/pcsc/drivers; empty here."""
        self._process: subprocess.Popen[bytes] | None = None
        self.ports = _free_ports(readers)
        """Loopback port of each reader, where cards connect."""
        self._polled = tuple(polled)
        self._names = tuple(names) or tuple(f"Shelfpoint Virtual PICC {number}" for number in range(readers))

    @property
    def socket_path(self) -> Path:
        """Where clients find it."""
        return self._run / "pcscd.comm"

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
        if len(os.fsencode(self.socket_path)) > _LONGEST_SOCKET:
            raise PcscdMissing(f"the path of pcscd's socket is longer than {_LONGEST_SOCKET} bytes: {self.socket_path}")
        for folder in (self._run, self._drivers):
            folder.mkdir(parents=True, exist_ok=True)
        self._prepare()
        command = [program, "-f", "-c", str(self._folder / "conf")]
        help_text = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
        if "--disable-polkit" in help_text:
            command.append("--disable-polkit")
        for left_over in ("pcscd.comm", "pcscd.pid"):
            (self._run / left_over).unlink(missing_ok=True)
        own_folders = {"ELSEWHERE_RUN": str(self._run), "ELSEWHERE_DRIVERS": str(self._drivers)}
        with (self._folder / "pcscd.log").open("ab") as words:
            self._process = self._launch(["sh", "-c", _PRELOAD, str(_ELSEWHERE), *command], own_folders, words)
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """End it, politely and then not; reap it. Does nothing when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a crash: socket and pid file stay behind. It is reaped."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It hangs: takes connections, as the kernel does that for it, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it hung."""
        self._signal(signal.SIGCONT)

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
        build_driver()
        for folder in (self._flags, self._folder / "conf"):
            folder.mkdir(parents=True, exist_ok=True)
        readers = [
            f'FRIENDLYNAME "{name}"\nDEVICENAME {self._flags}:{port}\nLIBPATH {LIBRARY}\nCHANNELID {port}\n'
            for name, port in zip(self._names, self.ports, strict=True)
        ]
        (self._folder / "conf" / "reader.conf").write_text("\n".join(readers), encoding="utf-8")
        for reader in self._polled:
            (self._flags / f"{self.ports[reader]}.polled").touch()

    def _launch(
        self, command: list[str], own_folders: Mapping[str, str], words: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        """Start the daemon, with `own_folders` in its environment; what it says goes to `words`."""
        environment = {**os.environ, **own_folders}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment)

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        process.send_signal(signal.SIGCONT)  # it may hang
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


def build_driver() -> None:
    """Build what pcscd loads, where a source is newer. Raises PcscdMissing."""
    done = subprocess.run(["sh", str(_BUILD)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PcscdMissing(f"the virtual reader's driver could not be built: {done.stderr[-300:]}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _free_ports(count: int) -> tuple[int, ...]:
    """Ports that are free now, asked of the kernel; held together so that they differ."""
    with contextlib.ExitStack() as held:
        doors = [held.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return tuple(door.getsockname()[1] for door in doors)
