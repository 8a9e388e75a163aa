"""Who is using a folder of central's: one `serve` at a time, and no `restore` under anybody (SQLite).

Two advisory locks (flock) on files of their own, let go by the system when the process ends, however it ends. Every opened
central shares `used.lock`, so that commands work beside a running `serve`, and `restore` must have it alone: what was
written into the file that it replaces would be gone unseen. `serve` has `serving.lock` alone: SQLite has one writer, and
two processes would not wake each other's long polls. On PostgreSQL any number serve, and its own list of connections says
who is there (`Database.others`). The lock files hold nothing. Any thread; never blocks.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.central.database import DatabaseUnusable

USED = "used.lock"
SERVING = "serving.lock"


class InUse(Exception):
    """Somebody else is at work on the same data; the message says who and what to do."""


class Use:
    """One of the two locks, held until `end`."""

    def __init__(self, folder: Path, name: str, *, alone: bool, otherwise: str) -> None:
        """Raises InUse with `otherwise` at once if somebody holds it, DatabaseUnusable where the folder cannot be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = (folder / name).open("w", encoding="ascii")
        except OSError as error:
            raise DatabaseUnusable(f"{folder}: the data folder cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise InUse(otherwise) from error
        except OSError as error:
            self._file.close()
            raise DatabaseUnusable(f"{folder / name}: cannot be locked: {error.strerror}") from error

    def end(self) -> None:
        """Let go; again is harmless."""
        self._file.close()


def use(folder: Path) -> Use:
    """For whoever opens the database; beside others. Raises InUse during a restore."""
    return Use(folder, USED, alone=False, otherwise=f"{folder}: a copy is being restored; wait until that has ended")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """For a restore: nobody else has the database open meanwhile. Raises InUse."""
    used = Use(
        folder, USED, alone=True,
        otherwise=f"{folder}: central is in use (`serve`, or another command); stop it first. Nothing was changed",
    )  # fmt: skip
    try:
        yield
    finally:
        used.end()


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """For `serve`, and for what must not happen while it runs. Raises InUse."""
    own = Use(folder, SERVING, alone=True, otherwise=f"{folder}: a `central serve` runs on this folder; stop it first")
    try:
        yield
    finally:
        own.end()
