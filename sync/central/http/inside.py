"""What central tells inside the house only, at an address of its own: metrics for Prometheus, and the API's description.

`server` lets it listen on loopback unless the settings name another address; the public address answers 404 for both, so
that no rule of a proxy has to keep them in. Handlers run on worker threads.
"""

from functools import cache
from typing import Any

from litestar import Litestar, get
from litestar.datastructures import State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from sync.central.http.app import make_app
from sync.central.http.faults import handlers
from sync.central.metrics import CONTENT_TYPE, metrics
from sync.central.office import Central


@get("/metrics", sync_to_thread=True, media_type=CONTENT_TYPE)
def scrape(state: State) -> bytes:
    """Figures of central and every kiosk; names no person."""
    return metrics(state.central)


@get("/schema/openapi.json", sync_to_thread=True)
def schema(state: State) -> dict[str, Any]:
    """The public API, as OpenAPI."""
    described: dict[str, Any] = state.described()
    return described


def make_inside_app(central: Central) -> Litestar:
    """The ASGI application for the inner address; whoever opened central closes it."""

    @cache
    def described() -> dict[str, Any]:
        return make_app(central, described=_DESCRIBED).openapi_schema.to_schema()

    return Litestar(
        route_handlers=[scrape, schema],
        exception_handlers=handlers(central.clock, central.fleet.order),
        state=State({"central": central, "described": described}),
        logging_config=None,
        openapi_config=None,
    )


_DESCRIBED = OpenAPIConfig(
    title="Shelfpoint central",
    version="1",
    render_plugins=[JsonRenderPlugin()],
    components=Components(
        security_schemes={
            "kiosk": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
            "staff": SecurityScheme(type="http", scheme="bearer", bearer_format="opaque"),
        }
    ),
)
