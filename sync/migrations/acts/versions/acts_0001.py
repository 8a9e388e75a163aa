"""The log: one row per word, with the verdict on it."""

from alembic import op

revision = "acts_0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
    op.execute(
        """
        CREATE TABLE word (
            sequence INTEGER PRIMARY KEY,
            act TEXT NOT NULL,
            word TEXT NOT NULL,
            deed TEXT NOT NULL,
            membership TEXT,
            item TEXT NOT NULL,
            branch TEXT NOT NULL,
            happened_at INTEGER NOT NULL,
            clock_offset_ms INTEGER,
            mode TEXT NOT NULL,
            replica_age_ms INTEGER,
            policy_version TEXT,
            due_at INTEGER,
            request_sequence INTEGER,
            outcome TEXT,
            reason TEXT,
            details TEXT,
            verdict_due_at INTEGER,
            epoch TEXT,
            position INTEGER
        ) STRICT
        """
    )
    op.execute("CREATE UNIQUE INDEX word_once ON word (act, word)")
    op.execute("CREATE UNIQUE INDEX one_last_word ON word (act) WHERE word <> 'request'")
    op.execute("CREATE INDEX outbox ON word (sequence) WHERE outcome IS NULL AND word <> 'request'")
    op.execute("CREATE INDEX asked ON word (sequence) WHERE outcome IS NULL AND word = 'request'")
    op.execute("CREATE INDEX word_of_item ON word (item, sequence)")
    op.execute("CREATE INDEX word_of_membership ON word (membership, sequence) WHERE membership IS NOT NULL")
