"""How far each kiosk's log is held: a number for each incarnation, and the few sequences beyond its first gap."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from kiosk.domain.values import IncarnationId, KioskId
from sync.central import tables
from sync.central.bulk import among
from sync.central.ledger import MAX_SEQUENCE

LogName = tuple[KioskId, IncarnationId]

_OWN = tables.incarnation.c
_FOUND = (
    select(_OWN.id, _OWN.kiosk, _OWN.name, _OWN.held_through)
    .where(among(_OWN.kiosk, "kiosks"), among(_OWN.name, "names"))
    .order_by(_OWN.id)
    .with_for_update()
)
_BEYOND = select(tables.held.c.incarnation, tables.held.c.sequence).where(among(tables.held.c.incarnation, "logs"))
_MOVE = update(tables.incarnation).where(_OWN.id == bindparam("log")).values(held_through=bindparam("new"))


class HeldLog:
    """One incarnation's log, in one writing transaction."""

    def __init__(self, row: int, through: int, beyond: set[int]) -> None:
        self.row = row
        self.through = through
        self._beyond = beyond
        self._was = (through, frozenset(beyond))

    def hold(self, numbers: Iterable[int | None]) -> None:
        """These places are held from now on: words that came, and requests that need not come any more."""
        self._beyond.update(number for number in numbers if number is not None and self.through < number < MAX_SEQUENCE)
        while self.through + 1 in self._beyond:
            self.through += 1
            self._beyond.remove(self.through)

    @property
    def newest(self) -> int:
        """The greatest number that is held, beyond a gap or not."""
        return max(self._beyond, default=self.through)

    @property
    def moved(self) -> bool:
        return self.through != self._was[0]

    @property
    def gone(self) -> list[int]:
        """Sequences that are beyond a gap no more."""
        return sorted(self._was[1] - self._beyond)

    @property
    def new(self) -> list[int]:
        """Sequences that came beyond a gap."""
        return sorted(self._beyond - self._was[1])


def open_logs(connection: Connection, names: Iterable[LogName]) -> dict[LogName, HeldLog]:
    """From the database, locked in one order; a new incarnation gets its row."""
    wanted = sorted(set(names))
    keys = {"kiosks": sorted({kiosk for kiosk, _ in wanted}), "names": sorted({name for _, name in wanted})}
    found = {(row.kiosk, row.name): row for row in connection.execute(_FOUND, keys)}
    beyond: dict[int, set[int]] = {row.id: set() for row in found.values()}
    for held in connection.execute(_BEYOND, {"logs": sorted(beyond)}):
        beyond[held.incarnation].add(held.sequence)
    logs = {}
    for name in wanted:
        row = found.get(name)
        if row is None:
            new = insert(tables.incarnation).values(kiosk=name[0], name=name[1], held_through=0)
            logs[name] = HeldLog(connection.execute(new.returning(_OWN.id)).scalar_one(), 0, set())
        else:
            logs[name] = HeldLog(row.id, row.held_through, beyond[row.id])
    return logs


def write_logs(connection: Connection, logs: Iterable[HeldLog]) -> None:
    """Only what changed."""
    held, changed = tables.held, list(logs)
    moved = [{"log": log.row, "new": log.through} for log in changed if log.moved]
    if moved:
        connection.execute(_MOVE, moved)
    for log in changed:
        if log.gone:
            connection.execute(delete(held).where(held.c.incarnation == log.row, held.c.sequence.in_(log.gone)))
    new = [{"incarnation": log.row, "sequence": number} for log in changed for number in log.new]
    if new:
        connection.execute(insert(held), new)
