"""Every key of a policy file arrives where rules are applied: file, record, feed, replica, and the domain's Policy (B2)."""

from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kiosk_sync import INDEX_KEY, NOON, open_replica

from kiosk.domain.lending import HoldQueue, LoanRule, MissingItem, PatronRule, Policy
from kiosk.domain.values import BranchId
from sync.central.office import Central, CentralSettings
from sync.central.policies import _LoanRule, _PatronRule, _PolicyFile, load_policy
from sync.central.terms import TermKind, term
from sync.wire import CalendarEntry

KEYS: dict[str, tuple[str, str, Any]] = {
    "policy_version": ('"other"', "version", "other"),
    "renew_within": ("9", "renew_within", 9),
    "missing_item": ('"available"', "missing_item", MissingItem.AVAILABLE),
    "replica_max_age_hours": ("31", "replica_max_age", timedelta(hours=31)),
    "staff_max_age_hours": ("32", "staff_max_age", timedelta(hours=32)),
    "hold_days": ("11", "hold_days", 11),
    "hold_queue": ('"branch_first"', "hold_queue", HoldQueue.BRANCH_FIRST),
    "hold_on_shelf": ("true", "hold_on_shelf", True),
}
"""Key: another value than the default as it is written, the field of Policy, and the value there."""
AT_CENTRAL_ONLY = {"unlink_after_days": ("33", 33)}
PATRON = {
    "category": ('"child"', "child"),
    "quota": ("8", 8),
    "overdue_blocks": ("false", False),
    "owed_limit": ("7", 7),
    "holds": ("6", 6),
}
LOAN = {
    "category": ('"child"', "child"), "item_type": ('"dvd"', "dvd"), "branch": ('"east"', "east"), "loan_days": ("5", 5),
    "renewals": ("4", 4), "desk_only": ("true", True), "for_loan": ("false", False),
}  # fmt: skip
NEEDED = {"policy_version": '"p"'}
RULES = "[[patron_rules]]\n{patron}\n[[loan_rules]]\n{loan}\n"
PLAIN = {"patron": 'category = "*"\nquota = 1', "loan": "loan_days = 1"}


@pytest.fixture
def central(tmp_path: Path) -> Any:
    central = Central.open(CentralSettings(data=tmp_path / "central"), clock=lambda: NOON)
    with central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east"))
        change.term(term(TermKind.CATEGORY, "child", "兒童", "Child"))
        change.term(term(TermKind.ITEM_TYPE, "dvd", "影片", "DVD"))
    yield central
    central.close()


def arrives(central: Central, tmp_path: Path, text: str) -> Policy:
    """The whole way."""
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with central.registry.change("test") as change:
        change.policy(load_policy(path))
    writer, reader = open_replica(tmp_path)
    writer.apply(central.feed.page(None, INDEX_KEY, BranchId("east")).told(NOON, 0), NOON)
    policy = reader.policy()
    writer.close()
    reader.close()
    assert policy is not None
    return policy


def written(keys: dict[str, str]) -> str:
    return "\n".join(f"{key} = {value}" for key, value in {**NEEDED, **keys}.items()) + "\n"


def test_no_key_of_a_policy_file_and_no_field_of_the_rules_is_left_out_here() -> None:
    assert {*KEYS, *AT_CENTRAL_ONLY, "patron_rules", "loan_rules"} == set(_PolicyFile.model_fields)
    assert set(PATRON) == set(_PatronRule.model_fields) == {one.name for one in fields(PatronRule)}
    assert set(LOAN) == set(_LoanRule.model_fields) == {one.name for one in fields(LoanRule)}
    arriving = {field for _, field, _ in KEYS.values()} | {"patron_rules", "loan_rules"}
    assert arriving == {one.name for one in fields(Policy)}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_arrives_with_another_value_than_its_default(central: Central, tmp_path: Path, key: str) -> None:
    value, field, wanted = KEYS[key]
    plain = arrives(central, tmp_path, written({}) + RULES.format(**PLAIN))
    changed = arrives(central, tmp_path, written({key: value}) + RULES.format(**PLAIN))
    assert getattr(plain, field) != wanted
    assert getattr(changed, field) == wanted


def test_what_only_central_does_is_known_there(central: Central, tmp_path: Path) -> None:
    for key, (value, wanted) in AT_CENTRAL_ONLY.items():
        arrives(central, tmp_path, written({key: value}) + RULES.format(**PLAIN))
        assert getattr(central.registry.policy(), key) == wanted


@pytest.mark.parametrize("key", PATRON)
def test_a_key_of_a_patron_rule_arrives(central: Central, tmp_path: Path, key: str) -> None:
    value, wanted = PATRON[key]
    rule = {"category": '"*"', "quota": "1", key: value}
    lines = "\n".join(f"{name} = {text}" for name, text in rule.items())
    (found,) = arrives(central, tmp_path, written({}) + RULES.format(patron=lines, loan=PLAIN["loan"])).patron_rules
    assert getattr(found, key) == wanted


@pytest.mark.parametrize("key", LOAN)
def test_a_key_of_a_loan_rule_arrives(central: Central, tmp_path: Path, key: str) -> None:
    value, wanted = LOAN[key]
    rule = {"loan_days": "1", key: value}
    lines = "\n".join(f"{name} = {text}" for name, text in rule.items())
    (found,) = arrives(central, tmp_path, written({}) + RULES.format(patron=PLAIN["patron"], loan=lines)).loan_rules
    assert getattr(found, key) == wanted
