"""What a card meant when it was used, whatever the kiosk had heard by then."""

from datetime import UTC, datetime, timedelta

import pytest

from kiosk.domain.cards import Binding, misused
from kiosk.domain.values import CardId, MembershipId, Reason, Refused

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ANN, BEN = MembershipId("ann"), MembershipId("ben")
HOUR = timedelta(hours=1)


def bound(id_: str, who: MembershipId, since: float | None, until: float | None) -> Binding:
    """Hours from noon."""
    return Binding(
        id=CardId(id_),
        membership=who,
        since=None if since is None else NOON + since * HOUR,
        until=None if until is None else NOON + until * HOUR,
    )


TO_BEN = (bound("a", ANN, None, 1), bound("b", BEN, 1, None))
LOST = (bound("a", ANN, 0, 1),)
TO_BEN_LATER = (bound("a", ANN, 0, 1), bound("b", BEN, 2, None))
AND_BACK = (bound("a", ANN, 0, 1), bound("b", BEN, 1, 2), bound("c", ANN, 2, None))
ANOTHER = Refused(Reason.CARD_MEANT_ANOTHER, {"other": BEN})
VOID = Refused(Reason.CARD_WAS_VOID)


@pytest.mark.parametrize(
    ("bindings", "hour", "expected"),
    [
        ((), 5, None),
        ((bound("a", ANN, 0, None),), 5, None),
        (TO_BEN, 0.9, None),
        (TO_BEN, 1, ANOTHER),
        (TO_BEN, 9, ANOTHER),
        (LOST, 0.9, None),
        (LOST, 1, VOID),
        (TO_BEN_LATER, 1.5, VOID),
        (TO_BEN_LATER, 2, ANOTHER),
        (AND_BACK, 1.5, ANOTHER),
        (AND_BACK, 2.5, None),
        ((bound("a", ANN, 3, None),), 2.9, None),
    ],
)
def test_a_card_counts_by_what_it_meant_at_that_moment(
    bindings: tuple[Binding, ...], hour: float, expected: Refused | None
) -> None:
    assert misused(CardId("a"), ANN, NOON + hour * HOUR, bindings) == expected


def test_nothing_is_said_against_a_card_that_nobody_knows() -> None:
    assert misused(CardId("from a central before its restore"), ANN, NOON + 9 * HOUR, TO_BEN) is None
