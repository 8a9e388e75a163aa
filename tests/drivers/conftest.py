"""Both virtual readers of the process's pcscd, watched by the card driver."""

from collections.abc import Iterator

import pytest
from ears import Ears

from drivers.smartcard import CardReader
from drivers.supervisor import Supervisor
from drivers.virtual.pcscd import VirtualPcscd
from kiosk.ports import DeviceChanged, DeviceState


@pytest.fixture
def readers(pcscd: VirtualPcscd) -> Iterator[Ears]:
    """Both virtual readers under a supervisor, ready."""
    ears = Ears()
    supervisor = Supervisor([CardReader("reader", "Shelfpoint", ears)], ears, back_off_s=(0.05,))
    supervisor.start()
    ears.until(lambda event: isinstance(event, DeviceChanged) and event.status.state is DeviceState.READY)
    yield ears
    supervisor.stop()
    for reader in (0, 1):
        pcscd.plug(reader)
