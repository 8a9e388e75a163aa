"""What a slip printer can do: one frozen profile per family, chosen by name in the configuration.

Owns what a printer is taken for until somebody has asked it: widths differ by model, and whether it holds Big5 or GB18030
is its firmware or a memory switch. `devices probe printer` finds out, and the settings outrank every field that differs
within a family. Nothing here prints; any thread may read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal

from kiosk.slip import PaperMachine

CodePage = Literal["big5", "gb18030", "none"]
"""Chinese characters that the printer holds itself."""
Confirms = Literal["gs_h", "gs_r", "none"]
"""How the printer says that it has printed."""
_CODE_NAMES = {"big5": "Big5", "gb18030": "GB18030"}
_CONFIRMATIONS = {"gs_h": "GS ( H", "gs_r": "GS r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One family of printers."""

    name: str
    """As written in the configuration."""
    width_dots: int
    """Printable width; a multiple of 8."""
    columns: int
    """Cells of Font A in a line: a Latin letter takes one, a Chinese character two."""
    cjk: CodePage
    """Which Chinese characters it prints from bytes; all others are drawn as dots."""
    font_dots: int = 24
    """Height of a character; its width is the same for Chinese and half of it for Latin."""
    line_dots: int = 30
    """Feed of one line at the default spacing (ESC 2)."""
    feed_lines: int = 4
    """Lines between the last line and the cut: about the way from the head to the knife."""
    cutter: bool = True
    """It has a knife."""
    native_qr: bool = True
    """It draws QR codes itself (GS ( k); otherwise they are sent as dots."""
    confirms: Confirms = "gs_r"
    """`gs_h`: sends back a job's own mark when it is printed (`devices probe printer` finds out); `gs_r`: answers a
    status request that stands behind the job in its queue."""
    news: bool = False
    """It tells changes of its state by itself when asked to (GS a)."""
    near_end: bool = True
    """It has a sensor for a roll that is nearly at its end; without one, what it says of that means nothing."""

    @property
    def title(self) -> str:
        """For staff: the family, and what the settings say otherwise of this printer."""
        family = PROFILES.get(self.name, self)
        told = {field.name: (getattr(family, field.name), getattr(self, field.name)) for field in fields(self)}
        return ", ".join(
            [self.name, *(f"{key} = {str(now).lower()}" for key, (was, now) in told.items() if was != now)]
        )

    def machine(self, name: str) -> PaperMachine:
        """For the test page of the printer that is called so."""
        return PaperMachine(
            name=f"{name}: {self.title}",
            columns=self.columns,
            width_dots=self.width_dots,
            chinese=None if self.cjk == "none" else _CODE_NAMES[self.cjk],
            cutter=self.cutter,
            confirms=_CONFIRMATIONS.get(self.confirms),
        )


_ALL = (
    Profile(name="generic-80-big5", width_dots=576, columns=48, cjk="big5"),
    Profile(name="generic-58-big5", width_dots=384, columns=32, cjk="big5", cutter=False, native_qr=False),
    Profile(name="generic-80-gb18030", width_dots=576, columns=48, cjk="gb18030"),
    Profile(name="generic-80-raster", width_dots=576, columns=48, cjk="none", native_qr=False),
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _ALL})
"""By name."""
CELL_DOTS = 12
"""Width of a Latin letter of Font A on all of them."""
DEFAULT_PROFILE = PROFILES["generic-80-big5"]
"""80 mm, 203 dpi, Big5: what is sold most in Taiwan."""
