"""Each binding of a card has an opaque id, by which acts name it, and says from when to when it held."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("card", sa.Column("ref", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("card", sa.Column("bound_at", BIG))
    op.add_column("card", sa.Column("ended_at", BIG))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("UPDATE card SET ref = substr(replace(gen_random_uuid()::text, '-', ''), 1, 20)")
    else:
        op.execute("UPDATE card SET ref = lower(hex(randomblob(10)))")
    op.create_index("uq_card_ref", "card", ["ref"], unique=True)
    op.create_index(
        "ix_card_number_ended",
        "card",
        ["number"],
        sqlite_where=sa.text("active = 0"),
        postgresql_where=sa.text("active = 0"),
    )
