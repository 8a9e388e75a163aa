"""A kiosk takes leave of central: it forgets its replica, its log and its keys (C6, DESIGN.md section 2, "Keys").

Only an order with central's signature over this very enrolment leads here (`central_client`). The order is noted in
the keys folder first, so a wipe that was cut short goes on at the next start, before anything else is opened; on a full disk as soon
as there is room, which is when the replica is gone. What the
log had not told is sealed to central's public key before its own key goes: `left-<kiosk>-<log>-<number>.parcel` in the data
folder, which only central can open; of a stolen kiosk it takes it only as cases, and of its damaged log what can be read.

The order of steps: replica, sealed rest, log, keys (overwritten, then removed; of a sealed identity it is noted that it
counts no more), note. A log that cannot be read, or a rest
that cannot be written, stops a retiring kiosk (nothing is lost, a person looks), but not a stolen one (nothing is told).
Blocking; whoever calls has seen to it that nobody records any more.
"""

import os
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import structlog

from kiosk.domain.journal import Word
from kiosk.ports import LedgerError, LedgerReason
from sync import acts, parcel, replica, rescue, wire
from sync.acts import ActsLog
from sync.central_client import IDENTITY, Identity, end_sealed, load_identity
from sync.encrypted import draft_of, existing_key, write_secret
from sync.owner import owned
from sync.sealed import SUFFIX, BadParcel

log = structlog.get_logger(__name__)

NOTE = "farewell"


def begin(keys: Path, farewell: wire.Farewell) -> None:
    """Note the order; from here on the kiosk wipes itself, now or at its next start.

    A disk without room for the note holds nobody up: `finish` makes room, and central repeats the order at every contact.
    """
    try:
        write_secret(keys / NOTE, farewell.value.encode())
    except OSError as error:
        log.error("the order to take leave cannot be noted; it is carried out all the same", why=str(error))


def ordered(keys: Path) -> wire.Farewell | None:
    """The order that was noted and not carried out to its end."""
    note = keys / NOTE
    return wire.Farewell(note.read_text(encoding="ascii")) if note.exists() else None


def resume(data: Path, keys: Path, key_name: str, now: datetime) -> None:
    """At start: carry out what was noted, if anything. Raises LedgerError."""
    if ordered(keys) is not None:
        with owned(data):
            finish(data, keys, key_name, now)


def finish(data: Path, keys: Path, key_name: str, now: datetime, farewell: wire.Farewell | None = None) -> Path | None:
    """Forget everything; returns the sealed rest, if there was any. May be called again after any death.

    `farewell`: the order, where it is not certain that it could be noted. Raises LedgerError where a retiring kiosk must
    not go on.
    """
    farewell = farewell or ordered(keys)
    replica.forget(data)
    if farewell is not None and ordered(keys) is not farewell:
        begin(keys, farewell)  # there is room now
    rest = None
    try:
        rest = _seal_rest(data, keys, key_name, now, whatever_can_be_read=farewell is wire.Farewell.STOLEN)
    except (LedgerError, OSError, BadParcel) as error:
        if farewell is not wire.Farewell.STOLEN:
            reason = error.reason if isinstance(error, LedgerError) else LedgerReason.NOT_WRITABLE
            raise LedgerError(reason, f"not everything was told to central, so nothing is wiped: {error}") from error
        log.error("what a stolen kiosk had not told is lost", why=str(error))
    for part in sorted(data.glob(f"{acts.FILE}*")):  # with its companions, and the damaged ones kept beside it
        part.unlink()
    for name in (key_name, IDENTITY, parcel.PENDING):
        _overwrite(keys / name)
        _overwrite(draft_of(keys / name))  # of a write that a power cut ended
    end_sealed(keys)
    (keys / NOTE).unlink(missing_ok=True)
    log.warning("this kiosk has taken leave of central", farewell=farewell, left=None if rest is None else rest.name)
    return rest


def left_behind(data: Path) -> list[Path]:
    """Sealed rests that a person should bring to central."""
    return sorted(data.glob(f"left-*{SUFFIX}"))


def _seal_rest(data: Path, keys: Path, key_name: str, now: datetime, *, whatever_can_be_read: bool) -> Path | None:
    identity, key = load_identity(keys), existing_key(keys / key_name)
    if identity is None or key is None or not (data / acts.FILE).exists():
        return None
    if whatever_can_be_read:
        rescue.prepare_or_rescue(data, key, now)
    else:
        acts.prepare(data, key)
    journal = ActsLog(data, key)
    try:
        for act in journal.open_requests():
            journal.record(Word.WITHDRAWAL, act)
        return _sealed(data, journal, identity, now)
    finally:
        journal.close()


def _sealed(data: Path, journal: ActsLog, identity: Identity, now: datetime) -> Path | None:
    waiting, _ = journal.queue()
    if not waiting:
        return None
    health = wire.Health(incarnation=journal.incarnation, program=version("shelfpoint"), queue_length=waiting)
    rest, _ = parcel.export(data, journal, "", identity, health, now, what="left")
    of_this_log = rest.name[: rest.name.rindex("-") + 1]
    for before in left_behind(data):
        if before != rest and before.name.startswith(of_this_log):
            before.unlink()  # of this wipe, cut short: the new one says the same
    return rest


def _overwrite(path: Path) -> None:
    """A secret: its bytes are overwritten before its name goes; what the disk's own controller keeps is not ours."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(bytes(length))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
