"""The demo's twins and cards, given into the hands of a script."""

from collections.abc import Callable

from drivers.virtual.hands import Hands
from ui.demo.stage import Stage
from ui.demo.table import codes, uids


def hands_on(stage: Stage, say: Callable[[str], None]) -> Hands:
    """Hands over every twin of the stage."""
    return Hands(
        reader=stage.reader,
        pcscd=stage.pcscd,
        scanner=stage.scanner,
        printer=stage.printer,
        network=stage.network,
        camera=stage.camera,
        cards=uids(),
        codes=codes(),
        say=say,
    )
