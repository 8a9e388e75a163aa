"""What stands in one cell of a file of records: numbers and ids, days, money; and what spreadsheets make of them.

Asked by `import_rows`. A number or id is taken as it stands or not at all: one that a spreadsheet has rounded or dressed up
would be another person's card. A day or an amount that can mean one thing only is read. Pure; no cell stops an import.
"""

import re
from datetime import date

DAY = "a day like 2027-12-31, 2027/12/31, 116/12/31 or 民國116年12月31日, or nothing"
MONEY = "whole NT$ like 1200 or 1,200"
_ROC = 1911
"""民國 1 is 1912."""
_FIRST_SURE_YEAR = 32
"""A number below it may be a day or a month: then a year must say that it is one."""
_DAY = re.compile(
    r"(?P<era>(?:中華)?民國|西元)?\s*(?P<year>\d{1,4})\s*(?P<mark>[年/.-])\s*(?P<month>\d{1,2})\s*[月/.-]\s*(?P<day>\d{1,2})\s*日?",
    re.ASCII,
)
_MONEY = re.compile(r"\d{1,8}|\d{1,3}(?:,\d{3}){1,2}", re.ASCII)
_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d*[eE][+-]?|[eE][+-])\d+", re.ASCII)
"""With a point or a sign: 12345E67 is a card."""
_DECIMAL = re.compile(r"\d+\.0+", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)
_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[:.-][0-9A-Fa-f]{2}){3,9}")


def wrong_number(text: str, *, uid: bool = False) -> str | None:
    """Why this is no number or id of a record: what is expected and what to do, without quoting it. None for one that is.

    `uid`: of a chip.
    """
    marked = uid and text[:2] in ("0x", "0X")
    if text.isascii() and text.isalnum() and not marked:
        return None  # nearly all
    if text.startswith("'"):
        return "the number itself: take the apostrophe away, which marks text in a spreadsheet"
    if text.startswith("="):
        return 'the number itself: ="…" is a formula of a spreadsheet; format the column as text and save it again'
    if _EXPONENT.fullmatch(text):
        return (
            "the whole number: a spreadsheet has rounded this one and its last digits are lost; format the column as text, "
            "fill it again from the source and save it again"
        )
    if _DECIMAL.fullmatch(text):
        return "the number without decimals: format the column as text and save it again"
    if _THOUSANDS.fullmatch(text):
        return "the number without commas: format the column as text and save it again"
    if any(char.isspace() for char in text):
        return "the number without spaces inside: take them away"
    if not text.isprintable():
        return "visible characters only: take away what stands in brackets here"
    if any("！" <= char <= "～" or (char.isdigit() and not char.isascii()) for char in text):
        return "half-width letters and digits: 3000 and not ３０００"
    if marked:
        return "the number without 0x in front"
    if uid and (":" in text or _PAIRS.fullmatch(text)):
        return "the number without marks between its bytes: 1A2B3C4D and not 1A:2B:3C:4D"
    return None


def day(text: str) -> date:
    """A day of our calendar or of 民國, in the order year, month, day. Raises ValueError where it might be read in two ways."""
    matched = _DAY.fullmatch(text)
    if matched is None:
        raise ValueError(text)
    year, month, of_month = (int(matched[part]) for part in ("year", "month", "day"))
    era = matched["era"]
    if era is None and year < _FIRST_SURE_YEAR and matched["mark"] != "年":
        raise ValueError(text)
    if era not in (None, "西元") or (era is None and year < 200):
        year += _ROC
    if not 1900 <= year <= 9998:
        raise ValueError(text)
    return date(year, month, of_month)


def money(text: str) -> int:
    """Whole NT$. Raises ValueError."""
    if _MONEY.fullmatch(text) is None:
        raise ValueError(text)
    return int(text.replace(",", ""))
