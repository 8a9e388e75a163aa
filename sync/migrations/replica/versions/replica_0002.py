"""Cards of a snapshot wait in the order in which they come: their keys are random, and a random place for each is slow."""

from alembic import op

revision = "replica_0002"
down_revision = "replica_0001"


def upgrade() -> None:
    op.execute(
        "CREATE TABLE card_staged (number_index BLOB NOT NULL, membership TEXT NOT NULL, kind TEXT NOT NULL) STRICT"
    )
