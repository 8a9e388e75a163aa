"""Staff: passwords, the lock after wrong tries, sessions, and what the audit says of it all."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from kiosk.domain.staff import EVERYWHERE, TRY_RULE, BadGrant, Grant, Role, branch_scope
from sync.central import tables
from sync.central.limits import BY_ADDRESS, BY_NAME, Door, TooOften, address_key
from sync.central.office import Central
from sync.central.passwords import BadPassword
from sync.central.places import UnknownRecord
from sync.central.sessions import IDLE, LIFE, NoSession
from sync.central.staff import BadLogin, LoginLocked, LoginRefused
from sync.wire import StaffEntry
from ui.cli.central import central as central_command

from .conftest import quick_passwords

PASSWORD = "correct horse"
DESK = Grant(Role.CIRCULATION, branch_scope("main"))
ADMIN = Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE)


@pytest.fixture
def chen(town: Any) -> Any:
    return town.central.staff.add("Chen", PASSWORD, [DESK], who="test")


def wrong(town: Any, times: int) -> None:
    for _ in range(times):
        with pytest.raises(LoginRefused):
            town.central.staff.check("chen", "not this one")


def test_a_login_is_found_however_it_is_typed(town: Any, chen: Any) -> None:
    assert town.central.staff.check(" ＣＨＥＮ ", PASSWORD).id == chen.id
    with pytest.raises(BadLogin, match="taken"):
        town.central.staff.add("CHEN", PASSWORD, who="test")


@pytest.mark.parametrize("login", ["", "a", "two words", "a\0b", "x" * 65])
def test_a_login_that_is_none_is_refused(town: Any, login: str) -> None:
    with pytest.raises(BadLogin):
        town.central.staff.add(login, PASSWORD, who="test")


@pytest.mark.parametrize("password", ["", "short77", "x" * 129])
def test_a_password_has_eight_characters_at_least(town: Any, password: str) -> None:
    with pytest.raises(BadPassword):
        town.central.staff.add("lin", password, who="test")
    assert town.central.staff.all() == []


def test_a_grant_that_cannot_be_given_leaves_nobody_behind(town: Any) -> None:
    with pytest.raises(BadGrant):
        town.central.staff.add("lin", PASSWORD, [DESK, Grant(Role.HEADQUARTERS, branch_scope("main"))], who="test")
    assert town.central.staff.all() == []


def test_the_password_stands_nowhere_but_as_argon2id(town: Any, chen: Any) -> None:
    with town.central.database.read() as connection:
        verifier = connection.execute(select(tables.staff.c.verifier)).scalar_one()
        audit = [tuple(row) for row in connection.execute(select(tables.audit))]
    assert verifier.startswith("$argon2id$")
    assert PASSWORD not in repr(audit)


def test_five_wrong_tries_lock_the_login_for_a_while_even_for_the_right_password(town: Any, chen: Any) -> None:
    wrong(town, TRY_RULE.tries)
    with pytest.raises(LoginLocked):
        town.central.staff.check("chen", PASSWORD)
    town.clock.now += TRY_RULE.pause + timedelta(seconds=1)
    assert town.central.staff.check("chen", PASSWORD).id == chen.id
    wrong(town, TRY_RULE.tries - 1)  # counted anew
    assert town.central.staff.check("chen", PASSWORD).locked_until is None


def test_the_lock_holds_over_a_restart_and_in_other_processes(town: Any, chen: Any) -> None:
    wrong(town, TRY_RULE.tries - 1)
    other = Central.open(town.settings, clock=town.clock, passwords=quick_passwords())
    try:
        with pytest.raises(LoginRefused):
            other.staff.check("chen", "wrong again")
        with pytest.raises(LoginLocked):
            town.central.staff.check("chen", PASSWORD)
    finally:
        other.close()


def test_tries_at_the_same_moment_are_not_more_than_the_rule_allows(town: Any, chen: Any) -> None:
    def guess(number: int) -> str:
        try:
            town.central.staff.check("chen", f"guess number {number}")
        except LoginRefused:
            return "looked at"
        except LoginLocked:
            return "locked"
        return "in"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(16)))
    assert said.count("looked at") == TRY_RULE.tries
    assert said.count("locked") == 16 - TRY_RULE.tries


def test_an_administrator_ends_the_pause(town: Any, chen: Any) -> None:
    wrong(town, TRY_RULE.tries)
    town.central.staff.unlock("chen", who="test")
    assert town.central.staff.check("chen", PASSWORD)


def test_unknown_and_disabled_logins_are_refused_like_a_wrong_password(town: Any, chen: Any) -> None:
    town.central.staff.disable("chen", who="test")
    for login in ("chen", "nobody", "\0", "x" * 500):
        with pytest.raises(LoginRefused):
            town.central.staff.check(login, PASSWORD)
    town.central.staff.disable("chen", who="test", enable=True)
    assert town.central.staff.check("chen", PASSWORD)


def test_a_session_ends_idle_and_ends_in_any_case(town: Any, chen: Any) -> None:
    sessions = town.central.sessions
    idle = sessions.begin("chen", PASSWORD).token
    town.clock.now += IDLE + timedelta(seconds=1)
    with pytest.raises(NoSession):
        sessions.find(idle)
    busy = sessions.begin("chen", PASSWORD)
    while town.clock.now < busy.ends_at - timedelta(minutes=20):
        town.clock.now += timedelta(minutes=20)
        assert sessions.find(busy.token).id == chen.id
    town.clock.now += timedelta(minutes=20, seconds=1)
    with pytest.raises(NoSession):
        sessions.find(busy.token)
    assert busy.ends_at - town.clock.now < LIFE
    assert sessions.forget_old() == 2


def test_logging_out_a_new_password_and_disabling_end_sessions(town: Any, chen: Any) -> None:
    sessions = town.central.sessions
    for end in (
        sessions.end,
        lambda _: town.central.staff.set_password("chen", PASSWORD, who="test"),
        lambda _: town.central.staff.disable("chen", who="test"),
    ):
        token = sessions.begin("chen", PASSWORD).token
        assert sessions.find(token).id == chen.id
        end(token)
        with pytest.raises(NoSession):
            sessions.find(token)


def test_a_token_is_kept_as_a_hash_only(town: Any, chen: Any) -> None:
    token = town.central.sessions.begin("chen", PASSWORD).token
    with town.central.database.read() as connection:
        kept = [tuple(row) for row in connection.execute(select(tables.staff_session))]
    assert token not in repr(kept)


def test_a_revoked_grant_is_gone_with_the_next_look(town: Any, chen: Any) -> None:
    token = town.central.sessions.begin("chen", PASSWORD).token
    town.central.staff.revoke("chen", DESK, who="test")
    assert town.central.sessions.find(token).grants == ()
    with pytest.raises(UnknownRecord):
        town.central.staff.revoke("chen", DESK, who="test")


def test_every_change_of_staff_is_audited_under_who_made_it(town: Any, chen: Any) -> None:
    staff = town.central.staff
    staff.grant("chen", ADMIN, who="s-1")
    staff.grant("chen", ADMIN, who="s-1")  # held already
    staff.revoke("chen", ADMIN, who="s-1")
    staff.set_password("chen", PASSWORD, who="s-1")
    staff.disable("chen", who="s-1")
    staff.unlock("chen", who="s-1")
    lines = town.central.audit.lines(who="s-1", subject=chen.id)
    assert [line.what for line in reversed(lines)] == [
        "grant given", "grant revoked", "password set", "staff disabled", "staff unlocked",
    ]  # fmt: skip


def staff_told(town: Any, branch: str, cursor: str | None = None) -> tuple[list[Any], str]:
    page = town.central.feed.page(cursor, b"k" * 32, branch)
    return [entry for entry in page.entries if "staff" in (getattr(entry, "kind", ""), entry.__struct_config__.tag)], (
        page.cursor
    )


def test_kiosks_hear_only_of_staff_whose_grants_reach_them(town: Any, chen: Any) -> None:
    town.central.staff.add("admin", PASSWORD, [ADMIN], who="test")
    town.central.staff.add("reader", PASSWORD, [Grant(Role.AUDITOR, EVERYWHERE)], who="test")
    at_main, cursor = staff_told(town, "main")
    at_east, _ = staff_told(town, "east")
    assert [[(one.role, one.scope) for one in entry.grants] for entry in at_main] == [
        [("circulation", "branch:main")],
        [("system_administrator", "all")],
    ]
    assert len(at_east) == 1
    assert all(isinstance(entry, StaffEntry) for entry in at_main)
    assert "chen" not in repr(at_main)
    town.central.staff.disable("chen", who="test")
    gone, _ = staff_told(town, "main", cursor)
    assert [(entry.kind, entry.key) for entry in gone] == [("staff", chen.id)]


def test_knocking_too_often_is_told_by_address_and_by_name(town: Any) -> None:
    limits = town.central.limits
    for number in range(BY_ADDRESS.times):
        limits.knock(Door.LOGIN, address="192.0.2.1", name=f"name {number}")
    with pytest.raises(TooOften) as caught:
        limits.knock(Door.LOGIN, address="192.0.2.1", name="another")
    assert timedelta() < caught.value.after <= BY_ADDRESS.window
    limits.knock(Door.ENROL, address="192.0.2.1")  # another door
    for number in range(BY_NAME.times):
        limits.knock(Door.LOGIN, address=f"198.51.100.{number}", name="chen")
    with pytest.raises(TooOften):
        limits.knock(Door.LOGIN, address="203.0.113.1", name="chen")
    town.clock.now += BY_ADDRESS.window
    limits.knock(Door.LOGIN, address="192.0.2.1", name="chen")
    town.clock.now += BY_ADDRESS.window + timedelta(seconds=1)
    assert limits.forget_old() > 0
    with town.central.database.read() as connection:
        assert connection.execute(select(tables.knock)).all() == []


def test_one_line_of_ipv6_is_one_client() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff")
    assert address_key("2001:db8:0:1::1") != address_key("2001:db8::1")
    assert address_key("no address\0") == "unknown"


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_command_line_looks_after_staff(town: Any, kind: str) -> None:
    def run(*arguments: str, said: str | None = None) -> Any:
        place = ["--data", str(town.settings.data)]
        return CliRunner().invoke(central_command, [*arguments, *place], input=said)

    added = run("user", "add", "chen", "--grant", "circulation@branch:main", "--json", said=f"{PASSWORD}\n")
    assert json.loads(added.output)["grants"] == ["circulation@branch:main"]
    assert run("user", "add", "lin", said="short\n").exit_code == 2
    assert run("user", "grant", "chen", "headquarters", "branch:main").exit_code == 2
    assert run("user", "grant", "chen", "headquarters", "all").exit_code == 0
    assert run("user", "revoke", "chen", "circulation", "branch:main").exit_code == 0
    assert run("user", "password", "chen", said="another password\n").exit_code == 0
    assert run("user", "disable", "chen").exit_code == 0
    assert run("user", "unlock", "chen").exit_code == 0
    assert run("user", "disable", "nobody").exit_code == 2
    (row,) = json.loads(run("user", "list", "--json").output)
    assert (row["grants"], row["disabled"]) == (["headquarters@all"], True)
    lines = json.loads(run("audit", "list", "--what", "staff added", "--json").output)
    assert [line["who"] for line in lines] == ["command line"]
