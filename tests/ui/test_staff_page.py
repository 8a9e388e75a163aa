"""The staff page on the screen: how staff come to its door, type there, and what they read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtQml import QQmlExpression
from PySide6.QtTest import QTest

from kiosk.ports import Intent, Phase, StaffTried
from kiosk.words import Language
from ui.patron.gallery import VIEWS

SHORT_S = 0.02


def tried(kiosk: Any) -> list[StaffTried]:
    events, kiosk.mailbox.heard = kiosk.mailbox.heard, []
    return [event for event in events if isinstance(event, StaffTried)]


def show(kiosk: Any, name: str, **changes: Any) -> None:
    kiosk.patron.show(replace(VIEWS[name], **changes))
    kiosk.settle()


def typed(window: Any, letters: str) -> None:
    for letter in letters:
        QTest.keyClick(window, Qt.Key[f"Key_{letter.upper()}"])
    QTest.keyClick(window, Qt.Key.Key_Return)


@pytest.mark.parametrize("view", ["start", "out_of_service"])
def test_a_long_press_on_the_header_asks_for_the_door_and_a_tap_does_not(
    open_kiosk: Callable[..., Any], view: str
) -> None:
    kiosk = open_kiosk()
    show(kiosk, view)
    window = kiosk.patron.window
    context = kiosk.patron.engine.contextForObject(window)
    QQmlExpression(context, window, f"Theme.staffPress = {SHORT_S}").evaluate()
    kiosk.finger.touch("clock")
    assert kiosk.heard() == []
    kiosk.finger.hold("clock", SHORT_S * 10)
    assert kiosk.heard() == [(Intent.STAFF, "")]


def test_a_keyboard_comes_to_the_door_too(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    show(kiosk, "start")
    QTest.keyClick(
        kiosk.patron.window,
        Qt.Key.Key_S,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert (Intent.STAFF, "") in kiosk.heard()


def test_login_and_password_are_typed_by_finger_with_capitals_digits_and_signs(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk((1280, 800))
    show(kiosk, "staff_login")
    for key in "chenx":
        kiosk.finger.touch(f"key_{key}")
    kiosk.finger.touch("key_erase")
    assert kiosk.finger.find("field_login").property("text") == "chen"
    kiosk.finger.touch("key_enter")  # on to the password
    kiosk.finger.touch("key_shift")
    for key in ("A", "b", " "):
        kiosk.finger.touch(f"key_{key}")
    kiosk.finger.touch("key_page")
    for key in ("1", "@"):
        kiosk.finger.touch(f"key_{key}")
    kiosk.finger.touch("key_page")
    kiosk.finger.touch("key_|")
    secret = kiosk.finger.find("field_password")
    assert (secret.property("text"), set(secret.property("displayText"))) == ("Ab 1@|", {"●"})
    kiosk.finger.touch("key_enter")
    assert tried(kiosk) == [StaffTried("chen", "Ab 1@|")]
    assert secret.property("text") == ""


def test_a_real_keyboard_types_beside_the_keys_on_the_screen(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    show(kiosk, "staff_login")
    window = kiosk.patron.window
    typed(window, "chen")
    kiosk.finger.touch("key_s")
    typed(window, "ecret")
    assert tried(kiosk) == [StaffTried("chen", "secret")]


def test_whoever_types_is_here(open_kiosk: Callable[..., Any]) -> None:
    """Letters are no touches that the station hears of by themselves: without a word it would end the visit meanwhile."""
    kiosk = open_kiosk()
    show(kiosk, "staff_login")
    kiosk.heard()
    kiosk.finger.touch("key_c")
    assert kiosk.heard() == [(Intent.STAY, "")]


def test_nothing_is_tried_while_a_field_is_empty_or_an_answer_is_awaited(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    show(kiosk, "staff_login")
    kiosk.finger.touch("key_enter")
    kiosk.finger.touch("key_next")
    kiosk.finger.touch("key_x")
    kiosk.finger.touch("key_enter")
    assert tried(kiosk) == []
    for key in ("c", "next", "x"):
        kiosk.finger.touch(f"key_{key}")
    show(kiosk, "staff_asking")
    kiosk.finger.touch("key_enter")
    assert tried(kiosk) == []


def test_a_later_visitor_finds_the_fields_empty(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    show(kiosk, "staff_login")
    kiosk.finger.touch("key_c")
    show(kiosk, "start")
    show(kiosk, "staff_login")
    assert kiosk.finger.find("field_login").property("text") == ""


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.ZH_TW, ("離線：網路回應的不是總館", "128 筆（最久 30 小時）", "9 天前更新，太舊了", "印表機　slips")),
        (
            Language.EN,
            (
                "Offline: Not headquarters that answers",
                "128, the oldest for 30 hours",
                "Updated 9 days ago: too old",
                "slips",
            ),
        ),
    ],
)
def test_the_page_says_how_the_kiosk_stands(
    open_kiosk: Callable[..., Any], language: Language, said: tuple[str, ...]
) -> None:
    kiosk = open_kiosk()
    show(kiosk, "staff_trouble", language=language)
    texts = [str(item.property("text")) for item in kiosk.finger.items() if item.inherits("QQuickText")]
    for words in said:
        assert any(words in text for text in texts), words
    assert kiosk.patron.screen.view.phase is Phase.STAFF


def test_lines_that_stay_are_not_made_anew(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    show(kiosk, "staff")
    facts = kiosk.patron.screen.property("staffFacts")
    resets: list[int] = []
    facts.modelReset.connect(lambda: resets.append(1))
    show(kiosk, "staff_trouble")
    assert (resets, facts.rowCount()) == ([], 7)
