"""The first schema of central."""

import sqlalchemy as sa
from alembic import op

from sync.central.database import append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "branch",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_branch"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "case_",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("other_act", sa.Text()),
        sa.Column("item", sa.Text()),
        sa.Column("membership", sa.Text()),
        sa.Column("kiosk", sa.Text()),
        sa.Column("details", sa.Text()),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("closed_at", BIG),
        sa.Column("closed_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_case_"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_case_item", "case_", ["item"], unique=False)
    op.create_index(
        "ix_case_open",
        "case_",
        ["opened_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "feed",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_feed"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("uq_feed_position", "feed", ["position"], unique=True)
    op.create_table(
        "feed_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("floor", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed_head"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "incarnation",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kiosk", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("held_through", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incarnation"),
        sa.UniqueConstraint("kiosk", "name", name="uq_incarnation_name"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("item_type", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("desk_only", SMALL, nullable=False),
        sa.Column("reserved_for", sa.Text()),
        sa.Column("desensitise", SMALL, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_item"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "loan",
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("membership", sa.Text()),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("lent_at", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("renewals", sa.Integer(), nullable=False),
        sa.Column("ended_by", sa.Text()),
        sa.Column("ended_at", BIG),
        sa.PrimaryKeyConstraint("act", name="pk_loan"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index("ix_loan_item", "loan", ["item"], unique=False)
    op.create_index(
        "ix_loan_open",
        "loan",
        ["membership"],
        unique=False,
        sqlite_where=sa.text("ended_by IS NULL"),
        postgresql_where=sa.text("ended_by IS NULL"),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Text()),
        sa.Column("suspended_until", sa.Text()),
        sa.Column("owed", BIG, server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policy",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("set_at", BIG, nullable=False),
        sa.Column("current", SMALL, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_policy"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "uq_policy_current",
        "policy",
        ["current"],
        unique=True,
        sqlite_where=sa.text("current = 1"),
        postgresql_where=sa.text("current = 1"),
    )
    op.create_table(
        "act",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("counts", SMALL, nullable=False),
        sa.Column("deed", sa.Text()),
        sa.Column("membership", sa.Text()),
        sa.Column("item", sa.Text()),
        sa.Column("branch", sa.Text()),
        sa.Column("at", BIG),
        sa.Column("incarnation", BIG, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("due_at", BIG),
        sa.ForeignKeyConstraint(["incarnation"], ["incarnation.id"], name="fk_act_incarnation"),
        sa.PrimaryKeyConstraint("id", name="pk_act"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "ix_act_item_counts",
        "act",
        ["item"],
        unique=False,
        sqlite_where=sa.text("counts = 1"),
        postgresql_where=sa.text("counts = 1"),
    )
    op.create_table(
        "card",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("membership", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("active", SMALL, nullable=False),
        sa.ForeignKeyConstraint(["membership"], ["membership.id"], name="fk_card_membership", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_card"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_index(
        "uq_card_kind_active",
        "card",
        ["membership", "kind"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active = 1"),
    )
    op.create_index(
        "uq_card_number_active",
        "card",
        ["number"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active = 1"),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("kiosk", sa.Text()),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_at", BIG),
        sa.ForeignKeyConstraint(["branch"], ["branch.id"], name="fk_enrolment_code_branch"),
        sa.PrimaryKeyConstraint("digest", name="pk_enrolment_code"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "held",
        sa.Column("incarnation", BIG, nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.ForeignKeyConstraint(["incarnation"], ["incarnation.id"], name="fk_held_incarnation"),
        sa.PrimaryKeyConstraint("incarnation", "sequence", name="pk_held"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "kiosk",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("index_salt", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", BIG, nullable=False),
        sa.Column("revoked_at", BIG),
        sa.Column("health", sa.Text()),
        sa.Column("health_at", BIG),
        sa.ForeignKeyConstraint(["branch"], ["branch.id"], name="fk_kiosk_branch"),
        sa.PrimaryKeyConstraint("id", name="pk_kiosk"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "person",
        sa.Column("membership", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["membership"], ["membership.id"], name="fk_person_membership", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("membership", name="pk_person"),
        sqlite_strict=True,
        sqlite_with_rowid=True,
    )
    op.create_table(
        "word",
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("incarnation", BIG, nullable=False),
        sa.Column("sequence", BIG),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("details", sa.Text()),
        sa.Column("due_at", BIG),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("judged_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["incarnation"], ["incarnation.id"], name="fk_word_incarnation"),
        sa.PrimaryKeyConstraint("act", "word", name="pk_word"),
        sa.UniqueConstraint("incarnation", "sequence", name="uq_word_sequence"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    append_only(op.get_bind(), "audit")
