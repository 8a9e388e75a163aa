"""`shelfpoint central user`: staff, their roles and passwords. A password is asked for, or read from standard input.

Never an argument: the arguments of a process can be read by everybody on the machine.
"""

import sys

import click

from config.hand_written import without_mark
from kiosk.domain.staff import Grant, Role, grant, parse_scope
from sync.central.office import CentralSettings
from sync.central.roster import Member
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, told, with_place

_LOGIN = click.argument("login")
_ROLE = click.argument("role", type=click.Choice([role.value for role in Role]))
_SCOPE = click.argument("scope")


@click.group()
def user() -> None:
    """Staff who may log in at central, their roles and where they hold them."""


@user.command()
@with_place
@_LOGIN
@click.option(
    "--grant", "grants", multiple=True, metavar="ROLE@SCOPE",
    help="For example circulation@branch:main; may be given several times.",
)  # fmt: skip
@AS_JSON
def add(place: CentralSettings, login: str, grants: tuple[str, ...], as_json: bool) -> None:
    """Add somebody; the password is asked for twice, or read from standard input."""
    with told():
        given = [_parse_grant(text) for text in grants]
    password = _password()
    with opened_at(place) as opened:
        member = opened.staff.add(login, password, given, who=WHO)
    _tell(member, as_json)


@user.command("list")
@with_place
@AS_JSON
def list_all(place: CentralSettings, as_json: bool) -> None:
    """List everybody with their roles."""
    with opened_at(place) as opened:
        found = opened.staff.all()
    say(as_json, [_row(member) for member in found], "\n".join(map(_line, found)) or "Nobody has a login.")


@user.command("grant")
@with_place
@_LOGIN
@_ROLE
@_SCOPE
@AS_JSON
def give(place: CentralSettings, login: str, role: str, scope: str, as_json: bool) -> None:
    """Give a role within SCOPE: all, branch:CODE or school:CODE."""
    with opened_at(place) as opened:
        member = opened.staff.grant(login, grant(Role(role), parse_scope(scope)), who=WHO)
    _tell(member, as_json)


@user.command()
@with_place
@_LOGIN
@_ROLE
@_SCOPE
@AS_JSON
def revoke(place: CentralSettings, login: str, role: str, scope: str, as_json: bool) -> None:
    """Take a role away, from the next request on."""
    with opened_at(place) as opened:
        member = opened.staff.revoke(login, Grant(Role(role), parse_scope(scope)), who=WHO)
    _tell(member, as_json)


@user.command()
@with_place
@_LOGIN
def password(place: CentralSettings, login: str) -> None:
    """Set a new password; open sessions end."""
    new = _password()
    with opened_at(place) as opened:
        opened.staff.set_password(login, new, who=WHO)
    click.echo("The password is set.")


@user.command()
@with_place
@_LOGIN
@click.option("--enable", is_flag=True, help="Let it in again.")
@AS_JSON
def disable(place: CentralSettings, login: str, enable: bool, as_json: bool) -> None:
    """Shut a login; open sessions end."""
    with opened_at(place) as opened:
        member = opened.staff.disable(login, who=WHO, enable=enable)
    _tell(member, as_json)


@user.command()
@with_place
@_LOGIN
@AS_JSON
def unlock(place: CentralSettings, login: str, as_json: bool) -> None:
    """End the pause after too many wrong tries."""
    with opened_at(place) as opened:
        member = opened.staff.unlock(login, who=WHO)
    _tell(member, as_json)


def _parse_grant(text: str) -> Grant:
    role, at, scope = text.partition("@")
    if not at or role not in list(Role):
        raise click.BadParameter(f"expected ROLE@SCOPE with a role of {', '.join(Role)}; got {text!r}")
    return grant(Role(role), parse_scope(scope))


def _password() -> str:
    """Asked for at a terminal; else the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return without_mark(sys.stdin.readline().rstrip("\r\n"))


def _row(member: Member) -> dict[str, object]:
    return {
        "id": member.id,
        "login": member.login,
        "grants": [str(one) for one in member.grants],
        "disabled": member.disabled_at is not None,
        "locked_until": None if member.locked_until is None else member.locked_until.isoformat(),
    }


def _line(member: Member) -> str:
    state = "disabled  " if member.disabled_at is not None else ""
    return f"{member.id}  {member.login}  {state}" + (", ".join(map(str, member.grants)) or "no role")


def _tell(member: Member, as_json: bool) -> None:
    say(as_json, _row(member), _line(member))
