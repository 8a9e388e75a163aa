"""Cards through a real pcscd, libpcsclite and pyscard; only reader driver and card are virtual (A2, A3, L1, L3)."""

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st

from drivers.card_reading import technology_of, uid_in
from drivers.virtual.card import Fault, VirtualCard, VirtualReader, storage_atr
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.values import Reason
from kiosk.ports import CardArrived, CardLeft, CardTrouble, DeviceChanged, DeviceReason, DeviceState

DESFIRE = bytes.fromhex("3B8180018080")
EASYCARD = VirtualCard(uid=bytes.fromhex("93A131C0"))

pcsc = pytest.mark.xdist_group("pcscd")


@pytest.fixture
def pad(pcscd: VirtualPcscd, readers: Ears) -> VirtualReader:
    return VirtualReader(pcscd.ports[0])


@pcsc
@pytest.mark.parametrize(("uid", "atr"), [("93A131C0", storage_atr()), ("04A1B2C3D4E5F6", DESFIRE)])
def test_a_card_is_read_in_on_air_order(pad: VirtualReader, readers: Ears, uid: str, atr: bytes) -> None:
    pad.lay(VirtualCard(uid=bytes.fromhex(uid), atr=atr))
    event = readers.next()
    assert isinstance(event, CardArrived)
    assert event.card == CardRead(bytes.fromhex(uid), Technology.ISO14443A)
    pad.take()
    assert isinstance(readers.next(), CardLeft)


@pcsc
@pytest.mark.parametrize(
    ("fault", "second", "reason"),
    [
        (Fault.TORN, None, Reason.CARD_TAKEN_EARLY),
        (Fault.MUTE, None, Reason.CARD_UNREADABLE),
        (Fault.DEAD, None, Reason.CARD_UNREADABLE),
        (Fault.NONSENSE, None, Reason.CARD_UNREADABLE),
        (Fault.NONE, bytes.fromhex("01234567"), Reason.CARD_TWO),
    ],
)
def test_a_card_that_misbehaves_is_told_and_the_next_one_works(
    pad: VirtualReader, readers: Ears, fault: Fault, second: bytes | None, reason: Reason
) -> None:
    pad.lay(VirtualCard(uid=EASYCARD.uid, fault=fault, alternating=second))
    event = readers.next()
    assert isinstance(event, CardTrouble)
    assert event.reason is reason
    pad.take()
    pad.lay(EASYCARD)
    readers.until(lambda event: isinstance(event, CardArrived))
    pad.take()


@pcsc
def test_a_fast_swap_of_two_cards_of_one_type_is_seen(pad: VirtualReader, readers: Ears) -> None:
    pad.lay(EASYCARD)
    readers.next()
    pad.lay(VirtualCard(uid=bytes.fromhex("11223344")))
    assert isinstance(readers.next(), CardLeft)
    arrived = readers.next()
    assert isinstance(arrived, CardArrived)
    assert arrived.card.uid == bytes.fromhex("11223344")
    pad.take()


@pcsc
def test_two_readers_are_told_apart(pcscd: VirtualPcscd, readers: Ears) -> None:
    first, second = (VirtualReader(port) for port in pcscd.ports)
    first.lay(EASYCARD)
    second.lay(VirtualCard(uid=bytes.fromhex("11223344")))
    seen = {}
    for _ in range(2):
        event = readers.next()
        assert isinstance(event, CardArrived)
        seen[event.reader] = event.card.uid.hex()
    assert [uid for _, uid in sorted(seen.items())] == ["93a131c0", "11223344"]
    first.take()
    second.take()


@pcsc
def test_readers_unplugged_with_a_card_come_back(pcscd: VirtualPcscd, readers: Ears, pad: VirtualReader) -> None:
    pad.lay(EASYCARD)
    readers.next()
    for reader in (0, 1):
        pcscd.unplug(reader)
    lost = readers.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.ABSENT)
    assert isinstance(lost, DeviceChanged)
    assert lost.status.reason is DeviceReason.NOT_PLUGGED
    pad.take()
    for reader in (0, 1):
        pcscd.plug(reader)
    readers.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)


@pcsc
def test_pcscd_killed_and_restarted_is_survived(pcscd: VirtualPcscd, readers: Ears) -> None:
    pcscd.kill()
    lost = readers.until(lambda event: isinstance(event, DeviceChanged))
    assert isinstance(lost, DeviceChanged)
    assert lost.status.reason is DeviceReason.SERVICE_DOWN
    pcscd.start()
    readers.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    pad = VirtualReader(pcscd.ports[0])
    pad.lay(EASYCARD)
    readers.until(lambda event: isinstance(event, CardArrived))
    pad.take()


@pytest.mark.parametrize(
    ("atr", "uid_length", "technology"),
    [
        ("3B8F8001804F0CA000000306030001000000006A", 4, Technology.ISO14443A),
        ("3B8F8001804F0CA0000003060B00140000000077", 8, Technology.ISO15693),
        ("3B8F8001804F0CA00000030611003B0000000042", 8, Technology.FELICA),
        ("3B8F8001804F0CA000000306060000000000006E", 4, Technology.ISO14443B),
        ("3B8180018080", 7, Technology.ISO14443A),
        ("3B80800101", 4, Technology.ISO14443A),
        ("3B878001C1052F2F01BCD6A9", 7, Technology.ISO14443A),
        ("3B8880010000000033818100BA", 4, Technology.ISO14443B),
        ("3BB813008131FA524348544D4F494341A5", 4, Technology.CONTACT),
        ("", 4, Technology.UNKNOWN),
    ],
)
def test_the_atr_tells_the_technology(atr: str, uid_length: int, technology: Technology) -> None:
    assert technology_of(bytes.fromhex(atr), uid_length) is technology


@given(st.binary(max_size=64), st.integers(0, 20))
def test_no_bytes_crash_the_atr_table(atr: bytes, uid_length: int) -> None:
    assert technology_of(atr, uid_length) in Technology


@given(st.lists(st.integers(0, 255), max_size=40))
def test_only_a_good_answer_of_a_uid_length_is_a_uid(answer: list[int]) -> None:
    uid = uid_in(answer)
    if isinstance(uid, bytes):
        assert answer[-2:] == [0x90, 0x00]
        assert len(uid) in (4, 7, 8, 10)
