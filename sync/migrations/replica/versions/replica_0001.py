"""What the feed tells: state per key, and how far it is."""

from alembic import op

revision = "replica_0001"
down_revision = None


def upgrade() -> None:
    for table in (
        "meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """membership (id TEXT PRIMARY KEY, category TEXT NOT NULL, standing TEXT NOT NULL, display_name TEXT NOT NULL,
            expires_on TEXT, suspended_until TEXT, owed INTEGER NOT NULL, generation INTEGER NOT NULL)""",
        """card (number_index BLOB PRIMARY KEY, membership TEXT NOT NULL, kind TEXT NOT NULL,
            generation INTEGER NOT NULL)""",
        """item (id TEXT PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, item_type TEXT NOT NULL,
            branch TEXT NOT NULL, state TEXT NOT NULL, desk_only INTEGER NOT NULL, reserved_for TEXT,
            desensitise INTEGER NOT NULL, generation INTEGER NOT NULL)""",
        """loan (act TEXT PRIMARY KEY, membership TEXT NOT NULL, item TEXT NOT NULL, lent_at INTEGER NOT NULL,
            due_at INTEGER NOT NULL, renewals INTEGER NOT NULL, generation INTEGER NOT NULL)""",
        "calendar (branch TEXT PRIMARY KEY, body BLOB NOT NULL, generation INTEGER NOT NULL)",
        """policy (version TEXT PRIMARY KEY, body BLOB NOT NULL, position INTEGER NOT NULL,
            generation INTEGER NOT NULL)""",
    ):
        op.execute(f"CREATE TABLE {table} STRICT, WITHOUT ROWID")
    op.execute("CREATE INDEX loan_of_membership ON loan (membership)")
    op.execute("CREATE INDEX loan_of_item ON loan (item)")
