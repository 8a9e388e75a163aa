"""What an act says of a try to open the staff page: who, and how it ended."""

from alembic import op

revision = "acts_0005"
down_revision = "acts_0004"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN staff TEXT")
    op.execute("ALTER TABLE word ADD COLUMN entry TEXT")
    op.execute("CREATE INDEX staff_entries ON word (sequence) WHERE deed = 'staff_entry'")
