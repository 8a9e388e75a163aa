"""Files that people write with whatever editor they have: settings, rules, scripts, secrets, tapes; always UTF-8.

Every reader of such a file asks here, so that a byte order mark (Windows Notepad, "UTF-8 with BOM") is read over everywhere, and
a file in another encoding is refused with its likely name and what to do. Blocking.
"""

from pathlib import Path

from config.encodings import decode, reads_as


class Unreadable(Exception):
    """There is no such file, it may not be read, or it is no UTF-8; the message says which, and what to do."""


def hand_written(path: Path) -> str:
    """The text of a file, without a byte order mark. Raises Unreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{error}") from error
    try:
        return decode(data, "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        other = reads_as(data)
        as_other = f" (it reads as {other})" if other else ""
        raise Unreadable(f"text that is no UTF-8 at line {line}{as_other}; save the file as UTF-8") from error


def without_mark(text: str) -> str:
    """A text that somebody else has read, without a byte order mark at its begin."""
    return text.removeprefix("\ufeff")
