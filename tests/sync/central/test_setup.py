"""A library set up from its file: all mistakes at once, nothing twice, and only what differs the next time (D6)."""

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from kiosk.domain.staff import EVERYWHERE, Grant, Role
from sync.central.calendars import Day, days
from sync.central.keys import KeyFileUnusable
from sync.central.office import Central
from sync.central.passwords import BadPassword
from sync.central.policies import BadPolicy, preset, preset_words
from sync.central.setup import needs_password, prepare, set_up
from sync.central.setup_file import BadSetup, load_setup
from sync.central.terms import TermKind

from .conftest import quick_passwords

PASSWORD = "correct horse"
EXAMPLE = resources.files("config").joinpath("setup-example.toml").read_text(encoding="utf-8")
SMALL = """
[[libraries]]
code = "city"
name = "市立圖書館"
[[branches]]
code = "main"
name = "總館"
hours = { mon = "closed", tue = "9:00-17:00", wed = "9:00-17:00", thu = "9:00-17:00", fri = "9:00-17:00", sat = "closed", sun = "closed" }
"""


@pytest.fixture
def central(new_settings: Any, clock: Any) -> Any:
    settings = new_settings()
    central = Central.open(settings, clock=clock, passwords=quick_passwords())
    central.settings = settings
    yield central
    central.close()


def run(
    central: Any, tmp_path: Path, text: str, *, preview: bool = False, password: str | None = PASSWORD
) -> list[str]:
    path = tmp_path / "setup.toml"
    path.write_text(text, encoding="utf-8")
    prepared = prepare(path, load_setup(path))
    return set_up(central, central.settings, prepared, password=password, who="test", preview=preview)


def written(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")


def head(central: Any) -> int:
    return int(central.feed.head())


def test_the_example_sets_a_whole_library_up_and_a_second_run_changes_nothing(central: Any, tmp_path: Path) -> None:
    before = head(central)
    told = run(central, tmp_path, EXAMPLE, preview=True)
    assert head(central) == before, "a preview changes nothing"
    assert central.staff.known("admin") is None
    assert run(central, tmp_path, EXAMPLE) == told, "and says what would be done"
    assert [one.code for one in central.branches.libraries()] == ["city"]
    assert [line.entry.branch for line in central.branches.all()] == ["east", "main"]
    assert {one.key for one in central.branches.terms(TermKind.CATEGORY)} == {
        f"category:{code}" for code in ("adult", "child", "class", "family")
    }
    assert central.registry.policy() == preset("city")
    assert central.staff.find("admin").grants == (Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE),)
    assert central.staff.check("admin", PASSWORD).login == "admin"
    after = head(central)
    assert run(central, tmp_path, EXAMPLE, password=None) == []
    assert head(central) == after


def test_a_changed_file_changes_only_what_differs(central: Any, tmp_path: Path) -> None:
    run(central, tmp_path, EXAMPLE)
    central.branches.set_day(
        ["main"], Day(days(central.branches.named("main"))[0].day.replace(month=7), open=False, reason="颱風"), who="x"
    )
    changed = EXAMPLE.replace('name = "總館"', 'name = "新總館"').replace("day = 2027-02-07", "day = 2027-02-08")
    assert run(central, tmp_path, changed) == [
        "~ branch main: name: 總館 -> 新總館",
        "- branch main: 2027-02-07: as on every sun",
        "+ branch main: 2027-02-08 closed (春節)",
        "- branch east: 2027-02-07: as on every sun",
        "+ branch east: 2027-02-08 closed (春節)",
    ]
    assert "颱風" in [one.reason for one in days(central.branches.named("main"))], "said by hand, so it stays"


def test_what_the_file_does_not_speak_of_stays(central: Any, tmp_path: Path) -> None:
    run(central, tmp_path, EXAMPLE)
    address = central.branches.named("main").address
    assert run(central, tmp_path, SMALL)[0].startswith("~ library city: name")
    assert central.branches.named("main").address == address
    assert central.branches.named("east").name == "東區分館"
    assert central.registry.policy() is not None


def test_every_mistake_of_a_file_is_told_at_once(central: Any, tmp_path: Path) -> None:
    wrong = """
surprise = 1
[[libraries]]
code = "a b"
name = "x"
kind = "shop"
[[branches]]
code = "main"
name = ""
hours = { mon = "9-17", day = "closed" }
[administrator]
login = "a b"
password = "never here"
"""
    with pytest.raises(BadSetup) as told:
        run(central, tmp_path, wrong)
    keys = [problem.split(": ")[1] for problem in told.value.problems]
    assert keys == [
        "key libraries.0.code", "key libraries.0.kind", "key branches.0.name", "key branches.0.hours.mon",
        "key branches.0.hours.day", "key administrator.login", "key administrator.password", "key surprise",
    ]  # fmt: skip
    assert all(" expected " in problem and ", got " in problem for problem in told.value.problems)
    assert all(problem.startswith(str(tmp_path / "setup.toml")) for problem in told.value.problems)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[libraries]]\ncode = "city"\nname = "x"', "libraries.1.code: expected each code once"),
        ('[[libraries]]\ncode = "other"\nname = "x"', "branches.0.library: expected one of city, other, got nothing"),
        ('[[days]]\nday = 2027-01-01\nbranches = ["west"]', "days.0.branches: expected all, main, got 'west'"),
        ("[[days]]\nday = 2027-01-01\n[[days]]\nday = 2027-01-01", "days.1.day: expected each day once"),
        ("[policy]", "policy: expected one of preset and file"),
        ('[[holidays]]\nfile = "none.csv"', "holidays.0: "),
        ('[policy]\nfile = "none.toml"', "none.toml: expected a readable TOML file"),
    ],
)
def test_what_only_the_whole_shows_is_told_too(central: Any, tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(BadSetup) as told:
        run(central, tmp_path, f"{SMALL}\n{more}\n")
    assert said in str(told.value)
    assert central.branches.all() == []


@pytest.mark.parametrize("text", ["[[libraries]", "\x00"])
def test_a_file_that_is_no_toml_is_told(central: Any, tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSetup, match="expected TOML"):
        run(central, tmp_path, text)


def test_a_byte_order_mark_is_no_mistake(central: Any, tmp_path: Path) -> None:
    assert run(central, tmp_path, "\ufeff" + SMALL) != []


def test_rules_that_name_unknown_words_leave_everything_as_it_was(central: Any, tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match="category add"):
        run(central, tmp_path, SMALL + '[policy]\npreset = "city"\n[administrator]\nlogin = "admin"\n')
    assert (central.branches.all(), central.staff.known("admin")) == ([], None)


def test_a_password_that_will_not_do_leaves_everything_as_it_was(central: Any, tmp_path: Path) -> None:
    text = SMALL + '[administrator]\nlogin = "admin"\n'
    with pytest.raises(BadPassword):
        run(central, tmp_path, text, password="short")
    assert central.branches.all() == []
    path = tmp_path / "setup.toml"
    assert needs_password(central, load_setup(path))
    run(central, tmp_path, text)
    assert not needs_password(central, load_setup(path))


def test_a_key_copy_that_cannot_be_leaves_everything_as_it_was(central: Any, tmp_path: Path) -> None:
    written(tmp_path, "taken.key", "something else")
    with pytest.raises(KeyFileUnusable):
        run(central, tmp_path, SMALL + '[administrator]\nlogin = "admin"\n[key]\ncopy_to = "taken.key"\n')
    assert (central.branches.all(), central.staff.known("admin")) == ([], None)


def test_somebody_who_has_a_login_already_gets_the_role_and_keeps_the_password(central: Any, tmp_path: Path) -> None:
    central.staff.add("admin", "another password", who="test")
    text = SMALL + '[administrator]\nlogin = "Admin"\n'
    assert run(central, tmp_path, text, password=None)[-1] == "~ Admin: also system_administrator@all"
    assert central.staff.check("admin", "another password").grants != ()


def test_the_years_holidays_and_the_key_copy_are_taken_along(central: Any, tmp_path: Path) -> None:
    written(tmp_path, "116.csv", "西元日期,星期,是否放假,備註\n20270101,五,2,開國紀念日\n20270104,一,0,\n")
    text = SMALL + '[[holidays]]\nfile = "116.csv"\n[key]\ncopy_to = "safe/central.key"\n'
    lines = run(central, tmp_path, text)
    assert "+ branch main: 2027-01-01 closed (開國紀念日)" in lines
    assert lines[-1] == f"+ recovery copy of the root key: {tmp_path / 'safe' / 'central.key'}"
    assert central.key_copy.made_at() is not None
    (tmp_path / "safe" / "central.key").unlink()  # it was carried away
    assert run(central, tmp_path, text) == []
    assert not (tmp_path / "safe" / "central.key").exists()


@pytest.mark.parametrize("name", ["city", "school"])
def test_a_preset_comes_with_a_word_for_everything_it_names(name: str) -> None:
    policy = preset(name)
    named = {f"category:{rule.category}" for rule in (*policy.patron_rules, *policy.loan_rules)}
    named |= {f"item_type:{rule.item_type}" for rule in policy.loan_rules}
    assert {key for key in named if not key.endswith(":*")} <= {word.key for word in preset_words(policy)}
    assert structs.asdict(preset_words(policy)[0])["zh"]
