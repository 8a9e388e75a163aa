"""Settings of one kiosk: a TOML file, over it the environment, over it a secrets folder; frozen once read.

Every mistake is told at once, each with file, key, what was expected and what was found (`BadSettings`); the command
line prints them and exits with 2. Environment: `SHELFPOINT_CENTRAL__DEADLINE_S=2` sets `central.deadline_s`.
"""

import re
import tomllib
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from config.hand_written import Unreadable, hand_written, without_mark
from kiosk.domain.identity import (
    LONGEST_CONTACT,
    MAX_CODE_LENGTH,
    SYMBOLOGIES,
    UID_LENGTHS,
    Base,
    ByteOrder,
    CardClass,
    CodePattern,
    CodeType,
    SpellingRule,
    Take,
    Technology,
    shape,
)
from kiosk.domain.values import BranchId
from kiosk.visit.state import VisitSettings
from kiosk.words import Language


class BadSettings(Exception):
    """The settings cannot be used; one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CardRule(_Part):
    """How the library system spells the UIDs of one class of card."""

    technology: Technology = Technology.ISO14443A
    uid_length: int = Field(default=4, ge=1, le=LONGEST_CONTACT)
    base: Base = Base.HEX_UPPER
    order: ByteOrder = ByteOrder.ON_AIR
    take: Take = Take.ALL
    pad_to: int = Field(default=0, ge=0, le=40)
    prefix: str = ""
    suffix: str = ""

    @model_validator(mode="after")
    def _has_a_length_that_exists(self) -> Self:
        if self.technology is not Technology.CONTACT and self.uid_length not in UID_LENGTHS:
            raise ValueError("uid_length 4, 7, 8 or 10 for a contactless card")
        return self


def _is_known(symbology: str) -> str:
    if symbology not in SYMBOLOGIES:
        raise ValueError(f"one of {', '.join(sorted(SYMBOLOGIES))}")
    return symbology


class CodeRule(_Part):
    """One shape of barcode that the library uses. Asked in the order of the file: the first that fits wins, but where
    books are lent and taken back items are asked first."""

    type: Literal[CodeType.PATRON, CodeType.ITEM, CodeType.VOUCHER, CodeType.EVENT, CodeType.VIRTUAL_CARD]
    pattern: Pattern
    """A regular expression for the whole text."""
    symbologies: frozenset[Annotated[str, AfterValidator(_is_known)]] = frozenset()
    """Only in these kinds of code, where the scanner tells the kind; empty: in any."""


def _hexadecimal(text: str) -> str:
    try:
        bytes.fromhex(text)
    except ValueError as error:
        raise ValueError("hexadecimal bytes, for example '16 54 0D'") from error
    return text


Hex = Annotated[str, AfterValidator(_hexadecimal)]
"""Bytes, two digits each, with or without spaces."""


SELECT = 0xA4
READING = frozenset({SELECT, 0xB0, 0xB2, 0xC0, 0xCA})
"""Commands that change nothing on a card: SELECT, READ BINARY, READ RECORD, GET RESPONSE, GET DATA (ISO/IEC 7816-4)."""


def _only_reads(text: str) -> str:
    command = bytes.fromhex(text)
    if len(command) < 4 or command[1] not in READING:
        allowed = ", ".join(f"{code:02X}" for code in sorted(READING))
        raise ValueError(f"a command that only reads: at least four bytes, the second one of {allowed}")
    return text


class ContactScript(_Part):
    """How the number of a contact card is read: commands, and where it stands in the last one's answer.

    The card must answer each with 9000. The first one chooses what only the library's card has (SELECT): without it any
    card that answers a read would be taken for one.
    """

    commands: tuple[Annotated[Hex, AfterValidator(_only_reads)], ...] = Field(min_length=1)
    start: int = Field(default=0, ge=0, le=250)
    length: int = Field(default=4, ge=1, le=LONGEST_CONTACT)

    @model_validator(mode="after")
    def _chooses_first(self) -> Self:
        if bytes.fromhex(self.commands[0])[1] != SELECT:
            raise ValueError("commands whose first one chooses the library's application or file (SELECT, 00 A4 …)")
        return self


class Reader(_Part):
    """A PC/SC reader."""

    name: str = "reader"
    pattern: Pattern = ".*"
    """Regular expression on the PC/SC reader name; SAM slots never match."""
    slot: Literal["auto", "contactless", "contact"] = "auto"
    """What the matching slots are; auto: told by the slot's name, else contactless."""
    contact: ContactScript | None = None
    """For contact slots; without it, contact cards are only told apart."""
    signals: Literal["auto", "none", "acr122u", "acr1252"] = "auto"
    """How its own light and beeper are told; auto: by its name, and not at all for a family that is not known."""


class Scanner(_Part):
    """A scanner on a serial port, or one that types and is taken away from the screen."""

    name: str = "scanner"
    path: str
    """/dev/serial/by-id/… or usb:VENDOR:PRODUCT[:SERIAL]; /dev/input/by-id/…-event-kbd for one that types."""
    profile: Literal["generic", "honeywell", "datalogic", "zebra", "zebra-ssi", "newland"] = "generic"
    baud: int | None = Field(default=None, ge=1200, le=921600)
    """None: as the profile says."""
    ends: Literal["auto", "terminator", "pause"] = "auto"
    """What ends a code: CR, LF, Tab or ETX only, or a pause too; auto: a pause until a terminator was heard, and only for
    what was read twice alike. Packets and scanners that type say it themselves."""
    key_gap_ms: int | None = Field(default=None, ge=5, le=250)
    """Of a scanner that types: the longest pause between two keys of one code. None: 35 (and up to 100 are borne)."""
    repeats: bool = False
    """It sends a code again and again while it sees it."""
    repeat_s: float = Field(default=1.0, gt=0, le=10)
    """Then the same code within this time is one scan."""
    signals: bool = False
    """Its beeper also says whether a code was taken; its own beep at each code is then better switched off."""
    trigger: bool = False
    """It is in manual-trigger mode: the kiosk pulls its trigger while a page wants codes. The same code within `repeat_s`
    is then one scan. False for one in presentation mode, which reads by itself."""
    trigger_on: Hex | None = None
    trigger_off: Hex | None = None
    beep: Hex | None = None
    beep_refused: Hex | None = None
    """None: as the profile says."""

    @model_validator(mode="after")
    def _is_told_what_it_can_hear(self) -> Self:
        serial = (
            self.baud,
            self.trigger or None,
            self.trigger_on,
            self.trigger_off,
            self.beep,
            self.beep_refused,
            self.signals or None,
        )
        if self.path.startswith("/dev/input/") and any(value is not None for value in serial):
            raise ValueError("no baud, trigger, beep or signals for a scanner that types: nothing can be sent to it")
        if self.key_gap_ms is not None and not self.path.startswith("/dev/input/"):
            raise ValueError("no key_gap_ms for a scanner on a serial port: only one that types has keys")
        if self.ends != "auto" and (self.path.startswith("/dev/input/") or self.profile == "zebra-ssi"):
            raise ValueError("no ends for packets (zebra-ssi) or for a scanner that types: theirs is known")
        return self


def _queue_name(text: str) -> str:
    if not re.fullmatch(r"[^\s/#-][^\s/#]{0,126}", text):
        raise ValueError("the name of a print queue: no spaces, / or #, and no - at its beginning")
    return text


class Printer(_Part):
    """An ESC/POS printer: on the network (`host`), on a serial line or USB (`path`), or behind a print queue (`queue`)."""

    name: str = "printer"
    host: str = ""
    port: int = Field(default=9100, ge=1, le=65535)
    path: str = ""
    """/dev/serial/by-id/…, /dev/usb/lp0 or usb:VENDOR:PRODUCT[:SERIAL]"""
    queue: Annotated[str, AfterValidator(_queue_name)] = ""
    """Name of a CUPS queue; its slips are only ever spooled, never confirmed."""
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 9600
    handshake: bool = True
    """RTS/CTS; XON/XOFF cannot be used, its bytes occur in pictures."""
    profile: str = "generic-80-big5"
    """A family of ours or a model's name: `devices printers` lists them."""
    confirms: Literal["gs_h", "gs_r", "none"] | None = None
    """How it says that it has printed."""
    width_dots: int | None = Field(default=None, ge=192, le=832, multiple_of=8)
    """Dots that it prints across the paper: 384 on 58 mm, 512 or 576 on 80 mm."""
    columns: int | None = Field(default=None, ge=16, le=69)
    """Latin letters in a line; a Chinese character takes two. None: as the profile says, or as many as fit `width_dots`."""
    cjk: Literal["big5", "gb18030", "none"] | None = None
    """Which Chinese characters it holds itself; all others are drawn as dots."""
    cutter: bool | None = None
    """It has a knife."""
    native_qr: bool | None = None
    """It draws QR codes itself."""
    near_end: bool | None = None
    """It has a sensor that tells when the roll is nearly at its end."""
    news: bool | None = None
    """It tells changes of its state by itself (automatic status). These keys say where it differs from the profile;
    `devices probe printer` finds them out."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if sum(map(bool, (self.host, self.path, self.queue))) != 1:
            raise ValueError("one of host (network), path (serial or USB) and queue (CUPS)")
        if self.queue and self.confirms not in (None, "none"):
            raise ValueError("no key confirms beside queue: nobody hears a printer behind a queue")
        if self.queue and (self.news or self.near_end):
            raise ValueError("no key news or near_end beside queue: nobody hears a printer behind a queue")
        return self


Symbology = Literal["code39", "code128", "codabar", "ean13", "itf", "qr", "datamatrix", "pdf417"]


class Camera(_Part):
    """A camera that reads codes held before it."""

    name: str = "camera"
    device: str | Annotated[int, Field(ge=0, le=63)]
    """/dev/v4l/by-id/…, or the number of /dev/video."""
    width: int = Field(default=1280, ge=320, le=3840)
    height: int = Field(default=720, ge=240, le=2160)
    symbologies: frozenset[Symbology] = Field(default=frozenset({"code39", "code128", "codabar", "qr"}), min_length=1)
    """Only these are looked for: the fewer, the faster and the surer."""
    lengths: dict[str, tuple[Annotated[int, Field(ge=1, le=MAX_CODE_LENGTH)], ...]] = {}
    """How many characters a code of a symbology may have; any, where it is not named. For Interleaved 2 of 5 and Codabar,
    which have no check character: Codabar without its start and stop letters."""

    @model_validator(mode="after")
    def _has_lengths_that_can_be(self) -> Self:
        if strange := sorted(set(self.lengths) - self.symbologies):
            raise ValueError(
                f"lengths of these symbologies only: {', '.join(sorted(self.symbologies))}; not {strange[0]}"
            )
        if empty := sorted(name for name, counts in self.lengths.items() if not counts):
            raise ValueError(f"one or more lengths for {empty[0]}, or none of it in lengths")
        if odd := sorted(count for count in self.lengths.get("itf", ()) if count % 2):
            raise ValueError(f"even lengths for itf, whose digits stand in pairs; not {odd[0]}")
        return self


Named = TypeVar("Named", Reader, Scanner, Printer, Camera)


class Devices(_Part):
    """What is plugged in. Each device has a name of its own: its state is known by it, and its lights and beeps.

    Whose name is not said is called by its kind and, after the first, by its place in the file: scanner, scanner-2.
    """

    readers: tuple[Reader, ...] = (Reader(),)
    scanners: tuple[Scanner, ...] = ()
    keyboard_scanner: bool = False
    """A scanner that types like a keyboard is plugged in."""
    key_gap_ms: int = Field(default=35, ge=5, le=250)
    """The longest pause between two of its keys; what a person types is shown so much later."""
    printers: tuple[Printer, ...] = ()
    cameras: tuple[Camera, ...] = ()

    @field_validator("readers", "scanners", "printers", "cameras")
    @classmethod
    def _has_numbered_names(cls, entries: tuple[Named, ...]) -> tuple[Named, ...]:
        return tuple(
            entry
            if place == 1 or "name" in entry.model_fields_set
            else entry.model_copy(update={"name": f"{entry.name}-{place}"})
            for place, entry in enumerate(entries, 1)
        )

    @model_validator(mode="after")
    def _has_no_name_twice(self) -> Self:
        places = {"keyboard": ["keyboard_scanner"]} if self.keyboard_scanner else {}
        for kind in ("readers", "scanners", "printers", "cameras"):
            for place, entry in enumerate(getattr(self, kind)):
                places.setdefault(entry.name, []).append(f"{kind}.{place}")
        twice = {name: found for name, found in places.items() if len(found) > 1}
        if twice:
            said = "; ".join(f"name {name!r} at {' and '.join(found)}" for name, found in twice.items())
            raise PydanticCustomError("same_name", "a name of its own for each device", {"got": said})
        return self


class Central(_Part):
    """How this kiosk talks to central; the address and the credential come from enrolment."""

    deadline_s: float = Field(default=1.5, gt=0, le=30)
    probes_needed: int = Field(default=3, ge=1, le=20)
    probe_s: float = Field(default=2.0, gt=0, le=60)
    longest_probe_s: float = Field(default=15.0, gt=0, le=600)
    heartbeat_s: float = Field(default=5.0, gt=0, le=300)
    keep_acts_days: int = Field(default=14, ge=1, le=3660)
    """How long judged acts stay here; at least the age of the oldest backup of central that may be restored."""


class Metrics(_Part):
    """This kiosk for Prometheus."""

    port: int = Field(default=0, ge=0, le=65535)
    """On 127.0.0.1; 0: nothing listens."""


class Screen(_Part):
    """The patron's screen."""

    width: int = Field(default=1080, ge=640, le=7680)
    height: int = Field(default=1920, ge=640, le=7680)
    full_screen: bool = True
    idle_s: float = Field(default=60, ge=5, le=600)
    done_s: float = Field(default=20, ge=5, le=600)
    warn_s: float = Field(default=20, ge=1, le=60)
    language: Language = Language.ZH_TW


class _Secrets(SecretsSettingsSource):
    """One file for each key, as editors write it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        return without_mark(value) if isinstance(value, str) else value, key, is_complex


class KioskSettings(BaseSettings):
    """Everything that one kiosk is told; made by `load`."""

    model_config = SettingsConfigDict(
        env_prefix="SHELFPOINT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    library_name: str
    branch: str
    branch_name: str
    data: Path
    """Folder of the two databases."""
    keys: Path
    """Folder of the keys and the credential; must lie outside `data`."""
    cards: tuple[CardRule, ...] = (CardRule(),)
    codes: tuple[CodeRule, ...]
    devices: Devices = Devices()
    central: Central = Central()
    metrics: Metrics = Metrics()
    screen: Screen = Screen()

    @field_validator("codes")
    @classmethod
    def _has_no_shape_twice(cls, codes: tuple[CodeRule, ...]) -> tuple[CodeRule, ...]:
        for (place, rule), (other, twin) in combinations(enumerate(codes), 2):
            kinds, others = rule.symbologies or SYMBOLOGIES, twin.symbologies or SYMBOLOGIES
            if shape(rule.pattern) == shape(twin.pattern) and kinds & others:
                said = (
                    f"pattern {rule.pattern!r} at codes.{place} ({rule.type})"
                    f" and {twin.pattern!r} at codes.{other} ({twin.type})"
                )
                raise PydanticCustomError("same_shape", "patterns that tell the types of code apart", {"got": said})
        return codes

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The secrets folder outranks the environment, which outranks the file."""
        folder = file_secret_settings.secrets_dir if isinstance(file_secret_settings, SecretsSettingsSource) else None
        return _Secrets(settings_cls, folder), env_settings, init_settings

    def visit(self) -> VisitSettings:
        """The part that the heart needs."""
        return VisitSettings(
            branch=BranchId(self.branch),
            branch_name=self.branch_name,
            library_name=self.library_name,
            code_patterns=tuple(
                CodePattern(type=rule.type, pattern=re.compile(rule.pattern), symbologies=rule.symbologies)
                for rule in self.codes
            ),
            spelling=MappingProxyType(
                {
                    CardClass(rule.technology, rule.uid_length): SpellingRule(
                        base=rule.base,
                        order=rule.order,
                        take=rule.take,
                        pad_to=rule.pad_to,
                        prefix=rule.prefix,
                        suffix=rule.suffix,
                    )
                    for rule in self.cards
                }
            ),
            language=self.screen.language,
            idle=timedelta(seconds=self.screen.idle_s),
            done_idle=timedelta(seconds=self.screen.done_s),
            warn=timedelta(seconds=self.screen.warn_s),
        )


def load(path: Path, secrets: Path | None = None) -> KioskSettings:
    """Read and check a settings file. Relative folders in it count from the file. Raises BadSettings."""
    try:
        values = tomllib.loads(hand_written(path))
    except Unreadable as error:
        raise BadSettings([f"{path}: expected a readable TOML file, got {error}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise BadSettings([f"{path}: expected TOML, got a syntax error: {error}"]) from error
    if secrets is not None and not secrets.is_dir():
        raise BadSettings([f"{secrets}: expected a folder of secrets, got nothing"])
    hidden = [f"{path}: key {key}: expected no such key, got {values[key]!r}"[:200] for key in values if key[:1] == "_"]
    try:  # a key with a leading underscore would be taken as an option of the reader
        options = {key: value for key, value in values.items() if key[:1] != "_"}
        settings = KioskSettings(**options, _secrets_dir=secrets)
    except ValidationError as error:
        raise BadSettings([*hidden, *(_problem(path, dict(fault)) for fault in error.errors())]) from error
    except SettingsError as error:
        raise BadSettings([*hidden, f"environment: expected JSON for a whole table, got an {error}"]) from error
    if hidden:
        raise BadSettings(hidden)
    settings = settings.model_copy(
        update={name: (path.parent / getattr(settings, name)).resolve() for name in ("data", "keys")}
    )
    if settings.keys.is_relative_to(settings.data):
        raise BadSettings([f"{path}: key keys: expected a folder outside data ({settings.data}), got {settings.keys}"])
    return settings


_EXPECTED = {"missing": "a value", "extra_forbidden": "no such key"}


def _problem(path: Path, fault: dict[str, object]) -> str:
    place = fault["loc"]
    key = ".".join(str(part) for part in place) if isinstance(place, tuple) else str(place)
    context = fault.get("ctx")
    told = context.get("got") if isinstance(context, dict) else None  # a check that knows better than the whole input
    got = told or ("nothing" if fault["type"] == "missing" else repr(fault.get("input"))[:80])
    expected = _EXPECTED.get(str(fault["type"])) or str(fault["msg"]).removeprefix("Input should be ").removeprefix(
        "Value error, "
    )
    expected = re.sub(r"<\w+\.\w+: ('[^']*')>", r"\1", expected)  # a choice by its spelling, not by its name in Python
    return f"{path}: key {key}: expected {expected}, got {got}"
