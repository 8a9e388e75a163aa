"""Holds: works, what acts say of holds, and what they amount to; periodic work."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("membership", sa.Column("holds_suspended_until", sa.Text()))
    op.add_column("item", sa.Column("work", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE item SET work = id")
    op.create_index("ix_item_work", "item", ["work"], unique=False)
    op.add_column("act", sa.Column("hold", sa.Text()))
    where = sa.text("hold IS NOT NULL")
    op.create_index("ix_act_item_hold", "act", ["item"], unique=False, sqlite_where=where, postgresql_where=where)
    op.add_column("word", sa.Column("hold", sa.Text()))
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("membership", sa.Text(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("placed_at", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("item", sa.Text()),
        sa.Column("ready_until", BIG),
        sa.Column("by_act", sa.Text()),
        sa.Column("left_item", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_hold_work", "hold", ["work"], unique=False)
    op.create_index("ix_hold_asked", "hold", ["asked"], unique=False)
    for name, column, some in (
        ("ix_hold_open", "membership", "state IN ('waiting', 'on_the_way', 'ready')"),
        ("ix_hold_ready", "ready_until", "state = 'ready'"),
        ("ix_hold_left", "branch", "left_item IS NOT NULL"),
    ):
        op.create_index(
            name, "hold", [column], unique=False, sqlite_where=sa.text(some), postgresql_where=sa.text(some)
        )
    op.create_table(
        "chore",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("leased_until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chore"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
