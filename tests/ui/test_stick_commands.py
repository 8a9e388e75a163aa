"""The commands that carry a branch without a network, from the first request to the last answer."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kiosk_sync import act

from config.settings import load
from kiosk.domain.journal import Word
from kiosk.ports import LedgerError, LedgerReason
from sync.acts import ActsLog
from sync.central.demo import demo_cast
from sync.central_client import IDENTITY, load_identity
from sync.encrypted import key_file
from sync.owner import owned
from sync.replica import FILE, Replica
from ui.assembly import DATABASE_KEY
from ui.cli.main import shelfpoint

SETTINGS = """
library_name = "測試市立圖書館"
branch = "main"
branch_name = "總館"
data = "data"
keys = "keys"
[[codes]]
type = "item"
pattern = "C[0-9]{7}"
[devices]
readers = []
"""


def run(*arguments: object, fails: int = 0) -> Result:
    done = CliRunner().invoke(shelfpoint, [str(argument) for argument in arguments])
    assert done.exit_code == fails, (done.output, done.exception)
    return done


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    (tmp_path / "kiosk.toml").write_text(SETTINGS, encoding="utf-8")
    run("central", "load-demo", "--data", tmp_path / "central")
    return tmp_path / "kiosk.toml"


def test_a_branch_lives_by_stick(config: Path) -> None:
    folder, stick = config.parent, config.parent / "stick"
    central = ("--data", folder / "central", "--json")
    code = json.loads(run("central", "enrol", *central, "--branch", "main", "--days", 30).stdout)["code"]
    run("kiosk", "enrol", "--config", config, "--request", stick, "--code", code)
    enrolled = run("central", "parcel", "enrol", stick / "enrol-request.json", *central, "--code", code)
    answer = json.loads(enrolled.stdout)["answer"]
    assert "This kiosk is main-1" in run("kiosk", "enrol", "--config", config, "--answer", answer).output

    settings = load(config)
    run("queue", "export", "--config", config, "--to", stick)
    log = ActsLog(settings.data, key_file(settings.keys / DATABASE_KEY))
    log.record(Word.FACT, act())
    log.close()
    out = run("queue", "export", "--config", config, "--to", stick).output
    (parcel,) = stick.glob("acts-main-1-*-2.parcel")
    assert f"{parcel}: 1 acts" in out
    taken = run("central", "parcel", "take", parcel, *central)
    told = json.loads(taken.stdout)
    assert (told["kiosk"], told["number"], told["words"]) == ("main-1", 2, 1)
    with owned(settings.data):
        locked = CliRunner().invoke(shelfpoint, ["queue", "import", "--config", str(config), told["answer"]])
    assert "a kiosk runs on these files" in str(locked.exception)
    assert "1 verdicts" in run("queue", "import", "--config", config, told["answer"]).output
    status = json.loads(run("queue", "status", "--config", config, "--json").stdout)
    assert (status["kiosk"], status["waiting"]) == ("main-1", 0)
    odd = run("queue", "import", "--config", config, config, fails=1)
    assert "this is no parcel" in odd.output


def test_enrolment_says_which_options_go_together(config: Path) -> None:
    assert "one of" in run("kiosk", "enrol", "--config", config, "--code", "X", fails=2).output
    answer = run("kiosk", "enrol", "--config", config, "--answer", config, fails=1)
    assert answer.exit_code == 1


def test_a_kiosk_enrolled_anew_forgets_what_it_knew_under_the_old_index_key(config: Path) -> None:
    folder, stick = config.parent, config.parent / "stick"
    central = ("--data", folder / "central", "--json")
    for again in ((), ("--again", "main-1")):
        code = json.loads(run("central", "enrol", *central, "--branch", "main", *again).stdout)["code"]
        run("kiosk", "enrol", "--config", config, "--request", stick, "--code", code)
        run("central", "parcel", "enrol", stick / "enrol-request.json", *central, "--code", code)
        run("kiosk", "enrol", "--config", config, "--answer", stick / "enrolled-main-1.parcel")
    settings = load(config)
    identity = load_identity(settings.keys)
    assert identity is not None
    reader = Replica(settings.data, key_file(settings.keys / DATABASE_KEY), identity.index_key_bytes())
    hit = reader.card(demo_cast().ipass.number)
    reader.close()
    assert hit is not None
    assert hit.membership == demo_cast().ipass.membership


def test_a_kiosk_without_a_line_retires_by_stick(config: Path) -> None:
    folder, stick = config.parent, config.parent / "stick"
    central = ("--data", folder / "central", "--json")
    code = json.loads(run("central", "enrol", *central, "--branch", "main").stdout)["code"]
    run("kiosk", "enrol", "--config", config, "--request", stick, "--code", code)
    run("central", "parcel", "enrol", stick / "enrol-request.json", *central, "--code", code)
    run("kiosk", "enrol", "--config", config, "--answer", stick / "enrolled-main-1.parcel")
    run("queue", "export", "--config", config, "--to", stick)
    settings = load(config)
    log = ActsLog(settings.data, key_file(settings.keys / DATABASE_KEY))
    log.record(Word.FACT, act())
    log.close()
    run("central", "revoke", "main-1", "--retire", "--data", folder / "central")

    def trip(number: int) -> str:
        (parcel,) = stick.glob(f"acts-main-1-*-{number}.parcel")
        run("central", "parcel", "take", parcel, *central)
        (answer,) = stick.glob(f"answer-main-1-*-{number}.parcel")
        return run("queue", "import", "--config", config, answer).output

    assert "1 acts wait" in trip(1)  # made before the last act: it is told first
    assert load_identity(settings.keys) is not None
    run("queue", "export", "--config", config, "--to", stick)
    assert "Central has retired this kiosk: its records and keys are wiped." in trip(2)
    assert {path.name for path in (*settings.data.iterdir(), *settings.keys.iterdir())} == {"running.lock"}


def test_acts_go_out_and_verdicts_come_in_beside_a_replica_that_cannot_be_read(config: Path) -> None:
    folder, stick = config.parent, config.parent / "stick"
    central = ("--data", folder / "central")
    code = json.loads(run("central", "enrol", *central, "--json", "--branch", "main").stdout)["code"]
    run("kiosk", "enrol", "--config", config, "--request", stick, "--code", code)
    run("central", "parcel", "enrol", stick / "enrol-request.json", *central, "--code", code)
    run("kiosk", "enrol", "--config", config, "--answer", stick / "enrolled-main-1.parcel")
    run("queue", "export", "--config", config, "--to", stick)
    settings = load(config)
    key = key_file(settings.keys / DATABASE_KEY)
    log = ActsLog(settings.data, key)
    log.record(Word.FACT, act())
    log.close()
    for part in settings.data.glob(f"{FILE}-*"):
        part.unlink()
    raw = bytearray((settings.data / FILE).read_bytes())
    raw[50:400] = bytes(350)
    (settings.data / FILE).write_bytes(raw)
    told = run("queue", "export", "--config", config, "--to", stick)
    assert "The replica cannot be read" in told.output
    assert (settings.data / FILE).read_bytes() == raw  # the kiosk may be running on it
    (out,) = stick.glob("acts-main-1-*-2.parcel")
    run("central", "parcel", "take", out, *central)
    (answer,) = stick.glob("answer-main-1-*-2.parcel")
    assert "1 verdicts" in run("queue", "import", "--config", config, answer).output
    identity = load_identity(settings.keys)
    assert identity is not None
    reader = Replica(settings.data, key, identity.index_key_bytes())
    assert reader.card(demo_cast().ipass.number) is not None
    reader.close()


def test_a_stolen_kiosk_that_somebody_comes_to_with_a_stick_is_wiped_at_once(config: Path) -> None:
    folder, stick = config.parent, config.parent / "stick"
    central = ("--data", folder / "central")
    code = json.loads(run("central", "enrol", *central, "--json", "--branch", "main").stdout)["code"]
    run("kiosk", "enrol", "--config", config, "--request", stick, "--code", code)
    run("central", "parcel", "enrol", stick / "enrol-request.json", *central, "--code", code)
    run("kiosk", "enrol", "--config", config, "--answer", stick / "enrolled-main-1.parcel")
    run("queue", "export", "--config", config, "--to", stick)
    (out,) = stick.glob("acts-main-1-*")
    settings = load(config)
    log = ActsLog(settings.data, key_file(settings.keys / DATABASE_KEY))
    log.record(Word.FACT, act())
    log.close()
    run("central", "revoke", "main-1", "--stolen", *central)
    told = run("central", "parcel", "take", out, *central).output
    (answer,) = stick.glob("answer-main-1-*")
    assert f"It is stolen: if anybody comes to it, 'queue import' of {answer} wipes it." in told
    done = run("queue", "import", "--config", config, answer).output
    assert "Central was told that this kiosk is stolen: its records and keys are wiped." in done
    (rest,) = settings.data.glob("left-main-1-*")
    assert f"{rest}: what it had not told, sealed." in done
    left = {path.name for path in (*settings.data.iterdir(), *settings.keys.iterdir())}
    assert left == {"running.lock", rest.name}
    assert "parcel 2: 1 acts. No answer is needed." in run("central", "parcel", "take", rest, *central).output


def test_commands_that_read_say_that_the_key_may_be_sealed_and_leave_no_other_one(config: Path) -> None:
    folder, stick = config.parent, config.parent / "stick"
    central = ("--data", folder / "central", "--json")
    code = json.loads(run("central", "enrol", *central, "--branch", "main").stdout)["code"]
    run("kiosk", "enrol", "--config", config, "--request", stick, "--code", code)
    run("central", "parcel", "enrol", stick / "enrol-request.json", *central, "--code", code)
    run("kiosk", "enrol", "--config", config, "--answer", stick / "enrolled-main-1.parcel")
    run("queue", "export", "--config", config, "--to", stick)
    settings = load(config)
    key = settings.keys / DATABASE_KEY
    sealed = key.rename(folder / DATABASE_KEY)  # as after `systemd-creds encrypt`
    for command in (
        ("queue", "status"),
        ("queue", "export", "--to", stick),
        ("queue", "import", stick / "enrolled-main-1.parcel"),
    ):
        done = CliRunner().invoke(shelfpoint, [str(word) for word in (*command, "--config", config)])
        assert isinstance(done.exception, LedgerError), command
        assert (done.exception.reason, str(key) in done.exception.detail) == (LedgerReason.NO_KEY, True)
    doctor = CliRunner().invoke(shelfpoint, ["doctor", "--config", str(config)])
    assert f"BAD log: no_key: {key} is not there" in doctor.output
    assert not key.exists()
    assert "ok  identity: not sealed: " in doctor.output
    identity = (settings.keys / IDENTITY).rename(folder / IDENTITY)
    lost = CliRunner().invoke(shelfpoint, ["queue", "export", "--to", str(stick), "--config", str(config)])
    assert "kiosk.json is sealed" in str(lost.exception)
    inside = CliRunner(env={"CREDENTIALS_DIRECTORY": str(sealed.parent)})
    told = inside.invoke(shelfpoint, ["doctor", "--config", str(config)]).output
    assert "ok  database key: sealed" in told
    assert "ok  identity: sealed" in told
    assert "ok  enrolment: main-1" in told
    (settings.keys / IDENTITY).write_bytes(identity.read_bytes())
    told = inside.invoke(shelfpoint, ["doctor", "--config", str(config)]).output
    assert "BAD identity: sealed, but" in told
    assert inside.invoke(shelfpoint, ["queue", "status", "--config", str(config)]).exit_code == 0
