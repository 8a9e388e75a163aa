"""One process at a time may run on a kiosk's files: who starts, takes in a parcel or wipes them holds this lock.

An advisory lock (flock) on a file of its own, let go by the system when the process ends, however it ends. Reading
commands (`queue status`, `queue export`, `doctor`) need none: SQLite orders them.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.ports import LedgerError, LedgerReason

FILE = "running.lock"


class Owner:
    """Holds the files until `release`."""

    def __init__(self, folder: Path) -> None:
        """Raises LedgerError(LOCKED) at once if somebody else does."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = (folder / FILE).open("w", encoding="ascii")
        except OSError as error:
            raise LedgerError(LedgerReason.NOT_WRITABLE, f"{folder / FILE}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise LedgerError(LedgerReason.LOCKED, f"{folder}: a kiosk runs on these files; stop it first") from error

    def release(self) -> None:
        """Let go; again is harmless."""
        self._file.close()


def in_use(folder: Path) -> bool:
    """Whether somebody holds these files now; leaves no file behind, so that any account may ask."""
    try:
        with (folder / FILE).open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """The files for the length of a block. Raises LedgerError(LOCKED)."""
    owner = Owner(folder)
    try:
        yield
    finally:
        owner.release()
