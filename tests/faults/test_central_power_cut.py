"""The power is cut under a central that serves (SQLite): every verdict that was told is there, and nothing is there twice.

`central serve` runs under a shim that keeps each file as of its last fsync; after a SIGKILL at a moment drawn from a seed
that copy becomes the data, and central starts from it. On PostgreSQL the same promise is PostgreSQL's own (`fsync` and
`synchronous_commit` on, as they are unless somebody turns them off): its files lie in many folders and are written by
processes that this shim does not follow. Whole runs: `SHELFPOINT_KILLS=50`.
"""

import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from kiosk.domain.journal import Verdict, Word
from sync.central import tables
from sync.central.database import FILE_NAME
from sync.central.office import Central, CentralSettings
from sync.central.records import verdict_of

from .test_central_dies import KILLS, KIOSKS, Kiosk, Served, check, furnish, kill_under_load
from .test_crash import shadow_library


@pytest.mark.timeout(120 + 20 * KILLS)
def test_a_power_cut_takes_back_no_verdict_and_doubles_nothing(tmp_path: Path) -> None:
    rng = random.Random(20261121)
    settings, shadow = CentralSettings(data=tmp_path / "central"), tmp_path / "shadow"
    central = Central.open(settings)
    furnish(central)
    codes = [central.fleet.make_code("main") for _ in range(KIOSKS)]
    central.close()
    shutil.copytree(settings.data, shadow)
    library = shadow_library(tmp_path)
    shim = {"LD_PRELOAD": str(library), "SHADOW_OF": str(settings.data), "SHADOW_TO": str(shadow)}
    served = Served(settings, tmp_path, workers=1, environment=shim)
    served.start()
    url = f"http://127.0.0.1:{served.port}"
    kiosks = [Kiosk(f"k{n}", tmp_path / f"kiosk-{n}", url, code, seed=n) for n, code in enumerate(codes)]
    for kiosk in kiosks:
        kiosk.enrol()
    synced = files(shadow)

    def cut() -> None:
        """What had been synced is all that is left; every verdict that a kiosk has heard is among it."""
        nonlocal synced
        seen = files(shadow) != synced
        shutil.rmtree(settings.data)
        shadow.rename(settings.data)
        told = {key: verdict for kiosk in kiosks for key, verdict in kiosk.shown.copy().items()}
        assert told
        held = verdicts(settings)
        assert [key for key in told if held.get(key) != told[key]] == []
        assert seen, "the shim saw nothing of what was told"
        shutil.copytree(settings.data, shadow)
        synced = files(shadow)

    kill_under_load(served, kiosks, rng, cut)
    check(Central.open(settings), kiosks)


def files(folder: Path) -> dict[str, bytes]:
    """The database and its log."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in (FILE_NAME, f"{FILE_NAME}-wal")}


def verdicts(settings: CentralSettings) -> dict[tuple[str, Word], Verdict]:
    """Every word that is held, and what was said of it."""
    central = Central.open(settings)
    try:
        with central.database.read() as connection:
            return {(row.act, Word(row.word)): verdict_of(row) for row in connection.execute(select(tables.word))}
    finally:
        central.close()
