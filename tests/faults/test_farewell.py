"""`central revoke --retire | --stolen` through real processes: the command, central, the line, the kiosk's files."""

from pathlib import Path

import pytest
from central_server import CentralServer
from click.testing import CliRunner

from drivers.virtual.network import VirtualNetwork
from kiosk.domain.values import Reason
from sync import wipe
from sync.central_client import load_identity
from ui.assembly import TOOK_LEAVE
from ui.cli.main import shelfpoint

from .test_crash import Story, books, holdings


@pytest.fixture
def story(central: CentralServer, tmp_path: Path) -> Story:
    network = VirtualNetwork(central.port)
    settings = central.enrolled_kiosk(tmp_path, network.url, probe_s=0.05, longest_probe_s=0.2)
    story = Story(central, network, settings, next(books))
    assert story.run("sync", "never") == 0
    network.cut()
    assert story.run("offline", "never") == 0
    assert story.shown
    network.restore()
    return story


def command(*arguments: str) -> str:
    done = CliRunner().invoke(shelfpoint, list(arguments))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def revoke(story: Story, *how: str) -> str:
    identity = load_identity(story.central.settings(story.settings).keys)
    assert identity is not None
    command("central", "revoke", identity.kiosk, *how, "--data", str(story.central.data))
    return identity.kiosk


def remaining(story: Story) -> set[str]:
    settings = story.central.settings(story.settings)
    return {path.name for folder in (settings.data, settings.keys) for path in folder.iterdir()} - {"running.lock"}


@pytest.mark.parametrize("how", [[], ["--retire"]], ids=["no option", "--retire"])
def test_a_retired_kiosk_tells_what_it_has_not_told_and_forgets_everything(story: Story, how: list[str]) -> None:
    revoke(story, *how)
    assert holdings(story) == []
    assert story.run("sync", "never") == TOOK_LEAVE
    assert len(holdings(story)) == 1
    assert remaining(story) == set()


def test_a_stolen_kiosk_forgets_everything_and_what_it_had_not_told_becomes_a_case(story: Story) -> None:
    kiosk = revoke(story, "--stolen")
    assert story.run("sync", "never") == TOOK_LEAVE
    settings = story.central.settings(story.settings)
    (rest,) = wipe.left_behind(settings.data)
    assert rest.name.startswith(f"left-{kiosk}-")
    assert remaining(story) == {rest.name}
    assert holdings(story) == []
    doctor = CliRunner().invoke(shelfpoint, ["doctor", "--config", str(story.settings)])
    assert "acts sealed for central" in doctor.output
    told = command("central", "parcel", "take", str(rest), "--data", str(story.central.data))
    assert f"{kiosk}, parcel 1: 1 acts. No answer is needed." in told
    opened = story.central.open()
    (case,) = (case for case in opened.holdings.cases() if case.kiosk == kiosk)
    opened.close()
    assert (case.reason, case.item) == (Reason.SEALED_BY_STOLEN_KIOSK, story.book)
    assert holdings(story) == []


def test_a_kiosk_that_was_wiped_says_that_it_is_not_enrolled(story: Story) -> None:
    revoke(story, "--stolen")
    assert story.run("sync", "never") == TOOK_LEAVE
    story.told.clear()
    assert story.run("sync", "never") == 1
    assert story.central.settings(story.settings).keys.exists()
    assert load_identity(story.central.settings(story.settings).keys) is None
