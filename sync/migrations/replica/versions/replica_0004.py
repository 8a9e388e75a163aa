"""Staff who may open this kiosk's staff page while central is away."""

from alembic import op

revision = "replica_0004"
down_revision = "replica_0003"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE staff (id TEXT PRIMARY KEY, login_index BLOB NOT NULL, verifier TEXT NOT NULL,
            grants TEXT NOT NULL, generation INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
    )
    op.execute("CREATE INDEX staff_of_login ON staff (login_index)")
