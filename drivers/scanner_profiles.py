"""What makers of serial scanners have in common and where they differ: speed, and the bytes that trigger and beep.

Data only; the settings override every field, because most scanners are programmed with barcodes from a booklet.
Sources: vendors' manuals as gathered in reference/devices.md B3. Zebra's SSI and Newland's command set need an answer
to every packet and are not spoken here: such scanners are triggered by hand and beep by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


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


_ALL = (
    ScannerProfile(name="generic"),
    ScannerProfile(name="honeywell", baud=115200, trigger_on=b"\x16T\r", trigger_off=b"\x16U\r", beep=b"\x07"),
    ScannerProfile(name="datalogic", trigger_on=b"T", trigger_off=b"X", beep=b"B", beep_refused=b"F"),
    ScannerProfile(name="zebra"),
    ScannerProfile(name="newland"),
)

SCANNER_PROFILES: Mapping[str, ScannerProfile] = MappingProxyType({profile.name: profile for profile in _ALL})
"""By name."""
