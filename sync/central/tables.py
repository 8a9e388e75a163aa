"""The tables of central, as SQLAlchemy Core; made and changed only by `migrations`.

Types fit SQLite's STRICT tables and PostgreSQL alike: ids are text, times are UTC microseconds, days are ISO text,
money is whole NT$, small structures are JSON text. Act, loan and case name people and items by bare ids without
foreign keys: a fact may name an item or a membership that central has never heard of, and is entered all the same.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

_Big = BigInteger().with_variant(Integer, "sqlite")
_Small = SmallInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Column[object] | UniqueConstraint | Index, rowid: bool = True) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


meta = _table(
    "meta",
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    rowid=False,
)
"""epoch; notes of chores, key copy, backup and TLS; with PostgreSQL also the fingerprint of the root key."""

library = _table(
    "library",
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # public, school, agency
    rowid=False,
)

branch = _table(
    "branch",
    Column("id", Text, primary_key=True),
    Column(
        "calendar", Text, nullable=False
    ),  # JSON of wire.CalendarEntry: name, library, place, opening, closed for good
)

term = _table(
    "term",  # patron categories and item types that records and policies may name
    Column("key", Text, primary_key=True),  # category:CODE, item_type:CODE
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    rowid=False,
)

policy = _table(
    "policy",
    Column("version", Text, primary_key=True),
    Column("body", Text, nullable=False),  # JSON of wire.PolicyEntry
    Column("set_at", _Big, nullable=False),
    Column("current", _Small, nullable=False),
    Index(
        "uq_policy_current",
        "current",
        unique=True,
        sqlite_where=text("current = 1"),
        postgresql_where=text("current = 1"),
    ),
)

membership = _table(
    "membership",
    Column("id", Text, primary_key=True),
    Column("category", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("expires_on", Text),
    Column("suspended_until", Text),
    Column("owed", _Big, nullable=False, server_default=text("0")),
    Column("holds_suspended_until", Text),
)

person = _table(
    "person",  # what identifies; erased without touching membership, acts or audit
    Column("membership", Text, ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, nullable=False),
)

card = _table(
    "card",
    Column("id", _Big, primary_key=True),
    Column("number", Text, nullable=False),  # spelled as the library writes it
    Column("membership", Text, ForeignKey("membership.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("active", _Small, nullable=False),
    Column(
        "ref", Text, nullable=False, server_default=text("''")
    ),  # opaque; names this binding to kiosks and in their acts
    Column("bound_at", _Big),  # null: before anybody noted it
    Column("ended_at", _Big),  # null while active, and of what had ended before anybody noted it
    Index("uq_card_ref", "ref", unique=True),
    Index("ix_card_number_ended", "number", sqlite_where=text("active = 0"), postgresql_where=text("active = 0")),
    Index(
        "uq_card_number_active",
        "number",
        unique=True,
        sqlite_where=text("active = 1"),
        postgresql_where=text("active = 1"),
    ),
    Index(
        "uq_card_kind_active",
        "membership",
        "kind",
        unique=True,
        sqlite_where=text("active = 1"),
        postgresql_where=text("active = 1"),
    ),
)

item = _table(
    "item",
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("item_type", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("desk_only", _Small, nullable=False),
    Column("reserved_for", Text),
    Column("desensitise", _Small, nullable=False),
    Column("work", Text, nullable=False, server_default=text("''")),  # what its copies share; never empty
    Column("missing_since", _Big),  # when it was recorded as missing; null: it is not, or nobody knows since when
    Index("ix_item_work", "work"),
)

incarnation = _table(
    "incarnation",  # one life of one kiosk's log
    Column("id", _Big, primary_key=True),
    Column("kiosk", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("held_through", _Big, nullable=False),
    UniqueConstraint("kiosk", "name", name="uq_incarnation_name"),
)

held = _table(
    "held",  # sequences held beyond a gap; empty while words come in order
    Column("incarnation", _Big, ForeignKey("incarnation.id"), primary_key=True),
    Column("sequence", _Big, primary_key=True),
    rowid=False,
)

act = _table(
    "act",  # one row per act id: the joined words; with `counts` it is an event of its item
    Column("id", Text, primary_key=True),
    Column("held", Text, nullable=False),
    Column("counts", _Small, nullable=False),
    Column("deed", Text),
    Column("membership", Text),
    Column("item", Text),
    Column("branch", Text),
    Column("at", _Big),  # corrected act time
    Column("incarnation", _Big, ForeignKey("incarnation.id"), nullable=False),
    Column("sequence", _Big, nullable=False),
    Column("due_at", _Big),
    Column("hold", Text),
    Column("linked", _Small, nullable=False, server_default=text("1")),  # 0: membership names nobody (any more)
    Index("ix_act_item_hold", "item", sqlite_where=text("hold IS NOT NULL"), postgresql_where=text("hold IS NOT NULL")),
    Column("doubtful_from", _Big),  # both only of an act whose time is not known
    Column("doubtful_until", _Big),
    Index("ix_act_item_counts", "item", "at", sqlite_where=text("counts = 1"), postgresql_where=text("counts = 1")),
    Index("ix_act_linked", "at", "id", sqlite_where=text("linked = 1"), postgresql_where=text("linked = 1")),
)

quiet = _table(
    "quiet",  # up to where a long history of an item is settled for good: `sync.central.histories`
    Column("item", Text, primary_key=True),
    Column("at", _Big, nullable=False),  # of the return at which it is cut
    Column("numbers", Text, nullable=False),  # JSON: the greatest sequence of each log up to there
    Column("lent", _Small, nullable=False),  # whether there was a loan
    rowid=False,
)

work_cut = _table(
    "work_cut",  # how a reserved work stood at a moment that no act crosses: `sync.central.work_cuts`
    Column("work", Text, primary_key=True),
    Column("at", _Big, nullable=False),
    Column("body", Text, nullable=False),  # JSON; names memberships, so it goes when one of them is forgotten
    rowid=False,
)

word = _table(
    "word",  # one row per judged word; never changed
    Column("act", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("incarnation", _Big, ForeignKey("incarnation.id"), nullable=False),
    Column("sequence", _Big),  # null where a faulty kiosk used the number twice
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("details", Text),
    Column("due_at", _Big),
    Column("epoch", Text, nullable=False),
    Column("position", _Big, nullable=False),
    Column("judged_at", _Big, nullable=False),
    Column("hold", Text),
    UniqueConstraint("incarnation", "sequence", name="uq_word_sequence"),
    rowid=False,
)

loan = _table(
    "loan",  # every loan that the standing acts amount to; open while ended_by is null
    Column("act", Text, primary_key=True),
    Column("membership", Text),
    Column("item", Text, nullable=False),
    Column("lent_at", _Big, nullable=False),
    Column("due_at", _Big, nullable=False),
    Column("renewals", Integer, nullable=False),
    Column("ended_by", Text),
    Column("ended_at", _Big),
    Index("ix_loan_item", "item", "lent_at"),
    Index(
        "ix_loan_open", "membership", sqlite_where=text("ended_by IS NULL"), postgresql_where=text("ended_by IS NULL")
    ),
)

case = _table(
    "case_",  # what a person must look at; the id follows from its acts, so one conflict is one case
    Column("id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("other_act", Text),
    Column("item", Text),
    Column("membership", Text),
    Column("kiosk", Text),
    Column("details", Text),
    Column("opened_at", _Big, nullable=False),
    Column("closed_at", _Big),
    Column("closed_by", Text),
    Column("assignee", Text),  # staff id
    Column("closed_how", Text),  # in the words of who closed it
    Index("ix_case_item", "item"),
    Index(
        "ix_case_open", "opened_at", sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")
    ),
)

kiosk = _table(
    "kiosk",
    Column("id", Text, primary_key=True),
    Column("branch", Text, ForeignKey("branch.id"), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("index_salt", LargeBinary, nullable=False),
    Column("enrolled_at", _Big, nullable=False),
    Column("revoked_at", _Big),
    Column("health", Text),  # JSON of wire.Health, the newest
    Column("health_at", _Big),
    Column("sealing_key", LargeBinary),  # X25519; null for one enrolled by an older program
    Column("farewell", Text),  # wire.Farewell, of a revoked one that is to be wiped
)

enrolment_code = _table(
    "enrolment_code",
    Column("digest", LargeBinary, primary_key=True),
    Column("branch", Text, ForeignKey("branch.id"), nullable=False),
    Column("kiosk", Text),  # the kiosk that is to be enrolled anew; null for a new one
    Column("expires_at", _Big, nullable=False),
    Column("used_at", _Big),
)

feed_head = _table(
    "feed_head",  # one row: the newest position, and the oldest whose tombstones are still kept
    Column("id", Integer, primary_key=True),
    Column("position", _Big, nullable=False),
    Column("floor", _Big, nullable=False),
)

feed = _table(
    "feed",  # where each key last changed; its state stands in its own table
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("position", _Big, nullable=False),
    Index("uq_feed_position", "position", unique=True),
    rowid=False,
)

audit = _table(
    "audit",  # append-only, held by triggers
    Column("id", _Big, primary_key=True),
    Column("at", _Big, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text),
)

import_run = _table(
    "import_run",  # one row for each run of a file: `sync.central.import_runs`
    Column("id", _Big, primary_key=True),
    Column("digest", Text, nullable=False),  # of the file's bytes and of how it was read
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # preview, staging, applying, done, past
    Column("staged", _Big, nullable=False),
    Column("changed", _Big, nullable=False),
    Column("started_at", _Big, nullable=False),  # the newest turn
    Column("finished_at", _Big),
    Column("runner", Text, nullable=False),  # whose turn it is or was, for people
    Column("token", Text, nullable=False),  # the same, for the program
    Column("leased_until", _Big, nullable=False),
)

import_row = _table(
    "import_row",  # checked and not applied yet; goes away with the transaction that applies it
    Column("run", _Big, primary_key=True, autoincrement=False),
    Column("number", _Big, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    rowid=False,
)

import_key = _table(
    "import_key",  # ids and card numbers that a file has named, while it is checked; a second one is a mistake
    Column("run", _Big, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    rowid=False,
)

hold = _table(
    "hold",  # what the standing acts of a work amount to: `kiosk.domain.holds.settle_holds`
    Column("id", Text, primary_key=True),  # the act that placed it
    Column("membership", Text, nullable=False),
    Column("work", Text, nullable=False),
    Column("asked", Text, nullable=False),  # the copy it was placed on
    Column("branch", Text, nullable=False),  # where it is picked up
    Column("placed_at", _Big, nullable=False),
    Column("state", Text, nullable=False),
    Column("item", Text),
    Column("ready_until", _Big),
    Column("by_act", Text),
    Column("left_item", Text),  # a copy that still stands aside although the hold is over
    Index("ix_hold_work", "work"),
    Index("ix_hold_asked", "asked"),
    Index(
        "ix_hold_open",
        "membership",
        sqlite_where=text("state IN ('waiting', 'on_the_way', 'ready')"),
        postgresql_where=text("state IN ('waiting', 'on_the_way', 'ready')"),
    ),
    Index(
        "ix_hold_ready", "ready_until", sqlite_where=text("state = 'ready'"), postgresql_where=text("state = 'ready'")
    ),
    Index(
        "ix_hold_left",
        "branch",
        sqlite_where=text("left_item IS NOT NULL"),
        postgresql_where=text("left_item IS NOT NULL"),
    ),
)

chore = _table(
    "chore",  # periodic work: when it is due, and until when somebody is at it
    Column("name", Text, primary_key=True),
    Column("due_at", _Big, nullable=False),
    Column("leased_until", _Big, nullable=False),
    rowid=False,
)

staff = _table(
    "staff",
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False),  # as `sync.central.staff` spells it
    Column("verifier", Text, nullable=False),  # argon2id, PHC string
    Column("tries", Integer, nullable=False),  # since the last good one
    Column("locked_until", _Big),
    Column("created_at", _Big, nullable=False),
    Column("disabled_at", _Big),
    UniqueConstraint("login", name="uq_staff_login"),
)

staff_grant = _table(
    "staff_grant",
    Column("staff", Text, ForeignKey("staff.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("scope", Text, primary_key=True),  # all, branch:CODE, school:CODE
    rowid=False,
)

staff_session = _table(
    "staff_session",
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the token
    Column("staff", Text, ForeignKey("staff.id"), nullable=False),
    Column("begun_at", _Big, nullable=False),
    Column("seen_at", _Big, nullable=False),
    Column("ended_at", _Big),
    Index("ix_staff_session_staff", "staff"),
)

knock = _table(
    "knock",  # who has knocked how often at a door that is limited; a row lives as long as its window
    Column("key", Text, primary_key=True),
    Column("begun_at", _Big, nullable=False),
    Column("count", Integer, nullable=False),
    Index("ix_knock_begun_at", "begun_at"),
)

former_key = _table(
    "former_key",  # of a kiosk that was enrolled anew: what the old machine left behind is still known for its own
    Column("kiosk", Text, primary_key=True),
    Column("public_key", LargeBinary, primary_key=True),
    Column("revoked_at", _Big),
    Column("farewell", Text),
    rowid=False,
)
