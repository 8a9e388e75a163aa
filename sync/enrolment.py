"""A machine gets a kiosk's name: whose records lie on it, and in what order a new enrolment takes the place of another.

Records are told under one kiosk's name. Told again under another, every act that central knows would be a case for a
person ("an act that another kiosk has made"), and the verdicts on them would be lost to its log. So the log notes whose it is
at its first start, an enrolment says whose records lie here, and central refuses a code for another name before the code
is used up; what an older central answers is refused here.

The replica goes before the new identity is kept, and is gone from the disk by then: its cards are hashed with the index key of the
enrolment that it was filled for, so no power cut leaves one that fits the feed and knows nobody. Blocking; the command
line's thread, with the files `owned`.
"""

import ipaddress
from pathlib import Path

import httpx2

from kiosk.ports import CentralError, CentralReason, Clock, LedgerError
from sync import acts, replica
from sync.acts import ActsLog
from sync.central_client import Identity, introduce, keep_identity, load_identity
from sync.encrypted import key_file
from sync.replica import UNREADABLE


def over_network(url: str, code: str, data: Path, keys: Path, key_name: str, clock: Clock) -> Identity:
    """Enrol this machine at central, whose address was checked; on disk when it returns. Raises CentralError, LedgerError, OSError."""
    records_of = whose_records(data, keys, key_name)
    try:
        identity = introduce(url, code, clock, records_of=records_of)
    except CentralError as error:
        if error.detail == "other_records":
            raise other_records(records_of, data) from error
        raise
    take_name(data, keys, identity, records_of)
    return identity


def check_address(url: str, *, plain_http: bool) -> None:
    """What is told to central stands in clear on the way there, unless TLS hides it. Raises CentralError.

    `plain_http`: somebody has said that nobody can listen or answer on that way.
    """
    try:
        address = httpx2.URL(url.strip())
    except httpx2.InvalidURL as error:
        raise CentralError(
            CentralReason.NOT_ENROLLED, f"--url {url}: {error}; expected https://central.example"
        ) from error
    if address.scheme not in ("https", "http") or not address.host:
        raise CentralError(CentralReason.NOT_ENROLLED, f"--url {url}: expected an address like https://central.example")
    if address.scheme == "http" and not plain_http and not _is_loopback(address.host):
        raise CentralError(
            CentralReason.NOT_ENROLLED,
            f"--url {url}: without TLS everybody on the way reads who borrows what, and may answer in central's name. Use https; "
            "or, where the line itself is safe (a tunnel, a wire inside one room), say so with --plain-http",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def take_name(data: Path, keys: Path, identity: Identity, records_of: str) -> None:
    """Keep what central gave. May be called again after any death. Raises CentralError, OSError."""
    if records_of not in ("", identity.kiosk):
        raise other_records(records_of, data, given=identity.kiosk)
    replica.forget(data)
    keep_identity(keys, identity)


def whose_records(data: Path, keys: Path, key_name: str) -> str:
    """The kiosk under whose name the log here is told; empty where nothing was ever said. Raises LedgerError."""
    if not (data / acts.FILE).exists():
        return ""
    key, identity = key_file(keys / key_name), load_identity(keys)
    enrolled_as = "" if identity is None else identity.kiosk
    try:
        acts.prepare(data, key)
        log = ActsLog(data, key)
        try:
            return "" if log.newest() is None else log.kiosk() or enrolled_as
        finally:
            log.close()
    except LedgerError as error:
        if error.reason not in UNREADABLE:
            raise
        return enrolled_as  # the next start rescues what can be read


def check_records(log: ActsLog, data: Path, kiosk: str) -> None:
    """Before anything is told: the log is this kiosk's. A log that nobody has claimed is, from now on.

    Raises CentralError, LedgerError.
    """
    known = log.kiosk()
    if known is None or (known != kiosk and log.newest() is None):
        log.note_kiosk(kiosk)
    elif known != kiosk:
        raise other_records(known, data, given=kiosk)


def other_records(of: str, data: Path, given: str = "") -> CentralError:
    """What a person can do about it."""
    return CentralError(
        CentralReason.NOT_ENROLLED,
        f"the records in {data} are those of kiosk {of}"
        + (f", and {given} cannot tell them ('shelfpoint central revoke {given}' if it is not needed)" if given else "")
        + f". Either enrol it as {of} again: at central 'shelfpoint central enrol --branch … --again {of}', and use that code. "
        f"Or let {of} tell everything and forget it first: 'shelfpoint central revoke {of}', and run it until it has. "
        f"Records that no central asks for (a copied disk, a central that is no more): move {data / acts.FILE}* away.",
    )
