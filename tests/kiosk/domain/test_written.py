"""Names and titles keep every character that a person wrote, and nothing that only a computer sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.written import Tidied, in_words, is_plain, tidy


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("陳　美　玲", "陳 美 玲"),
        ("Vingt mille lieues\u00a0: roman", "Vingt mille lieues : roman"),
        ("上冊\n下冊", "上冊 下冊"),
        ("  a \t\r\n b\u2028c\u0085", "a b c"),
        ("Bücher\u00adei", "Bücherei"),
        ("\u0098Die \u009cBlechtrommel", "Die Blechtrommel"),
        ("\u200fספר\u200e", "ספר"),
        ("\ufeff書\u200b名\u2060", "書名"),
        ("字\0\x07", "字"),
    ],
)
def test_spaces_are_folded_and_what_nobody_sees_goes(text: str, kept: str) -> None:
    assert tidy(text).text == kept
    assert not is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "\ue000", "林\uf6b1", "\U000f0000",  # a library's own characters
        "\U0002ebf0", "\U000323b0",  # CJK extensions I and J, newer than Unicode 14
        "می\u200cخواهم", "कर्\u200dम", "श्री\u200dलंका", "ශ්\u200dරී", "ᠪᠠᠶᠢᠭ\u180eᠠ", "\u06dd",
        "👩\u200d🚀", "👩🏽\u200d🚀", "❤️\u200d🔥",
        "e\u0301", "ひらがな", "a b",
    ],
)  # fmt: skip
def test_what_a_script_needs_and_what_is_not_known_stays(text: str) -> None:
    assert tidy(text) == Tidied(text)


def test_a_joiner_stays_only_where_a_script_joins() -> None:
    assert tidy("館\u200c藏").text == "館藏"
    assert tidy("\u200dA\u200db").text == "Ab"


def test_it_is_said_what_went() -> None:
    assert tidy("a\u200f b\u200fc") == Tidied("a bc", dropped=("\u200f",))
    assert tidy("a  b") == Tidied("a b", folded=True)
    assert tidy(" \u200f ") == Tidied("", folded=True, dropped=("\u200f",))
    assert in_words("a\u200f　b\n 張") == "a<U+200F><U+3000>b<U+000A> 張"


@given(st.text())
def test_tidying_twice_is_tidying_once_and_a_database_takes_it(text: str) -> None:
    kept = tidy(text).text
    assert tidy(kept) == Tidied(kept)
    assert kept.encode().decode() == kept
    assert "\0" not in kept
