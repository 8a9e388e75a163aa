"""What Prometheus reads at the kiosk itself."""

import socket
import urllib.request
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kiosk.ports import Link
from sync.wire import Health
from ui.kiosk_metrics import HOST, KioskFigures, serve
from ui.vitals import Vitals

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def health(waiting: int, oldest: datetime | None) -> Health:
    return Health(
        incarnation="i1",
        program="1.0",
        queue_length=waiting,
        queue_age_ms=None if oldest is None else 90_000,
        replica_age_ms=4000,
        clock_offset_ms=-1500,
        devices={"printer": "fault: no_paper", "reader": "ready"},
        disk_free_mb=700,
        trouble="disk_full" if waiting > 100 else "",
    )


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def scraped(vitals: Vitals, link: Link) -> dict[str, dict[tuple[str, ...], float]]:
    """Family -> labels without the kiosk -> value, over the real port."""
    port = free_port()
    server = serve(KioskFigures("k1", "main", "1.0", vitals.now, lambda: link), port)
    assert server is not None
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for name, value in sorted(sample.labels.items()) if name != "kiosk")
            assert sample.labels["kiosk"] == "k1"
            found.setdefault(sample.name.removeprefix("shelfpoint_kiosk_"), {})[labels] = sample.value
    return found


def test_the_page_tells_how_the_kiosk_is_now() -> None:
    vitals = Vitals(health)
    vitals.counted(3, NOON)
    found = scraped(vitals, Link.OFFLINE)
    assert found["info"] == {("main", "1.0"): 1.0}
    assert found["link"] == {("online",): 0.0, ("offline",): 1.0, ("starting",): 0.0}
    figures = {name: found[name][()] for name in ("queue_length", "queue_age_seconds", "replica_age_seconds")}
    assert figures == {"queue_length": 3, "queue_age_seconds": 90, "replica_age_seconds": 4}
    assert (found["clock_offset_seconds"][()], found["disk_free_megabytes"][()]) == (-1.5, 700)
    assert found["device"] == {("printer", "no_paper", "fault"): 1.0, ("reader", "", "ready"): 1.0}
    assert found["out_of_service"] == {("",): 0.0}
    assert "filling_percent" not in found


def test_a_kiosk_out_of_service_says_why() -> None:
    vitals = Vitals(health)
    vitals.counted(101, None)
    found = scraped(vitals, Link.ONLINE)
    assert found["out_of_service"] == {("disk_full",): 1.0}
    assert "queue_age_seconds" not in found


def test_before_the_outbox_was_counted_only_what_is_known_is_told() -> None:
    assert set(scraped(Vitals(health), Link.STARTING)) == {"info", "link"}


def test_a_port_that_is_taken_is_told_and_the_kiosk_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HOST, 0)) as taken:
        assert (
            serve(KioskFigures("k1", "main", "1.0", lambda: None, lambda: Link.ONLINE), taken.getsockname()[1]) is None
        )
    assert "metrics cannot be served" in capsys.readouterr().out
