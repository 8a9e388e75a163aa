"""A case of the work list as lines for a terminal: what, who, where, when, why, what to do; none wider than 100 cells.

Printed by `central cases list`. A Chinese character takes two cells. The case's id stands on a line of its own, so that it can be
copied whole. Pure.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from rich.cells import cell_len

from kiosk.domain.values import LIBRARY_TIME
from kiosk.words import Language, say
from sync.central.case_readers import CaseReader
from sync.central.worklist import Task

WIDTH = 100
"""Cells."""
_INDENT = 4
_TOKENS = re.compile(r"\s+|[^\s\u1100-\U0010ffff]+|.", re.DOTALL)
"""Spaces, words of scripts that are broken at spaces, single characters of those that are broken anywhere."""


def case_lines(task: Task, language: Language) -> str:
    """One case."""

    def word(key: str) -> str:
        return say(f"case_list.{key}", language)

    item = " ".join(
        part for part in (task.title or (word("no_title") if task.item else ""), _bracket(task.item)) if part
    )
    readers = "、".join(_reader(one) for one in task.readers) or word("nobody")
    closed = "" if task.closed_at is None else f"{_time(task.closed_at)}  {task.closed_by}  {task.how(language) or ''}"
    head = (_time(task.happened_at or task.opened_at), _where(task, word("no_place")), task.kiosk or "")
    parts = (
        ("title", item),
        ("readers", readers),
        ("why", task.why(language)),
        ("advise", task.advise(language)),
        ("assignee", task.assignee or ""),
        ("closed", closed),
        ("number", task.id),
    )
    lines = list(_wrapped("  ".join(part for part in head if part), 0))
    labels = {key: word(key) for key, _ in parts}
    indent = _INDENT + max(map(cell_len, labels.values())) + 2
    for key, text in parts:
        if not text.strip():
            continue
        label = " " * _INDENT + labels[key]
        if key == "number" and cell_len(text) > WIDTH - indent:
            lines += [label, *_wrapped(text, 0)]  # to be copied whole
            continue
        first, *rest = _wrapped(text, indent)
        lines.append(label + " " * (indent - cell_len(label)) + first)
        lines += [" " * indent + line for line in rest]
    return "\n".join(lines)


def _where(task: Task, unknown: str) -> str:
    if task.branch_name is None:
        return unknown
    return task.branch_name if task.branch_name == task.branch else f"{task.branch_name} ({task.branch})"


def _bracket(id_: str | None) -> str:
    return "" if id_ is None else f"({id_})"


def _reader(one: CaseReader) -> str:
    when = "" if one.at is None else f" {_time(one.at)}"
    return f"{one.name or ''}({one.membership}){when}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(LIBRARY_TIME):%Y-%m-%d %H:%M}"


def _wrapped(text: str, indent: int) -> Iterator[str]:
    """Lines of at most `WIDTH` cells less the indent; a word that is longer is broken."""
    room = WIDTH - indent
    line = ""
    for token in _TOKENS.findall(text):
        if cell_len(line) + cell_len(token) > room and line:
            yield line.rstrip()
            line = ""
        if token.isspace() and not line:
            continue
        while cell_len(token) > room:
            yield token[:room]
            token = token[room:]
        line += token
    yield line.rstrip()
