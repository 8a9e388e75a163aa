"""The sample library: two branches, 300 patrons with every kind of card, 2,000 items, loans and holds; always the same.

Everything comes from one seed and the day it is loaded: expiry, suspension and loans are counted from that day, so the
scripted stories work on any date. `demo_cast` names the cards and books that those stories use, without a database.
Cards: EasyCard and iPASS are 4-byte UIDs, chip cards 7-byte UIDs, spelled in hex, upper case, on-air order; patron
barcodes are P and 7 digits, mobile cards M and 10 digits, items C and 7 digits.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from kiosk.domain.calendar import due_at, library_day
from kiosk.domain.holds import pick_up_until
from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Deed, Mode, Word
from kiosk.domain.lending import ItemState, Standing
from kiosk.domain.opening import CLOSED
from kiosk.domain.staff import Grant, Role, branch_scope
from kiosk.domain.values import IncarnationId, KioskId
from sync.central.demo_books import make_book
from sync.central.office import Central
from sync.central.policies import preset, preset_words
from sync.central.registry import Patron
from sync.central.staff import BadLogin
from sync.wire import CalendarEntry, ItemEntry, LibraryEntry, WireWord

SEED = 20261121
PATRONS = 300
ITEMS = 2000
MAIN = "main"
EAST = "east"
LIBRARY = "demo"
BRANCH_NAMES = {MAIN: "總館", EAST: "東區分館"}

_HOLIDAYS = (
    "2026-01-01 2026-02-16 2026-02-17 2026-02-18 2026-02-19 2026-02-20 2026-02-28 2026-04-04 2026-04-05 2026-06-19 "
    "2026-09-25 2026-10-10 2027-01-01 2027-02-05 2027-02-06 2027-02-07 2027-02-08 2027-02-09 2027-02-28 2027-04-04 "
    "2027-04-05 2027-06-09 2027-09-15 2027-10-10"
)
_SURNAMES = "王林陳張李黃吳劉蔡楊許鄭謝郭洪曾邱廖賴周徐蘇葉莊呂江何蕭羅高"
_FAKE_GIVEN = ("示範", "範例", "樣本", "測試", "假名", "虛構", "展示", "試讀")
_RARE_NAMES = ("游範堃", "吳喆例", "陳峯樣", "林珉測", "許綉假", "鄭煊虛", "張𣳝示")


@dataclass(frozen=True, slots=True, kw_only=True)
class CastMember:
    """A patron of the scripted stories and one of the cards."""

    membership: str
    """Opaque id."""
    name: str
    """Full name, as only central knows it."""
    kind: CardKind
    """Of the card."""
    number: str
    """As the library spells it; for a chip or EasyCard the UID in hex."""

    @property
    def uid(self) -> bytes:
        """Raw, in on-air order; only for a card with a chip."""
        return bytes.fromhex(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCast:
    """Who and what the scripted stories use. Books are at the main branch."""

    easycard: CastMember
    """In good standing, has one open loan."""
    ipass: CastMember
    """In good standing, no loans."""
    chip: CastMember
    """In good standing, no loans; a 7-byte UID."""
    barcode: CastMember
    """In good standing, no loans; `reserved` is ready to be picked up."""
    mobile: CastMember
    """In good standing, no loans; waits for `overdue_book` as the second."""
    suspended: CastMember
    """EasyCard; suspended for ten more days."""
    expired: CastMember
    """EasyCard; expired last month."""
    overdue: CastMember
    """EasyCard; one loan overdue."""
    pending: CastMember
    """Barcode; has not shown a document yet."""
    unknown_uid: bytes
    """A good EasyCard that opens nothing."""
    lendable: tuple[str, ...]
    """Free books, one of them with a rare character in its title."""
    on_loan: str
    """Held by `easycard`; to be returned or renewed."""
    overdue_book: str
    """Held by `overdue`."""
    desk_only: str
    """Lent by staff only."""
    reserved: str
    """On the ready shelf for `barcode`."""
    missing: str
    """Recorded as missing."""
    staff_login: str
    """Circulation desk of the main branch."""
    staff_password: str
    """Known to everybody: the sample library is for trying out."""


def demo_cast() -> DemoCast:
    """The same names for every run."""

    def member(place: int, kind: CardKind) -> CastMember:
        return CastMember(membership=_membership_id(place), name=_name(place), kind=kind, number=_cards(place)[kind])

    return DemoCast(
        easycard=member(0, CardKind.EASYCARD),
        ipass=member(1, CardKind.IPASS),
        chip=member(2, CardKind.CHIP),
        barcode=member(3, CardKind.BARCODE),
        mobile=member(4, CardKind.MOBILE),
        suspended=member(5, CardKind.EASYCARD),
        expired=member(6, CardKind.EASYCARD),
        overdue=member(7, CardKind.EASYCARD),
        pending=member(8, CardKind.BARCODE),
        unknown_uid=bytes.fromhex("5C0FFEE5"),
        lendable=tuple(_item_id(number) for number in (97, 1, 2, 3, 4, 5, 6, 8, 9, 10)),
        on_loan=_item_id(20),
        overdue_book=_item_id(21),
        desk_only=_item_id(22),
        reserved=_item_id(23),
        missing=_item_id(24),
        staff_login="desk",
        staff_password="books and tea",
    )


def demo_books() -> dict[str, str]:
    """Barcode number → title of every sample item."""
    return {entry.id: entry.title for entry in _items()}


def lendable_books() -> list[str]:
    """Barcode numbers of plain books that nobody in the stories uses."""
    return [entry.id for entry in _items()[200:] if entry.item_type == "book" and not entry.desk_only]


def load_demo(central: Central) -> None:
    """Fills an empty central; about a second. Loading again sets the same records anew and doubles no loan."""
    now = central.clock()
    today = library_day(now)
    with central.registry.change("demo") as change:
        change.library(LibraryEntry(code=LIBRARY, name="示範市立圖書館"))
        for branch, name in BRANCH_NAMES.items():
            change.branch(_calendar(branch, name))
        for word in preset_words(preset("city")):
            change.term(word)
        change.policy(preset("city"))
        change.patrons([_patron(place, today) for place in range(PATRONS)])
        change.items(_items())
        change.audit("sample library loaded", MAIN)
    cast = demo_cast()
    desk = [Grant(Role.CIRCULATION, branch_scope(MAIN))]
    with suppress(BadLogin):  # loaded before
        central.staff.add(cast.staff_login, cast.staff_password, desk, who="demo")
    central.inbox.judge(KioskId("demo-desk"), IncarnationId("demo"), [*_loans(now), *_holds(now)])


def _calendar(branch: str, name: str) -> CalendarEntry:
    return CalendarEntry(
        branch=branch,
        name=name,
        library=LIBRARY,
        hours=[CLOSED, *["08:30-21:00"] * 4, *["08:30-17:30"] * 2],
        closed_weekdays=[0],
        closed_days=[date.fromisoformat(day) for day in _HOLIDAYS.split()],
    )


def _membership_id(place: int) -> str:
    return f"m-{Random(SEED * 1000 + place).getrandbits(48):012x}"


def _name(place: int) -> str:
    """Obviously invented; every fortieth carries a rare character."""
    if place % 40 == 39:
        return _RARE_NAMES[place // 40 % len(_RARE_NAMES)]
    return _SURNAMES[place % len(_SURNAMES)] + _FAKE_GIVEN[place // len(_SURNAMES) % len(_FAKE_GIVEN)]


def _cards(place: int) -> dict[CardKind, str]:
    """Every patron has a barcode; the others by turns, so that each kind is common and some have all five."""
    random = Random(SEED + place)
    low = f"{place:04X}"
    easycard, ipass = (f"{first}{random.getrandbits(8):02X}{low}" for first in ("1A", "2B"))
    cards = {
        CardKind.BARCODE: f"P{1000000 + place}",
        CardKind.EASYCARD: easycard,
        CardKind.IPASS: ipass,
        CardKind.CHIP: f"04{random.getrandbits(32):08X}{low}",
        CardKind.MOBILE: f"M{9000000000 + place * 7919}",
    }
    if place < 10 or place % 10 == 0:
        return cards
    dropped = (CardKind.EASYCARD, CardKind.IPASS, CardKind.CHIP, CardKind.MOBILE)
    keep = {CardKind.BARCODE, dropped[place % 4], dropped[(place // 4) % 4]}
    return {kind: number for kind, number in cards.items() if kind in keep}


def _patron(place: int, today: date) -> Patron:
    standing, expires, suspended, owed = Standing.ACTIVE, today + timedelta(days=365 + place), None, 0
    match place:
        case 5:
            suspended = today + timedelta(days=9)
        case 6:
            expires = today - timedelta(days=30)
        case 8:
            standing = Standing.PENDING
        case _ if place >= 10:
            if place % 29 == 0:
                suspended = today + timedelta(days=place % 20)
            elif place % 31 == 0:
                expires = today - timedelta(days=place)
            elif place % 37 == 0:
                standing = Standing.PENDING
            elif place % 41 == 0:
                standing = Standing.BLOCKED
            elif place % 43 == 0:
                owed = 150
    category = "child" if place >= 10 and place % 5 == 0 else "family" if place >= 10 and place % 11 == 0 else "adult"
    return Patron(
        id=_membership_id(place),
        name=_name(place),
        category=category,
        standing=standing,
        expires_on=expires,
        suspended_until=suspended,
        owed=owed,
        cards=_cards(place),
    )


def _item_id(number: int) -> str:
    return f"C{number:07d}"


def _items() -> list[ItemEntry]:
    cast = demo_cast()
    random = Random(SEED)
    entries = []
    for number in range(1, ITEMS + 1):
        title, author = make_book(random, number)
        id_ = _item_id(number)
        item_type = "book"
        if number > 100:
            item_type = ("magazine" if number % 19 == 0 else "audiovisual" if number % 23 == 0 else
                         "reference" if number % 61 == 0 else "book")  # fmt: skip
        entries.append(
            ItemEntry(
                id=id_,
                title=title,
                author=author,
                item_type=item_type,
                branch=MAIN if number <= 100 or number % 3 else EAST,
                state=ItemState.MISSING if id_ == cast.missing else ItemState.IN_SERVICE,
                desk_only=id_ == cast.desk_only or (number > 100 and number % 71 == 0),
                desensitise=number > 100 and number % 2 == 0,
            )
        )
    return entries


def _loans(now: datetime) -> Iterator[WireWord]:
    """Facts of the desk: two for the cast, and thirty of others, five of them overdue."""
    calendar = _calendar(MAIN, "").calendar()
    who = [(0, 20, 10), (7, 21, 45)]
    today = library_day(now)
    patrons = [(place, _patron(place, today)) for place in range(110, 160)]
    plain = [
        place
        for place, patron in patrons
        if patron.standing is Standing.ACTIVE
        and patron.suspended_until is None
        and patron.expires_on
        and not patron.owed
        and patron.expires_on > today
    ]
    who += [(place, 200 + place, 50 if place % 6 == 0 else place % 25) for place in plain[:30]]
    for sequence, (place, book, days_ago) in enumerate(who, start=1):
        lent_at = (now - timedelta(days=days_ago)).replace(microsecond=0)
        yield WireWord(
            sequence=sequence,
            word=Word.FACT,
            act=f"demo-{sequence:04d}",
            deed=Deed.CHECKOUT,
            membership=_membership_id(place),
            item=_item_id(book),
            branch=MAIN,
            happened_at=lent_at,
            mode=Mode.ONLINE,
            due_at=due_at(lent_at, 28, calendar),
        )


def _holds(now: datetime) -> Iterator[WireWord]:
    """What the desk told of holds: one is ready, and two patrons wait for the book that is overdue."""
    cast = demo_cast()
    rules, calendar = preset("city").policy(), _calendar(MAIN, "").calendar()
    back = (now - timedelta(days=1)).replace(microsecond=0)

    def placed(number: int, membership: str, book: str) -> WireWord:
        return WireWord(
            sequence=900 + number,
            word=Word.FACT,
            act=f"demo-hold-{number}",
            deed=Deed.PLACE_HOLD,
            membership=membership,
            item=book,
            branch=MAIN,
            happened_at=back - timedelta(days=9 - number),
            mode=Mode.ONLINE,
        )

    yield placed(1, cast.barcode.membership, cast.reserved)
    yield placed(2, _membership_id(12), cast.overdue_book)
    yield placed(3, cast.mobile.membership, cast.overdue_book)
    yield WireWord(
        sequence=910,
        word=Word.FACT,
        act="demo-set-aside",
        deed=Deed.RETURN,
        item=cast.reserved,
        branch=MAIN,
        happened_at=back,
        mode=Mode.OFFLINE,
        hold="demo-hold-1",
        due_at=pick_up_until(back, rules, calendar),
    )
