"""May somebody open this kiosk's staff page? Central is asked; while it is away, the verifiers in the replica (C2, I4).

Every try is an act in the kiosk's log, on disk before it is answered: so it reaches central's audit, and the pause after
too many wrong tries is read from the log and holds over a restart. Central's own count of wrong tries of a login goes
beside it. Verifiers are believed while the replica is at most as old as the policy says (7 days); with a doubtful clock
or without a policy nobody is let in by them. Argon2id takes a tenth of a second and central may take its deadline, so
this belongs to a thread of its own; it owns its log and replica connections and its client. Blocking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosk.domain.journal import Act, Deed, Mode, Word
from kiosk.domain.staff import (
    TRY_RULE,
    Entry,
    Permission,
    StaffId,
    TryRule,
    branch_scope,
    locked_until,
    may,
    spell_login,
)
from kiosk.domain.values import ActId, BranchId, ItemId
from kiosk.ports import CentralError, CentralReason, Clock
from sync import wire
from sync.acts import ActsLog
from sync.replica import Replica

LOOK_BACK = timedelta(days=1)
"""How far back tries are read; far more than any pause."""
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$c2hlbGZwb2ludG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Fits no password and costs as much as one: an unknown login takes as long as a known one."""


class AsksCentral(Protocol):
    """What is needed of `CentralClient`."""

    def staff_entry(self, login: str, password: str, deadline_s: float) -> wire.StaffTold:
        """Raises CentralError."""


@dataclass(frozen=True, slots=True)
class Entered:
    """How one try ended."""

    entry: Entry
    staff: StaffId | None
    """Who was let in."""
    until: datetime | None = None
    """Locked here: end of the pause (kiosk time)."""


class StaffDoor:
    """Asks, counts and writes down."""

    def __init__(
        self,
        *,
        acts: ActsLog,
        replica: Replica,
        central: AsksCentral | None,
        clock: Clock,
        offset: Callable[[], timedelta | None],
        clock_trusted: Callable[[], bool],
        branch: BranchId,
        new_act_id: Callable[[], ActId],
        rule: TryRule = TRY_RULE,
        deadline_s: float = 3.0,
    ) -> None:
        self._acts = acts
        self._replica = replica
        self._central = central
        self._clock = clock
        self._offset = offset
        self._clock_trusted = clock_trusted
        self._branch = branch
        self._new_act_id = new_act_id
        self._rule = rule
        self._deadline_s = deadline_s
        self._hasher = PasswordHasher()

    def enter(self, login: str, password: str) -> Entered:
        """One try; it is on disk when this returns. Raises LedgerError: then nobody is let in."""
        now = self._clock.now()
        spelled = spell_login(login)
        until = locked_until(self._acts.staff_tries(now - LOOK_BACK), now, self._rule)
        if until is not None:
            self._note(Entry.LOCKED, None, now, Mode.OFFLINE)
            return Entered(Entry.LOCKED, None, until)
        mode = Mode.ONLINE
        try:
            entry, staff = self._ask(spelled, password)
        except CentralError:
            mode = Mode.OFFLINE
            entry, staff = self._look(spelled, password, now)
        self._note(entry, staff, now, mode)
        return Entered(entry, staff if entry is Entry.OK else None)

    def _ask(self, login: str, password: str) -> tuple[Entry, StaffId | None]:
        if self._central is None:
            raise CentralError(CentralReason.NOT_ENROLLED)
        told = self._central.staff_entry(login, password, self._deadline_s)
        return told.entry, None if told.staff is None else StaffId(told.staff)

    def _look(self, login: str, password: str, now: datetime) -> tuple[Entry, StaffId | None]:
        policy, fresh = self._replica.policy(), self._replica.place().fresh_at
        usable = (
            policy is not None
            and fresh is not None
            and timedelta() <= now - fresh <= policy.staff_max_age
            and self._clock_trusted()
        )
        known = self._replica.staff(login) if usable else None
        fits = self._fits(_NOBODYS if known is None else known.verifier, password)
        if known is None:
            return Entry.WRONG, None
        let_in = fits and may(known.grants, Permission.KIOSK_OPEN, branch_scope(self._branch))
        return (Entry.OK if let_in else Entry.WRONG), known.id

    def _fits(self, verifier: str, password: str) -> bool:
        try:
            return self._hasher.verify(verifier, password)
        except (VerificationError, InvalidHashError):
            return False

    def _note(self, entry: Entry, staff: StaffId | None, now: datetime, mode: Mode) -> None:
        fresh = self._replica.place().fresh_at
        self._acts.record(
            Word.FACT,
            Act(
                id=self._new_act_id(),
                deed=Deed.STAFF_ENTRY,
                membership=None,
                item=ItemId(""),
                branch=self._branch,
                happened_at=now,
                clock_offset=self._offset(),
                mode=mode,
                replica_age=None if fresh is None else max(now - fresh, timedelta()),
                staff=staff,
                entry=entry,
            ),
        )
