"""Whether a screen has shown what a word says, and the acts of earlier lives of which staff have not seen that none had."""

from alembic import op

revision = "acts_0008"
down_revision = "acts_0007"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN shown INTEGER NOT NULL DEFAULT 1")
    op.execute("CREATE TABLE unshown (act TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
