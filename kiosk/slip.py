"""What a slip says, not how it is printed (B5, E5, F4): blocks from top to bottom, made from facts and words.

Drivers turn a `Slip` into ESC/POS bytes, the screen into a picture or a QR. Names are masked before they come here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kiosk.domain.values import LIBRARY_TIME
from kiosk.words import Language, say, say_date


class SlipKind(StrEnum):
    """Which document it is."""

    LOAN = "loan"
    RETURN = "return"
    ACCOUNT = "account"
    CARD = "card"
    VOUCHER = "voucher"
    TEST = "test"


class Weight(StrEnum):
    """How loud a line is."""

    TITLE = "title"
    """Twice as large, centred."""
    STRONG = "strong"
    """Bold."""
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, wrapped by display cells where it is too long."""

    text: str
    """What it says."""
    weight: Weight = Weight.PLAIN
    """How loud."""
    centred: bool = False
    """In the middle of the paper."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A label at the left and its value at the right."""

    label: str
    """For example 應還日期."""
    value: str
    """For example 2026-12-21."""
    weight: Weight = Weight.PLAIN
    """How loud."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True, slots=True)
class Barcode:
    """A Code 128 barcode with its text below."""

    data: str
    """ASCII only."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code, centred."""

    data: str
    """Any text."""


Block = Line | Pair | Rule | Barcode | QrCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One document."""

    kind: SlipKind
    """Which."""
    language: Language
    """Of its sentences."""
    blocks: tuple[Block, ...]
    """Top to bottom."""

    def plain_text(self) -> str:
        """The slip as lines of text: for the QR on the screen and for tests."""
        lines = []
        for block in self.blocks:
            match block:
                case Line(text=text):
                    lines.append(text)
                case Pair(label=label, value=value):
                    lines.append(f"{label} {value}")
                case Rule():
                    lines.append("-" * 8)
                case Barcode(data=data) | QrCode(data=data):
                    lines.append(data)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One book on a slip."""

    title: str
    """As shown."""
    item: str
    """Barcode number."""
    due_at: datetime | None = None
    """Due date, on loan and account slips."""
    provisional: bool = False
    """Not yet confirmed by central."""
    note: str = ""
    """A sentence about this book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One hold on an account slip."""

    title: str
    """As shown."""
    note: str
    """Ready until when and where, or the place in the queue."""


_TITLES = {
    SlipKind.LOAN: "slip.loan_title",
    SlipKind.RETURN: "slip.return_title",
    SlipKind.ACCOUNT: "slip.account_title",
}


def book_slip(
    kind: SlipKind,
    *,
    entries: Sequence[Entry],
    language: Language,
    library_name: str,
    branch_name: str,
    name: str,
    now: datetime,
    reprint: bool = False,
    holds: Sequence[Wish] = (),
) -> Slip:
    """A loan, return or account slip; on the last with `holds`. `name` is masked already, or empty where nobody was identified."""
    blocks: list[Block] = [
        Line(library_name, Weight.STRONG, centred=True),
        Line(say(_TITLES[kind], language), Weight.TITLE, centred=True),
    ]
    if reprint:
        blocks.append(Line(say("slip.reprint", language), Weight.STRONG, centred=True))
    blocks += [
        Rule(),
        Pair(say("slip.branch", language), branch_name),
        Pair(say("slip.time", language), f"{now.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}"),
    ]
    if name:
        blocks.append(Pair(say("slip.name", language), name))
    blocks.append(Rule())
    for number, entry in enumerate(entries, 1):
        blocks.append(Line(f"{number}. {entry.title}", Weight.STRONG))
        if entry.due_at is None:
            blocks.append(Line(_marked(entry, language)))
        else:
            blocks.append(
                Pair(_marked(entry, language), f"{say('slip.due', language)} {say_date(entry.due_at, language)}")
            )
        if entry.note:
            blocks.append(Line(entry.note))
    blocks += [Rule(), Pair(say("slip.count", language), str(len(entries)))]
    if holds:
        blocks += [Rule(), Line(say("slip.holds", language), Weight.STRONG)]
        for wish in holds:
            blocks += [Line(wish.title, Weight.STRONG), Line(wish.note)]
        blocks.append(Rule())
    if any(entry.provisional for entry in entries):
        blocks.append(Line(say("slip.provisional", language), Weight.STRONG))
    blocks.append(Line(say("slip.thanks", language), centred=True))
    return Slip(kind=kind, language=language, blocks=tuple(blocks))


def _marked(entry: Entry, language: Language) -> str:
    """Its number, with the sign that the sentence at the slip's end explains."""
    return f"{entry.item} {say('slip.provisional_mark', language)}" if entry.provisional else entry.item


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A school where a virtual card may be used."""

    name: str
    """As its readers call it."""
    closed_on: tuple[date, ...] = ()
    """Its closed days among those that the card shows."""


def card_slip(
    *,
    number: str,
    signed: str,
    name: str,
    home_school: str,
    served: Sequence[Served],
    shown: tuple[date, date],
    last_day: date,
    rules: Sequence[str],
    language: Language,
    consortium: str,
    now: datetime,
    reprint: bool = False,
) -> Slip:
    """A virtual inter-library card (E5). `name` is masked already, `signed` is what its QR code says, `shown` are the
    first and the last day for which closures are told. After `last_day` it says that it serves for returning only.
    """
    over = now.astimezone(LIBRARY_TIME).date() > last_day
    blocks: list[Block] = [
        Line(consortium, Weight.STRONG, centred=True),
        Line(say("slip.card_title", language), Weight.TITLE, centred=True),
    ]
    if reprint:
        blocks.append(Line(say("slip.reprint", language), Weight.STRONG, centred=True))
    if over:
        blocks.append(Line(say("slip.card_returns_only", language), Weight.TITLE, centred=True))
    blocks += [
        Barcode(number),
        QrCode(signed),
        Rule(),
        Pair(say("slip.card_number", language), number),
        Pair(say("slip.name", language), name),
        Pair(say("slip.card_home", language), home_school),
        Pair(say("slip.card_last_day", language), _day_said(last_day, language), Weight.STRONG),
        Line(say("slip.card_over" if over else "slip.card_lends", language)),
        Rule(),
        Line(say("slip.card_served", language), Weight.STRONG),
    ]
    blocks += [Pair(school.name, _closures(school, shown, language)) for school in served]
    blocks += [Rule(), Line(say("slip.card_rules", language), Weight.STRONG)]
    blocks += [Line(f"{place}. {rule}") for place, rule in enumerate(rules, 1)]
    blocks += [Rule(), Pair(say("slip.time", language), f"{now.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}")]
    return Slip(kind=SlipKind.CARD, language=language, blocks=tuple(blocks))


def _closures(school: Served, shown: tuple[date, date], language: Language) -> str:
    if school.closed_on:
        days = say("slip.between_days", language).join(f"{day.month}/{day.day}" for day in sorted(school.closed_on))
        return say("slip.card_closed", language, days=days)
    first, last = (f"{day.month}/{day.day}" for day in shown)
    return say("slip.card_open", language, first=first, last=last)


def _day_said(day: date, language: Language) -> str:
    return say_date(datetime(day.year, day.month, day.day, tzinfo=LIBRARY_TIME), language)


def voucher_slip(
    *,
    prize: str,
    points: int,
    branch_name: str,
    code: str,
    valid_until: datetime,
    language: Language,
    library_name: str,
    now: datetime,
) -> Slip:
    """A voucher for a prize (F4): staff at that branch scan `code` until it ends; it reserves nothing and names nobody."""
    ends = valid_until.astimezone(LIBRARY_TIME)
    return Slip(
        kind=SlipKind.VOUCHER,
        language=language,
        blocks=(
            Line(library_name, Weight.STRONG, centred=True),
            Line(say("slip.voucher_title", language), Weight.TITLE, centred=True),
            Rule(),
            Line(prize, Weight.STRONG, centred=True),
            Pair(say("slip.voucher_points", language), str(points)),
            Pair(say("slip.voucher_branch", language), branch_name),
            Pair(say("slip.voucher_ends", language), f"{ends:%Y-%m-%d %H:%M:%S}", Weight.STRONG),
            Barcode(code),
            Rule(),
            Line(say("slip.voucher_how", language)),
            Pair(say("slip.time", language), f"{now.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M:%S}"),
        ),
    )


def status_slip(
    *,
    facts: Iterable[tuple[str, str]],
    devices: Iterable[tuple[str, str]],
    language: Language,
    library_name: str,
    branch_name: str,
    now: datetime,
) -> Slip:
    """How the kiosk stands, on paper: a record for whoever comes to mend it, and a test of the printer."""
    return Slip(
        kind=SlipKind.TEST,
        language=language,
        blocks=(
            Line(library_name, Weight.STRONG, centred=True),
            Line(say("slip.status_title", language), Weight.TITLE, centred=True),
            Rule(),
            Pair(say("slip.branch", language), branch_name),
            Pair(say("slip.time", language), f"{now.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}"),
            *(Pair(label, said) for label, said in facts),
            Rule(),
            *(block for name, said in devices for block in (Line(name, Weight.STRONG), Line(said))),
            Rule(),
        ),
    )


TEST_LETTERS = "圖書館借閱證　許功蓋　應還日期（一）"
"""Common characters, among them those whose second byte in Big5 is a backslash."""
TEST_RARE = "堃喆峯珉綉煊瑠瀞彣"
"""In many names, and not in Big5: a printer without them gets them as dots."""
TEST_CODE = "C0000123"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperMachine:
    """What a printer is taken for, as its test page says it."""

    name: str
    """Its own, and that of its kind."""
    columns: int
    """Latin letters in a line."""
    width_dots: int | None = None
    """Printable dots in a line; None: pages are drawn for it, and nothing else of this is asked."""
    chinese: str | None = None
    """The code in which it gets Chinese characters; None: they are drawn."""
    cutter: bool = False
    """It is told to cut."""
    confirms: str | None = None
    """The command by which it says that it has printed; None: it does not."""


def _facts(printer: PaperMachine, language: Language) -> tuple[Block, ...]:
    """What this very page shows to be so, or not."""
    if printer.width_dots is None:
        return ()
    none = say("slip.test_none", language)
    return (
        Pair(say("slip.test_dots", language), str(printer.width_dots)),
        Pair(say("slip.test_chinese", language), printer.chinese or say("slip.test_drawn", language)),
        Pair(say("slip.test_cutter", language), say("slip.test_there", language) if printer.cutter else none),
        Pair(say("slip.test_confirms", language), printer.confirms or none),
    )


def test_page(*, language: Language, library_name: str, printer: PaperMachine, now: datetime) -> Slip:
    """What staff compare with the paper: what the printer is taken for, width, characters, bold, barcode and QR code."""
    ruler = "".join(str(place % 10) for place in range(1, printer.columns + 1))
    return Slip(
        kind=SlipKind.TEST,
        language=language,
        blocks=(
            Line(library_name, Weight.STRONG, centred=True),
            Line(say("slip.test_title", language), Weight.TITLE, centred=True),
            Rule(),
            Pair(say("slip.time", language), f"{now.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}"),
            Line(printer.name),
            *_facts(printer, language),
            Pair(say("slip.test_width", language), str(printer.columns)),
            Line(ruler),
            Rule(),
            Line(say("slip.test_letters", language), Weight.STRONG),
            Line(TEST_LETTERS),
            Line(say("slip.test_rare", language), Weight.STRONG),
            Line(TEST_RARE),
            Barcode(TEST_CODE),
            QrCode(f"{library_name} {TEST_CODE}"),
            Rule(),
        ),
    )
