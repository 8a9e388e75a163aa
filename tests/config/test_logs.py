"""The log tells what happened, and never whose card, name or PIN it was."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from config import logs
from kiosk.ports import DeviceError, DeviceReason, LedgerError, LedgerReason

ROOT = Path(__file__).resolve().parents[2]
CARD, PIN, NAME = "93A131C0", "8642", "王小明"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    out = io.StringIO()
    logs.configure(json=True, stream=out)
    yield out
    structlog.reset_defaults()
    root.setLevel(level)
    root.handlers[:] = handlers


def last(stream: io.StringIO) -> dict[str, object]:
    return dict(json.loads(stream.getvalue().splitlines()[-1]))


def test_a_line_names_its_sentence_level_logger_and_time(stream: io.StringIO) -> None:
    structlog.get_logger("sync.agent").info("link to central changed", link="offline", words=3)
    line = last(stream)
    told = (line["event"], line["level"], line["logger"], line["link"], line["words"])
    assert told == ("link to central changed", "info", "sync.agent", "offline", 3)
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.parametrize("key", ["card", "uid", "number", "pin", "name", "patron", "title", "text", "why", "url"])
def test_a_field_that_is_not_named_is_never_told(stream: io.StringIO, key: str) -> None:
    structlog.get_logger().warning("a card was held to the reader", **{key: f"{CARD} {PIN} {NAME}"})
    assert last(stream)[key] == logs.REDACTED
    assert not any(secret in stream.getvalue() for secret in (CARD, PIN, NAME))


def test_a_bound_field_is_redacted_too(stream: io.StringIO) -> None:
    structlog.get_logger().bind(patron=NAME).info("a visit began")
    assert NAME not in stream.getvalue()


@pytest.mark.parametrize(
    "value",
    [b"\x93\xa1\x31\xc0", bytearray(b"93A131C0"), "x" * 201, "two\nlines", ["93A131C0"], {"n": CARD}, object()],
    ids=["bytes", "bytearray", "long", "lines", "list", "dict", "object"],
)
def test_what_is_no_short_plain_value_is_dropped_even_in_a_named_field(stream: io.StringIO, value: object) -> None:
    structlog.get_logger().info("a device spoke", reason=value)
    assert last(stream)["reason"] == logs.REDACTED


def test_numbers_dates_paths_and_enums_pass(stream: io.StringIO) -> None:
    structlog.get_logger().info("ready", count=2, seconds=0.5, path=Path("a/b"), revision=date(2026, 1, 2), state=None)
    line = last(stream)
    assert (line["count"], line["seconds"], line["path"]) == (2, 0.5, "a/b")
    assert (line["revision"], line["state"]) == ("2026-01-02", None)
    structlog.get_logger().info("ready", reason=LedgerReason.DISK_FULL)
    assert last(stream)["reason"] == "disk_full"


@given(key=st.text(min_size=1, max_size=12), value=st.text(max_size=300) | st.binary() | st.integers())
@settings(max_examples=100, deadline=None)
def test_nothing_passes_but_named_fields(key: str, value: object) -> None:
    told = logs.redact(None, "info", {"event": "x", key: value})[key]
    assert told == logs.REDACTED or (key in logs.FIELDS and told == value and not isinstance(value, bytes))


def test_an_exception_tells_type_and_place_but_not_its_message(stream: io.StringIO) -> None:
    try:
        try:
            int(NAME)
        except ValueError as error:
            raise LedgerError(LedgerReason.DAMAGED, "acts.db") from error
    except LedgerError:
        structlog.get_logger().exception("the acts file cannot be read")
    cause, error = last(stream)["errors"]  # type: ignore[misc]
    assert (cause["error"], "detail" in cause) == ("ValueError", False)  # type: ignore[index,operator]
    assert (error["error"], error["detail"]) == ("LedgerError", "damaged: acts.db")  # type: ignore[index]
    assert "test_logs.py" in error["places"][-1]  # type: ignore[index]
    assert NAME not in stream.getvalue()


def test_an_error_can_be_passed_as_a_value(stream: io.StringIO) -> None:
    structlog.get_logger().error("a device is lost", exc_info=DeviceError(DeviceReason.SILENT))
    assert "silent" in stream.getvalue()
    structlog.get_logger().error("nothing was raised", exc_info=True)
    assert "errors" not in last(stream)


def test_a_library_is_heard_from_warning_on_without_what_it_talked_about(stream: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    library.info("request %s", CARD)
    assert stream.getvalue() == ""
    library.warning("cannot read %s", CARD)
    line = last(stream)
    assert (line["event"], line["logger"], line["level"]) == ("cannot read %s", "some.library", "warning")
    assert str(line["where"]).startswith("test_logs:")
    library.error(f"cannot read {CARD}")
    assert last(stream)["event"] == "A library warns"
    assert CARD not in stream.getvalue()


def test_a_second_set_up_replaces_the_first(stream: io.StringIO) -> None:
    second = io.StringIO()
    logs.configure(json=False, stream=second)
    logging.getLogger("some.library").warning("once %s", CARD)
    assert (stream.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_for_a_person_the_same_redaction_holds(stream: io.StringIO) -> None:
    out = io.StringIO()
    logs.configure(json=False, stream=out)
    try:
        int(NAME)
    except ValueError:
        structlog.get_logger().exception("a thread died", thread="station", name=NAME)
    assert "ValueError" in out.getvalue()
    assert "station" in out.getvalue()
    assert NAME not in out.getvalue()


def test_every_sentence_of_the_product_is_a_constant() -> None:
    """A sentence with a value in it would pass by every redaction."""
    levels = {"debug", "info", "warning", "error", "exception", "critical"}
    wrong = []
    for floor in ("kiosk", "config", "drivers", "sync", "ui"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level), args=args) if (
                        level in levels
                    ):
                        constant = len(args) == 1 and isinstance(args[0], ast.Constant)
                        if not constant:
                            wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []
