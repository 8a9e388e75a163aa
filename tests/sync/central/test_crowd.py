"""A city's kiosks keep hundreds of connections open, and nobody waits for another's long poll to end."""

import contextlib
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from central_server import CentralServer

KIOSKS = 300


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CentralServer]:
    server = CentralServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_hundreds_of_open_connections_keep_nobody_waiting(server: CentralServer) -> None:
    with contextlib.ExitStack() as lines:
        for _ in range(KIOSKS):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            line.sendall(b"GET /v1/live HTTP/1.1\r\nHost: central\r\n\r\n")
            assert b" 200 " in line.recv(64)
        with urllib.request.urlopen(f"{server.url}/v1/live", timeout=10) as answer:
            assert answer.status == 200
