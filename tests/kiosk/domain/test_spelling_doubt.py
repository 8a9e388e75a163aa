"""Rules that fit a card are one only if they spell every other card alike (A2)."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.identity import Base, ByteOrder, CardClass, CardRead, SpellingRule, Take, Technology, rules_that_make
from kiosk.domain.spelling_doubt import KnownCard, doubt, rules_that_fit

A = Technology.ISO14443A


def known(number: str, uid: str, technology: Technology = A) -> KnownCard:
    return KnownCard(number, CardRead(bytes.fromhex(uid), technology))


def test_a_decimal_number_of_full_width_leaves_open_whether_zeros_are_filled_in() -> None:
    rules = rules_that_fit([known("2476814784", "93A131C0")])
    assert rules == (SpellingRule(base=Base.DECIMAL), SpellingRule(base=Base.DECIMAL, pad_to=10))
    is_open = doubt(rules, CardClass(A, 4))
    assert is_open is not None
    assert 0.20 < is_open.share < 0.27  # 10**9 of 2**32
    bare, filled = is_open.numbers
    assert filled == bare.rjust(10, "0") != bare


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        ("0010564032", SpellingRule(base=Base.DECIMAL, pad_to=10)),
        ("10564032", SpellingRule(base=Base.DECIMAL)),
    ],
)
def test_a_second_card_settles_it(second: str, rule: SpellingRule) -> None:
    rules = rules_that_fit([known("2476814784", "93A131C0"), known(second, "00A131C0")])
    assert rules == (rule,)
    assert doubt(rules, CardClass(A, 4)) is None


def test_longer_decimal_numbers_have_a_longer_full_width() -> None:
    uid = "F4112233445566"
    assert len(rules_that_fit([known(str(int(uid, 16)), uid)])) == 2  # 17 digits
    assert len(rules_that_fit([known(str(int("04112233445566", 16)), "04112233445566")])) == 1  # 16


def test_a_uid_that_reads_the_same_backwards_leaves_the_order_open() -> None:
    is_open = doubt(rules_that_fit([known("11222211", "11222211")]), CardClass(A, 4))
    assert is_open is not None
    assert is_open.share > 0.9


def test_a_chips_number_with_letters_is_not_binary_coded_decimal() -> None:
    digits, letters = (known(uid, uid, Technology.CONTACT) for uid in ("12345678", "93A131CF"))
    assert rules_that_fit([digits]) == (SpellingRule(base=Base.BCD),)
    assert rules_that_fit([digits, letters]) == rules_that_fit([letters, digits]) == (SpellingRule(),)


@given(
    uid=st.sampled_from([4, 7, 8, 10]).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    base=st.sampled_from([Base.HEX_UPPER, Base.HEX_LOWER, Base.DECIMAL]),
    order=st.sampled_from(ByteOrder),
    take=st.sampled_from(Take),
    pad_to=st.sampled_from([0, 8, 10, 20]),
)
@settings(max_examples=60, deadline=None)
def test_the_librarys_rule_is_among_those_that_fit_and_no_two_of_them_are_the_same(
    uid: bytes, base: Base, order: ByteOrder, take: Take, pad_to: int
) -> None:
    library = SpellingRule(base=base, order=order, take=take, pad_to=pad_to)
    rules = rules_that_make(library.spell(uid), uid)
    assert any(doubt((library, rule), CardClass(A, len(uid))) is None for rule in rules) or _is_odd(library, uid)
    for first, second in combinations(rules, 2):
        assert doubt((first, second), CardClass(A, len(uid))) is not None


def _is_odd(rule: SpellingRule, uid: bytes) -> bool:
    """Filled up to less than the longest number has, and this number does not show it: nobody's system does that."""
    part = uid if rule.take is Take.ALL else uid[:4]
    return rule.base is Base.DECIMAL and 0 < rule.pad_to < len(str(256 ** len(part) - 1))
