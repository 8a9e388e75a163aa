"""Prints one of every document on the virtual press, for docs/pictures/slips.

    .venv/bin/python scripts/slip_pictures.py [FOLDER]

The same bytes as go to a real printer, on paper of 80 mm with Big5 letters; the virtual card also on 58 mm and on A4.
Facts and names are made up. Needs the project's fonts (scripts/setup.sh); replaces the pictures that are there.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from PIL import Image

from drivers.escpos import build
from drivers.pdf import pages
from drivers.printer_profiles import DEFAULT_PROFILE, PROFILES, Profile
from drivers.virtual.press import PaperSlip, Press, command_length
from kiosk.slip import Entry, Served, Slip, SlipKind, book_slip, card_slip, test_page, voucher_slip
from kiosk.words import Language

FOLDER = Path("docs/pictures/slips")
LIBRARY, BRANCH = "青田市立圖書館", "總館"
NOW = datetime(2026, 11, 21, 2, 5, tzinfo=UTC)
DUE = NOW + timedelta(days=30)
CARD = "NTUST-1-20261121100500"
SIGNED = "SPC1.NTUST-1-20261121100500.20261124." + "k7Qz3nVb1cXe9Rw0Yt5U" * 4 + "hJ8sDf"
"""As long as a real one: number, last day, and 86 characters of signature."""
SCHOOLS = (
    Served(name="國立臺灣科技大學圖書館", closed_on=(date(2026, 11, 23),)),
    Served(name="國立臺北科技大學圖書館"),
    Served(name="國立雲林科技大學圖書館", closed_on=(date(2026, 11, 25), date(2026, 11, 22))),
)
RULES = (
    "憑證最多借 5 冊，每冊 21 天，不能續借、預約。",
    "請本人持證件到各館服務台借書；自助借書機、還書箱都不收。",
    "哪一館借的書，請還到哪一館的服務台。還錯地方的費用由讀者負擔。",
)


def books(
    *, language: Language = Language.ZH_TW, provisional: bool = False, returned: bool = False
) -> tuple[Entry, ...]:
    """Three books: a long title, one with characters that Big5 lacks, and a short one."""
    titles = (
        "大英博物館藏中國古代書畫精粹：Masterpieces of Chinese Painting、第二版（增訂本）",
        "陶堃與喆的旅行",
        "種樹的男人",
    )
    note = (
        "這本書有人預約，請放在右邊的預約書架。"
        if language is Language.ZH_TW
        else "This book is reserved: right-hand shelf, please."
    )
    return tuple(
        Entry(
            title=title,
            item=f"C{number:07}",
            due_at=None if returned else DUE + timedelta(days=number),
            provisional=provisional and number != 2,
            note=note if returned and number == 2 else "",
        )
        for number, title in enumerate(titles, 1)
    )


def book(
    kind: SlipKind, entries: tuple[Entry, ...], *, reprint: bool = False, language: Language = Language.ZH_TW
) -> Slip:
    """A slip of books, for 王○."""
    return book_slip(
        kind,
        entries=entries,
        language=language,
        library_name=LIBRARY,
        branch_name=BRANCH,
        name="" if kind is SlipKind.RETURN else "王○",
        now=NOW,
        reprint=reprint,
    )


def card(now: datetime, *, reprint: bool = False, language: Language = Language.ZH_TW) -> Slip:
    """A virtual card that lends until 24 November."""
    return card_slip(
        number=CARD,
        signed=SIGNED,
        name="王○",
        home_school="國立臺灣科技大學",
        served=SCHOOLS,
        shown=(now.date(), now.date() + timedelta(days=7)),
        last_day=date(2026, 11, 24),
        rules=RULES,
        language=language,
        consortium="技專校院圖書館聯盟",
        now=now,
        reprint=reprint,
    )


def voucher(language: Language = Language.ZH_TW) -> Slip:
    """A voucher that lives five minutes."""
    return voucher_slip(
        prize="帆布書袋（青田綠）",
        points=30,
        branch_name=BRANCH,
        code="V261121100500739",
        valid_until=NOW + timedelta(minutes=5),
        language=language,
        library_name=LIBRARY,
        now=NOW,
    )


def documents() -> Mapping[str, Slip]:
    """Every document by the name of its picture."""
    return {
        "loan": book(SlipKind.LOAN, books()),
        "loan-offline": book(SlipKind.LOAN, books(provisional=True)),
        "loan-reprint": book(SlipKind.LOAN, books(), reprint=True),
        "loan-english": book(SlipKind.LOAN, books(language=Language.EN), language=Language.EN),
        "return": book(SlipKind.RETURN, books(returned=True)),
        "account": book(SlipKind.ACCOUNT, books()),
        "card": card(NOW),
        "card-returns-only": card(NOW + timedelta(days=5), reprint=True),
        "card-english": card(NOW, language=Language.EN),
        "voucher": voucher(),
        "voucher-english": voucher(Language.EN),
        "test": test_page(
            language=Language.ZH_TW,
            library_name=LIBRARY,
            printer=DEFAULT_PROFILE.machine("printer"),
            now=NOW,
        ),
    }


def printed(slip: Slip, profile: Profile = DEFAULT_PROFILE) -> PaperSlip:
    """What falls from a printer that gets this slip."""
    press, data = Press(profile), build(slip, profile).data
    while data:
        length = command_length(data[:300], press.chinese)
        press.obey(data[:length])
        data = data[length:]
    if press.begun:
        press.cut()
    return press.finished[0]


def pictures() -> Mapping[str, Image.Image]:
    """Every picture by its name."""
    sheet = pages(card(NOW))[0].convert("L")
    return {
        **{name: printed(slip).framed() for name, slip in documents().items()},
        "card-58mm": printed(card(NOW), PROFILES["generic-58-big5"]).framed(),
        "card-a4": sheet.resize((sheet.width // 3, sheet.height // 3), Image.Resampling.LANCZOS),
    }


def main(folder: Path) -> None:
    """Writes all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures().items():
        file = folder / f"{name}.png"
        picture.quantize(16).save(file, optimize=True)
        print(f"{file}  {picture.width} x {picture.height}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
