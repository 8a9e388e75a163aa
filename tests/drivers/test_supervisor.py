"""The supervisor itself, with plain devices: what it does when one does not end (L1)."""

import threading

from ears import Ears
from structlog.testing import capture_logs

from drivers.call_watch import CallWatch
from drivers.device import Report
from drivers.supervisor import Supervisor
from kiosk.ports import DeviceChanged, DeviceKind, DeviceState, DeviceStatus, Event


class Deaf:
    """A device whose call does not come back while its `hold` is not set; it cannot be woken."""

    kind = DeviceKind.CARD_READER

    def __init__(self, name: str) -> None:
        self.name = name
        self.hold = threading.Event()

    def run(self, stop: threading.Event, report: Report) -> None:
        report(DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY))
        self.hold.wait()

    def wake(self) -> None:
        """It sleeps inside somebody else's library."""


def test_stopping_waits_no_longer_than_its_time_and_says_whom_it_left() -> None:
    deaf, ears = Deaf("deaf"), Ears()
    supervisor = Supervisor([deaf], ears, stop_s=0.0)
    supervisor.start()
    ears.next()
    with capture_logs() as said:
        supervisor.stop()
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "device:deaf")
    assert thread.daemon
    (line,) = said
    assert ("its thread is left behind" in line["event"], line["device"]) == (True, "deaf")
    deaf.hold.set()
    thread.join(10)


def test_a_state_that_is_told_by_two_threads_at_once_is_news_once() -> None:
    ears, gate, threads = Ears(), threading.Barrier(8), list[threading.Thread]()

    class Crowd(Deaf):
        def run(self, stop: threading.Event, report: Report) -> None:
            def tell() -> None:
                gate.wait()
                report(DeviceStatus(device=self.name, kind=self.kind, state=DeviceState.READY))

            threads.extend(threading.Thread(target=tell) for _ in range(8))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ears.post(DONE)
            stop.wait()

    supervisor = Supervisor([Crowd("crowd")], ears)
    supervisor.start()
    heard = list[Event]()
    while not heard or heard[-1] is not DONE:
        heard.append(ears.next())
    supervisor.stop()
    assert len(heard) == 2


DONE = DeviceChanged(DeviceStatus(device="done", kind=DeviceKind.CARD_READER, state=DeviceState.ABSENT))


def test_a_call_that_is_overdue_is_told_once_and_the_next_one_again() -> None:
    told = threading.Semaphore(0)
    watch = CallWatch("reader", told.release, limit_s=0.0)
    for _ in range(3):
        with watch:
            assert told.acquire(timeout=10)
    watch.close()
    assert not told.acquire(blocking=False)


def test_a_call_that_ends_in_time_is_not_told_and_a_watch_ends_at_once() -> None:
    told: list[str] = []
    watch = CallWatch("reader", lambda: told.append("overdue"), limit_s=3600.0)
    for _ in range(100):
        with watch:
            pass
    watch.close()
    assert told == []
    assert not any(thread.name == "device:reader:watch" for thread in threading.enumerate())
