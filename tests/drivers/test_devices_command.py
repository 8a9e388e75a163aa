"""`shelfpoint devices` as a person or a program calls it: a process of its own, real pcscd, real serial path."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from device_bench import Bench

from drivers.virtual.card import VirtualCard
from kiosk.domain.identity import ByteOrder, CardClass, CardRead, SpellingRule, Technology
from kiosk.ports import CardArrived
from ui.cli.devices import record


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.xdist_group("pcscd")
def test_watch_prints_one_json_line_for_each_thing_that_happens(bench: Bench) -> None:
    with bench.start("watch", "--count", "7") as watch:
        assert watch.stdout is not None

        def line() -> dict[str, str | None]:
            return json.loads(watch.stdout.readline())  # type: ignore[union-attr, no-any-return]

        ready = [line(), line()]
        assert {(told["device"], told["state"]) for told in ready} == {("reader", "ready"), ("scanner", "ready")}
        bench.pad.lay(VirtualCard(uid=bytes.fromhex("93A131C0")))
        card = line()
        assert (card["event"], card["class"]) == ("card", "iso14443a/4")
        assert (card["uid"], card["spelling"]) == ("93A131C0", "C031A193")
        bench.pad.take()
        assert line()["event"] == "card_left"
        bench.scanner.scan("]C0C0000001")
        assert line() == {"event": "code", "device": "scanner", "text": "C0000001", "symbology": "code128"}
        bench.scanner.unplug()
        assert (lost := line())["state"] == "absent"
        assert lost["reason"] == "not_plugged"
        bench.scanner.plug()
        assert line()["state"] == "ready"
        log = watch.communicate(timeout=30)[1]
    assert watch.returncode == 0
    assert "93A131C0" not in log
    assert "C031A193" not in log
    assert "C0000001" not in log


@pytest.mark.xdist_group("pcscd")
def test_list_ends_with_1_while_a_configured_device_is_away(bench: Bench) -> None:
    bench.scanner.unplug()
    with bench.start("list") as listing:
        told = [json.loads(line) for line in listing.communicate(timeout=30)[0].splitlines()]
    assert [(device["device"], device["state"]) for device in told] == [("reader", "ready"), ("scanner", "absent")]
    assert listing.returncode == 1


def test_a_number_that_changes_each_time_is_shown_as_refused_and_not_spelled() -> None:
    random = CardArrived("reader", CardRead(bytes.fromhex("08112233"), Technology.ISO14443A))
    rules = {CardClass(Technology.ISO14443A, 4): SpellingRule(order=ByteOrder.REVERSED)}
    told = record(random, rules)
    assert told["refused"] == "card_random"
    assert told["spelling"] is None


@pytest.mark.xdist_group("pcscd")
@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        ("93A131C0", 0, "uid_length = 4\n"),
        ("0003224478099", 0, 'base = "dec"\norder = "reversed"\npad_to = 13\n'),
        ("1234567890123456", 1, "No rule makes this number"),
    ],
)
def test_card_rule_prints_the_settings_that_spell_the_card_as_the_library_does(
    bench: Bench, number: str, code: int, told: str
) -> None:
    with bench.call("card-rule", "--number", number, "--seconds", "30") as command:
        assert command.stderr is not None
        while "lay the card" not in command.stderr.readline():
            pass
        bench.pad.lay(VirtualCard(uid=bytes.fromhex("93A131C0")))
        out, err = command.communicate(timeout=40)
    assert command.returncode == code
    assert told in (err if code else out)
    if code == 0:
        assert out.startswith('[[cards]]\ntechnology = "iso14443a"\n')


@pytest.mark.xdist_group("pcscd")
@pytest.mark.parametrize(
    ("uid", "number", "rules", "message"),
    [
        ("11222211", "11222211", 4, "Any other card may do"),
        ("93A131C0", "3224478099", 2, "whose number is shorter or begins with a zero"),
    ],
)
def test_card_rule_asks_for_another_card_while_several_rules_fit(
    bench: Bench, uid: str, number: str, rules: int, message: str
) -> None:
    with bench.call("card-rule", "--number", number, "--seconds", "30") as command:
        bench.pad.lay(VirtualCard(uid=bytes.fromhex(uid)))
        out, err = command.communicate(timeout=40)
    assert command.returncode == 1
    assert "try another card" in err
    assert message in err
    assert out.count("[[cards]]") == rules


@pytest.mark.xdist_group("pcscd")
@pytest.mark.parametrize(
    ("second", "code", "message"),
    [
        ("0010564032", 0, 'base = "dec"\npad_to = 10\n'),
        ("10564032", 0, 'base = "dec"\n'),
        ("10564033", 1, "all of these"),
    ],
)
def test_a_second_card_settles_whether_short_numbers_are_filled_up(
    bench: Bench, second: str, code: int, message: str
) -> None:
    with bench.call("card-rule", "--number", "2476814784", "--number", second, "--seconds", "30") as command:
        assert command.stderr is not None
        for turn, uid in ((1, "93A131C0"), (2, "00A131C0")):
            while f"number {turn} of 2" not in command.stderr.readline():
                pass
            bench.pad.lay(VirtualCard(uid=bytes.fromhex(uid)))
        out, err = command.communicate(timeout=40)
    assert command.returncode == code
    assert message in (err if code else out)
    assert out.count("[[cards]]") == (0 if code else 1)
    assert not code or not out
