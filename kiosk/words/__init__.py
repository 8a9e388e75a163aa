"""Every sentence that slip, screen and central say, in both languages: `zh_TW.toml` and `en.toml`, flat tables.

A sentence may name places like {limit}; `say` fills them. A missing key or place is our own bug and raises KeyError
(one test holds both languages complete). Text written in QML stands in Qt Linguist instead.
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import resources

from kiosk.domain.values import LIBRARY_TIME, Detail, Reason, Refused


class Language(StrEnum):
    """The kiosk's languages."""

    ZH_TW = "zh_TW"
    EN = "en"

    @property
    def other(self) -> "Language":
        return Language.EN if self is Language.ZH_TW else Language.ZH_TW


@cache
def sentences(language: Language) -> Mapping[str, str]:
    """All sentences of one language, keys joined by dots (`reason.card_not_found`)."""
    file = resources.files(__name__).joinpath(f"{language}.toml")
    text = file.read_text(encoding="utf-8-sig")  # a translator's editor may write a byte order mark
    return {f"{table}.{key}": value for table, entries in tomllib.loads(text).items() for key, value in entries.items()}


def say(key: str, language: Language, **places: Detail) -> str:
    """The sentence under `key` with its places filled."""
    return sentences(language)[key].format_map(places)


def say_reason(reason: Reason, language: Language, details: Mapping[str, Detail] | None = None) -> str:
    """Why, in plain words, and what to do next."""
    return say(f"reason.{reason}", language, **(details or {}))


def say_refused(refused: Refused, language: Language) -> str:
    """The sentence of a refusal."""
    return say_reason(refused.reason, language, refused.details)


def say_date(moment: datetime, language: Language) -> str:
    """A date as people here read it: 2026-12-21（一） or Mon 21 Dec 2026."""
    local = moment.astimezone(LIBRARY_TIME)
    if language is Language.ZH_TW:
        return f"{local:%Y-%m-%d}（{'一二三四五六日'[local.weekday()]}）"
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return f"{days[local.weekday()]} {local.day} {months[local.month - 1]} {local.year}"


def say_case(reason: Reason, language: Language, details: Mapping[str, Detail]) -> str:
    """What happened, spoken to staff; a reason that no case has a sentence for is said as to the reader."""
    words = sentences(language)
    places = dict(details)
    if "reason" in places:
        places["reason"] = words.get(f"refusal.{places['reason']}", words["refusal.other"])
    if "kind" in places:
        places["kind"] = words.get(f"card_kind.{places['kind']}", str(places["kind"]))
    sentence = words.get(f"case.{reason}")
    return say_reason(reason, language, details) if sentence is None else sentence.format_map(places)
