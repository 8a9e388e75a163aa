"""A real central with the sample library in a process of its own: `shelfpoint central load-demo`, then `serve`."""

import json
import subprocess
import sys
import time
from pathlib import Path

START_S = 30.0
PROGRAM = Path(sys.executable).with_name("shelfpoint")


class CentralFailedError(Exception):
    """Central did not start or did not answer; the message says where its log is."""


def wait_until_ready(ready: Path, process: subprocess.Popen[bytes], log: Path) -> int:
    """The port at which `central serve` answers, as its ready file tells. Raises CentralFailedError."""
    deadline = time.monotonic() + START_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CentralFailedError(f"central did not start; see {log}")
        time.sleep(0.02)
    return int(ready.read_text(encoding="ascii").strip().rsplit(":", 1)[1])


class CentralProcess:
    """One central on loopback; its data and log live in `folder`. One thread."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "central"
        self.port = 0
        self._log = folder / "central.log"
        self._ready = folder / "central.ready"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._run("load-demo")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, on the same port as before if it ran already; returns when it answers. Raises CentralFailedError."""
        self._ready.unlink(missing_ok=True)
        command: list[str | Path] = [PROGRAM, "central", "serve", "--data", self.data, "--port", str(self.port)]
        command += ["--metrics-port", "0"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*command, "--ready-file", self._ready], stdout=log, stderr=log)
        self.port = wait_until_ready(self._ready, self._process, self._log)

    def stop(self) -> None:
        """End it in order; it finishes what it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def enrolment_code(self, branch: str = "main") -> str:
        """A one-time code for a new kiosk."""
        made = self.ask("enrol", "--branch", branch)
        if not isinstance(made, dict) or not isinstance(made.get("code"), str):
            raise CentralFailedError("central gave no enrolment code")
        return str(made["code"])

    def ask(self, *command: str) -> object:
        """What `shelfpoint central … --json` says."""
        return json.loads(self._run(*command, "--json"))

    def _run(self, command: str, *options: str) -> bytes:
        done = subprocess.run(
            [PROGRAM, "central", command, "--data", self.data, *options], capture_output=True, timeout=60, check=False
        )
        if done.returncode:
            raise CentralFailedError(f"central {command}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout
