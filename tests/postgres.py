"""A throw-away PostgreSQL: one cluster for each test process, one database for each central, all gone afterwards."""

import contextlib
import getpass
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sync.central.database import open_postgresql

_TEMPLATE = "shelf"


def _programs() -> Path | None:
    """Where initdb stands; Debian keeps it off the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


class Cluster:
    """Hands out addresses of fresh databases."""

    def __init__(self, folder: Path, user: str) -> None:
        self._place = f"host={folder}&user={user}"
        self._numbers = itertools.count(1)
        self._ran = False

    def address(self, name: str) -> str:
        return f"postgresql:///{name}?{self._place}"

    def fresh(self) -> str:
        """A database with central's schema and no row; a copy of one that was migrated once."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            if not self._ran:
                connection.execute(f"CREATE DATABASE {_TEMPLATE}")
                open_postgresql(self.address(_TEMPLATE)).close()
                self._ran = True
            name = f"town_{next(self._numbers)}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.address(name)

    def empty(self) -> str:
        """A database with nothing in it."""
        name = f"empty_{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[Cluster]:
    """A cluster that listens on a socket in its own folder; it is gone afterwards. PostgreSQL refuses to run as root."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    lead = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="shelf-pg-"))
    try:
        if lead:
            shutil.chown(folder, user)
            folder.chmod(0o755)
        data = folder / "data"
        new = [
            *lead,
            programs / "initdb",
            "-D",
            data,
            "-U",
            user,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        ]
        subprocess.run(new, check=True, capture_output=True, cwd="/")
        options = f"-k {folder} -c listen_addresses='' -c fsync={'on' if durable else 'off'} -c max_connections=200"
        control = [*lead, programs / "pg_ctl", "-D", data, "-w"]
        start = [*control, "-l", folder / "log", "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd="/")
        try:
            yield Cluster(folder, user)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    finally:
        shutil.rmtree(folder)
