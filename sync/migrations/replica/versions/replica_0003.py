"""Holds, and the works that they are on. What is known was told without them, so it is told anew from the start."""

from alembic import op

revision = "replica_0003"
down_revision = "replica_0002"


def upgrade() -> None:
    for name, columns in (
        (
            "membership",
            """id TEXT PRIMARY KEY, category TEXT NOT NULL, standing TEXT NOT NULL, display_name TEXT NOT NULL,
            expires_on TEXT, suspended_until TEXT, owed INTEGER NOT NULL, holds_suspended_until TEXT,
            generation INTEGER NOT NULL""",
        ),
        (
            "item",
            """id TEXT PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, item_type TEXT NOT NULL,
            branch TEXT NOT NULL, state TEXT NOT NULL, desk_only INTEGER NOT NULL, reserved_for TEXT,
            desensitise INTEGER NOT NULL, work TEXT NOT NULL, generation INTEGER NOT NULL""",
        ),
    ):
        op.execute(f"DROP TABLE {name}")
        op.execute(f"CREATE TABLE {name} ({columns}) STRICT, WITHOUT ROWID")
    op.execute(
        """CREATE TABLE hold (id TEXT PRIMARY KEY, membership TEXT NOT NULL, work TEXT NOT NULL, asked TEXT NOT NULL,
            branch TEXT NOT NULL, placed_at INTEGER NOT NULL, state TEXT NOT NULL, item TEXT, ready_until INTEGER,
            generation INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
    )
    op.execute("CREATE INDEX hold_of_work ON hold (work)")
    op.execute("CREATE INDEX hold_of_membership ON hold (membership)")
    op.execute("DELETE FROM meta")
