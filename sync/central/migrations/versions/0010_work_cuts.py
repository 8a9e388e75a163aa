"""How a reserved work stood at a moment, so that its acts up to there need not be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "work_cut",
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("work", name="pk_work_cut"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
