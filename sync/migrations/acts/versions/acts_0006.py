"""Since when central holds what, by its own clock; and how long words wait, told by the index of those that wait."""

from alembic import op

revision = "acts_0006"
down_revision = "acts_0005"


def upgrade() -> None:
    op.execute("CREATE TABLE held (at INTEGER PRIMARY KEY, through INTEGER NOT NULL) STRICT")
    op.execute("DROP INDEX outbox")
    op.execute("CREATE INDEX outbox ON word (sequence, happened_at) WHERE outcome IS NULL AND word <> 'request'")
