"""Libraries, and patron categories and item types as records: those that are in use become known, under their codes.

The kiosks hear of them: each stands in the feed behind its head. When an item was recorded as missing is known from now on.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "library",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_library"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "term",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_term"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.add_column("item", sa.Column("missing_since", BIG))
    _make_known(op.get_bind())


def _make_known(connection: sa.Connection) -> None:
    head = connection.execute(sa.text("SELECT position FROM feed_head")).scalar()
    if head is None:
        return  # a new database, whose first rows the program writes
    used = {
        "category": set(connection.execute(sa.text("SELECT DISTINCT category FROM membership")).scalars()),
        "item_type": set(connection.execute(sa.text("SELECT DISTINCT item_type FROM item")).scalars()),
    }
    for body in connection.execute(sa.text("SELECT body FROM policy WHERE current = 1")).scalars():
        rules = json.loads(body)
        for rule in (*rules.get("patron_rules", ()), *rules.get("loan_rules", ())):
            for kind, codes in used.items():
                codes.add(rule.get(kind, "*"))
    used["item_type"].add("book")  # what an item is that names no type
    keys = sorted(f"{kind}:{code}" for kind, codes in used.items() for code in codes - {"", "*"})
    rows = [{"key": key, "word": key.partition(":")[2]} for key in keys]
    connection.execute(sa.text("INSERT INTO term (key, zh, en) VALUES (:key, :word, :word)"), rows)
    marks = [{"key": key, "position": head + place} for place, key in enumerate(keys, 1)]
    connection.execute(sa.text("INSERT INTO feed (kind, key, position) VALUES ('term', :key, :position)"), marks)
    connection.execute(sa.text("UPDATE feed_head SET position = :position"), {"position": head + len(keys)})
