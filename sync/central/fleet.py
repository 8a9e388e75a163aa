"""The kiosks: one-time enrolment codes, public keys, revocation, last sign of life.

A code has 60 random bits and lives an hour, so its SHA-256 is enough to keep; it works once. A kiosk's Ed25519 public
key is all that central holds of its credential; its index key is derived from the root key and a salt of this
enrolment, and is told once. Any thread; blocking.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import structs
from sqlalchemy import Connection, insert, select, update

from kiosk.domain.values import BranchId, KioskId
from sync.central import tables
from sync.central.database import Database, lock, upsert
from sync.central.keys import RootKey
from sync.central.places import UnknownRecord, need_branch
from sync.central.records import microseconds, moment
from sync.central.registry import Change
from sync.wire import Enrolled, Farewell, Health, Order, farewell_said, unpadded

CODE_LIFE = timedelta(hours=1)
HEALTH_EVERY = timedelta(seconds=30)
LONGEST, MOST_DEVICES, LARGEST = 200, 32, 10**12
"""Of a heartbeat: letters of a text, devices, and any number (milliseconds: 31 years)."""
BELIEVED_S = 1.0
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to misread


class CodeRefused(Exception):
    """The enrolment code is unknown, used or too old; which of them is not told."""


class OtherRecords(Exception):
    """On the machine that asks lie the records of another kiosk than the one the code is for; the code is not used up."""

    def __init__(self, kiosk: str) -> None:
        super().__init__(
            f"the records on that machine are those of {kiosk}: make a code with 'shelfpoint central enrol --again {kiosk}', or "
            f"revoke {kiosk} first and let it tell everything"
        )


class BadPublicKey(Exception):
    """Not 32 bytes of an Ed25519 or X25519 public key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """An enrolled kiosk."""

    id: KioskId
    branch: BranchId
    public_key: bytes = field(repr=False)
    """Ed25519, raw."""
    index_key: bytes = field(repr=False)
    """For the card index in its feed."""
    enrolled_at: datetime
    revoked_at: datetime | None
    health_at: datetime | None
    """Its last heartbeat."""
    health: Health | None
    """What it said then."""
    sealing_key: bytes | None = None
    """X25519, raw; None for one that was enrolled by an older program."""
    farewell: Farewell | None = None
    """How it is to take leave; None while it is welcome, and for one that an older program only revoked."""


class Fleet:
    """Who may talk to central."""

    def __init__(self, database: Database, root_key: RootKey, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._root_key = root_key
        self._clock = clock
        self._heard: dict[KioskId, tuple[tuple[dict[str, str], str], datetime]] = {}
        self._callers: dict[str, tuple[float, Kiosk]] = {}

    def make_code(
        self, branch: str, *, who: str = "command line", again: str | None = None, life: timedelta = CODE_LIFE
    ) -> str:
        """A one-time code for a new kiosk of this branch, or to enrol the kiosk `again` anew. Like `4J7K-9QXZ-A2MT`.

        Raises UnknownRecord, ClosedBranch.
        """
        plain = "".join(secrets.choice(_LETTERS) for _ in range(12))
        with self._database.write() as connection:
            need_branch(connection, branch)
            if again is not None:
                known = select(tables.kiosk.c.id).where(tables.kiosk.c.id == again)
                if connection.execute(known).scalar() is None:
                    raise UnknownRecord(f"kiosk {again}")
            expires = microseconds(self._clock() + life)
            row = {"digest": _digest(plain), "branch": branch, "kiosk": again, "expires_at": expires}
            connection.execute(insert(tables.enrolment_code).values(**row))
            Change(connection, who, self._clock()).audit("enrolment code made", again or branch)
        return "-".join(plain[start : start + 4] for start in range(0, 12, 4))

    def enrol(self, code: str, public_key: bytes, sealing_key: bytes | None = None, records_of: str = "") -> Kiosk:
        """A new credential for the code. Raises CodeRefused, BadPublicKey, and OtherRecords where `records_of` is another."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key)
            if sealing_key is not None:
                X25519PublicKey.from_public_bytes(sealing_key)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadPublicKey(str(error)) from error
        now = microseconds(self._clock())
        codes, kiosks = tables.enrolment_code, tables.kiosk
        with self._database.write() as connection:
            lock(connection, ["enrolment"])  # two kiosks must not get one name
            take = (
                update(codes)
                .where(codes.c.digest == _digest(code), codes.c.used_at.is_(None), codes.c.expires_at > now)
                .values(used_at=now)
                .returning(codes.c.branch, codes.c.kiosk)
            )
            taken = connection.execute(take).one_or_none()
            if taken is None:
                raise CodeRefused
            if records_of and records_of != taken.kiosk:
                raise OtherRecords(records_of)
            new = {
                "branch": taken.branch,
                "public_key": public_key,
                "index_salt": secrets.token_bytes(16),
                "enrolled_at": now,
                "revoked_at": None,
                "sealing_key": sealing_key,
                "farewell": None,
            }
            if taken.kiosk is not None:
                id_ = taken.kiosk
                own = kiosks.c
                before = connection.execute(
                    select(own.public_key, own.revoked_at, own.farewell).where(own.id == id_)
                ).one()
                upsert(connection, tables.former_key, [{"kiosk": id_, **before._mapping}])
                connection.execute(update(kiosks).where(kiosks.c.id == id_).values(**new))
            else:
                id_ = f"{taken.branch}-{_newest_number(connection, taken.branch) + 1}"
                connection.execute(insert(kiosks).values(id=id_, **new))
            Change(connection, id_, self._clock()).audit("kiosk enrolled", id_)
        found = self.find(id_)
        if found is None:
            raise UnknownRecord(f"kiosk {id_}")
        return found

    def revoke(self, kiosk: str, *, who: str = "command line", farewell: Farewell = Farewell.RETIRE) -> Farewell:
        """It is told to wipe itself; its credential opens nothing any more, or, while it retires, the way out only.

        One that retires may still tell what it has not told, and nothing else. Who was told to be stolen stays so: the
        farewell that holds now is returned. Raises UnknownRecord.
        """
        now = self._clock()
        with self._database.write() as connection:
            lock(connection, ["enrolment"])  # one word after the other about the same kiosk
            own = tables.kiosk
            known = connection.execute(select(own.c.farewell).where(own.c.id == kiosk)).one_or_none()
            if known is None:
                raise UnknownRecord(f"kiosk {kiosk}")
            if known.farewell == Farewell.STOLEN:
                farewell = Farewell.STOLEN
            values = {"revoked_at": microseconds(now), "farewell": farewell.value}
            connection.execute(update(own).where(own.c.id == kiosk).values(**values))
            Change(connection, who, now).audit("kiosk revoked", kiosk, {"farewell": farewell.value})
        self._callers.pop(kiosk, None)
        return farewell

    def order(self, kiosk: Kiosk) -> Order | None:
        """What a kiosk that is to take leave is told with every answer."""
        if kiosk.farewell is None:
            return None
        said = farewell_said(kiosk.id, unpadded(kiosk.public_key), kiosk.farewell)
        return Order(farewell=kiosk.farewell, signature=unpadded(self._root_key.signing_key().sign(said)))

    def enrolled(self, kiosk: Kiosk, epoch: str) -> Enrolled:
        """What a new kiosk is told."""
        return Enrolled(
            epoch=epoch,
            now=self._clock(),
            kiosk=kiosk.id,
            branch=kiosk.branch,
            index_key=unpadded(kiosk.index_key),
            signing_key=unpadded(self._root_key.signing_key().public_key().public_bytes_raw()),
            sealing_key=unpadded(self._root_key.sealing_key().public_key().public_bytes_raw()),
        )

    def signs(self) -> Ed25519PrivateKey:
        """Central's signature, for parcels."""
        return self._root_key.signing_key()

    def opens(self) -> X25519PrivateKey:
        """Central's key for what is sealed to it."""
        return self._root_key.sealing_key()

    def find(self, kiosk: str) -> Kiosk | None:
        """By id; also a revoked one. A text that no database takes is nobody's."""
        if not kiosk.isprintable():
            return None
        return next(iter(self._list(kiosk)), None)

    def caller(self, kiosk: str) -> Kiosk | None:
        """As `find`, for every call that a kiosk makes: what was found is believed for a second.

        So a kiosk that is revoked through another process may be let in for a second longer; through this one not.
        """
        now = time.monotonic()
        at, known = self._callers.get(kiosk, (0.0, None))
        if known is None or now - at >= BELIEVED_S:
            known = self.find(kiosk)
            if known is not None:
                self._callers[kiosk] = now, known
        return known

    def enrolments(self, kiosk: Kiosk) -> list[Kiosk]:
        """This kiosk as it is enrolled now, then as it was before; the latter only to know and judge what it has signed."""
        former = tables.former_key
        with self._database.read() as connection:
            rows = connection.execute(select(former).where(former.c.kiosk == kiosk.id)).all()
        return [
            kiosk,
            *(
                replace(
                    kiosk,
                    public_key=row.public_key,
                    revoked_at=None if row.revoked_at is None else moment(row.revoked_at),
                    sealing_key=None,
                    farewell=None if row.farewell is None else Farewell(row.farewell),
                )
                for row in rows
            ),
        ]

    def all(self) -> list[Kiosk]:
        """Every kiosk that ever enrolled, by id."""
        return self._list(None)

    def note_health(self, kiosk: KioskId, health: Health) -> None:
        """Keeps a heartbeat; one that says nothing new only every half minute, so that a fleet does not wear the disk."""
        now, health = self._clock(), _modest(health)
        heard, news = self._heard.get(kiosk), (health.devices, health.trouble)
        if heard is not None and heard[0] == news and now - heard[1] < HEALTH_EVERY:
            return
        self._heard[kiosk] = (news, now)
        values = {"health": msgspec.json.encode(health).decode(), "health_at": microseconds(self._clock())}
        with self._database.write() as connection:
            connection.execute(update(tables.kiosk).where(tables.kiosk.c.id == kiosk).values(**values))

    def _list(self, kiosk: str | None) -> list[Kiosk]:
        query = select(tables.kiosk).order_by(tables.kiosk.c.id)
        if kiosk is not None:
            query = query.where(tables.kiosk.c.id == kiosk)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            Kiosk(
                id=KioskId(row.id),
                branch=BranchId(row.branch),
                public_key=row.public_key,
                index_key=self._root_key.index_key(row.id, row.index_salt),
                enrolled_at=moment(row.enrolled_at),
                revoked_at=None if row.revoked_at is None else moment(row.revoked_at),
                health_at=None if row.health_at is None else moment(row.health_at),
                health=None if row.health is None else msgspec.json.decode(row.health, type=Health),
                sealing_key=row.sealing_key,
                farewell=None if row.farewell is None else Farewell(row.farewell),
            )
            for row in rows
        ]


def _newest_number(connection: Connection, branch: str) -> int:
    """Of the kiosks that were ever named after this branch, wherever they stand now."""
    own = tables.kiosk.c.id
    names = connection.execute(select(own).where(own.startswith(f"{branch}-", autoescape=True))).scalars()
    numbers = (name.removeprefix(f"{branch}-") for name in names)
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _modest(health: Health) -> Health:
    """What is kept and shown of a heartbeat, whatever the kiosk says: short texts, and numbers that can be reckoned with."""

    def number(said: int) -> int:
        return max(-LARGEST, min(said, LARGEST))

    def number_or_none(said: int | None) -> int | None:
        return None if said is None else number(said)

    def text(said: str) -> str:
        return "".join(letter for letter in said[:LONGEST] if letter.isprintable())

    modest: Health = structs.replace(
        health,
        incarnation=text(health.incarnation),
        program=text(health.program),
        queue_length=number(health.queue_length),
        queue_age_ms=number_or_none(health.queue_age_ms),
        replica_age_ms=number_or_none(health.replica_age_ms),
        clock_offset_ms=number_or_none(health.clock_offset_ms),
        devices={text(name): text(said) for name, said in islice(health.devices.items(), MOST_DEVICES)},
        disk_free_mb=number_or_none(health.disk_free_mb),
        trouble=text(health.trouble),
        filling_percent=number_or_none(health.filling_percent),
    )
    return modest


def _digest(code: str) -> bytes:
    """Of the code as a person may type it: any case, with or without dashes."""
    plain = "".join(letter for letter in code.upper() if letter in _LETTERS)
    return hashlib.sha256(plain.encode()).digest()
