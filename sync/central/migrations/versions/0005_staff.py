"""Staff with grants and sessions, limits on knocking, the case's assignee, acts that name nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("act", sa.Column("linked", SMALL, nullable=False, server_default=sa.text("1")))
    op.execute("UPDATE act SET linked = 0 WHERE membership IS NULL")
    op.create_index(
        "ix_act_linked",
        "act",
        ["at", "id"],
        sqlite_where=sa.text("linked = 1"),
        postgresql_where=sa.text("linked = 1"),
    )
    op.add_column("case_", sa.Column("assignee", sa.Text()))
    op.add_column("case_", sa.Column("closed_how", sa.Text()))
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", BIG),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("disabled_at", BIG),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("login", name="uq_staff_login"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "staff_grant",
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("staff", "role", "scope", name="pk_staff_grant"),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_staff_grant_staff"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "staff_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.Column("ended_at", BIG),
        sa.PrimaryKeyConstraint("digest", name="pk_staff_session"),
        sa.ForeignKeyConstraint(["staff"], ["staff.id"], name="fk_staff_session_staff"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_staff_session_staff", "staff_session", ["staff"])
    op.create_table(
        "knock",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_knock"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_knock_begun_at", "knock", ["begun_at"])
