"""The crossing between the station's thread and Qt: the newest view always arrives, touches reach the mailbox."""

from dataclasses import replace
from threading import Thread, get_ident
from typing import Any

from PySide6.QtGui import QGuiApplication

from kiosk.ports import Intent, Screen, Sound, Touched, View
from ui.bridge import WAITING_SOUNDS, ScreenBridge
from ui.patron.gallery import VIEWS, Nobody


class Watcher:
    """Keeps what arrives and on which thread."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self.sounds: list[Sound] = []
        self.threads: set[int] = set()

    def view(self, view: View) -> None:
        self.views.append(view)
        self.threads.add(get_ident())

    def sound(self, sound: Sound) -> None:
        self.sounds.append(sound)
        self.threads.add(get_ident())


def test_a_bridge_is_a_screen_of_the_heart(app: QGuiApplication) -> None:
    screen: Screen = ScreenBridge(Nobody())
    assert screen is not None


def test_the_last_of_many_views_from_another_thread_is_shown_on_the_qt_thread(app: QGuiApplication, qtbot: Any) -> None:
    bridge, watcher = ScreenBridge(Nobody()), Watcher()
    bridge.connect_screen(watcher.view, watcher.sound)
    views = [replace(VIEWS["borrow"], quota_left=left) for left in range(2000)]

    def station() -> None:
        for view in views:
            bridge.show(view)

    thread = Thread(target=station)
    thread.start()
    qtbot.waitUntil(lambda: bool(watcher.views) and watcher.views[-1] == views[-1], timeout=5000)
    thread.join()
    shown = [view.quota_left for view in watcher.views]
    assert shown == sorted(shown, key=lambda left: left or 0)
    assert watcher.threads == {get_ident()}


def test_a_view_that_came_before_the_window_is_shown_when_it_opens(app: QGuiApplication) -> None:
    bridge, watcher = ScreenBridge(Nobody()), Watcher()
    bridge.show(VIEWS["start"])
    bridge.connect_screen(watcher.view, watcher.sound)
    assert watcher.views == [VIEWS["start"]]


def test_sounds_arrive_in_order_and_a_flood_of_them_is_shortened(app: QGuiApplication, qtbot: Any) -> None:
    bridge, watcher = ScreenBridge(Nobody()), Watcher()
    bridge.connect_screen(watcher.view, watcher.sound)
    for sound in (Sound.NO, *[Sound.OK] * 50, Sound.ATTENTION):
        bridge.play(sound)
    qtbot.waitUntil(lambda: bool(watcher.sounds), timeout=2000)
    assert watcher.sounds == [*[Sound.OK] * (WAITING_SOUNDS - 1), Sound.ATTENTION]


def test_nothing_arrives_after_closing(app: QGuiApplication) -> None:
    bridge, watcher = ScreenBridge(Nobody()), Watcher()
    bridge.connect_screen(watcher.view, watcher.sound)
    bridge.show(VIEWS["start"])
    bridge.close()
    bridge.show(VIEWS["borrow"])
    bridge.play(Sound.OK)
    app.processEvents()
    assert (watcher.views, watcher.sounds) == ([], [])


def test_a_touch_becomes_an_event_in_the_mailbox(app: QGuiApplication) -> None:
    mailbox = Nobody()
    ScreenBridge(mailbox).post(Intent.RENEW, "30000001")
    assert mailbox.heard == [Touched(Intent.RENEW, "30000001")]
