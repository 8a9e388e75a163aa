"""Up to where an item's history need not be read again, and indexes by which the rest of it is found."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "quiet",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("lent", SMALL, nullable=False),
        sa.PrimaryKeyConstraint("item", name="pk_quiet"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.drop_index("ix_act_item_counts", "act")
    op.create_index(
        "ix_act_item_counts",
        "act",
        ["item", "at"],
        sqlite_where=sa.text("counts = 1"),
        postgresql_where=sa.text("counts = 1"),
    )
    op.drop_index("ix_loan_item", "loan")
    op.create_index("ix_loan_item", "loan", ["item", "lent_at"])
