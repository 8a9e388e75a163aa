"""A journey over several central processes on one PostgreSQL, behind a plain round-robin."""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import jwt
import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.domain.journal import Outcome, Word
from sync.central.office import Central
from sync.wire import FeedPage, LoanEntry, Push, Pushed
from ui.cli.central import central as central_command

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")]


@contextlib.contextmanager
def serving(settings: Any, workers: int) -> Iterator[str]:
    """The address; afterwards standard output has held it and nothing else, and every line of the log was JSON."""
    command = [
        sys.executable, "-c", "from ui.cli.main import main; main()", "central", "serve", "--data", str(settings.data),
        "--database", settings.database, "--port", "0", "--workers", str(workers),
    ]  # fmt: skip
    log = settings.data.with_name(f"serve-{workers}.log")
    with log.open("w") as told:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=told, text=True, env={**os.environ, "PYTHONPATH": "."}
        )
    try:
        assert process.stdout is not None
        announced = process.stdout.readline().strip()
        assert announced.startswith("shelfpoint central listening on"), log.read_text()
        yield announced.rpartition(" ")[2]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""
        events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
        assert events.count("Central is listening") == (workers + 1 if workers > 1 else 1)
    finally:
        process.kill()
        process.communicate()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Speaker:
    """A kiosk whose every request goes to the next process."""

    def __init__(self, central: Central, addresses: Iterator[str]) -> None:
        self._addresses = addresses
        self._client = httpx2.Client(timeout=30)
        self._key = Ed25519PrivateKey.generate()
        body = {"code": central.fleet.make_code("main"), "public_key": b64(self._key.public_key().public_bytes_raw())}
        self.id = self._client.post(next(addresses) + "/v1/enrol", json=body).json()["kiosk"]
        self._now = int(central.clock().timestamp())

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        data = b"" if body is None else json.dumps(msgspec.to_builtins(body)).encode()
        claims = {"iss": self.id, "iat": self._now, "exp": self._now + 60, "jti": "1"}
        claims["bh"] = b64(hashlib.sha256(data).digest())
        headers = {"Authorization": "Bearer " + jwt.encode(claims, self._key, algorithm="EdDSA")}
        answer = self._client.request(
            method, next(self._addresses) + path, content=data, headers={**headers, "Content-Type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        return answer.content

    def close(self) -> None:
        self._client.close()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_kiosks_behind_a_round_robin_over_four_processes_lose_and_double_nothing(town: Any) -> None:
    real = Central.open(town.settings)
    with serving(town.settings, 3) as shared, serving(town.settings, 1) as alone, contextlib.closing(real):
        turns = itertools.cycle([shared, alone])
        with contextlib.ExitStack() as stack:
            speakers = [stack.enter_context(contextlib.closing(Speaker(real, turns))) for _ in range(4)]
            assert [speaker.id for speaker in speakers] == [f"main-{number}" for number in range(1, 5)]

            def story(number: int) -> list[Pushed]:
                """Each word is told twice, to two different processes."""
                speaker, told = speakers[number], []
                for turn in range(8):
                    item = f"C{turn % 4 + 1}"
                    word = town.word(Word.FACT, f"a{number}-{turn}", item=item, kiosk=speaker.id, minute=number + turn)
                    push = Push(incarnation="log-1", words=[word])
                    told += [msgspec.json.decode(speaker.call("POST", "/v1/acts", push), type=Pushed) for _ in "12"]
                return told

            with ThreadPoolExecutor(4) as pool:
                stories = list(pool.map(story, range(4)))
            for told in stories:
                for first, again in zip(told[::2], told[1::2], strict=True):
                    assert first.verdicts == again.verdicts
                    assert first.verdicts[0].outcome is not Outcome.REFUSED
                assert told[-1].held_through == 8
            page = msgspec.json.decode(speakers[0].call("GET", "/v1/feed"), type=FeedPage)
            assert not page.more
            open_loans = real.holdings.open_loans()
            assert {entry.act for entry in page.entries if isinstance(entry, LoanEntry)} == {
                loan.act_id for loan in open_loans
            }
    assert len(town.central.holdings.acts()) == 32
    assert len(town.loans()) == 4


def test_several_workers_without_postgresql_are_refused(tmp_path: Any) -> None:
    told = CliRunner().invoke(central_command, ["serve", "--data", str(tmp_path / "c"), "--workers", "2"])
    assert (told.exit_code, "PostgreSQL" in told.output) == (2, True)
