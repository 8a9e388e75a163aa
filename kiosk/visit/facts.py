"""The kiosk's health in words, for the staff page and its slip: facts about link, outbox, knowledge and clock, and devices."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kiosk.domain.values import LIBRARY_TIME
from kiosk.ports import DeviceState, DeviceStatus, Heard, Link, StaffView
from kiosk.words import Language, say, say_reason


class Mark(StrEnum):
    """How much a line wants somebody."""

    WELL = "well"
    WATCH = "watch"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about the kiosk."""

    label: str
    """What it is about."""
    said: str
    """How it stands."""
    mark: Mark
    """Whether somebody should care."""


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device."""

    name: str
    """Which, with the name that it has in the configuration."""
    said: str
    """How it is and what to do."""
    detail: str
    """Path, address, firmware."""
    mark: Mark
    """Whether somebody should care."""


OLD = timedelta(days=1)
"""Knowledge and outbox are worth a look from then on."""


def facts(staff: StaffView, link: Link, language: Language) -> tuple[Fact, ...]:
    """Connection, outbox, knowledge, clock, what no screen showed, and what protects the files."""
    return (
        _connection(staff, link, language),
        _outbox(staff, language),
        _knowledge(staff, language),
        _clock(staff, language),
        *_unshown(staff, language),
        *_machine(staff, language),
    )


def device_lines(devices: tuple[DeviceStatus, ...], language: Language) -> tuple[DeviceLine, ...]:
    """Each device: its state, and in plain words what to do."""
    return tuple(_device(status, language) for status in devices)


def say_heard(heard: Heard, language: Language) -> str:
    """That a reader or scanner works, without what it read."""
    if heard.trouble is not None:
        return say("staff.heard_trouble", language, device=heard.device, why=say_reason(heard.trouble, language))
    if heard.card is not None:
        return say(
            "staff.heard_card",
            language,
            device=heard.device,
            technology=heard.card.technology.value,
            length=heard.card.uid_length,
        )
    symbology = heard.symbology or say("staff.symbology_unknown", language)
    return say("staff.heard_code", language, device=heard.device, count=heard.characters, symbology=symbology)


def say_span(span: timedelta, language: Language) -> str:
    """About how long, in the largest unit that fits twice: 3 minutes, 26 hours, 2 days."""
    minutes = span // timedelta(minutes=1)
    if minutes < 1:
        return say("staff.span_none", language)
    if minutes < 120:
        return say("staff.span_minutes_one" if minutes == 1 else "staff.span_minutes", language, count=minutes)
    if minutes < 48 * 60:
        return say("staff.span_hours", language, count=minutes // 60)
    return say("staff.span_days", language, count=minutes // (24 * 60))


def say_minute(moment: datetime) -> str:
    """Date and time at the library."""
    return f"{moment.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}"


def _connection(staff: StaffView, link: Link, language: Language) -> Fact:
    label = say("staff.link", language)
    match link:
        case Link.ONLINE:
            return Fact(label, say("staff.link_online", language), Mark.WELL)
        case Link.STARTING:
            return Fact(label, say("central.starting", language), Mark.WATCH)
        case Link.OFFLINE:
            why = say("staff.link_offline", language)
            if staff.away is not None:
                why = say("staff.link_offline_why", language, why=say(f"central.{staff.away}", language))
            return Fact(label, why, Mark.WATCH)


def _outbox(staff: StaffView, language: Language) -> Fact:
    label = say("staff.outbox", language)
    if staff.waiting == 0:
        return Fact(label, say("staff.outbox_empty", language), Mark.WELL)
    waits = staff.waits_for or timedelta()
    said = say(
        "staff.outbox_one" if staff.waiting == 1 else "staff.outbox_waits",
        language,
        count=staff.waiting,
        span=say_span(waits, language),
    )
    return Fact(label, said, Mark.STOP if waits >= OLD else Mark.WATCH)


def _knowledge(staff: StaffView, language: Language) -> Fact:
    label = say("staff.knowledge", language)
    if staff.knowledge_age is None:
        return Fact(label, say("staff.knowledge_none", language), Mark.STOP)
    span = say_span(staff.knowledge_age, language)
    if staff.too_old:
        return Fact(label, say("staff.knowledge_too_old", language, span=span), Mark.STOP)
    mark = Mark.WELL if staff.knowledge_age < OLD else Mark.WATCH
    return Fact(label, say("staff.knowledge_age", language, span=span), mark)


def _clock(staff: StaffView, language: Language) -> Fact:
    label = say("staff.clock", language)
    if staff.clock is not None:
        sentence = "staff.clock_behind" if staff.clock_behind else "staff.clock_asked"
        return Fact(label, say(sentence, language, time=say_minute(staff.clock)), Mark.STOP)
    if staff.clock_offset is None:
        return Fact(label, say("staff.clock_unheard", language), Mark.WATCH)
    seconds = round(staff.clock_offset.total_seconds())
    return Fact(
        label,
        say("staff.clock_offset", language, seconds=abs(seconds)),
        Mark.WELL if abs(seconds) < 60 else Mark.WATCH,
    )


def _unshown(staff: StaffView, language: Language) -> tuple[Fact, ...]:
    """Staff find the book or its reader, who does not know of it."""
    return tuple(
        Fact(
            say("staff.unshown", language),
            say(f"staff.unshown_{one.deed}", language, title=one.title, item=one.item, time=say_minute(one.at)),
            Mark.WATCH,
        )
        for one in staff.unshown
    )


def _machine(staff: StaffView, language: Language) -> tuple[Fact, ...]:
    machine = staff.machine
    if machine is None:
        return ()
    return (
        _secret("staff.key", machine.key_sealed, language),
        _secret("staff.identity", machine.identity_sealed, language),
        Fact(say("staff.machine", language), f"{machine.kiosk}　Shelfpoint {machine.program}", Mark.WELL),
    )


def _secret(label: str, sealed: bool, language: Language) -> Fact:
    said = say("staff.key_sealed" if sealed else "staff.key_file", language)
    return Fact(say(label, language), said, Mark.WELL if sealed else Mark.WATCH)


def _device(status: DeviceStatus, language: Language) -> DeviceLine:
    name = say("staff.device", language, kind=say(f"device_kind.{status.kind}", language), name=status.device)
    said = say(f"device_state.{status.state}", language)
    if status.reason is not None:
        said = say(f"device.{status.reason}", language)
    marks = {DeviceState.READY: Mark.WELL if status.reason is None else Mark.WATCH}
    return DeviceLine(name, said, status.detail, marks.get(status.state, Mark.STOP))
