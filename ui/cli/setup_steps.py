"""The steps of `shelfpoint kiosk setup` after the settings are written: each is a command that also exists alone.

Owns what is asked before the command, what its end means, and what to do when it was not well. Called by
`ui.cli.kiosk_setup`. A step blocks until its command ends.

Why
- A command runs as a process of its own and as the kiosk's user: then a missing group or a folder of somebody else's
  shows now, and not at the first start of the service.
"""

import json
import os
import pwd
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from config.settings import CardRule, CodeRule, KioskSettings
from kiosk.domain.identity import CodeType
from ui.cli.setup_answers import Answers, StepFailed, codes_in, codes_text, shape_of
from ui.cli.setup_file import SettingsFile, section_of

_PROGRAM = (sys.executable, "-P", "-c", "from ui.cli.main import main; main()")
_CARD = "Number of a card in your hand, as the library's system stores it (empty: skip)"
_ANOTHER_CARD = "Number of another card, which you lay down after those before (empty: stop)"
_SEEN = {0: "read", 1: "nothing was read in time", 3: "the device is not ready"}


@dataclass(frozen=True, slots=True)
class Bench:
    """What every step works on."""

    file: SettingsFile
    """The settings."""
    answers: Answers
    """Options, and a person perhaps."""
    user: str | None
    """Whose process a command is; None: this one's."""
    replace: bool
    """A file that was not written by us may be changed."""

    @property
    def settings(self) -> KioskSettings:
        """The settings as they are now. Raises BadSettings, StepFailed."""
        settings = self.file.settings()
        if settings is None:
            raise StepFailed(f"There is no {self.file.path} yet: first --step devices.")
        return settings

    def write(self, name: str, body: str) -> None:
        """Exchange one section. Raises BadSettings, and StepFailed where nobody lets us change a file that is not ours."""
        path = self.file.path
        if (
            self.file.is_foreign()
            and not self.replace
            and not self.answers.agree(f"{path} was not written by this command. Add to it? A copy stays.")
        ):
            raise StepFailed(
                f"{path} was not written by this command; --replace lets it be changed. To add by hand:\n{body}"
            )
        self.file.write({name: body})

    def run(self, *words: str, keeps_answer: bool = False) -> "subprocess.CompletedProcess[str]":
        """One command of ours on these settings; its standard output is shown, or kept for the caller."""
        command = [*_PROGRAM, *words, "--config", str(self.file.path)]
        if self.user is None:
            return subprocess.run(command, stdout=subprocess.PIPE if keeps_answer else None, text=True, check=False)
        account = pwd.getpwnam(self.user)
        return subprocess.run(
            command,
            stdout=subprocess.PIPE if keeps_answer else None,
            text=True,
            check=False,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=os.getgrouplist(self.user, account.pw_gid),
            env={**os.environ, "HOME": account.pw_dir, "USER": self.user, "LOGNAME": self.user},
        )


def enrol(bench: Bench) -> str:
    """Introduce the kiosk to central; an enrolled one stays as it is unless a code is given."""
    from sync.central_client import load_identity

    settings, answers = bench.settings, bench.answers
    known = load_identity(settings.keys)
    if known is not None and "code" not in answers.given:
        return f"it is {known.kiosk} at branch {known.branch} of {known.url} already; --code enrols it anew"
    url = answers.ask("url", "Address of central, for example https://central.example", known.url if known else "")
    code = answers.ask("code", "One-time code ('shelfpoint central enrol --branch …' at central prints it)")
    if bench.run("kiosk", "enrol", "--url", url, "--code", code).returncode:
        raise StepFailed(
            f"It was not enrolled. Does {url.rstrip('/')}/v1/live say that central lives, seen from this machine? A code lives an hour and "
            "works once: 'shelfpoint central enrol --branch …' at central makes another."
        )
    identity = load_identity(settings.keys)
    if identity is not None and identity.branch != settings.branch:
        library = section_of(bench.file.text(), "library")
        lines = [
            f'branch = "{identity.branch}"' if line.startswith("branch = ") else line for line in library.splitlines()
        ]
        if not library:
            raise StepFailed(
                f"The settings say branch {settings.branch}, central says {identity.branch}: change one of both."
            )
        bench.write("library", "\n".join(lines))
        return f"enrolled; branch is {identity.branch} now, as central says, and no more {settings.branch}"
    return "enrolled"


def test_slip(bench: Bench) -> str:
    """Print a page."""
    if not bench.settings.devices.printers:
        return "no printer is configured; skipped"
    if bench.run("devices", "test", "printer").returncode == 0:
        return "printed"
    if bench.answers.asks and bench.answers.agree("Did a whole page come out all the same?"):
        return "printed, as you say; the printer itself does not confirm"
    raise StepFailed(
        "The page was not printed or not confirmed. Is the printer on, with paper and a closed cover? 'shelfpoint devices list' "
        "says how it is; 'shelfpoint devices probe printer --page' finds what it can do and how it confirms."
    )


def card(bench: Bench) -> str:
    """Find how the library's system spells a card's number, and write the rule down."""
    if not bench.settings.devices.readers:
        return "no card reader is configured; skipped"
    answers = bench.answers
    numbers = list(answers.several.get("number", ()))
    if not numbers:
        asked = answers.ask("number", _CARD, needed=False)
        numbers = [asked] if asked else []
    if not numbers:
        return "no card number was given; the usual rule stays (UID in hexadecimal digits, as read)"
    while (done := _card_rule(bench, numbers)).returncode:
        more = answers.ask("number", _ANOTHER_CARD, needed=False) if answers.asks else ""
        if not more:
            raise StepFailed(
                "No single rule was found. Check the numbers in your system, and try several cards: --number for each."
            )
        numbers.append(more)
    new = [CardRule.model_validate(table) for table in tomllib.loads(done.stdout)["cards"]]
    section = cards_section(bench.file.text(), new)
    if section is None:
        raise StepFailed(
            f"{bench.file.path} has a rule for such cards already. Put this in its place by hand:\n{done.stdout}"
        )
    bench.write("cards", section)
    return f"the rule for {' and '.join(f'{kind} cards of {length} bytes' for kind, length in map(_card_class, new))} is written"


def _card_rule(bench: Bench, numbers: list[str]) -> "subprocess.CompletedProcess[str]":
    options = [word for number in numbers for word in ("--number", number)]
    seconds = bench.answers.given.get("seconds", "60")
    return bench.run("devices", "card-rule", *options, "--seconds", seconds, keeps_answer=True)


def book(bench: Bench) -> str:
    """Scan a book, and see that its barcode is taken for a book's."""
    devices = bench.settings.devices
    device = "scanner" if devices.scanners else "camera" if devices.cameras else None
    if device is None:
        return "no scanner or camera is configured; skipped"
    first = (devices.scanners or devices.cameras)[0].name
    seconds = bench.answers.given.get("seconds", "60")
    done = bench.run("devices", "test", device, "--name", first, "--seconds", seconds, "--json", keeps_answer=True)
    read = json.loads(done.stdout) if done.returncode in _SEEN and done.stdout else {}
    if done.returncode or "text" not in read:
        raise StepFailed(
            f"No book was read: {_SEEN.get(done.returncode, 'the test failed')}. Is the scanner's cable in, and is {first!r} "
            "the right one? 'shelfpoint devices suggest' says what is plugged in."
        )
    if read["type"] == CodeType.ITEM.value:
        return f"{read['text']} is a book"
    if read["type"] != "unknown" or not bench.answers.asks:
        raise StepFailed(
            f"{read['text']} was read, but is taken for: {read['type']}. The shapes of your barcodes stand under [[codes]]; "
            f"--step devices --item-code {read['text']} writes this one."
        )
    if not bench.answers.agree(
        f"{read['text']} has no shape that the settings know. Are your books' barcodes like this?"
    ):
        raise StepFailed("Then scan the library's own label, not the ISBN; repeat this step.")
    added = CodeRule.model_validate({"type": CodeType.ITEM, "pattern": shape_of(read["text"])})
    bench.write("codes", codes_text([*codes_in(section_of(bench.file.text(), "codes")), added]))
    return f"{read['text']} is a book; its shape is written"


def doctor(bench: Bench) -> str:
    """Look at the whole machine."""
    if bench.run("doctor").returncode:
        raise StepFailed("Not all is well: each line that begins with BAD says what to do.")
    return "all is well"


STEPS: Mapping[str, Callable[[Bench], str]] = MappingProxyType(
    {"enrol": enrol, "print": test_slip, "card": card, "book": book, "doctor": doctor}
)
"""After the settings, in order."""


def cards_section(text: str, new: list[CardRule]) -> str | None:
    """Our section of `text` with these rules; None where somebody wrote one for such cards by hand.

    A file without any rule means the usual one, which is said now: else it would end with the first rule for other cards.
    """
    ours = section_of(text, "cards")
    by_hand = [CardRule.model_validate(table) for table in tomllib.loads(text.replace(ours, "", 1)).get("cards", [])]
    if {*map(_card_class, by_hand)} & {*map(_card_class, new)}:
        return None
    kept = [CardRule.model_validate(table) for table in tomllib.loads(ours).get("cards", [])]
    rules = {_card_class(rule): rule for rule in [*(kept or ([] if by_hand else [CardRule()])), *new]}
    return "\n\n".join(map(_card_text, rules.values()))


def _card_class(rule: CardRule) -> tuple[str, int]:
    return rule.technology.value, rule.uid_length


def _card_text(rule: CardRule) -> str:
    kind, length = _card_class(rule)
    keys = {"technology": kind, "uid_length": length} | rule.model_dump(mode="json", exclude_defaults=True)
    return "\n".join(
        ["[[cards]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())]
    )
