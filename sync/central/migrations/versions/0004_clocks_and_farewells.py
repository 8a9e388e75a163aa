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
