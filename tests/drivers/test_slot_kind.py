"""What a slot takes, told by its PC/SC name: names as the CCID driver makes them from its list of readers (A2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.card_reading import Slots
from drivers.slot_kind import SlotKind, slot_kind

UTRUST_4711 = "Identiv Identiv uTrust 4711 F CL + SAM Reader"
CLOUD_4510 = "Identive Identive CLOUD 4510 F Contactless + SAM Reader"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00", SlotKind.CONTACTLESS),
        ("ACS ACR1252 1S CL Reader [ACR1252 Dual Reader SAM] 01 00", SlotKind.SAM),
        ("ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader ICC] 00 00", SlotKind.CONTACT),
        ("ACS ACR1552 [ACR1552 1S CL Reader PICC] (RR554-000123) 00 00", SlotKind.CONTACTLESS),
        ("ACS ACR1552 [ACR1552 1S CL Reader SAM] (RR554-000123) 01 00", SlotKind.SAM),
        (f"{UTRUST_4711} [uTrust 4711 F SAM Reader] (55291748200123) 00 00", SlotKind.SAM),
        (f"{UTRUST_4711} [uTrust 4711 F CL Reader] (55291748200123) 01 00", SlotKind.CONTACTLESS),
        (f"{CLOUD_4510} [CLOUD 4510 F SAM Reader] (53201235200456) 00 00", SlotKind.SAM),
        (f"{CLOUD_4510} [CLOUD 4510 F Contactless Reader] (53201235200456) 01 00", SlotKind.CONTACTLESS),
        (f"{UTRUST_4711} (55291748200123) 00 00", None),
        ("Identiv uTrust 3512 SAM slot Token [CCID Interface] (5512170123) 00 00", SlotKind.SAM),
        ("Feitian R502 [R502 SAM1 Reader] 02 00", SlotKind.SAM),
        ("DC.Ltd DC4 5CCID READER [DC4 SAMX_Reader] 01 00", SlotKind.SAM),
        ("DC.Ltd DC4 5CCID READER [DC4 Contactless_Reader] 00 00", SlotKind.CONTACTLESS),
        ("Gemalto Prox Dual USB PC Link Reader [Prox-DU Contact_10500231] (10500231) 01 00", SlotKind.CONTACT),
        ("Broadcom Corp 58200 [Contacted SmartCard] (0123456789ABCD) 00 00", SlotKind.CONTACT),
        ("HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] 01 00", SlotKind.CONTACTLESS),
        ("HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422 Smartcard Reader] 00 00", None),
        ("ACS ACR122U PICC Interface 00 00", SlotKind.CONTACTLESS),
        ("InfoThink IT-500U Reader 00 00", None),
        ("Maker Reader (SAM CL) 00 00", None),
        ("SAMSUNG Contactless Reader 00 00", SlotKind.CONTACTLESS),
    ],
)
def test_the_kind_of_a_slot_is_told_by_its_interface_and_then_by_its_product(name: str, kind: SlotKind | None) -> None:
    assert slot_kind(name) is kind


def test_what_the_settings_say_outranks_the_name() -> None:
    sam = f"{UTRUST_4711} [uTrust 4711 F SAM Reader] (55291748200123) 00 00"
    assert not Slots().takes(sam)
    assert Slots(SlotKind.CONTACTLESS).takes(sam)
    assert not Slots(SlotKind.CONTACTLESS).is_contact("ACS ACR39U ICC Reader 00 00")


@given(st.text(max_size=80))
def test_no_name_breaks_it(name: str) -> None:
    assert slot_kind(name) in (None, *SlotKind)
