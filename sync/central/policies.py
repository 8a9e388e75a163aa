"""Policy files: TOML in the shape of `config/presets/*.toml`, checked whole before central takes them.

Every mistake is told at once, with file, key, what was expected and what was found.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from pathlib import Path

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kiosk.domain.lending import ANY, HoldQueue, MissingItem
from sync.central.places import choice
from sync.central.terms import ADD, TermKind, term
from sync.wire import PolicyEntry, TermEntry, WireLoanRule, WirePatronRule


class BadPolicy(Exception):
    """The file cannot be used; one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _PatronRule(_Part):
    category: str = Field(min_length=1, max_length=40)
    quota: int = Field(ge=0, le=10_000)
    overdue_blocks: bool = True
    owed_limit: int = Field(default=0, ge=0, le=10_000_000)
    holds: int = Field(default=0, ge=0, le=1000)


class _LoanRule(_Part):
    category: str = Field(default=ANY, min_length=1, max_length=40)
    item_type: str = Field(default=ANY, min_length=1, max_length=40)
    branch: str = Field(default=ANY, min_length=1, max_length=40)
    loan_days: int = Field(ge=0, le=3660)
    renewals: int = Field(default=0, ge=0, le=1000)
    desk_only: bool = False
    for_loan: bool = True


class _PolicyFile(_Part):
    policy_version: str = Field(min_length=1, max_length=64)
    patron_rules: list[_PatronRule] = Field(min_length=1)
    loan_rules: list[_LoanRule] = Field(min_length=1)
    renew_within: int | None = Field(default=None, ge=0, le=3660)
    missing_item: MissingItem = Field(default=MissingItem.TO_DESK, strict=False)
    replica_max_age_hours: int = Field(default=168, ge=1, le=8760)
    staff_max_age_hours: int = Field(default=168, ge=1, le=8760)
    unlink_after_days: int = Field(default=90, ge=1, le=3660)
    hold_days: int = Field(default=7, ge=0, le=60)
    hold_queue: HoldQueue = Field(default=HoldQueue.STRICT, strict=False)
    hold_on_shelf: bool = False


def load_policy(path: Path) -> PolicyEntry:
    """Read and check one file. Raises BadPolicy."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy([f"{path}: expected a readable TOML file, got {error}"]) from error
    return _parse(str(path), text)


def preset(name: str) -> PolicyEntry:
    """One of the shipped policies: city, school."""
    file = resources.files("config.presets").joinpath(f"{name}.toml")
    return _parse(f"{name}.toml", file.read_text(encoding="utf-8"))


def preset_words(entry: PolicyEntry) -> list[TermEntry]:
    """What the categories and item types that a preset names are called, and the type that every item has at first."""
    file = resources.files("config.presets").joinpath("words.toml")
    shipped: dict[str, dict[str, tuple[str, str]]] = tomllib.loads(file.read_text(encoding="utf-8"))
    named = {(kind, getattr(rule, kind, ANY)) for rule in (*entry.patron_rules, *entry.loan_rules) for kind in TermKind}
    named.add((TermKind.ITEM_TYPE, "book"))
    return [
        term(kind, code, *names) for kind in TermKind for code, names in shipped[kind].items() if (kind, code) in named
    ]


def changed_rules(before: PolicyEntry | None, after: PolicyEntry) -> Iterator[str]:
    """One line for each rule or setting that would differ: - what goes, + what comes."""
    was, now = (set() if one is None else set(_rules(one)) for one in (before, after))
    yield from (f"- {line}" for line in sorted(was - now))
    yield from (f"+ {line}" for line in sorted(now - was))


def _rules(entry: PolicyEntry) -> Iterator[str]:
    whole = msgspec.to_builtins(entry)
    del whole["type"]
    for name, value in whole.items():
        if isinstance(value, list):
            yield from (f"{name}: " + ", ".join(f"{key}={one}" for key, one in rule.items()) for rule in value)
        else:
            yield f"{name}: {value}"


def unknown_names(entry: PolicyEntry, known: Mapping[str, Collection[str]]) -> Iterator[str]:
    """One line for each category, item type or branch in the rules that is not `known` under that name of a key."""
    rules = [
        *(("patron_rules", rule) for rule in entry.patron_rules),
        *(("loan_rules", rule) for rule in entry.loan_rules),
    ]
    told: set[tuple[str, str]] = set()
    for table, rule in rules:
        for key, codes in known.items():
            code = getattr(rule, key, ANY)
            if code != ANY and code not in codes and (key, code) not in told:
                told.add((key, code))
                yield (
                    f"policy {entry.policy_version}: key {table}.{key}: expected a known one, got {code!r}; "
                    f"{choice(codes, ADD[key], code)}"
                )


def _parse(name: str, text: str) -> PolicyEntry:
    try:
        file = _PolicyFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy([f"{name}: expected TOML, got a syntax error: {error}"]) from error
    except ValidationError as error:
        raise BadPolicy(
            [
                f"{name}: key {'.'.join(map(str, fault['loc'])) or '(file)'}: {fault['msg']}"
                + ("" if fault["type"] == "missing" else f", got {str(fault['input'])[:60]!r}")
                for fault in error.errors()
            ]
        ) from error
    return PolicyEntry(
        policy_version=file.policy_version,
        patron_rules=[WirePatronRule(**rule.model_dump()) for rule in file.patron_rules],
        loan_rules=[WireLoanRule(**rule.model_dump()) for rule in file.loan_rules],
        renew_within=file.renew_within,
        missing_item=file.missing_item,
        replica_max_age_hours=file.replica_max_age_hours,
        staff_max_age_hours=file.staff_max_age_hours,
        unlink_after_days=file.unlink_after_days,
        hold_days=file.hold_days,
        hold_queue=file.hold_queue,
        hold_on_shelf=file.hold_on_shelf,
    )
