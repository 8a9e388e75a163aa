"""What a word says to central alone; whether a screen has shown it; and what no screen had, for staff."""

from alembic import op

revision = "acts_0008"
down_revision = "acts_0007"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN sealed BLOB")
    op.execute("ALTER TABLE word ADD COLUMN shown INTEGER NOT NULL DEFAULT 1")
    op.execute(
        """CREATE TABLE unshown (act TEXT PRIMARY KEY, deed TEXT NOT NULL, item TEXT NOT NULL, branch TEXT NOT NULL,
            mode TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
    )
