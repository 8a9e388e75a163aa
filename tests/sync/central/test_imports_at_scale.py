"""An import costs the same for each row, whatever the tables hold: nothing of a file or a table is read over and over."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from kiosk.domain.identity import CardKind
from sync.central.cards import Claim
from sync.central.import_doubts import refused_claimers
from sync.central.import_marc import MarcPlaces
from sync.central.import_report import RowReport
from sync.central.import_sources import read_items, read_patrons
from sync.central.imports import STAGE
from sync.central.registry import Patron

ROWS = 12 * STAGE
BESIDE = 60_000
"""Keys of another file under way; among so many PostgreSQL believes that this one's are few."""
GROWING = ("import_key", "import_row", "item", "membership", "person", "card", "feed")


def import_file(town: Any, folder: Path, what: str, rows: int, name: str = "N") -> None:
    file = folder / f"{what}.csv"
    if what == "items":
        lines = "".join(f"{name}{number},書,main\n" for number in range(rows))
        file.write_text("id,title,branch\n" + lines, encoding="utf-8")
    else:
        lines = "".join(f"{name}{number},王,adult,{name}{number:07X}\n" for number in range(rows))
        file.write_text("id,name,category,easycard\n" + lines, encoding="utf-8")
    with closing(RowReport(folder / "report.csv")) as report:
        if what == "items":
            read = read_items(file, MarcPlaces(), "")
            done = town.central.imports.items(name, read, report, lambda *_: None)
        else:
            done = town.central.imports.patrons(name, read_patrons(file), report, lambda *_: None)
    assert (done.changed, done.applied) == (rows, True)


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", ["postgresql"])
@pytest.mark.parametrize("what", ["items", "patrons"])
@pytest.mark.parametrize("counted", [False, True], ids=["never counted", "counted during another file"])
def test_postgresql_reads_a_row_a_few_times_whatever_it_believes_of_the_tables(
    town: Any, tmp_path: Path, what: str, counted: bool
) -> None:
    with town.central.database.write() as connection:
        for table in GROWING:
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
        if not counted:
            beside = "INSERT INTO import_key SELECT 1000, 'N' || number FROM generate_series(1, :many) AS number"
            connection.execute(text(beside), {"many": BESIDE})
    if counted:
        import_file(town, tmp_path, what, ROWS, "O")
    before = index_entries_read(town)
    import_file(town, tmp_path, what, ROWS)
    after = index_entries_read(town)
    read = {table: after[table] - before[table] for table in GROWING}
    keys = {"items": 1, "patrons": 2}[what]
    assert {table: times for table in GROWING if (times := read[table] / ROWS / keys) > 5} == {}


def index_entries_read(town: Any) -> dict[str, int]:
    """Of each table, since there is the database; told at once, as there is one connection that writes."""
    with town.central.database.write() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    with town.central.database.write() as connection:
        query = "SELECT relname, sum(idx_tup_read) FROM pg_stat_user_indexes GROUP BY relname"
        return {row[0]: int(row[1]) for row in connection.execute(text(query))}


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("what", ["items", "patrons"])
def test_sqlite_reads_no_table_whole(town: Any, tmp_path: Path, what: str) -> None:
    with said() as statements:
        import_file(town, tmp_path, what, 3)
    plans: list[str] = []
    with town.central.database.write() as connection:
        for statement, parameters in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans += [f"{row.detail}: {statement}" for row in plan if row.detail.startswith("SCAN")]
    assert len(statements) > 10
    small = tuple(f"SCAN {name}" for name in ("json_each", "branch", "feed_head", "import_run", "term"))
    assert [plan for plan in plans if not plan.startswith(small)] == []


@contextmanager
def said() -> Iterator[dict[str, Any]]:
    """What is said to the database meanwhile: each statement, and what it was given one of the times."""
    statements: dict[str, Any] = {}

    def heard(connection: Connection, cursor: Any, words: str, given: Any, context: Any, many: bool) -> None:
        if words.startswith(("SELECT", "UPDATE", "DELETE")):
            statements[words] = given

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", heard)


def test_more_conflicts_than_a_statement_has_parameters_become_cases(town: Any) -> None:
    many = 70_000
    claims = [
        Claim(f"new{number}", CardKind.EASYCARD, f"{number:08X}", f"old{number}", CardKind.EASYCARD)
        for number in range(many)
    ]
    with town.central.registry.change("test") as change:
        change.card_cases(claims)
        change.card_cases(claims[:3])
    assert len(town.cases()) == many


def test_conflicts_of_a_whole_file_are_settled_in_short_transactions(town: Any, tmp_path: Path) -> None:
    """Half of the cards are given up by their holders in the same file, half are not."""
    many = 5 * STAGE
    with town.central.registry.change("test") as change:
        change.patrons(
            [
                Patron(id=f"old{number}", name="王", category="adult", cards={CardKind.EASYCARD: f"{number:08X}"})
                for number in range(many)
            ]
        )
    file = tmp_path / "patrons.csv"
    claiming = "".join(f"new{number},李,adult,{number:08X}\n" for number in range(many))
    giving_up = "".join(f"old{number},王,adult,F{number:07X}\n" for number in range(0, many, 2))
    file.write_text("id,name,category,easycard\n" + claiming + giving_up, encoding="utf-8")
    with closing(RowReport(tmp_path / "report.csv")) as report, transactions() as written:
        done = town.central.imports.patrons("d", read_patrons(file), report, lambda *_: None, skip_bad=True)
    assert (done.good, done.bad, done.cases, done.changed) == (many, many // 2, many // 2, many)
    assert len(town.cases()) == many // 2
    assert {table for one in written for table in one} >= {"DELETE import_row", "INSERT import_row", "INSERT case_"}
    assert max(rows for one in written for rows in one.values()) <= 2 * STAGE  # keys: two of a row


@contextmanager
def transactions() -> Iterator[list[dict[str, int]]]:
    """Rows that each transaction meanwhile writes into each table; tables are swept in parts of their own size."""
    written: list[dict[str, int]] = [{}]

    def heard(connection: Connection, cursor: Any, words: str, given: Any, context: Any, many: bool) -> None:
        verb, *rest = words.replace('"', "").split()
        if verb in ("INSERT", "UPDATE", "DELETE") and not words.startswith("DELETE FROM import_key"):
            name = f"{verb} {rest[0] if verb == 'UPDATE' else rest[1]}"
            written[-1][name] = written[-1].get(name, 0) + max(cursor.rowcount, 0)

    def ended(connection: Connection) -> None:
        written.append({})

    event.listen(Engine, "after_cursor_execute", heard)
    event.listen(Engine, "commit", ended)
    try:
        yield written
    finally:
        event.remove(Engine, "after_cursor_execute", heard)
        event.remove(Engine, "commit", ended)


def test_a_chain_of_any_length_is_decided_in_one_walk() -> None:
    long = 100_000
    kind = CardKind.EASYCARD
    chain = [Claim(f"m{number}", kind, f"c{number + 1}", f"m{number + 1}", kind) for number in range(long)]
    all_change = {f"m{number}": {kind: f"c{number + 1}"} for number in range(long)}
    assert refused_claimers(chain, all_change) == {claim.claimer for claim in chain}  # the last keeps its card
    assert refused_claimers(chain, all_change | {f"m{long}": {kind: "new"}}) == set()
