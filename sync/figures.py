"""What a kiosk's health is in Prometheus' words: one place for central, which tells it of all kiosks, and for the kiosk itself.

Names and units are the same at both ends, so one dashboard reads either. No label names a person. Pure.
"""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from sync.wire import Health

Kiosks = Sequence[tuple[str, Health]]
"""Kiosk id, and how it is."""
_FIGURES = (
    ("queue_length", "Acts that the kiosk has not sent yet", "queue_length", 1),
    ("queue_age_seconds", "Age of the oldest of them", "queue_age_ms", 1000),
    ("replica_age_seconds", "Age of the data that the kiosk decides by", "replica_age_ms", 1000),
    ("clock_offset_seconds", "How far the kiosk's clock is off", "clock_offset_ms", 1000),
    ("disk_free_megabytes", "Room left where the kiosk's records lie", "disk_free_mb", 1),
    (
        "filling_percent",
        "How much of a snapshot of the feed the kiosk has; only while it takes one",
        "filling_percent",
        1,
    ),
)


def figures(kiosks: Kiosks) -> Iterator[GaugeMetricFamily]:
    """Numbers; what a kiosk does not know is left out."""
    for name, says, part, divisor in _FIGURES:
        family = GaugeMetricFamily(f"shelfpoint_kiosk_{name}", says, labels=["kiosk"])
        for kiosk, health in kiosks:
            value = getattr(health, part)
            if value is not None:
                family.add_metric([kiosk], value / divisor)
        yield family


def device_figures(kiosks: Kiosks) -> Iterator[GaugeMetricFamily]:
    """Each device's state, and the reason it gives, as labels of a 1."""
    family = GaugeMetricFamily(
        "shelfpoint_kiosk_device", "1 for the state that a device is in", labels=["kiosk", "device", "state", "reason"]
    )
    for kiosk, health in kiosks:
        for device, said in sorted(health.devices.items()):
            state, _, reason = said.partition(": ")
            family.add_metric([kiosk, device, state, reason], 1.0)
    yield family
