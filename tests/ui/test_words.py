"""Both languages say everything, with the same places, in words a patron can act on."""

import string

import pytest

from kiosk.domain.values import Reason
from kiosk.ports import CentralReason, DeviceReason, LedgerReason
from kiosk.words import Language, say, sentences

REASON_PLACES: dict[Reason, set[str]] = {
    Reason.QUOTA_REACHED: {"limit"},
    Reason.RENEWALS_USED_UP: {"limit"},
    Reason.MEMBERSHIP_EXPIRED: {"date"},
    Reason.MEMBERSHIP_SUSPENDED: {"days", "date"},
    Reason.RENEWAL_TOO_EARLY: {"days"},
    Reason.REPLICA_FILLING: {"percent"},
    Reason.MONEY_OWED: {"amount"},
    Reason.HAS_OVERDUE: {"count"},
    Reason.HOLD_HERE: {"date"},
    Reason.HOLD_AT_BRANCH: {"branch"},
    Reason.GOES_TO_BRANCH: {"branch"},
    Reason.HOLD_PLACED: {"ahead", "branch"},
    Reason.HOLDS_REACHED: {"limit"},
    Reason.HOLDS_SUSPENDED: {"date"},
    Reason.CARD_BOUND_TO_ANOTHER: {"other"},
    Reason.PROMISED_TOO_LONG: {"days", "limit"},
}
"""What `domain/lending` and `domain/holds` give with each refusal; a sentence may name these places only."""


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    zh, en = sentences(Language.ZH_TW), sentences(Language.EN)
    assert set(zh) == set(en)
    assert all(text.strip() for text in (*zh.values(), *en.values()))


def test_each_sentence_has_the_same_places_in_both_languages_save_in_a_singular() -> None:
    zh, en = sentences(Language.ZH_TW), sentences(Language.EN)
    differing = {key for key in zh if places(zh[key]) != places(en[key])}
    assert differing == set()


@pytest.mark.parametrize("language", Language)
def test_every_reason_has_a_sentence_that_names_only_what_its_refusal_gives(language: Language) -> None:
    said = sentences(language)
    assert {key.removeprefix("reason.") for key in said if key.startswith("reason.")} == set(Reason)
    for reason in Reason:
        assert places(said[f"reason.{reason}"]) <= REASON_PLACES.get(reason, set()), reason


@pytest.mark.parametrize("language", Language)
def test_every_device_central_and_ledger_reason_has_a_sentence(language: Language) -> None:
    said = sentences(language)
    assert {key.removeprefix("device.") for key in said if key.startswith("device.")} == set(DeviceReason)
    assert {key.removeprefix("central.") for key in said if key.startswith("central.")} == set(CentralReason)
    assert {f"out.{reason}" for reason in LedgerReason} <= set(said)


def test_an_unknown_card_is_never_called_lost() -> None:
    assert "失" not in say("reason.card_not_found", Language.ZH_TW)
    assert "lost" not in say("reason.card_not_found", Language.EN).lower()


def test_chinese_sentences_use_full_width_punctuation() -> None:
    half_width = {key for key, text in sentences(Language.ZH_TW).items() if set(",;!?") & set(text)}
    assert half_width == set()
