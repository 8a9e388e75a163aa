"""One command and its whole answer, and the script of a contact card: follow-ups, limits, nonsense (A2)."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import LONGEST_ANSWER, MOST_ROUNDS, NOT_OURS, Answer, NotOurs, Script, exchange, run_script
from drivers.card_table import known_by_atr
from kiosk.domain.values import Reason

READ = bytes.fromhex("00CA11000200")


def chip(answers: dict[str, str]) -> tuple[Callable[[bytes], bytes | None], list[str]]:
    """A card with fixed answers, and what it was asked."""
    asked: list[str] = []

    def send(command: bytes) -> bytes | None:
        asked.append(command.hex().upper())
        said = answers.get(asked[-1])
        return None if said is None else bytes.fromhex(said)

    return send, asked


def test_what_waits_is_fetched_in_as_many_pieces_as_the_card_says() -> None:
    send, asked = chip({"00CA11000200": "6102", "00C0000002": "31326103", "00C0000003": "3334359000"})
    assert exchange(send, READ) == Answer(b"12345", 0x9000)
    assert asked == ["00CA11000200", "00C0000002", "00C0000003"]


@pytest.mark.parametrize(("command", "again"), [("FFCA000000", "FFCA000004"), ("00CA0102", "00CA010204")])
def test_a_command_with_the_wrong_length_is_sent_again_with_the_right_one(command: str, again: str) -> None:
    send, asked = chip({command: "6C04", again: "93A131C09000"})
    assert exchange(send, bytes.fromhex(command)) == Answer(bytes.fromhex("93A131C0"), 0x9000)
    assert asked == [command, again]


@pytest.mark.parametrize("for_ever", [b"\x61\x05", b"\x6c\x05"])
def test_a_card_that_never_comes_to_an_end_is_given_up(for_ever: bytes) -> None:
    count = 0

    def send(command: bytes) -> bytes:
        nonlocal count
        count += 1
        return for_ever

    assert exchange(send, READ) is None
    assert count == MOST_ROUNDS


@given(st.lists(st.one_of(st.none(), st.binary(max_size=300)), max_size=20), st.binary(min_size=4, max_size=8))
def test_no_answers_hang_it_or_grow_without_end(answers: list[bytes | None], command: bytes) -> None:
    rest = iter(answers)
    answer = exchange(lambda _: next(rest, None), command)
    assert answer is None or (len(answer.data) <= LONGEST_ANSWER and 0 <= answer.status <= 0xFFFF)


def test_every_command_of_a_script_must_succeed_and_the_last_one_holds_the_number() -> None:
    script = Script(commands=(bytes.fromhex("00A40000023F00"), READ), start=2, length=4)
    send, _ = chip({"00A40000023F00": "9000", "00CA11000200": "000031323334FF9000"})
    assert run_script(send, script) == b"1234"
    send, _ = chip({"00A40000023F00": "9000", "00CA11000200": "6A86"})
    assert run_script(send, script) is None
    send, _ = chip({"00A40000023F00": "9000", "00CA11000200": "00003132339000"})
    assert run_script(send, script) is None


def test_a_card_that_refuses_the_librarys_application_is_not_read() -> None:
    script = Script(commands=(bytes.fromhex("00A40000023F00"), READ), start=2, length=4)
    send, asked = chip({"00A40000023F00": "6A82", "00CA11000200": "000031323334FF9000"})
    assert run_script(send, script) is NOT_OURS
    assert asked == ["00A40000023F00"]


@given(st.binary(max_size=60), st.integers(0, 30), st.sampled_from([4, 7, 8, 10]))
def test_a_script_gives_a_number_of_the_configured_length_or_none(said: bytes, start: int, length: int) -> None:
    number = run_script(lambda _: said, Script(commands=(READ,), start=start, length=length))
    assert not isinstance(number, NotOurs)  # it chooses nothing
    assert number is None or (len(number) == length and said.endswith(b"\x90\x00"))


@given(st.binary(max_size=40))
def test_no_other_atr_is_taken_for_a_certificate(atr: bytes) -> None:
    known = known_by_atr(atr)
    assert known is None or (known is Reason.CARD_IS_CITIZEN_CERTIFICATE and len(atr) in (16, 17, 19))
