"""What a word says to central alone; and what no screen had, for staff, apart from the words, which may be sealed by then."""

from alembic import op

revision = "acts_0009"
down_revision = "acts_0008"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN sealed BLOB")
    op.execute("ALTER TABLE unshown RENAME TO former_unshown")
    op.execute(
        """CREATE TABLE unshown (act TEXT PRIMARY KEY, deed TEXT NOT NULL, item TEXT NOT NULL, branch TEXT NOT NULL,
            mode TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
    )
    op.execute(
        "INSERT OR IGNORE INTO unshown SELECT act, deed, item, branch, mode, happened_at + coalesce(clock_offset_ms, 0) * 1000 "
        "FROM word WHERE act IN (SELECT act FROM former_unshown) ORDER BY sequence DESC"
    )
    op.execute("DROP TABLE former_unshown")
