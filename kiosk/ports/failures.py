"""Why a database cannot be used, and why there is no usable answer from central."""

from enum import StrEnum

from kiosk.domain.values import KioskError


class LedgerReason(StrEnum):
    """Why a database cannot be used."""

    DISK_FULL = "disk_full"
    LOCKED = "locked"
    DAMAGED = "damaged"
    WRONG_KEY = "wrong_key"
    NO_KEY = "no_key"
    """The files' key is not where it was looked for; it may be sealed for the kiosk's own service."""
    NEWER_SCHEMA = "newer_schema"
    NOT_WRITABLE = "not_writable"


class LedgerError(KioskError):
    """A database cannot be read or written; nothing was half done."""

    def __init__(self, reason: LedgerReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class CentralReason(StrEnum):
    """Why there is no usable answer from central."""

    NOT_ENROLLED = "not_enrolled"
    UNREACHABLE = "unreachable"
    TOO_SLOW = "too_slow"
    NOT_CENTRAL = "not_central"
    """Something answered, but not central: a captive portal, a proxy, HTML."""
    CREDENTIAL_REVOKED = "credential_revoked"
    CLOCK_WRONG = "clock_wrong"
    BUSY = "busy"
    STARTING = "starting"


class CentralError(KioskError):
    """No usable answer."""

    def __init__(self, reason: CentralReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
