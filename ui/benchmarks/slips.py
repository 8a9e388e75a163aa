"""Bytes of a Chinese slip and how long they take on a serial line: our text mode against one picture by python-escpos.

Seconds are bytes × 10 bits / baud (8N1): a serial line is no faster, and no printer's buffer makes it so. The picture
is drawn by the same typesetting, so both print the same; python-escpos sends it as raster (GS v 0).
"""

import contextlib
import sys
from datetime import UTC, datetime

from escpos.printer import Dummy
from PIL import Image

from drivers.escpos import build
from drivers.printer_profiles import DEFAULT_PROFILE as PROFILE
from drivers.typesetting import TextLine, draw, typeset
from kiosk.slip import Entry, Slip, SlipKind, book_slip
from kiosk.words import Language
from ui.benchmarks.measure import Figure, median, timed

BAUDS = (9600, 19200, 115200)
BITS_A_BYTE = 10
SHARE = 20
_TITLES = (
    "山城的圖書館員",
    "給孩子的海洋生物觀察筆記：從潮間帶到深海",
    "小鎮慢車：環島鐵道散步",
    "咖啡館裡的統計學",
    "臺灣野鳥手繪圖鑑",
)


def slip_seconds(runs: int) -> list[Figure]:
    """One figure for each speed: text mode, and the picture as its floor."""
    slip = _slip()
    ours = build(slip, PROFILE)
    building = median([timed(lambda: build(slip, PROFILE)) for _ in range(max(5, runs // 20))])
    picture = _picture_bytes(slip)
    figures = []
    for baud in BAUDS:
        text_ms, picture_ms = (size * BITS_A_BYTE / baud * 1000 for size in (len(ours.data), picture))
        figures.append(
            Figure(
                work=f"loan slip of {len(_TITLES)} books at {baud} baud",
                median_ms=text_ms,
                p99_ms=text_ms,
                runs=1,
                floor="the same as one picture by python-escpos",
                floor_ms=picture_ms,
                goal=f"≤ 1/{SHARE} of the floor",
                met=text_ms * SHARE <= picture_ms,
                note=f"{len(ours.data)} bytes against {picture}; {ours.raster_lines} lines as dots; "
                f"built in {building:.2f} ms; time of the line alone, 8N1",
            )
        )
    return figures


def _slip() -> Slip:
    now = datetime(2026, 12, 21, 2, 32, tzinfo=UTC)
    entries = [Entry(title=title, item=f"C{number:07}", due_at=now) for number, title in enumerate(_TITLES)]
    return book_slip(
        SlipKind.LOAN,
        entries=entries,
        language=Language.ZH_TW,
        library_name="示範市立圖書館",
        branch_name="總館",
        name="王○明",
        now=now,
    )


def _picture_bytes(slip: Slip) -> int:
    """Size of the whole slip as one raster picture."""
    strips = [
        draw(line, PROFILE.width_dots, PROFILE.line_dots, PROFILE.font_dots)
        if isinstance(line, TextLine)
        else Image.new("1", (PROFILE.width_dots, PROFILE.line_dots), 1)
        for line in typeset(slip, PROFILE.columns)
    ]
    paper = Image.new("1", (PROFILE.width_dots, sum(strip.height for strip in strips)), 1)
    y = 0
    for strip in strips:
        paper.paste(strip, (0, y))
        y += strip.height
    printer = Dummy()
    with contextlib.redirect_stdout(sys.stderr):  # it prints a remark, and stdout may be JSON
        printer.image(paper, impl="bitImageRaster")
    return len(printer.output)
