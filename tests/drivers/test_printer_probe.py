"""Setting a printer up: what it tells is asked of it, what it cannot tell is read off a page by a person (A8, L1)."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.settings import load
from drivers.catalog import slip_printer
from drivers.escpos import AnswerReader, InfoAnswer, MarkAnswer, SymbolAnswer
from drivers.link import TcpDoor
from drivers.printer_probe import Findings, probe
from drivers.printer_profiles import PROFILES, Profile, profile_called
from drivers.probe_page import WIDTHS, probe_page
from drivers.virtual.printer import VirtualPrinter
from ui.cli.device_ears import Heard
from ui.cli.device_probing import Seen, settings_of
from ui.cli.main import shelfpoint

SETTINGS = """
library_name = "青田市立圖書館"
branch = "main"
branch_name = "Main"
data = "data"
keys = "keys"
codes = [{{ type = "item", pattern = "C[0-9]{{7}}" }}]

[[devices.printers]]
host = "127.0.0.1"
port = {port}
"""


def found_on(twin: VirtualPrinter, answer_s: float = 1.0) -> Findings:
    link = TcpDoor("127.0.0.1", twin.port).open(1.0)
    try:
        return probe(link, answer_s)
    finally:
        link.close()


@pytest.mark.parametrize(
    ("profile", "cjk", "cutter", "native_qr"),
    [
        (PROFILES["generic-80-big5"], "big5", True, True),
        (PROFILES["generic-80-gb18030"], "gb18030", True, True),
        (PROFILES["generic-58-big5"], "big5", False, None),
        (PROFILES["generic-80-raster"], None, True, None),
    ],
)
def test_a_printer_that_answers_tells_its_characters_its_knife_and_its_qr_codes(
    profile: Profile, cjk: str | None, cutter: bool, native_qr: bool | None
) -> None:
    with VirtualPrinter(profile=profile) as twin:
        found = found_on(twin, 0.3)
        assert (found.cjk, found.cutter, found.native_qr) == (cjk, cutter, native_qr)
        assert (found.maker, found.model, found.news) == ("SHELFPOINT", "TWIN", True)
        assert (twin.slips(), twin.strange()) == ([], [])


def test_one_that_keeps_to_itself_tells_nothing_and_nothing_is_made_up() -> None:
    with VirtualPrinter() as twin:
        twin.keep_to_itself()
        twin.near_end(True)
        found = found_on(twin, 0.1)
        assert (found.cjk, found.cutter, found.native_qr, found.maker, found.characters) == (None, None, None, "", "")
        assert (found.state, found.confirms, found.low) == (True, "gs_h", True)


@pytest.mark.parametrize(
    ("characters", "cjk"),
    [
        ("TAIWAN BIG-5", "big5"),
        ("CHINA GB2312", "gb18030"),
        ("CHINA GB18030", "gb18030"),
        ("KANJI JAPANESE", None),
        ("", None),
    ],
)
def test_what_it_calls_its_characters_is_understood(characters: str, cjk: str | None) -> None:
    told = Findings(state=True, fault=None, confirms="none", news=False, characters=characters)
    assert told.cjk == cjk


def test_answers_about_itself_come_in_any_pieces_among_others() -> None:
    reader = AnswerReader()
    heard = []
    for byte in b"_EPS" + b"ON\0" + b"\x03" + b"\x37\x36100\x1f100\x1f1\x1f0\0" + b"_\xff\0":
        heard += reader.feed(bytes([byte]))
    assert heard == [InfoAnswer("EPSON"), MarkAnswer(3), SymbolAnswer(b"100\x1f100\x1f1\x1f0"), InfoAnswer("\ufffd")]


@pytest.mark.parametrize(("name", "readable"), [("generic-80-big5", 0), ("generic-80-gb18030", 1)])
def test_the_page_shows_bars_both_codes_and_a_qr_code(name: str, readable: int) -> None:
    with VirtualPrinter(profile=PROFILES[name]) as twin:
        link = TcpDoor("127.0.0.1", twin.port).open(1.0)
        link.write(probe_page(), 2.0)
        page = twin.wait_for_slip()
        link.close()
    assert (page.rasters, page.codes) == (len(WIDTHS), ("SHELFPOINT",))
    lines = [line.strip() for line in page.text]
    assert [line for line in lines if line.isdigit()] == [str(width) for width in WIDTHS]
    chinese = [line.partition(": ")[2] for line in lines if line.startswith(("big5: ", "gb18030: "))]
    assert [line == "圖書館借閱證" for line in chinese] == [readable == 0, readable == 1]
    assert twin.strange() == []


@pytest.mark.parametrize(
    ("name", "ends"), [("generic-58-big5", "C12"), ("TM-T88V", "D12"), ("generic-80-big5", "D12345678")]
)
def test_the_ruler_breaks_off_where_the_line_of_the_printer_ends(name: str, ends: str) -> None:
    profile = profile_called(name)
    assert profile is not None
    with VirtualPrinter(profile=profile) as twin:
        link = TcpDoor("127.0.0.1", twin.port).open(1.0)
        link.write(probe_page(), 2.0)
        lines = twin.wait_for_slip().text
        link.close()
    ruler = next(line for line in lines if line.startswith("123456789A"))
    assert (len(ruler), ruler.endswith(ends)) == (profile.columns, True)


def test_a_bar_wider_than_the_paper_has_lost_its_right_end() -> None:
    with VirtualPrinter(profile=PROFILES["generic-58-big5"]) as twin:
        link = TcpDoor("127.0.0.1", twin.port).open(1.0)
        link.write(probe_page(), 2.0)
        image = twin.wait_for_slip().image.convert("L").point(lambda grey: 0 if grey < 128 else 255)
        link.close()
    rows = [bytes(image.crop((0, y, image.width, y + 1)).tobytes()) for y in range(image.height)]
    whole = sum(row.count(0) == 32 and row[:16] == row[-16:] == bytes(16) for row in rows)
    cut_off = sum(row.count(0) == 16 and row[:16] == bytes(16) for row in rows)
    assert (whole, cut_off) == (16, 16 * (len(WIDTHS) - 1))


def call(tmp_path: Path, twin: VirtualPrinter, *words: str, answers: str = "") -> Result:
    config = tmp_path / "kiosk.toml"
    config.write_text(SETTINGS.format(port=twin.port), encoding="utf-8")
    return CliRunner().invoke(shelfpoint, ["devices", *words, "--config", str(config)], input=answers)


def test_the_command_asks_the_person_only_what_the_printer_did_not_tell(tmp_path: Path) -> None:
    with VirtualPrinter() as twin:
        done = call(tmp_path, twin, "probe", "printer", "--page", answers="576\n48\nno\n")
        twin.wait_for_slip()
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "width_dots = 576  # read off the page" in lines
    assert "columns = 48  # read off the page" in lines
    assert 'cjk = "big5"  # told by the printer' in lines
    assert "near_end = false  # read off the page" in lines
    assert lines[-1] == 'confirms = "gs_h"'
    assert "Was the page cut off" not in done.stderr


def test_a_silent_clone_is_described_by_the_person_and_what_nobody_knows_is_said(tmp_path: Path) -> None:
    with VirtualPrinter() as twin:
        twin.keep_to_itself()
        twin.ignore_marks()
        done = call(tmp_path, twin, "probe", "printer", "--page", answers="512\n?\ngb18030\nyes\nno\n?\n")
    assert done.exit_code == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if not line.startswith("# t")] == [
        "# calls itself: nothing",
        "width_dots = 512  # read off the page",
        "# columns: not known; as the profile says",
        'cjk = "gb18030"  # read off the page',
        "cutter = false  # read off the page",
        "native_qr = true  # read off the page",
        "# near_end: not known; as the profile says",
        "news = true  # told by the printer",
        'confirms = "none"',
    ]


def test_without_paper_no_page_is_tried(tmp_path: Path) -> None:
    with VirtualPrinter() as twin:
        twin.paper_out_now()
        done = call(tmp_path, twin, "probe", "printer", "--page")
    assert done.exit_code == 1
    assert "out of paper" in done.stderr


def test_what_it_prints_can_be_pasted_into_the_settings(tmp_path: Path) -> None:
    told = Findings(state=True, fault=None, confirms="gs_r", news=False, characters="TAIWAN BIG-5", cutter=True)
    seen = Seen(width_dots=512, columns=40, native_qr=False, near_end=False)
    config = tmp_path / "kiosk.toml"
    config.write_text(SETTINGS.format(port=9100) + "\n".join(settings_of(told, seen)), encoding="utf-8")
    (entry,) = load(config).devices.printers
    assert slip_printer(entry, Heard()).profile == replace(
        PROFILES["generic-80-big5"],
        width_dots=512,
        columns=40,
        native_qr=False,
        near_end=False,
        confirms="gs_r",
    )


def test_the_test_page_is_written_as_a_pdf_without_a_printer(tmp_path: Path) -> None:
    config, file = tmp_path / "kiosk.toml", tmp_path / "page.pdf"
    config.write_text(SETTINGS.partition("[[devices")[0].format(), encoding="utf-8")
    runner = CliRunner()
    done = runner.invoke(shelfpoint, ["devices", "test", "printer", "--pdf", str(file), "--config", str(config)])
    assert (done.exit_code, done.stdout) == (0, f"Written: {file}\n"), done.stderr
    assert file.read_bytes().startswith(b"%PDF-")
    nowhere = tmp_path / "no" / "page.pdf"
    failed = runner.invoke(shelfpoint, ["devices", "test", "printer", "--pdf", str(nowhere), "--config", str(config)])
    assert failed.exit_code == 1
    assert f"{nowhere} was not written: No such file or directory." in failed.stderr
