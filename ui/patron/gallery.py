"""Sample views of every screen, for pictures, for looking at the design, and for tests. All names are invented.

.venv/bin/python -m ui.patron.gallery out/screens [NAME ...]     saves pictures of all of them (or the named ones)
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kiosk.domain.identity import CardClass, Technology
from kiosk.domain.values import ActId, ItemId, Reason
from kiosk.ports import (
    CentralReason,
    DeviceKind,
    DeviceReason,
    DeviceState,
    DeviceStatus,
    Heard,
    Link,
    Machine,
    Message,
    Phase,
    Row,
    RowState,
    SlipState,
    StaffView,
    View,
)
from kiosk.words import Language

NOW = datetime(2026, 12, 21, 2, 32, tzinfo=UTC)
SIZES: Mapping[str, tuple[int, int]] = {"portrait": (1080, 1920), "landscape": (1920, 1080), "small": (1280, 800)}


def _row(
    number: int,
    title: str,
    state: RowState,
    days: int | None = None,
    *,
    reason: Reason | None = None,
    details: Mapping[str, str | int] | None = None,
    renew: bool = False,
) -> Row:
    due = None if days is None else datetime(2026, 12, 21, 15, 59, 59, tzinfo=UTC) + timedelta(days=days)
    return Row(
        item=ItemId(f"300{number:05d}"),
        title=title,
        state=state,
        due_at=due,
        days_left=days,
        reason=reason,
        details=details or {},
        can_renew=renew,
    )


SLIP_TEXT = """示範市立圖書館
借閱單
--------
館別 總館
時間 2026-12-21 10:32
讀者 王○明
--------
1. 山城的圖書館員
30000001 應還日期 2027-01-20（三）
2. 給孩子的海洋生物觀察筆記：從潮間帶到深海
30000002 應還日期 2027-01-20（三）
3. 堃爺爺的木工坊
30000003 應還日期 2027-01-20（三）
--------
冊數 3
謝謝您，歡迎再來"""

_PLAIN = View(
    phase=Phase.START,
    link=Link.ONLINE,
    now=NOW,
    card_reader_ready=True,
    scanner_ready=True,
    printer_ready=True,
)
_BASKET = (
    _row(3, "堃爺爺的木工坊", RowState.WORKING),
    _row(2, "給孩子的海洋生物觀察筆記：從潮間帶到深海", RowState.DONE, 30),
    _row(1, "山城的圖書館員", RowState.DONE, 30),
)
_LOANS = (
    _row(11, "咖啡館裡的統計學", RowState.OVERDUE, -3),
    _row(12, "臺灣野鳥手繪圖鑑", RowState.DONE, 0),
    _row(13, "小鎮慢車：環島鐵道散步", RowState.DONE, 1, renew=True),
    _row(14, "一個人的午後廚房", RowState.PROVISIONAL, 30),
    _row(15, "The Little Lighthouse and the Long Winter Night", RowState.DONE, 12, renew=True),
)
_HOLDS = (
    Row(
        item=ItemId("30000031"),
        title="星空下的慢遊：離島夜觀手冊",
        state=RowState.HOLD_READY,
        due_at=datetime(2026, 12, 28, 15, 59, 59, tzinfo=UTC),
        hold=ActId("h1"),
        branch="總館",
        can_cancel=True,
    ),
    *_LOANS[1:3],
    Row(
        item=ItemId("30000032"),
        title="阿嬤的廚房筆記",
        state=RowState.HOLD_COMING,
        hold=ActId("h2"),
        branch="總館",
        can_cancel=True,
    ),
    Row(
        item=ItemId("30000033"),
        title="圖解海洋一百問",
        state=RowState.HOLD_WAITING,
        hold=ActId("h3"),
        place=3,
        branch="東區分館",
        can_cancel=True,
        confirm=True,
    ),
)
_BORROW = replace(_PLAIN, phase=Phase.BORROW, name="王○明", quota_left=7)
_ACCOUNT = replace(_PLAIN, phase=Phase.ACCOUNT, name="王○明", rows=_LOANS, quota_left=5)
_DONE = replace(
    _PLAIN,
    phase=Phase.DONE,
    name="王○明",
    rows=(replace(_BASKET[0], state=RowState.DONE, due_at=_BASKET[1].due_at, days_left=30), *_BASKET[1:]),
    slip_text=SLIP_TEXT,
)
_OFFLINE_ROWS = (
    _row(5, "夜市裡的經濟學", RowState.PROVISIONAL, 30),
    _row(
        4,
        "這是一本書名特別長的書：從一座城市的誕生、成長與老去，看見我們與土地之間綿長的故事",
        RowState.PROVISIONAL,
        30,
    ),
    _row(6, "館藏地方志彙編（限館內閱讀）", RowState.REFUSED, reason=Reason.ITEM_NOT_FOR_LOAN),
)

_MACHINE = Machine(kiosk="main-1", program="0.3.0", key_sealed=False)
_WELL = StaffView(
    login="chen",
    machine=_MACHINE,
    devices=(
        DeviceStatus(device="front", kind=DeviceKind.CARD_READER, state=DeviceState.READY, detail="ACS ACR1252 00 00"),
        DeviceStatus(device="counter", kind=DeviceKind.SCANNER, state=DeviceState.READY, detail="/dev/ttyACM0"),
        DeviceStatus(device="slips", kind=DeviceKind.PRINTER, state=DeviceState.READY, detail="192.168.1.20:9100"),
    ),
    knowledge_age=timedelta(),
    clock_offset=timedelta(seconds=1),
    heard=Heard("front", card=CardClass(Technology.ISO14443A, 4)),
)
_ILL = replace(
    _WELL,
    devices=(
        DeviceStatus(
            device="slips",
            kind=DeviceKind.PRINTER,
            state=DeviceState.FAULT,
            reason=DeviceReason.PAPER_OUT,
            detail="192.168.1.20:9100",
        ),
        DeviceStatus(
            device="counter",
            kind=DeviceKind.SCANNER,
            state=DeviceState.ABSENT,
            reason=DeviceReason.NOT_PLUGGED,
            detail="/dev/serial/by-id/usb-Honeywell_Scanner_3320g_15200B1234-if00",
        ),
        DeviceStatus(device="eye", kind=DeviceKind.CAMERA, state=DeviceState.READY, detail="/dev/video0"),
        DeviceStatus(device="front", kind=DeviceKind.CARD_READER, state=DeviceState.READY, detail="ACS ACR1252 00 00"),
    ),
    away=CentralReason.NOT_CENTRAL,
    waiting=128,
    waits_for=timedelta(hours=30),
    knowledge_age=timedelta(days=9),
    too_old=True,
    clock_offset=None,
    clock=NOW,
    heard=Heard("front", trouble=Reason.CARD_TWO),
)

VIEWS: Mapping[str, View] = {
    "start": _PLAIN,
    "start_offline": replace(_PLAIN, link=Link.OFFLINE),
    "start_no_reader": replace(_PLAIN, card_reader_ready=False),
    "start_no_devices": replace(_PLAIN, card_reader_ready=False, scanner_ready=False, link=Link.STARTING),
    "start_filling": replace(
        _PLAIN, unready=Message(reason=Reason.REPLICA_FILLING, details={"percent": 61}), link=Link.ONLINE
    ),
    "start_card_left": replace(_PLAIN, message=Message(reason=Reason.CARD_LEFT_BEHIND, stop=False)),
    "identify": replace(_PLAIN, phase=Phase.IDENTIFY, next_task=Phase.BORROW),
    "identify_no_reader": replace(_PLAIN, phase=Phase.IDENTIFY, next_task=Phase.ACCOUNT, card_reader_ready=False),
    "identify_empty": replace(
        _PLAIN, phase=Phase.IDENTIFY, next_task=Phase.BORROW, unready=Message(reason=Reason.REPLICA_EMPTY)
    ),
    "identify_unknown": replace(
        _PLAIN, phase=Phase.IDENTIFY, next_task=Phase.BORROW, message=Message(reason=Reason.CARD_NOT_FOUND)
    ),
    "borrow_empty": _BORROW,
    "borrow": replace(_BORROW, rows=_BASKET, quota_left=5),
    "borrow_offline": replace(_BORROW, rows=_OFFLINE_ROWS, link=Link.OFFLINE, quota_left=1),
    "borrow_refused": replace(
        _BORROW,
        rows=_OFFLINE_ROWS[2:],
        message=Message(reason=Reason.ITEM_NOT_FOR_LOAN, title="館藏地方志彙編（限館內閱讀）"),
    ),
    "borrow_on_loan": replace(
        _BORROW,
        rows=(_row(7, "圖解海洋一百問", RowState.REFUSED, reason=Reason.ITEM_ON_LOAN),),
        message=Message(reason=Reason.ITEM_ON_LOAN, title="圖解海洋一百問", reserve=ItemId("30000007")),
    ),
    "borrow_reserved": replace(
        _BORROW,
        rows=(replace(_HOLDS[-1], can_cancel=False, confirm=False), *_BASKET[1:]),
        message=Message(
            reason=Reason.HOLD_PLACED, details={"ahead": 2, "branch": "總館"}, stop=False, title="圖解海洋一百問"
        ),
    ),
    "borrow_countdown": replace(_BORROW, rows=_BASKET[1:], countdown_s=18),
    "borrow_last_seconds": replace(_BORROW, rows=_BASKET[1:], countdown_s=8),
    "borrow_help": replace(_BORROW, rows=_BASKET[1:], help_open=True),
    "return_empty": replace(_PLAIN, phase=Phase.RETURN),
    "return": replace(
        _PLAIN,
        phase=Phase.RETURN,
        rows=(
            _row(22, "夜市裡的經濟學", RowState.WORKING),
            _row(21, "臺灣野鳥手繪圖鑑", RowState.DONE, reason=Reason.ITEM_RESERVED),
            _row(20, "山城的圖書館員", RowState.DONE),
        ),
    ),
    "return_routing": replace(
        _PLAIN,
        phase=Phase.RETURN,
        rows=(
            _row(25, "阿嬤的廚房筆記", RowState.DONE, reason=Reason.GOES_TO_BRANCH, details={"branch": "東區分館"}),
            _row(24, "圖解海洋一百問", RowState.DONE, reason=Reason.HOLD_AT_BRANCH, details={"branch": "東區分館"}),
            _row(
                23, "星空下的慢遊：離島夜觀手冊", RowState.DONE, reason=Reason.HOLD_HERE, details={"date": "2026-12-28"}
            ),
            _row(22, "夜市裡的經濟學", RowState.PROVISIONAL, reason=Reason.HOLD_ASK_DESK),
        ),
    ),
    "identify_camera": replace(_PLAIN, phase=Phase.IDENTIFY, next_task=Phase.BORROW, camera_ready=True),
    "borrow_camera": replace(_BORROW, rows=_BASKET, camera_ready=True),
    "return_camera": replace(_PLAIN, phase=Phase.RETURN, camera_ready=True),
    "account": _ACCOUNT,
    "account_blocked": replace(
        _ACCOUNT,
        blocked=Message(reason=Reason.MEMBERSHIP_SUSPENDED, details={"days": 12, "date": "2027-01-02"}),
        quota_left=0,
    ),
    "account_holds": replace(_ACCOUNT, rows=_HOLDS),
    "account_holds_blocked": replace(
        _ACCOUNT,
        rows=_HOLDS[1:],
        quota_left=0,
        blocked=Message(reason=Reason.MEMBERSHIP_SUSPENDED, details={"days": 12, "date": "2027-01-02"}),
        holds_blocked=Message(reason=Reason.HOLDS_SUSPENDED, details={"date": "2027-01-09"}),
    ),
    "account_empty": replace(_ACCOUNT, rows=(), quota_left=10),
    "done": _DONE,
    "done_provisional": replace(
        _DONE, rows=_OFFLINE_ROWS[:2], provisional=True, link=Link.OFFLINE, printer_ready=False, countdown_s=19
    ),
    "done_printing": replace(_DONE, slip=SlipState.PRINTING),
    "done_printed": replace(_DONE, slip=SlipState.PRINTED),
    "done_unconfirmed": replace(_DONE, slip=SlipState.UNCONFIRMED),
    "done_spooled": replace(_DONE, slip=SlipState.SPOOLED),
    "done_failed": replace(_DONE, slip=SlipState.FAILED, slip_reason=DeviceReason.PAPER_OUT),
    "done_qr": replace(_DONE, slip=SlipState.QR),
    "out_of_service": replace(_PLAIN, phase=Phase.OUT_OF_SERVICE, out_of_service="disk_full", link=Link.OFFLINE),
    "out_not_enrolled": replace(
        _PLAIN, phase=Phase.OUT_OF_SERVICE, out_of_service="not_enrolled", link=Link.OFFLINE, countdown_s=None
    ),
    "staff_login": replace(_PLAIN, phase=Phase.STAFF_LOGIN, staff=StaffView()),
    "staff_asking": replace(_PLAIN, phase=Phase.STAFF_LOGIN, staff=StaffView(login="chen", asking=True)),
    "staff_wrong": replace(
        _PLAIN, phase=Phase.STAFF_LOGIN, link=Link.OFFLINE, staff=StaffView(login="chen", refused="wrong")
    ),
    "staff_locked": replace(
        _PLAIN, phase=Phase.STAFF_LOGIN, staff=StaffView(login="chen", refused="locked", until=NOW)
    ),
    "staff": replace(_PLAIN, phase=Phase.STAFF, staff=_WELL),
    "staff_trouble": replace(
        _PLAIN,
        phase=Phase.STAFF,
        link=Link.OFFLINE,
        staff=_ILL,
        slip=SlipState.FAILED,
        slip_reason=DeviceReason.PAPER_OUT,
    ),
    "out_starting": replace(_PLAIN, phase=Phase.OUT_OF_SERVICE, out_of_service="starting", link=Link.STARTING),
}


CHOICES: Mapping[str, Callable[[View], View]] = {
    "": lambda view: view,
    "-large": lambda view: replace(view, large_text=True),
    "-contrast": lambda view: replace(view, high_contrast=True),
    "-low": lambda view: replace(view, low_reach=True),
    "-low-large": lambda view: replace(view, low_reach=True, large_text=True),
}
"""What a patron may have switched on."""
CHOSEN = {("portrait", Language.ZH_TW), ("small", Language.EN)}
"""Where pictures of these choices are taken: the most usual screen, and the tightest with the longest words."""


class Nobody:
    """A mailbox that keeps what was touched, for pictures and tests."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def post(self, event: object) -> None:
        self.heard.append(event)


def main(arguments: list[str]) -> int:
    """Save a picture of each view in both languages and all sizes, and with the patron's choices in two of them."""
    from pathlib import Path

    from PySide6.QtTest import QTest

    from ui.bridge import ScreenBridge
    from ui.patron.finger import Finger
    from ui.patron.window import WindowSettings, build_window, make_application

    folder = Path(arguments[0] if arguments else "out/screens")
    names = arguments[1:] or list(VIEWS)
    make_application()
    for size_name, size in SIZES.items():
        bridge = ScreenBridge(Nobody())
        window = build_window(
            bridge, WindowSettings(library="示範市立圖書館", branch="總館", size=size, moving=False, sounds=False)
        )
        finger = Finger(window.window)
        for name in names:
            for language in Language:
                for kind, change in CHOICES.items():
                    if kind and (size_name, language) not in CHOSEN:
                        continue
                    window.show(change(replace(VIEWS[name], language=language)))
                    QTest.qWait(30)
                    finger.picture(folder / f"{name}-{size_name}-{language}{kind}.png")
        window.close()
    return 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
