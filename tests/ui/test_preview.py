"""The patron sees what the camera sees: mirrored, only where codes are taken, only while a camera works (A8)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest

from drivers.viewfinder import Picture, Viewfinder
from kiosk.ports import Phase, Screen, Sound, View
from ui.assembly import Switch
from ui.bridge import ScreenBridge
from ui.patron.finger import Finger
from ui.patron.gallery import VIEWS, Nobody
from ui.patron.window import PatronWindow, WindowSettings, build_window

RED, BLUE = bytes((0, 0, 255)), bytes((255, 0, 0))
WITH_CAMERA = {"identify_camera", "borrow_camera", "return_camera"}


@pytest.fixture
def viewfinder() -> Viewfinder:
    return Viewfinder()


@pytest.fixture
def patron(app: QGuiApplication, viewfinder: Viewfinder) -> Iterator[PatronWindow]:
    settings = WindowSettings(library="示範", size=(1080, 1920), moving=False, sounds=False, viewfinder=viewfinder)
    window = build_window(ScreenBridge(Nobody()), settings)
    yield window
    window.close()


def colours(patron: PatronWindow) -> tuple[str, str]:
    """What stands near the left and near the right edge of the preview."""
    item = Finger(patron.window).find("camera_view")
    shot: QImage = patron.window.grabWindow()
    seen = [item.mapToScene(QPointF(item.width() * share, item.height() / 2)).toPoint() for share in (0.08, 0.92)]
    left, right = (QColor(shot.pixel(point)).name() for point in seen)
    return left, right


def test_the_preview_is_a_mirror_of_the_newest_picture(patron: PatronWindow, viewfinder: Viewfinder) -> None:
    viewfinder.put(Picture(16, 9, (RED * 8 + BLUE * 8) * 9))
    patron.show(VIEWS["identify_camera"])
    QTest.qWait(20)
    assert colours(patron) == ("#0000ff", "#ff0000")
    viewfinder.put(Picture(16, 9, (BLUE * 8 + RED * 8) * 9))
    for _ in range(50):
        QTest.qWait(20)
        if colours(patron) == ("#ff0000", "#0000ff"):
            return
    pytest.fail("the newer picture did not appear within a second")


@pytest.mark.parametrize("name", VIEWS)
def test_only_pages_that_take_codes_show_the_camera_and_only_while_it_works(patron: PatronWindow, name: str) -> None:
    patron.show(VIEWS[name])
    QTest.qWait(5)
    assert Finger(patron.window).shows("camera_view") == (name in WITH_CAMERA)


class Recorder:
    """A screen, and a camera, that keep what they were told."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self.switched: list[bool] = []

    def show(self, view: View) -> None:
        self.views.append(view)

    def play(self, sound: Sound) -> None:
        raise AssertionError(sound)

    def wanted(self, wanted: bool) -> None:
        self.switched.append(wanted)


def test_the_camera_looks_only_while_codes_are_wanted() -> None:
    screen, camera = Recorder(), Recorder()
    switch: Screen = Switch(screen, [camera])
    for phase in Phase:
        switch.show(replace(VIEWS["account"], phase=phase))
    taken = [view.phase for view, wanted in zip(screen.views, camera.switched, strict=True) if wanted]
    assert set(taken) == {Phase.IDENTIFY, Phase.BORROW, Phase.RETURN, Phase.STAFF}


@pytest.mark.parametrize(
    ("name", "reader", "seen"),
    [
        ("identify_camera", True, {"lead_drawing", "camera_view"}),
        ("identify_camera", False, {"camera_view"}),
        ("identify", True, {"lead_drawing"}),
        ("borrow_camera", True, {"camera_view"}),
    ],
)
def test_where_a_card_can_be_laid_or_shown_both_are_drawn(
    patron: PatronWindow, name: str, reader: bool, seen: set[str]
) -> None:
    patron.show(replace(VIEWS[name], card_reader_ready=reader))
    QTest.qWait(20)
    visible = {item.objectName() for item in Finger(patron.window).items() if item.isVisible()}
    assert visible & {"lead_drawing", "camera_view"} == seen
