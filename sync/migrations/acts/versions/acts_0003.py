"""What an act says of a hold: for which a copy was set aside, or which is cancelled."""

from alembic import op

revision = "acts_0003"
down_revision = "acts_0002"


def upgrade() -> None:
    op.execute("ALTER TABLE word ADD COLUMN hold TEXT")
    op.execute("CREATE INDEX word_of_hold ON word (hold) WHERE hold IS NOT NULL")
    op.execute("CREATE INDEX set_aside ON word (item) WHERE hold IS NOT NULL")
    op.execute("CREATE INDEX hold_deeds ON word (membership) WHERE deed IN ('place_hold', 'cancel_hold')")
