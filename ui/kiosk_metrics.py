"""This kiosk for Prometheus, on a loopback port (K1): how it is at the moment of the scrape, in central's own words.

Central tells the same of every kiosk that it hears of; this is for kiosks that it does not hear of. Off unless the
settings name a port: nobody listens there otherwise. The page names no person, and only this machine can ask for it
(an agent on it, or a proxy that somebody sets up). Threads: the server's own, daemons; what they read is handed over whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kiosk.ports import Link
from sync.figures import device_figures, figures
from sync.wire import Health

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class KioskFigures(Collector):
    """Everything on the page, made anew at each scrape."""

    kiosk: str
    """Its id at central."""
    branch: str
    """Where it stands."""
    program: str
    """Version."""
    health: Callable[[], Health | None]
    """How it is."""
    link: Callable[[], Link]
    """How it stands to central."""

    def collect(self) -> Iterator[Metric]:
        """Families in Prometheus' own form."""
        about = GaugeMetricFamily(
            "shelfpoint_kiosk_info", "1; which kiosk this is and what runs on it", labels=["kiosk", "branch", "program"]
        )
        about.add_metric([self.kiosk, self.branch, self.program], 1.0)
        yield about
        link, now = GaugeMetricFamily(
            "shelfpoint_kiosk_link", "1 for how it stands to central", labels=["kiosk", "link"]
        ), self.link()  # fmt: skip
        for each in Link:
            link.add_metric([self.kiosk, each.value], float(each is now))
        yield link
        health = self.health()
        if health is None:
            return
        yield from figures([(self.kiosk, health)])
        yield from device_figures([(self.kiosk, health)])
        out = GaugeMetricFamily(
            "shelfpoint_kiosk_out_of_service", "1 while it serves nobody, and why", labels=["kiosk", "reason"]
        )
        out.add_metric([self.kiosk, health.trouble], float(bool(health.trouble)))
        yield out


def serve(collector: Collector, port: int) -> WSGIServer | None:
    """Listen; None, and a line in the log, where the port cannot be had: the kiosk goes on without."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    try:
        server, _ = start_http_server(port, addr=HOST, registry=registry)
    except OSError as error:
        log.error("metrics cannot be served", port=port, detail=error.strerror)
        return None
    return server
