"""What the station does in answer: effects are carried out in order, before the view that follows them is shown."""

from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.journal import Act, Verdict, Word
from kiosk.domain.values import ActId
from kiosk.slip import Slip


@dataclass(frozen=True, slots=True)
class Record:
    """Write one word to the acts file; durable before the next effect."""

    word: Word
    """Which word."""
    act: Act
    """Of which act."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send this act's newest word to central now; exactly one VerdictCame or AnswerMissing comes back."""

    act_id: ActId
    """Of which act."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Write a verdict to the acts file; durable before the next effect."""

    verdict: Verdict
    """What central said."""


@dataclass(frozen=True, slots=True)
class Print:
    """Hand a slip to the printer; PrintEnded comes back."""

    job: str
    """Name of the job."""
    slip: Slip
    """What it says."""


@dataclass(frozen=True, slots=True)
class Knock:
    """Ask whether somebody may open the staff page; exactly one StaffAnswered comes back."""

    act: Act
    """The try, to be written down with who it was and how it ended."""
    login: str = field(repr=False)
    """As typed."""
    password: str = field(repr=False)
    """As typed."""


@dataclass(frozen=True, slots=True)
class TrustClock:
    """Staff have confirmed the time; it is written down before."""


class Sound(StrEnum):
    """Short sounds that agree with the screen."""

    OK = "ok"
    NO = "no"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class Play:
    """A short sound."""

    sound: Sound
    """Which."""


Effect = Record | Ask | Settle | Print | Knock | TrustClock | Play
