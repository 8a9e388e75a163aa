"""Tapes of cards: recorded over the real pcscd, masked, and replayed through the code that reads cards (A2, L4)."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from device_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import Script
from drivers.card_reading import GET_UID
from drivers.card_tape import CardRecorder, retell_cards, slot_in, title_of
from drivers.tape import BadTape, Piece, TapeMismatch, Way, read_tape
from drivers.virtual.card import Fault, VirtualCard, storage_atr

EASYCARD, OTHER = bytes.fromhex("93A131C0"), bytes.fromhex("93112233")
UID = GET_UID.hex()
ATR = storage_atr()
HEALTH_CARD = "00A4040010D158000001000000000000000000001100"
SCRIPT = Script(commands=(bytes.fromhex("00A4040005F000000001"), bytes.fromhex("00B0000008")), start=0, length=8)
HEAD = "# shelfpoint tape 1: "
CONTACTLESS = title_of(contact=False, script=None)


def told(title: str, *lines: str) -> list[str]:
    text = [HEAD + title, *(f"{number}.0 {line}" for number, line in enumerate(lines))]
    return list(retell_cards(title, read_tape(text)))


def card(*answers: str) -> list[str]:
    return [f"= {ATR.hex()}", *(line for answer in answers for line in (f"> {UID}", f"< {answer}"))]


def test_a_card_is_told_as_the_kiosk_would_read_it() -> None:
    assert told(CONTACTLESS, *card("93A131C0 9000", "93A131C0 9000")) == ["card iso14443a/4 93A131C0"]


def test_two_cards_that_answer_in_turn_or_late_are_told() -> None:
    assert told(CONTACTLESS, *card("93A131C0 9000", "93112233 9000")) == ["trouble card_two"]
    late = card("93A131C0 9000", "93A131C0 9000", "93112233 9000")
    assert told(CONTACTLESS, *late) == ["card iso14443a/4 93A131C0", "trouble card_two"]


def test_a_card_that_says_no_more_is_told_and_the_next_one_too() -> None:
    torn = [f"= {ATR.hex()}", f"> {UID}"]
    assert told(CONTACTLESS, *torn, *torn) == ["no readable answer"] * 2


def test_a_contact_cards_number_is_read_by_the_script_that_the_tape_names() -> None:
    lines = [
        "= 3B6800000073C84000009000",
        f"> {HEALTH_CARD}",
        "< 6A82",
        "> 00A4040005F000000001",
        "< 9000",
        "> 00B0000008",
        "< 3132333435363738 9000",
    ]
    assert told(title_of(contact=True, script=SCRIPT), *lines) == ["card contact/8 3132333435363738"]


def test_a_tape_on_which_other_things_were_asked_is_refused() -> None:
    with pytest.raises(TapeMismatch):
        told(CONTACTLESS, f"= {ATR.hex()}", "> 00B0000008", "< 9000")
    with pytest.raises(BadTape, match="expected a card"):
        told(CONTACTLESS, f"> {UID}")


@pytest.mark.parametrize("script", [None, SCRIPT])
@pytest.mark.parametrize("contact", [False, True])
def test_a_title_says_how_the_slot_was_used(contact: bool, script: Script | None) -> None:
    assert slot_in(title_of(contact=contact, script=script)) == (contact, script if contact else None)


@pytest.mark.parametrize("title", ["card reader", "card reader, sideways", "card reader, contact 00A40 from 0 take 4"])
def test_a_title_that_says_no_slot_is_refused(title: str) -> None:
    with pytest.raises(BadTape, match="line 1"):
        slot_in(title)


def taped(masked: bool, *heard: tuple[bytes, bytes]) -> str:
    """A tape of these commands and their answers."""
    tape = io.StringIO()
    recorder = CardRecorder(tape, contact=False, masked=masked, monotonic=lambda: 0.0)
    recorder.laid(ATR, contact=False)
    for command, answer in heard:
        send: Callable[[bytes], bytes | None] = recorder.listening(lambda _, answer=answer: answer)  # type: ignore[misc]
        assert send(command) == answer
    return tape.getvalue()


def test_a_masked_tape_holds_no_number_and_still_tells_cards_apart() -> None:
    ok = b"\x90\x00"
    text = taped(
        True,
        (GET_UID, EASYCARD + ok),
        (GET_UID, OTHER + ok),
        (GET_UID, EASYCARD + ok),
        (b"\x00\xb0\x00\x00", b"A1234567" + ok),
    )
    answers = [piece.data for piece in read_tape([HEAD + CONTACTLESS, *text.splitlines()]) if piece.way is Way.HEARD]
    assert answers[0] == answers[2] == bytes.fromhex("93010101") + ok
    assert answers[1] == bytes.fromhex("93020202") + ok
    assert answers[3] == b"33333333" + ok


def test_a_card_in_a_slot_of_the_other_kind_is_mentioned_and_not_taped() -> None:
    tape = io.StringIO()
    recorder = CardRecorder(tape, contact=False, monotonic=lambda: 0.0)
    recorder.laid(ATR, contact=True)
    assert recorder.listening(lambda _: b"\x90\x00")(GET_UID) == b"\x90\x00"
    assert tape.getvalue() == "# a card in a slot of the other kind\n"


def test_with_the_numbers_asked_for_they_are_there() -> None:
    assert "93 A1 31 C0 90 00" in taped(False, (GET_UID, EASYCARD + b"\x90\x00"))


@given(st.lists(st.tuples(st.sampled_from(Way), st.binary(min_size=1, max_size=12)), max_size=20))
def test_no_tape_stops_the_telling(pieces: list[tuple[Way, bytes]]) -> None:
    tape = [Piece(0.0, way, GET_UID if way is Way.SENT else data) for way, data in pieces]
    with suppress(BadTape, TapeMismatch):
        assert all(line.isprintable() for line in retell_cards(CONTACTLESS, tape))


@given(st.text(max_size=60))
def test_no_title_crashes(title: str) -> None:
    with suppress(BadTape):
        contact, script = slot_in(title)
        assert slot_in(title_of(contact=contact, script=script)) == (contact, script)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.xdist_group("pcscd")
def test_cards_laid_while_recording_replay_without_their_numbers(bench: Bench, tmp_path: Path) -> None:
    tape = tmp_path / "cards.tape"
    with bench.call("record", str(tape), "--name", "reader", "--seconds", "4") as recording:
        assert recording.stderr is not None
        while "lay cards" not in recording.stderr.readline():
            pass
        for laid in (
            VirtualCard(uid=EASYCARD),
            VirtualCard(uid=EASYCARD, alternating=OTHER),
            VirtualCard(uid=EASYCARD, fault=Fault.NONSENSE),
        ):
            bench.pad.lay(laid)
            while "was laid down" not in recording.stderr.readline():
                pass
        assert recording.wait(30) == 0
    text = tape.read_text()
    assert tape.stat().st_mode & 0o077 == 0
    assert "93 A1 31 C0" not in text
    command = [Path(sys.executable).parent / "shelfpoint", "devices", "replay", tape]
    replayed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert replayed.stdout.splitlines() == ["card iso14443a/4 93010101", "trouble card_two", "no readable answer"]
    assert replayed.returncode == 0
