"""Lists of holds for staff under /v1/staff/holds: who waits, what travels, what is ready and until when (B1, J1).

They read what `shelfpoint central hold list` reads. A branch sees the holds that are picked up there (to fetch: the copies
that stand there); masked names only for who may see names.
"""

from litestar import Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from kiosk.domain.staff import Permission
from sync.central.holds import MOST, HoldLine, HoldList
from sync.central.http.gate import StaffRequest, allows
from sync.central.http.staff import CSV, FAULTS, Count, Offset, Short, sheet
from sync.central.http.staff_shapes import HoldShape
from sync.central.office import Central
from sync.central.sheets import holds_sheet


def _lines(
    request: StaffRequest, state: State, which: HoldList, branch: str | None, membership: str | None, offset: int,
    limit: int,
) -> list[HoldLine]:  # fmt: skip
    central: Central = state.central
    return central.holds.list(
        which,
        branch=branch,
        membership=membership,
        within=request.user.where(Permission.HOLDS_SEE),
        names_within=request.user.where(Permission.NAMES_SEE),
        offset=offset,
        limit=limit,
    )


@get("/holds", sync_to_thread=True, responses=FAULTS, summary="A list of holds", **allows(Permission.HOLDS_SEE))
def holds(
    request: StaffRequest,
    state: State,
    which: FromQuery[HoldList] = HoldList.OPEN,
    branch: Short = None,
    membership: Short = None,
    offset: Offset = 0,
    limit: Count = 100,
) -> list[HoldShape]:
    """Of the caller's places, who waits longest first. `to_clear` and `to_fetch` are copies to be scanned as returned."""
    return [HoldShape.of(line) for line in _lines(request, state, which, branch, membership, offset, limit)]


@get(
    "/holds.csv",
    sync_to_thread=True,
    responses=FAULTS,
    media_type=CSV,
    summary="A list of holds for a spreadsheet",
    **allows(Permission.HOLDS_SEE),
)
def holds_csv(
    request: StaffRequest,
    state: State,
    which: FromQuery[HoldList] = HoldList.OPEN,
    branch: Short = None,
    membership: Short = None,
    offset: Offset = 0,
) -> Response[str]:
    """At most 1,000 lines from `offset` on."""
    return sheet(holds_sheet(_lines(request, state, which, branch, membership, offset, MOST)), "holds.csv")


HOLD_ROUTES: tuple[HTTPRouteHandler, ...] = (holds, holds_csv)
