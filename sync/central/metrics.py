"""Central and its fleet in Prometheus' text format (0.0.4), made anew at each scrape from the database.

Nothing is counted in memory, so every process of a large central tells the same. No label names a person. Blocking.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from sync.central import tables
from sync.central.alerts import Rule, alerts
from sync.central.office import Central
from sync.figures import device_figures, figures

CONTENT_TYPE = "text/plain; version=0.0.4"  # the framework adds the character set


def metrics(central: Central) -> bytes:
    """One scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet(central))
    return generate_latest(registry)


class _Fleet(Collector):
    def __init__(self, central: Central) -> None:
        self._central = central

    def collect(self) -> Iterator[Metric]:
        case = tables.case.c
        with self._central.database.read() as connection:
            waiting = connection.execute(select(func.count()).where(case.closed_at.is_(None))).scalar_one()
            head = connection.execute(select(tables.feed_head.c.position)).scalar_one()
        now = self._central.clock()
        kiosks = [kiosk for kiosk in self._central.fleet.all() if kiosk.revoked_at is None]
        yield GaugeMetricFamily("shelfpoint_kiosks", "Enrolled kiosks", value=len(kiosks))
        yield GaugeMetricFamily("shelfpoint_open_cases", "Cases that wait for a person", value=waiting)
        yield GaugeMetricFamily("shelfpoint_feed_position", "Newest position of the change feed", value=head)
        copied = float(self._central.key_copy.made_at() is not None)
        yield GaugeMetricFamily("shelfpoint_key_copied", "1 if a recovery copy of the root key is noted", value=copied)
        silent = GaugeMetricFamily("shelfpoint_kiosk_silent_seconds", "Since the last heartbeat", labels=["kiosk"])
        for kiosk in kiosks:
            if kiosk.health_at is not None:
                silent.add_metric([kiosk.id], (now - kiosk.health_at).total_seconds())
        yield silent
        told = [(kiosk.id, kiosk.health) for kiosk in kiosks if kiosk.health is not None]
        yield from figures(told)
        yield from device_figures(told)
        failed = {failure.chore for failure in self._central.periodic.failures()}
        chores = GaugeMetricFamily("shelfpoint_chore_failed", "1 while the last try failed", labels=["chore"])
        for name in self._central.periodic.names():
            chores.add_metric([name], float(name in failed))
        yield chores
        raised = GaugeMetricFamily(
            "shelfpoint_kiosk_alert", "1 while the kiosk breaks the rule", labels=["kiosk", "rule"]
        )
        for kiosk in kiosks:
            broken = {alert.rule for alert in alerts(kiosk, now)}
            for rule in Rule:
                raised.add_metric([kiosk.id, rule.value], float(rule in broken))
        yield raised
