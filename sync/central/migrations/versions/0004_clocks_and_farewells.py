"""Between which moments an act happened whose kiosk had no clock to believe; how a kiosk reads parcels, and takes leave."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("act", sa.Column("doubtful_from", BIG))
    op.add_column("act", sa.Column("doubtful_until", BIG))
    op.add_column("kiosk", sa.Column("sealing_key", sa.LargeBinary()))
    op.add_column("kiosk", sa.Column("farewell", sa.Text()))
    op.create_table(
        "former_key",
        sa.Column("kiosk", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("revoked_at", BIG),
        sa.Column("farewell", sa.Text()),
        sa.PrimaryKeyConstraint("kiosk", "public_key", name="pk_former_key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
