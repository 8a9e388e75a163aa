"""What a person is advised to do about a case (C4). A rule of the reason alone; its sentence stands in `kiosk/words`.

Only advice: the person decides, and says how the case was closed.
"""

from enum import StrEnum

from kiosk.domain.values import Reason


class Advice(StrEnum):
    """What to do next; `advice.<value>` says it in both languages."""

    FIND_THE_ITEM = "find_the_item"
    """Find out who has it, then correct the record."""
    SPEAK_TO_READER = "speak_to_reader"
    """The loan stands although the membership should not have had it."""
    CALL_BACK_RESERVED = "call_back_reserved"
    """Another reader waits for it."""
    FETCH_COPY = "fetch_copy"
    """It stands aside for nobody: fetch it and scan it as a return."""
    CATALOGUE_ITEM = "catalogue_item"
    """Nobody knows the item: enter it, or correct the label."""
    FIND_MEMBERSHIP = "find_membership"
    """Nobody knows the membership: find whose card it was."""
    CORRECT_ITEM_STATE = "correct_item_state"
    """It is in somebody's hands, so it is neither missing nor withdrawn."""
    CHECK_KIOSK = "check_kiosk"
    """The kiosk contradicts itself: look at its log, then at the shelf."""
    FIND_CARD_HOLDER = "find_card_holder"
    """Two memberships claim one card: find out who holds it."""
    FIND_BORROWER = "find_borrower"
    """It was entered for the membership that the card had opened before; somebody else may have done it."""
    CORRECT_DUE_DATE = "correct_due_date"
    """The date that was promised stands; agree on another one with the reader."""
    ASK_SUPPORT = "ask_support"
    """The program could not judge it."""


def advice(reason: Reason) -> Advice:
    """For every reason that can be a case; any other gets the general advice."""
    match reason:
        case Reason.LENT_TO_TWO | Reason.ORDER_UNKNOWN:
            return Advice.FIND_THE_ITEM
        case (
            Reason.MEMBERSHIP_BLOCKED
            | Reason.MEMBERSHIP_EXPIRED
            | Reason.MEMBERSHIP_SUSPENDED
            | Reason.SUSPENDED_WITHOUT_END
            | Reason.MEMBERSHIP_PENDING
            | Reason.ENTERED_AFTER_REFUSAL
        ):
            return Advice.SPEAK_TO_READER
        case Reason.ITEM_RESERVED:
            return Advice.CALL_BACK_RESERVED
        case Reason.HOLD_COPY_STRAY:
            return Advice.FETCH_COPY
        case Reason.ITEM_UNKNOWN:
            return Advice.CATALOGUE_ITEM
        case Reason.MEMBERSHIP_UNKNOWN | Reason.CARD_NOT_FOUND:
            return Advice.FIND_MEMBERSHIP
        case Reason.ITEM_WITHDRAWN | Reason.ITEM_MISSING:
            return Advice.CORRECT_ITEM_STATE
        case Reason.FACT_AFTER_WITHDRAWAL | Reason.WITHDRAWAL_AFTER_FACT | Reason.SEALED_BY_STOLEN_KIOSK:
            return Advice.CHECK_KIOSK
        case Reason.CARD_BOUND_TO_ANOTHER:
            return Advice.FIND_CARD_HOLDER
        case Reason.PROMISED_TOO_LONG:
            return Advice.CORRECT_DUE_DATE
        case Reason.CARD_MEANT_ANOTHER | Reason.CARD_WAS_VOID:
            return Advice.FIND_BORROWER
        case _:  # CANNOT_BE_JUDGED, and a reason that a later program makes a case of
            return Advice.ASK_SUPPORT
