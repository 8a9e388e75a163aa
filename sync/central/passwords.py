"""Passwords of staff: argon2id (RFC 9106), never kept in any other form.

The cost is RFC 9106's second recommendation (64 MiB, three passes). Each check takes that memory, so a process checks
at most two at a time; the others wait. A verifier of another cost is told, and made anew when its password is next
heard. Blocking, about a tenth of a second; any thread.
"""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST = 8
LONGEST = 128
AT_ONCE = 2


class BadPassword(ValueError):
    """Too short or too long."""


def demand(password: str) -> None:
    """That it can be one. Raises BadPassword."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadPassword(f"a password has {SHORTEST} to {LONGEST} characters")


class Passwords:
    """Makes and checks verifiers."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys: str | None = None

    def verifier(self, password: str) -> str:
        """As PHC string. Raises BadPassword."""
        demand(password)
        with self._turn:
            return self._hasher.hash(password)

    def fits(self, verifier: str | None, password: str) -> bool:
        """Takes as long for a login that nobody has (None) as for any other."""
        with self._turn:
            if self._nobodys is None:
                self._nobodys = self._hasher.hash("nobody has this password")
            try:
                self._hasher.verify(verifier or self._nobodys, password[: LONGEST + 1])
            except (VerificationError, InvalidHashError):
                return False
        return verifier is not None

    def outdated(self, verifier: str) -> bool:
        """Made with another cost than today's."""
        return self._hasher.check_needs_rehash(verifier)
