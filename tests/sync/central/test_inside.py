"""Metrics and the API's description stand at an address of their own (K1): on loopback, and not where everybody asks."""

import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from sync.central.office import CentralSettings
from ui.demo.central_process import PROGRAM, wait_until_ready


def free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_metrics_are_answered_at_the_inner_address_and_by_every_process(
    new_settings: Any, kind: str, tmp_path: Path
) -> None:
    settings: CentralSettings = new_settings()
    ready, log, inside = tmp_path / "ready", tmp_path / "log", free_port()
    command: list[Any] = [PROGRAM, "central", "serve", "--data", settings.data, "--port", "0", "--ready-file", ready]
    command += ["--metrics-port", str(inside)]
    if settings.database is not None:
        command += ["--database", settings.database, "--workers", "2"]
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told)
    try:
        port = wait_until_ready(ready, process, log)
        for path in ("/metrics", "/schema/openapi.json"):
            assert {status(inside, path) for _ in range(4)} == {200}
            assert status(port, path) == 404
        assert (status(port, "/v1/live"), status(inside, "/v1/live")) == (200, 404)
        process.terminate()
        assert process.wait(30) == 0
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_an_inner_address_that_is_taken_is_said_with_its_port(new_settings: Any, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        command = [PROGRAM, "central", "serve", "--data", new_settings().data, "--port", "0", "--metrics-port", taken]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, f"127.0.0.1:{taken}: Address already in use" in done.stderr) == (1, True), done.stderr
