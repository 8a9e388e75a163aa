"""The staff API: every route asks who is calling and what they may do where; nobody's token opens another's door."""

import csv
import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.testing import TestClient

from kiosk.domain.journal import Deed, Word
from kiosk.domain.staff import (
    EVERYWHERE,
    PERMISSIONS,
    SCOPES,
    Grant,
    Permission,
    Role,
    Scope,
    ScopeKind,
    branch_scope,
)
from kiosk.domain.values import Reason
from sync.central.http.app import make_app
from sync.central.http.gate import ANY_STAFF
from sync.central.limits import BY_ADDRESS
from sync.wire import CalendarEntry, Fault, ItemEntry

from .conftest import NOON

PASSWORD = "correct horse"
SHORT = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
PLACES = {
    ScopeKind.ALL: EVERYWHERE,
    ScopeKind.BRANCH: branch_scope("main"),
    ScopeKind.SCHOOL: Scope(ScopeKind.SCHOOL, "A01"),
}


def routes(app: Litestar) -> list[tuple[str, str, Any]]:
    """method, path, permission (None where there is no gate) of every route of the application."""
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", []):
            if isinstance(handler, HTTPRouteHandler):
                methods = sorted(handler.http_methods - {"OPTIONS", "HEAD"})
                found += [(method, route.path, handler.opt.get("permission")) for method in methods]
    return found


class Door:
    """Calls as a member of staff."""

    def __init__(self, client: Any, central: Any) -> None:
        self.client = client
        self.central = central
        self.numbers = 0

    def someone(self, *grants: Grant) -> str:
        """A token of somebody with these grants."""
        self.numbers += 1
        login = f"user-{self.numbers}"
        self.central.staff.add(login, PASSWORD, grants, who="test")
        return str(self.central.sessions.begin(login, PASSWORD).token)

    def call(self, method: str, path: str, token: str | None, body: Any = None, **more: Any) -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.request(method, path, headers=headers, json=body, **more)


@pytest.fixture
def door(caller: Any, town: Any) -> Door:
    return Door(caller.client, town.central)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).code


def test_every_staff_route_names_its_permission(town: Any) -> None:
    gated = [row for row in routes(make_app(town.central)) if row[1].startswith("/v1/staff/")]
    assert len(gated) == 20
    for method, path, permission in gated:
        if path == "/v1/staff/login":
            assert permission is None
        elif path in ("/v1/staff/logout", "/v1/staff/me"):
            assert permission == ANY_STAFF
        else:
            assert isinstance(permission, Permission), (method, path)


def test_no_staff_route_opens_without_a_session_or_with_a_kiosks_token(town: Any, caller: Any, door: Door) -> None:
    over = door.someone(Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE))
    town.central.sessions.end(over)
    for method, path, permission in routes(make_app(town.central)):
        if permission is None:
            continue
        for token in (None, "", "nonsense", over, "x" * 5000, caller.token(b""), caller.token(b"{}")):
            status, said = code(door.call(method, path, token))
            assert status == 401, (method, path, token)
            assert said in ("no_token", "no_session")


def test_no_kiosk_route_opens_with_a_staff_token(town: Any, door: Door) -> None:
    token = door.someone(*(Grant(role, PLACES[kind]) for role in Role for kind in SCOPES[role]))
    kiosk_routes = [("POST", "/v1/acts"), ("GET", "/v1/feed"), ("POST", "/v1/health"), ("POST", "/v1/staff-entry")]
    served = {row[:2] for row in routes(make_app(town.central)) if row[2] is None and not row[1].startswith("/schema")}
    assert served == {*kiosk_routes, ("GET", "/v1/live"), ("GET", "/metrics"), ("POST", "/v1/enrol"), ("POST", "/v1/staff/login")}  # fmt: skip
    for method, path in kiosk_routes:
        assert code(door.call(method, path, token)) == (401, "bad_token")


@pytest.mark.parametrize("role", Role)
def test_each_route_opens_to_the_roles_with_its_permission_and_to_no_other(town: Any, door: Door, role: Role) -> None:
    for kind in SCOPES[role]:
        token = door.someone(Grant(role, PLACES[kind]))
        for method, path, permission in routes(make_app(town.central)):
            if permission is None or permission == ANY_STAFF:
                continue
            answer = door.call(method, path, token, None if method == "GET" else {})
            if permission not in PERMISSIONS[role]:
                assert code(answer) == (403, "forbidden"), (method, path)
            elif permission is Permission.AUDIT_SEE and kind is not ScopeKind.ALL:
                assert answer.status_code == 403
            else:
                assert answer.status_code in (200, 400), (method, path, answer.text)


def test_a_branch_sees_and_works_its_own_cases_and_kiosks_only(town: Any, door: Door) -> None:
    town.say(Word.FACT, "e", membership="eve")
    main = door.someone(Grant(Role.BRANCH_HEAD, branch_scope("main")))
    with town.central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east", name="東區分館"))
    east = door.someone(Grant(Role.BRANCH_HEAD, branch_scope("east")))
    (case,) = door.call("GET", "/v1/staff/cases", main).json()
    assert (case["reason"], case["name"]) == (Reason.MEMBERSHIP_BLOCKED.value, "林○")
    assert case["why"]
    assert case["advise"]
    assert [kiosk["id"] for kiosk in door.call("GET", "/v1/staff/fleet", main).json()] == ["main-1"]
    for path in ("cases", "fleet"):
        assert door.call("GET", f"/v1/staff/{path}", east).json() == []
    for path in ("assign", "done"):
        assert code(door.call("POST", f"/v1/staff/cases/{path}", east, {"case": case["id"]})) == (403, "forbidden")
    assert code(door.call("POST", "/v1/staff/cases/done", main, {"case": "none"})) == (404, "not_found")
    closed = door.call("POST", "/v1/staff/cases/done", main, {"case": case["id"], "how": "已聯絡"})
    assert (closed.status_code, closed.json()["closed_how"]) == (200, "已聯絡")
    assert door.call("GET", "/v1/staff/cases", main).json() == []
    sheet = door.call("GET", "/v1/staff/cases.csv", main, params={"include_closed": True, "language": "en"})
    assert sheet.headers["content-type"].startswith("text/csv")
    assert case["id"] in sheet.text


def reserved(town: Any) -> None:
    """Ann waits for a copy of w at main, for Ben one is ready there, for Dora one travels to east; Ann's C1 is ready too."""
    with town.central.registry.change("test") as change:
        change.branch(CalendarEntry(branch="east", name="東區分館"))
        change.items([ItemEntry(id=f"W{number}", title="同一本書", branch="main", work="w") for number in range(1, 4)])
    until = NOON + timedelta(days=7)
    for number, (who, branch) in enumerate((("ben", "main"), ("dora", "east"), ("ann", "main")), start=1):
        wish = town.word(Word.FACT, f"h{number}", deed=Deed.PLACE_HOLD, membership=who, item="W1", minute=number)
        town.tell(msgspec.structs.replace(wish, branch=branch))
    town.say(Word.FACT, "lent", item="W3", membership="eve", minute=5)
    for number in (1, 2):
        town.say(
            Word.FACT, f"r{number}", deed=Deed.RETURN, item=f"W{number}", minute=9, hold=f"h{number}", due_at=until
        )


def test_a_branch_sees_the_holds_that_are_picked_up_there(town: Any, door: Door) -> None:
    reserved(town)
    main = door.someone(Grant(Role.CIRCULATION, branch_scope("main")))
    east = door.someone(Grant(Role.CIRCULATION, branch_scope("east")))
    ready, waiting = door.call("GET", "/v1/staff/holds", main).json()
    assert (ready["hold"], ready["state"], ready["item"], ready["name"]) == ("h1", "ready", "W1", "歐陽○")
    assert (ready["last_day"], ready["place"]) == ("2026-12-01", None)
    assert (waiting["hold"], waiting["state"], waiting["place"], waiting["name"]) == ("h3", "waiting", 1, "王○")
    (travels,) = door.call("GET", "/v1/staff/holds", east).json()
    assert (travels["hold"], travels["state"], travels["item"], travels["last_day"]) == ("h2", "on_the_way", "W2", None)
    assert [one["hold"] for one in door.call("GET", "/v1/staff/holds", main, params={"which": "ready"}).json()] == [
        "h1"
    ]
    assert door.call("GET", "/v1/staff/holds", main, params={"branch": "east"}).json() == []
    assert door.call("GET", "/v1/staff/holds", main, params={"which": "nothing"}).status_code == 400
    assert door.call("GET", "/v1/staff/holds", main, params={"limit": 1001}).status_code == 400


def test_holds_of_all_branches_come_page_by_page_and_an_auditor_sees_no_name(town: Any, door: Door) -> None:
    reserved(town)
    every = door.someone(Grant(Role.HEADQUARTERS, EVERYWHERE))
    pages = [
        door.call("GET", "/v1/staff/holds", every, params={"offset": start, "limit": 2}).json() for start in (0, 2, 4)
    ]
    assert [[one["hold"] for one in page] for page in pages] == [["h1", "h2"], ["h3"], []]
    auditor = door.someone(Grant(Role.AUDITOR, EVERYWHERE))
    told = door.call("GET", "/v1/staff/holds", auditor, params={"membership": "ann"}).json()
    assert [(one["membership"], one["name"]) for one in told] == [("ann", None)]


def test_what_is_to_be_fetched_is_listed_where_it_stands(town: Any, door: Door) -> None:
    reserved(town)
    token = door.someone(Grant(Role.CIRCULATION, branch_scope("main")))
    asked = {"which": "to_fetch"}
    assert door.call("GET", "/v1/staff/holds", token, params=asked).json() == []
    town.say(Word.FACT, "r3", deed=Deed.RETURN, item="W3", minute=20)
    assert [(one["hold"], one["item"]) for one in door.call("GET", "/v1/staff/holds", token, params=asked).json()] == [
        ("h3", "W3")
    ]
    assert door.call("GET", "/v1/staff/holds", token, params={**asked, "offset": 1}).json() == []


def test_a_list_of_holds_is_a_sheet_with_the_last_day(town: Any, door: Door) -> None:
    reserved(town)
    token = door.someone(Grant(Role.BRANCH_HEAD, branch_scope("main")))
    answer = door.call("GET", "/v1/staff/holds.csv", token)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    assert [(row["hold"], row["place"], row["ready_until"], row["name"]) for row in rows] == [
        ("h1", "", "2026-12-01", "歐陽○"), ("h3", "1", "", "王○"),
    ]  # fmt: skip


def test_an_auditor_sees_cases_without_names_and_the_audit(town: Any, door: Door) -> None:
    town.say(Word.FACT, "e", membership="eve")
    token = door.someone(Grant(Role.AUDITOR, EVERYWHERE))
    assert [case["name"] for case in door.call("GET", "/v1/staff/cases", token).json()] == [None]
    lines = door.call("GET", "/v1/staff/audit", token, params={"what": "kiosk enrolled"}).json()
    assert [line["subject"] for line in lines] == ["main-1"]
    assert "kiosk enrolled" in door.call("GET", "/v1/staff/audit.csv", token).text
    assert door.call("GET", "/v1/staff/audit", token, params={"since": "2026-11-24T04:00:00"}).status_code == 400


def test_an_administrator_looks_after_users_and_each_change_bears_their_id(town: Any, door: Door) -> None:
    token = door.someone(Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE))
    me = door.call("GET", "/v1/staff/me", token).json()
    new = {"login": "lin", "password": PASSWORD, "grants": [{"role": "circulation", "scope": "branch:main"}]}
    added = door.call("POST", "/v1/staff/users", token, new)
    assert (added.status_code, added.json()["grants"]) == (201, new["grants"])
    assert code(door.call("POST", "/v1/staff/users", token, new)) == (400, "bad_request")
    change = {"user": "lin", "role": "headquarters", "scope": "branch:main"}
    assert code(door.call("POST", "/v1/staff/users/grant", token, change)) == (400, "bad_request")
    change["scope"] = "all"
    assert door.call("POST", "/v1/staff/users/grant", token, change).status_code == 200
    assert door.call("POST", "/v1/staff/users/revoke", token, change).status_code == 200
    assert door.call("POST", "/v1/staff/users/unlock", token, {"user": "lin"}).status_code == 200
    named = {"user": "lin", "password": "another password"}
    assert door.call("POST", "/v1/staff/users/password", token, named).status_code == 204
    assert door.call("POST", "/v1/staff/users/disable", token, {"user": "lin"}).json()["disabled"]
    assert not door.call("POST", "/v1/staff/users/enable", token, {"user": "lin"}).json()["disabled"]
    assert code(door.call("POST", "/v1/staff/users/disable", token, {"user": "nobody"})) == (404, "not_found")
    assert [user["login"] for user in door.call("GET", "/v1/staff/users", token).json()] == ["lin", me["login"]]
    whats = {line.what for line in town.central.audit.lines(who=me["id"], subject=added.json()["id"])}
    assert {"staff added", "grant given", "grant revoked", "password set", "staff disabled"} <= whats


def login(client: Any, name: str, password: str = PASSWORD, **headers: str) -> Any:
    return client.post("/v1/staff/login", json={"login": name, "password": password}, headers=headers)


def test_logging_in_and_out(town: Any, door: Door) -> None:
    town.central.staff.add("chen", PASSWORD, who="test")
    begun = login(door.client, "Chen").json()
    assert door.call("GET", "/v1/staff/me", begun["token"]).json() == begun["user"]
    assert door.call("POST", "/v1/staff/logout", begun["token"]).status_code == 204
    assert code(door.call("GET", "/v1/staff/me", begun["token"])) == (401, "no_session")
    assert code(login(door.client, "chen", "wrong")) == code(login(door.client, "nobody")) == (401, "bad_login")


def test_a_locked_login_is_told_when_to_come_back(town: Any, door: Door) -> None:
    town.central.staff.add("chen", PASSWORD, who="test")
    for _ in range(5):
        login(door.client, "chen", "wrong")
    answer = login(door.client, "chen")
    assert code(answer) == (429, "login_locked")
    assert answer.headers["retry-after"] == "900"


def coming_from(address: str, app: Any) -> Any:
    """The application as a client at this address meets it."""

    async def met(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["client"] = (address, 50_000)
        await app(scope, receive, send)

    return met


def test_logins_and_enrolments_are_limited_by_client_address(town: Any) -> None:
    with TestClient(coming_from("127.0.0.1", make_app(town.central))) as proxied:
        for number in range(BY_ADDRESS.times):
            login(proxied, f"name {number}", **{"X-Real-IP": "192.0.2.9"})
        refused = login(proxied, "chen", **{"X-Real-IP": "192.0.2.9"})
        assert code(refused) == (429, "too_often")
        assert int(refused.headers["retry-after"]) > 0
        assert login(proxied, "chen", **{"X-Real-IP": "192.0.2.10"}).status_code == 401
    with TestClient(coming_from("198.51.100.7", make_app(town.central))) as direct:
        enrol = {"code": "AAAA-AAAA-AAAA", "public_key": "A" * 43}
        for number in range(BY_ADDRESS.times):
            direct.post("/v1/enrol", json=enrol, headers={"X-Real-IP": f"192.0.2.{number}"})  # believed of no stranger
        assert code(direct.post("/v1/enrol", json=enrol)) == (429, "too_often")


def test_who_gets_in_is_never_too_often(town: Any, caller: Any, door: Door) -> None:
    town.central.staff.add("chen", PASSWORD, who="test")
    assert {login(door.client, "chen").status_code for _ in range(BY_ADDRESS.times + 1)} == {200}
    codes = [town.central.fleet.make_code("main") for _ in range(BY_ADDRESS.times + 1)]
    assert {caller.enrol(code) for code in codes} == {200}


STAFF_OPERATIONS = [
    ("POST", "/v1/staff/login"),
    ("POST", "/v1/staff/users"),
    ("POST", "/v1/staff/users/grant"),
    ("POST", "/v1/staff/users/revoke"),
    ("POST", "/v1/staff/users/password"),
    ("POST", "/v1/staff/users/disable"),
    ("POST", "/v1/staff/users/enable"),
    ("POST", "/v1/staff/users/unlock"),
    ("GET", "/v1/staff/users"),
    ("GET", "/v1/staff/me"),
    ("GET", "/v1/staff/cases"),
    ("GET", "/v1/staff/cases.csv"),
    ("POST", "/v1/staff/cases/assign"),
    ("POST", "/v1/staff/cases/done"),
    ("GET", "/v1/staff/holds"),
    ("GET", "/v1/staff/holds.csv"),
    ("GET", "/v1/staff/fleet"),
    ("GET", "/v1/staff/audit"),
    ("GET", "/v1/staff/audit.csv"),
]


@pytest.mark.parametrize(("method", "path"), STAFF_OPERATIONS)
def test_whatever_fits_the_schema_gets_an_answer_that_fits_it_too(
    town: Any, door: Door, method: str, path: str
) -> None:
    token = door.someone(Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE), Grant(Role.HEADQUARTERS, EVERYWHERE))
    schema = schemathesis.openapi.from_asgi("/schema/openapi.json", make_app(town.central))
    operation = schema[path][method]

    @SHORT
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = None if method == "GET" else json.dumps(case.body).encode()
        answer = door.client.request(method, path, content=content, headers=headers, params=dict(case.query or {}))
        assert answer.status_code in {200, 201, 204, 400, 401, 403, 404, 413, 429}, answer.text
        case.operation.validate_response(answer)

    ask()


@pytest.mark.parametrize("strange", ["\0", "\ud800", "x" * 300, "\u202e"])
def test_text_that_no_database_holds_is_no_failure_of_ours(door: Door, strange: str) -> None:
    token = door.someone(Grant(Role.SYSTEM_ADMINISTRATOR, EVERYWHERE), Grant(Role.HEADQUARTERS, EVERYWHERE))
    said = json.dumps({"login": strange, "password": strange, "user": strange, "case": strange, "how": strange,
                       "assignee": strange, "role": "headquarters", "scope": f"branch:{strange}"})  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for method, path in STAFF_OPERATIONS:
        if method == "POST":
            answer = door.client.post(path, content=said, headers=headers)
        else:
            plain = strange.encode("utf-8", "surrogatepass").decode("latin1")
            query = dict.fromkeys(("branch", "assignee", "membership", "who", "what", "subject"), plain)
            answer = door.client.get(path, params=query, headers=headers)
        assert answer.status_code < 500, (path, answer.text)
