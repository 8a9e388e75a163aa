"""Whom each card meant when, as people remember it: what the simulation's central must come to by itself."""

from collections.abc import Iterable
from datetime import datetime, timedelta

NEAR = timedelta(seconds=2)
"""Nobody can say what came first of two things that lie so close together."""
NOBODY_KNOWS = object()


class DeskBook:
    """Whom each card means, as the people at the desk know it, whatever central keeps."""

    def __init__(self, given: Iterable[tuple[str, str]], since: datetime) -> None:
        self._changes: list[tuple[datetime, str, str]] = [(since, number, who) for number, who in given]
        self._lost = False

    def bound(self, number: str, who: str, at: datetime) -> None:
        """This number means them from now on, and the one that they had means nobody; empty: they have another one now."""
        for one, holder in self._now().items():
            if holder == who and one != number:
                self._changes.append((at, one, ""))
        if number:
            self._changes.append((at, number, who))

    def forget(self) -> None:
        """Central was put back: what the desk did since is not there any more."""
        self._lost = True

    def meant(self, number: str, at: datetime) -> str | object:
        """Who it was then; empty: nobody."""
        own = [(when, who) for when, one, who in self._changes if one == number]
        if self._lost or not own or any(abs(when - at) < NEAR for when, _ in own[1:]):
            return NOBODY_KNOWS
        return next((who for when, who in reversed(own) if when <= at), NOBODY_KNOWS)

    def _now(self) -> dict[str, str]:
        return {number: who for _, number, who in self._changes}
