"""What makers of serial scanners have in common and where they differ: speed, and the bytes that trigger and beep.

Data only; the settings override every field, because most scanners are programmed with barcodes from a booklet.
From the makers' manuals, none of it run on a device:

* honeywell: SYN T CR and SYN U CR, in the manual-trigger mode; BEL beeps.
* datalogic: one-letter commands of the RS-232 host interface (Magellan and Gryphon product reference guides): 01 beeps
  whatever the beeper is set to, F is "not on file", a long row of beeps.
* newland: commands `SCNTRG1` and `SCNTRG0`, in the frame of its programming commands; it answers each. No command for a
  beep was found that all models have.
* zebra: plain codes and nothing that could be sent. zebra-ssi: the same scanner set to SSI, packets that are answered
  (`drivers.ssi`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from drivers.frames import Decoder, Frames
from drivers.ssi import BEEP, ONE_HIGH, START_SESSION, STOP_SESSION, TWO_LOW, SsiFrames, packet


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerProfile:
    """One maker's habits."""

    name: str
    """As written in the settings."""
    baud: int = 9600
    """Speed as delivered."""
    trigger_on: bytes = b""
    """Begins to look for a code; empty: cannot be told."""
    trigger_off: bytes = b""
    """Stops looking."""
    beep: bytes = b""
    """Makes a sound."""
    beep_refused: bytes = b""
    """Makes another one, for a code that was not taken."""
    decoder: Callable[[], Decoder] = Frames
    """What makes codes out of its bytes, from each opening of its port."""


_ALL = (
    ScannerProfile(name="generic"),
    ScannerProfile(name="honeywell", baud=115200, trigger_on=b"\x16T\r", trigger_off=b"\x16U\r", beep=b"\x07"),
    ScannerProfile(name="datalogic", trigger_on=b"T", trigger_off=b"X", beep=b"\x01", beep_refused=b"F"),
    ScannerProfile(name="zebra"),
    ScannerProfile(
        name="zebra-ssi",
        trigger_on=packet(START_SESSION),
        trigger_off=packet(STOP_SESSION),
        beep=packet(BEEP, bytes([ONE_HIGH])),
        beep_refused=packet(BEEP, bytes([TWO_LOW])),
        decoder=SsiFrames,
    ),
    ScannerProfile(name="newland", trigger_on=b"~\x010000#SCNTRG1;\x03", trigger_off=b"~\x010000#SCNTRG0;\x03"),
)

SCANNER_PROFILES: Mapping[str, ScannerProfile] = MappingProxyType({profile.name: profile for profile in _ALL})
"""By name."""
