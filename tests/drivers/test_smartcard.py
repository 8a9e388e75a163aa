"""Cards through a real pcscd, libpcsclite and pyscard; only reader driver and card are virtual (A2, A3, L1, L3)."""

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st

from drivers.card_reading import UID_PAUSE_S, ask_uid
from drivers.virtual.card import Fault, VirtualCard, VirtualReader, storage_atr
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.domain.identity import CardRead, Technology, unfit
from kiosk.domain.values import Reason, Refused
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
        (Fault.BRUSHED, None, Reason.CARD_TAKEN_EARLY),
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


GET_UID = bytes.fromhex("FFCA000000")
PRC_RESIDENT = bytes.fromhex("3B888001D10386050080800058")


@pcsc
@pytest.mark.parametrize(
    "answers",
    [
        {"FFCA000000": "6C04", "FFCA000004": "93A131C09000"},
        {"FFCA000000": "6104", "FFC0000004": "93A131C09000"},
        {"FFCA000000": "6104", "00C0000004": "93A131C09000"},
        {"FFCA000000": "6E00"},
    ],
)
def test_a_reader_that_wants_the_length_or_keeps_the_uid_waiting_is_followed(
    pad: VirtualReader, readers: Ears, answers: dict[str, str]
) -> None:
    chip = {bytes.fromhex(command): bytes.fromhex(answer) for command, answer in answers.items()}
    pad.lay(VirtualCard(uid=b"", answers=chip))
    event = readers.next()
    if chip[GET_UID] == b"\x6e\x00":
        assert isinstance(event, CardTrouble)
        assert event.reason is Reason.CARD_UNREADABLE
    else:
        assert isinstance(event, CardArrived)
        assert event.card.uid == EASYCARD.uid
    pad.take()


@pcsc
@pytest.mark.parametrize(("fails", "read"), [(1, True), (2, True), (3, False)])
def test_a_card_that_fails_at_first_is_asked_again_but_not_for_ever(
    pad: VirtualReader, readers: Ears, fails: int, read: bool
) -> None:
    pad.lay(VirtualCard(uid=EASYCARD.uid, fails_first=fails))
    event = readers.next()
    assert isinstance(event, CardArrived if read else CardTrouble)
    pad.take()


@pcsc
def test_a_type_b_card_is_refused_as_one_whether_it_tells_a_pseudo_id_or_nothing(
    pad: VirtualReader, readers: Ears
) -> None:
    passport = bytes.fromhex("3B888001E1F35E11778300 00A0")
    for uid in ("5A0C11E7", "1122334455667788"):
        pad.lay(VirtualCard(uid=bytes.fromhex(uid), atr=passport))
        event = readers.until(lambda event: isinstance(event, CardArrived))
        assert isinstance(event, CardArrived)
        assert unfit(event.card) == Refused(Reason.CARD_TYPE_B)
    pad.lay(VirtualCard(uid=b"", atr=PRC_RESIDENT, answers={GET_UID: b"\x6a\x81"}))
    trouble = readers.until(lambda event: isinstance(event, CardTrouble))
    assert isinstance(trouble, CardTrouble)
    assert trouble.reason is Reason.CARD_TYPE_B
    pad.take()


def test_a_card_that_fails_is_given_time_between_the_tries() -> None:
    answers, pauses = iter([b"\x63\x00", b"\x63\x00", EASYCARD.uid + b"\x90\x00"]), list[float]()
    assert ask_uid(lambda _: next(answers), pauses.append) == EASYCARD.uid
    assert pauses == [UID_PAUSE_S, UID_PAUSE_S]


@given(st.binary(max_size=40))
def test_only_a_good_answer_of_a_uid_length_is_a_uid(answer: bytes) -> None:
    uid = ask_uid(lambda command: answer if command == GET_UID else None)
    if uid is not None:
        assert answer == uid + b"\x90\x00"
        assert len(uid) in (4, 7, 8, 10)
