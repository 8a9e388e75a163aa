"""Which card an act was opened with, by its opaque id."""

from alembic import op

revision = "acts_0007"
down_revision = "acts_0006"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN card TEXT")
