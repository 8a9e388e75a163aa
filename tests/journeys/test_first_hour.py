"""D6: from an empty folder to a library that lends, by installed commands; a typhoon day moves new due dates and no promised one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from readme_session import Command, run

from kiosk.domain.calendar import end_of_day, library_day
from kiosk.domain.journal import Deed, Mode, Outcome, Word
from kiosk.domain.values import BranchId, IncarnationId
from sync import wire
from sync.central_client import CentralClient, ClockOffset, Identity, enrol
from sync.replica import Replica, ReplicaWriter, prepare
from ui.clock import SystemClock
from ui.demo.central_process import wait_until_ready

PROGRAM = Path(sys.executable).with_name("shelfpoint")
PASSWORD = "correct horse\n"
KEY = bytes(range(32))
HOURS = 'mon = "closed"', 'mon = "09:00-17:00"'


class Library:
    """A folder in which an IT person types commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "central"

    def types(self, *command: str, said: str = "", code: int = 0, by: Sequence[str] = ()) -> str:
        done = subprocess.run(
            [*by, PROGRAM, "central", *command], input=said, capture_output=True, text=True, timeout=60, check=False,
            cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "SHELFPOINT_CENTRAL_DATA": str(self.data)},
        )  # fmt: skip
        assert done.returncode == code, (command, done.stdout, done.stderr)
        return done.stdout + (done.stderr if code else "")

    def writes(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def lacking(library: Library) -> set[str]:
    told = json.loads(library.types("doctor", "--json", code=1).partition("\n")[0])
    return {row["check"] for row in told if not row["ok"]}


def test_an_empty_folder_becomes_a_library_by_commands_alone(library: Library) -> None:
    refused = library.types("enrol", "--branch", "main", code=2)
    assert "none is known yet; add one: shelfpoint central branch add" in refused
    assert {"libraries", "branches", "lending rules", "administrator"} <= lacking(library)
    example = library.types("setup", "--example")
    for told, ahead in (("2027-02-06", 61), ("2027-02-07", 62)):  # beyond the months for which holidays should be known
        example = example.replace(told, (library_day(datetime.now(UTC)) + timedelta(days=ahead)).isoformat())
    library.writes("library.toml", example + '[key]\ncopy_to = "stick.key"\n')
    assert "a password is needed" in library.types("setup", "--from", "library.toml", code=2)
    planned = library.types("setup", "--from", "library.toml", "--preview")
    assert "+ branch main (總館) of library city" in planned
    assert "libraries" in lacking(library), "a preview changes nothing"
    assert planned in library.types("setup", "--from", "library.toml", "--password-stdin", said=PASSWORD)
    assert library.types("setup", "--from", "library.toml") == "Nothing changed: it is so already.\n"
    assert (library.folder / "stick.key").exists()
    assert lacking(library) == {"TLS", "backup"}
    library.types("backup", "copy.sqlite")
    assert lacking(library) == {"TLS"}
    assert json.loads(library.types("enrol", "--branch", "main", "--json"))["branch"] == "main"
    assert "known are east, main; add one" in library.types("enrol", "--branch", "west", code=2)
    library.writes("items.csv", "id,title,branch,item_type\nC1,書,main,book\n")
    library.types("import-items", "items.csv")
    library.writes("items.csv", "id,title,branch,item_type\nC2,書,west,scroll\n")
    library.types("import-items", "items.csv", code=1)
    report = (library.folder / "items.csv.report.csv").read_text(encoding="utf-8")
    assert "known are east, main; add one: shelfpoint central branch add" in report
    assert "shelfpoint central item-type add" in report


def test_questions_lead_to_the_same_library_and_their_answers_can_be_kept(library: Library) -> None:
    hours = ["closed", "nine to nine", "08:30-21:00", "", "", "", "08:30-17:30", ""]
    answers = [
        "school",
        "north",
        "北區國小圖書館",
        "",
        "all",
        "lib",
        "圖書館",
        *hours,
        "n",
        "none.csv",
        "",
        "c h",
        "chen",
        "nostick/k",
        "",
    ]
    asked = ("setup", "--save", "answers.toml", "--password-stdin")
    told = library.types(*asked, said="\n".join([*answers, PASSWORD]))
    for wrong in ("'all'", "'nine to nine'", "'c h'"):
        assert f"got {wrong}" in told, "a wrong answer is asked for again"
    assert "none.csv: No such file" in told
    assert "there is no folder" in told, "a stick that is missing costs no other answer"
    assert "+ library north (北區國小圖書館), school" in told
    assert "mon closed; tue 08:30-21:00; wed 08:30-21:00" in told
    assert "+ category pupil (學生, Pupil)" in told
    assert "+ administrator chen" in told
    assert library.types("setup", "--from", "answers.toml") == "Nothing changed: it is so already.\n"
    assert "there is a file of this name already" in library.types(*asked, code=2)


def test_each_kind_of_library_is_added_by_the_word_that_is_documented(library: Library) -> None:
    for kind in ("public", "school", "agency"):
        told = library.types("library", "add", f"a-{kind}", "--name", "館", "--kind", kind)
        assert told == f"+ library a-{kind} (館), {kind}\n"
    assert "+ library plain (館), public" in library.types("library", "add", "plain", "--name", "館")


def test_lists_of_branches_and_days_come_back_as_they_were_written(library: Library) -> None:
    """Also names that a spreadsheet would compute, hours that nobody knows, and days that differ from branch to branch."""
    library.types("library", "add", "city", "--name", "館")
    library.types("branch", "add", "main", "--name", "=SUM(1)", "--telephone", "+886-4-1")
    library.types("branch", "add", "east", "--name", "東")
    library.types("calendar", "set", "--branch", "main", "--mon", "08:30-12:00, 13:30-17:00")
    library.types("calendar", "close-day", "2027-03-03", "--reason", "=盤點", "--branch", "main")
    library.types("branch", "list", "--csv", "branches.csv")
    library.types("calendar", "list", "--csv", "days.csv")
    same = "Nothing changed: it is so already.\n"
    assert library.types("branch", "import", "branches.csv") == same
    assert library.types("calendar", "import", "days.csv", "--branch", "all").startswith(same)
    library.types("calendar", "clear-day", "2027-03-03")
    back = library.types("calendar", "import", "days.csv", "--branch", "all", "--preview")
    assert [line for line in back.splitlines() if line[:1] in "+~-"] == ["+ branch main: 2027-03-03 closed (=盤點)"]
    refused = library.types("calendar", "import", "days.csv", "--branch", "east", code=2)
    assert "says nothing of branch east" in refused


def test_reopening_changes_nothing_else_and_knows_which_branches_there_are(library: Library) -> None:
    library.types("library", "add", "city", "--name", "館")
    library.types("branch", "add", "main", "--name", "總館")
    assert "there is no branch 'mian': known are main" in library.types("branch", "add", "mian", "--reopen", code=2)
    library.types("branch", "close", "main")
    assert "--change makes it so" in library.types("branch", "add", "main", "--reopen", "--name", "分館", code=1)
    assert library.types("branch", "add", "main", "--reopen") == "~ branch main: open again\n"


def test_a_disk_without_room_is_named_and_nothing_half_written_stays(library: Library) -> None:
    small, full = (
        ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"] for blocks in (200, 0)
    )  # of 512 bytes for a file
    library.types("library", "add", "city", "--name", "館")
    rows = "".join(f"b{number},分館,04-{'0' * 30}\n" for number in range(600))
    library.types("branch", "import", library.writes("branches.csv", f"branch,name,telephone\n{rows}"))
    library.types("key", "copy", "stick.key")
    untouched = library.types("doctor", "--json", code=1)
    before = {path.name for path in library.folder.iterdir()}
    assert "Error: list.csv: File too large" in library.types("branch", "list", "--csv", "list.csv", code=2, by=small)
    told = library.types("backup", "copy.sqlite", code=1, by=small)
    assert "copy.sqlite: the copy cannot be written there" in told
    assert "damaged" not in told, "the library's own database is well"
    told = library.types("library", "list", "--data", "other", code=2, by=full)
    assert "other.key: " in told
    left = {path.name for path in library.folder.iterdir()} - before
    assert left <= {"other"}, "half a key would stand in the way of the next try"
    library.types("library", "list", "--data", "other")
    assert library.types("doctor", "--json", code=1) == untouched


def test_a_password_that_is_too_short_is_asked_for_again(library: Library) -> None:
    library.writes("library.toml", library.types("setup", "--example"))
    replies = [("Password for admin:", "short"), ("Repeat for confirmation:", "short")]

    def hear(output: str) -> None:
        if "Error: a password has 8 to 128 characters" in output:
            replies[:] = [(question, PASSWORD.strip()) for question, _ in replies]

    text = f"cd {library.folder} && {PROGRAM} central setup --from library.toml --data central"
    heard = run(Command(text, replies=replies), os.environ, hear)
    assert heard.code == 0, heard.output
    assert "+ administrator admin" in heard.output


def test_every_mistake_of_a_file_ends_with_two_and_a_line(library: Library) -> None:
    library.writes("bad.toml", '[[libraries]]\ncode = "x y"\nname = "x"\n[[branches]]\ncode = "all"\nname = "x"\n')
    told = library.types("setup", "--from", "bad.toml", code=2).splitlines()
    assert [line.split("key ")[1].split(":")[0] for line in told] == [
        "libraries.0.code",
        "branches.0.code",
        "branches.0.hours",
    ]


# --- lending ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def lends(library: Library) -> Iterator[tuple[Library, Identity]]:
    """A library that is open every day, serving, and a kiosk that is enrolled there."""
    example = library.types("setup", "--example").replace(*HOURS).replace('sun = "closed"', 'sun = "09:00-17:00"')
    library.writes("library.toml", example)
    library.types("setup", "--from", "library.toml", "--password-stdin", said=PASSWORD)
    library.writes("items.csv", "id,title,branch\n" + "".join(f"C{number},書,main\n" for number in range(1, 5)))
    library.types("import-items", "items.csv")
    library.writes("patrons.csv", "id,name,category\nann,王小明,adult\n")
    library.types("import-patrons", "patrons.csv")
    code = json.loads(library.types("enrol", "--branch", "main", "--json"))["code"]
    ready, log = library.folder / "ready", library.folder / "log"
    command = [PROGRAM, "central", "serve", "--data", library.data, "--port", "0", "--ready-file", ready]
    with log.open("ab") as out:
        serving = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        port = wait_until_ready(ready, serving, log)
        yield library, enrol(f"http://127.0.0.1:{port}", code, library.folder / "keys", SystemClock())
    finally:
        serving.terminate()
        serving.wait(20)


class Till:
    """A kiosk's word to central."""

    def __init__(self, identity: Identity) -> None:
        clock = SystemClock()
        self.client = CentralClient(identity, IncarnationId("log"), clock, ClockOffset(clock))
        self.sequence = 0

    def lends(self, item: str, promised: datetime | None = None) -> date:
        """Until when central lets it be lent; a promise was made offline."""
        self.sequence += 1
        word = wire.WireWord(
            sequence=self.sequence, word=Word.REQUEST if promised is None else Word.FACT, act=f"act-{item}",
            deed=Deed.CHECKOUT, membership="ann", item=item, branch="main", happened_at=datetime.now(UTC),
            mode=Mode.ONLINE if promised is None else Mode.OFFLINE, due_at=promised,
        )  # fmt: skip
        (verdict,) = self.client.push([word], 10.0).said()
        assert verdict.outcome in (Outcome.ACCEPTED, Outcome.NOTED), verdict
        assert verdict.due_at is not None
        return library_day(verdict.due_at)


def dues(library: Library) -> dict[str, date]:
    loans = json.loads(library.types("loans", "--json"))
    return {loan["item"]: library_day(datetime.fromisoformat(loan["due_at"])) for loan in loans}


def test_a_typhoon_day_for_all_branches_moves_new_due_dates_and_shortens_no_promise(
    lends: tuple[Library, Identity], tmp_path: Path
) -> None:
    library, identity = lends
    till = Till(identity)
    due = till.lends("C1")
    told = library.types("calendar", "close-day", due.isoformat(), "--reason", "颱風")
    assert told.splitlines() == [f"+ branch {code}: {due} closed (颱風)" for code in ("east", "main")]
    assert till.lends("C2") == due + timedelta(days=1)
    assert till.lends("C3", promised=end_of_day(due + timedelta(days=3))) == due + timedelta(days=3)
    library.types("calendar", "clear-day", due.isoformat())
    assert till.lends("C4") == due
    assert dues(library) == {
        "C1": due,
        "C2": due + timedelta(days=1),
        "C3": due + timedelta(days=3),
        "C4": due,
    }
    library.types("calendar", "close-day", due.isoformat(), "--reason", "颱風", "--branch", "main")
    prepare(tmp_path / "kiosk", KEY)
    writer = ReplicaWriter(tmp_path / "kiosk", KEY)
    writer.apply(till.client.feed("", 0), datetime.now(UTC))
    knows = Replica(tmp_path / "kiosk", KEY, identity.index_key_bytes())
    main = BranchId("main")
    assert not knows.calendar(main).is_open(due)
    assert (knows.library_name(main), knows.branch_name(main)) == ("示範市立圖書館", "總館")
    assert "kiosks: main-1" in library.types("branch", "list")
    assert "main-1; revoke each first" in library.types("branch", "close", "main", code=1)
    till.client.close()
    writer.close()
    knows.close()
