"""What is said on a USB stick: the messages of `sync.wire` as pieces of a parcel (`sync.sealed`), and how a stick enrols.

Like the wire: fields are only ever added, with defaults, and what is strange is read by `tolerant`. A piece of an unknown type comes
from a newer program; the parcel is then refused as a whole, before anything is changed.
"""

import hmac

from msgspec import Struct

from sync.wire import VERSION, Enrolled, Envelope, FeedPage, Health, Push, Pushed


class StickRequest(Struct, frozen=True, kw_only=True):
    """A new kiosk without a network introduces itself; in clear, for it knows no key of central yet."""

    version: int = VERSION
    public_key: str
    """As in `Enrol`."""
    sealing_key: str
    """As in `Enrol`."""
    proof: str
    """HMAC-SHA256 over both, keyed by the one-time code (`stick_proof`), hex."""
    unpacks: bool = False
    """The answer may be packed (`Head.packed`)."""
    records_of: str = ""
    """As in `Enrol`."""


class StickEnrolled(Struct, frozen=True, kw_only=True, tag_field="type", tag="enrolled"):
    """First piece of the answer to a `StickRequest`; feed pages follow."""

    enrolled: Enrolled
    proof: str
    """HMAC-SHA256 over the kiosk's and central's keys, keyed by the one-time code: this is the central that gave it."""


class StickActs(Struct, frozen=True, kw_only=True, tag_field="type", tag="acts"):
    """First piece of a kiosk's parcel; pushes follow."""

    version: int = VERSION
    cursor: str
    """Where its replica is."""
    health: Health
    unpacks: bool = False
    """The answer may be packed."""


class StickWords(Struct, frozen=True, kw_only=True, tag_field="type", tag="words"):
    """What would be a push."""

    push: Push


class StickVerdicts(Struct, frozen=True, kw_only=True, tag_field="type", tag="verdicts"):
    """The answer to one push."""

    pushed: Pushed


class StickPage(Struct, frozen=True, kw_only=True, tag_field="type", tag="page"):
    """A page of the feed."""

    after: str
    """The cursor that it follows."""
    page: FeedPage


class StickEnd(Struct, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """Last piece of an answer: central's state when all was judged."""

    envelope: Envelope
    incarnation: str
    """Of the log that was answered."""
    unpacks: bool = False
    """The kiosk's next parcels may be packed."""


StickPiece = StickEnrolled | StickActs | StickWords | StickVerdicts | StickPage | StickEnd


def stick_proof(code: str, *keys: str) -> str:
    """Who knows the one-time code vouches for these public keys. The code as a person may type it."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    said = "\n".join(("shelfpoint enrolment by stick 1", *keys))
    return hmac.digest(plain.encode(), said.encode(), "sha256").hex()
