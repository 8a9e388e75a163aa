"""`shelfpoint kiosk setup`: from an empty folder to an enrolled kiosk on real device paths, step by step (D6, L3)."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from central_server import CentralServer

from config.settings import CardRule, load
from drivers.virtual.card import VirtualReader, card_with
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from kiosk.domain.identity import Base, ByteOrder
from sync.central_client import load_identity
from sync.owner import owned
from ui.cli.setup_file import with_section
from ui.cli.setup_steps import cards_section

SHELFPOINT = Path(sys.executable).with_name("shelfpoint")
UID = bytes.fromhex("E7FADE26")
NUMBER = "0652147431"
NAMES = ("--library-name", "青田市立圖書館", "--branch", "main", "--branch-name", "總館")
SHAPES = ("--item-code", "C0000123", "--patron-code", "P0000001")
STEPS = ["devices", "enrol", "print", "card", "book", "doctor"]
Words = tuple[str, ...]


class Setup:
    """The installed command on one settings file; what it says on standard error is read line by line."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "etc" / "kiosk.toml"
        self.folders: Words = ("--data", str(folder / "data"), "--keys", str(folder / "keys"))

    def run(self, *words: str, answers: str = "", hear: Callable[[str], None] = lambda line: None) -> tuple[int, str]:
        command = [SHELFPOINT, "kiosk", "setup", "--config", self.config, *words]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            running.stdin.write(answers)
            running.stdin.close()
            lines = []
            for line in running.stdout:
                lines.append(line)
                hear(line)
            return running.wait(), "".join(lines)

    def devices(self, *words: str) -> tuple[int, str]:
        return self.run("--no-input", "--step", "devices", *NAMES, *SHAPES, *self.folders, *words)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


@pytest.fixture
def central(tmp_path: Path) -> Iterator[CentralServer]:
    server = CentralServer(tmp_path / "central")
    server.start()
    yield server
    server.stop()


@pytest.mark.xdist_group("pcscd")
def test_one_command_takes_an_empty_folder_to_a_kiosk_that_may_open(
    setup: Setup, central: CentralServer, pcscd: VirtualPcscd, tmp_path: Path
) -> None:
    pcscd.start()
    reader, scanner = VirtualReader(pcscd.ports[0]), VirtualScanner(tmp_path / "scanner")
    scanner.plug()
    reader.lay(card_with(UID))

    def person(line: str) -> None:
        if "scan the label" in line:
            scanner.scan("C0000123")

    with VirtualPrinter() as printer:
        code, output = setup.run(
            "--no-input", *NAMES, *SHAPES, *setup.folders,
            "--reader", "Virtual PICC 0", "--scanner", str(scanner.link), "--printer", f"127.0.0.1:{printer.port}",
            "--url", central.url, "--code", central.enrolment_code(), "--number", NUMBER,
            hear=person,
        )  # fmt: skip
        slip = printer.wait_for_slip()
    reader.take()
    scanner.unplug()
    steps = [line.partition(":")[0] for line in output.splitlines() if line.partition(":")[0] in STEPS]
    assert steps[:5] == STEPS[:5], output
    settings = load(setup.config)
    assert (settings.library_name, settings.devices.printers[0].port) == ("青田市立圖書館", printer.port)
    assert any("青田市立圖書館" in line for line in slip.text)
    (rule,) = settings.cards
    assert (rule.base, rule.order, rule.uid_length) == ("dec", "reversed", 4)
    assert settings.visit().spelling[next(iter(settings.visit().spelling))].spell(UID) == NUMBER
    identity = load_identity(settings.keys)
    assert identity is not None
    assert identity.branch == "main"
    assert "C0000123 is a book" in output
    assert "doctor: " in output
    assert code in (0, 1)  # the doctor judges this very machine


def test_a_step_repeated_alone_changes_its_own_lines_only(setup: Setup) -> None:
    assert setup.devices("--printer", "192.0.2.10")[0] == 0
    text = setup.config.read_text(encoding="utf-8")
    by_hand = '\n[screen]\nidle_s = 90\n\n[[codes]]\ntype = "event"\npattern = "E[0-9]{5}"\n'
    setup.config.write_text(text + by_hand, encoding="utf-8")
    code, output = setup.devices("--printer", "192.0.2.11:9101", "--printer-profile", "TM-T88V")
    assert code == 0, output
    settings = load(setup.config)
    assert (settings.screen.idle_s, [rule.type.value for rule in settings.codes]) == (90, ["item", "patron", "event"])
    (printer,) = settings.devices.printers
    assert (printer.host, printer.port, printer.profile) == ("192.0.2.11", 9101, "TM-T88V")
    (copy,) = setup.config.parent.glob("kiosk.toml.replaced-*")
    assert copy.read_text(encoding="utf-8") == text + by_hand
    again, output = setup.devices("--printer", "192.0.2.11:9101", "--printer-profile", "TM-T88V")
    assert (again, len(list(setup.config.parent.iterdir()))) == (0, 2), output


def test_a_file_that_somebody_else_wrote_is_replaced_only_when_that_is_said(setup: Setup) -> None:
    setup.config.parent.mkdir()
    setup.config.write_text("# by hand\n", encoding="utf-8")
    code, output = setup.devices()
    assert (code, "--replace replaces it, a copy stays" in output) == (1, True)
    assert setup.config.read_text(encoding="utf-8") == "# by hand\n"
    assert setup.devices("--replace")[0] == 0
    (copy,) = setup.config.parent.glob("kiosk.toml.replaced-*")
    assert copy.read_text(encoding="utf-8") == "# by hand\n"
    assert load(setup.config).branch_name == "總館"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--printer", "192.0.2.10", "--printer-profile", "tm t88v"), "expected TM-T88V or "),
        (("--keys", "{data}/keys"), "expected a folder outside data"),
        (("--reader", "ACR("), "expected a regular expression"),
    ],
)
def test_settings_that_no_kiosk_can_use_are_told_and_not_written(
    setup: Setup, words: Words, sentence: str, tmp_path: Path
) -> None:
    code, output = setup.devices(*(word.format(data=tmp_path / "data") for word in words))
    assert (code, sentence in output) == (2, True), output
    assert str(setup.config) in output or "printer" in output
    assert ".new" not in output
    assert not setup.config.exists()
    assert not list(setup.config.parent.iterdir())


def test_what_nobody_answers_is_asked_for_by_its_option(setup: Setup) -> None:
    code, output = setup.run("--no-input", "--step", "devices")
    assert (code, "Name of the library: say --library-name." in output) == (1, True)
    code, output = setup.run("--no-input", "--step", "enrol", "--url", "http://127.0.0.1:9", "--code", "X")
    assert (code, "first --step devices" in output) == (1, True)


def test_a_person_is_asked_for_everything_and_may_skip_what_fails(setup: Setup) -> None:
    answers = "\n".join(
        [
            "青田市立圖書館",
            "main",
            "總館",
            "C0000123",
            "",
            "192.0.2.10",
            "TM T88",
            "TM-T88V",
            "http://127.0.0.1:9",
            "AAAA-BBBB-CCCC",
            "skip",
        ]
    )
    code, output = setup.run(
        "--step",
        "devices",
        "--step",
        "enrol",
        *setup.folders,
        "--reader",
        "x",
        "--scanner",
        "/dev/x",
        answers=answers + "\n",
    )
    assert code == 1, output
    settings = load(setup.config)
    assert (settings.branch_name, settings.devices.printers[0].profile) == ("總館", "TM-T88V")
    assert "No printer is known as 'TM T88'. Known: TM-T88" in output
    assert "A code lives an hour and works once" in output
    assert f"Then: shelfpoint kiosk setup --config {setup.config} --step enrol" in output


def rules_in(text: str) -> list[CardRule]:
    return [CardRule.model_validate(table) for table in tomllib.loads(text).get("cards", [])]


def test_a_rule_for_other_cards_does_not_end_the_usual_one() -> None:
    section = cards_section("", [CardRule(uid_length=7, order=ByteOrder.REVERSED)])
    assert section is not None
    assert rules_in(section) == [CardRule(), CardRule(uid_length=7, order=ByteOrder.REVERSED)]
    text = with_section("", "cards", section)
    again = cards_section(text, [CardRule(base=Base.DECIMAL, pad_to=10)])
    assert again is not None
    assert rules_in(again) == [CardRule(base=Base.DECIMAL, pad_to=10), CardRule(uid_length=7, order=ByteOrder.REVERSED)]


def test_a_rule_that_was_written_by_hand_is_not_doubled() -> None:
    by_hand = "[[cards]]\nuid_length = 7\n"
    assert cards_section(by_hand, [CardRule(uid_length=7)]) is None
    section = cards_section(by_hand, [CardRule()])
    assert section is not None
    assert rules_in(section) == [CardRule()]


def test_a_wrong_code_and_a_central_that_knows_another_branch_are_told(setup: Setup, central: CentralServer) -> None:
    assert (
        setup.run(
            "--no-input",
            "--step",
            "devices",
            *NAMES[:2],
            "--branch",
            "annex",
            "--branch-name",
            "分館",
            *SHAPES,
            *setup.folders,
        )[0]
        == 0
    )
    code, output = setup.run("--no-input", "--step", "enrol", "--url", central.url, "--code", "AAAA-BBBB-CCCC")
    assert (code, "'shelfpoint central enrol --branch …' at central makes another" in output) == (1, True), output
    code, output = setup.run("--no-input", "--step", "enrol", "--url", central.url, "--code", central.enrolment_code())
    assert (code, "branch is main now, as central says" in output) == (0, True), output
    assert load(setup.config).branch == "main"
    code, output = setup.run("--no-input", "--step", "enrol")
    assert (code, "already; --code enrols it anew" in output) == (0, True)


def test_a_printer_that_is_away_is_told_with_what_to_do(setup: Setup) -> None:
    with VirtualPrinter() as printer:
        setup.devices("--printer", f"127.0.0.1:{printer.port}")
        printer.paper_out_now()
        code, output = setup.run("--no-input", "--step", "print")
    assert (code, "Is the printer on, with paper and a closed cover?" in output) == (1, True), output


def test_a_book_with_an_unknown_shape_becomes_one_when_a_person_says_so(setup: Setup, tmp_path: Path) -> None:
    scanner = VirtualScanner(tmp_path / "scanner")
    scanner.plug()
    setup.devices("--scanner", str(scanner.link))

    def person(line: str) -> None:
        if "scan the label" in line:
            scanner.scan("T12345")

    code, output = setup.run("--no-input", "--step", "book", hear=person)
    assert (code, "--step devices --item-code T12345 writes this one" in output) == (1, True), output
    code, output = setup.run("--step", "book", answers="y\n", hear=person)
    scanner.unplug()
    assert (code, "T12345 is a book; its shape is written" in output) == (0, True), output
    assert [rule.pattern for rule in load(setup.config).codes] == ["C[0-9]{7}", "P[0-9]{7}", "T[0-9]{5}"]


def test_an_account_that_is_not_there_is_told(setup: Setup) -> None:
    code, output = setup.run("--no-input", "--step", "doctor", "--user", "nobody-of-this-name")
    assert (code, "There is no account nobody-of-this-name" in output) == (2, True)


def test_while_the_kiosk_runs_nothing_is_tried(setup: Setup, tmp_path: Path) -> None:
    setup.devices()
    with owned(tmp_path / "data"):
        code, output = setup.run("--no-input", "--step", "print")
    assert (code, "Stop it first: systemctl stop shelfpoint-kiosk" in output) == (1, True)


def test_the_file_can_be_read_by_the_kiosks_account_and_is_toml(setup: Setup) -> None:
    setup.devices("--scanner", '/dev/"quoted"\\path')
    assert setup.config.stat().st_mode & 0o777 == 0o644
    assert (
        tomllib.loads(setup.config.read_text(encoding="utf-8"))["devices"]["scanners"][0]["path"]
        == '/dev/"quoted"\\path'
    )
