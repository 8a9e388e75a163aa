"""README's shell blocks as a session: commands, what a person types at which question, and the answers that must come.

In a block a line `#> …` is an answer, `#< …` is typed at the question before it, `…` stands for anything. A command runs
in a terminal of its own, so that passwords are asked for as they are of a person.
"""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

STEP_S = 100.0


@dataclass(slots=True)
class Command:
    """One line of a block, with what stands below it."""

    text: str
    answers: list[str] = field(default_factory=list)
    """In order; lines that are questions are not among them."""
    replies: list[tuple[str, str]] = field(default_factory=list)
    """Question and what is typed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a command did."""

    code: int
    output: str
    asked: frozenset[str]
    """Questions of its replies that came."""


def commands_of(section: str) -> list[Command]:
    """All commands of the section's `sh` blocks."""
    commands: list[Command] = []
    for block in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("#> "):
                commands[-1].answers.append(line.removeprefix("#> "))
            elif line.startswith("#<"):
                commands[-1].replies.append((commands[-1].answers.pop(), line.removeprefix("#<").removeprefix(" ")))
            elif line.strip():
                commands.append(Command(line))
    return commands


def pattern(text: str) -> str:
    """A line of the README as a regular expression."""
    return ".*".join(map(re.escape, text.rstrip().split("…")))


def run(command: Command, environment: Mapping[str, str], hear: Callable[[str], None]) -> Heard:
    """In a terminal, answering its questions; `hear` is given all output so far with each piece. AssertionError after a while."""
    here, there = pty.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", "sh", "-c", command.text], stdin=there, stdout=there, stderr=there, env=dict(environment)
    ) as running:
        os.close(there)
        output, answered, asked = "", 0, set[str]()
        ends = time.monotonic() + STEP_S
        try:
            while piece := _piece(here, ends, output):
                output += piece
                hear(output)
                for question, answer in command.replies:
                    if re.search(rf"{pattern(question)}\s*$", output[answered:].rpartition("\n")[2]):
                        os.write(here, f"{answer}\n".encode())
                        answered = len(output)
                        asked.add(question)
                        break
        finally:
            if time.monotonic() > ends:
                running.kill()
            os.close(here)
        return Heard(running.wait(), output, frozenset(asked))


def _piece(terminal: int, ends: float, output: str) -> str:
    """What comes next; empty when the command has ended."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, ends - time.monotonic()))
    assert ready, f"nothing came any more after:\n{output}"
    try:
        data = os.read(terminal, 65536)
        while data and (data[-1] & 0x80) and len(data) < 65540:  # a character may be cut in two
            try:
                data.decode("utf-8")
                break
            except UnicodeDecodeError:
                data += os.read(terminal, 1)
    except OSError:  # the other side is closed
        return ""
    return data.decode("utf-8", errors="replace").replace("\r", "")
