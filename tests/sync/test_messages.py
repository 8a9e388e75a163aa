"""Messages of earlier programs are understood for ever: `messages/<version>-<message>[-<about>].json`, as they were first sent."""

import json
from pathlib import Path

import msgspec
import pytest

from sync import wire

FILES = sorted(Path(__file__).with_name("messages").glob("*.json"))


def subset(old: object, new: object) -> bool:
    """Everything that was told is still there."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(value is None or subset(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and all(subset(*pair) for pair in zip(old, new, strict=True))
    return old == new


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_message_is_understood_and_nothing_of_it_is_lost(path: Path) -> None:
    told = path.read_bytes()
    message = msgspec.json.decode(told, type=getattr(wire, path.stem.split("-")[1]))
    assert subset(json.loads(told), json.loads(msgspec.json.encode(message)))


def test_every_message_of_the_protocol_is_kept() -> None:
    assert {path.stem for path in FILES} >= {
        f"1-{name}" for name in ("Enrol", "Enrolled", "Push", "Pushed", "Health", "FeedPage", "Fault")
    }
