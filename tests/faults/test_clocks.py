"""A book lent at one kiosk and taken back, or lent on, at another whose clock is a day wrong: who has it is still right."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

import pytest
import structlog
from structlog.testing import capture_logs

from kiosk.domain.calendar import due_at
from kiosk.domain.identity import CardRead, Technology
from kiosk.domain.journal import Deed, Mode
from kiosk.domain.values import Reason
from kiosk.ports import CardArrived, CardLeft, CodeRead, Intent, Link, Ticked, Touched
from ui.benchmarks.branch import KioskSide, settle_down
from ui.benchmarks.faults import BOOKS, CARDS, Scene, Template, Violation, quick_folder, staff

BOOK = BOOKS[0]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with quick_folder() as folder:
        yield Template.make(folder)


@pytest.fixture
def scene(template: Template) -> Iterator[Scene]:
    """Both kiosks online, the network calm; an hour passes between two things that happen."""
    with quick_folder() as folder, capture_logs():
        scene = Scene(template, folder)
        settle_down(scene.kiosks, scene.network)
        for kiosk in scene.kiosks:
            assert kiosk.sync.link is Link.ONLINE
        yield scene
        scene.close()
    structlog.reset_defaults()


def borrow(scene: Scene, kiosk: KioskSide, card: str = CARDS[0]) -> None:
    scene.times.go(3600)
    kiosk.handle(Ticked(), Touched(Intent.END))
    kiosk.handle(CardArrived("reader", CardRead(bytes.fromhex(card), Technology.ISO14443A)), CardLeft("reader"))
    kiosk.handle(CodeRead("scanner", BOOK))
    kiosk.turn()
    kiosk.read_mail()
    kiosk.handle(Touched(Intent.END))


def give_back(scene: Scene, kiosk: KioskSide) -> None:
    scene.times.go(3600)
    kiosk.handle(Ticked(), Touched(Intent.END), Touched(Intent.RETURN), CodeRead("scanner", BOOK))
    kiosk.turn()
    kiosk.read_mail()
    kiosk.handle(Touched(Intent.END))


def cut_off(scene: Scene, kiosk: KioskSide) -> None:
    """From now on this kiosk's calls are lost; it notices."""
    kiosk.cut = True
    scene.times.go(60)
    kiosk.turn()
    kiosk.read_mail()


def meet_again(scene: Scene) -> None:
    scene.times.go(3600)
    for kiosk in scene.kiosks:
        kiosk.cut = False
    scene.end()


def refused_for(kiosk: KioskSide) -> Reason | None:
    """What the newest borrowing was refused for; the visit is over since, so it is asked once more."""
    kiosk.handle(CardArrived("reader", CardRead(bytes.fromhex(CARDS[0]), Technology.ISO14443A)), CardLeft("reader"))
    kiosk.handle(CodeRead("scanner", BOOK))
    assert kiosk.view is not None
    message = kiosk.view.message
    kiosk.handle(Touched(Intent.DISMISS), Touched(Intent.END))
    return None if message is None else message.reason


def holder(scene: Scene) -> str | None:
    loans = {loan.item: str(loan.membership) for loan in scene.central.central.holdings.open_loans()}
    return loans.get(BOOK)


def unknown_orders(scene: Scene) -> int:
    return sum(case.reason is Reason.ORDER_UNKNOWN for case in scene.central.central.holdings.cases())


def jump(kiosk: KioskSide, skew: timedelta) -> None:
    kiosk.clock.skew = skew


def boot(kiosk: KioskSide, skew: timedelta) -> None:
    kiosk.reboot(skew)


wrong = pytest.mark.parametrize("skew", [-DAY, DAY], ids=["a day back", "a day ahead"])
at = pytest.mark.parametrize("becomes_wrong", [jump, boot], ids=["while running", "at start"])


@wrong
@at
def test_a_return_after_a_loan_elsewhere_ends_it(
    scene: Scene, skew: timedelta, becomes_wrong: Callable[[KioskSide, timedelta], None]
) -> None:
    here, there = scene.kiosks
    cut_off(scene, here)
    becomes_wrong(here, skew)
    borrow(scene, there)
    assert holder(scene) == "ann"
    give_back(scene, here)
    meet_again(scene)
    assert holder(scene) is None
    assert unknown_orders(scene) == 0


@wrong
@at
def test_a_return_before_a_loan_elsewhere_leaves_it(
    scene: Scene, skew: timedelta, becomes_wrong: Callable[[KioskSide, timedelta], None]
) -> None:
    here, there = scene.kiosks
    borrow(scene, here)
    scene.kiosks[0].pull()
    cut_off(scene, here)
    cut_off(scene, there)
    becomes_wrong(here, skew)
    give_back(scene, here)
    borrow(scene, there, CARDS[1])  # offline: its replica has not heard of the loan
    meet_again(scene)
    assert holder(scene) == "ben"
    assert unknown_orders(scene) == 0


def test_a_return_never_comes_before_what_its_kiosk_had_been_told(scene: Scene) -> None:
    here, there = scene.kiosks
    borrow(scene, there)
    here.pull()
    cut_off(scene, here)
    here.reboot(-DAY)
    give_back(scene, here)
    here.reboot(timedelta())  # what the clock of that boot was worth is never known
    meet_again(scene)
    assert holder(scene) is None
    assert unknown_orders(scene) == 0


def test_an_order_that_nobody_can_know_is_a_case_for_a_person(scene: Scene) -> None:
    here, there = scene.kiosks
    here.pull()
    cut_off(scene, here)
    here.reboot(-DAY)
    borrow(scene, there)
    give_back(scene, here)
    here.reboot(timedelta())
    meet_again(scene)
    assert unknown_orders(scene) == 1
    (case,) = scene.central.central.holdings.cases()
    assert (case.item, case.membership) == (BOOK, "ann")


def test_a_clock_put_right_while_running_dates_the_acts_before_it_as_well(scene: Scene) -> None:
    here, there = scene.kiosks
    cut_off(scene, here)
    here.reboot(-DAY)
    borrow(scene, there)
    give_back(scene, here)
    here.clock.skew = timedelta()
    meet_again(scene)
    assert holder(scene) is None
    assert unknown_orders(scene) == 0


@wrong
def test_a_kiosk_with_a_wrong_clock_that_has_heard_central_shows_the_right_date_offline(
    scene: Scene, skew: timedelta
) -> None:
    here, _ = scene.kiosks
    jump(here, skew)
    here.handle(Ticked())
    scene.times.go(60)
    here.turn()
    cut_off(scene, here)
    borrow(scene, here)
    shown = here.view
    assert shown is not None
    assert shown.now == scene.times().replace(second=0, microsecond=0)
    (story,) = [story for story in here.stories() if story.act.deed is Deed.CHECKOUT]
    right = due_at(scene.times(), 28, here.knowledge.calendar(story.act.branch))
    assert (story.act.mode, story.act.due_at) == (Mode.OFFLINE, right)
    meet_again(scene)
    (loan,) = scene.central.central.holdings.open_loans()
    assert loan.due_at == right


def test_a_kiosk_that_restarts_offline_before_centrals_last_word_lends_nothing_until_staff_confirm_the_time(
    scene: Scene,
) -> None:
    here, _ = scene.kiosks
    jump(here, -DAY)  # long since: its own times agree with it
    scene.times.go(60)
    for _ in range(3):
        here.turn()
        here.pull()
        scene.times.go(5)
    cut_off(scene, here)
    here.reboot(-DAY)
    here.read_mail()
    borrow(scene, here)
    assert here.stories() == []
    assert refused_for(here) is Reason.CLOCK_DOUBTFUL
    give_back(scene, here)
    assert [story.act.doubtful for story in here.stories()] == [True]  # returns go on
    staff(here, Random(3))  # not while the clock stands before what central said
    borrow(scene, here)
    assert refused_for(here) is Reason.CLOCK_DOUBTFUL
    jump(here, timedelta())
    staff(here, Random(3))
    borrow(scene, here)
    assert next(iter(here.stories())).act.deed is Deed.CHECKOUT


def test_central_alone_confirms_the_time_too(scene: Scene) -> None:
    here, _ = scene.kiosks
    jump(here, -DAY)
    scene.times.go(60)
    here.turn()
    here.pull()
    here.reboot(-DAY)
    scene.times.go(1)
    here.turn()
    here.read_mail()
    cut_off(scene, here)
    borrow(scene, here)
    assert [story.act.mode for story in here.stories()] == [Mode.OFFLINE]


def test_a_wrongly_dated_act_is_noticed(scene: Scene) -> None:
    here, _ = scene.kiosks
    cut_off(scene, here)
    give_back(scene, here)
    for made in scene.times.acts:
        scene.times.acts[made] += timedelta(minutes=1)
    with pytest.raises(Violation, match="dated wrongly"):
        meet_again(scene)
