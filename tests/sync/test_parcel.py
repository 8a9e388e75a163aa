"""A branch without a network: a real kiosk's files, a real central, and sticks that are lost, old, torn or foreign."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from kiosk_sync import KEY, act

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Act, Deed, Word
from kiosk.domain.lending import Standing
from kiosk.domain.staff import Grant, Role, branch_scope
from kiosk.domain.values import ItemId, MembershipId, Reason
from sync import acts, parcel, replica, sealed, stick, wire
from sync.acts import ActsLog
from sync.central import parcels, tables
from sync.central.feed import Feed
from sync.central.fleet import CodeRefused
from sync.central.office import Central, CentralSettings
from sync.central.registry import Patron
from sync.central_client import Identity, load_identity
from sync.replica import Replica, ReplicaWriter
from sync.rescue import prepare_or_rescue
from sync.sealed import BadParcel

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
KEEP = timedelta(days=14)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Branch:
    """A kiosk's files, its stick and central."""

    folder: Path
    clock: Clock
    central: Central
    code: str

    def __post_init__(self) -> None:
        self.data, self.keys = self.folder / "data", self.folder / "keys"
        self.drive = self.folder / "stick"
        self.drive.mkdir(parents=True)
        self.open()

    def open(self) -> None:
        acts.prepare(self.data, KEY)
        replica.prepare(self.data, KEY)
        self.log, self.writer = ActsLog(self.data, KEY), ReplicaWriter(self.data, KEY)

    def close(self) -> None:
        self.log.close()
        self.writer.close()

    @property
    def identity(self) -> Identity:
        found = load_identity(self.keys)
        assert found is not None
        return found

    def enrol(self) -> None:
        request = parcel.request_enrolment(self.drive, self.keys, self.code)
        taken = parcels.enrol(self.central, request, self.code, self.drive)
        assert taken.answer is not None
        self.close()
        parcel.finish_enrolment(taken.answer, self.data, self.keys)
        self.open()
        parcel.first_feed(taken.answer, self.data, self.writer, self.identity, lambda _what, _done: None)

    def says(self, item: str = "C1", deed: Deed = Deed.CHECKOUT, who: str = "ann") -> Act:
        said = replace(act(deed=deed, who=MembershipId(who)), item=ItemId(item), happened_at=self.clock.now)
        self.log.record(Word.FACT, said)
        self.clock.now += timedelta(minutes=1)
        return said

    def export(self) -> Path:
        health = wire.Health(incarnation=self.log.incarnation, program="test", queue_length=self.log.queue()[0])
        path, _ = parcel.export(self.drive, self.log, self.writer.cursor(), self.identity, health, self.clock.now)
        return path

    def taken(self, path: Path) -> Path:
        """Central judges it; the answer."""
        self.clock.now += timedelta(minutes=1)
        answer = parcels.take(self.central, path, self.drive).answer
        assert answer is not None
        return answer

    def take(self, answer: Path) -> parcel.Imported:
        return parcel.take(answer, self.data, self.log, self.writer, self.identity, keep=KEEP, now=self.clock.now)

    def trip(self) -> parcel.Imported:
        return self.take(self.taken(self.export()))

    def lent(self) -> dict[str, str]:
        return {loan.item: loan.act_id for loan in self.central.holdings.open_loans()}

    def known(self) -> dict[str, str]:
        reader = Replica(self.data, KEY, self.identity.index_key_bytes())
        loans = [reader.loan_of(ItemId(f"C{number}")) for number in range(1, 6)]
        reader.close()
        return {loan.item: loan.act_id for loan in loans if loan is not None}


def pieces_of(branch: Branch, path: Path) -> Iterator[bytes]:
    with sealed.opened(path, branch.data) as found:
        yield from found.pieces(X25519PrivateKey.from_private_bytes(wire.padded(branch.identity.sealing_key)))


@pytest.fixture
def branch(tmp_path: Path) -> Iterator[Branch]:
    clock = Clock()
    central = Central.open(CentralSettings(data=tmp_path / "central"), clock=clock)
    central.feed = Feed(central.database, page_size=3)
    with central.registry.change("test") as change:
        change.branch(wire.CalendarEntry(branch="hills"))
        change.policy(
            wire.PolicyEntry(
                policy_version="p1",
                patron_rules=[wire.WirePatronRule(category="*", quota=900)],
                loan_rules=[wire.WireLoanRule(loan_days=28)],
            )
        )
        change.patrons(
            [
                Patron(id=who, name="王小明", category="adult", cards={CardKind.BARCODE: f"P{who}"})
                for who in ("ann", "ben")
            ]
        )
        change.items([wire.ItemEntry(id=f"C{number}", title="書", branch="hills") for number in range(1, 6)])
    branch = Branch(tmp_path / "kiosk", clock, central, central.fleet.make_code("hills"))
    yield branch
    branch.close()
    central.close()


@pytest.fixture
def enrolled(branch: Branch) -> Branch:
    branch.enrol()
    return branch


# --- enrolment ---------------------------------------------------------------------------------------------------


def test_a_kiosk_is_enrolled_by_stick_and_knows_its_books_and_readers(enrolled: Branch) -> None:
    assert (enrolled.identity.kiosk, enrolled.identity.branch) == ("hills-1", "hills")
    reader = Replica(enrolled.data, KEY, enrolled.identity.index_key_bytes())
    assert reader.card("Pann") is not None
    assert reader.item(ItemId("C5")) is not None
    assert reader.place().position == enrolled.central.feed.head()
    assert reader.place().fresh_at == NOON
    reader.close()
    assert not (enrolled.keys / parcel.PENDING).exists()
    assert (enrolled.keys / "kiosk.json").stat().st_mode & 0o077 == 0


def test_the_stick_brings_the_verifiers_of_this_branchs_staff(branch: Branch) -> None:
    with branch.central.registry.change("test") as change:
        change.branch(wire.CalendarEntry(branch="coast"))
    for login, where in (("chen", "hills"), ("lin", "coast")):
        branch.central.staff.add(login, "a-long-word-7", [Grant(Role.CIRCULATION, branch_scope(where))], who="test")
    branch.enrol()
    reader = Replica(branch.data, KEY, branch.identity.index_key_bytes())
    assert reader.staff("chen") is not None
    assert reader.staff("lin") is None
    reader.close()


def test_a_request_that_was_exchanged_on_the_way_is_refused(branch: Branch) -> None:
    request = parcel.request_enrolment(branch.drive, branch.keys, branch.code)
    parcel.request_enrolment(branch.drive, branch.folder / "thief", "0000-0000-0000")
    with pytest.raises(BadParcel, match="not made with this code"):
        parcels.enrol(branch.central, request, branch.code, branch.drive)


def test_an_answer_of_a_central_that_does_not_know_the_code_is_refused(branch: Branch, tmp_path: Path) -> None:
    request = parcel.request_enrolment(branch.drive, branch.keys, branch.code)
    other = Central.open(CentralSettings(data=tmp_path / "other"), clock=branch.clock)
    with other.registry.change("test") as change:
        change.branch(wire.CalendarEntry(branch="hills"))
    code = other.fleet.make_code("hills")
    told = msgspec.json.decode(request.read_bytes(), type=stick.StickRequest)
    forged = msgspec.structs.replace(told, proof=stick.stick_proof(code, told.public_key, told.sealing_key))
    request.write_bytes(msgspec.json.encode(forged))
    answer = parcels.enrol(other, request, code, branch.drive).answer
    other.close()
    assert answer is not None
    with pytest.raises(BadParcel, match="not from the central that gave the code"):
        parcel.finish_enrolment(answer, branch.data, branch.keys)
    assert load_identity(branch.keys) is None


def test_a_code_enrols_once(enrolled: Branch) -> None:
    request = parcel.request_enrolment(enrolled.drive, enrolled.folder / "again", enrolled.code)
    with pytest.raises(CodeRefused):
        parcels.enrol(enrolled.central, request, enrolled.code, enrolled.drive)


# --- there and back ----------------------------------------------------------------------------------------------


def test_acts_go_out_and_verdicts_and_news_come_in(enrolled: Branch) -> None:
    first, second = enrolled.says("C1"), enrolled.says("C2", who="ben")
    with enrolled.central.registry.change("test") as change:
        change.stand("ben", Standing.BLOCKED)
    done = enrolled.trip()
    assert (done.words, done.feed_fits) == (2, True)
    assert enrolled.log.queue() == (0, None)
    assert enrolled.lent() == enrolled.known() == {"C1": first.id, "C2": second.id}
    reasons = [verdict.reason for _, verdict in enrolled.log.words() if verdict is not None]
    assert reasons == [None, Reason.MEMBERSHIP_BLOCKED]
    assert enrolled.writer.place().position == enrolled.central.feed.head()


def test_a_thousand_acts_go_in_pieces(enrolled: Branch) -> None:
    made = [enrolled.says(f"C{number % 5 + 1}", Deed.CHECKOUT if number % 2 else Deed.RETURN) for number in range(1203)]
    assert enrolled.trip().words == len(made)
    assert enrolled.log.queue() == (0, None)
    assert len(enrolled.central.holdings.acts()) == len(made)


def test_the_same_parcel_again_changes_nothing_and_is_answered_alike(enrolled: Branch) -> None:
    enrolled.says("C1")
    path = enrolled.export()
    once = enrolled.taken(path)
    first = enrolled.take(once)
    before = enrolled.lent(), enrolled.central.holdings.acts()
    second = enrolled.take(enrolled.taken(path))
    assert (enrolled.lent(), enrolled.central.holdings.acts()) == before
    assert (first.words, second.words, second.feed_fits) == (1, 1, True)
    assert enrolled.known() == enrolled.lent()


def test_an_answer_taken_twice_changes_nothing(enrolled: Branch) -> None:
    enrolled.says("C1")
    answer = enrolled.taken(enrolled.export())
    enrolled.take(answer)
    words, place = list(enrolled.log.words()), enrolled.writer.place()
    assert enrolled.take(answer).pages == 0
    assert (list(enrolled.log.words()), enrolled.writer.place()) == (words, place)


def test_a_parcel_that_was_lost_is_made_good_by_the_next_one(enrolled: Branch) -> None:
    first = enrolled.says("C1")
    enrolled.export().unlink()
    second = enrolled.says("C2")
    assert enrolled.trip().words == 2
    assert enrolled.lent() == {"C1": first.id, "C2": second.id}


def test_a_log_that_begins_anew_takes_no_parcels_place_on_the_stick(enrolled: Branch) -> None:
    """After a rescue the new log counts from 1 too, and of what was damaged only the parcel still tells."""
    told = [enrolled.says(f"C{number % 5 + 1}", Deed.RETURN) for number in range(120)]
    first = enrolled.export()
    enrolled.log.checkpoint()
    enrolled.close()
    file = enrolled.data / acts.FILE
    raw = bytearray(file.read_bytes())
    for page in range(len(raw) // 4096 - 6, len(raw) // 4096):
        raw[page * 4096 + 60 : page * 4096 + 360] = bytes(300)
    file.write_bytes(raw)
    rescue = prepare_or_rescue(enrolled.data, KEY, enrolled.clock.now)
    assert rescue is not None
    assert rescue.said_again < len(told)
    enrolled.open()
    second = enrolled.export()
    assert {path.name for path in enrolled.drive.glob("acts-*")} == {first.name, second.name}
    assert enrolled.taken(first).name != enrolled.taken(second).name
    assert set(enrolled.central.holdings.acts()) == {act.id for act in told}


def test_a_log_that_was_put_back_as_it_was_takes_no_parcels_place_on_the_stick(enrolled: Branch) -> None:
    enrolled.says("C1")
    enrolled.close()
    before = {path: path.read_bytes() for path in enrolled.data.glob("acts.db*")}
    enrolled.open()
    first = enrolled.export()
    content = first.read_bytes()
    enrolled.close()
    for path in enrolled.data.glob("acts.db*"):
        path.unlink()
    for path, was in before.items():
        path.write_bytes(was)
    enrolled.open()
    assert enrolled.export() != first
    assert first.read_bytes() == content


def test_nothing_but_letters_of_what_a_kiosk_calls_its_log_gets_into_a_files_name(enrolled: Branch) -> None:
    health = wire.Health(incarnation="../../x", program="test", queue_length=0)
    path, _ = parcel.export(enrolled.drive, enrolled.log, "", enrolled.identity, health, enrolled.clock.now)
    assert enrolled.taken(path).name == "answer-hills-1-x-1.parcel"


def test_parcels_and_answers_in_any_order_end_alike(enrolled: Branch) -> None:
    lent = enrolled.says("C1")
    early = enrolled.export()
    enrolled.says("C1", Deed.RETURN)
    late = enrolled.export()
    assert early != late
    answer_late, answer_early = enrolled.taken(late), enrolled.taken(early)
    enrolled.take(answer_early)
    assert enrolled.log.queue()[0] == 1
    place = enrolled.writer.place()
    assert enrolled.take(answer_late).feed_fits  # to a newer parcel: it has a verdict that the other one lacks
    assert enrolled.log.queue() == (0, None)
    assert enrolled.writer.place() == replace(place, heard_at=enrolled.writer.place().heard_at)
    enrolled.trip()
    assert enrolled.lent() == enrolled.known() == {}
    assert enrolled.central.holdings.acts()[lent.id] == "fact"


def test_an_older_answer_to_the_same_parcel_or_one_before_is_refused_and_the_replica_does_not_go_back(
    enrolled: Branch,
) -> None:
    enrolled.says("C1")
    first = enrolled.taken(enrolled.export())
    second = enrolled.export()
    old = enrolled.taken(second).rename(enrolled.drive / "old.parcel")
    enrolled.take(enrolled.taken(second))
    for older in (old, first):
        with pytest.raises(BadParcel, match=r"older than what central has told before .* parcel 2"):
            enrolled.take(older)


def test_an_answer_that_brings_everything_does_not_put_back_a_replica_that_is_further(enrolled: Branch) -> None:
    enrolled.says("C1")
    health = wire.Health(incarnation=enrolled.log.incarnation, program="test", queue_length=1)
    first = enrolled.export()
    anew, _ = parcel.export(enrolled.drive, enrolled.log, "", enrolled.identity, health, enrolled.clock.now)
    from_the_start = enrolled.taken(anew)
    with enrolled.central.registry.change("test") as change:
        change.stand("ann", Standing.BLOCKED)
    enrolled.take(enrolled.taken(first))
    place = enrolled.writer.place()
    done = enrolled.take(from_the_start)  # number 2, told before the answer to number 1
    assert (done.pages, done.feed_fits, enrolled.writer.place()) == (0, True, place)


def test_one_answer_of_a_central_whose_clock_ran_ahead_locks_nobody_out(enrolled: Branch) -> None:
    enrolled.says("C1")
    real = enrolled.clock.now
    enrolled.clock.now = real + timedelta(days=366)
    enrolled.trip()
    enrolled.clock.now = real + timedelta(days=1)
    enrolled.says("C2")
    assert enrolled.trip().words == 1
    assert enrolled.log.queue() == (0, None)
    heard = enrolled.writer.place().heard_at
    assert heard is not None
    assert heard < real + timedelta(days=2)
    assert enrolled.known() == enrolled.lent()


def test_a_branch_that_has_only_sticks_forgets_acts_that_central_has_had_for_long(enrolled: Branch) -> None:
    told = [enrolled.says(f"C{number}", Deed.RETURN) for number in range(1, 6)]
    enrolled.trip()
    enrolled.clock.now += timedelta(days=13)
    enrolled.trip()
    assert [spoken.act.id for spoken, _ in enrolled.log.words()] == [act.id for act in told]
    waits = enrolled.says("C1")
    enrolled.clock.now += timedelta(days=30)
    late = enrolled.says("C2")
    enrolled.trip()
    kept = [spoken.act.id for spoken, _ in enrolled.log.words()]
    assert kept == [waits.id, late.id]  # the first is old, but central has only just heard of it


def test_a_central_whose_clock_runs_ahead_makes_no_act_old(enrolled: Branch) -> None:
    told = [enrolled.says(f"C{number}", Deed.RETURN) for number in range(1, 4)]
    enrolled.trip()
    real = enrolled.clock.now
    enrolled.clock.now += timedelta(days=366)
    answer = enrolled.taken(enrolled.export())
    enrolled.clock.now = real
    enrolled.take(answer)
    assert [spoken.act.id for spoken, _ in enrolled.log.words()] == [act.id for act in told]


def test_an_answer_that_was_taken_half_is_taken_up_in_the_middle(enrolled: Branch) -> None:
    enrolled.says("C1")
    with enrolled.central.registry.change("test") as change:
        change.items([wire.ItemEntry(id=f"C{number}", title="新書", branch="hills") for number in range(1, 6)])
    answer = enrolled.taken(enrolled.export())

    def pull_the_plug(what: str, done: int) -> None:
        if (what, done) == ("pages", 1):
            raise OSError("the power is cut")

    with pytest.raises(OSError, match="power"):
        parcel.take(
            answer, enrolled.data, enrolled.log, enrolled.writer, enrolled.identity, pull_the_plug, keep=KEEP, now=NOON
        )
    assert enrolled.writer.place().position < enrolled.central.feed.head()
    done = enrolled.take(answer)
    assert done.pages > 0
    assert enrolled.writer.place().position == enrolled.central.feed.head()


def test_a_restored_central_is_told_again_by_stick(enrolled: Branch, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    enrolled.central.close()
    shutil.copytree(tmp_path / "central", copy)
    enrolled.central = Central.open(CentralSettings(data=tmp_path / "central"), clock=enrolled.clock)
    said = enrolled.says("C1")
    enrolled.trip()
    enrolled.central.close()
    shutil.rmtree(tmp_path / "central")
    shutil.copytree(copy, tmp_path / "central")
    enrolled.central = Central.open(CentralSettings(data=tmp_path / "central"), clock=enrolled.clock)
    enrolled.central.renew_epoch()
    enrolled.trip()  # learns of the restore
    assert enrolled.log.queue()[0] == 1
    enrolled.trip()
    assert enrolled.lent() == enrolled.known() == {"C1": said.id}
    enrolled.central.close()


def test_a_replica_that_was_rebuilt_meanwhile_is_filled_by_the_next_answer(enrolled: Branch) -> None:
    enrolled.says("C1")
    answer = enrolled.taken(enrolled.export())
    enrolled.close()
    for part in enrolled.data.glob("replica.db*"):
        part.unlink()
    enrolled.open()
    assert not enrolled.take(answer).feed_fits
    assert enrolled.trip().feed_fits
    assert enrolled.known() == enrolled.lent()


# --- what is refused ---------------------------------------------------------------------------------------------


def test_an_answer_to_another_kiosk_or_log_or_with_a_wrong_signature_changes_nothing(enrolled: Branch) -> None:
    said = enrolled.says("C1")
    answer = enrolled.taken(enrolled.export())
    words = list(enrolled.log.words())
    raw = bytearray(answer.read_bytes())
    raw[-1] ^= 1
    forged = enrolled.drive / "forged.parcel"
    forged.write_bytes(raw)
    with pytest.raises(BadParcel, match="signature is not that"):
        enrolled.take(forged)
    forged.write_bytes(answer.read_bytes()[:-100])
    with pytest.raises(BadParcel, match="torn"):
        enrolled.take(forged)
    with pytest.raises(BadParcel, match="no answer of central"):
        enrolled.take(enrolled.export())
    other = msgspec.structs.replace(enrolled.identity, kiosk="main-9")
    with pytest.raises(BadParcel, match="it is for hills-1, this kiosk is main-9"):
        parcel.take(answer, enrolled.data, enrolled.log, enrolled.writer, other, keep=KEEP, now=NOON)
    assert list(enrolled.log.words()) == words
    enrolled.close()
    for part in enrolled.data.glob("acts.db*"):
        part.unlink()
    enrolled.open()
    with pytest.raises(BadParcel, match="a log that this kiosk has no more"):
        enrolled.take(answer)
    assert said.id in enrolled.central.holdings.acts()


def test_central_takes_nothing_from_strangers_and_revoked_kiosks(enrolled: Branch) -> None:
    enrolled.says("C1")
    path = enrolled.export()
    enrolled.central.fleet.revoke("hills-1")
    with enrolled.central.database.write() as connection:  # as an older program left it
        connection.execute(tables.kiosk.update().values(farewell=None))
    with pytest.raises(BadParcel, match="hills-1 is revoked"):
        parcels.take(enrolled.central, path, enrolled.drive)
    again = enrolled.central.fleet.make_code("hills", again="hills-1")
    parcels.enrol(
        enrolled.central,
        parcel.request_enrolment(enrolled.drive, enrolled.folder / "new", again),
        again,
        enrolled.drive,
    )
    with pytest.raises(BadParcel, match="hills-1 is revoked"):
        parcels.take(enrolled.central, path, enrolled.drive)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(BadParcel, match="signature is not that"):
        parcels.take(enrolled.central, path, enrolled.drive)
    assert enrolled.central.holdings.acts() == {}


def test_the_words_of_a_stolen_kiosk_are_cases_and_count_nowhere(enrolled: Branch) -> None:
    said = enrolled.says("C1")
    path = enrolled.export()
    enrolled.central.fleet.revoke("hills-1", farewell=wire.Farewell.STOLEN)
    taken = parcels.take(enrolled.central, path, enrolled.drive)
    assert (taken.words, taken.stolen) == (1, True)
    assert enrolled.lent() == {}
    (case,) = enrolled.central.holdings.cases()
    assert (case.reason, case.act, case.item, case.membership) == (
        Reason.SEALED_BY_STOLEN_KIOSK, said.id, "C1", "ann",
    )  # fmt: skip
    parcels.take(enrolled.central, path, enrolled.drive)
    assert len(enrolled.central.holdings.cases()) == 1


def test_the_answer_to_a_stolen_kiosk_says_nothing_but_the_order(enrolled: Branch) -> None:
    enrolled.says("C1")
    first = enrolled.export()
    enrolled.take(enrolled.taken(enrolled.export()))
    with enrolled.central.registry.change("test") as change:
        change.stand("ben", Standing.BLOCKED)
    enrolled.central.fleet.revoke("hills-1", farewell=wire.Farewell.STOLEN)
    enrolled.says("C2")
    words, place = list(enrolled.log.words()), enrolled.writer.place()
    plain = len(list(pieces_of(enrolled, enrolled.taken(enrolled.export()))))
    done = enrolled.take(enrolled.taken(first))  # an old one does as well: who was stolen stays so
    assert (done.farewell, done.words, done.pages, plain) == (wire.Farewell.STOLEN, 0, 0, 1)
    assert (list(enrolled.log.words()), enrolled.writer.place()) == (words, place)


def test_an_order_that_is_for_another_enrolment_is_not_heeded(enrolled: Branch) -> None:
    said = enrolled.says("C1")
    enrolled.central.fleet.revoke("hills-1", farewell=wire.Farewell.STOLEN)
    answer = enrolled.taken(enrolled.export())
    other = msgspec.structs.replace(enrolled.identity, private_key=wire.unpadded(bytes(range(32))))
    done = parcel.take(answer, enrolled.data, enrolled.log, enrolled.writer, other, keep=KEEP, now=NOON)
    assert (done.farewell, enrolled.log.queue()[0]) == (None, 1)
    assert enrolled.lent() == {}
    assert said.id in enrolled.central.holdings.acts()


@pytest.mark.parametrize("farewell", list(wire.Farewell))
def test_what_an_earlier_enrolment_left_is_taken_as_that_enrolment_ended(
    enrolled: Branch, farewell: wire.Farewell
) -> None:
    said = enrolled.says("C1")
    health = wire.Health(incarnation=enrolled.log.incarnation, program="test", queue_length=1)
    rest, _ = parcel.export(
        enrolled.drive, enrolled.log, "", enrolled.identity, health, enrolled.clock.now, what="left"
    )
    enrolled.central.fleet.revoke("hills-1", farewell=farewell)
    again = enrolled.central.fleet.make_code("hills", again="hills-1")
    request = parcel.request_enrolment(enrolled.drive, enrolled.folder / "new", again)
    parcels.enrol(enrolled.central, request, again, enrolled.drive)
    taken = parcels.take(enrolled.central, rest, enrolled.drive)
    assert (taken.words, taken.answer) == (1, None)
    stolen = farewell is wire.Farewell.STOLEN
    assert enrolled.lent() == ({} if stolen else {"C1": said.id})
    assert len(enrolled.central.holdings.cases()) == int(stolen)


def test_a_kiosk_enrolled_before_there_were_parcels_says_what_to_do(enrolled: Branch) -> None:
    old = msgspec.structs.replace(enrolled.identity, central_opens="", central_signs="")
    health = wire.Health(incarnation="i", program="test", queue_length=0)
    with pytest.raises(BadParcel, match="enrol it anew"):
        parcel.export(enrolled.drive, enrolled.log, "", old, health, NOON)
    assert sealed.SUFFIX not in {path.suffix for path in enrolled.drive.glob("acts-*")}


def test_parcels_are_packed_as_soon_as_the_other_side_has_said_that_it_reads_them(enrolled: Branch) -> None:
    def is_packed(path: Path) -> bool:
        with sealed.opened(path, enrolled.data) as found:
            return found.head.packed

    assert is_packed(enrolled.drive / "enrolled-hills-1.parcel")
    first = enrolled.export()
    assert not is_packed(first)
    answer = enrolled.taken(first)
    assert is_packed(answer)
    enrolled.take(answer)
    for _ in range(50):
        enrolled.says()
    plain, small = first.stat().st_size, enrolled.export()
    assert is_packed(small)
    assert small.stat().st_size < plain + 50 * 60
    enrolled.take(enrolled.taken(small))
    assert enrolled.log.queue()[0] == 0


def test_a_kiosk_of_an_older_program_is_answered_with_a_plain_parcel(enrolled: Branch) -> None:
    request = parcel.request_enrolment(enrolled.drive, enrolled.keys, enrolled.central.fleet.make_code("hills"))
    told = json.loads(request.read_bytes())
    assert told.pop("unpacks") is True
    request.write_text(json.dumps(told))
    code = msgspec.json.decode((enrolled.keys / parcel.PENDING).read_bytes())["code"]
    answer = parcels.enrol(enrolled.central, request, code, enrolled.drive).answer
    assert answer is not None
    with sealed.opened(answer, enrolled.data) as found:
        assert not found.head.packed
