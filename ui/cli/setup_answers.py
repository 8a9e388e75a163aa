"""What `shelfpoint kiosk setup` asks, and what it makes of the answers: the library's names, and the shapes of its barcodes.

Owns the way of asking: an option answers first, then what the file says already, then a person, if there is one. Called
by the steps of the set-up; blocks while a person thinks.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from config.settings import CodeRule, KioskSettings
from config.toml_text import quoted
from kiosk.domain.identity import CodeType

DATA, KEYS = "/var/lib/shelfpoint-kiosk/data", "/var/lib/shelfpoint-kiosk/keys"
"""Where the service of deploy/ may write."""


class StepFailed(Exception):
    """A step did not come to its end; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Options of the command line, and whether a person is there."""

    given: dict[str, str]
    """By the option's name; what was not given is absent."""
    several: dict[str, tuple[str, ...]]
    """Options that may be given more than once."""
    asks: bool
    """A person answers; False: what is missing is a mistake."""

    def ask(self, option: str, question: str, default: str = "", *, needed: bool = True) -> str:
        """The option, or a person's answer with `default` offered, or without a person `default` itself."""
        if option in self.given:
            return self.given[option]
        if self.asks:
            answer: str = click.prompt(question, default=default or None if needed else default, err=True)
            return answer.strip()
        if needed and not default:
            raise StepFailed(f"{question}: say --{option}.")
        return default

    def agree(self, question: str, *, otherwise: bool = False) -> bool:
        """A person's yes; `otherwise` is what Enter means, and what holds where nobody is."""
        return click.confirm(question, default=otherwise, err=True) if self.asks else otherwise


def shape_of(example: str) -> str:
    """The pattern of every barcode that looks like this one: its letters, and as many digits."""
    parts = re.findall(r"[0-9]+|[^0-9]+", example.strip())
    return "".join(f"[0-9]{{{len(part)}}}" if part[0].isdigit() else re.escape(part) for part in parts)


def library_section(answers: Answers, known: KioskSettings | None) -> str:
    """Names and folders, asked or as they are known. Raises StepFailed."""
    names = {
        "library_name": answers.ask("library-name", "Name of the library", known.library_name if known else ""),
        "branch": answers.ask("branch", "Code of this branch, as central knows it", known.branch if known else "main"),
        "branch_name": answers.ask(
            "branch-name", "Name of this branch, as patrons read it", known.branch_name if known else ""
        ),
        "data": answers.given.get("data") or (str(known.data) if known else DATA),
        "keys": answers.given.get("keys") or (str(known.keys) if known else KEYS),
    }
    return "\n".join(f"{key} = {quoted(value)}" for key, value in names.items())


def codes_section(answers: Answers, known: Sequence[CodeRule], ours: Sequence[CodeRule]) -> str:
    """Shapes of barcodes, from examples; `ours` stay where no example is given. Raises StepFailed.

    `known` are all rules of the file, also those that somebody added by hand.
    """
    rules = list(ours)
    for kind, question, needed in (
        (CodeType.ITEM, "The barcode of a book, as an example", True),
        (CodeType.PATRON, "The barcode of a patron's card, as an example (empty: there is none)", False),
    ):
        has = any(rule.type == kind for rule in known)
        examples = answers.several.get(f"{kind.value}-code", ())
        if not examples and not has:
            asked = answers.ask(f"{kind.value}-code", question, needed=needed)
            examples = (asked,) if asked else ()
        if examples:
            rules = [rule for rule in rules if rule.type != kind]
            shapes = dict.fromkeys(map(shape_of, examples))
            rules += [CodeRule.model_validate({"type": kind, "pattern": shape}) for shape in shapes]
    return codes_text(rules)


def codes_in(section: str) -> tuple[CodeRule, ...]:
    """The rules of a section."""
    return tuple(CodeRule.model_validate(table) for table in tomllib.loads(section).get("codes", []))


def codes_text(rules: Iterable[CodeRule]) -> str:
    """The tables of these rules."""
    tables = []
    for rule in rules:
        lines = ["[[codes]]", f"type = {quoted(rule.type.value)}", f"pattern = {quoted(rule.pattern)}"]
        if rule.symbologies:
            lines.append(f"symbologies = [{', '.join(quoted(name) for name in sorted(rule.symbologies))}]")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)
