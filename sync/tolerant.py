"""Reads what a newer program says: nothing that one entry or word holds may stop the others (DESIGN.md one act 5).

Fields that are not known are ignored by msgspec itself. What it refuses is a value that an enum here does not have, or an
entry of another type; the whole message would go with it. So `decode` tries the plain way first, which costs nothing, and
only a message that does not fit is read a second time, with each strange part told in words that are known:

- a standing is read as blocked, an item's state as not for loan, a hold's as on the way: nothing is lent by mistake;
- an entry of a known type that still cannot be read becomes its own tombstone, one of another type is passed over, and
  `FeedPage.passed_over` counts all of them, so that a newer program of this kiosk reads the feed again;
- a word about an unknown deed, or one of an unknown kind (taken as a fact), is marked `strange`: central makes it a case;
- a verdict keeps its outcome and gets the reason OTHER; one with an unknown outcome says that a fact is held and needs a
  person, and says nothing about a request: the kiosk then decides as without an answer.

What is broken in another way is refused as ever. Pure.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar, cast

import msgspec

from kiosk.domain.holds import HoldState
from kiosk.domain.journal import Deed, Mode, Outcome, Word
from kiosk.domain.lending import HoldQueue, ItemState, MissingItem, Standing
from kiosk.domain.staff import Entry
from kiosk.domain.values import Reason
from sync import stick, wire

T = TypeVar("T")
Told = dict[str, Any]
"""A message as plain JSON."""

_NEVER = "1970-01-01T00:00:00Z"
_SAFE: Mapping[str, tuple[tuple[str, StrEnum], ...]] = MappingProxyType(
    {
        "membership": (("standing", Standing.BLOCKED),),
        "item": (("state", ItemState.NOT_FOR_LOAN),),
        "hold": (("state", HoldState.ON_THE_WAY),),
        "policy": (("missing_item", MissingItem.TO_DESK), ("hold_queue", HoldQueue.STRICT)),
    }
)
"""Of each type of entry: how a value that is not known is read."""
_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "membership": "id",
        "card": "index",
        "item": "id",
        "loan": "act",
        "hold": "id",
        "calendar": "branch",
        "policy": "policy_version",
        "staff": "id",
        "library": "code",
        "term": "key",
    }
)
"""Of each type of entry: the field that its tombstone names."""


def decode(raw: bytes, shape: type[T]) -> T:
    """A message of this shape. Raises msgspec.DecodeError, UnicodeDecodeError, RecursionError."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError:
        told, mend = msgspec.json.decode(raw), _MENDS.get(shape)
        if mend is None or not isinstance(told, dict):
            raise
        mend(told)
        return msgspec.convert(told, shape)


def decode_piece(raw: bytes) -> stick.StickPiece:
    """A piece of a parcel, read in the same way. Raises msgspec.DecodeError, UnicodeDecodeError, RecursionError."""
    try:
        return _PIECES.decode(raw)
    except msgspec.ValidationError:
        told = msgspec.json.decode(raw)
        field, mend = _PIECE_MENDS.get(told.get("type", "") if isinstance(told, dict) else "", ("", None))
        if mend is None or not isinstance(told.get(field), dict):
            raise
        mend(told[field])
        return cast("stick.StickPiece", msgspec.convert(told, stick.StickPiece))


_PIECES: msgspec.json.Decoder[stick.StickPiece] = msgspec.json.Decoder(stick.StickPiece)


def _push(told: Told) -> None:
    for word in _dicts(told, "words"):
        strange = [
            f"{field} {word[field]}"[:80] for field, enum in (("word", Word), ("deed", Deed)) if _odd(word, field, enum)
        ]
        if strange:
            word["strange"] = ", ".join(strange)
        _replace(word, "word", Word.FACT)
        _replace(word, "deed", Deed.RETURN)
        _replace(word, "mode", Mode.OFFLINE)
        _replace(word, "entry", Entry.WRONG)
        word.setdefault("item", "")
        word.setdefault("happened_at", _NEVER)


def _pushed(told: Told) -> None:
    _envelope(told)
    kept = []
    for verdict in _dicts(told, "verdicts"):
        word = verdict.get("word")
        if _odd(verdict, "word", Word) or (_odd(verdict, "outcome", Outcome) and word == Word.REQUEST):
            continue
        _replace(verdict, "outcome", Outcome.CANCELLED if word == Word.WITHDRAWAL else Outcome.CASE)
        _replace(verdict, "reason", Reason.OTHER)
        details = verdict.get("details")
        if isinstance(details, dict):
            verdict["details"] = {name: value for name, value in details.items() if isinstance(value, str | int)}
        kept.append(verdict)
    told["verdicts"] = kept


def _page(told: Told) -> None:
    _envelope(told)
    kept, passed_over = [], 0
    for entry in _dicts(told, "entries"):
        read, as_told = _entry(entry)
        passed_over += not as_told
        if read is not None:
            kept.append(read)
    told["entries"], told["passed_over"] = kept, passed_over


def _entry(entry: Told) -> tuple[object | None, bool]:
    """The entry as it can be read, or None; and whether that is what was told."""
    if _reads(entry, wire.FeedEntry):
        return entry, True
    kind = str(entry.get("type"))
    for field, value in _SAFE.get(kind, ()):
        _replace(entry, field, value)
    if _reads(entry, wire.FeedEntry):
        return entry, False
    key = entry.get(_KEYS.get(kind, ""))
    return (msgspec.to_builtins(wire.GoneEntry(kind=kind, key=key)), False) if isinstance(key, str) else (None, False)  # type: ignore[arg-type]  # one of _KEYS


def _envelope(told: Told) -> None:
    """An order of a kind that is not known cannot be carried out, nor its signature be proved."""
    if not _reads(told.get("order"), wire.Order | None):
        told["order"] = None


def _staff_told(told: Told) -> None:
    _envelope(told)
    _replace(told, "entry", Entry.WRONG)


_MENDS: Mapping[type, Callable[[Told], None]] = MappingProxyType(
    {
        wire.Push: _push,
        wire.Pushed: _pushed,
        wire.FeedPage: _page,
        wire.Envelope: _envelope,
        wire.Fault: _envelope,
        wire.StaffTold: _staff_told,
    }
)
_PIECE_MENDS: Mapping[str, tuple[str, Callable[[Told], None]]] = MappingProxyType(
    {"words": ("push", _push), "verdicts": ("pushed", _pushed), "page": ("page", _page), "end": ("envelope", _envelope)}
)


def _dicts(told: Told, field: str) -> list[Told]:
    """The field's objects. Raises msgspec.ValidationError: anything else is broken, not new."""
    found = told.get(field)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise msgspec.ValidationError(f"Expected an array of objects - at `$.{field}`")
    return found


def _odd(told: Told, field: str, enum: type[StrEnum]) -> bool:
    """A text that is no value of the enum; what is no text is broken, not new."""
    return isinstance(told.get(field), str) and told[field] not in enum.__members__.values()


def _replace(told: Told, field: str, safe: StrEnum) -> None:
    if _odd(told, field, type(safe)):
        told[field] = safe.value


def _reads(told: object, shape: object) -> bool:
    try:
        msgspec.convert(told, shape)
    except msgspec.ValidationError:
        return False
    return True
