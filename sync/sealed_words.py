"""One word sealed to central, and opened there: HPKE base mode (RFC 9180), the suite of `sealed`, single shot.

info = "shelfpoint sealed word 1", kiosk, act id: a piece counts for this kiosk's act alone. Inside is the word as `wire.WireWord`, JSON.
Sequence and kind of word are told beside it, because a central that was put back is told an accepted request as a fact. Pure.
"""

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import structs

from sync.sealed import SUITE
from sync.wire import WireWord, padded

LONGEST = 8192
"""Characters of a sealed word on the wire; no act of ours takes a quarter of that."""


def seal_word(word: WireWord, kiosk: str, to: X25519PublicKey) -> bytes:
    """What only central can read."""
    return SUITE.encrypt(msgspec.json.encode(word), to, _info(kiosk, word.act))


def opened_word(word: WireWord, kiosk: str, key: X25519PrivateKey) -> WireWord:
    """The word in clear; one that cannot be opened, or says another act than is told beside it, is `strange`."""
    if not word.sealed:
        return word
    if len(word.sealed) > LONGEST:
        return _strange(word)
    try:
        inside = msgspec.json.decode(SUITE.decrypt(padded(word.sealed), key, _info(kiosk, word.act)), type=WireWord)
    except (InvalidTag, ValueError):  # msgspec's errors are ValueErrors
        return _strange(word)
    if (inside.act, inside.deed) != (word.act, word.deed) or inside.sealed:
        return _strange(word)
    return structs.replace(
        inside, sequence=word.sequence, word=word.word, request_sequence=word.request_sequence, strange=""
    )


def _strange(word: WireWord) -> WireWord:
    return structs.replace(word, sealed="", strange="sealed to another central")


def _info(kiosk: str, act: str) -> bytes:
    return b"\n".join((b"shelfpoint sealed word 1", kiosk.encode(), act.encode()))
