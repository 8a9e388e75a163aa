"""Passwords of staff: argon2id (RFC 9106), never kept in any other form; spelled as `kiosk.domain.staff.spell_password` says.

The cost is RFC 9106's second recommendation (64 MiB, three passes). Each check takes that memory and every core, so the
doors let few do it at a time (`http.password_lanes`). A verifier of another cost, or one made before passwords were spelled
in one way, is told, and made anew when its password is next heard. Blocking, about a tenth of a second; any thread.
"""

from enum import Enum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from kiosk.domain.staff import password_spellings, spell_password

SHORTEST = 8
LONGEST = 128


class BadPassword(ValueError):
    """Too short, too long, or with something in it that no keyboard types."""


class Fit(Enum):
    """How a password fits a verifier."""

    NO = "no"
    YES = "yes"
    OUTDATED = "outdated"
    """It is the one, but today's verifier of it would be another."""


def demand(password: str) -> str:
    """Its one spelling, if it can be a password. Raises BadPassword."""
    spelled = spell_password(password)
    if not SHORTEST <= len(spelled) <= LONGEST:
        raise BadPassword(f"a password has {SHORTEST} to {LONGEST} characters")
    if any(letter < " " or "\x7f" <= letter < "\xa0" for letter in spelled):
        raise BadPassword("a password has letters, digits, signs and spaces, and no control characters")
    return spelled


class Passwords:
    """Makes and checks verifiers."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._nobodys: str | None = None

    def verifier(self, password: str) -> str:
        """As PHC string. Raises BadPassword."""
        return self._hasher.hash(demand(password))

    def renewed(self, password: str) -> str:
        """Today's verifier of a password that has just fitted an outdated one: it stays good, whatever it looks like."""
        return self._hasher.hash(spell_password(password))

    def fits(self, verifier: str | None, password: str) -> Fit:
        """Takes as long for a login that nobody has (None) as for any other."""
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody has this password")
        for spelled in password_spellings(password[: LONGEST + 1]):
            if self._matches(verifier or self._nobodys, spelled) and verifier is not None:
                today = spelled == spell_password(spelled) and not self._hasher.check_needs_rehash(verifier)
                return Fit.YES if today else Fit.OUTDATED
        return Fit.NO

    def _matches(self, verifier: str, spelled: str) -> bool:
        try:
            return self._hasher.verify(verifier, spelled)
        except (VerificationError, InvalidHashError):
            return False
