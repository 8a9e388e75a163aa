"""README's "For the librarian's IT person", played out of its text: from an empty folder to the first loan and its slip (D6, L3).

Commands, questions and answers are README's own. Only what needs a whole machine is not done here: packages, the editor,
the stick and nginx (tests/deploy does that). A `systemctl` line runs the unit's ExecStart; paths lead into a folder of this
test; devices are the virtual ones behind a real pcscd, a pty and TCP.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from readme_session import Command, commands_of, pattern, run

from drivers.virtual.card import VirtualReader, card_with
from drivers.virtual.pcscd import VirtualPcscd
from drivers.virtual.printer import VirtualPrinter
from drivers.virtual.scanner import VirtualScanner

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
UID = bytes.fromhex("E7FADE26")
BOOK = "C0000123"
NEEDS_A_MACHINE = (
    "apt-get ", "sh /opt/shelfpoint/deploy/install.sh ", "editor ", "mount ", "cp /opt/shelfpoint/deploy/nginx",
    "ln -s /etc/nginx/", "nginx -t", "systemctl reload nginx",
)  # fmt: skip
"""Done by hand on a clean Debian 12 before each release, not here."""
BY_OPTION = ("Found scanner", "Found printer")
"""Questions about devices that are virtual here and named by options."""
CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")
START_S = 60.0


def section() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("## For the librarian's IT person\n")[2].partition("\n### Afterwards\n")[0]


class Machine:
    """Both machines of the section, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scanner = VirtualScanner(folder / "scanner")
        self.printer = VirtualPrinter()
        self.code = self.url = ""
        self.running: list[subprocess.Popen[str]] = []
        self.ran: list[str] = []
        for name in ("etc", "lib/imports", "stick", "backups", "bin"):
            (folder / name).mkdir(parents=True)
        (folder / "bin/shelfpoint-central").symlink_to(ROOT / "deploy" / "shelfpoint-central")
        self.environment = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{BIN}:{os.environ['PATH']}",
            "SHELFPOINT_CENTRAL_ACCOUNT": "",
            "SHELFPOINT_CENTRAL_DATA": str(folder / "lib" / "central"),
            "SHELFPOINT_CONFIG": str(folder / "etc" / "kiosk.toml"),
            "QT_QPA_PLATFORM": "offscreen",
            "QT_QUICK_BACKEND": "software",
            "COLUMNS": "200",
            "TERM": "dumb",
        }

    def here(self, text: str) -> str:
        """The same text with this folder's paths."""
        for there, name in (
            ("/etc/shelfpoint", "etc"),
            ("/var/lib/shelfpoint", "lib"),
            ("/var/backups/shelfpoint", "backups"),
            ("/media/stick", "stick"),
        ):
            text = text.replace(there, str(self.folder / name))
        return text.replace("/usr/local/bin/shelfpoint", str(BIN / "shelfpoint"))

    def exec_start(self, unit: str) -> list[str]:
        text = (ROOT / "deploy" / f"{unit}.service").read_text(encoding="utf-8")
        (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        return shlex.split(self.here(line.replace("%%", "%")))

    def systemctl(self, words: list[str]) -> None:
        for unit in words:
            if unit == "shelfpoint-central":
                ready = self.folder / "ready"
                command = [*self.exec_start(unit), "--port", "0", "--ready-file", str(ready)]
                self.running.append(
                    subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL, text=True)
                )
                ends = time.monotonic() + START_S
                while not ready.exists():
                    assert time.monotonic() < ends
                    time.sleep(0.05)
                self.url = ready.read_text(encoding="ascii").strip()
                self.url = self.url if self.url.startswith("http") else f"http://{self.url}"
            elif unit == "shelfpoint-backup":
                subprocess.run(self.exec_start(unit), env=self.environment, check=True)
            elif unit == "shelfpoint-kiosk":
                self.first_loan(self.exec_start(unit))
            else:
                assert unit == "shelfpoint-backup.timer"

    def setup_options(self) -> str:
        options = ["--scanner", str(self.scanner.link), "--printer", f"127.0.0.1:{self.printer.port}"]
        options += ["--data", str(self.folder / "kiosk/data"), "--keys", str(self.folder / "kiosk/keys")]
        options += ["--user", "root"] if os.geteuid() == 0 else []
        return shlex.join(options)

    def do(self, command: Command) -> None:
        if command.text.startswith(NEEDS_A_MACHINE):
            return
        self.ran.append(command.text)
        if command.text.startswith("systemctl "):
            words = [word for word in command.text.split()[2:] if not word.startswith("-")]
            self.systemctl(words)
            return
        text = self.here(command.text)
        if text == "shelfpoint kiosk setup":
            text = f"{text} {self.setup_options()}"
        replies = [
            (question, CODE.sub(self.code, answer).replace("https://central.example", self.url))
            for question, answer in command.replies
        ]
        scanned: list[bool] = []

        def hear(output: str) -> None:
            if "Please scan the label" in output and not scanned:
                scanned.append(True)
                self.scanner.scan(BOOK)

        heard = run(Command(text, command.answers, replies), self.environment, hear)
        allowed = (0, 1) if "# exit code 1 while" in command.text else (0,)
        assert heard.code in allowed, f"{command.text}\n{heard.output}"
        rest = heard.output
        for answer in command.answers:
            match = re.search(pattern(self.here(answer)), rest)
            assert match, f"README promises {answer!r} of {command.text!r}; there came:\n{heard.output}"
            rest = rest[match.end() :]
        unasked = {question for question, _ in replies} - heard.asked
        assert all(question.startswith(BY_OPTION) for question in unasked), f"never asked: {unasked}\n{heard.output}"
        if "enrol" in command.text:
            self.code = CODE.findall(heard.output)[-1]

    def first_loan(self, exec_start: list[str]) -> None:
        config = exec_start[exec_start.index("--config") + 1]
        assert exec_start[exec_start.index("--") + 1 :] == [str(BIN / "shelfpoint"), "kiosk", "run", "--config", config]
        command = [sys.executable, ROOT / "tests" / "kiosk_hand.py", config]
        kiosk = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment, text=True
        )
        self.running.append(kiosk)
        assert kiosk.stdin is not None
        assert kiosk.stdout is not None
        orders: tuple[str | Callable[[], None], ...] = (
            "until ready",
            lambda: self.reader.lay(card_with(UID)),
            "until borrow",
            lambda: self.scanner.scan(BOOK),
            "until borrow 1",
            "touch btn_finish",
            "touch btn_slip_print",
            "until printed",
        )
        self.reader.take()
        for order in orders:
            if not isinstance(order, str):
                order()
                continue
            kiosk.stdin.write(f"{order}\n")
            kiosk.stdin.flush()
            reply = kiosk.stdout.readline()
            assert reply == "ok\n", f"{order}: {reply}"
        kiosk.communicate("end\n", timeout=30)
        assert kiosk.returncode == 0

    def close(self) -> None:
        for process in self.running:
            process.kill() if process.stdin else process.terminate()
            process.communicate(timeout=20)
        self.reader.take()
        self.scanner.unplug()
        self.printer.close()


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("pcscd")
def test_the_readme_leads_from_an_empty_folder_to_the_first_loan_and_its_slip(
    pcscd: VirtualPcscd, tmp_path: Path
) -> None:
    pcscd.start()
    machine = Machine(tmp_path)
    machine.reader = VirtualReader(pcscd.ports[0])
    machine.scanner.plug()
    machine.reader.lay(card_with(UID))
    try:
        for command in commands_of(section()):
            machine.do(command)
        slip = "\n".join(machine.printer.slips()[-1].text)
    finally:
        machine.close()
    assert "小王子" in slip
    assert "示範市立圖書館" in slip
    assert list((tmp_path / "backups").iterdir())
    assert machine.ran.count("systemctl enable --now shelfpoint-kiosk") == 1


def test_a_promise_that_is_not_kept_is_noticed() -> None:
    block = "```sh\necho one\n#> two\n```\n"
    (command,) = commands_of(block)
    assert (command.text, command.answers, command.replies) == ("echo one", ["two"], [])
    assert re.search(pattern("a … c."), "xa b c.")
    assert not re.search(pattern("a … c."), "a b cd")


def test_every_command_of_the_section_is_played_or_needs_a_machine() -> None:
    texts = [command.text for command in commands_of(section())]
    assert len(texts) > 20
    played = [text for text in texts if not text.startswith(NEEDS_A_MACHINE)]
    assert {text.split()[0] for text in played} == {"shelfpoint", "shelfpoint-central", "printf", "systemctl"}
