"""Cards and codes: spelling by one rule, numbers that can be nobody, and what a scanned code is for."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.identity import (
    Base,
    ByteOrder,
    CardClass,
    CardRead,
    CodePattern,
    CodeType,
    SpellingRule,
    Take,
    Technology,
    fixes_length,
    is_book_number,
    mask_name,
    rules_that_make,
    shape,
    type_code,
    unfit,
)
from kiosk.domain.values import Reason

UID = bytes.fromhex("93A131C0")
LONG = bytes.fromhex("0411223344AABB")
SHORT_NUMBER = bytes.fromhex("00A131C0")

SPELLINGS = [
    (SpellingRule(), UID, "93A131C0"),
    (SpellingRule(base=Base.HEX_LOWER), UID, "93a131c0"),
    (SpellingRule(order=ByteOrder.REVERSED), UID, "C031A193"),
    (SpellingRule(base=Base.DECIMAL), UID, "2476814784"),
    (SpellingRule(base=Base.DECIMAL, order=ByteOrder.REVERSED), UID, "3224478099"),
    (SpellingRule(base=Base.DECIMAL), SHORT_NUMBER, "10564032"),
    (SpellingRule(base=Base.DECIMAL, pad_to=10), SHORT_NUMBER, "0010564032"),
    (SpellingRule(take=Take.FIRST4), LONG, "04112233"),
    (SpellingRule(take=Take.LAST4), LONG, "3344AABB"),
    (SpellingRule(take=Take.LAST4, order=ByteOrder.REVERSED), LONG, "BBAA4433"),
    (SpellingRule(pad_to=14), UID, "00000093A131C0"),
]
CHIP_NUMBERS = [
    (Base.TEXT, b"A1234567", "A1234567"),
    (Base.TEXT, b"\x0012345\xff\xff  ", "12345"),
    (Base.BCD, bytes.fromhex("0912345F"), "0912345"),
    (Base.BCD, bytes.fromhex("123456"), "123456"),
    (Base.HEX_UPPER, bytes.fromhex("12AB"), "12AB"),
    (Base.DECIMAL, bytes.fromhex("01E240"), "123456"),
]


@pytest.mark.parametrize(("rule", "uid", "number"), SPELLINGS, ids=[number for _, _, number in SPELLINGS])
def test_a_rule_spells_the_uid_as_the_library_system_stores_it(rule: SpellingRule, uid: bytes, number: str) -> None:
    assert rule.spell(uid) == number


def test_prefix_and_suffix_stand_around_the_padded_number() -> None:
    assert SpellingRule(base=Base.DECIMAL, pad_to=10, prefix="E-", suffix="/1").spell(SHORT_NUMBER) == "E-0010564032/1"


@pytest.mark.parametrize(
    ("rule", "uid", "number"), [case for case in SPELLINGS if case[0].pad_to != 14], ids=lambda value: str(value)[:40]
)
def test_enrolment_finds_the_rule_from_a_known_number(rule: SpellingRule, uid: bytes, number: str) -> None:
    assert rule in rules_that_make(number, uid)


def test_a_number_that_no_rule_makes_finds_none() -> None:
    assert rules_that_make("2476814785", UID) == ()


@pytest.mark.parametrize(
    ("base", "chip", "number"), CHIP_NUMBERS, ids=[f"{case[0]} {case[2]}" for case in CHIP_NUMBERS]
)
def test_a_contact_cards_number_is_spelled_as_the_chip_holds_it_and_its_rule_is_found(
    base: Base, chip: bytes, number: str
) -> None:
    rule = SpellingRule(base=base)
    assert rule.spell(chip) == number
    assert rules_that_make(number, chip, Technology.CONTACT) == (rule,)


def test_a_contact_number_may_have_any_length_and_first_byte_but_must_be_written() -> None:
    for fit in (b"\x08\x11\x22\x33", b"\x88\x11\x22\x33", b"\x01\x02\x03\x04", b"1", b"A" * 32):
        assert unfit(CardRead(fit, Technology.CONTACT)) is None
    for blank in (b" " * 8, b"\x00" * 5, b"\xff" * 12, b"", b"1" * 33):
        assert unfit(CardRead(blank, Technology.CONTACT)) is not None


@given(st.binary(min_size=1, max_size=32))
def test_whatever_a_chip_holds_is_spelled_in_printable_characters(chip: bytes) -> None:
    assert all(SpellingRule(base=base).spell(chip).isprintable() for base in Base)


@given(uid=st.sampled_from([4, 7]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
@settings(max_examples=100, deadline=None)
def test_every_rule_found_makes_the_number_again(uid: bytes) -> None:
    for base in Base:
        number = SpellingRule(base=base, order=ByteOrder.REVERSED, pad_to=10).spell(uid)
        for rule in rules_that_make(number, uid):
            assert rule.spell(uid) == number


@pytest.mark.parametrize(
    ("uid", "technology", "reason"),
    [
        ("08112233", Technology.ISO14443A, Reason.CARD_RANDOM),
        ("88112233", Technology.ISO14443A, Reason.CARD_INCOMPLETE),
        ("00000000", Technology.ISO14443A, Reason.CARD_TEST_NUMBER),
        ("FFFFFFFFFFFFFF", Technology.ISO14443A, Reason.CARD_TEST_NUMBER),
        ("01020304", Technology.ISO14443A, Reason.CARD_TEST_NUMBER),
        ("DEADBEEF", Technology.ISO14443A, Reason.CARD_TEST_NUMBER),
        ("CAFEBABE", Technology.ISO14443A, Reason.CARD_TEST_NUMBER),
        ("93A131C0", Technology.ISO14443B, Reason.CARD_TYPE_B),
        ("", Technology.ISO14443A, Reason.CARD_UNREADABLE),
        ("93A131", Technology.ISO14443A, Reason.CARD_UNREADABLE),
        ("93A131C0" * 4, Technology.UNKNOWN, Reason.CARD_UNREADABLE),
    ],
)
def test_a_uid_that_can_be_nobody_is_refused(uid: str, technology: Technology, reason: Reason) -> None:
    refused = unfit(CardRead(bytes.fromhex(uid), technology))
    assert refused is not None
    assert refused.reason is reason


@pytest.mark.parametrize(
    ("uid", "technology"),
    [
        ("93A131C0", Technology.ISO14443A),
        ("08112233445566", Technology.ISO14443A),
        ("88112233445566", Technology.ISO14443A),
        ("0811223344556677", Technology.FELICA),
        ("E004010012345678", Technology.ISO15693),
        ("04112233445566778899", Technology.ISO14443A),
    ],
)
def test_a_usual_uid_is_fit(uid: str, technology: Technology) -> None:
    assert unfit(CardRead(bytes.fromhex(uid), technology)) is None


def test_a_card_never_tells_its_number_by_accident() -> None:
    card = CardRead(UID, Technology.ISO14443A)
    assert "93" not in repr(card)
    assert "xa1" not in repr(card)
    assert str(card.card_class) == "iso14443a/4"
    assert card.card_class == CardClass(Technology.ISO14443A, 4)


PATTERNS = (
    CodePattern(type=CodeType.PATRON, pattern=re.compile(r"P\d{7}")),
    CodePattern(type=CodeType.ITEM, pattern=re.compile(r"\d{10}"), symbologies=frozenset({"code39", "codabar"})),
    CodePattern(type=CodeType.ITEM, pattern=re.compile(r"\d{13}")),
    CodePattern(type=CodeType.VOUCHER, pattern=re.compile(r"V\d{8}")),
    CodePattern(type=CodeType.EVENT, pattern=re.compile(r"E:.+"), symbologies=frozenset({"qr"})),
    CodePattern(type=CodeType.VIRTUAL_CARD, pattern=re.compile(r"[A-Z]{2,8}-\d-\d{14}")),
)


@pytest.mark.parametrize(
    ("text", "symbology", "kind"),
    [
        ("P1234567", None, CodeType.PATRON),
        (" P1234567\r\n", "qr", CodeType.PATRON),
        ("xP1234567", None, CodeType.UNKNOWN),
        ("0001234567", None, CodeType.ITEM),
        ("0001234567", "codabar", CodeType.ITEM),
        ("0001234567", "qr", CodeType.UNKNOWN),
        ("9789571234564", "ean13", CodeType.ISBN),
        ("9789571234565", "ean13", CodeType.ITEM),
        ("1234567890123", None, CodeType.ITEM),
        ("/ABC+123", None, CodeType.INVOICE_CARRIER),
        ("AB12345678901234", None, CodeType.INVOICE_CARRIER),
        ("/abc+123", None, CodeType.UNKNOWN),
        ("V00000001", "code128", CodeType.VOUCHER),
        ("E:2026-11-21", "qr", CodeType.EVENT),
        ("E:2026-11-21", "code128", CodeType.UNKNOWN),
        ("NTUT-1-20131107112900", None, CodeType.VIRTUAL_CARD),
        ("9789571234564 51299", None, CodeType.ISBN),
        ("9789571234565 51299", None, CodeType.UNKNOWN),
        ("12", "ean2", CodeType.ISBN),
        ("51299", "ean5", CodeType.ISBN),
        ("51299", "code39", CodeType.UNKNOWN),
        ("", None, CodeType.UNKNOWN),
        ("9" * 10_000, None, CodeType.UNKNOWN),
        ("\x00\xff\x1b@", None, CodeType.UNKNOWN),
    ],
)
def test_a_code_is_typed_by_the_librarys_patterns(text: str, symbology: str | None, kind: CodeType) -> None:
    typed = type_code(text, symbology, PATTERNS)
    assert (typed.type, typed.text) == (kind, text.strip())


ALIKE = (
    CodePattern(type=CodeType.PATRON, pattern=re.compile(r"[0-9]{6,8}")),
    CodePattern(type=CodeType.ITEM, pattern=re.compile(r"[0-9]{8}")),
)


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("12345678", CodeType.ITEM, CodeType.ITEM),
        ("12345678", None, CodeType.PATRON),
        ("123456", CodeType.ITEM, CodeType.PATRON),
        ("9789571234564", CodeType.ITEM, CodeType.ISBN),
    ],
)
def test_where_books_are_wanted_what_may_be_a_book_or_a_card_is_a_book(
    text: str, expected: CodeType | None, kind: CodeType
) -> None:
    assert type_code(text, None, ALIKE, expected).type is kind


@pytest.mark.parametrize(
    ("pattern", "fixed"),
    [
        ("[0-9]{8}", True),
        ("P[0-9]{7}|Q[0-9]{7}", True),
        (r"(?i:C)\d\d\d", True),
        ("^A(?:12|34)$", True),
        ("[0-9]{8}|[0-9]{10}", False),
        ("[0-9]{6,8}", False),
        ("C[0-9]+", False),
        ("C0?1", False),
        (".*", False),
    ],
)
def test_a_pattern_fixes_the_length_of_a_code_or_does_not(pattern: str, fixed: bool) -> None:
    assert fixes_length(pattern) is fixed
    assert fixes_length(re.compile(pattern)) is fixed


def test_one_shape_may_be_written_in_many_ways() -> None:
    alike = ("[0-9]{6}", r"\d{6}", "^[0-9]{6}$", r"\A\d{6}\Z", r"[\d]{6}")
    assert len({shape(pattern) for pattern in alike}) == 1
    assert shape("[0-9]{6}") != shape("[0-9]{7}")
    assert shape("A[0-9]{6}") != shape("[0-9]{6}")


@pytest.mark.parametrize(
    "text", ["9789571234564", "978957123456412", "978957123456451299", "9791234567896", "9770317847001"]
)
def test_a_book_number_is_known_with_and_without_its_add_on(text: str) -> None:
    assert is_book_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "9789571234560",  # check digit
        "978957123456012",
        "97895712345641",  # 14 digits
        "4710000000000",  # another prefix
        "９７８９５７１２３４５６４",  # full width
        "978957123456X",
    ],
)
def test_other_numbers_are_no_book_numbers(text: str) -> None:
    assert not is_book_number(text)


@given(body=st.integers(min_value=0, max_value=10**9 - 1), wrong=st.integers(min_value=1, max_value=9))
@settings(max_examples=100, deadline=None)
def test_exactly_one_check_digit_makes_a_book_number(body: int, wrong: int) -> None:
    right = [digit for digit in range(10) if is_book_number(f"978{body:09}{digit}")]
    assert len(right) == 1
    assert not is_book_number(f"978{body:09}{(right[0] + wrong) % 10}")


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王小明", "王○明"),
        ("王明", "王○"),
        ("王", "王○"),
        ("歐陽小明", "歐○○明"),
        ("𣳝堃", "𣳝○"),
        ("  王  小明 ", "王○○明"),
        ("Ann Lee", "A*** L***"),
        ("Ann", "A***"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(name=st.text(alphabet="王小明歐陽堃喆峯珉綉煊𣳝", min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_of_a_chinese_name_only_the_ends_are_told(name: str) -> None:
    masked = mask_name(name)
    assert masked[0] == name[0]
    assert set(masked[1:-1]) <= {"○"}
    assert masked[1:] in ("○", "○" * (len(name) - 2) + name[-1])


@given(name=st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_masking_takes_any_text(name: str) -> None:
    assert len(mask_name(name)) <= 4 * len(name) + 1
