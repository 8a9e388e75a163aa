"""Devices as the heart and the staff see them: what one is, how it does, why it cannot."""

from dataclasses import dataclass
from enum import StrEnum

from kiosk.domain.values import KioskError


class DeviceKind(StrEnum):
    """What a device is."""

    CARD_READER = "card_reader"
    SCANNER = "scanner"
    PRINTER = "printer"
    CAMERA = "camera"


class DeviceState(StrEnum):
    """What a device can do now."""

    READY = "ready"
    ABSENT = "absent"
    """Unplugged, switched off, or its service is down; the supervisor keeps looking."""
    FAULT = "fault"
    """There, but cannot work: see the reason."""


class DeviceReason(StrEnum):
    """Why a device is not ready, in words a person can act on."""

    NOT_PLUGGED = "not_plugged"
    SERVICE_DOWN = "service_down"
    HELD_BY_OTHER = "held_by_other"
    NO_PERMISSION = "no_permission"
    NOT_REACHABLE = "not_reachable"
    SILENT = "silent"
    PAPER_OUT = "paper_out"
    PAPER_LOW = "paper_low"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"
    HOT_HEAD = "hot_head"
    QUEUE_STOPPED = "queue_stopped"
    PRINTER_ERROR = "printer_error"
    LINE_NOISE = "line_noise"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """One device's state, as shown to staff and in health reports."""

    device: str
    """Its name in the configuration."""
    kind: DeviceKind
    """What it is."""
    state: DeviceState
    """What it can do."""
    reason: DeviceReason | None = None
    """Why not; also set as a warning while READY (paper low)."""
    detail: str = ""
    """For staff: path, address, firmware; never personal data."""


class DeviceError(KioskError):
    """A device cannot do it now."""

    def __init__(self, reason: DeviceReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
