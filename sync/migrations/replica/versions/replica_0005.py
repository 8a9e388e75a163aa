"""The opaque id of each card. What is known serves on without, and everything is told anew from the start."""

from alembic import op

revision = "replica_0005"
down_revision = "replica_0004"


def upgrade() -> None:
    op.execute("ALTER TABLE card RENAME TO former_card")
    op.execute(
        """CREATE TABLE card (number_index BLOB PRIMARY KEY, membership TEXT NOT NULL, kind TEXT NOT NULL,
            id TEXT NOT NULL, generation INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
    )
    op.execute("INSERT INTO card SELECT number_index, membership, kind, '', generation FROM former_card")
    op.execute("DROP TABLE former_card")
    op.execute("DROP TABLE card_staged")
    op.execute(
        """CREATE TABLE card_staged (number_index BLOB NOT NULL, membership TEXT NOT NULL, kind TEXT NOT NULL,
            id TEXT NOT NULL) STRICT"""
    )
    op.execute("DELETE FROM meta WHERE key = 'cursor'")
