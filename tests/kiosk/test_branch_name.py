"""The branch is called as central names it, in the header and on slips; by the settings only until it has (D6)."""

from fakes import EASYCARD, Kiosk, book

from kiosk.domain.values import BranchId
from kiosk.ports import CardArrived, CodeRead, Intent, Started, Touched


def lent(kiosk: Kiosk) -> tuple[str, str]:
    """Name in the header, and the slip."""
    kiosk.hear(Started(), CardArrived("reader", EASYCARD), CodeRead("scanner", book(1).id))
    view = kiosk.hear(Touched(Intent.FINISH))
    return view.branch_name, view.slip_text


def test_centrals_name_stands_in_the_header_and_on_the_slip() -> None:
    kiosk = Kiosk()
    kiosk.library.names = {BranchId("main"): "新總館"}
    name, slip = lent(kiosk)
    assert name == "新總館"
    assert "新總館" in slip


def test_until_central_has_said_a_name_the_settings_do() -> None:
    kiosk = Kiosk()
    kiosk.library.names = {}
    name, slip = lent(kiosk)
    assert name == "總館"
    assert "總館" in slip
