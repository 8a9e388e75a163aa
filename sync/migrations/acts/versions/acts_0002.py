"""An item's words in the order in which they are looked at, so that the newest is found without sorting them all."""

from alembic import op

revision = "acts_0002"
down_revision = "acts_0001"


def upgrade() -> None:
    op.execute("DROP INDEX word_of_item")
    op.execute("CREATE INDEX word_of_item ON word (item, coalesce(request_sequence, sequence) DESC, sequence DESC)")
