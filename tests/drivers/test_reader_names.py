"""One entry for each physical reader: pasted, every card counts once (A8, L3)."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Devices
from drivers.reader_names import physical_readers
from drivers.slot_kind import SlotKind, slot_kind
from drivers.suggest import suggestions
from drivers.virtual.pcscd import VirtualPcscd

ACR1252 = (
    "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader PICC] 00 00",
    "ACS ACR1252 1S CL Reader [ACR1252 Dual Reader SAM] 01 00",
)
OMNIKEY = (
    "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422 Smartcard Reader] (KN01) 01 00",
    "HID Global OMNIKEY 5422 Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] (KN01) 00 00",
)
ACR1281 = (
    "ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader ICC] 00 00",
    "ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader PICC] 01 00",
    "ACS ACR1281 1S Dual Reader [ACR1281 1S Dual Reader SAM] 02 00",
)
SETS = {
    "two slots of one device": (("Virtual PCD 00 00", "Virtual PCD 00 01"), 1),
    "two of one model with serial numbers": (
        ("ACS ACR122U PICC Interface (SN0001) 00 00", "ACS ACR122U PICC Interface (SN0002) 01 00"),
        2,
    ),
    "two of one model without": (("ACS ACR122U PICC Interface 00 00", "ACS ACR122U PICC Interface 01 00"), 2),
    "two of one model, one with a serial number": (
        ("ACS ACR122U PICC Interface 00 00", "ACS ACR122U PICC Interface (SN0002) 01 00"),
        2,
    ),
    "one with a SAM slot": (ACR1252, 1),
    "two with SAM slots": ((*ACR1252, *(re.sub(r"0(\d) 00$", r"1\1 00", name) for name in ACR1252)), 2),
    "contact, contactless and SAM": (ACR1281, 1),
    "contact and contactless, of which one name says it": (OMNIKEY, 1),
    "contact only": (("InfoThink IT-500U Reader 00 00", "Gemalto PC Twin Reader (8A1) 01 00"), 2),
    "a name that begins with another": (("Reader 00 00", "Reader 5 00 00", "My Reader 00 00"), 3),
    "a name with signs that mean something in a pattern": (("R+ (x|y) [a-z] (SN.1) 0A 00",), 1),
    "a name without numbers": (("Windows Hello 1",), 1),
}


def pasted(names: tuple[str, ...]) -> Devices:
    return Devices.model_validate(tomllib.loads("\n\n".join(suggestions(names, ())))["devices"])


@pytest.mark.parametrize("kind", SETS)
def test_pasted_suggestions_match_every_patrons_slot_once(kind: str) -> None:
    names, readers = SETS[kind]
    entries = pasted(names).readers
    assert len(entries) == readers
    spare = {name for reader in physical_readers(names) if reader.spare for name in reader.names}
    for name in names:
        matches = sum(re.search(entry.pattern, name) is not None for entry in entries)
        assert matches == (0 if slot_kind(name) is SlotKind.SAM or name in spare else 1), name


@given(
    st.lists(
        st.builds(
            lambda model, serial, number, slot: f"{model}{serial and f' ({serial})'} {number:02X} {slot:02X}",
            st.sampled_from(["A", "A B", "B", "A [x PICC]", "A [x ICC]", "A.B", "A 00 00"]),
            st.sampled_from(["", "1", "11", "?"]),
            st.integers(0, 17),
            st.integers(0, 2),
        ),
        unique=True,
        max_size=8,
    )
)
def test_no_two_readers_of_any_machine_share_a_name(names: list[str]) -> None:
    readers = physical_readers(names)
    for name in names:
        (owner,) = [reader for reader in readers if re.search(reader.pattern, name)]
        assert name in owner.names


@pytest.mark.parametrize("kind", ["two of one model with serial numbers", "one with a SAM slot", "contact only"])
def test_a_reader_is_known_again_after_another_order_of_plugging(kind: str) -> None:
    names, _ = SETS[kind]
    other = [re.sub(r" [0-9A-F]{2} (?=[0-9A-F]{2}$)", " 0B ", name) for name in names]
    for reader in physical_readers(names):
        assert sum(re.search(reader.pattern, name) is not None for name in other) == 1


def test_two_that_only_plugging_tells_apart_are_said_to_be_so() -> None:
    first, _ = suggestions(SETS["two of one model without"][0], ())
    assert 'pattern = "^ACS ACR122U PICC Interface 00 [0-9A-F]{2}$"' in first
    assert "only the order of plugging tells them apart" in first


def test_the_contact_slot_beside_a_contactless_one_is_a_remark() -> None:
    contact, contactless = suggestions(OMNIKEY, ())
    assert all(line.startswith("#") for line in contact.splitlines())
    assert tomllib.loads(contactless)["devices"]["readers"] == [
        {"pattern": tomllib.loads(contactless)["devices"]["readers"][0]["pattern"]}
    ]


@pytest.mark.xdist_group("pcscd")
def test_the_command_suggests_each_virtual_reader_once(pcscd: VirtualPcscd) -> None:
    pcscd.start()
    command = [Path(sys.executable).with_name("shelfpoint"), "devices", "suggest"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    entries = Devices.model_validate(tomllib.loads(done.stdout)["devices"]).readers
    names = [f"Shelfpoint Virtual PICC {number} 0{number} 00" for number in range(2)]
    assert [[bool(re.search(entry.pattern, name)) for name in names] for entry in entries] == [
        [True, False],
        [False, True],
    ]
