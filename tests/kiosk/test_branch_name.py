"""The branch is called as central names it, in the header and on slips; by the settings only until it has (D6)."""

from fakes import EASYCARD, SETTINGS, Kiosk, book

from kiosk.domain.values import BranchId
from kiosk.ports import CardArrived, CodeRead, Intent, Started, Touched


def lent(kiosk: Kiosk) -> tuple[str, str, str]:
    """Library and branch in the header, and the slip."""
    kiosk.hear(Started(), CardArrived("reader", EASYCARD), CodeRead("scanner", book(1).id))
    view = kiosk.hear(Touched(Intent.FINISH))
    return view.library_name, view.branch_name, view.slip_text


def test_centrals_name_stands_in_the_header_and_on_the_slip() -> None:
    kiosk = Kiosk()
    kiosk.library.names = {BranchId("main"): "新總館"}
    kiosk.library.of_library = "新市立圖書館"
    library, branch, slip = lent(kiosk)
    assert (library, branch) == ("新市立圖書館", "新總館")
    assert library in slip
    assert branch in slip


def test_until_central_has_said_a_name_the_settings_do() -> None:
    kiosk = Kiosk()
    kiosk.library.names = {}
    library, branch, slip = lent(kiosk)
    assert (library, branch) == (SETTINGS.library_name, "總館")
    assert library in slip
    assert branch in slip
