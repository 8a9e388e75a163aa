"""Roles, scopes and tries: the table is whole, a branch sees only itself, and five wrong tries make a pause."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import NOON
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.staff import (
    EVERYWHERE,
    PERMISSIONS,
    SCOPES,
    BadGrant,
    Entry,
    Grant,
    Permission,
    Role,
    Scope,
    ScopeKind,
    TryRule,
    branch_scope,
    grant,
    locked_until,
    may,
    parse_scope,
    places,
)

MAIN, EAST = branch_scope("main"), branch_scope("east")
RULE = TryRule(tries=3, pause=timedelta(minutes=10))


def test_every_role_has_permissions_and_scopes() -> None:
    assert set(PERMISSIONS) == set(SCOPES) == set(Role)
    assert all(SCOPES[role] for role in Role)


def test_an_auditor_changes_nothing_and_sees_no_name() -> None:
    changing = {Permission.CASES_WORK, Permission.USERS_MANAGE, Permission.KIOSK_OPEN, Permission.NAMES_SEE}
    assert not PERMISSIONS[Role.AUDITOR] & changing


def test_a_grant_reaches_its_own_place_only() -> None:
    grants = [Grant(Role.CIRCULATION, MAIN)]
    assert may(grants, Permission.CASES_WORK, MAIN)
    assert not may(grants, Permission.CASES_WORK, EAST)
    assert not may(grants, Permission.CASES_WORK)
    assert not may(grants, Permission.CASES_WORK, Scope(ScopeKind.SCHOOL, "main"))
    assert not may(grants, Permission.USERS_MANAGE, MAIN)
    assert places(grants, Permission.CASES_WORK) == {MAIN}
    assert may([Grant(Role.HEADQUARTERS, EVERYWHERE)], Permission.CASES_WORK, EAST)


@given(st.sampled_from(Role), st.sampled_from([EVERYWHERE, MAIN, Scope(ScopeKind.SCHOOL, "A01")]))
def test_a_role_is_given_only_in_a_scope_of_its_kind(role: Role, scope: Scope) -> None:
    if scope.kind in SCOPES[role]:
        assert grant(role, scope) == Grant(role, scope)
    else:
        with pytest.raises(BadGrant, match="expected a scope"):
            grant(role, scope)


@pytest.mark.parametrize("text", ["", "branch", "branch:", "all:main", "town:x", "branch:" + "x" * 41])
def test_a_scope_that_is_none_is_told(text: str) -> None:
    with pytest.raises(BadGrant, match="branch:CODE"):
        parse_scope(text)


@pytest.mark.parametrize("scope", [EVERYWHERE, MAIN, Scope(ScopeKind.SCHOOL, "A01")])
def test_a_scope_is_read_as_it_is_written(scope: Scope) -> None:
    assert parse_scope(str(scope)) == scope


def tries(*said: tuple[float, Entry]) -> list[tuple[object, Entry]]:
    return [(NOON + timedelta(minutes=minute), entry) for minute, entry in said]


WRONG = Entry.WRONG


@pytest.mark.parametrize(
    ("said", "minute", "end"),
    [
        ([(0, WRONG), (1, WRONG)], 2, None),
        ([(0, WRONG), (1, WRONG), (2, WRONG)], 3, 12),
        ([(0, WRONG), (1, WRONG), (2, WRONG)], 12, None),
        ([(0, WRONG), (1, WRONG), (2, WRONG), (3, Entry.LOCKED)], 4, 12),  # a try in the pause makes it no longer
        ([(0, WRONG), (1, WRONG), (2, Entry.OK), (3, WRONG)], 4, None),
        ([(0, WRONG), (1, WRONG), (20, WRONG)], 21, None),
        ([(0, WRONG), (1, WRONG), (2, WRONG)], -60, 12),  # a clock set back
    ],
)
def test_wrong_tries_in_a_row_make_a_pause(said: list[tuple[float, Entry]], minute: float, end: float | None) -> None:
    until = locked_until(tries(*said), NOON + timedelta(minutes=minute), RULE)  # type: ignore[arg-type]
    assert until == (None if end is None else NOON + timedelta(minutes=end))


def test_the_documented_table_is_the_one_in_force() -> None:
    page = (Path(__file__).parents[2] / "docs" / "central.md").read_text(encoding="utf-8")
    told = {}
    for line in page.splitlines():
        role, _, rest = line.removeprefix("| `").partition("` | ")
        if role in list(Role):
            scopes, _, said = rest.partition(" | ")
            told[Role(role)] = (set(scopes.split(", ")), set(re.findall(r"`(\w+)`", said)))
    assert told == {role: (set(SCOPES[role]), set(PERMISSIONS[role])) for role in Role}
