"""The settings file that `shelfpoint kiosk setup` writes: a section for each thing it asks, and room between them.

Owns how a section is exchanged while every other line stays, what counts as a file of ours, and that a file is on disk
whole, checked, with a copy of what it replaces. Called by the steps of the set-up; blocks for one write.

Why
- Sections stand between two remarks, so that a step repeated alone changes its own lines and nothing that somebody
  added by hand. TOML wants plain keys before tables, so the library's section comes first.
- What is written is loaded before it takes the file's place, by the rules of `config.settings` and by the drivers'.
"""

import os
import re
from datetime import datetime
from pathlib import Path

from config.settings import BadSettings, KioskSettings, load
from ui.cli.device_ears import Heard

OURS = "# Written by 'shelfpoint kiosk setup'; lines outside its sections are yours and stay."
_FIRST = "library"


class SettingsFile:
    """One settings file, read anew for each change."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self) -> str:
        """As it stands on disk; empty where there is none. Raises BadSettings."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings([f"{self.path}: expected a readable TOML file, got {error}"]) from error

    def is_foreign(self) -> bool:
        """It stands there and was not written by us."""
        return self.text().strip() != "" and OURS not in self.text()

    def settings(self) -> KioskSettings | None:
        """What it says now; None where there is no file. Raises BadSettings."""
        return load(self.path) if self.path.exists() else None

    def write(self, sections: dict[str, str], *, anew: bool = False) -> Path | None:
        """Exchange these sections, or with `anew` everything; on disk when it returns. The copy of what it replaced, if any.

        Raises BadSettings, and leaves the file as it was, where the result would be none that a kiosk can use.
        """
        before = self.text()
        text = "" if anew else before
        for name, body in sections.items():
            text = with_section(text, name, body)
        if OURS not in text and (anew or not before):
            text = f"{OURS}\n{text}"
        if text == before:
            return None
        draft = self.path.with_name(f".{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as file:
                file.write(text)
                os.fchmod(file.fileno(), 0o644)  # nothing in it is secret, and the kiosk's own account reads it
                file.flush()
                os.fsync(file.fileno())
            self._check(draft)
            copy = self._keep_copy() if before else None
            draft.replace(self.path)
        except OSError as error:
            raise BadSettings([f"{self.path}: cannot be written: {error.strerror or error}"]) from error
        finally:
            draft.unlink(missing_ok=True)
        return copy

    def _check(self, draft: Path) -> None:
        from drivers.catalog import build_devices

        try:
            build_devices(load(draft).devices, Heard())
        except BadSettings as error:
            raise BadSettings([problem.replace(str(draft), str(self.path)) for problem in error.problems]) from error

    def _keep_copy(self) -> Path:
        stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        copy = self.path.with_name(f"{self.path.name}.replaced-{stamp}")
        number = 1
        while copy.exists():
            number += 1
            copy = copy.with_name(f"{self.path.name}.replaced-{stamp}-{number}")
        os.link(self.path, copy)
        return copy


def with_section(text: str, name: str, body: str) -> str:
    """The text with this section exchanged, or added: the library's at the top, any other at the end."""
    begin, end = f"# --- kiosk setup: {name} ---", f"# --- end of {name} ---"
    section = f"{begin}\n{body.strip()}\n{end}\n"
    there = re.compile(f"^{re.escape(begin)}$.*?^{re.escape(end)}$\n?", re.MULTILINE | re.DOTALL)
    if there.search(text):
        return there.sub(lambda _: section, text, count=1)
    if name == _FIRST:
        head, mark, rest = text.partition(f"{OURS}\n")
        return f"{head}{mark}{section}{rest}" if mark else f"{section}{text}"
    return f"{text.rstrip()}\n\n{section}" if text.strip() else section


def section_of(text: str, name: str) -> str:
    """The body of this section; empty where there is none."""
    match = re.search(
        f"^# --- kiosk setup: {re.escape(name)} ---$\n(.*?)^# --- end of {re.escape(name)} ---$",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return match.group(1) if match else ""
