"""What a script may tell the twins: each device's words, what each takes, and what it makes the twin do.

Data only. `drivers.virtual.script` reads lines by it, `drivers.virtual.hands` does them, docs/twins.md is its table for
people, and a test holds the three together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Takes(StrEnum):
    """One thing that stands behind a word; as it is written in the table and in a complaint."""

    CARD = "CARD"
    """The name of a card on the table, or a UID of 4, 7, 8 or 10 bytes in hexadecimal digits."""
    CODE = "CODE"
    """The rest of the line: a code, or the name of a card that is scanned."""
    TEXT = "TEXT"
    """The rest of the line."""
    HEX = "HEX"
    """The rest of the line: bytes in hexadecimal digits."""
    NUMBER = "NUMBER"
    """A whole number from 1."""
    LENGTH = "LENGTH"
    """A whole number from 1 to the length of the longest code that there is."""
    MAYBE_NUMBER = "[NUMBER]"
    """The same, or nothing."""
    SECONDS = "SECONDS"
    """From 0 to 3600, decimals allowed."""
    ECHO = "ECHO"
    """Four letters or digits."""
    SYMBOLOGY = "SYMBOLOGY"
    """A kind of code that the camera's twin can draw."""


SYMBOLOGIES = ("code39", "code128", "codabar", "ean13", "qr")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a device."""

    does: str
    """What the twin does then."""
    takes: tuple[Takes, ...] = ()
    """What stands behind it, in this order."""


_PLUGS = {"unplug": Word("its plug is pulled"), "plug": Word("it is plugged in again")}
_CARD = (Takes.CARD,)
_LINES = (Takes.MAYBE_NUMBER,)

WORDS: Mapping[str, Mapping[str, Word]] = MappingProxyType(
    {
        "reader": {
            "lay": Word("lays this card down; one that lies there is lifted first", _CARD),
            "lift": Word("takes the card away"),
            "tear": Word("takes this card away before it was read", _CARD),
            "mute": Word("lays this card down; it has an ATR and then answers nothing", _CARD),
            "dead": Word("lays this card down; it has not even an ATR", _CARD),
            "nonsense": Word("lays this card down; it answers bytes that mean nothing", _CARD),
            "two": Word("lays two cards down that answer in turn", (Takes.CARD, Takes.CARD)),
            "late-two": Word(
                "the same, but the second answers only after the first was told", (Takes.CARD, Takes.CARD)
            ),
            "lock": Word("refuses commands for light and buzzer, as most drivers do"),
            "unlock": Word("obeys them"),
            **_PLUGS,
        },
        "pcscd": {
            "kill": Word("the card service crashes"),
            "start": Word("it is started again, if it does not run"),
            "freeze": Word("it hangs: takes calls and answers none"),
            "thaw": Word("it goes on where it hung"),
        },
        "scanner": {
            "scan": Word("reads this code", (Takes.CODE,)),
            "bare": Word("reads this code and sends no terminator", (Takes.CODE,)),
            "bytes": Word("sends these bytes: noise, half a code, an AIM identifier", (Takes.HEX,)),
            "long": Word("reads a code of so many characters", (Takes.LENGTH,)),
            **_PLUGS,
        },
        "printer": {
            "paper-out": Word("its paper ends, now or after so many lines", _LINES),
            "load": Word("a new roll, endless or of so many lines; what stood in the buffer prints now", _LINES),
            "near-end": Word("its roll is nearly at its end"),
            "full": Word("it is not"),
            "open-cover": Word("its cover opens, now or after so many lines", _LINES),
            "close-cover": Word("its cover is closed"),
            "jam": Word("its knife is stuck"),
            "free": Word("its knife is free again"),
            "hot": Word("its head is too hot; it rests"),
            "cool": Word("its head has cooled down; it goes on by itself"),
            "silent": Word("it answers nothing more, from now or after so many lines; it goes on printing", _LINES),
            "speak": Word("it answers again"),
            "ignore-marks": Word("it never confirms, as cheap clones do"),
            "heed-marks": Word("it confirms again"),
            "run-dry": Word("at paper end it takes the rest for printed and confirms it as done without paper (GS r)"),
            "stop-dry": Word("at paper end it waits for paper again"),
            "noise": Word("it says these bytes, which nobody asked for", (Takes.HEX,)),
            "keep-to-itself": Word("it tells nothing about itself (GS I, QR size)"),
            "tell-all": Word("it tells again"),
            "late": Word("everything it says comes so many seconds later; 0: at once again", (Takes.SECONDS,)),
            "late-echo": Word(
                'before its next echo (`confirms = "gs_h"`) it says this one of an older slip', (Takes.ECHO,)
            ),
            "late-mark": Word('before its next confirmation without a name (`"gs_r"`) it says that of an older slip'),
            "drop": Word("it drops the connection, now or after so many bytes", _LINES),
            "buffer": Word(
                "it is one with a receive buffer of so many bytes; it was off for a moment", (Takes.NUMBER,)
            ),
            "no-buffer": Word("it is one that takes everything; it was off for a moment"),
            "slow-line": Word("bytes reach it at so many baud", (Takes.NUMBER,)),
            "fast-line": Word("bytes reach it at once"),
            "swallow": Word("its network cable is pulled: lines stay open, and nothing comes through"),
            "restore": Word("the cable is back; what was sent to it meanwhile comes now"),
            "hold": Word("another computer takes its connection"),
            "release": Word("that computer lets go"),
            "turn-away": Word("it turns a second computer away"),
            "let-wait": Word("it lets a second computer wait"),
            "power-cycle": Word("off and on: what stood in its buffer is lost"),
            **_PLUGS,
        },
        "network": {
            "cut": Word("the cable to central is cut"),
            "swallow": Word("connections open, and nothing comes through"),
            "restore": Word("the cable is whole"),
        },
        "camera": {
            "show": Word("this code lies before it", (Takes.SYMBOLOGY, Takes.TEXT)),
            "nothing": Word("an empty pad"),
            "bytes": Word("sends these bytes instead of pictures, until something is shown", (Takes.HEX,)),
            "stall": Word("it is open, but no picture comes"),
            "go-on": Word("pictures come again"),
            "denied": Word("its node may not be opened"),
            "locked": Word("another program has opened it, and it opens only once"),
            "busy": Word("another program streams from it"),
            "data": Word("it is the camera's other node, which takes no pictures"),
            "well": Word("none of these four"),
            **_PLUGS,
        },
        "trainer": {"say": Word("shows this sentence where the script was started", (Takes.TEXT,))},
    }
)
"""By device, then by word."""
