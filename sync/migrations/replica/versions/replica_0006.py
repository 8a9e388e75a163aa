"""Libraries, and the words for patron categories and item types."""

from alembic import op

revision = "replica_0006"
down_revision = "replica_0004"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE library (code TEXT PRIMARY KEY, body BLOB NOT NULL, generation INTEGER NOT NULL)
            STRICT, WITHOUT ROWID"""
    )
    op.execute(
        """CREATE TABLE term (key TEXT PRIMARY KEY, zh TEXT NOT NULL, en TEXT NOT NULL, generation INTEGER NOT NULL)
            STRICT, WITHOUT ROWID"""
    )
