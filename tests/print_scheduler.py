"""A CUPS scheduler of the test's own, with one raw queue whose backend prints on the virtual printer.

The scheduler, its job list and its commands are the real ones (Debian: cups-daemon, cups-client); it listens on a socket
in its own folder only, and nobody but this user's tests can reach it. The backend is ours, because those of CUPS need
half of a printing system: like them it gets the job's file, waits for the printer while telling in STATE lines what is
wrong, and sends. Not modelled: a printer that falls ill while the job is sent, and answers by SNMP.
"""

import contextlib
import grp
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BACKEND = """\
#!{python} -I
import os, socket, sys, time

if len(sys.argv) == 1:
    sys.exit(0)
host, _, port = os.environ["DEVICE_URI"].removeprefix("twin://").partition(":")
with open(sys.argv[6], "rb") if len(sys.argv) > 6 else sys.stdin.buffer as file:
    data = file.read()


def tell(**reasons):
    for reason, wrong in reasons.items():
        print("STATE: " + "-+"[wrong] + reason.replace("_", "-"), file=sys.stderr, flush=True)


while True:
    try:
        line = socket.create_connection((host, int(port)), 2)
        line.sendall(b"\\x10\\x04\\x02\\x10\\x04\\x04")
        cover, paper = line.recv(1)[0] & 0x04, line.recv(1)[0] & 0x60
        tell(connecting_to_device=False, cover_open=bool(cover), media_empty_error=bool(paper))
        if not cover and not paper:
            break
        line.close()
    except OSError:
        tell(connecting_to_device=True)
    time.sleep(0.05)
line.sendall(data)
"""
SCHEDULER = """\
Listen {folder}/socket
Browsing No
WebInterface No
DefaultAuthType None
ErrorPolicy retry-job
JobRetryInterval 1
PreserveJobFiles No
<Location />
Order allow,deny
Allow all
</Location>
<Policy default>
<Limit All>
Order allow,deny
</Limit>
</Policy>
"""
FILES = """\
ServerRoot {folder}
RequestRoot {folder}/spool
TempDir {folder}/spool
CacheDir {folder}/cache
StateDir {folder}/state
ServerBin {folder}/lib
AccessLog {folder}/access
ErrorLog {folder}/error
PageLog {folder}/page
User {user}
Group {group}
SystemGroup {group}
"""
START_S = 10.0


@dataclass(frozen=True, slots=True)
class Cups:
    """A running scheduler."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """For whoever calls its commands."""
        return {"CUPS_SERVER": str(self.folder / "socket")}

    def admin(self, *command: str) -> None:
        """One of its own commands, which must succeed."""
        subprocess.run(command, check=True, capture_output=True, timeout=20, env={**os.environ, **self.environment})

    def add_queue(self, name: str, port: int) -> None:
        """A raw queue that prints on the virtual printer at this port."""
        self.admin("lpadmin", "-p", name, "-E", "-v", f"twin://127.0.0.1:{port}", "-m", "raw")


@contextlib.contextmanager
def running() -> Iterator[Cups]:
    """A scheduler without root's rights, gone with all it had at the end."""
    daemon = shutil.which("cupsd") or "/usr/sbin/cupsd"
    if not Path(daemon).exists() or shutil.which("lp") is None:
        pytest.skip("CUPS is not installed (Debian: apt install cups-daemon cups-client)")
    is_root = os.geteuid() == 0
    user = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="shelf-cups-"))
    try:
        _furnish(folder, user)
        program = shutil.copy(daemon, folder)  # AppArmor holds the installed one to the system's own folders
        command = [program, "-f", "-c", folder / "cupsd.conf", "-s", folder / "cups-files.conf"]
        lowered = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if is_root else {}
        scheduler = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **lowered)  # type: ignore[call-overload]
        try:
            _await(folder / "socket", scheduler)
            yield Cups(folder)
        finally:
            scheduler.terminate()
            scheduler.wait(START_S)
    finally:
        shutil.rmtree(folder)


def _furnish(folder: Path, user: pwd.struct_passwd) -> None:
    group = grp.getgrgid(user.pw_gid).gr_name
    for part in ("spool", "cache", "state", "lib/backend", "lib/filter", "lib/notifier", "lib/driver"):
        (folder / part).mkdir(parents=True)
    (folder / "lib" / "daemon").symlink_to("/usr/lib/cups/daemon")  # with what starts a backend
    (folder / "cupsd.conf").write_text(SCHEDULER.format(folder=folder))
    (folder / "cups-files.conf").write_text(FILES.format(folder=folder, user=user.pw_name, group=group))
    backend = folder / "lib" / "backend" / "twin"
    backend.write_text(BACKEND.format(python=Path(sys.base_prefix, "bin", "python3")))
    backend.chmod(0o755)
    folder.chmod(0o755)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _await(path: Path, scheduler: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + START_S
    while not path.exists():
        if scheduler.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"cupsd did not start: {scheduler.returncode}")
        time.sleep(0.01)
