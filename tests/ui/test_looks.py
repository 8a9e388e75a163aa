"""Every screen, in both languages, at every size and with every choice: nothing cut, nothing overlapping, all reachable."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QGuiApplication, QTextLayout
from PySide6.QtQml import QQmlComponent, QQmlExpression
from PySide6.QtQuick import QQuickItem

from kiosk.domain.values import Reason
from kiosk.ports import DeviceReason, Link, Message, View
from kiosk.words import Language, sentences
from ui.patron.gallery import SIZES, VIEWS
from ui.patron.window import FONT, QML_FOLDER

CHOICES: tuple[dict[str, bool], ...] = (
    {},
    {"large_text": True},
    {"low_reach": True},
    {"large_text": True, "low_reach": True},
)
STANDINGS = (
    Reason.MEMBERSHIP_EXPIRED,
    Reason.MEMBERSHIP_SUSPENDED,
    Reason.MEMBERSHIP_BLOCKED,
    Reason.MEMBERSHIP_PENDING,
    Reason.MONEY_OWED,
    Reason.HAS_OVERDUE,
    Reason.QUOTA_REACHED,
    Reason.NO_POLICY,
)
"""Why a membership can borrow nothing (`domain/lending.may_borrow_at_all`)."""
SMALLEST_TEXT, SMALLEST_TARGET = 24, 72


def kind(item: QQuickItem) -> str:
    return re.sub(r"_QMLTYPE_\d+|_QML_\d+", "", item.metaObject().className())


def is_text(item: QQuickItem) -> bool:
    return item.inherits("QQuickText") and bool(item.property("text")) and item.width() > 0


def is_target(item: QQuickItem) -> bool:
    return item.inherits("QQuickAbstractButton")


def ancestors(item: QQuickItem) -> Iterator[QQuickItem]:
    above = item.parentItem()
    while above is not None:
        yield above
        above = above.parentItem()


def box(item: QQuickItem) -> QRectF:
    return item.mapRectToScene(QRectF(0, 0, item.width(), item.height()))


def in_list(item: QQuickItem) -> bool:
    return any(above.inherits("QQuickListView") for above in ancestors(item))


def covered(item: QQuickItem) -> bool:
    """Behind a sheet: the page is disabled while something lies over it."""
    return any(not above.isEnabled() and above.inherits("QQuickLoader") for above in ancestors(item))


def faults(kiosk: Any) -> list[str]:
    """What a patron would see going wrong on the screen as it is."""
    width, height = kiosk.patron.window.width(), kiosk.patron.window.height()
    whole = QRectF(-0.5, -0.5, width + 1, height + 1)
    found = []
    solid: list[tuple[str, QRectF, QQuickItem]] = []
    for item in kiosk.finger.items():
        if covered(item):
            continue
        name = item.objectName() or str(item.property("text") or "")[:24]
        if is_text(item):
            if item.property("truncated"):
                found.append(f"cut off: {name}")
            if item.property("contentWidth") > item.width() + 1:
                found.append(f"wider than its place: {name}")
            if item.property("contentHeight") > item.height() + 1:
                found.append(f"higher than its place: {name}")
            if item.property("font").pixelSize() < SMALLEST_TEXT:
                found.append(f"too small to read: {name}")
        if is_target(item):
            if not item.objectName():
                found.append(f"a target without a name: {name}")
            if min(item.width(), item.height()) < SMALLEST_TARGET:
                found.append(f"too small to touch: {name} {item.width():.0f}x{item.height():.0f}")
            if kiosk.patron.screen.view.low_reach and box(item).top() < height / 2 - 1:
                found.append(f"out of low reach: {name}")
        if (is_text(item) or is_target(item)) and not in_list(item):
            if not whole.contains(box(item)):
                found.append(f"outside the window: {name}")
            solid.append((name, box(item).adjusted(1, 1, -1, -1), item))
        elif item.inherits("QQuickListView") and item.width() > 0:
            solid.append(("list", box(item).adjusted(1, 1, -1, -1), item))
    for (name, place, item), (other_name, other_place, other) in combinations(solid, 2):
        if place.intersects(other_place) and item not in ancestors(other) and other not in ancestors(item):
            sheets = {any(kind(above).endswith("Sheet") for above in ancestors(one)) for one in (item, other)}
            if len(sheets) == 1:
                found.append(f"on top of each other: {name} / {other_name}")
    return found


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_overlapping_too_small_or_out_of_reach(
    open_kiosk: Callable[..., Any], size: str, language: Language
) -> None:
    kiosk = open_kiosk(SIZES[size])
    wrong: list[str] = []
    for name, view in VIEWS.items():
        for choices in CHOICES:
            kiosk.patron.show(replace(view, language=language, **choices))
            kiosk.settle()
            where = "-".join([name, *choices])
            wrong += [f"{where}: {fault}" for fault in faults(kiosk)]
    assert wrong == [], "\n".join(wrong)


LONGEST = {
    "limit": 99,
    "date": "2026-12-31",
    "days": 365,
    "amount": 99999,
    "count": 99,
    "ahead": 99,
    "percent": 99,
    "other": "M0000012345",
    "branch": "東區兒童分館",
}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("size", SIZES)
def test_every_sentence_fits_where_it_is_said(open_kiosk: Callable[..., Any], size: str, language: Language) -> None:
    kiosk = open_kiosk(SIZES[size])
    title = "這是一本書名特別長的書：從一座城市的誕生、成長與老去，看見我們與土地之間綿長的故事"
    wrong: list[str] = []

    def check(name: str, view: View) -> None:
        for choices in CHOICES[2:]:
            kiosk.patron.show(replace(view, language=language, link=Link.OFFLINE, **choices))
            kiosk.settle()
            wrong.extend(f"{name}: {fault}" for fault in faults(kiosk) if fault != "cut off: message_title")

    for reason in Reason:
        message = Message(reason=reason, details=LONGEST, title=title)
        check(reason, replace(VIEWS["borrow"], message=message))
    for reason in STANDINGS:
        check(f"account {reason}", replace(VIEWS["account"], blocked=Message(reason=reason, details=LONGEST)))
    for device in DeviceReason:
        check(f"slip {device}", replace(VIEWS["done_failed"], slip_reason=device))
    for key in sentences(language):
        if key.startswith("out."):
            check(key, replace(VIEWS["out_of_service"], out_of_service=key.removeprefix("out.")))
    assert wrong == [], "\n".join(wrong)


def test_chinese_is_drawn_with_the_shapes_used_in_taiwan(app: QGuiApplication) -> None:
    layout = QTextLayout("骨這，", app.font())
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    assert {run.rawFont().familyName() for run in layout.glyphRuns()} == {FONT}


def test_every_text_is_in_the_chosen_font(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    for view in VIEWS.values():
        kiosk.patron.show(view)
        kiosk.settle()
        assert {QFont(item.property("font")).family() for item in kiosk.finger.items() if is_text(item)} == {FONT}


def test_titles_are_large(open_kiosk: Callable[..., Any]) -> None:
    for size in SIZES.values():
        kiosk = open_kiosk(size)
        for view in VIEWS.values():
            kiosk.patron.show(view)
            kiosk.settle()
            for item in kiosk.finger.items():
                if item.objectName() == "title" and is_text(item):
                    assert item.property("font").pixelSize() >= 40


@pytest.mark.parametrize("path", sorted(QML_FOLDER.glob("*.qml")), ids=lambda path: path.stem)
def test_every_qml_file_compiles_without_a_warning(open_kiosk: Callable[..., Any], path: Any) -> None:
    engine = open_kiosk().patron.engine
    component = QQmlComponent(engine, str(path))
    assert component.errors() == []
    assert component.status() is QQmlComponent.Status.Ready


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2.2 contrast ratio."""

    def light(colour: QColor) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


PAIRS = (
    ("ink", "paper"),
    ("ink", "surface"),
    ("inkSoft", "paper"),
    ("inkSoft", "surface"),
    ("action", "surface"),
    ("actionInk", "action"),
    ("actionInk", "actionPressed"),
    ("tintInk", "tint"),
    ("tintInk", "tintSoft"),
    ("tintInk", "surface"),
    ("amberInk", "amber"),
    ("amberInk", "surface"),
    ("stopInk", "stop"),
    ("stopInk", "surface"),
    ("disabled", "paper"),
    ("focus", "paper"),
)


@pytest.mark.parametrize("high_contrast", [False, True])
def test_every_text_stands_out_from_its_ground_by_at_least_seven_to_one(
    open_kiosk: Callable[..., Any], high_contrast: bool
) -> None:
    kiosk = open_kiosk()
    kiosk.patron.show(replace(VIEWS["start"], high_contrast=high_contrast))
    engine = kiosk.patron.engine
    context = engine.contextForObject(kiosk.patron.window)

    def colour(name: str) -> QColor:
        return QColor(QQmlExpression(context, kiosk.patron.window, f"Theme.{name}").evaluate()[0])

    weak = {pair: round(contrast(colour(pair[0]), colour(pair[1])), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 7} == {}


def test_the_drawings_files_carry_the_theme_colours_that_are_replaced() -> None:
    known = {"#23262f", "#0b5a57", "#d6e8e4", "#ffffff", "#9a5b00", "#fbe3b5"}
    for path in (QML_FOLDER.parent / "drawings").glob("*.svg"):
        assert set(re.findall(r"#[0-9a-fA-F]{6}", path.read_text())) <= known, path.name


def test_every_target_can_be_found_where_it_is_shown(open_kiosk: Callable[..., Any]) -> None:
    kiosk = open_kiosk()
    for view in VIEWS.values():
        kiosk.patron.show(view)
        kiosk.settle()
        names = [item.objectName() for item in kiosk.finger.items() if is_target(item) and not covered(item)]
        assert len(names) == len(set(names)), names
        for item in kiosk.finger.items():
            if is_target(item):
                middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2))
                assert 0 <= middle.x() <= 1080
