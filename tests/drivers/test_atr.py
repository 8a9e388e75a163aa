"""How a card speaks, told by its ATR (PC/SC part 3): ATRs of real cards, and every ATQB that ISO 14443-3 allows (A2, A3)."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from drivers.atr import technology_of
from kiosk.domain.identity import Technology


def chip(historical: bytes) -> bytes:
    """The ATR that a reader makes of a contactless chip's historical bytes."""
    body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
    return b"\x3b" + body + bytes([reduce(xor, body)])


@pytest.mark.parametrize(
    ("atr", "uid_length", "technology"),
    [
        ("3B8F8001804F0CA000000306030001000000006A", 4, Technology.ISO14443A),
        ("3B8F8001804F0CA0000003060B00140000000077", 8, Technology.ISO15693),
        ("3B8F8001804F0CA00000030611003B0000000042", 8, Technology.FELICA),
        ("3B8F8001804F0CA000000306060000000000006E", 4, Technology.ISO14443B),
        ("3B8F8001804F0CA00000030607FFB00000000020", 8, Technology.ISO14443B),  # a PRC resident card on some readers
        ("3B8180018080", 7, Technology.ISO14443A),
        ("3B80800101", 4, Technology.ISO14443A),
        ("3B878001C1052F2F01BCD6A9", 7, Technology.ISO14443A),
        ("3BB813008131FA524348544D4F494341A5", 4, Technology.CONTACT),
        ("", 4, Technology.UNKNOWN),
    ],
)
def test_the_atr_tells_the_technology(atr: str, uid_length: int, technology: Technology) -> None:
    assert technology_of(bytes.fromhex(atr), uid_length) is technology


@pytest.mark.parametrize("uid_length", [4, 8, None])
@pytest.mark.parametrize(
    "historical",
    [
        "0000000033818100",  # a transport card
        "0000000091 81C100",  # a driving licence
        "E1F35E1177819500",  # passports, identity cards, residence permits
        "E1F35E1177830000",
        "E1F35E117783D700",
        "E1F35E1177879500",
        "E1F35E1180879500",
        "E1E1F35E13778300",
        "304C47127783D500",
        "32F3F35E33879500",
        "0000000000000000",
        "310109 0000000000",
        "D103860500808000",  # the PRC's resident card
    ],
)
def test_what_a_type_b_chip_says_is_known(historical: str, uid_length: int | None) -> None:
    assert technology_of(chip(bytes.fromhex(historical)), uid_length) is Technology.ISO14443B


@pytest.mark.parametrize(
    "historical",
    [
        b"JCOPv241",
        b"SmartApp",
        b"BAEID1.0",
        bytes.fromhex("0073C84000009000"),
        bytes.fromhex("0073C84013009000"),
        bytes.fromhex("8066B00701010700"),
        bytes.fromhex("4343 3169AA200000"),
        bytes.fromhex("3041565400000007"),
        bytes.fromhex("990200D103042201"),
    ],
)
def test_what_a_type_a_chip_says_is_not_taken_for_it(historical: bytes) -> None:
    assert technology_of(chip(historical), 4) is Technology.ISO14443A


@given(
    application=st.binary(min_size=4, max_size=4).filter(lambda data: data[0] != 0x80),
    rates=st.integers(0, 255).map(lambda rates: rates & ~0x08),
    frame=st.integers(0, 8),
    protocol=st.sampled_from([1, 3, 5, 7]),
    waiting=st.integers(0, 14),
    options=st.integers(0, 15),
    buffer=st.integers(0, 15),
)
def test_every_protocol_type_and_waiting_time_of_the_standard_is_type_b(
    application: bytes, rates: int, frame: int, protocol: int, waiting: int, options: int, buffer: int
) -> None:
    historical = application + bytes([rates, frame << 4 | protocol, waiting << 4 | options, buffer << 4])
    assume(
        not (historical[0] == 0x00 and historical.endswith(b"\x90\x00"))
    )  # may be objects and a status of a type A chip
    is_text = all(0x20 <= byte < 0x7F for byte in historical)
    assert (technology_of(chip(historical), 4) is Technology.ISO14443B) is not is_text
    assert technology_of(chip(historical), 7) is Technology.ISO14443A


@given(st.binary(max_size=64), st.integers(0, 20))
def test_no_bytes_crash_the_atr_table(atr: bytes, uid_length: int) -> None:
    assert technology_of(atr, uid_length) in Technology
