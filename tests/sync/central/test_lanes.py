"""A lane keeps one kind of work apart, in order and within its bounds."""

import asyncio
import threading

import pytest

from sync.central.http.lanes import Lane, LaneFull


def test_a_lane_does_its_work_in_order_on_its_own_threads() -> None:
    done: list[int] = []

    async def story() -> None:
        lane = Lane("pages", threads=1)
        names = await asyncio.gather(*(lane.do(lambda n=n: (done.append(n), threading.current_thread().name)[1]) for n in range(5)))  # type: ignore[misc]  # fmt: skip
        assert all(name.startswith("pages") for name in names)
        lane.close()

    asyncio.run(story())
    assert done == [0, 1, 2, 3, 4]


def test_a_full_lane_refuses_at_once_and_has_room_again_when_something_is_done() -> None:
    async def story() -> None:
        lane, hold = Lane("passwords", threads=1, places=3, each=2), threading.Event()
        under_way = [asyncio.create_task(lane.do(hold.wait, "a")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(LaneFull):
            await lane.do(hold.wait, "a")  # no asker has more than its share
        under_way.append(asyncio.create_task(lane.do(hold.wait, "b")))
        await asyncio.sleep(0)
        with pytest.raises(LaneFull):
            await lane.do(hold.wait, "c")  # and all together no more than there are places
        hold.set()
        assert await asyncio.gather(*under_way) == [True] * 3
        assert await lane.do(hold.wait, "a")
        lane.close()

    asyncio.run(story())


def test_what_the_work_raises_is_raised_and_the_place_is_free_again() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def story() -> None:
        lane = Lane("passwords", threads=1, places=1, nice=5)
        for _ in range(3):
            with pytest.raises(ValueError, match="no"):
                await lane.do(fail)
        lane.close()

    asyncio.run(story())
