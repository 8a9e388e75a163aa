"""How a card speaks, as its answer to reset tells it; called by `drivers.card_reading`. Pure; any thread.

PC/SC part 3 (3.1.3.2.3): a reader makes the ATR of a contactless card up. A storage card's names the standard; a type A
chip's carries the historical bytes of its ATS; a type B chip's carries eight bytes of its ATQB: application data (4),
protocol info (3), and the buffer size (MBLI) in the high half of the last one. The ATR never tells the issuer.

Why eight bytes are looked at so closely: nothing marks them as type B. Protocol info (ISO/IEC 14443-3, 7.9.4) is bit
rates, then frame size (0 to 12) and protocol type, then frame waiting time FWI (0 to 14) and options. Bit 4 of the
protocol type is never set; bit 1 says ISO 14443-4, bits 2 and 3 a guard time, so 1, 3, 5 and 7 are common, and passports
have FWI 0. An even type is a chip with commands of its own (the PRC's resident card). Type A chips put text there, or
COMPACT-TLV objects (ISO/IEC 7816-4, 12.1.1); what reads as either is no ATQB. In doubt it is one: a pseudo id that
passes for an identity is worse than a card that is kindly refused (A3). Tried on the 84 such ATRs of pcsc-tools' list.
"""

from kiosk.domain.identity import Technology

_STORAGE = bytes.fromhex("804F0CA000000306")
_STANDARDS = {
    **dict.fromkeys((0x01, 0x02, 0x03), Technology.ISO14443A),
    **dict.fromkeys((0x05, 0x06, 0x07), Technology.ISO14443B),
    **dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C), Technology.ISO15693),
    0x11: Technology.FELICA,
}
_LARGEST_FRAME = 12
_LONGEST_WAIT = 14
_RFU_RATE = 0x08
_TYPE_A_LENGTHS = frozenset({7, 10})
"""Bytes that only a type A UID has; a type B pseudo id has four, the serial number of the PRC's resident card eight."""


def technology_of(atr: bytes, uid_length: int | None = None) -> Technology:
    """How the card speaks; UNKNOWN for bytes that are no ATR. `uid_length` is None while no UID was read."""
    if len(atr) < 2 or atr[0] not in (0x3B, 0x3F):
        return Technology.UNKNOWN
    if atr[0] != 0x3B or atr[1] & 0xF0 != 0x80 or atr[2:4] != b"\x80\x01":
        return Technology.CONTACT
    historical = atr[4 : 4 + (atr[1] & 0x0F)]
    if historical.startswith(_STORAGE):
        standard = historical[len(_STORAGE)] if len(historical) > len(_STORAGE) else None
        return _STANDARDS.get(standard, Technology.UNKNOWN) if standard is not None else Technology.UNKNOWN
    if uid_length not in _TYPE_A_LENGTHS and _is_atqb(historical):
        return Technology.ISO14443B
    return Technology.ISO14443A


def _is_atqb(historical: bytes) -> bool:
    if len(historical) != 8 or _is_text(historical) or _is_compact_tlv(historical):
        return False
    rates, frame_and_type, waiting, buffer = historical[4:]
    frame, protocol = frame_and_type >> 4, frame_and_type & 0x0F
    if protocol & 0x08 or frame > _LARGEST_FRAME or waiting >> 4 > _LONGEST_WAIT or buffer & 0x0F:
        return False
    return bool(protocol & 0x01) or not (rates & _RFU_RATE or historical.endswith(b"\x90\x00"))


def _is_text(historical: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in historical)


def _is_compact_tlv(historical: bytes) -> bool:
    """Category 80: objects to the end; category 00: objects, then life cycle and status 9000. Each object has a tag."""
    if historical[0] == 0x80:
        objects = historical[1:]
    elif historical[0] == 0x00 and historical.endswith(b"\x90\x00"):
        objects = historical[1:-3]
    else:
        return False
    while objects:
        tag, length = objects[0] >> 4, objects[0] & 0x0F
        if tag == 0 or len(objects) < 1 + length:
            return False
        objects = objects[1 + length :]
    return True
