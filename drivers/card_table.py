"""Cards that people hold to a library's reader and that are no library cards: told apart so that the kiosk can say so.

Nothing is read from them. The Citizen Digital Certificate is known by its ATR (pcsc-tools' list of ATRs); the health
insurance card, whose chip and ATR change with every issue, by its application: a contact card that lets it be chosen is
one (SELECT by name, ISO/IEC 7816-4; choosing reads nothing). A card of the newest issue refuses the choice, as it
refuses that of the library's application, and is then simply a card without a rule. Pure; any thread.
"""

from drivers.apdu import SUCCESS, Send, exchange
from kiosk.domain.values import Reason

_BY_ATR = {
    bytes.fromhex("3BB813008131FA524348544D4F494341A5"): Reason.CARD_IS_CITIZEN_CERTIFICATE,
    bytes.fromhex("3BD8960081B1FE451F0743485447504B494ADD"): Reason.CARD_IS_CITIZEN_CERTIFICATE,
    bytes.fromhex("3B8B80010031C1640840213000900057"): Reason.CARD_IS_CITIZEN_CERTIFICATE,
}
_HEALTH_CARD = bytes.fromhex("00A4040010D158000001000000000000000000001100")


def known_by_atr(atr: bytes) -> Reason | None:
    """Which card that no library uses this is, or None."""
    return _BY_ATR.get(atr)


def known_by_choice(send: Send) -> Reason | None:
    """The same, asked of a contact card: it is only asked which application it has. Blocks as `send` does."""
    answer = exchange(send, _HEALTH_CARD)
    return Reason.CARD_IS_HEALTH_CARD if answer is not None and answer.status == SUCCESS else None
