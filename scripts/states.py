"""Draws docs/states.md from the tables that run: the patron's visit, and the words of an act at central.

    .venv/bin/python scripts/states.py > docs/states.md

Prints Markdown to standard output and touches nothing; tests/house/test_states.py holds the file to it.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from kiosk.domain.journal import Word
from kiosk.domain.reconcile import JOIN, Held, Judgement
from kiosk.ports import Intent, Phase
from kiosk.visit.shell import PHASES, SHELL, TABLES
from kiosk.visit.state import Key, Table

HEAD = """\
# States

Drawn by `scripts/states.py` from the tables that run; do not edit. A row says what may happen next: the phases that a
rule may lead to are held by the station at every step, and by `tests/kiosk/test_tables.py`.

## The patron's visit

An arrow names what leads to another phase. *Shell* rules hold in every phase that has no row of its own for the event.
When the acts file cannot be written, every phase leads to `out_of_service`, and from there to `start` when it can be
written again. A rule may always leave everything as it is; an event without any row changes nothing.
"""

MEANING: Mapping[Judgement, str] = {
    Judgement.JUDGE_REQUEST: "judged by the rules; may be refused",
    Judgement.JUDGE_FACT: "entered; what conflicts becomes a note or a case",
    Judgement.SAME_VERDICT: "same verdict",
    Judgement.SAME_LOAN: "same loan, the later of both due dates",
    Judgement.ENTER_WITH_CASE: "entered, with a case",
    Judgement.KEEP_CANCELLED_ROW: "cancelled; the row is kept",
    Judgement.CANCEL: "cancelled: only what this act did, if still open",
    Judgement.STAY_CANCELLED: "stays cancelled",
    Judgement.KIOSK_FAULT: "changes nothing; a case (kiosk fault)",
}


def draw() -> str:
    """The whole page."""
    parts = [HEAD, "```mermaid\n" + "\n".join(_diagram()) + "\n```\n"]
    for task, table in TABLES.items():
        parts.append(f"### {PHASES[task]}\n")
        parts.append(_rows(table) if table else "No row of its own.\n")
    parts += ["### Shell: any phase\n", _rows(SHELL), "## Words of an act at central\n", _join()]
    return "\n".join(parts)


def label(key: Key) -> str:
    """What a person calls it: `touch borrow`, `card arrived`."""
    if isinstance(key, Intent):
        return f"touch {key.value.replace('_', ' ')}"
    return re.sub(r"(?<!^)(?=[A-Z])", " ", key.__name__).lower()


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {Phase.START}"
    edges: dict[tuple[Phase, Phase], list[str]] = {}
    for task, table in TABLES.items():
        own = PHASES[task]
        shell = {} if own is Phase.OUT_OF_SERVICE else {key: SHELL[key] for key in SHELL if key not in table}
        for key, rule in {**table, **shell}.items():
            for phase in rule.leads_to:
                if phase is not own:
                    edges.setdefault((own, phase), []).append(label(key))
    for (source, target), labels in edges.items():
        yield f"    {source} --> {target}: {', '.join(labels)}"
    yield f"    {Phase.OUT_OF_SERVICE} --> {Phase.START}: acts file writable again"


def _rows(table: Table) -> str:
    return _markdown(
        ["event or touch", "leads to"],
        ((label(key), ", ".join(rule.leads_to) or "stays") for key, rule in table.items()),
    )


def _join() -> str:
    return _markdown(
        [r"held \ heard", *Word],
        ([held, *(MEANING[JOIN[held, word]] for word in Word)] for held in Held),
    )


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(draw(), end="")
