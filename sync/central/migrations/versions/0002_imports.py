"""Imports: a row for each file ever applied, and the rows of one that is under way."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "import_run",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("staged", BIG, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("finished_at", BIG),
        sa.PrimaryKeyConstraint("digest", name="pk_import_run"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_row",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "number", name="pk_import_row"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_key",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "key", name="pk_import_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
