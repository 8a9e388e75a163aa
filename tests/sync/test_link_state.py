"""Leaving online mode is fast, returning is slow."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.ports import CentralReason, Link
from sync.link_state import LinkRules, LinkState

RULES = LinkRules(probes_needed=3, probe_s=2.0, longest_s=15.0, heartbeat_s=5.0)
FRESH = LinkState(rules=RULES)
ONLINE = FRESH.succeeded(outbox_empty=True)
OFFLINE = ONLINE.failed(CentralReason.TOO_SLOW)


def after(state: LinkState, *outbox_empty: bool) -> LinkState:
    for empty in outbox_empty:
        state = state.succeeded(empty)
    return state


def test_the_first_contact_after_a_start_is_enough_when_nothing_waits() -> None:
    assert ONLINE.link is Link.ONLINE
    assert after(FRESH, False).link is Link.STARTING
    assert after(FRESH, False, True).link is Link.ONLINE


@pytest.mark.parametrize("state", [FRESH, ONLINE, OFFLINE], ids=["starting", "online", "offline"])
@pytest.mark.parametrize("reason", list(CentralReason))
def test_one_failed_call_ends_online_mode_and_says_why(state: LinkState, reason: CentralReason) -> None:
    failed = state.failed(reason)
    assert (failed.link, failed.reason, failed.good) == (Link.OFFLINE, reason, 0)


def test_coming_back_needs_several_good_probes_in_a_row() -> None:
    assert [after(OFFLINE, *[True] * good).link for good in (1, 2, 3)] == [Link.OFFLINE, Link.OFFLINE, Link.ONLINE]
    flickering = after(after(OFFLINE, True, True).failed(CentralReason.UNREACHABLE), True, True)
    assert flickering.link is Link.OFFLINE
    assert after(flickering, True).link is Link.ONLINE
    assert after(flickering, True).reason is None


def test_coming_back_waits_for_an_empty_outbox() -> None:
    waiting = after(OFFLINE, False, False, False, False)
    assert waiting.link is Link.OFFLINE
    assert after(waiting, True).link is Link.ONLINE


def test_a_backlog_does_not_end_online_mode() -> None:
    assert after(ONLINE, False).link is Link.ONLINE


def test_pauses_are_a_heartbeat_online_nothing_at_start_and_short_while_probes_succeed() -> None:
    jitter = random.Random(1)
    assert ONLINE.pause_s(jitter) == RULES.heartbeat_s
    assert FRESH.pause_s(jitter) == 0.0
    assert after(OFFLINE, True).pause_s(jitter) == RULES.probe_s


def test_failing_probes_back_off_with_jitter_up_to_the_longest_pause() -> None:
    state, pauses = OFFLINE, []
    for _ in range(60):
        pauses.append(state.pause_s(random.Random(1)))
        state = state.failed(CentralReason.UNREACHABLE)
    assert pauses == sorted(pauses)
    assert 0.7 * RULES.probe_s <= pauses[0] <= RULES.probe_s
    assert 0.7 * RULES.longest_s <= pauses[-1] <= RULES.longest_s


@given(seen=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40), needed=st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_in_any_history_online_follows_only_enough_good_calls_and_an_empty_outbox(
    seen: list[tuple[bool, bool]], needed: int
) -> None:
    state, in_a_row, failed_before = LinkState(rules=LinkRules(probes_needed=needed)), 0, False
    for good, empty in seen:
        before = state
        state = state.succeeded(empty) if good else state.failed(CentralReason.UNREACHABLE)
        in_a_row = in_a_row + 1 if good else 0
        failed_before = failed_before or not good
        if not good:
            assert state.link is Link.OFFLINE
        if state.link is Link.ONLINE and before.link is not Link.ONLINE:
            assert empty
            assert in_a_row >= needed or not failed_before
        assert state.pause_s(random.Random(0)) <= max(15.0, state.rules.heartbeat_s)
        assert (state.reason is None) or state.link is Link.OFFLINE
