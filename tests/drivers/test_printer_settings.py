"""From the settings of a printer to its driver: each way in has one, and every mistake is told (L1)."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ears import Ears
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.settings import BadSettings, Devices, Printer
from drivers.catalog import door_of, slip_printer
from drivers.escpos import build
from drivers.link import TcpDoor
from drivers.printer import SlipPrinter
from drivers.printer_profiles import PROFILES
from drivers.queue_printer import QueuePrinter
from drivers.serial_link import SerialDoor
from drivers.suggest import printer_suggestions
from drivers.typesetting import cells
from drivers.usb_link import UsbDoor
from drivers.usb_ports import UsbPort
from drivers.virtual.printer import VirtualPrinter
from kiosk import slip
from kiosk.slip import Line, Pair
from kiosk.words import Language


@pytest.mark.parametrize(
    ("entry", "door"),
    [
        (Printer(host="printer.example"), TcpDoor("printer.example", 9100)),
        (Printer(path="/dev/serial/by-id/usb-x", baud=19200), SerialDoor("/dev/serial/by-id/usb-x", 19200)),
        (Printer(path="/dev/usb/lp0"), UsbDoor("/dev/usb/lp0")),
        (Printer(path="usb:0416:5011:A1"), UsbDoor("usb:0416:5011:A1")),
    ],
)
def test_every_way_to_a_printer_has_its_door(entry: Printer, door: object) -> None:
    assert door_of(entry) == door
    assert isinstance(slip_printer(entry, Ears()), SlipPrinter)


def test_a_queue_has_a_driver_of_its_own_that_asks_for_no_confirmation() -> None:
    printer = slip_printer(Printer(queue="slips", profile="generic-58-big5"), Ears())
    assert isinstance(printer, QueuePrinter)
    assert (printer.profile.confirms, printer.profile.width_dots) == ("none", 384)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "one of host"),
        ({"host": "a", "queue": "b"}, "one of host"),
        ({"path": "/dev/usb/lp0", "queue": "b"}, "one of host"),
        ({"queue": "-h evil"}, "the name of a print queue"),
        ({"queue": "two words"}, "the name of a print queue"),
        ({"queue": "slips", "confirms": "gs_h"}, "no key confirms beside queue"),
        ({"queue": "slips", "news": True}, "no key news or near_end beside queue"),
        ({"host": "a", "width_dots": 580}, "multiple of 8"),
        ({"host": "a", "cjk": "utf8"}, "'big5', 'gb18030' or 'none'"),
    ],
)
def test_mistakes_in_the_settings_of_a_printer_are_told(values: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Printer.model_validate(values)


def test_every_fact_that_differs_within_a_family_can_be_said_in_the_settings() -> None:
    entry = Printer.model_validate(
        {
            "host": "printer.example",
            "profile": "generic-80-big5",
            "width_dots": 512,
            "cjk": "gb18030",
            "cutter": False,
            "native_qr": False,
            "near_end": False,
            "news": True,
            "confirms": "gs_h",
        }
    )
    profile = slip_printer(entry, Ears()).profile
    assert (profile.width_dots, profile.columns, profile.cjk) == (512, 42, "gb18030")
    assert (profile.cutter, profile.native_qr, profile.near_end, profile.news) == (False, False, False, True)
    assert profile.confirms == "gs_h"
    assert profile.title == (
        "generic-80-big5, width_dots = 512, columns = 42, cjk = gb18030, cutter = false, native_qr = false,"
        " confirms = gs_h, news = true, near_end = false"
    )
    assert PROFILES["generic-80-big5"].title == "generic-80-big5"
    assert slip_printer(Printer(host="printer.example"), Ears()).profile is not profile
    assert slip_printer(Printer(host="printer.example"), Ears()).profile == PROFILES["generic-80-big5"]


def test_a_key_for_the_columns_outranks_what_the_width_would_give() -> None:
    entry = Printer(host="printer.example", profile="TM-T20II", columns=42)
    profile = slip_printer(entry, Ears()).profile
    assert (profile.width_dots, profile.columns, profile.title) == (576, 42, "TM-T20II, columns = 42")
    narrow = slip_printer(Printer(host="printer.example", width_dots=512, columns=40), Ears()).profile
    assert (narrow.width_dots, narrow.columns) == (512, 40)


def test_the_columns_of_the_settings_are_the_width_of_every_printed_line() -> None:
    long = slip.Slip(
        kind=slip.SlipKind.TEST,
        language=Language.ZH_TW,
        blocks=(Line("圖書館" * 30), Pair("書名", "應還日期 2026/12/19")),
    )
    for columns in (24, 33, 48):
        profile = slip_printer(Printer(host="printer.example", columns=columns), Ears()).profile
        with VirtualPrinter(profile=profile) as twin:
            link = TcpDoor("127.0.0.1", twin.port).open(1.0)
            link.write(build(long, profile).data, 2.0)
            lines = twin.wait_for_slip().text
            link.close()
        assert max(cells(line) for line in lines) in (columns, columns - 1)
        assert all(cells(line) <= columns for line in lines)


def test_more_columns_than_the_width_can_hold_are_told() -> None:
    with pytest.raises(BadSettings, match="printer slips: key columns: expected at most 42 on 512 dots, got 48"):
        slip_printer(Printer(name="slips", host="printer.example", profile="TM-T88V", columns=48), Ears())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ("generic-80-big5", "576", "48", "Big5", "有", "GS r")),
        (
            {"cjk": "gb18030", "width_dots": 512, "cutter": False, "confirms": "gs_h"},
            ("cjk = gb18030", "512", "42", "GB18030", "無", "GS ( H"),
        ),
        ({"profile": "generic-80-raster", "confirms": "none"}, ("raster", "576", "48", "以圖形列印", "有", "無")),
    ],
)
def test_the_test_page_says_what_the_printer_is_really_taken_for(
    values: dict[str, object], said: tuple[str, ...]
) -> None:
    printer = slip_printer(Printer.model_validate({"host": "printer.example", "name": "slips", **values}), Ears())
    page = slip.test_page(
        language=Language.ZH_TW,
        library_name="青田市立圖書館",
        printer=printer.profile.machine("slips"),
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )
    (title,) = [block.text for block in page.blocks if isinstance(block, Line) and block.text.startswith("slips: ")]
    facts = {block.label: block.value for block in page.blocks if isinstance(block, Pair)}
    assert said[0] in title
    labels = ("寬度（點）", "每行字數", "中文字碼", "裁刀", "列印確認")
    assert tuple(facts[label] for label in labels) == said[1:]
    ruler = "".join(str(place % 10) for place in range(1, int(said[2]) + 1))
    assert Line(ruler) in page.blocks


@pytest.mark.parametrize("path", ["usb:416:5011", "usb:0416", "usb:0416:5011:"])
def test_a_name_that_is_none_is_told_with_the_form_it_should_have(path: str) -> None:
    with pytest.raises(BadSettings, match="expected usb:VENDOR:PRODUCT"):
        slip_printer(Printer(path=path), Ears())


def test_the_settings_in_the_manual_are_good() -> None:
    manual = Path("docs/devices.md").read_text(encoding="utf-8")
    examples = manual.partition("```toml\n")[2].partition("```")[0].replace("…", "x")
    devices = Devices.model_validate(tomllib.loads(examples)["devices"])
    assert len(devices.printers) == 3
    assert all(slip_printer(entry, Ears()) for entry in devices.printers)


def test_suggestions_for_printers_are_settings_and_show_no_password() -> None:
    usb = UsbPort(path="/dev/usb/lp0", vendor="0416", product="5011", serial="A1", model="POS80")
    found = printer_suggestions([usb], [("slips", "ipp://clerk:se@cret@printer.example/ipp")])
    printers = Devices.model_validate(tomllib.loads("\n".join(found))["devices"]).printers
    assert [(entry.path, entry.queue) for entry in printers] == [("usb:0416:5011:A1", ""), ("", "slips")]
    assert "ipp://printer.example/ipp" in found[1]
    assert "cret" not in found[1]


@given(st.text(min_size=1), st.text(), st.text())
def test_no_name_of_a_device_breaks_a_suggestion(model: str, serial: str, address: str) -> None:
    usb = UsbPort(path="/dev/usb/lp0", vendor="0416", product="5011", serial=serial, model=model)
    found = printer_suggestions([usb], [(model, address)])
    assert len(tomllib.loads("\n".join(found))["devices"]["printers"]) == 2
