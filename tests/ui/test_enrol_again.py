"""A machine that holds records is enrolled under the name they are told under, or not at all; over the network and by stick."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from central_server import CentralServer
from click.testing import CliRunner, Result
from kiosk_sync import act

from config.settings import KioskSettings
from kiosk.domain.journal import Deed, Word
from kiosk.domain.values import KioskError
from sync import acts, enrolment, parcel, replica
from sync.acts import ActsLog
from sync.central_client import load_identity
from sync.encrypted import first_key
from ui.assembly import DATABASE_KEY, start_kiosk
from ui.cli.main import shelfpoint


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentralServer]:
    server = CentralServer(tmp_path_factory.mktemp("central"))
    server.start()
    yield server
    server.stop()


class Machine:
    """A kiosk that has told a return, and holds one that it has not told."""

    def __init__(self, central: CentralServer, folder: Path) -> None:
        self.central = central
        self.config = central.enrolled_kiosk(folder)
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.name = self.known_as()
        self.key = first_key(self.settings.keys / DATABASE_KEY, self.settings.data)
        acts.prepare(self.settings.data, self.key)
        replica.prepare(self.settings.data, self.key)
        self.told, self.untold = act(deed=Deed.RETURN), act(item=2, deed=Deed.RETURN)
        with self.log() as log:
            log.record(Word.FACT, self.told)
        self.trip()
        with self.log() as log:
            log.record(Word.FACT, self.untold)

    @property
    def settings(self) -> KioskSettings:
        return self.central.settings(self.config)

    def log(self) -> "closing[ActsLog]":
        return closing(ActsLog(self.settings.data, self.key))

    def known_as(self) -> str:
        identity = load_identity(self.settings.keys)
        assert identity is not None
        return identity.kiosk

    def code(self, *more: str) -> str:
        arguments = ["central", "enrol", "--branch", "main", "--json", "--data", str(self.central.data), *more]
        return str(json.loads(CliRunner().invoke(shelfpoint, arguments).stdout)["code"])

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(shelfpoint, [*map(str, arguments), "--config", str(self.config)])

    def online(self, code: str) -> Result:
        return self.run("kiosk", "enrol", "--url", self.central.url, "--code", code)

    def centrally(self, *arguments: object) -> Result:
        return CliRunner().invoke(shelfpoint, [*map(str, arguments), "--data", str(self.central.data)])

    def trip(self) -> None:
        assert self.run("queue", "export", "--to", self.stick).exit_code == 0
        (out,) = self.stick.glob("acts-*")
        assert self.centrally("central", "parcel", "take", out).exit_code == 0
        (answer,) = self.stick.glob("answer-*")
        assert self.run("queue", "import", answer).exit_code == 0
        out.unlink()
        answer.unlink()

    def cases(self) -> list[str | None]:
        with closing(self.central.open()) as opened:
            return [case.act for case in opened.holdings.cases() if case.act in (self.told.id, self.untold.id)]


@pytest.fixture
def machine(central: CentralServer, tmp_path: Path) -> Machine:
    return Machine(central, tmp_path)


def refused(done: Result, machine: Machine) -> bool:
    said = str(done.exception)
    return (
        isinstance(done.exception, KioskError)
        and f"the records in {machine.settings.data} are those of kiosk {machine.name}" in said
        and f"--again {machine.name}" in said
    )


def test_a_code_for_another_name_is_refused_and_stays_good(machine: Machine, tmp_path: Path) -> None:
    code = machine.code()
    assert refused(machine.online(code), machine)
    assert machine.known_as() == machine.name
    (tmp_path / "new").mkdir()
    fresh = machine.config.read_text(encoding="utf-8").replace('"data"', '"new/data"').replace('"keys"', '"new/keys"')
    machine.config.write_text(fresh, encoding="utf-8")
    assert machine.online(code).exit_code == 0
    assert machine.known_as() != machine.name


def test_enrolled_again_under_its_name_it_goes_on_with_its_log_and_opens_no_case(machine: Machine) -> None:
    assert machine.online(machine.code("--again", machine.name)).exit_code == 0
    assert machine.known_as() == machine.name
    machine.trip()
    with machine.log() as log:
        assert log.queue()[0] == 0
    assert machine.cases() == []


def test_a_log_says_whose_it_is_when_the_identity_is_gone(machine: Machine) -> None:
    (machine.settings.keys / "kiosk.json").unlink()
    assert refused(machine.online(machine.code()), machine)


def test_a_log_in_which_nothing_was_ever_said_is_anybodys(central: CentralServer, tmp_path: Path) -> None:
    config = central.enrolled_kiosk(tmp_path)
    settings = central.settings(config)
    acts.prepare(settings.data, first_key(settings.keys / DATABASE_KEY, settings.data))
    before = load_identity(settings.keys)
    made = ["central", "enrol", "--branch", "main", "--json", "--data", str(central.data)]
    code = json.loads(CliRunner().invoke(shelfpoint, made).stdout)["code"]
    arguments = ["kiosk", "enrol", "--url", central.url, "--code", code, "--config", str(config)]
    assert CliRunner().invoke(shelfpoint, arguments).exit_code == 0
    after = load_identity(settings.keys)
    assert before is not None
    assert after is not None
    assert before.kiosk != after.kiosk
    assert (
        CliRunner().invoke(shelfpoint, ["queue", "export", "--to", str(tmp_path), "--config", str(config)]).exit_code
        == 0
    )


def test_by_stick_central_refuses_the_request_and_the_code_stays_good(machine: Machine) -> None:
    code = machine.code()
    assert machine.run("kiosk", "enrol", "--request", machine.stick, "--code", code).exit_code == 0
    request = machine.stick / parcel.REQUEST
    done = machine.centrally("central", "parcel", "enrol", request, "--code", code)
    assert (done.exit_code, f"--again {machine.name}" in done.output) == (1, True)
    told = json.loads(request.read_bytes())
    assert told.pop("records_of") == machine.name
    request.write_text(json.dumps(told))  # as a central takes it that knows nothing of records
    assert machine.centrally("central", "parcel", "enrol", request, "--code", code).exit_code == 0
    (answer,) = machine.stick.glob("enrolled-*")
    assert refused(machine.run("kiosk", "enrol", "--answer", answer), machine)
    assert machine.known_as() == machine.name


def test_a_kiosk_does_not_start_with_an_identity_that_is_not_its_logs(machine: Machine) -> None:
    keys = machine.settings.keys
    told = json.loads((keys / "kiosk.json").read_bytes())
    (keys / "kiosk.json").write_text(json.dumps({**told, "kiosk": "main-99"}))
    with pytest.raises(KioskError, match=f"are those of kiosk {machine.name}"):
        start_kiosk(machine.settings, mailbox=None, screen=None)  # type: ignore[arg-type]
    assert refused(machine.run("queue", "export", "--to", machine.stick), machine)


def test_while_the_replica_of_the_enrolment_before_is_there_the_new_one_is_not_kept(machine: Machine) -> None:
    """At no moment do both lie on the disk: cut there, a kiosk would know nobody and never learn it."""
    before = load_identity(machine.settings.keys)
    obstacle = machine.settings.data / f"{replica.FILE}.obstacle"
    obstacle.mkdir()
    assert isinstance(machine.online(machine.code("--again", machine.name)).exception, OSError)
    assert load_identity(machine.settings.keys) == before
    obstacle.rmdir()
    assert machine.online(machine.code("--again", machine.name)).exit_code == 0
    assert load_identity(machine.settings.keys) != before
    assert not list(machine.settings.data.glob(f"{replica.FILE}*"))


def test_whose_records_they_are_is_known_of_a_damaged_log_too(machine: Machine) -> None:
    data, keys = machine.settings.data, machine.settings.keys
    for part in data.glob(f"{acts.FILE}-*"):
        part.unlink()
    (data / acts.FILE).write_bytes(bytes(8192))
    assert enrolment.whose_records(data, keys, DATABASE_KEY) == machine.name
