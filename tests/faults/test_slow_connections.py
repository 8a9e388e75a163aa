"""Somebody opens more connections than central may have files open, and says little on them: kiosks are served all the same."""

import contextlib
import resource
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from ui.demo.central_process import PROGRAM, wait_until_ready

FILES = 320
"""Open files that central may have: 128 connections."""
SLOW = 400
ANSWER_S = 8.0
"""Less than it takes until the time of a slow connection is over."""


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


HALF = {
    "nothing": b"",
    "half a head": b"GET /v1/live HTTP/1.1\r\nHost: central\r\nX-Half: ",
    "half a body": b"POST /v1/enrol HTTP/1.1\r\nHost: central\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    "a request and then nothing": b"GET /v1/live HTTP/1.1\r\nHost: central\r\n\r\n",
}


@pytest.mark.parametrize("said", HALF.values(), ids=HALF.keys())
def test_slow_connections_beyond_all_limits_keep_nobody_out(tmp_path: Path, said: bytes) -> None:
    ready, log = tmp_path / "ready", tmp_path / "central.log"
    command = [PROGRAM, "central", "serve", "--data", tmp_path / "central", "--port", "0", "--ready-file", ready]
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, preexec_fn=limited)  # noqa: PLW1509
    try:
        port = wait_until_ready(ready, process, log)
        with contextlib.ExitStack() as open_lines:
            for _ in range(SLOW):
                line = open_lines.enter_context(socket.socket())
                line.setblocking(False)
                line.connect_ex(("127.0.0.1", port))
                open_lines.callback(line.close)
                with contextlib.suppress(OSError):
                    line.setblocking(True)
                    line.settimeout(1)
                    line.sendall(said)
            for _ in range(3):
                begun = time.monotonic()
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/live", timeout=30) as answer:
                    assert answer.status == 200
                assert time.monotonic() - begun < ANSWER_S
        assert process.poll() is None
        assert log.read_text().count("Few connections are left") == 1  # said once, not at every look
        assert "Traceback" not in log.read_text()
    finally:
        process.terminate()
        process.wait(30)
