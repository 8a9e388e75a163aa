"""The kiosk's two sync threads: `sync-acts` (ask, drain, heartbeat, link) and `sync-feed` (pull into the replica).

`sync-acts` owns its client and its connection to the acts file. An ask goes before everything else; exactly one
VerdictCame or AnswerMissing is posted for each, at the latest when its deadline is over, counted from the asking: while
online no other call may last longer either, for an ask may come behind it. While online it sends a heartbeat; while offline it
probes, and each good probe drains what waits; for the time of each push it lends its client to a helper thread, `sync-push`.
Facts and withdrawals stay in the outbox until a well-formed verdict is on disk.

`sync-feed` owns its client and the replica's writing half: long poll 25 s, slices of at most 10 ms, and a failed
call asks `sync-acts` to look at once whether central is still there. When central was restored, every kiosk must read a
snapshot: each begins it at a moment of its own, and serves on what it knows until then.

`turn()` does one piece of work without waiting, so tests drive both without threads or sleeps.
"""

import queue
import random
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from kiosk.domain.journal import Spoken
from kiosk.domain.values import ActId
from kiosk.ports import (
    AnswerMissing,
    CentralError,
    CentralReason,
    Clock,
    LedgerError,
    Link,
    LinkChanged,
    Mailbox,
    VerdictCame,
)
from sync import nightly, wire
from sync.acts import ActsLog
from sync.central_client import CentralClient
from sync.clock_offset import ClockOffset
from sync.link_state import LinkRules, LinkState
from sync.replica import ReplicaCare, ReplicaWriter

log = structlog.get_logger(__name__)

BATCH = 100
"""Words in the first push of a drain, and at least in each that is not the last."""
FAST_S, SLOW_S = 0.1, 0.3
"""A push that took less is soon followed by one of twice as many words (MAX_WORDS at most), one that took more by half as
many: on a fast line a backlog costs few calls, and on no line an ask waits long for the push before it."""
PUSH_S = 30.0
"""Deadline of such a push while nobody can ask."""
PROBE_S = 3.0
"""Deadline of a probe, at least."""
FEED_WAIT_S = 25
SCATTER_S = 30.0
"""Within so long after a new epoch was heard a kiosk begins its snapshot."""
LEDGER_PAUSE_S = 5.0
TEND_S = 60.0
"""Between two checkpoints of a log that does not drain."""
PRUNE_S = 3600.0
SEAL_S = 300.0
"""Between two looks for words to be sealed: so long at most a judged one can be read here."""
TELL_S = 30.0
"""Between two lines in the log about a fill."""
LOOK_S = 60.0
"""Between two looks whether every page of the replica is to be read."""
KEEP_ACTS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants a word with central now."""

    at: float
    """Since when, monotonic seconds."""
    act_id: ActId | None = None
    """Whose verdict; None: look whether central is there."""


class SyncActs:
    """Owns the way of acts to central. `ask`, `suspect` and `clock_offset` may be called from any thread."""

    def __init__(
        self,
        *,
        open_log: Callable[[], ActsLog],
        client: CentralClient | None,
        offset: ClockOffset,
        mailbox: Mailbox,
        clock: Clock,
        health: Callable[[int, datetime | None], wire.Health],
        rules: LinkRules | None = None,
        deadline_s: float = 1.5,
        jitter: random.Random | None = None,
        keep: timedelta = KEEP_ACTS,
        leave: Callable[[wire.Farewell], None] | None = None,
        seals: Callable[[wire.WireWord], bytes] | None = None,
        passed: Callable[[], tuple[str, int]] = lambda: ("", -1),
    ) -> None:
        """`leave` is called once, on the thread of `turn`, when central has ordered the kiosk to take leave. `seals`: makes of
        a word what only central can read; `passed`: epoch and position of the replica, as far as `sync-feed` has written it.
        """
        self._seals = seals
        self._passed = passed
        self._unseals = False
        """Central's newest answer said that it reads sealed words."""
        self._open_log = open_log
        self._leave = leave
        self._keep = keep
        self._next_tend = self._next_prune = self._next_seal = clock.monotonic() + TEND_S
        self._client = client
        self._offset = offset
        self._mailbox = mailbox
        self._clock = clock
        self._health = health
        self._deadline_s = deadline_s
        self._jitter = jitter or random.Random()
        self._asks: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._waiting: deque[Asked] = deque()
        self._state = LinkState(rules=rules or LinkRules())
        self._next_probe = 0.0
        self._heard = ("", 0)
        self._log: ActsLog | None = None

    def ask(self, act_id: ActId) -> None:
        """Send this act's newest word now; never blocks."""
        self._asks.put(Asked(self._clock.monotonic(), act_id))

    def suspect(self) -> None:
        """Something else noticed that central may be gone: look now."""
        self._asks.put(Asked(self._clock.monotonic()))

    def clock_offset(self) -> timedelta | None:
        return self._offset.value

    def clock_heard(self) -> float | None:
        return self._offset.heard_at

    @property
    def link(self) -> Link:
        return self._state.link

    def run(self, stop: threading.Event) -> None:
        """The thread `sync-acts`, until `stop` is set and `suspect` wakes it."""
        while not stop.is_set():
            try:
                wait_s = self.turn()
            except LedgerError as error:
                log.error("acts file cannot be used for syncing", reason=error.reason)
                wait_s = LEDGER_PAUSE_S
            self._wait(wait_s)
        if self._log is not None:
            self._log.close()
        if self._client is not None:
            self._client.close()

    def turn(self) -> float:
        """One piece of work: every waiting ask, else a probe or heartbeat if due. Returns seconds to wait at most.

        Raises LedgerError; then every waiting ask has got its AnswerMissing.
        """
        try:
            return self._turn()
        except LedgerError:
            while (wanted := self._take()) is not None:
                if wanted.act_id is not None:
                    self._mailbox.post(AnswerMissing(wanted.act_id, CentralReason.UNREACHABLE))
            raise

    def _turn(self) -> float:
        acts = self._log = self._log or self._open_log()
        while (wanted := self._take()) is not None:
            if wanted.act_id is None:
                self._next_probe = 0.0
            else:
                self._answer(acts, wanted.act_id, wanted.at + self._deadline_s)
        if self._client is None:
            self._failed(CentralReason.NOT_ENROLLED)
            self._tend(acts)
            return max(0.0, self._next_tend - self._clock.monotonic())
        now = self._clock.monotonic()
        if now >= self._next_probe:
            self._probe(acts)
            self._next_probe = self._clock.monotonic() + self._state.pause_s(self._jitter)
            if self._state.link is not Link.OFFLINE or self._state.good:
                self._drain(acts)
                self._forget(acts)
                self._seal(acts)
        self._heed(acts)
        self._tend(acts)
        return max(0.0, min(self._next_probe, self._next_tend) - self._clock.monotonic())

    def _heed(self, acts: ActsLog) -> None:
        """A stolen kiosk takes leave at once, one that retires when it has told everything."""
        farewell = None if self._client is None else self._client.farewell
        if farewell is None or self._leave is None:
            return
        if farewell is wire.Farewell.RETIRE and acts.waits():
            return
        log.warning("central orders this kiosk to take leave", farewell=farewell)
        leave, self._leave = self._leave, None
        leave(farewell)

    def _take(self) -> Asked | None:
        """The oldest thing asked for, or None."""
        if self._waiting:
            return self._waiting.popleft()
        try:
            return self._asks.get_nowait()
        except queue.Empty:
            return None

    def _wait(self, seconds: float) -> None:
        """Until something is asked, at most `seconds`; what came is kept for the next turn."""
        try:
            self._waiting.append(self._asks.get(timeout=max(seconds, 0.001)))
        except queue.Empty:
            return

    def _answer(self, acts: ActsLog, act_id: ActId, until: float) -> None:
        """What central says by `until` (monotonic seconds), or that it said nothing."""
        try:
            spoken = acts.newest_word(act_id)
        except LedgerError:
            self._mailbox.post(AnswerMissing(act_id, CentralReason.UNREACHABLE))
            raise
        if spoken is None or self._client is None:
            self._mailbox.post(AnswerMissing(act_id, CentralReason.NOT_ENROLLED))
            return
        if self._state.link is not Link.ONLINE:
            self._mailbox.post(AnswerMissing(act_id, self._state.reason or CentralReason.STARTING))
            return
        try:
            left_s = until - self._clock.monotonic()
            if left_s <= 0:
                raise CentralError(CentralReason.TOO_SLOW, "the call before took all the time there was")
            pushed = self._client.push([self._dated(spoken)], left_s)
        except CentralError as error:
            self._failed(error.reason)
            self._mailbox.post(AnswerMissing(act_id, error.reason))
            return
        verdict = next(said for said in pushed.said() if (said.act_id, said.word) == (act_id, spoken.word))
        self._mailbox.post(VerdictCame(verdict))
        self._agree(acts, pushed, at_leisure=True)

    def _probe(self, acts: ActsLog) -> None:
        assert self._client is not None
        try:
            envelope = self._client.health(self._health(*acts.queue()), self._patience_s(PROBE_S))
        except CentralError as error:
            self._failed(error.reason)
            return
        self._agree(acts, envelope)
        self._succeeded(acts)

    def _drain(self, acts: ActsLog) -> None:
        """Send what waits, push by push; an ask that arrives meanwhile goes between two pushes."""
        with ThreadPoolExecutor(1, thread_name_prefix="sync-push") as line:
            sent = False
            while words := self._batch(acts, BATCH):
                if not self._send(acts, words, line):
                    return
                sent = True
                if self._asked():
                    return
        if sent:
            acts.checkpoint()
        if self._state.link is not Link.ONLINE and sent:
            self._next_probe = min(self._next_probe, self._clock.monotonic() + self._state.rules.probe_s)

    def _patience_s(self, otherwise: float) -> float:
        """Deadline of a call that nobody asked for: while online somebody may ask as soon as it has begun."""
        return self._deadline_s if self._state.link is Link.ONLINE else max(self._deadline_s, otherwise)

    def _send(self, acts: ActsLog, words: list[wire.WireWord], line: Executor) -> bool:
        """Send these words and those behind them; False when central gave no answer.

        While central judges one push, the verdicts of the push before it are written and the next one is read. One push is
        under way at a time, in the order of the log, and an answer with news about central itself (restored, so it holds
        less) is on disk before anything more is sent.
        """
        assert self._client is not None
        answered: wire.Pushed | None = None
        size = BATCH
        while True:
            pushing = line.submit(self._push, words)
            if answered is not None:
                self._note(acts, answered)
            following = self._batch(acts, size, words[-1].sequence) if len(words) >= BATCH else []
            try:
                pushed, seconds = pushing.result()
            except CentralError as error:
                self._failed(error.reason)
                return False
            if not following or self._asked() or not self._goes_on(pushed):
                self._note(acts, pushed)
                return True
            size = _next_size(size, seconds)
            answered, words = pushed, following

    def _push(self, words: list[wire.WireWord]) -> tuple[wire.Pushed, float]:
        """The answer, and how many seconds it took; on the helper's thread."""
        assert self._client is not None
        begun = self._clock.monotonic()
        pushed = self._client.push(words, self._patience_s(PUSH_S))
        return pushed, self._clock.monotonic() - begun

    def _batch(self, acts: ActsLog, size: int, after: int = 0) -> list[wire.WireWord]:
        """The oldest words that wait behind a place of the log, as they are sent."""
        return [self._dated(word) for word in acts.unsent(size, after)]

    def _asked(self) -> bool:
        return bool(self._waiting) or not self._asks.empty()

    def _note(self, acts: ActsLog, pushed: wire.Pushed) -> None:
        self._agree(acts, pushed)  # first: a new epoch counts for these verdicts already
        acts.settle_all(pushed.said())

    def _goes_on(self, envelope: wire.Envelope) -> bool:
        """Central is the one it was, and holds no less."""
        epoch, held = self._heard
        return envelope.epoch == epoch and envelope.held_through >= held

    def _dated(self, spoken: Spoken) -> wire.WireWord:
        """As it is sent: an act of this boot that was recorded before central was heard has a known time now."""
        act = spoken.act
        at = None if act.reading is None or act.clock_offset is not None else self._offset.at(act.reading)
        if at is not None:
            spoken = replace(spoken, act=replace(act, clock_offset=at - act.happened_at, doubtful=False))
        return wire.WireWord.of(spoken)

    def _forget(self, acts: ActsLog) -> None:
        """Old acts, only in contact with central: its clock says what is old."""
        now = self._clock.monotonic()
        if now < self._next_prune:
            return
        self._next_prune = now + PRUNE_S
        central_now = self._clock.now() + (self._offset.value or timedelta())
        acts.note_held(central_now)
        forgotten = acts.prune(min(central_now, self._clock.now()) - self._keep)  # one of both may be ahead
        if forgotten:
            log.info("old acts forgotten", words=forgotten)

    def _seal(self, acts: ActsLog) -> None:
        """What nothing here asks for any more becomes unreadable; somebody who asks goes before it."""
        seals, now = self._seals, self._clock.monotonic()
        if seals is None or not self._unseals or now < self._next_seal:
            return
        epoch, position = self._passed()
        while acts.seal(epoch, position, lambda spoken: seals(self._dated(spoken))):
            if self._asked():
                return
        self._next_seal = now + SEAL_S

    def _tend(self, acts: ActsLog) -> None:
        """Fold what was written into the file, whether or not central is there; what a reader holds up waits for the next
        time."""
        now = self._clock.monotonic()
        if now >= self._next_tend:
            self._next_tend = now + TEND_S
            acts.checkpoint()

    def _agree(self, acts: ActsLog, envelope: wire.Envelope, *, at_leisure: bool = False) -> None:
        """Note what central holds. `at_leisure`: news that only goes forward may wait for the next heartbeat, so that
        no patron waits for the disk to hear it."""
        forward = self._goes_on(envelope)
        self._unseals = envelope.unseals
        epoch, held = self._heard
        self._heard = (envelope.epoch, envelope.held_through)
        if forward and at_leisure:
            return
        if not forward and epoch:
            acts.agree(epoch, held)
        again = acts.agree(envelope.epoch, envelope.held_through)
        if again:
            log.warning("central was restored; sending the log again", words=again)
            self._next_probe = 0.0

    def _failed(self, reason: CentralReason) -> None:
        self._become(self._state.failed(reason))

    def _succeeded(self, acts: ActsLog) -> None:
        self._become(self._state.succeeded(not acts.waits()))

    def _become(self, state: LinkState) -> None:
        before, self._state = self._state, state
        if before.link is not state.link:
            log.info("link to central changed", link=state.link, reason=state.reason)
            self._mailbox.post(LinkChanged(state.link, state.reason))


def _next_size(size: int, seconds: float) -> int:
    """Words in the push after next, when one of about `size` took so long."""
    if seconds < FAST_S:
        return min(2 * size, wire.MAX_WORDS)
    return max(size // 2, BATCH) if seconds > SLOW_S else size


class SyncFeed:
    """Owns the way of the feed into the replica."""

    def __init__(
        self,
        *,
        open_replica: Callable[[], ReplicaWriter],
        client: CentralClient,
        clock: Clock,
        suspect: Callable[[], None],
        wait_s: int = FEED_WAIT_S,
        jitter: random.Random | None = None,
        care: ReplicaCare | None = None,
    ) -> None:
        self._open_replica = open_replica
        self._care = care
        self._started = self._next_look = clock.monotonic()
        self._client = client
        self._clock = clock
        self._suspect = suspect
        self._wait_s = wait_s
        self._jitter = jitter or random.Random()
        self._replica: ReplicaWriter | None = None
        self._bad = 0
        self._new_epoch: tuple[str, float] | None = None
        """Of central, and from when on (monotonic seconds) its snapshot may be taken."""
        self.fresh_at: datetime | None = None
        """Kiosk time when the replica was last known to lack nothing; for the heartbeat, assignment is atomic."""
        self.passed: tuple[str, int] = ("", -1)
        """Epoch and position of what is written; for `sync-acts`, assignment is atomic."""
        self.filling: int | None = None
        """How much of a snapshot has come, in per cent; for the heartbeat, too."""
        self._entries = 0
        self._next_word = self._started

    def run(self, stop: threading.Event) -> None:
        """The thread `sync-feed`, until `stop` is set; a long poll under way ends with its connection."""
        while not stop.is_set():
            try:
                pause_s = self.turn(stop)
            except LedgerError as error:
                log.error("replica cannot be written", reason=error.reason)
                pause_s = LEDGER_PAUSE_S
            stop.wait(pause_s)
        if self._replica is not None:
            self._replica.close()
        self._client.close()

    def turn(self, stop: threading.Event | None = None) -> float:
        """Pull and apply one page; a damaged file is begun anew first. Returns seconds to pause before the next."""
        try:
            return self._turn(stop)
        except LedgerError as error:
            if self._care is None or not self._care.noticed(error):
                raise
            return 0.0

    def _turn(self, stop: threading.Event | None) -> float:
        if self._care is not None and self._care.damaged:
            if self._replica is not None:
                self._replica.close()
            self._replica = None
            self._care.begin_anew()
        replica = self._replica = self._replica or self._open_replica()
        place = replica.place()
        self.fresh_at, self.passed = place.fresh_at, (place.epoch, place.position)
        self._look_through(replica)
        if (wait_s := self._until_snapshot()) > 0:
            return min(wait_s, LEDGER_PAUSE_S)
        try:
            page = self._client.feed(replica.cursor(), self._wait_s)
        except CentralError:
            if self._care is not None and self._care.damaged:
                return 0.0  # somebody met a damaged page and cut the long poll short
            self._bad += 1
            if self._bad == 1 and not (stop is not None and stop.is_set()):
                self._suspect()
            return min(15.0, 0.5 * 1.7 ** min(self._bad, 10)) * self._jitter.uniform(0.7, 1.0)
        self._bad = 0
        followed = replica.place().epoch
        if page.snapshot_begins and followed not in ("", page.epoch) and self._scatters(page.epoch):
            self._suspect()
            return 0.0
        replica.apply(page, self._clock.now())
        place = replica.place()
        self.fresh_at, self.passed = place.fresh_at, (place.epoch, place.position)
        if self._care is not None:
            self._care.filled(place)
        self._tell(page, replica)
        if followed not in ("", page.epoch):
            self._suspect()  # central was restored: the log must agree with it before it can be laid over this feed
        return 0.0

    def _scatters(self, epoch: str) -> bool:
        """Whether the snapshot of a new epoch is to wait; once for each epoch."""
        if self._new_epoch is not None and self._new_epoch[0] == epoch:
            return False
        wait_s = self._jitter.uniform(0, SCATTER_S)
        self._new_epoch = epoch, self._clock.monotonic() + wait_s
        log.info("central was restored; a new snapshot will be taken", seconds=round(wait_s, 1))
        return True

    def _until_snapshot(self) -> float:
        """Seconds to wait before the feed is asked again."""
        return 0.0 if self._new_epoch is None else self._new_epoch[1] - self._clock.monotonic()

    def _tell(self, page: wire.FeedPage, replica: ReplicaWriter) -> None:
        """A long fill, in the log: now and then, and when it is whole."""
        now, filled_before = self._clock.monotonic(), self.filling is not None
        self._entries = len(page.entries) + (0 if page.snapshot_begins else self._entries)
        self.filling = replica.filling()
        if self.filling is None:
            if filled_before:
                log.info("the replica is whole", entries=self._entries)
            self._entries = 0
        elif now >= self._next_word:
            self._next_word = now + TELL_S
            log.info("the replica is being filled", percent=self.filling, entries=self._entries)

    def _look_through(self, replica: ReplicaWriter) -> None:
        """Read every page if it is time; patrons go on meanwhile, only the feed waits."""
        monotonic, now = self._clock.monotonic(), self._clock.now()
        if monotonic < self._next_look:
            return
        self._next_look = monotonic + LOOK_S
        if nightly.due(replica.checked_at(), now, monotonic - self._started):
            replica.check(now)
            log.info("every page of the replica was read", seconds=round(self._clock.monotonic() - monotonic, 1))
            if self._care is not None:
                self._care.proven()

    def interrupt(self) -> None:
        """End a long poll that is under way (from another thread): the program stops, or the replica must be rebuilt."""
        self._client.interrupt()
