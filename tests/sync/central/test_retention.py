"""Forgetting who had what: after N days nothing names the person, and no holding is ever another because of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.reconcile import Held, is_unlinked
from kiosk.domain.staff import EVERYWHERE
from sync.central import tables
from sync.central.places import UnknownRecord
from sync.central.retention import StillOpen
from ui.cli.central import central as central_command

from .conftest import NOON
from .test_convergence import facts, words_of

ALL = frozenset({EVERYWHERE})


def people(town: Any) -> dict[str, str | None]:
    """act -> who, as the database has it."""
    with town.central.database.read() as connection:
        return {row.id: row.membership for row in connection.execute(select(tables.act))}


def lenders(town: Any) -> dict[str, str | None]:
    with town.central.database.read() as connection:
        return {row.act: row.membership for row in connection.execute(select(tables.loan))}


def history(town: Any) -> None:
    """Ann had C1 and renewed it, then Ben; Ann has it again."""
    town.clock.go(hours=1)
    town.say(Word.FACT, "a1", minute=0)
    town.say(Word.FACT, "a2", deed=Deed.RENEW, minute=1)
    town.say(Word.FACT, "a3", deed=Deed.RETURN, minute=2)
    town.say(Word.FACT, "b1", membership="ben", minute=3)
    town.say(Word.FACT, "b2", deed=Deed.RETURN, minute=4)
    town.say(Word.FACT, "a4", minute=5)


def test_what_was_returned_so_long_ago_names_nobody_and_what_is_out_still_does(town: Any) -> None:
    history(town)
    loans = town.loans()
    town.clock.go(days=89)
    assert town.central.retention.run().acts == 0
    town.clock.go(days=2)
    done = town.central.retention.run()
    assert (done.acts, done.kept) == (3, 1)
    who = people(town)
    assert all(is_unlinked(who[act]) for act in ("a1", "a2", "b1"))
    assert (who["a1"], who["a2"]) == (who["a2"], who["a1"])  # one person of one stretch
    assert who["a1"] != who["b1"]
    assert who["a4"] == "ann"
    assert lenders(town) == {"a1": who["a1"], "b1": who["b1"], "a4": "ann"}
    assert town.loans() == loans
    assert town.central.retention.run().acts == 0
    assert [line.details for line in town.central.audit.lines(what="acts unlinked")] == [{"acts": 3}]


def test_the_policy_says_after_how_many_days(town: Any) -> None:
    history(town)
    with town.central.registry.change("test") as change:
        policy = town.central.registry.policy()
        change.policy(type(policy)(**{name: getattr(policy, name) for name in policy.__struct_fields__} | {
            "policy_version": "test-2", "unlink_after_days": 7}))  # fmt: skip
    town.clock.go(days=8)
    assert town.central.retention.run().acts == 3


def test_an_open_case_keeps_who_it_is_about_until_somebody_closed_it(town: Any) -> None:
    town.clock.go(hours=1)
    town.say(Word.FACT, "e1", membership="eve")
    town.say(Word.FACT, "e2", deed=Deed.RETURN, minute=1)
    town.clock.go(days=100)
    assert town.central.retention.run().acts == 0
    town.central.worklist.done("membership_blocked:e1", "", who="s-1", within=ALL)
    assert town.central.retention.run().acts == 1
    (case,) = town.central.holdings.cases(include_closed=True)
    assert case.membership is None


def test_refused_and_withdrawn_acts_lose_their_membership_whole(town: Any) -> None:
    town.clock.go(hours=1)
    assert town.say(Word.REQUEST, "x", membership="eve").outcome is Outcome.REFUSED
    town.say(Word.WITHDRAWAL, "y", minute=1)
    town.clock.go(days=100)
    assert town.central.retention.run().acts == 2
    assert people(town) == {"x": None, "y": None}


def test_a_later_word_of_an_unlinked_act_neither_links_it_nor_makes_a_case(town: Any) -> None:
    town.clock.go(hours=1)
    asked = town.word(Word.REQUEST, "a1")
    town.tell(asked)
    town.say(Word.REQUEST, "x", membership="eve", item="C2")
    town.say(Word.FACT, "a2", deed=Deed.RETURN, minute=2)
    town.clock.go(days=100)
    assert town.central.retention.run().acts == 2
    before = people(town)
    verdict = town.say(Word.FACT, "a1", request_sequence=asked.sequence)
    assert verdict.outcome is Outcome.ACCEPTED
    assert town.tell(asked)[0].outcome is Outcome.ACCEPTED
    assert people(town) == before
    late = town.say(Word.FACT, "x", membership="eve", item="C2")
    assert (
        late.outcome is Outcome.CASE
    )  # it happened though it was refused: a case as ever, for a person we are told anew
    assert town.cases() == {"entered_after_refusal:x", "membership_blocked:x"}


def test_a_late_fact_in_an_unlinked_stretch_is_history_without_a_case(town: Any) -> None:
    history(town)
    town.clock.go(days=100)
    town.central.retention.run()
    verdict = town.say(Word.FACT, "late", membership="dora", minute=0.5, kiosk="main-2", item="C1")
    assert town.loans()["C1"] == ("a4", "ann")
    assert "lent_to_two:a1:late" not in town.cases()
    assert verdict.outcome is not Outcome.REFUSED
    assert town.central.holdings.acts()["late"] is Held.FACT


def test_what_an_older_word_could_still_move_behind_its_return_waits(town: Any) -> None:
    town.clock.go(hours=1)
    town.say(Word.FACT, "a1", sequence=2, kiosk="main-2")  # number 1 of this log has not come
    town.say(Word.FACT, "a2", deed=Deed.RETURN, minute=2)
    town.clock.go(days=100)
    assert town.central.retention.run() == type(town.central.retention.run())(acts=0, kept=1)
    town.say(Word.FACT, "a0", item="C2", sequence=1, kiosk="main-2")
    assert town.central.retention.run().acts == 1


def test_a_kiosk_cannot_speak_of_an_unlinked_person(town: Any) -> None:
    town.clock.go(hours=1)
    assert town.say(Word.FACT, "a", membership="unlinked:abc").outcome is Outcome.CASE
    assert town.loans() == {}


def held(town: Any) -> set[Any]:
    return {
        (loan.act_id, loan.membership, loan.item, loan.lent_at, loan.due_at, loan.renewals)
        for loan in town.central.holdings.open_loans()
    }


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=facts, data=st.data())
@pytest.mark.parametrize("kind", ["sqlite"])
def test_any_order_of_arrival_with_unlinking_at_any_time_ends_in_the_same_holdings(
    new_town: Callable[[], Any], kind: str, told: list[tuple[str, Deed, str, str, int]], data: st.DataObject
) -> None:
    plain, forgetful = new_town(), new_town()
    plain.clock.now = NOON + timedelta(days=100)  # the clock of both
    words = words_of(plain, told)
    for kiosk, word in words:
        plain.tell(word, kiosk=kiosk)
    for kiosk, word in data.draw(st.permutations([*words, *words[:3]]), label="order of arrival"):
        forgetful.tell(word, kiosk=kiosk)
        if data.draw(st.booleans(), label="unlink"):
            forgetful.central.retention.run()
            for case in forgetful.cases() if data.draw(st.booleans(), label="close cases") else ():
                forgetful.central.worklist.done(case, "", who="s-1", within=ALL)
    forgetful.central.retention.run()
    assert held(forgetful) == held(plain)
    assert forgetful.central.holdings.acts() == plain.central.holdings.acts()


def test_a_person_is_forgotten_and_their_acts_stand(town: Any) -> None:
    history(town)
    with pytest.raises(StillOpen, match="on loan"):
        town.central.retention.forget("ann", who="test")
    town.say(Word.FACT, "a5", deed=Deed.RETURN, minute=6)
    cursor = town.central.feed.page(None, b"k" * 32, "").cursor
    town.central.retention.forget("ann", who="test")
    with town.central.database.read() as connection:
        kept = [
            row
            for table in (tables.person, tables.card, tables.membership)
            for row in connection.execute(select(table))
        ]
    assert "王小明" not in repr(kept)
    assert "1A2B3C4D" not in repr(kept)
    gone = town.central.feed.page(cursor, b"k" * 32, "").entries
    assert sorted(entry.kind for entry in gone) == ["card", "membership"]
    assert people(town)["a1"] == "ann"
    with pytest.raises(UnknownRecord):
        town.central.retention.forget("nobody", who="test")


def test_forgetting_is_periodic_work(town: Any) -> None:
    history(town)
    town.clock.go(days=100)
    assert "unlink" in town.central.periodic.tick()
    assert is_unlinked(people(town)["a1"])
    assert "unlink" not in town.central.periodic.tick()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_command_line_forgets(town: Any, kind: str) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(central_command, [*arguments, "--data", str(town.settings.data)])

    assert json.loads(run("retention", "run", "--json").output) == {"acts": 0, "kept": 0, "silent": []}
    town.say(Word.FACT, "a")
    assert run("forget", "ann", "--yes").exit_code == 1
    assert run("forget", "ben", "--yes").exit_code == 0
    assert run("forget", "nobody", "--yes").exit_code == 2
