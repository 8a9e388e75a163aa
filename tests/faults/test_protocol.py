"""The protocol of docs/sync.md under everything that may go wrong: two kiosks, central, a network, and their deaths.

Short here; `shelfpoint bench faults --schedules N` plays as many as wanted.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from kiosk.domain.identity import CardKind
from kiosk.domain.journal import Word
from kiosk.domain.reconcile import JOIN, Held
from ui.benchmarks import faults
from ui.benchmarks.faults import STEPS, Scene, Template, draw, play, quick_folder

SEEDS = (21, 44, 68, 96, 109, 152, 357, 358)
"""Among them those that meet the rare cells of the words table."""


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with quick_folder() as folder:
        yield Template.make(folder)


@pytest.fixture
def scene_folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of lost calls are no news here."""
    with capture_logs():
        yield
    structlog.reset_defaults()


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(schedule=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1 << 20)), min_size=20, max_size=50))
def test_no_schedule_of_faults_breaks_a_promise(
    template: Template, scene_folder: Path, schedule: list[tuple[str, int]]
) -> None:
    play(template, scene_folder / "play", schedule)


def test_a_seeded_campaign_keeps_every_promise_and_reaches_every_cell_of_the_words_table(
    template: Template, scene_folder: Path
) -> None:
    cells: Counter[tuple[Held, Word]] = Counter()
    for seed in SEEDS:
        cells += play(template, scene_folder / "play", draw(seed, 60))
    assert set(cells) == set(JOIN)


def test_the_same_schedule_plays_the_same_scene(template: Template, scene_folder: Path) -> None:
    once, twice = (play(template, scene_folder / "play", draw(7, 60)) for _ in range(2))
    assert once == twice


def test_a_kiosk_whose_clock_is_years_behind_tells_a_restored_central_what_it_lost(
    template: Template, scene_folder: Path
) -> None:
    scene = Scene(template, scene_folder)
    kiosk = scene.kiosks[0]
    scene.central.back_up()
    kiosk.reboot(timedelta(days=-400))
    for seed in range(3):
        faults.visit(kiosk, "return", faults.Random(seed))
    kiosk.turn()
    scene.times.go(3700)
    kiosk.turn()
    told = {story.act.id for story in kiosk.stories()}
    scene.central.restore(0)
    scene.end()
    assert told
    assert told <= set(scene.central.central.holdings.acts())
    scene.close()


# --- the checks can fail ------------------------------------------------------------------------------------------


def first_loan(template: Template, folder: Path) -> Scene:
    scene = Scene(template, folder)
    kiosk = scene.kiosks[0]
    for seed in range(50):
        scene.network.dice = faults.Random(seed)
        faults.visit(kiosk, "borrow", faults.Random(seed))
        if any(story.stands for story in kiosk.stories()):
            return scene
    raise AssertionError("no loan in fifty visits")


def test_a_lost_loan_is_noticed(template: Template, scene_folder: Path) -> None:
    scene = first_loan(template, scene_folder)
    with scene.central.central.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM loan")
    with pytest.raises(faults.Violation, match="loans at central"):
        scene.end()
    scene.close()


def test_a_green_tick_without_a_record_is_noticed(template: Template, scene_folder: Path) -> None:
    scene = first_loan(template, scene_folder)
    kiosk = scene.kiosks[0]
    view = kiosk.view
    assert view is not None
    kiosk.log._db.execute("DELETE FROM word")
    with pytest.raises(faults.Violation, match="not recorded"):
        kiosk.show(view)
    scene.close()


def test_a_log_that_does_not_say_it_again_after_a_restore_is_noticed(template: Template, scene_folder: Path) -> None:
    scene = first_loan(template, scene_folder)
    kiosk, central = scene.kiosks[0], scene.central
    kiosk.turn()
    for table in ("word", "act", "loan"):  # a restore that loses the loan ...
        with central.central.database.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    epoch = central.central.renew_epoch()
    kiosk.log._db.execute(
        "UPDATE meta SET value = ? WHERE key = 'epoch'", (epoch,)
    )  # ... and a log that thinks it knew
    with pytest.raises(faults.Violation, match="at central"):
        scene.end()
    scene.close()


def test_a_loan_on_a_card_that_was_given_away_and_is_no_case_is_noticed(template: Template, scene_folder: Path) -> None:
    scene = Scene(template, scene_folder)
    kiosk = scene.kiosks[0]
    kiosk.cut = True
    kiosk.turn()
    kiosk.read_mail()
    scene.times.go(60)
    for number in faults.CARDS:
        with scene.central.central.registry.change("desk") as change:
            change.bind_card("eve", CardKind.EASYCARD, number, take=True)
        scene.cards.bound(number, "eve", scene.times())
    scene.times.go(60)
    for seed in range(20):
        faults.visit(kiosk, "borrow", faults.Random(seed))
    kiosk.cut = False
    faults.settle_down(scene.kiosks, scene.network)
    with scene.central.central.database.write() as connection:
        assert connection.exec_driver_sql("DELETE FROM case_ WHERE reason LIKE 'card_%'").rowcount
    with pytest.raises(faults.Violation, match="card of"):
        scene.end()
    scene.close()


def test_a_judged_act_that_stays_readable_is_noticed(template: Template, scene_folder: Path) -> None:
    scene = first_loan(template, scene_folder)
    for kiosk in scene.kiosks:
        kiosk.sync._seals = None
    with pytest.raises(faults.Violation, match="still to be read"):
        scene.end()
    scene.close()
