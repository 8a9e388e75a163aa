"""What a library still lacks before patrons can come: places, calendars, rules, people, TLS, copies (D6).

Asked by `central doctor`. Promises that each lack names the command or the page that mends it. Blocking; a few small queries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from kiosk.domain.calendar import library_day
from kiosk.domain.staff import EVERYWHERE, Role
from sync.central import backup
from sync.central.calendars import known_until
from sync.central.key_copy import ADVICE
from sync.central.office import Central
from sync.central.places import ADD_BRANCH, ADD_LIBRARY
from sync.wire import CalendarEntry

AHEAD = timedelta(days=60)
"""For so long holidays should be known: as long as a loan with one renewal."""
BACKUP_AGE = timedelta(days=7)
TLS_AGE = timedelta(days=30)
PLAIN_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    name: str
    """What was asked."""
    ok: bool
    """False where somebody should act."""
    found: str
    """In words."""
    mend: str = ""
    """What to do where it is not well: a command, or a page."""


Answer = tuple[bool, str, str]
"""Whether it is well, what was found, what mends it."""


def _libraries(central: Central) -> Answer:
    known = central.branches.libraries()
    if not known:
        return False, "none is known", f"shelfpoint central setup, or {ADD_LIBRARY}"
    return True, ", ".join(each.code for each in known), ""


def _open_branches(central: Central) -> list[CalendarEntry]:
    return [line.entry for line in central.branches.all() if not line.entry.given_up]


def _branches(central: Central) -> Answer:
    known = _open_branches(central)
    if not known:
        return False, "none is known", f"shelfpoint central setup, or {ADD_BRANCH}"
    homeless = [entry.branch for entry in known if not entry.library]
    if homeless:
        command = f"shelfpoint central branch add {homeless[0]} --library LIBRARY --change"
        return False, f"of no library: {', '.join(homeless)}", command
    return True, f"{len(known)} open", ""


def _hours(central: Central) -> Answer:
    unsaid = [
        entry.branch
        for entry in _open_branches(central)
        if not entry.closed_weekdays and (not entry.hours or "" in entry.hours)
    ]
    if unsaid:
        command = f"shelfpoint central calendar set --branch {unsaid[0]} --mon closed --tue 08:30-21:00 …"
        return False, f"not known, so every day counts as open: {', '.join(unsaid)}", command
    return True, "known", ""


def _holidays(central: Central) -> Answer:
    until = library_day(central.clock()) + AHEAD
    short = [(known_until(entry), entry.branch) for entry in _open_branches(central)]
    lacking = [(day, branch) for day, branch in short if day is None or day < until]
    if lacking:
        given = "; ".join(
            f"{branch} {'none at all' if day is None else f'none after {day}'}" for day, branch in lacking
        )
        command = "shelfpoint central calendar import FILE --branch all (office calendar: data.gov.tw/dataset/14718)"
        return False, f"not known for the coming {AHEAD.days} days: {given}", command
    return True, f"known beyond {until}", ""


def _rules(central: Central) -> Answer:
    policy = central.registry.policy()
    if policy is None:
        return False, "none set: every loan is refused", "shelfpoint central policy set FILE"
    return True, policy.policy_version, ""


def _administrator(central: Central) -> Answer:
    matches = [
        member.login
        for member in central.staff.all()
        if member.disabled_at is None
        and any(each.role is Role.SYSTEM_ADMINISTRATOR and each.scope == EVERYWHERE for each in member.grants)
    ]
    if not matches:
        command = "shelfpoint central user add LOGIN --grant system_administrator@all"
        return False, "nobody may look after logins and the audit", command
    return True, ", ".join(matches), ""


def _tls(central: Central) -> Answer:
    now, seen = central.clock(), central.transport.seen()
    mend = "put a proxy with TLS in front: deploy/nginx-central.conf"
    if seen.plain is not None and now - seen.plain < PLAIN_AGE:
        return False, f"requests come from other machines without it, last {seen.plain:%Y-%m-%d %H} h UTC", mend
    if seen.secure is None:
        return False, "no kiosk and no member of staff has ever come by https", mend
    if now - seen.secure > TLS_AGE:
        return False, f"nobody has come by https since {seen.secure:%Y-%m-%d}", mend
    return True, f"last request by https {seen.secure:%Y-%m-%d}", ""


def _backup(central: Central) -> Answer:
    now = central.clock()
    command = "shelfpoint central backup FILE"
    if central.database.dialect != "sqlite":
        command = "pg_dump, and then `shelfpoint central backup --by-pg-dump` to note it"
    at = backup.made_at(central.database)
    if at is None:
        return False, "none was ever made", command
    if now - at > BACKUP_AGE:
        return False, f"the last one is of {at:%Y-%m-%d}", command
    return True, f"{at:%Y-%m-%d}", ""


def _key_copy(central: Central) -> Answer:
    at = central.key_copy.made_at()
    if at is None:
        return False, "none", ADVICE
    return True, f"noted {at:%Y-%m-%d}", ""


QUESTIONS: tuple[tuple[str, Callable[[Central], Answer]], ...] = (
    ("libraries", _libraries),
    ("branches", _branches),
    ("opening hours", _hours),
    ("holidays", _holidays),
    ("lending rules", _rules),
    ("administrator", _administrator),
    ("TLS", _tls),
    ("backup", _backup),
    ("recovery copy of the key", _key_copy),
)
"""In the order of the first hour."""
