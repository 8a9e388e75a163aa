"""The library's words: patron categories and item types, each a code with its names in Chinese and English (D6).

Called by imports and by whoever sets a policy: a record or rule may only name what is known. Any thread; blocking.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import Connection, select

from sync.central import tables
from sync.central.places import ADD_BRANCH
from sync.central.records import term_entry
from sync.wire import TermEntry

CODE = re.compile(r"\w[\w.-]{0,39}")
CODE_EXPECTED = "a code of 1 to 40 letters, digits, -, _ and ."


class TermKind(StrEnum):
    """What a word is for."""

    CATEGORY = "category"
    """Of patrons."""
    ITEM_TYPE = "item_type"
    """Of items."""


ADD: Mapping[str, str] = MappingProxyType(
    {
        TermKind.CATEGORY: "shelfpoint central category add CODE --zh 名稱 --en NAME",
        TermKind.ITEM_TYPE: "shelfpoint central item-type add CODE --zh 名稱 --en NAME",
        "branch": ADD_BRANCH,
    }
)
"""The command that makes a code known, by the key that names it in rules and records."""


def term(kind: TermKind, code: str, zh: str, en: str) -> TermEntry:
    """One word."""
    return TermEntry(key=f"{kind}:{code}", zh=zh, en=en)


def terms(connection: Connection, kind: TermKind) -> dict[str, TermEntry]:
    """Every word of a kind, by code."""
    columns = tables.term.c
    rows = connection.execute(
        select(tables.term).where(columns.key.startswith(f"{kind}:", autoescape=True)).order_by(columns.key)
    )
    return {row.key.partition(":")[2]: term_entry(row) for row in rows}


def known_names(connection: Connection) -> dict[str, set[str]]:
    """What rules and records may name: codes by the key that names them."""
    matches = {str(kind): set(terms(connection, kind)) for kind in TermKind}
    return {**matches, "branch": set(connection.execute(select(tables.branch.c.id)).scalars())}
