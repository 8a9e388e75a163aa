"""`shelfpoint central hold place | cancel | list`: holds at the desk, and the lists that staff work from.

Exit code 1 where a hold is refused; the sentence says why.
"""

from pathlib import Path
from typing import Any

import click

from kiosk.domain.journal import Verdict
from kiosk.domain.staff import EVERYWHERE
from kiosk.words import Language, say_reason
from sync.central.holds import HoldLine, HoldList
from sync.central.office import CentralSettings
from sync.central.sheets import holds_sheet
from ui.cli.central_place import AS_JSON, WHO, opened_at, say, with_place, write_sheet

_ALL = frozenset({EVERYWHERE})


@click.group()
def hold() -> None:
    """Holds: who waits for which book."""


@hold.command("place")
@with_place
@click.option("--membership", required=True, help="Who waits.")
@click.option("--item", required=True, help="Any copy of the book, by its barcode number.")
@click.option("--branch", required=True, help="Where it is to be picked up.")
@AS_JSON
def place_hold(place: CentralSettings, membership: str, item: str, branch: str, as_json: bool) -> None:
    """Let a membership wait for a book."""
    with opened_at(place) as opened:
        verdict = opened.holds.place(membership=membership, item=item, branch=branch, who=WHO)
    _tell(verdict, verdict.act_id, as_json=as_json, done="Reserved.")


@hold.command("cancel")
@with_place
@click.argument("hold_id", metavar="HOLD")
@AS_JSON
def cancel_hold(place: CentralSettings, hold_id: str, as_json: bool) -> None:
    """End HOLD, as `list` names it."""
    with opened_at(place) as opened:
        verdict = opened.holds.cancel(hold_id, who=WHO)
    _tell(verdict, hold_id, as_json=as_json, done="Cancelled.")


@hold.command("expire")
@with_place
@AS_JSON
def expire_holds(place: CentralSettings, as_json: bool) -> None:
    """End what nobody picked up in time; `serve` does it by itself every quarter of an hour."""
    with opened_at(place) as opened:
        count = opened.holds.expire(who=WHO)
    say(as_json, {"expired": count}, f"{count} holds have expired.")


@hold.command("list")
@with_place
@click.option(
    "--which",
    type=click.Choice([one.value.replace("_", "-") for one in HoldList]),
    default=HoldList.OPEN.value,
    show_default=True,
    help="open: everybody; ready: on the ready shelf; on-the-way: must travel; to-clear: on the ready shelf, and the "
    "hold is over; to-fetch: on the shelf, and somebody waits.",
)
@click.option("--branch", help="Only of this branch.")
@click.option("--membership", help="Only of this membership.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it there instead.")
@AS_JSON
def list_holds(
    place: CentralSettings, which: str, branch: str | None, membership: str | None, csv_file: Path | None, as_json: bool
) -> None:
    """List holds, or copies that somebody must fetch or clear; each of those is then scanned as returned."""
    with opened_at(place) as opened:
        if branch is not None:
            opened.branches.named(branch)
        lines = opened.holds.list(
            HoldList(which.replace("-", "_")), branch=branch, membership=membership, names_within=_ALL
        )
    rows = [_row(line) for line in lines]
    if csv_file is not None:
        write_sheet(csv_file, holds_sheet(lines))
        say(as_json, {"rows": len(rows), "file": str(csv_file)}, f"{len(rows)} lines in {csv_file}.")
        return
    say(as_json, rows, "\n".join(_plain(row) for row in rows) or "Nothing is on this list.")


def _tell(verdict: Verdict, hold_id: str, *, as_json: bool, done: str) -> None:
    stands = verdict.outcome.stands
    sentence = done
    if verdict.reason is not None:
        sentence = say_reason(verdict.reason, Language.ZH_TW, verdict.details)
    row = {
        "hold": hold_id if stands else None,
        "outcome": verdict.outcome.value,
        "reason": None if verdict.reason is None else verdict.reason.value,
        "details": dict(verdict.details),
    }
    say(as_json, row, f"{sentence} [{hold_id}]" if stands else sentence)
    if not stands:
        raise click.exceptions.Exit(1)


def _row(line: HoldLine) -> dict[str, Any]:
    hold = line.hold
    return {
        "copy": line.copy,
        "title": line.title,
        "state": hold.state.value,
        "branch": hold.branch,
        "place": line.place,
        "ready_until": None if line.last_day is None else line.last_day.isoformat(),
        "membership": hold.membership,
        "placed_at": hold.placed_at.isoformat(),
        "hold": hold.id,
    }


def _plain(row: dict[str, Any]) -> str:
    when = f"until {row['ready_until']}" if row["ready_until"] else f"number {row['place']}" if row["place"] else "-"
    return (
        f"{row['copy'] or '-'}  {row['title']}  {row['state']}  {row['branch']}  {when}  {row['membership']}  "
        f"[{row['hold']}]"
    )
