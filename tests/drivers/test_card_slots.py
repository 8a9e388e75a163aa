"""Cards that are more than a UID, over the real pcscd: contact cards, known strangers, two cards, a reader held (A2, A3)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ears import Ears
from fakes import Kiosk
from smartcard import scard

from drivers.apdu import Script
from drivers.card_reading import Slots
from drivers.slot_kind import SlotKind
from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.card import VirtualCard, VirtualReader
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.values import Reason
from kiosk.ports import (
    CardArrived,
    CardLeft,
    CardTrouble,
    CentralReason,
    CodeRead,
    DeviceChanged,
    DeviceReason,
    DeviceState,
    Event,
    Link,
    LinkChanged,
    Phase,
    Started,
)

pytestmark = pytest.mark.xdist_group("pcscd")

EASYCARD = VirtualCard(uid=bytes.fromhex("93A131C0"))
CONTACT_ATR = bytes.fromhex("3B6800000073C84000009000")
CERTIFICATE = bytes.fromhex("3BB813008131FA524348544D4F494341A5")
SELECT = bytes.fromhex("00A4040005F000000001")
READ = bytes.fromhex("00B0000008")
HEALTH_CARD = bytes.fromhex("00A4040010D158000001000000000000000000001100")
SAID = b"00001234\x90\x00"
SCRIPT = Script(commands=(SELECT, READ), length=8)


@pytest.fixture
def contact(pcscd: VirtualPcscd) -> Iterator[tuple[VirtualReader, Ears]]:
    """The first reader as a contact slot with the library's script."""
    ears = Ears()
    reader = CardReader("chip", "PICC 0", ears, Slots(SlotKind.CONTACT, SCRIPT))
    supervisor = Supervisor([reader], ears, back_off_s=(0.05,))
    supervisor.start()
    ears.until(ready)
    pad = VirtualReader(pcscd.ports[0])
    yield pad, ears
    pad.take()
    supervisor.stop()


def ready(event: Event) -> bool:
    return isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY


def test_a_contact_cards_number_is_read_by_the_script(contact: tuple[VirtualReader, Ears]) -> None:
    pad, ears = contact
    rest, number = bytes.fromhex("00C0000008"), bytes.fromhex("1234567890123456")
    answers = {SELECT: b"\x61\x08", rest: bytes(8) + b"\x90\x00", READ: number + b"\x90\x00"}
    pad.lay(VirtualCard(uid=b"", atr=CONTACT_ATR, answers=answers))
    event = ears.next()
    assert isinstance(event, CardArrived)
    assert event.card == CardRead(number, Technology.CONTACT)


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (VirtualCard(uid=b"", atr=CERTIFICATE), Reason.CARD_IS_CITIZEN_CERTIFICATE),
        (VirtualCard(uid=b"", atr=CONTACT_ATR, answers={HEALTH_CARD: b"\x90\x00"}), Reason.CARD_IS_HEALTH_CARD),
        (
            VirtualCard(uid=b"", atr=CONTACT_ATR, answers={HEALTH_CARD: b"\x90\x00", SELECT: b"\x90\x00", READ: SAID}),
            Reason.CARD_IS_HEALTH_CARD,
        ),
        (VirtualCard(uid=b"", atr=CONTACT_ATR, answers={SELECT: b"\x6a\x82", READ: SAID}), Reason.CARD_NO_RULE),
        (VirtualCard(uid=b"", atr=CONTACT_ATR, answers={SELECT: b"\x90\x00"}), Reason.CARD_UNREADABLE),
    ],
)
def test_a_contact_card_of_somebody_else_is_told_and_gives_no_number(
    contact: tuple[VirtualReader, Ears], card: VirtualCard, reason: Reason
) -> None:
    pad, ears = contact
    pad.lay(card)
    event = ears.next()
    assert isinstance(event, CardTrouble)
    assert event.reason is reason


def test_a_certificate_on_a_contactless_reader_is_known_too(pcscd: VirtualPcscd, readers: Ears) -> None:
    pad = VirtualReader(pcscd.ports[0])
    pad.lay(VirtualCard(uid=EASYCARD.uid, atr=bytes.fromhex("3B8B80010031C1640840213000900057")))
    event = readers.next()
    assert isinstance(event, CardTrouble)
    assert event.reason is Reason.CARD_IS_CITIZEN_CERTIFICATE
    pad.take()


def test_a_second_card_that_answers_late_is_told_after_the_first_was_posted(pcscd: VirtualPcscd, readers: Ears) -> None:
    pad = VirtualReader(pcscd.ports[0])
    pad.lay(VirtualCard(uid=EASYCARD.uid, alternating=bytes.fromhex("01234567"), alone_for=2))
    first, late = readers.next(), readers.next()
    assert isinstance(first, CardArrived)
    assert isinstance(late, CardTrouble)
    assert late.reason is Reason.CARD_TWO
    pad.take()


def test_a_late_second_card_ends_the_visit_that_the_first_opened(pcscd: VirtualPcscd, readers: Ears) -> None:
    kiosk, pad = Kiosk(), VirtualReader(pcscd.ports[0])
    kiosk.hear(Started(), LinkChanged(Link.OFFLINE, CentralReason.UNREACHABLE))
    pad.lay(VirtualCard(uid=EASYCARD.uid, alternating=bytes.fromhex("01234567"), alone_for=2))
    assert kiosk.hear(readers.next()).phase is Phase.BORROW
    view = kiosk.hear(readers.next(), CodeRead("scanner", "C0000001"))
    assert (view.phase, view.name, kiosk.acts.words) == (Phase.START, "", [])
    pad.take()


def test_one_card_that_stays_is_told_once(pcscd: VirtualPcscd, readers: Ears) -> None:
    pad = VirtualReader(pcscd.ports[0])
    pad.lay(VirtualCard(uid=EASYCARD.uid, alternating=bytes.fromhex("01234567"), alone_for=3))
    assert isinstance(readers.next(), CardArrived)  # the third read is the second look; nothing reads a fourth time
    other = VirtualReader(pcscd.ports[1])
    other.lay(EASYCARD)
    assert isinstance(readers.next(), CardArrived)
    other.take()
    assert isinstance(readers.next(), CardLeft)
    pad.take()
    assert isinstance(readers.next(), CardLeft)


def test_a_reader_that_another_program_holds_is_reported_and_reads_when_it_is_free(
    pcscd: VirtualPcscd, readers: Ears
) -> None:
    pad = VirtualReader(pcscd.ports[0])
    pad.lay(EASYCARD)
    arrived = readers.next()
    assert isinstance(arrived, CardArrived)
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    code = scard.SCARD_E_SHARING_VIOLATION
    while code == scard.SCARD_E_SHARING_VIOLATION:  # our own second look may be at it
        code, handle, _ = scard.SCardConnect(
            context, arrived.reader, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
    assert code == scard.SCARD_S_SUCCESS
    pad.lay(VirtualCard(uid=bytes.fromhex("11223344")))
    held = readers.until(lambda event: isinstance(event, DeviceChanged))
    assert isinstance(held, DeviceChanged)
    assert (held.status.state, held.status.reason) == (DeviceState.FAULT, DeviceReason.HELD_BY_OTHER)
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)
    again = readers.until(lambda event: isinstance(event, CardArrived))
    assert isinstance(again, CardArrived)
    assert again.card.uid == bytes.fromhex("11223344")
    readers.until(ready)
    pad.take()


@contextmanager
def transaction() -> Iterator[Callable[[], None]]:
    """Another program shares the reader and keeps it to itself; gives what ends that."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    name = next(name for name in scard.SCardListReaders(context, [])[1] if "PICC 0" in name)
    scard.SCardGetStatusChange(context, 5000, [(name, scard.SCARD_STATE_EMPTY)])
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    code, handle, _ = scard.SCardConnect(context, name, scard.SCARD_SHARE_SHARED, protocols)
    assert (code, scard.SCardBeginTransaction(handle)) == (scard.SCARD_S_SUCCESS, scard.SCARD_S_SUCCESS)
    yield lambda: scard.SCardEndTransaction(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)


def test_a_read_that_waits_for_another_programs_transaction_is_reported_and_ends_with_it(pcscd: VirtualPcscd) -> None:
    pad, ears = VirtualReader(pcscd.ports[0]), Ears()
    supervisor = Supervisor([CardReader("reader", "PICC 0", ears)], ears)
    pad.lay(EASYCARD)
    with transaction() as end:
        supervisor.start()
        ears.until(ready)
        held = ears.next()
        assert isinstance(held, DeviceChanged)
        assert (held.status.state, held.status.reason) == (DeviceState.FAULT, DeviceReason.HELD_BY_OTHER)
        end()
        assert isinstance(ears.next(), CardArrived)
        assert ready(ears.next())
    supervisor.stop()
    pad.take()


def test_a_thread_that_is_left_behind_in_a_read_tells_of_no_card_later(pcscd: VirtualPcscd) -> None:
    pad, ears = VirtualReader(pcscd.ports[0]), Ears()
    supervisor = Supervisor([CardReader("left", "PICC 0", ears)], ears, stop_s=0.0)
    pad.lay(EASYCARD)
    with transaction() as end:
        supervisor.start()
        ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.FAULT)
        supervisor.stop()
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "device:left")
        end()
        thread.join(10)
    pad.take()
    while ears.waiting():
        assert not isinstance(ears.next(), CardArrived | CardTrouble)


def test_taps_too_short_to_read_do_not_pass_in_silence(pcscd: VirtualPcscd, readers: Ears) -> None:
    pad = VirtualReader(pcscd.ports[0])
    for _ in range(5):
        pad.lay(EASYCARD)
        pad.take()
    seen = [readers.next()]
    while not isinstance(seen[-1], CardLeft) and not isinstance(seen[-1], CardTrouble):
        seen.append(readers.next())
    assert all(isinstance(event, CardArrived | CardLeft | CardTrouble) for event in seen)
