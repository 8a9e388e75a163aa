"""`shelfpoint central fleet`: how every kiosk is, one line each; a kiosk by name, or `--devices`, tells the rest (K1)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click

from sync.central.alerts import Alert, alerts
from sync.central.fleet import Kiosk
from sync.central.key_copy import ADVICE
from sync.central.office import CentralSettings
from sync.central.places import UnknownRecord
from ui.cli.central_place import AS_JSON, opened_at, say, with_place


@click.command()
@with_place
@click.argument("kiosk", required=False)
@click.option("--devices", is_flag=True, help="Below each kiosk its devices as well.")
@AS_JSON
def fleet(place: CentralSettings, kiosk: str | None, devices: bool, as_json: bool) -> None:
    """List the kiosks, how they are and what is wrong with each, or tell all about KIOSK; exit code 1 if anything is wrong."""
    with opened_at(place) as opened:
        now, copied = opened.clock(), opened.key_copy.made_at() is not None
        if kiosk is None:
            known = [one for one in opened.fleet.all() if one.revoked_at is None]
        else:
            named = opened.fleet.find(kiosk)
            if named is None:
                raise UnknownRecord(f"kiosk {kiosk}")
            known = [named]
    found = [(one, list(alerts(one, now))) for one in known]
    lines: list[str] = []
    for one, raised in found:
        lines += _all(one, raised, now) if kiosk is not None else [_line(one, raised, now)]
        if devices and kiosk is None:
            lines += _devices(one)
    if not found:
        lines.append("No kiosk is enrolled.")
    if not copied:
        lines.append(f"The root key has no recovery copy: {ADVICE}.")
    say(as_json, [_row(one, raised) for one, raised in found], "\n".join(lines))
    if any(raised for _, raised in found):
        raise click.exceptions.Exit(1)


def _row(kiosk: Kiosk, raised: list[Alert]) -> dict[str, Any]:
    """Everything; a kiosk that was never heard of says nothing of itself."""
    health = kiosk.health
    return {
        "kiosk": kiosk.id,
        "branch": kiosk.branch,
        "enrolled_at": kiosk.enrolled_at.isoformat(),
        "revoked_at": None if kiosk.revoked_at is None else kiosk.revoked_at.isoformat(),
        "heard_at": None if kiosk.health_at is None else kiosk.health_at.isoformat(),
        "program": None if health is None else health.program,
        "queue_length": None if health is None else health.queue_length,
        "queue_age_ms": None if health is None else health.queue_age_ms,
        "replica_age_ms": None if health is None else health.replica_age_ms,
        "clock_offset_ms": None if health is None else health.clock_offset_ms,
        "disk_free_mb": None if health is None else health.disk_free_mb,
        "trouble": None if health is None else health.trouble,
        "devices": None if health is None else health.devices,
        "alerts": [{"rule": alert.rule.value, "found": alert.found} for alert in raised],
    }


def _line(kiosk: Kiosk, raised: list[Alert], now: datetime) -> str:
    """One kiosk, with its figures in short."""
    figures = [f"{name} {value}" for name, value in _figures(kiosk, now)]
    return "  ".join([kiosk.id, kiosk.branch, *figures, _well(raised)])


def _all(kiosk: Kiosk, raised: list[Alert], now: datetime) -> Iterator[str]:
    """One kiosk, a line for each thing."""
    yield f"{kiosk.id}  {kiosk.branch}  {_well(raised)}"
    yield f"  enrolled {kiosk.enrolled_at.astimezone():%Y-%m-%d %H:%M}"
    if kiosk.revoked_at is not None:
        yield f"  revoked {kiosk.revoked_at.astimezone():%Y-%m-%d %H:%M}"
    for name, value in _figures(kiosk, now):
        yield f"  {name} {value}"
    if kiosk.health is not None:
        yield f"  program {kiosk.health.program}"
        yield f"  serves nobody: {kiosk.health.trouble}" if kiosk.health.trouble else "  serves"
        yield from _devices(kiosk)


def _devices(kiosk: Kiosk) -> Iterator[str]:
    if kiosk.health is not None:
        for name, said in sorted(kiosk.health.devices.items()):
            yield f"    {name}: {said}"


def _figures(kiosk: Kiosk, now: datetime) -> Iterator[tuple[str, str]]:
    """As far as its last heartbeat tells them."""
    health = kiosk.health
    if health is None or kiosk.health_at is None:
        yield "heard", "never"
        return
    yield "heard", f"{_span(now - kiosk.health_at)} ago"
    oldest = "" if health.queue_age_ms is None else f" ({_span(timedelta(milliseconds=health.queue_age_ms))})"
    yield "queue", f"{health.queue_length}{oldest}"
    if health.replica_age_ms is not None:
        yield "data", f"{_span(timedelta(milliseconds=health.replica_age_ms))} old"
    if health.clock_offset_ms is not None:
        yield "clock", f"{health.clock_offset_ms / 1000:+.1f} s"
    if health.disk_free_mb is not None:
        yield "disk", f"{health.disk_free_mb} MB"


def _well(raised: list[Alert]) -> str:
    return "; ".join(f"{one.rule.value} ({one.found})" for one in raised) or "well"


def _span(span: timedelta) -> str:
    """In the largest unit that leaves two digits."""
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
