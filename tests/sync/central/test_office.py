"""Keys, database, policies, sample library, backups and the command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy.exc import IntegrityError

from kiosk.domain.identity import CardKind, CardRead, CodeType, Technology, is_book_number, type_code, unfit
from kiosk.domain.journal import Deed, Word
from kiosk.domain.lending import Standing
from kiosk.domain.staff import EVERYWHERE
from sync.central.backup import BackupFailed, back_up, restore_from
from sync.central.checks import checks
from sync.central.database import DatabaseUnusable
from sync.central.demo import ITEMS, PATRONS, demo_cast, load_demo
from sync.central.in_use import InUse
from sync.central.keys import KeyFileUnusable, load_or_make
from sync.central.metrics import metrics
from sync.central.office import Central, CentralSettings
from sync.central.policies import BadPolicy, load_policy, preset
from sync.central.tables import metadata
from sync.wire import CardEntry, ItemEntry, MembershipEntry
from ui.cli.central import central as central_command

from .conftest import NOON


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_database_file_tells_nothing(town: Any, tmp_path: Path) -> None:
    town.central.close()
    data = b"".join(path.read_bytes() for path in (tmp_path / "central-0").iterdir())
    for secret in ("王小明".encode(), b"1A2B3C4D", b"SQLite format", b"membership"):
        assert secret not in data
    assert (tmp_path / "central-0.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_wrong_or_missing_key_is_told(town: Any, tmp_path: Path) -> None:
    town.central.close()
    settings = CentralSettings(data=tmp_path / "central-0")
    key_file = settings.root_key_file()
    key = key_file.read_text()
    key_file.write_text("00" * 32)
    with pytest.raises(DatabaseUnusable):
        Central.open(settings)
    key_file.unlink()
    with pytest.raises(KeyFileUnusable, match="recovery copy"):
        Central.open(settings)
    key_file.write_text(key)
    key_file.chmod(0o644)
    with pytest.raises(KeyFileUnusable, match="chmod"):
        Central.open(settings)
    with pytest.raises(KeyFileUnusable, match="outside"):
        CentralSettings(data=tmp_path, key_file=tmp_path / "key").root_key_file()
    (tmp_path / "short").write_text("abc")
    (tmp_path / "short").chmod(0o600)
    with pytest.raises(KeyFileUnusable, match="hex"):
        load_or_make(tmp_path / "short", make=True)


def test_the_migrations_make_the_tables_of_the_program(town: Any) -> None:
    with town.central.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_sqlite_file_is_strict_and_every_commit_reaches_the_disk(town: Any) -> None:
    with town.central.database.read() as connection:
        sql = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'").all()
        assert [row.name for row in sql if "STRICT" not in row.sql and row.name != "alembic_version"] == []
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_the_audit_is_append_only(town: Any, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), town.central.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_a_membership_has_one_active_card_of_each_kind(town: Any) -> None:
    statement = "INSERT INTO card (number, membership, kind, active) VALUES ('X', 'ann', 'easycard', 1)"
    with pytest.raises(IntegrityError), town.central.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_a_case_closed_by_a_person_stays_closed(town: Any) -> None:
    town.clock.go(hours=2)
    town.say(Word.FACT, "b", membership="ben", minute=10)
    town.say(Word.FACT, "a", kiosk="main-2")
    town.central.worklist.done("lent_to_two:a:b", "查過了", who="chen", within=frozenset({EVERYWHERE}))
    town.say(Word.FACT, "c", deed=Deed.RETURN, minute=20)
    town.say(Word.FACT, "d", minute=30)
    assert town.cases() == set()
    (case,) = town.central.holdings.cases(include_closed=True)
    assert case.closed_by == "chen"


def test_the_presets_are_good_policies() -> None:
    city, school = preset("city").policy(), preset("school").policy()
    assert city.loan_rule("adult", "book", "main").loan_days == 28
    assert city.patron_rule("adult").quota == 20
    assert school.patron_rule("pupil").quota == 5


def test_a_bad_policy_tells_every_mistake(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('policy_version = ""\nmood = 1\n[[patron_rules]]\nquota = "ten"\n[[loan_rules]]\nloan_days = -1\n')
    with pytest.raises(BadPolicy) as caught:
        load_policy(file)
    told = "\n".join(caught.value.problems)
    for key in ("policy_version", "mood", "patron_rules.0.category", "patron_rules.0.quota", "loan_rules.0.loan_days"):
        assert key in told
    with pytest.raises(BadPolicy, match="readable"):
        load_policy(tmp_path / "none.toml")


@pytest.fixture
def demo(tmp_path: Path) -> Any:
    central = Central.open(CentralSettings(data=tmp_path / "demo"))
    start = time.monotonic()
    load_demo(central)
    assert time.monotonic() - start < 3
    yield central
    central.close()


def test_the_sample_library_fits_its_stories(demo: Central) -> None:
    cast = demo_cast()
    entries = []
    cursor = None
    while True:
        page = demo.feed.page(cursor, b"", "")
        entries += page.entries
        cursor = page.cursor
        if not page.more:
            break
    members = {entry.id: entry for entry in entries if isinstance(entry, MembershipEntry)}
    items = {entry.id: entry for entry in entries if isinstance(entry, ItemEntry)}
    assert (len(members), len(items)) == (PATRONS, ITEMS)
    assert {entry.kind for entry in entries if isinstance(entry, CardEntry)} == set(CardKind)
    loans = {loan.item: loan for loan in demo.holdings.open_loans()}
    assert loans[cast.on_loan].membership == cast.easycard.membership
    assert loans[cast.overdue_book].due_at < demo.clock()
    assert not loans.keys() & {*cast.lendable, cast.desk_only, cast.reserved, cast.missing}
    assert all(items[book].title and not items[book].desk_only for book in cast.lendable)
    assert items[cast.reserved].reserved_for == cast.barcode.membership
    assert members[cast.suspended.membership].suspended_until is not None
    assert members[cast.pending.membership].standing is Standing.PENDING
    assert demo.holdings.cases() == []
    titles = "".join(entry.title + entry.author for entry in items.values())
    assert all(letter in titles for letter in "堃喆峯珉綉煊𣳝")
    assert not any(is_book_number(id_) or not re.fullmatch(r"C\d{7}", id_) for id_ in items)


def test_every_card_of_the_cast_is_fit_to_be_read(demo: Central) -> None:
    cast = demo_cast()
    for member in (cast.easycard, cast.ipass, cast.chip, cast.suspended, cast.expired, cast.overdue):
        assert unfit(CardRead(member.uid, Technology.ISO14443A)) is None
    assert unfit(CardRead(cast.unknown_uid, Technology.ISO14443A)) is None
    for member in (cast.barcode, cast.mobile):
        assert type_code(member.number, None, []).type is CodeType.UNKNOWN  # no carrier, no ISBN


def test_loading_the_sample_library_again_doubles_nothing(demo: Central) -> None:
    loans = demo.holdings.open_loans()
    load_demo(demo)
    assert demo.holdings.open_loans() == loans
    assert demo.holdings.cases() == []


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_restore_brings_the_copy_back_under_a_new_epoch(town: Any, tmp_path: Path) -> None:
    settings = CentralSettings(data=tmp_path / "central-0")
    epoch = town.central.epoch()
    town.say(Word.FACT, "a")
    with pytest.raises(BackupFailed, match="central key copy"):
        back_up(settings, tmp_path / "copy.sqlite", NOON)
    assert not (tmp_path / "copy.sqlite").exists()
    town.central.key_copy.write(tmp_path / "safe.key", settings.data, key_file=settings.root_key_file(), who="test")
    assert backup_check(town) == (False, "none was ever made")
    back_up(settings, tmp_path / "copy.sqlite", NOON)
    assert backup_check(town) == (True, f"{NOON:%Y-%m-%d}")
    town.clock.go(days=8)
    assert backup_check(town)[0] is False
    town.clock.go(days=-8)
    town.say(Word.FACT, "b", item="C2")
    with pytest.raises(InUse, match="stop it first"):
        restore_from(settings, tmp_path / "copy.sqlite")
    assert len(town.central.holdings.open_loans()) == 2
    town.central.close()
    restored = restore_from(settings, tmp_path / "copy.sqlite")
    assert restored.epoch != epoch
    again = Central.open(settings, clock=town.clock)
    try:
        assert [loan.act_id for loan in again.holdings.open_loans()] == ["a"]
        assert again.epoch() != epoch
    finally:
        again.close()
    assert restored.kept is not None
    names = sorted(path.name for path in settings.data.iterdir())
    assert names == ["central.sqlite", restored.kept.name, "used.lock"]
    assert (
        restore_from(settings, restored.kept).kept is not None
    )  # the replaced one comes back whole, with what the copy lacked
    again = Central.open(settings, clock=town.clock)
    assert sorted(loan.act_id for loan in again.holdings.open_loans()) == ["a", "b"]
    again.close()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_damaged_copy_is_refused_in_one_sentence_and_a_damaged_database_is_kept_when_it_is_replaced(
    town: Any, tmp_path: Path
) -> None:
    settings = CentralSettings(data=tmp_path / "central-0")
    town.central.key_copy.write(tmp_path / "safe.key", settings.data, key_file=settings.root_key_file(), who="test")
    back_up(settings, tmp_path / "copy.sqlite", NOON)
    town.central.close()
    (tmp_path / "noise").write_bytes(os.urandom(5000))
    with pytest.raises(BackupFailed, match=r"noise: it cannot be read with this root key .* Nothing was changed$"):
        restore_from(settings, tmp_path / "noise")
    damaged = os.urandom((settings.data / "central.sqlite").stat().st_size)
    (settings.data / "central.sqlite").write_bytes(damaged)
    (settings.data / "central.sqlite-wal").write_bytes(b"its log")
    kept = restore_from(settings, tmp_path / "copy.sqlite").kept
    assert kept is not None
    assert (kept.read_bytes(), kept.with_name(f"{kept.name}-wal").read_bytes()) == (damaged, b"its log")
    Central.open(settings, clock=town.clock).close()


DIES_BEFORE_THE_EXCHANGE = """
import os, pathlib, sys
from sync.central.backup import restore_from
from sync.central.office import CentralSettings

exchange = pathlib.Path.replace
pathlib.Path.replace = lambda old, new: os._exit(9) if old.parent.name == "restoring" and old.suffix == ".sqlite" else exchange(old, new)
data, key, copy = map(pathlib.Path, sys.argv[1:])
restore_from(CentralSettings(data=data, key_file=key), copy)
"""


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_restore_that_is_cut_before_the_exchange_leaves_the_old_database_whole(town: Any, tmp_path: Path) -> None:
    settings, killed = CentralSettings(data=tmp_path / "central-0"), tmp_path / "killed"
    town.central.key_copy.write(tmp_path / "safe.key", settings.data, key_file=settings.root_key_file(), who="test")
    back_up(settings, tmp_path / "copy.sqlite", NOON)
    town.say(Word.FACT, "a")
    shutil.copytree(settings.data, killed)  # as a killed central leaves it: the act stands in the log beside the file
    assert (killed / "central.sqlite-wal").stat().st_size
    left = CentralSettings(data=killed, key_file=settings.root_key_file())
    places = map(str, (killed, settings.root_key_file(), tmp_path / "copy.sqlite"))
    command = [sys.executable, "-c", DIES_BEFORE_THE_EXCHANGE, *places]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    again = Central.open(left, clock=town.clock)
    try:
        assert [loan.act_id for loan in again.holdings.open_loans()] == ["a"]
    finally:
        again.close()


def run(*arguments: str) -> Any:
    return CliRunner().invoke(central_command, list(arguments))


def test_the_command_line_enrols_lists_and_revokes(tmp_path: Path) -> None:
    place = ("--data", str(tmp_path / "central"))
    assert run("load-demo", *place).exit_code == 0
    code = json.loads(run("enrol", *place, "--branch", "main", "--json").output)["code"]
    assert re.fullmatch(r"\w{4}-\w{4}-\w{4}", code)
    assert run("enrol", *place, "--branch", "nowhere").exit_code == 2
    assert run("revoke", *place, "main-1").exit_code == 2
    assert json.loads(run("kiosks", *place, "--json").output) == []
    assert json.loads(run("cases", "list", *place, "--json").output) == []
    assert run("block", *place, demo_cast().ipass.membership).exit_code == 0
    assert run("policy", "set", *place, str(tmp_path / "none.toml")).exit_code == 2
    assert run("enrol", *place).exit_code == 2
    (tmp_path / "central.key").write_text("nonsense")
    assert run("kiosks", *place).exit_code == 2


def test_the_recovery_copy_of_the_key_is_asked_for_written_once_and_noted(town: Any, tmp_path: Path) -> None:
    place = ["--data", str(town.settings.data)]
    if town.settings.database is not None:
        place += ["--database", town.settings.database]

    def told() -> tuple[bool, str]:
        check = next(check for check in checks(town.central) if check.name == "recovery copy of the key")
        return check.ok, check.found

    assert told()[0] is False
    assert any("central key copy" in check.mend for check in checks(town.central))
    assert "central key copy" in run("fleet", *place).output
    assert b"shelfpoint_key_copied 0.0" in metrics(town.central)
    key_file = town.settings.root_key_file()
    (tmp_path / "other").write_text("00" * 32)
    (tmp_path / "other").chmod(0o600)
    for where, why in (
        (town.settings.data / "copy.key", "outside"),
        (key_file, "the key itself"),
        (tmp_path / "other", "another file"),
        (key_file / "copy.key", "copy.key"),
    ):
        refused = run("key", "copy", *place, str(where))
        assert (refused.exit_code, why in refused.output, told()[0]) == (2, True, False)
    assert (tmp_path / "other").read_text() == "00" * 32
    copy = tmp_path / "far" / "copy.key"
    copy.parent.mkdir()
    assert run("key", "copy", *place, str(copy)).exit_code == 0
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == (key_file.read_text(), 0o600)
    assert told() == (True, f"noted {datetime.now(UTC):%Y-%m-%d}")
    (line,) = town.central.audit.lines(what="recovery copy of the key made")
    assert line.subject == load_or_make(key_file, make=False).fingerprint()
    assert run("key", "copy", *place, str(copy)).exit_code == 0  # the same again changes nothing
    assert "key copy" not in run("fleet", *place).output
    assert b"shelfpoint_key_copied 1.0" in metrics(town.central)


@pytest.mark.parametrize("command", ["kiosks", "serve"])
def test_a_data_folder_that_cannot_be_made_is_told_and_not_a_crash(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    told = run(command, "--data", str(tmp_path / "file" / "central"))
    assert (told.exit_code, "the data folder cannot be used" in told.output) == (1, True)


def test_the_first_command_says_that_a_key_was_made_and_what_to_do(tmp_path: Path) -> None:
    place = ("--data", str(tmp_path / "central"))
    assert "central key copy" in run("migrate", *place).output
    assert "central key copy" not in run("migrate", *place).output


def test_the_command_line_previews_rules_and_tells_the_schema(tmp_path: Path) -> None:
    place = ("--data", str(tmp_path / "central"))
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'policy_version = "a"\n[[patron_rules]]\ncategory = "*"\nquota = 3\n[[loan_rules]]\nloan_days = 14\n'
    )
    assert "+ policy_version: a" in run("policy", "set", *place, str(rules), "--preview").output
    assert "hold now" in run("policy", "set", *place, str(rules)).output
    assert run("policy", "set", *place, str(rules), "--preview").output == "Nothing would change.\n"
    rules.write_text(rules.read_text().replace("quota = 3", "quota = 4"))
    told = run("policy", "set", *place, str(rules), "--preview").output.splitlines()
    assert [(line[0], "quota=" in line) for line in told] == [("-", True), ("+", True)]
    assert re.fullmatch(r"The schema is \d{4}\.\n", run("migrate", *place).output)


def backup_check(town: Any) -> tuple[bool, str]:
    check = next(check for check in checks(town.central) if check.name == "backup")
    return check.ok, check.found


@pytest.mark.parametrize("kind", ["postgresql"])
def test_the_command_line_works_on_postgresql_and_leaves_copies_to_its_tools(town: Any, tmp_path: Path) -> None:
    place = ("--data", str(town.settings.data), "--database", town.settings.database)
    assert re.fullmatch(r"\w{4}-\w{4}-\w{4}", run("enrol", *place, "--branch", "main").output.strip())
    told = run("backup", *place, str(tmp_path / "copy"))
    assert (told.exit_code, "pg_dump" in told.output) == (1, True)
    assert backup_check(town) == (False, "none was ever made")
    assert run("backup", *place, "--by-pg-dump").exit_code == 0
    assert backup_check(town)[0] is True
    epoch = town.central.epoch()
    told = run("renew-epoch", *place, "--yes")
    assert (told.exit_code, "stop every" in told.output, town.central.epoch()) == (1, True, epoch)
    town.central.close()
    assert f"epoch is {epoch}" not in run("renew-epoch", *place, "--yes").output
    again = Central.open(town.settings)
    assert again.epoch() != epoch
    again.close()


def test_serve_answers_says_where_and_ends_in_order(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    command = [
        sys.executable, "-c", "from ui.cli.central import central; central()",
        "serve", "--data", str(tmp_path / "central"), "--port", "0", "--ready-file", str(ready),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."})
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert re.fullmatch(r"shelfpoint central listening on http://127\.0\.0\.1:\d+", line)
        assert ready.read_text().strip() == line.rpartition(" ")[2]
        assert "no recovery copy" in process.stdout.readline() + process.stdout.readline()
        port = line.rpartition(":")[2]
        taken = run("serve", "--data", str(tmp_path / "other"), "--port", port)
        assert (taken.exit_code, "in use" in taken.output) == (1, True)
        own = ("--data", str(tmp_path / "central"))
        assert run("kiosks", *own).exit_code == 0
        for refused in (
            run("serve", *own, "--port", "0"),
            run("restore", *own, str(ready), "--yes"),
            run("renew-epoch", *own, "--yes"),
        ):
            assert (refused.exit_code, "stop it first" in refused.output) == (1, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert not ready.exists()
    finally:
        process.kill()
        process.communicate()
