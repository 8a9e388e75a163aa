"""A library at a real central of its own for the bench: records in its database, `central serve` in its own processes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.domain.identity import CardKind
from sync.central.office import Central, CentralSettings
from sync.central.registry import Patron
from sync.central.terms import TermKind, term
from sync.central_client import Identity, enrol
from sync.wire import CalendarEntry, ItemEntry, PolicyEntry, WireLoanRule, WirePatronRule
from ui.clock import SystemClock
from ui.demo.central_process import PROGRAM, CentralFailedError, wait_until_ready

BRANCH = "main"
PORTION = 5000
LOANS_EACH = 5


class Town:
    """`database`: address of an empty PostgreSQL database, or None for SQLite in `folder`."""

    def __init__(self, folder: Path, database: str | None) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.settings = CentralSettings(data=folder / "central", database=database)
        self.url = ""

    def found(self, *, items: int, memberships: int) -> None:
        """The library's records: nobody's quota is in the way."""
        central = Central.open(self.settings)
        with central.registry.change("bench") as change:
            change.branch(CalendarEntry(branch=BRANCH))
            change.term(term(TermKind.CATEGORY, "adult", "成人", "Adult"))
            change.policy(
                PolicyEntry(
                    policy_version="bench-1",
                    patron_rules=[WirePatronRule(category="adult", quota=1_000_000)],
                    loan_rules=[WireLoanRule(loan_days=28, renewals=2)],
                )
            )
        for first in range(0, items, PORTION):
            with central.registry.change("bench") as change:
                change.items(
                    [
                        ItemEntry(id=item_id(number), title=f"臺灣地方誌研究 {number}", branch=BRANCH)
                        for number in range(first, min(first + PORTION, items))
                    ]
                )
        for first in range(0, memberships, PORTION):
            with central.registry.change("bench") as change:
                change.patrons(
                    [
                        Patron(
                            id=f"m{number}", name="王測試", category="adult", cards={CardKind.BARCODE: f"P{number:07}"}
                        )
                        for number in range(first, min(first + PORTION, memberships))
                    ]
                )
        central.close()

    def enrolled(self, count: int) -> list[Identity]:
        """New kiosks; central must be serving."""
        central = Central.open(self.settings)
        codes = [central.fleet.make_code(BRANCH) for _ in range(count)]
        central.close()
        return [
            enrol(self.url, code, self._folder / f"keys-{place}", SystemClock()) for place, code in enumerate(codes)
        ]

    @contextmanager
    def serving(self, workers: int) -> Iterator[None]:
        """`central serve` with so many processes. Raises CentralFailedError."""
        ready, log = self._folder / "ready", self._folder / "central.log"
        command: list[str | Path] = [PROGRAM, "central", "serve", "--data", self.settings.data, "--port", "0"]
        command += ["--ready-file", ready, "--workers", str(workers)]
        if self.settings.database is not None:
            command += ["--database", self.settings.database]
        with log.open("ab") as told:
            process = subprocess.Popen(command, stdout=told, stderr=told)
        try:
            self.url = f"http://127.0.0.1:{wait_until_ready(ready, process, log)}"
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired as error:
                process.kill()
                process.wait()
                raise CentralFailedError(f"central did not end; see {log}") from error


def item_id(number: int) -> str:
    return f"C{number:07}"
