"""What staff must be told of a kiosk, by rule from its last heartbeat. Pure.

A device says `state` or `state: reason`, as the kiosk's screen does; which reasons mean paper stands here, all other
trouble is a device that is gone. A revoked kiosk raises nothing: nobody expects to hear of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sync.central.fleet import Kiosk

OFFLINE = timedelta(minutes=15)
QUEUE_AGE = timedelta(hours=1)
REPLICA_AGE = timedelta(hours=24)
CLOCK_OFFSET = timedelta(seconds=60)
DISK_FREE_MB = 500
_READY = "ready"
_PAPER = frozenset(("paper_out", "paper_low"))


class Rule(StrEnum):
    """Why somebody should look."""

    NEVER_HEARD = "never_heard"
    """Enrolled, and no heartbeat since."""
    OFFLINE = "offline"
    """Silent for too long."""
    QUEUE_OLD = "queue_old"
    """Acts have waited too long to be sent."""
    REPLICA_OLD = "replica_old"
    """It decides by old data."""
    CLOCK = "clock"
    """Its clock is wrong."""
    PAPER = "paper"
    """The printer has little paper or none."""
    DEVICE = "device"
    """A reader, scanner or printer is gone or faulty."""
    DISK = "disk"
    """Soon it can keep no records any more."""
    OUT_OF_SERVICE = "out_of_service"
    """It serves nobody: its disk is full, its records cannot be written."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule that one kiosk breaks now."""

    kiosk: str
    """Which."""
    rule: Rule
    """Why."""
    found: str
    """In figures: minutes, seconds, or the device and what it said."""


def alerts(kiosk: Kiosk, now: datetime) -> Iterator[Alert]:
    """Everything about one kiosk; nothing when all is well."""
    if kiosk.revoked_at is not None:
        return
    if kiosk.health_at is None or kiosk.health is None:
        if now - kiosk.enrolled_at > OFFLINE:
            yield Alert(kiosk.id, Rule.NEVER_HEARD, f"enrolled {_minutes(now - kiosk.enrolled_at)} min ago")
        return
    health = kiosk.health
    silent = now - kiosk.health_at
    if silent > OFFLINE:
        yield Alert(kiosk.id, Rule.OFFLINE, f"{_minutes(silent)} min")
        return  # what it said before is old
    if health.trouble:
        yield Alert(kiosk.id, Rule.OUT_OF_SERVICE, health.trouble)
    for rule, ms, limit in (
        (Rule.QUEUE_OLD, health.queue_age_ms, QUEUE_AGE),
        (Rule.REPLICA_OLD, health.replica_age_ms, REPLICA_AGE),
    ):
        if ms is not None and ms > limit / timedelta(milliseconds=1):
            yield Alert(kiosk.id, rule, f"{ms // 60_000} min")
    if health.disk_free_mb is not None and health.disk_free_mb < DISK_FREE_MB:
        yield Alert(kiosk.id, Rule.DISK, f"{health.disk_free_mb} MB free")
    offset = health.clock_offset_ms
    if offset is not None and abs(offset) > CLOCK_OFFSET / timedelta(milliseconds=1):
        yield Alert(kiosk.id, Rule.CLOCK, f"{offset / 1000:+.0f} s")
    yield from _of_devices(kiosk.id, health.devices)


def is_ready(said: str) -> bool:
    """What a device said of itself: it works, even if it wants paper soon."""
    return said.partition(": ")[0] == _READY


def _of_devices(kiosk: str, devices: Mapping[str, str]) -> Iterator[Alert]:
    for device, said in sorted(devices.items()):
        state, _, reason = said.partition(": ")
        if reason in _PAPER:
            yield Alert(kiosk, Rule.PAPER, f"{device}: {reason}")
        elif not is_ready(said):
            yield Alert(kiosk, Rule.DEVICE, f"{device}: {reason or state}")


def _minutes(span: timedelta) -> int:
    return int(span / timedelta(minutes=1))
