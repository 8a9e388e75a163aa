"""Names and small values that every floor shares: ids, branches of time, and refusals that carry their reason.

A refusal is a value, not an exception (DESIGN.md section 5): `Refused(reason, {...})`. Its sentence stands in
`kiosk/words/*.toml` under `reason.<value>`, so that slip, screen and central say the same thing in both languages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NewType
from zoneinfo import ZoneInfo

ActId = NewType("ActId", str)
"""UUIDv7 in canonical text, made at the kiosk."""
KioskId = NewType("KioskId", str)
"""Given by central at enrolment."""
IncarnationId = NewType("IncarnationId", str)
"""One life of a kiosk's acts file; a new file is a new incarnation."""
BranchId = NewType("BranchId", str)
"""Short code of a branch library, as the library writes it."""
MembershipId = NewType("MembershipId", str)
"""Opaque id of a membership (借閱證); never a card number."""
ItemId = NewType("ItemId", str)
"""The item's barcode number (條碼號), as the library system stores it."""
WorkId = NewType("WorkId", str)
"""What copies share (書目); holds are on it. An item that names none is a work of its own."""

LIBRARY_TIME = ZoneInfo("Asia/Taipei")
"""Dates and day limits are counted in this zone (REQUIREMENTS.md, head)."""


class Reason(StrEnum):
    """Why something is refused, noted or handed to a person. One sentence each in both languages."""

    # who is in front of the kiosk
    CARD_NOT_FOUND = "card_not_found"
    CARD_RANDOM = "card_random"
    CARD_INCOMPLETE = "card_incomplete"
    CARD_TEST_NUMBER = "card_test_number"
    CARD_TYPE_B = "card_type_b"
    CARD_TAKEN_EARLY = "card_taken_early"
    CARD_UNREADABLE = "card_unreadable"
    CARD_TWO = "card_two"
    CARD_TWO_AFTER_ACTS = "card_two_after_acts"
    CARD_NO_RULE = "card_no_rule"
    CARD_IS_HEALTH_CARD = "card_is_health_card"
    CARD_IS_CITIZEN_CERTIFICATE = "card_is_citizen_certificate"
    CARD_REPEATED_UNKNOWN = "card_repeated_unknown"
    CARD_LEFT_BEHIND = "card_left_behind"
    VISIT_IN_PROGRESS = "visit_in_progress"
    CHOOSE_FIRST = "choose_first"
    NOW_OFFLINE = "now_offline"
    RETURN_NEEDS_NO_CARD = "return_needs_no_card"
    DESENSITISE_AT_DESK = "desensitise_at_desk"
    # what was scanned
    CODE_NOT_AN_ITEM = "code_not_an_item"
    CODE_IS_ISBN = "code_is_isbn"
    CODE_IS_INVOICE_CARRIER = "code_is_invoice_carrier"
    CODE_IS_PATRON = "code_is_patron"
    CODE_IS_ITEM = "code_is_item"
    CODE_IS_VOUCHER = "code_is_voucher"
    CODE_IS_EVENT = "code_is_event"
    CODE_IS_VIRTUAL_CARD = "code_is_virtual_card"
    CODE_UNKNOWN = "code_unknown"
    CODE_TOO_LONG = "code_too_long"
    CODE_UNREADABLE = "code_unreadable"
    # the membership
    MEMBERSHIP_UNKNOWN = "membership_unknown"
    MEMBERSHIP_EXPIRED = "membership_expired"
    MEMBERSHIP_SUSPENDED = "membership_suspended"
    SUSPENDED_WITHOUT_END = "suspended_without_end"
    MEMBERSHIP_BLOCKED = "membership_blocked"
    MEMBERSHIP_PENDING = "membership_pending"
    MONEY_OWED = "money_owed"
    HAS_OVERDUE = "has_overdue"
    QUOTA_REACHED = "quota_reached"
    # the item
    ITEM_UNKNOWN = "item_unknown"
    ITEM_DESK_ONLY = "item_desk_only"
    ITEM_NOT_FOR_LOAN = "item_not_for_loan"
    ITEM_ON_LOAN = "item_on_loan"
    ITEM_ON_LOAN_TO_YOU = "item_on_loan_to_you"
    ITEM_RESERVED = "item_reserved"
    ITEM_NOT_ON_LOAN = "item_not_on_loan"
    ITEM_WITHDRAWN = "item_withdrawn"
    ITEM_MISSING = "item_missing"
    ITEM_FOUND = "item_found"
    ITEM_RETURN_AT_DESK = "item_return_at_desk"
    # holds
    HOLD_HERE = "hold_here"
    HOLD_AT_BRANCH = "hold_at_branch"
    HOLD_ASK_DESK = "hold_ask_desk"
    GOES_TO_BRANCH = "goes_to_branch"
    HOLD_PLACED = "hold_placed"
    HOLD_CANCELLED = "hold_cancelled"
    HOLD_ALREADY = "hold_already"
    HOLD_HAVE_IT = "hold_have_it"
    HOLD_ON_SHELF = "hold_on_shelf"
    HOLD_NOT_OFFERED = "hold_not_offered"
    HOLD_BRANCH_CLOSED = "hold_branch_closed"
    HOLD_UNKNOWN = "hold_unknown"
    HOLD_NEEDS_CENTRAL = "hold_needs_central"
    HOLDS_REACHED = "holds_reached"
    HOLDS_SUSPENDED = "holds_suspended"
    # renewal
    RENEWALS_USED_UP = "renewals_used_up"
    RENEWAL_TOO_EARLY = "renewal_too_early"
    RENEWAL_NEEDS_CENTRAL = "renewal_needs_central"
    LOAN_OVERDUE = "loan_overdue"
    # knowledge and clock
    REPLICA_TOO_OLD = "replica_too_old"
    REPLICA_EMPTY = "replica_empty"
    REPLICA_FILLING = "replica_filling"
    REPLICA_DAMAGED = "replica_damaged"
    CLOCK_DOUBTFUL = "clock_doubtful"
    ORDER_UNKNOWN = "order_unknown"
    NO_POLICY = "no_policy"
    # what central notes or hands to a person
    LENT_TO_TWO = "lent_to_two"
    ALREADY_RETURNED = "already_returned"
    OLDER_THAN_HOLDER = "older_than_holder"
    HOLD_COPY_STRAY = "hold_copy_stray"
    FACT_AFTER_WITHDRAWAL = "fact_after_withdrawal"
    WITHDRAWAL_AFTER_FACT = "withdrawal_after_fact"
    ENTERED_AFTER_REFUSAL = "entered_after_refusal"
    SEALED_BY_STOLEN_KIOSK = "sealed_by_stolen_kiosk"
    CARD_BOUND_TO_ANOTHER = "card_bound_to_another"
    CANCELLED = "cancelled"
    CANNOT_BE_JUDGED = "cannot_be_judged"
    OTHER = "other"
    """Something that only a newer central can say."""


Detail = str | int
"""A value that a sentence may name: a number, an ISO date, a title. Never a card number."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not be done, and why."""

    reason: Reason
    """Picks the sentence."""
    details: Mapping[str, Detail] = field(default_factory=lambda: MappingProxyType({}))
    """Fills the sentence's places: {limit}, {until}, ..."""


class KioskError(Exception):
    """Root of the errors that the heart knows; the tree is drawn in `kiosk.ports`."""
