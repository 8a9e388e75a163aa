"""Who is told of which kiosk: alerts by rule, the list on the command line, figures for Prometheus."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from kiosk.domain.staff import Grant, Role, branch_scope
from sync.central.alerts import Rule, alerts
from sync.central.http.inside import make_inside_app
from sync.central.metrics import metrics
from sync.wire import Health
from ui.cli.central import central as central_command

DEVICES = {"printer": "absent", "reader": "ready"}


def health(**more: Any) -> Health:
    return Health(**{"incarnation": "log-1", "program": "test", "queue_length": 0} | more)


def raised(town: Any) -> set[tuple[Rule, str]]:
    (kiosk,) = town.central.fleet.all()
    return {(alert.rule, alert.found) for alert in alerts(kiosk, town.clock.now)}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (health(devices={"printer": "ready", "reader": "ready"}, queue_age_ms=3_600_000), set()),
        (health(queue_length=3, queue_age_ms=3_660_000), {(Rule.QUEUE_OLD, "61 min")}),
        (health(replica_age_ms=90_000_000), {(Rule.REPLICA_OLD, "1500 min")}),
        (health(clock_offset_ms=-61_000), {(Rule.CLOCK, "-61 s")}),
        (health(clock_offset_ms=60_000), set()),
        (health(disk_free_mb=499), {(Rule.DISK, "499 MB free")}),
        (health(disk_free_mb=500), set()),
        (health(trouble="disk_full"), {(Rule.OUT_OF_SERVICE, "disk_full")}),
        (health(devices={"printer": "ready: paper_low"}), {(Rule.PAPER, "printer: paper_low")}),
        (
            health(devices={"printer": "fault: paper_out", "reader": "absent"}),
            {(Rule.PAPER, "printer: paper_out"), (Rule.DEVICE, "reader: absent")},
        ),
    ],
)
def test_a_heartbeat_raises_what_is_wrong_and_nothing_else(
    caller: Any, town: Any, said: Health, expected: set[tuple[Rule, str]]
) -> None:
    assert caller.call("POST", "/v1/health", said).status_code == 200
    assert raised(town) == expected


def test_a_heartbeat_out_of_all_bounds_is_kept_within_them(caller: Any, town: Any) -> None:
    said = {
        "incarnation": "log-1",
        "program": "p\n" * 5000,
        "queue_length": -(2**63),
        "queue_age_ms": 2**63 - 1,
        "replica_age_ms": 10**17,
        "clock_offset_ms": -(2**63),
        "devices": {f"d{number}" * 99: "absent: " + "x" * 9000 for number in range(90)},
        "trouble": "t" * 9000,
        "disk_free_mb": 2**62,
    }
    assert caller.call("POST", "/v1/health", said).status_code == 200
    (kiosk,) = town.central.fleet.all()
    assert len(msgspec.json.encode(kiosk.health)) < 20_000
    assert {rule for rule, _ in raised(town)} >= {Rule.QUEUE_OLD, Rule.OUT_OF_SERVICE, Rule.CLOCK, Rule.DEVICE}
    assert b"shelfpoint" in metrics(town.central)
    assert "main-1" in fleet(town).stdout


def test_a_silent_kiosk_is_told_after_a_quarter_of_an_hour_and_a_revoked_one_never(caller: Any, town: Any) -> None:
    town.clock.go(minutes=16)
    assert raised(town) == {(Rule.NEVER_HEARD, "enrolled 16 min ago")}
    caller.call("POST", "/v1/health", health(devices={"reader": "absent"}))
    town.clock.go(minutes=15)
    assert raised(town) == {(Rule.DEVICE, "reader: absent")}
    town.clock.now += timedelta(seconds=61)
    assert raised(town) == {(Rule.OFFLINE, "16 min")}
    town.central.fleet.revoke(caller.kiosk)
    assert raised(town) == set()


def test_prometheus_reads_the_fleet_and_no_person(caller: Any, town: Any) -> None:
    caller.call("POST", "/v1/health", health(queue_length=7, queue_age_ms=7_200_000, devices=DEVICES))
    town.clock.go(seconds=30)
    assert caller.client.get("/metrics").status_code == 404  # not where everybody can ask
    with TestClient(make_inside_app(town.central)) as inside:
        answer = inside.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    devices = [
        (sample.labels["device"], sample.labels["state"], sample.labels["reason"])
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "shelfpoint_kiosk_device" and sample.labels["kiosk"] == caller.kiosk
    ]
    kiosk = caller.kiosk
    assert figures["shelfpoint_kiosks",] == 1
    assert figures["shelfpoint_open_cases",] == 0
    assert figures["shelfpoint_feed_position",] == town.central.feed.head()
    assert figures["shelfpoint_kiosk_silent_seconds", kiosk] == 30
    assert figures["shelfpoint_kiosk_queue_length", kiosk] == 7
    assert figures["shelfpoint_kiosk_queue_age_seconds", kiosk] == 7200
    wrong = {key[2] for key, value in figures.items() if key[0] == "shelfpoint_kiosk_alert" and value}
    assert wrong == {"queue_old", "device"}
    assert devices == [("printer", "absent", ""), ("reader", "ready", "")]
    assert not re.search("ann|王|1A2B3C4D", answer.text)


FULL = health(
    queue_length=7, queue_age_ms=7_200_000, replica_age_ms=300_000, clock_offset_ms=-1500, disk_free_mb=812,
    devices={"printer": "fault: paper_out", "reader": "ready"}, trouble="disk_full",
)  # fmt: skip


def fleet(town: Any, *arguments: str) -> Any:
    place = ["--data", str(town.settings.data)]
    if town.settings.database is not None:
        place += ["--database", town.settings.database]
    return CliRunner().invoke(central_command, ["fleet", *arguments, *place])


def test_the_command_line_lists_the_fleet(caller: Any, town: Any) -> None:
    told = fleet(town, "--json")
    (row,) = json.loads(told.output)
    assert (row["kiosk"], row["branch"], row["heard_at"], row["devices"]) == (caller.kiosk, "main", None, None)
    assert told.exit_code == bool(row["alerts"])
    assert "heard never" in fleet(town).output
    assert fleet(town, "main-9").exit_code == 2


def test_all_that_a_heartbeat_tells_is_shown_to_staff_and_on_the_command_line(caller: Any, town: Any) -> None:
    town.clock.now = datetime.now(UTC)  # the command has the machine's clock
    assert caller.call("POST", "/v1/health", FULL).status_code == 200
    (row,) = json.loads(fleet(town, "--json").output)
    told = {name: value for name, value in msgspec.to_builtins(FULL).items() if name in row}
    assert len(told) == 8
    assert {name: row[name] for name in told} == told
    town.central.staff.add("chen", "correct horse", [Grant(Role.BRANCH_HEAD, branch_scope("main"))], who="test")
    token = town.central.sessions.begin("chen", "correct horse").token
    (shown,) = caller.call("GET", "/v1/staff/fleet", token=token).json()
    assert {name: shown[name] for name in told} == told
    line = fleet(town).output.splitlines()[0]
    for part in (caller.kiosk, "queue 7 (2 h)", "data 5 min old", "clock -1.5 s", "disk 812 MB", "out_of_service"):
        assert part in line
    assert "    reader: ready" not in fleet(town).output.splitlines()
    assert "    reader: ready" in fleet(town, "--devices").output.splitlines()
    detail = fleet(town, caller.kiosk)
    assert detail.exit_code == 1
    for part in ("  queue 7 (2 h)", "  program test", "  serves nobody: disk_full", "    printer: fault: paper_out"):
        assert part in detail.output.splitlines()
    town.central.fleet.revoke(caller.kiosk)
    assert (fleet(town, caller.kiosk).exit_code, "  revoked " in fleet(town, caller.kiosk).output) == (0, True)
