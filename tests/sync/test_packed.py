"""Packed messages: smaller on the way, bounded when they are unpacked, and only for who can read them."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kiosk_sync import SyncKiosk

from sync import packed, wire
from sync.packed import NotPacked, TooLarge

PLAIN = b'{"words": []}' * 200


@given(st.binary(max_size=5000))
def test_what_is_packed_comes_out_as_it_was(plain: bytes) -> None:
    assert packed.unpacked(packed.packed(plain), len(plain)) == plain


def test_a_bomb_is_refused_before_it_takes_memory() -> None:
    bomb = zlib.compress(bytes(50 * 1024 * 1024), 9, wbits=31)
    assert len(bomb) < 60_000
    with pytest.raises(TooLarge, match="larger than 1000 bytes"):
        packed.unpacked(bomb, 1000)


@pytest.mark.parametrize(
    "data", [b"", PLAIN, packed.packed(PLAIN)[:-1], packed.packed(PLAIN) + b"x", zlib.compress(PLAIN)]
)
def test_what_is_torn_or_packed_otherwise_is_refused(data: bytes) -> None:
    with pytest.raises(NotPacked):
        packed.unpacked(data, 10_000)


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("deflate", False),
    ],
)
def test_who_takes_it_is_read_from_the_header(header: str | None, taken: bool) -> None:
    assert packed.accepts(header) is taken


# --- the kiosk's pushes --------------------------------------------------------------------------------------------


class Line:
    """Central behind a line that keeps what it was sent; it may be one that takes packed bodies."""

    def __init__(self, kiosk: SyncKiosk) -> None:
        self._kiosk = kiosk
        self.takes = True
        self.codings: list[str | None] = []

    def request(
        self, method: str, url: str, *, content: bytes, headers: dict[str, str], timeout: float
    ) -> httpx2.Response:
        coding = headers.get("Content-Encoding")
        if url.endswith("/v1/acts"):
            self.codings.append(coding)
        if coding is not None and not self.takes:
            return httpx2.Response(400, content=msgspec.json.encode(wire.Fault(code="bad_request")))
        plain = content if coding is None else packed.unpacked(content, 1024 * 1024)
        answer = self._kiosk.central.request(method, url, content=plain, headers=headers, timeout=timeout)
        announced = {"Accept-Encoding": "gzip"} if self.takes else {}
        return httpx2.Response(answer.status_code, headers=announced, content=answer.content)

    def interrupt(self) -> None:
        self._kiosk.central.interrupt()

    def close(self) -> None:
        self._kiosk.central.close()


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[SyncKiosk]:
    kiosk = SyncKiosk(tmp_path)
    yield kiosk
    kiosk.log.close()


def over(kiosk: SyncKiosk) -> Line:
    line = Line(kiosk)
    client = kiosk.client()
    client._http = line
    kiosk.sync = kiosk.agent(client)
    return line


def test_a_backlog_is_packed_for_a_central_that_says_it_takes_that_and_a_single_word_is_not(kiosk: SyncKiosk) -> None:
    line = over(kiosk)
    for _ in range(30):
        kiosk.says()
    kiosk.turns(2)
    kiosk.sync.ask(kiosk.says().id)
    kiosk.turns()
    assert (line.codings[0], set(line.codings[1:])) == ("gzip", {None})
    assert {word.sequence for word in kiosk.central.words} == set(range(1, 32))


def test_a_central_that_says_nothing_is_sent_plain_bodies(kiosk: SyncKiosk) -> None:
    line = over(kiosk)
    line.takes = False
    for _ in range(30):
        kiosk.says()
    kiosk.turns(2)
    assert line.codings == [None]
    assert kiosk.log.queue()[0] == 0


def test_a_central_that_was_put_back_to_an_older_program_is_sent_plain_bodies_again(kiosk: SyncKiosk) -> None:
    line = over(kiosk)
    kiosk.turns()
    line.takes = False
    for _ in range(30):
        kiosk.says()
    kiosk.clock.pass_time(60)
    kiosk.turns(4)
    assert line.codings[:2] == ["gzip", None]
    assert kiosk.log.queue()[0] == 0


def test_gzip_of_others_is_understood() -> None:
    assert json.loads(packed.unpacked(gzip.compress(b'{"a": 1}'), 100)) == {"a": 1}
