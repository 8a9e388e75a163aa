"""A kiosk whose disk is full, or whose files are damaged, as a whole process: nothing is shown that is not kept."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from central_server import CentralServer, quiet_environment

from drivers.virtual.network import VirtualNetwork
from sync import acts, replica
from sync.central.alerts import Rule, alerts
from sync.central_client import load_identity
from sync.encrypted import connect, key_file
from sync.wire import Health
from ui.assembly import DATABASE_KEY

from .test_crash import HERE, PATRON, Story, books, holdings, python_path

PAGE = 4096


@dataclass
class Disk:
    """Where a kiosk's data lie, and what fills that place and frees it again."""

    folder: Path
    fill: Callable[[int], None]
    free: Callable[[int], None]


@pytest.fixture(params=["limit", "tmpfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """`limit`: the process may write no byte more into any file. `tmpfs`: a real, small, full disk."""
    if request.param == "limit":
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        yield Disk(
            tmp_path,
            lambda pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, unlimited[1])) and None,
            lambda pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited) and None,
        )
        return
    place, stopper = tmp_path / "small", tmp_path / "small" / "stopper"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")

    def fill(_pid: int) -> None:
        with stopper.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError:
                return

    yield Disk(place, fill, lambda _pid: stopper.unlink())
    subprocess.run(["umount", "--lazy", place], check=True)


def enrolled(central: CentralServer, folder: Path) -> Story:
    network = VirtualNetwork(central.port)
    settings = central.enrolled_kiosk(folder, network.url, probe_s=0.05, longest_probe_s=0.2, heartbeat_s=0.1)
    return Story(central, network, settings, next(books))


def until(stdout: IO[str], wanted: str, told: list[str]) -> None:
    for line in stdout:
        told.append(line.strip())
        if line.startswith(wanted):
            return
    raise AssertionError(f"never said {wanted!r}: {told}")


def troubles(story: Story, wanted: bool) -> list[str]:
    """Out-of-service alerts of this kiosk at central, waited for."""
    identity = load_identity(story.central.settings(story.settings).keys)
    assert identity is not None
    opened = story.central.open()
    found: list[str] = []
    for _ in range(400):
        kiosk = opened.fleet.find(identity.kiosk)
        assert kiosk is not None
        found = [alert.found for alert in alerts(kiosk, opened.clock()) if alert.rule is Rule.OUT_OF_SERVICE]
        if bool(found) is wanted:
            break
        time.sleep(0.02)
    opened.close()
    return found


def health(story: Story) -> Health:
    """What this kiosk's newest heartbeat said."""
    identity = load_identity(story.central.settings(story.settings).keys)
    assert identity is not None
    opened = story.central.open()
    kiosk = opened.fleet.find(identity.kiosk)
    opened.close()
    assert kiosk is not None
    assert kiosk.health is not None
    return kiosk.health


def test_a_full_disk_shows_nothing_as_done_tells_staff_and_heals(central: CentralServer, disk: Disk) -> None:
    story = enrolled(central, disk.folder)
    assert story.run("online", "never") == 0
    assert len(holdings(story)) == 1
    command = [sys.executable, str(HERE / "kiosk_process.py"), str(story.settings), "full", "never", story.book]
    process = subprocess.Popen(
        [*command, PATRON.number], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=quiet_environment(PYTHONPATH=python_path()), bufsize=1,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    told: list[str] = []
    with process.stdin, process.stdout:
        until(process.stdout, "ready", told)
        disk.fill(process.pid)
        told.clear()
        process.stdin.write("\n")
        until(process.stdout, "out disk_full", told)
        assert not [line for line in told if line.startswith(f"shown {story.book}")]
        assert troubles(story, wanted=True) == ["disk_full"]
        assert len(holdings(story)) == 1
        disk.free(process.pid)
        process.stdin.write("\n")
        until(process.stdout, "finished", told)
        assert troubles(story, wanted=False) == []
        said = health(story)
        assert said.replica_age_ms is not None
        assert said.disk_free_mb is not None
        process.stdin.write("\n")
    assert process.wait(20) == 0
    assert holdings(story) == []
    log = story.log()
    returns = [spoken for spoken, _ in log.words() if spoken.act.item == story.book and spoken.act.deed == "return"]
    log.close()
    assert len(returns) == 1


# --- damaged pages -----------------------------------------------------------------------------------------------


@pytest.fixture
def story(central: CentralServer, tmp_path: Path) -> Story:
    """A kiosk that has lent a book offline and not told of it yet."""
    story = enrolled(central, tmp_path)
    assert story.run("sync", "never") == 0
    story.network.cut()
    assert story.run("offline", "never") == 0
    story.network.restore()
    story.told.clear()
    return story


def spoil(story: Story, name: str, *tables: str) -> None:
    """Overwrite the pages that hold these tables and indexes."""
    settings = story.central.settings(story.settings)
    path = settings.data / name
    db = connect(path, key_file(settings.keys / DATABASE_KEY), durable=True)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    roots = [
        db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0] for table in tables
    ]
    db.close()
    content = bytearray(path.read_bytes())
    for root in roots:
        content[(root - 1) * PAGE + 60 : (root - 1) * PAGE + 360] = b"\xa5" * 300
    path.write_bytes(content)


def test_a_kiosk_started_on_a_damaged_log_says_what_can_be_read_and_serves(story: Story) -> None:
    spoil(story, acts.FILE, "word_of_item", "word_of_membership", "outbox")
    assert story.run("sync", "never") == 0
    assert len(holdings(story)) == 1
    assert f"account {story.book}" in story.told
    data = story.central.settings(story.settings).data
    assert list(data.glob(f"{acts.FILE}.damaged-*"))
    log = story.log()
    rescue = log.rescue()
    log.close()
    assert rescue is not None
    assert (rescue.said_again, rescue.unclear) == (1, 0)


def test_a_kiosk_started_on_a_damaged_replica_fills_it_anew_and_serves(story: Story) -> None:
    spoil(story, replica.FILE, "card", "membership", "item", "loan", "policy")
    assert story.run("sync", "never") == 0
    assert len(holdings(story)) == 1
    assert f"account {story.book}" in story.told
    data = story.central.settings(story.settings).data
    assert (data / f"{replica.FILE}.damaged").exists()
