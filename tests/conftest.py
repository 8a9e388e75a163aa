"""One private pcscd for each test process: libpcsclite remembers the first socket path it was told."""

import os
from collections.abc import Iterator

import pytest

from drivers.virtual.pcscd import VirtualPcscd


@pytest.fixture(scope="session")
def pcscd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualPcscd]:
    daemon = VirtualPcscd(tmp_path_factory.mktemp("pcscd"), readers=2)
    daemon.start()
    os.environ.update(daemon.environment)
    yield daemon
    daemon.stop()
