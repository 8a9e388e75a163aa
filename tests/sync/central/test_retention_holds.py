"""Forgetting who waited for what: a hold that is over names nobody, and holds, verdicts and cases are the same without names."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kiosk.domain.journal import Deed, Outcome, Word
from kiosk.domain.reconcile import is_unlinked
from sync.central import tables
from sync.central.export import export
from sync.central.holds import HoldList
from sync.central.places import UnknownRecord
from sync.central.retention import StillOpen, Unlinked
from sync.wire import ItemEntry, LoanEntry, WireWord

from .conftest import NOON
from .test_holds import shop
from .test_retention import ALL, held, lenders, people


def enrolled(town: Any, count: int = 3) -> list[str]:
    """Kiosks main-1, main-2 ...: central waits for what they tell."""
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return [str(town.central.fleet.enrol(town.central.fleet.make_code("main"), key).id) for _ in range(count)]


def holders(town: Any) -> dict[str, tuple[str, str]]:
    """hold -> (membership, state)."""
    with town.central.database.read() as connection:
        return {row.id: (row.membership, row.state) for row in connection.execute(select(tables.hold))}


def reserved_history(town: Any) -> None:
    """Ann had C1, Ben reserved it, picked it up and gave it back; Dora reserved it and gave up."""
    town.clock.go(hours=1)
    town.say(Word.FACT, "a1", minute=0)
    town.say(Word.FACT, "h", deed=Deed.PLACE_HOLD, membership="ben", minute=1)
    town.say(Word.FACT, "a2", deed=Deed.RETURN, minute=2, hold="h")
    town.say(Word.FACT, "b1", membership="ben", minute=3)
    town.say(Word.FACT, "d", deed=Deed.PLACE_HOLD, membership="dora", minute=4)
    town.say(Word.FACT, "b2", deed=Deed.RETURN, minute=5)
    town.say(Word.FACT, "e", deed=Deed.CANCEL_HOLD, membership="dora", minute=6, hold="d")


def close_cases(town: Any) -> None:
    for case in sorted(town.cases()):
        town.central.worklist.done(case, "", who="s-1", within=ALL)


def test_a_hold_that_is_over_and_the_loans_of_whoever_reserved_name_nobody(town: Any) -> None:
    reserved_history(town)
    assert holders(town) == {"h": ("ben", "picked_up"), "d": ("dora", "cancelled")}
    close_cases(town)
    town.clock.go(days=89)
    assert town.central.retention.run().acts == 0
    town.clock.go(days=2)
    assert town.central.retention.run() == Unlinked(acts=5, kept=0)
    who = people(town)
    assert who["h"] == who["b1"]
    assert who["d"] == who["e"]
    assert len({who["a1"], who["h"], who["d"]}) == 3
    assert all(is_unlinked(one) for one in who.values() if one is not None)
    assert holders(town) == {"h": (who["h"], "picked_up"), "d": (who["d"], "cancelled")}
    assert lenders(town) == {"a1": who["a1"], "b1": who["b1"]}
    assert {case.membership for case in town.central.holdings.cases(include_closed=True)} <= {None}
    with pytest.raises(UnknownRecord):
        town.central.holds.cancel("h")
    before, cursor = holders(town), town.central.feed.page(None, b"k" * 32, "").cursor
    town.say(Word.FACT, "a3", minute=150 * 24 * 60)
    assert holders(town) == before
    assert town.central.retention.run().acts == 0
    (entry,) = town.central.feed.page(cursor, b"k" * 32, "").entries
    assert isinstance(entry, LoanEntry)


def test_whoever_still_waits_or_has_a_copy_keeps_their_name_and_the_others_lose_theirs(town: Any) -> None:
    town.clock.go(hours=1)
    town.say(Word.FACT, "h1", deed=Deed.PLACE_HOLD, minute=1)
    town.say(Word.FACT, "h2", deed=Deed.PLACE_HOLD, membership="ben", minute=2)
    town.say(Word.FACT, "r1", deed=Deed.RETURN, minute=3, hold="h1")
    town.say(Word.FACT, "a1", minute=4)
    town.clock.go(days=100)
    assert town.central.retention.run() == Unlinked(acts=0, kept=1)
    town.say(Word.FACT, "r2", deed=Deed.RETURN, minute=100 * 24 * 60)
    town.clock.go(days=100)
    assert town.central.retention.run() == Unlinked(acts=2, kept=1)
    assert holders(town)["h2"] == ("ben", "waiting")
    assert is_unlinked(holders(town)["h1"][0])


def test_an_expired_hold_names_nobody_and_its_copy_stays_to_be_cleared(town: Any) -> None:
    town.say(Word.FACT, "h", deed=Deed.PLACE_HOLD, minute=1)
    town.say(Word.FACT, "r", deed=Deed.RETURN, minute=2, hold="h")
    town.clock.go(days=30)
    assert town.central.holds.expire() == 1
    town.clock.go(days=89)
    assert town.central.retention.run().acts == 0
    town.clock.go(days=2)
    assert town.central.retention.run().acts == 1
    (line,) = town.central.holds.list(HoldList.TO_CLEAR)
    assert (line.copy, is_unlinked(line.hold.membership)) == ("C1", True)
    town.say(Word.FACT, "cleared", deed=Deed.RETURN, minute=125 * 24 * 60)
    assert town.central.holds.list(HoldList.TO_CLEAR) == []
    assert holders(town)["h"][1] == "expired"


def test_works_that_were_reserved_wait_for_a_kiosk_that_is_silent_and_it_is_named(town: Any) -> None:
    _, silent = enrolled(town, 2)
    reserved_history(town)
    close_cases(town)
    town.say(Word.FACT, "c", item="C2")
    town.say(Word.FACT, "c-back", deed=Deed.RETURN, item="C2", minute=1)
    town.clock.go(days=100)
    town.say(Word.FACT, "now", item="C3", minute=100 * 24 * 60)
    assert town.central.retention.run() == Unlinked(acts=1, kept=1, silent=(silent,))
    assert is_unlinked(people(town)["c"])  # nobody ever waited for it
    town.say(Word.FACT, "here", item="C4", kiosk=silent, minute=100 * 24 * 60)
    assert town.central.retention.run() == Unlinked(acts=5, kept=0)


def test_a_kiosk_that_was_revoked_is_not_waited_for(town: Any) -> None:
    _, gone = enrolled(town, 2)
    reserved_history(town)
    close_cases(town)
    town.clock.go(days=100)
    town.say(Word.FACT, "now", item="C3", minute=100 * 24 * 60)
    assert town.central.retention.run().silent == (gone,)
    town.central.fleet.revoke(gone)
    assert town.central.retention.run() == Unlinked(acts=5, kept=0)


def test_a_hold_whose_kiosk_may_still_withdraw_it_waits(town: Any) -> None:
    dead, other = enrolled(shop(town, hold_on_shelf=True), 2)
    town.say(Word.FACT, "out", membership="ben", item="A1", kiosk=other)
    asked = town.word(Word.REQUEST, "h", deed=Deed.PLACE_HOLD, item="A1", minute=1, kiosk=dead)
    town.tell(asked, kiosk=dead)
    town.say(Word.FACT, "r", deed=Deed.RETURN, item="A1", minute=2, kiosk=other, hold="h")
    town.clock.go(days=30)
    assert town.central.holds.expire() == 1
    town.clock.go(days=100)
    town.say(Word.FACT, "now", item="C3", kiosk=other, minute=130 * 24 * 60)
    assert town.central.retention.run() == Unlinked(acts=0, kept=1, silent=(dead,))
    assert holders(town) == {"h": ("ann", "expired")}
    town.say(
        Word.WITHDRAWAL, "h", deed=Deed.PLACE_HOLD, item="A1", minute=1, kiosk=dead, request_sequence=asked.sequence
    )
    assert holders(town) == {}
    town.say(Word.FACT, "here", item="C4", kiosk=dead, minute=130 * 24 * 60)
    town.central.worklist.done("hold_copy_stray:h:r", "", who="s-1", within=ALL)
    assert town.central.retention.run() == Unlinked(acts=2, kept=0)
    assert people(town)["h"] is None


def test_an_open_case_keeps_the_stretch_it_is_about_and_no_other(town: Any) -> None:
    reserved_history(town)
    town.say(Word.FACT, "e1", membership="eve", minute=7)
    town.say(Word.FACT, "e2", deed=Deed.RETURN, minute=8)
    assert {"membership_blocked:e1"} <= town.cases()
    for case in town.cases() - {"membership_blocked:e1"}:
        town.central.worklist.done(case, "", who="s-1", within=ALL)
    town.clock.go(days=100)
    assert town.central.retention.run() == Unlinked(acts=5, kept=1)
    assert people(town)["e1"] == "eve"


def test_a_hold_that_only_a_late_word_would_open_again_serves_nobody(town: Any) -> None:
    """Its kiosk had been revoked, so central did not wait for what it held."""
    reserved_history(town)
    close_cases(town)
    town.clock.go(days=100)
    town.central.retention.run()
    late = town.say(Word.FACT, "late", membership="eve", kiosk="main-9", minute=2.5)
    assert late.outcome is Outcome.CASE
    assert holders(town)["h"][1] in ("picked_up", "expired")
    assert town.central.holds.list() == []


def test_whoever_waits_cannot_be_forgotten_and_of_a_hold_that_is_over_an_id_stays(town: Any) -> None:
    town.say(Word.FACT, "h", deed=Deed.PLACE_HOLD, membership="ben", minute=1)
    with pytest.raises(StillOpen, match="reserved"):
        town.central.retention.forget("ben", who="test")
    town.say(Word.FACT, "c", deed=Deed.CANCEL_HOLD, membership="ben", minute=2, hold="h")
    town.central.retention.forget("ben", who="test")
    assert holders(town)["h"] == ("ben", "cancelled")
    town.clock.go(days=100)
    assert town.central.retention.run().acts == 2
    assert is_unlinked(holders(town)["h"][0])


def test_an_export_after_unlinking_names_nobody(town: Any, tmp_path: Path) -> None:
    reserved_history(town)
    close_cases(town)
    town.clock.go(days=100)
    town.central.retention.run()
    export(town.central.database, tmp_path / "out", lambda _name, _rows: None)
    for name in ("act", "loan", "hold", "case", "audit"):
        text = (tmp_path / "out" / f"{name}.csv").read_text(encoding="utf-8")
        assert not {"ann", "ben", "dora"} & set(re.findall(r"\w+", text)), name


stories = st.lists(
    st.tuples(
        st.sampled_from(["main-1", "main-2"]),
        st.sampled_from([*[Deed.RETURN] * 3, *[Deed.CHECKOUT] * 3, Deed.RENEW, Deed.PLACE_HOLD, Deed.CANCEL_HOLD]),
        st.sampled_from(["ann", "ben", "cid"]),
        st.sampled_from(["A1", "A2"]),
        st.integers(-1, 3),
    ),
    min_size=4,
    max_size=14,
)


def story_words(town: Any, told: list[tuple[str, Deed, str, str, int]]) -> list[tuple[str, WireWord]]:
    """One after the other, six hours apart; a hold is named by its number once it is placed. Cid waits from the start."""
    wishes = [("a0", "cid")]
    words = [("main-1", town.word(Word.FACT, "a0", deed=Deed.PLACE_HOLD, membership="cid", item="A1"))]
    for number, (kiosk, deed, who, item, hold) in enumerate(told, start=1):
        named, more = wishes[hold] if 0 <= hold < len(wishes) else (None, who), {}
        if deed is Deed.PLACE_HOLD:
            wishes.append((f"a{number}", who))
        elif deed in (Deed.RETURN, Deed.CANCEL_HOLD):
            more = {"hold": named[0]}
            who = named[1] if deed is Deed.CANCEL_HOLD else who
        words.append(
            (kiosk, town.word(Word.FACT, f"a{number}", deed=deed, membership=who, item=item, minute=360 * number, kiosk=kiosk, **more))
        )  # fmt: skip
    return words


def outcome(town: Any) -> tuple[Any, ...]:
    """Everything that the acts amount to, without who it was where that is over."""
    with town.central.database.read() as connection:
        rows = [
            {**row._mapping, "membership": row.membership if row.state in ("waiting", "ready", "on_the_way") else ""}
            for row in connection.execute(select(tables.hold).order_by(tables.hold.c.id))
        ]
        aside = connection.execute(select(tables.item.c.id, tables.item.c.reserved_for)).all()
    cases = [
        (case.id, case.closed_at is None) for case in town.central.holdings.cases(include_closed=True)
    ]  # fmt: skip
    return rows, sorted(aside), held(town), sorted(cases), town.central.holdings.acts()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=stories, data=st.data())
@pytest.mark.parametrize("kind", ["sqlite"])
def test_holds_verdicts_cases_and_holdings_are_the_same_with_unlinking_at_any_time(
    new_town: Callable[[], Any], kind: str, told: list[tuple[str, Deed, str, str, int]], data: st.DataObject
) -> None:
    plain, forgetful = new_town(), new_town()
    plain.clock.now = NOON  # the clock of both
    for town in (plain, forgetful):
        enrolled(town, 2)
        with town.central.registry.change("test") as change:
            change.items([ItemEntry(id=item, title="書", branch="main", work="w") for item in ("A1", "A2")])
    words = story_words(plain, told)
    plain.clock.now = NOON + timedelta(days=200)
    close = data.draw(st.booleans(), label="cases are closed")
    cut = 0
    arriving = data.draw(st.permutations([*words[1:], *words[:3]]), label="order of arrival")
    for kiosk, word in [words[0], *arriving]:
        verdicts = [town.tell(word, kiosk=kiosk)[0] for town in (plain, forgetful)]
        assert len({(one.outcome, one.reason, one.hold, one.due_at, repr(one.details)) for one in verdicts}) == 1
        if close:
            close_cases(plain)
            close_cases(forgetful)
        cut += forgetful.central.retention.run().acts
        assert outcome(forgetful) == outcome(plain)
    for kiosk in ("main-1", "main-2"):
        for town in (plain, forgetful):
            town.say(Word.FACT, f"last-{kiosk}", item="C9", kiosk=kiosk, log="log-2", minute=200 * 24 * 60)
    cut += forgetful.central.retention.run().acts
    for number, who in enumerate(("ann", "ben", "cid")):
        for town in (plain, forgetful):
            town.tell(*(word for kiosk, word in words if kiosk == "main-1"))
            town.say(Word.FACT, f"new-{number}", item="A1", membership=who, log="log-2", minute=200 * 24 * 60 + number)
    assert outcome(forgetful) == outcome(plain)
    event(f"unlinked {min(cut, 5)}")
