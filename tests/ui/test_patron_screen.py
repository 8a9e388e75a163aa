"""Each target posts its intent, by finger and by keyboard; what the view says is on the screen, in its language."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest

from kiosk.ports import Intent, RowState
from kiosk.words import Language, say
from ui.patron.finger import NoSuchTargetError
from ui.patron.gallery import VIEWS
from ui.patron.pictures import qr_modules
from ui.patron.screen import PatronScreen
from ui.patron.sounds import NOTES, tone

ROOT = Path(__file__).parents[2]
TS = ROOT / "ui" / "translations" / "shelfpoint_zh_TW.ts"

TARGETS = (
    ("start", "btn_borrow", Intent.BORROW, ""),
    ("start", "btn_return", Intent.RETURN, ""),
    ("start", "btn_account", Intent.ACCOUNT, ""),
    ("start", "btn_help", Intent.HELP, ""),
    ("start", "btn_language", Intent.LANGUAGE, "en"),
    ("start", "btn_large_text", Intent.LARGE_TEXT, ""),
    ("start", "btn_high_contrast", Intent.HIGH_CONTRAST, ""),
    ("start", "btn_low_reach", Intent.LOW_REACH, ""),
    ("identify", "btn_back", Intent.BACK, ""),
    ("borrow", "btn_finish", Intent.FINISH, ""),
    ("borrow", "btn_account", Intent.ACCOUNT, ""),
    ("borrow", "btn_end", Intent.END, ""),
    ("borrow_refused", "btn_dismiss", Intent.DISMISS, ""),
    ("borrow_help", "btn_help_close", Intent.HELP, ""),
    ("return", "btn_finish", Intent.FINISH, ""),
    ("return_empty", "btn_back", Intent.BACK, ""),
    ("account", "btn_renew_30000013", Intent.RENEW, "30000013"),
    ("account", "btn_borrow", Intent.BORROW, ""),
    ("account", "btn_finish", Intent.FINISH, ""),
    ("done", "btn_slip_print", Intent.SLIP_PRINT, ""),
    ("done", "btn_slip_qr", Intent.SLIP_QR, ""),
    ("done", "btn_slip_none", Intent.SLIP_NONE, ""),
    ("done_failed", "btn_print_again", Intent.PRINT_AGAIN, ""),
    ("done_failed", "btn_slip_qr", Intent.SLIP_QR, ""),
    ("done_printed", "btn_leave", Intent.END, ""),
    ("done_qr", "btn_slip_print", Intent.SLIP_PRINT, ""),
    ("staff", "btn_staff_print", Intent.STAFF_PRINT, ""),
    ("staff_wrong", "btn_end", Intent.END, ""),
)


@pytest.mark.parametrize(("view", "target", "intent", "argument"), TARGETS)
def test_a_touch_posts_its_intent(
    open_kiosk: Callable[..., Any], view: str, target: str, intent: Intent, argument: str
) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS[view])
    kiosk.settle()
    kiosk.finger.touch(target)
    assert kiosk.heard() == [(intent, argument)]


@pytest.mark.parametrize(("view", "target", "intent", "argument"), TARGETS)
def test_every_target_is_reached_by_tab_and_pressed_by_enter_and_by_space(
    open_kiosk: Callable[..., Any], view: str, target: str, intent: Intent, argument: str
) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS[view])
    kiosk.settle()
    for _ in range(40):
        focused = kiosk.patron.window.activeFocusItem()
        if focused is not None and focused.objectName() == target:
            break
        QTest.keyClick(kiosk.patron.window, Qt.Key.Key_Tab)
    else:
        pytest.fail(f"{target} is never reached")
    kiosk.heard()
    QTest.keyClick(kiosk.patron.window, Qt.Key.Key_Return)
    assert (intent, argument) in kiosk.heard()
    QTest.keyClick(kiosk.patron.window, Qt.Key.Key_Space)
    assert (intent, argument) in kiosk.heard()


def test_a_line_out_of_sight_comes_into_sight_when_the_keyboard_reaches_it(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk((1280, 800))
    kiosk.patron.show(replace(VIEWS["account"], large_text=True))
    kiosk.settle()

    def bottom(name: str) -> float:
        item = kiosk.finger.find(name)
        return float(item.mapToScene(QPointF(0, item.height())).y())

    assert bottom("btn_renew_30000015") > bottom("books")
    kiosk.finger.find("btn_renew_30000015").forceActiveFocus()
    kiosk.settle()
    assert bottom("btn_renew_30000015") <= bottom("books")


def test_every_target_has_a_name_and_a_role_for_a_screen_reader(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    for name, view in VIEWS.items():
        kiosk.patron.show(view)
        kiosk.settle()
        for item in kiosk.finger.items():
            if item.objectName().startswith("btn_"):
                told: QAccessibleInterface = QAccessible.queryAccessibleInterface(item)
                assert told.text(QAccessible.Text.Name), (name, item.objectName())
                assert told.role() is QAccessible.Role.Button


def test_what_lies_behind_a_message_cannot_be_touched_but_language_and_end_can(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS["borrow_refused"])
    kiosk.settle()
    with pytest.raises(NoSuchTargetError):
        kiosk.finger.touch("btn_finish")
    kiosk.finger.touch("btn_language")
    kiosk.finger.touch("btn_end")
    assert kiosk.heard() == [(Intent.LANGUAGE, "en"), (Intent.END, "")]


def test_while_a_countdown_is_shown_any_touch_stays(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS["borrow_last_seconds"])
    kiosk.settle()
    kiosk.finger.touch("btn_stay")
    assert set(kiosk.heard()) == {(Intent.STAY, "")}
    kiosk.patron.show(VIEWS["borrow_countdown"])
    kiosk.settle()
    kiosk.finger.touch("title")
    assert kiosk.heard() == [(Intent.STAY, "")]


def test_the_language_switches_every_text_at_once(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS["borrow_refused"])
    kiosk.settle()
    chinese = {name: kiosk.finger.text(name) for name in ("title", "btn_finish", "message_text", "btn_language")}
    kiosk.patron.show(replace(VIEWS["borrow_refused"], language=Language.EN))
    kiosk.settle()
    english = {name: kiosk.finger.text(name) for name in chinese}
    assert chinese == {
        "title": "請掃描書上的條碼",
        "btn_finish": "完成",
        "message_text": say("reason.item_not_for_loan", Language.ZH_TW),
        "btn_language": "English",
    }
    assert english == {
        "title": "Scan the barcode on the book",
        "btn_finish": "Done",
        "message_text": say("reason.item_not_for_loan", Language.EN),
        "btn_language": "中文",
    }


def test_the_connection_is_told_in_words_and_a_banner_says_what_offline_means(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS["start"])
    kiosk.settle()
    assert not kiosk.finger.shows("offline_banner")
    kiosk.patron.show(VIEWS["start_offline"])
    kiosk.settle()
    assert "離線" in kiosk.finger.text("offline_banner")


def test_a_new_book_goes_on_top_and_the_others_keep_their_lines(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    books = kiosk.patron.screen.property("books")
    resets, inserts = [], []
    books.modelReset.connect(lambda: resets.append(1))
    books.rowsInserted.connect(lambda *_: inserts.append(1))
    rows = VIEWS["borrow"].rows
    kiosk.patron.show(replace(VIEWS["borrow"], rows=rows[1:]))
    resets.clear()
    kiosk.patron.show(VIEWS["borrow"])
    assert (resets, inserts) == ([], [1])
    kiosk.patron.show(replace(VIEWS["borrow"], rows=(replace(rows[0], state=RowState.REFUSED), *rows[1:])))
    assert (resets, inserts) == ([], [1])
    assert books.rowCount() == 3


def test_an_equal_view_changes_nothing(app: object) -> None:
    screen = PatronScreen(lambda intent, argument: None, lambda login, password: None)
    changes = []
    screen.changed.connect(lambda: changes.append(1))
    screen.show(VIEWS["borrow"])
    screen.show(replace(VIEWS["borrow"]))
    assert changes == [1]


def test_an_unknown_reason_for_being_out_of_service_still_says_what_to_do(app: object) -> None:
    screen = PatronScreen(lambda intent, argument: None, lambda login, password: None)
    screen.show(replace(VIEWS["out_of_service"], out_of_service="never heard of"))
    assert screen.property("outText") == say("out.other", Language.ZH_TW)


def test_a_slip_becomes_a_qr_code_that_can_be_read_off_the_screen(
    open_kiosk: Callable[..., Any], tmp_path: Path
) -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    image_module = pytest.importorskip("PIL.Image")
    kiosk = open_kiosk()
    for text in (VIEWS["done_qr"].slip_text, "100 % + 1/2 & #3?\r\n%0A // 𣳝", "書" * 200):
        kiosk.patron.show(replace(VIEWS["done_qr"], slip_text=text))
        kiosk.settle()
        kiosk.finger.picture(tmp_path / "qr.png")
        found = zxingcpp.read_barcodes(image_module.open(tmp_path / "qr.png"))
        assert [code.text for code in found] == [text]


def test_a_text_too_long_for_a_qr_code_is_told_not_raised(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    for text, readable in (("書" * 2000, False), ("書" * 200, True)):
        kiosk.patron.show(replace(VIEWS["done_qr"], slip_text=text))
        kiosk.settle()
        assert kiosk.finger.shows("qr") is readable
    assert qr_modules("") == ()


def test_every_sound_is_a_short_wave_file() -> None:
    for sound in NOTES:
        wave = tone(sound)
        assert wave.startswith(b"RIFF")
        assert 1_000 < len(wave) < 30_000


def test_every_text_of_the_screen_is_translated() -> None:
    unfinished = [
        message.findtext("source")
        for message in ElementTree.parse(TS).getroot().iter("message")
        if (translation := message.find("translation")) is None
        or translation.get("type") == "unfinished"
        or not (translation.text or "").strip()
    ]
    assert unfinished == []


def test_the_translation_file_holds_every_text_of_the_sources(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.ts"
    sources = [str(path) for folder in (ROOT / "ui",) for end in ("*.qml", "*.py") for path in folder.rglob(end)]
    tool = Path(executable).with_name("pyside6-lupdate")
    run([tool, "-silent", "-locations", "none", *sorted(sources), "-ts", fresh], check=True, capture_output=True)

    def texts(path: Path) -> set[tuple[str | None, str | None]]:
        return {
            (context.findtext("name"), message.findtext("source"))
            for context in ElementTree.parse(path).getroot().iter("context")
            for message in context.iter("message")
        }

    assert texts(TS) == texts(fresh), "run: sh scripts/translations.sh update, and translate what is new"


def test_the_window_goes_without_a_word(open_kiosk: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(VIEWS["account"])
    kiosk.settle()
    kiosk.patron.close()
    kiosk.patron.close()
    assert capfd.readouterr().err == ""
