"""An older database is carried up and keeps what it holds."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, insert, select

import sync.central.migrations
from sync.central.database import migrate
from sync.central.tables import branch, metadata


@pytest.fixture
def address(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return "sqlite://"
    return request.getfixturevalue("cluster").empty().replace("postgresql:", "postgresql+psycopg:")


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004", "0005", "0006"])
def test_a_database_of_an_older_version_is_carried_up_with_its_rows(address: Any, version: str) -> None:
    engine = create_engine(address)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(sync.central.migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        connection.execute(insert(branch).values(id="main", calendar="{}"))
        connection.commit()
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(select(branch.c.id)).scalars().all() == ["main"]
    engine.dispose()
