"""What is written to the log, and above all what is not: no card number, no PIN, no name, no text that was scanned.

structlog with constant sentences and fields, as JSON lines (journald, files) or for a person at a terminal. Redaction is
an allow-list: only fields named in `FIELDS` pass, and only as a number, a date or a short plain text; whatever else is
passed becomes `<redacted>`, so that a field invented tomorrow is safe before anybody thinks of it.

An exception is told by its type and its places in the code. Its message may quote what it choked on, so it is told only
for the errors of our own tree, whose details are never personal (`kiosk.ports`). Libraries that use `logging` are heard
from WARNING on: name, place and the template of the message, never the message itself.

Called once by the composition root, before threads start; writing a line is safe from any thread.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime, timedelta
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

import structlog

from kiosk.domain.values import KioskError

REDACTED = "<redacted>"
LONGEST = 200
"""Characters of a field; a longer text is a document or an attack, not a field."""
FRAMES = 20
"""Places of an exception that are told, the innermost ones."""

FIELDS: frozenset[str] = frozenset().union(
    # what structlog and this module add
    ("event", "level", "logger", "timestamp", "where"),
    # acts: opaque ids only
    (
        "act",
        "word",
        "deed",
        "outcome",
        "sequence",
        "incarnation",
        "epoch",
        "position",
        "held_through",
        "words",
        "item",
        "at",
    ),
    # kiosk, central, link
    ("kiosk", "branch", "link", "mode", "phase", "reason", "code", "status", "method", "address", "host", "port"),
    # devices
    ("device", "detail", "kind", "state", "driver", "model", "firmware", "baud", "job", "pages", "bytes", "lines"),
    # program
    (
        "program",
        "version",
        "revision",
        "thread",
        "chore",
        "workers",
        "pid",
        "signal",
        "exit_code",
        "path",
        "file",
        "folder",
        "missing",
    ),
    # numbers
    (
        "count",
        "rows",
        "entries",
        "percent",
        "slowest_ms",
        "limit",
        "length",
        "attempt",
        "seconds",
        "wait_s",
        "timeout_s",
        "duration_ms",
    ),
)
"""All that may be told. A new name here is a promise that it can never hold what identifies a person."""

EventDict = MutableMapping[str, Any]


def configure(json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set up the log of this process; a second call replaces the first.

    `json`: lines of JSON, or text for a person; None asks whether the stream is a terminal. `stream`: standard error
    if None, because standard output belongs to the answers of commands.
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    as_json = not terminal if json is None else json
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=terminal)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _named,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            _places if as_json else _places_as_text,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *names: _Named(out, str(names[0]) if names else ""),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(logging.WARNING))
    root.setLevel(logging.WARNING)


def redact(_logger: object, _method: str, event_dict: EventDict) -> EventDict:
    """Every field that is not named in `FIELDS`, or is no plain short value, becomes `<redacted>`."""
    return {
        key: value if key == "exc_info" else _plain(value) if key in FIELDS else REDACTED
        for key, value in event_dict.items()
    }


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            text = str(value)
        case UUID() | PurePath() | timedelta():
            text = str(value)
        case datetime() | date():
            text = value.isoformat()
        case _:
            return REDACTED
    return text if len(text) <= LONGEST and text.isprintable() else REDACTED


def _named(logger: object, _method: str, event_dict: EventDict) -> EventDict:
    if isinstance(logger, _Named):
        event_dict.setdefault("logger", logger.name)
    return event_dict


def _places(_logger: object, _method: str, event_dict: EventDict) -> EventDict:
    """`exc_info` as one entry for each error of the chain, the first cause first: type and places."""
    error = _error_of(event_dict.pop("exc_info", None))
    chain: list[Mapping[str, object]] = []
    while error is not None and len(chain) < FRAMES:
        told: dict[str, object] = {"error": type(error).__qualname__, "places": _frames(error.__traceback__)}
        if isinstance(error, KioskError):
            told["detail"] = _plain(str(error))
        chain.insert(0, told)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if chain:
        event_dict["errors"] = chain
    return event_dict


def _places_as_text(logger: object, method: str, event_dict: EventDict) -> EventDict:
    chain: Any = _places(logger, method, event_dict).pop("errors", None)
    if chain:
        lines = []
        for told in chain:
            lines += [f"  {place}" for place in told["places"]]
            lines.append(f"{told['error']}: {told['detail']}" if "detail" in told else told["error"])
        event_dict["exception"] = "\n".join(lines)
    return event_dict


def _error_of(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case None | False:
            return None
    return sys.exc_info()[1]


def _frames(traceback: TracebackType | None) -> list[str]:
    """`file:line function` from the outermost to the innermost; files without the machine's folders."""
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = "/".join(PurePath(code.co_filename).parts[-2:])
        places.append(f"{file}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-FRAMES:]


class _Named(structlog.PrintLogger):
    """Writes whole lines, and knows whose they are."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name


class _Libraries(logging.Handler):
    """Hands what libraries log to structlog, without what they were talking about."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            template = record.msg if record.args and isinstance(record.msg, str) else "A library warns"
            structlog.get_logger(record.name).log(
                record.levelno, template, where=f"{record.module}:{record.lineno}", exc_info=record.exc_info
            )
        except Exception:  # noqa: BLE001  a log must not stop the work that it tells of
            self.handleError(record)
