"""How an act is dated when the wall clock cannot be believed."""

from alembic import op

revision = "acts_0004"
down_revision = "acts_0003"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN heard_at INTEGER")
    op.execute("ALTER TABLE word ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE word ADD COLUMN boot TEXT")
    op.execute("ALTER TABLE word ADD COLUMN ticks_ms INTEGER")
