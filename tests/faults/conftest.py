"""One central for the crash tests of a worker."""

from collections.abc import Iterator

import pytest
from central_server import CentralServer


@pytest.fixture(scope="session")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentralServer]:
    server = CentralServer(tmp_path_factory.mktemp("central"))
    server.start()
    yield server
    server.stop()
