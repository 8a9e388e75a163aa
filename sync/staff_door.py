"""May somebody open this kiosk's staff page? Central is asked; while it is away, the verifiers in the replica (C2, I4).

Every try is an act in the kiosk's log, on disk before it is answered: so it reaches central's audit, and the pause after
too many wrong tries is read from the log and holds over a restart. Central's own count of wrong tries of a login goes
beside it. Verifiers are believed while the replica is at most as old as the policy says (7 days), and never without a
policy. How old it is, is told from central's own time in it: what came while this kiosk's clock was ahead does not look
younger or older once the clock is right again. Staff come in with a clock that jumped, to see it and to confirm it; to
set it back far enough to keep old verifiers alive takes the rights over the machine. Argon2id takes a tenth of a second
and central may take its deadline, so this belongs to a thread of its own: `Doorkeeper`.
"""

import queue
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kiosk.domain.journal import Mode, Word
from kiosk.domain.staff import (
    TRY_RULE,
    Entry,
    Permission,
    StaffId,
    TryRule,
    branch_scope,
    locked_until,
    may,
    password_spellings,
    spell_login,
)
from kiosk.domain.values import BranchId
from kiosk.ports import CentralError, Knock, LedgerError, Mailbox, StaffAnswered
from sync import wire
from sync.acts import ActsLog
from sync.replica import Replica

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=1)
"""How far back tries are read; far more than any pause."""
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$c2hlbGZwb2ludG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Fits no password and costs as much as one: an unknown login takes as long as a known one."""


class AsksCentral(Protocol):
    """What is needed of `CentralClient`."""

    def staff_entry(self, login: str, password: str, deadline_s: float) -> wire.StaffTold:
        """Raises CentralError."""


class StaffDoor:
    """Asks, counts and writes down; owns the log and the replica it is given, not the client."""

    def __init__(
        self,
        *,
        acts: ActsLog,
        replica: Replica,
        central: AsksCentral,
        branch: BranchId,
        rule: TryRule = TRY_RULE,
        deadline_s: float = 3.0,
        noticed: Callable[[LedgerError], bool] = lambda _error: False,
    ) -> None:
        """`noticed` is told of every page of the replica that cannot be read (`ReplicaCare.noticed`)."""
        self._acts = acts
        self._noticed = noticed
        self._replica = replica
        self._central = central
        self._branch = branch
        self._rule = rule
        self._deadline_s = deadline_s
        self._hasher = PasswordHasher()

    def enter(self, knock: Knock) -> StaffAnswered:
        """One try; it is on disk when this returns. Raises LedgerError: then nobody is let in."""
        now, login = knock.act.happened_at, spell_login(knock.login)
        until = locked_until(self._acts.staff_tries(now - LOOK_BACK), now, self._rule)
        if until is not None:
            return self._ended(knock, Entry.LOCKED, None, Mode.OFFLINE, until)
        try:
            entry, staff = self._ask(login, knock.password)
        except CentralError:
            entry, staff = self._look(login, knock)
            return self._ended(knock, entry, staff, Mode.OFFLINE)
        return self._ended(knock, entry, staff, Mode.ONLINE)

    def close(self) -> None:
        """Gives both files back."""
        self._acts.close()
        self._replica.close()

    def _ask(self, login: str, password: str) -> tuple[Entry, StaffId | None]:
        told = self._central.staff_entry(login, password, self._deadline_s)
        return told.entry, None if told.staff is None else StaffId(told.staff)

    def _look(self, login: str, knock: Knock) -> tuple[Entry, StaffId | None]:
        try:
            policy, told = self._replica.policy(), self._replica.place().heard_at
            usable = policy is not None and told is not None and knock.act.corrected_at - told <= policy.staff_max_age
            known = self._replica.staff(login) if usable else None
        except LedgerError as error:
            self._noticed(error)
            raise
        fits = self._fits(_NOBODYS if known is None else known.verifier, knock.password)
        if known is None:
            return Entry.WRONG, None
        let_in = fits and may(known.grants, Permission.KIOSK_OPEN, branch_scope(self._branch))
        return (Entry.OK if let_in else Entry.WRONG), known.id

    def _fits(self, verifier: str, password: str) -> bool:
        return any(self._matches(verifier, spelled) for spelled in password_spellings(password))

    def _matches(self, verifier: str, spelled: str) -> bool:
        try:
            return self._hasher.verify(verifier, spelled)
        except (VerificationError, InvalidHashError):
            return False

    def _ended(
        self, knock: Knock, entry: Entry, staff: StaffId | None, mode: Mode, until: datetime | None = None
    ) -> StaffAnswered:
        self._acts.record(Word.FACT, replace(knock.act, entry=entry, staff=staff, mode=mode))
        return StaffAnswered(knock.act.id, entry, until, staff=staff)


class Doorkeeper:
    """The thread at the door: `knock` from any thread, answers into the mailbox."""

    def __init__(self, open_door: Callable[[], StaffDoor], mailbox: Mailbox) -> None:
        self._open_door = open_door
        self._mailbox = mailbox
        self._knocks: queue.SimpleQueue[Knock | None] = queue.SimpleQueue()

    def knock(self, knock: Knock) -> None:
        """Takes one try."""
        self._knocks.put(knock)

    def close(self) -> None:
        """Lets `run` return once the tries before are answered; it opens no file after that."""
        self._knocks.put(None)

    def run(self) -> None:
        """Answers one try after the other. The files are opened for each: staff come seldom."""
        while (knock := self._knocks.get()) is not None:
            self._mailbox.post(self._answer(knock))

    def _answer(self, knock: Knock) -> StaffAnswered:
        try:
            with closing(self._open_door()) as door:
                return door.enter(knock)
        except LedgerError as error:
            log.warning("a try to open the staff page cannot be looked at or written down", reason=error.reason)
            return StaffAnswered(knock.act.id, None, trouble=error.reason)
