"""`shelfpoint workbench --play`: a script is read whole before anything starts, and what cannot be done is told."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ears import Ears

from drivers.scanner import SerialScanner
from drivers.supervisor import Supervisor
from drivers.virtual.pcscd import PcscdMissing, VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner
from drivers.virtual.script import Step, read_script
from kiosk.ports import CodeRead
from ui.cli.main import shelfpoint
from ui.cli.workbench import perform
from ui.demo.table import Table, codes, uids

ROOT = Path(__file__).resolve().parents[2]
TRAINING = ROOT / "docs" / "twins-training.txt"


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(shelfpoint, ["workbench", *map(str, words)])


def test_the_script_for_training_can_be_played() -> None:
    done = call("--check", "--play", TRAINING)
    assert (done.exit_code, done.stderr) == (0, "")
    steps = read_script(TRAINING.read_text(encoding="utf-8"), "training", uids())
    assert done.stdout == f"{TRAINING}: {len(steps)} steps, {sum(step.after_s for step in steps):g} s\n"


def test_a_bad_script_starts_nothing_and_every_bad_line_is_told(tmp_path: Path) -> None:
    script, folder = tmp_path / "day.txt", tmp_path / "stage"
    script.write_text("after 0 reader lay nobody\nafter 0 reader lift\nafter 0 camera stall\n", encoding="utf-8")
    done = call("--play", script, "--folder", folder)
    assert done.exit_code == 2
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{script}:1: expected a card (easycard, ipass, chip, ")
    assert second.startswith(
        f"{script}:3: expected a device, one of reader, pcscd, scanner, printer, network, trainer, "
    )
    assert not folder.exists()
    assert call("--check", "--camera", "--play", TRAINING).exit_code == 0


def test_a_script_that_is_no_text_and_a_check_of_nothing_are_refused(tmp_path: Path) -> None:
    script = tmp_path / "day.txt"
    script.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as text" in call("--play", script).stderr
    assert call("--check").exit_code == 2
    assert call("--play", tmp_path / "none.txt").exit_code == 2


def test_the_names_of_cards_are_those_on_the_table() -> None:
    assert set(uids()) == {"easycard", "ipass", "chip", "suspended", "expired", "overdue", "unknown"}
    assert set(codes()) == {"barcode", "mobile", "pending"}
    page = (ROOT / "docs" / "twins.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in (*uids(), *codes()))


class Stage:
    """As much of a stage as a scanned card needs; the card service is never started."""

    def __init__(self, folder: Path, scanner: VirtualScanner, printer: VirtualPrinter) -> None:
        self.scanner = scanner
        self.pcscd = VirtualPcscd(folder)
        self.printer = printer


def test_a_card_that_is_scanned_at_the_workbench_gives_its_number(tmp_path: Path) -> None:
    twin, ears = VirtualScanner(tmp_path / "scanner"), Ears()
    twin.plug()
    supervisor = Supervisor([SerialScanner("scanner", str(twin.link), 9600, ears)], ears)
    supervisor.start()
    ears.next()
    with VirtualPrinter() as printer:
        table = Table(Stage(tmp_path, twin, printer))  # type: ignore[arg-type]
        for card in table.cards():
            if card.scanned:
                table.scan(card.name)
                assert ears.next() == CodeRead("scanner", codes()[card.name])
    supervisor.stop()
    twin.unplug()


@pytest.mark.parametrize("error", [OSError("the scanner is unplugged"), PcscdMissing("pcscd did not come up")])
def test_what_a_twin_cannot_do_is_told_and_the_script_goes_on(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def do(step: Step) -> None:
        done.append(step.word)
        if step.word == "scan":
            raise error

    steps = read_script("after 0 scanner scan C1\nafter 0 trainer say Look.\nafter 0 reader lift\n", "s", uids())
    perform(steps, do, lambda seconds: False)
    told = capsys.readouterr()
    assert done == ["scan", "say", "lift"]
    assert told.err == f"   1  could not be done: {error}\n"
    assert told.out.splitlines() == [
        "   1  scanner scan C1",
        "   3  reader lift",
        "The script has ended; the workbench stays open.",
    ]
