"""An older database is carried up and keeps what it holds."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, insert, select, text

import sync.central.migrations
from sync.central.database import migrate
from sync.central.tables import branch, feed, feed_head, import_key, import_row, import_run, metadata, term


@pytest.fixture
def address(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return "sqlite://"
    return request.getfixturevalue("cluster").empty().replace("postgresql:", "postgresql+psycopg:")


def carry(connection: Connection, version: str) -> None:
    """Up to this version."""
    config = Config()
    config.set_main_option("script_location", str(Path(sync.central.migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, version)


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008"])
def test_a_database_of_an_older_version_is_carried_up_with_its_rows(address: Any, version: str) -> None:
    engine = create_engine(address)
    with engine.connect() as connection:
        carry(connection, version)
        connection.execute(insert(branch).values(id="main", calendar="{}"))
        connection.commit()
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(select(branch.c.id)).scalars().all() == ["main"]
    engine.dispose()


def test_categories_and_item_types_in_use_become_known_and_are_told_to_the_kiosks(address: Any) -> None:
    engine = create_engine(address)
    with engine.connect() as connection:
        carry(connection, "0007")
        run = connection.execute
        run(text("INSERT INTO feed_head (id, position, floor) VALUES (1, 40, 0)"))
        run(
            text("INSERT INTO membership (id, category, standing) VALUES ('a', 'adult', 'active'), ('b', '', 'active')")
        )
        item = "INSERT INTO item (id, title, author, item_type, branch, state, desk_only, desensitise, work) VALUES "
        run(text(f"{item} ('C1', 't', '', 'dvd', 'main', 'missing', 0, 0, 'C1')"))
        rules = '{"patron_rules": [{"category": "*"}, {"category": "child"}], "loan_rules": [{"item_type": "map"}, {}]}'
        run(text("INSERT INTO policy VALUES ('p1', :body, 1, 1), ('p0', '{}', 1, 0)"), {"body": rules})
        connection.commit()
        migrate(connection)
        keys = ["category:adult", "category:child", "item_type:book", "item_type:dvd", "item_type:map"]
        assert run(select(term.c.key).order_by(term.c.key)).scalars().all() == keys
        marks = run(select(feed.c.key, feed.c.position).where(feed.c.kind == "term").order_by(feed.c.position)).all()
        assert [tuple(row) for row in marks] == [(key, 41 + place) for place, key in enumerate(keys)]
        assert run(select(feed_head.c.position)).scalar_one() == 45
        own = run(text("SELECT state, missing_since FROM item")).one()
        assert tuple(own) == ("missing", None), "nobody knows since when"
    engine.dispose()


def test_imports_of_the_sixth_version_go_on_and_of_each_kind_the_last_file_counts(address: Any) -> None:
    engine = create_engine(address)
    with engine.connect() as connection:
        carry(connection, "0006")
        run = text("INSERT INTO import_run VALUES (:digest, :kind, :state, 5, 2, :begun, :ended)")
        for digest, kind, state, begun, ended in (
            ("first", "items", "done", 1, 2), ("last", "items", "done", 3, 4), ("people", "patrons", "done", 1, 9),
            ("half", "patrons", "applying", 10, None), ("stale", "items", "applying", 2, None), ("checked", "items", "staging", 11, None),
        ):  # fmt: skip
            row = {"digest": digest, "kind": kind, "state": state, "begun": begun, "ended": ended}
            connection.execute(run, row)
        connection.execute(text("INSERT INTO import_row VALUES ('half', 3, '{}'), ('checked', 1, '{}')"))
        connection.execute(text("INSERT INTO import_key VALUES ('half', 'id a'), ('checked', 'N1')"))
        connection.commit()
        migrate(connection)
        own = import_run.c
        states = {row.digest: row.state for row in connection.execute(select(own.digest, own.state))}
        assert states == {
            "first": "past", "last": "done", "people": "past", "half": "applying", "stale": "past",
            "checked": "staging",
        }  # fmt: skip
        for table, value in ((import_row, 3), (import_key, "id a")):
            here = select(table).join(import_run, own.id == table.c.run).where(own.digest == "half")
            assert connection.execute(here).one()[1] == value
    engine.dispose()
