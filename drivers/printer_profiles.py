"""What a slip printer can do: one frozen profile per family or model, chosen by name in the configuration.

Owns what a printer is taken for until somebody has asked it: ours first, then the models of python-escpos' database.
`devices probe printer` finds out, and the settings outrank every field. Nothing here prints; any thread may read it.

Why
- Whether a printer holds Big5 or GB18030 is its edition or a memory switch, so a model's name leaves it open: Chinese is
  then drawn as dots, which is always right and slow only on a serial line.
- A printer that knows no QR codes drops the order in silence, and the database says of most models that they know them;
  a model's QR codes are dots until the settings say otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

from drivers.printer_models import Model, models
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
    maker: str = ""
    """Who sells it, where the name is a model's."""
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
        family = profile_called(self.name) or self
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
    # Models sold in Taiwan that the database lacks. Epson lists GS ( H for three of them.
    Profile(name="LK-TL122", maker="Sewoo", width_dots=576, columns=48, cjk="big5", native_qr=False),
    Profile(name="TM-T82III", maker="Epson", width_dots=576, columns=48, cjk="none", native_qr=False),
    Profile(name="TM-T20III", maker="Epson", width_dots=576, columns=48, cjk="none", native_qr=False, confirms="gs_h"),
    Profile(name="TM-T88VI", maker="Epson", width_dots=512, columns=42, cjk="none", native_qr=False, confirms="gs_h"),
    Profile(name="TM-T88VII", maker="Epson", width_dots=512, columns=42, cjk="none", native_qr=False, confirms="gs_h"),
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _ALL})
"""Ours, by name."""
DEFAULT_PROFILE = PROFILES["generic-80-big5"]
"""80 mm, 203 dpi, Big5: what is sold most in Taiwan."""
_NEAR = 4


def profile_called(name: str) -> Profile | None:
    """Ours of this name, or the database's model; None where nobody knows it."""
    if name in PROFILES:
        return PROFILES[name]
    model = models().get(name)
    return None if model is None else _profile_of(model)


def all_profiles() -> tuple[Profile, ...]:
    """Every name that the settings may say: ours, then the models, each in the order of its name."""
    return (
        *PROFILES.values(),
        *(_profile_of(model) for name, model in sorted(models().items()) if name not in PROFILES),
    )


def near_names(name: str) -> tuple[str, ...]:
    """What somebody may have meant, the nearest first; letters, blanks and hyphens are not weighed."""
    names = {_plain(known.name): known.name for known in all_profiles()}
    plain = _plain(name)
    parts = [known for known in names if plain and (plain in known or known in plain)]
    close = get_close_matches(plain, names, n=_NEAR, cutoff=0.6)
    return tuple(names[known] for known in dict.fromkeys([*close, *parts]))[:_NEAR]


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


def _profile_of(model: Model) -> Profile:
    return Profile(
        name=model.name,
        maker=model.maker,
        width_dots=model.width_dots,
        columns=model.columns,
        cjk="none",
        cutter=model.cutter,
        native_qr=False,
    )
