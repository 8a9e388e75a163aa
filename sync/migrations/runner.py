"""Runs alembic on an encrypted file without a configuration file of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2 as sqlcipher

from kiosk.ports import LedgerError, LedgerReason


def upgrade(open_connection: Callable[[], Any], name: str, scripts: str, found: str | None) -> None:
    """From revision `found` of the file `name` to the newest, in one transaction.

    Raises LedgerError(NEWER_SCHEMA), and sqlcipher3's own errors for what the file or the disk does.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / scripts))
    directory = ScriptDirectory.from_config(config)
    known = {script.revision for script in directory.walk_revisions()}
    if found is not None and found not in known:
        raise LedgerError(LedgerReason.NEWER_SCHEMA, f"{name} has revision {found}")
    engine = create_engine("sqlite://", module=sqlcipher, creator=open_connection, poolclass=NullPool)
    try:
        with (
            EnvironmentContext(
                config, directory, fn=lambda revision, _context: directory._upgrade_revs("head", revision)
            ) as environment,
            engine.connect() as connection,
        ):
            environment.configure(connection=connection, transactional_ddl=True)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            environment.run_migrations()
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise (error.orig or error) from error
