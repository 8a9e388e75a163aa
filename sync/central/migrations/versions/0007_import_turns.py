"""A run of an import has a number and a turn: a file may come again after another, and two runs stay out of each other's way.

What a file had staged goes on under its run's number; of each kind the file that was applied last is the one that counts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("import_run", "import_row", "import_key"):
        op.execute(f"ALTER TABLE {name} RENAME TO former_{name}")
        if op.get_bind().dialect.name == "postgresql":  # the name of a key's index is one in the whole schema
            op.execute(f"ALTER TABLE former_{name} RENAME CONSTRAINT pk_{name} TO pk_former_{name}")
    op.create_table(
        "import_run",
        sa.Column("id", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("staged", BIG, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("finished_at", BIG),
        sa.Column("runner", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("leased_until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
        sqlite_strict=True,
    )
    for name, key, kind in (("import_row", "number", BIG), ("import_key", "key", sa.Text())):
        more = [sa.Column("body", sa.Text(), nullable=False)] if name == "import_row" else []
        op.create_table(
            name,
            sa.Column("run", BIG, nullable=False),
            sa.Column(key, kind, nullable=False),
            *more,
            sa.PrimaryKeyConstraint("run", key, name=f"pk_{name}"),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
    op.execute(
        "INSERT INTO import_run (digest, kind, state, staged, changed, started_at, finished_at, runner, token, leased_until) "
        "SELECT digest, kind, CASE WHEN state <> 'staging' AND EXISTS (SELECT 1 FROM former_import_run later "
        "WHERE later.kind = own.kind AND later.digest <> own.digest AND CASE later.state "
        "WHEN 'done' THEN later.finished_at > coalesce(own.finished_at, own.started_at) "
        "WHEN 'applying' THEN later.started_at > coalesce(own.finished_at, own.started_at) ELSE false END) "
        "THEN 'past' ELSE state END, "
        "staged, changed, started_at, finished_at, '', '', 0 FROM former_import_run own ORDER BY started_at, digest"
    )
    op.execute(
        "INSERT INTO import_row (run, number, body) SELECT import_run.id, number, body "
        "FROM former_import_row JOIN import_run ON import_run.digest = former_import_row.digest"
    )
    op.execute(
        'INSERT INTO import_key (run, "key") SELECT import_run.id, former_import_key."key" '
        "FROM former_import_key JOIN import_run ON import_run.digest = former_import_key.digest"
    )
    for name in ("import_run", "import_row", "import_key"):
        op.drop_table(f"former_{name}")
