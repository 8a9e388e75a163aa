"""Feed pages made once for all kiosks: what everybody is told is read, encoded and packed a single time, and kept.

The door asks for a `ReadyPage` of a cursor; it holds the shared part as bytes, to which only this kiosk's own entries and
the page's frame are added. Two kinds of parts are kept in memory:

- the tail: the newest changes, in segments that end where some kiosk looked. A segment is read in the very snapshot of the
  database in which its end was the head, so a page of whole segments up to the head is exact, like one that is read alone;
- stretches of what lies further back: the chunks of a snapshot, and of a long backlog.

Promises what `feed` promises: no record is skipped, and a cursor goes on where it stopped, whoever made the part. A part may be
older than the page it goes into. What changed since stands at a later position, which the kiosk reads later: in a backlog
always, with its tombstone; in a snapshot, which tells no tombstones, only if the snapshot ends no later than the part was
read, so others are not used for it. Any thread, one at a time; blocking.
"""

import time
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from threading import Lock

import msgspec
from sqlalchemy import Connection

from sync.central.feed import Bounds, Cursor, Feed, Here, Stretch, bounds, stretch
from sync.central.feed_own import Own, Reader, own_entries
from sync.packed import Begun
from sync.wire import MAX_ENTRIES

CHUNK = 4000
"""Entries in a page of a snapshot: twice a usual page, so that it takes fewer calls."""
SNAPSHOT_S = 900.0
"""For so long after one kiosk has begun a snapshot others join it, and go on to read what has changed since."""
MOST_BYTES = 256 * 1024 * 1024
"""Of stretches that are kept; a million items and half a million memberships take about a third of it."""
TAIL = 20_000
"""Entries of the tail that are kept; a rush hour of a city makes that many in a quarter of an hour."""
SEGMENTS = 1000
JOINED = 64
"""Pages of the tail that are kept: kiosks that take turns together stand at the same few places."""
WORTH_KEEPING = 200
"""Entries of a short stretch: less is as soon read again."""

_HEAD = b'{"entries":['


@dataclass(frozen=True, slots=True)
class Part:
    """The shared part of pages, ready to be sent, and what each kiosk is told in its own way."""

    end: int
    """Every entry up to here."""
    as_of: int
    """The head when it was read."""
    count: int
    """Entries in it, own ones included."""
    begun: Begun
    """The beginning of the answer: the shared entries."""
    empty: bool
    """There are no shared entries."""
    own: bytes
    """Packed tightly: there may be thousands of cards, which are wanted once for each kiosk."""

    @classmethod
    def of(cls, end: int, as_of: int, shared: bytes, count: int, own: list[Own]) -> "Part":
        return cls(end, as_of, count, Begun.of(_HEAD + shared), not shared, msgspec.msgpack.encode(own))

    @property
    def size(self) -> int:
        """In memory, about."""
        return len(self.begun.deflated) + len(self.own) + 500


@dataclass(frozen=True, slots=True)
class ReadyPage:
    """Entries after a cursor, for one kiosk."""

    bounds: Bounds
    part: Part
    own: bytes
    """This kiosk's own entries as they are told, with commas between them."""

    @property
    def empty(self) -> bool:
        """Nothing to tell yet."""
        return self.part.empty and not self.own and not self.bounds.more and not self.bounds.snapshot

    def rest(self, now: datetime, held_through: int) -> bytes:
        """What follows the shared entries in the answer."""
        comma = b"," if self.own and not self.part.empty else b""
        return comma + self.own + b"]," + msgspec.json.encode(self.bounds.frame(now, held_through))[1:]


@dataclass(frozen=True, slots=True)
class _Segment:
    begin: int
    count: int
    shared: bytes
    own: list[Own]


class _Stretches:
    """Parts of one kind, by where they begin; those that were not used for longest go first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._parts: OrderedDict[int, Part] = OrderedDict()
        self._begins: list[int] = []

    def get(self, begin: int) -> Part | None:
        part = self._parts.get(begin)
        if part is not None:
            self._parts.move_to_end(begin)
        return part

    def next_begin(self, after: int) -> int | None:
        """Where another part begins: who ends there goes on with what is there already."""
        place = bisect_right(self._begins, after)
        return self._begins[place] if place < len(self._begins) else None

    def keep(self, begin: int, part: Part) -> None:
        self._drop(begin)
        insort(self._begins, begin)
        self._parts[begin] = part
        self._bytes += part.size
        while self._bytes > self._most and len(self._parts) > 1:
            self._drop(next(iter(self._parts)))

    def _drop(self, begin: int) -> None:
        part = self._parts.pop(begin, None)
        if part is not None:
            self._bytes -= part.size
            del self._begins[bisect_left(self._begins, begin)]


class Pages:
    """Pages for kiosks, from what is kept or read now."""

    def __init__(
        self, feed: Feed, *, page: int = MAX_ENTRIES, chunk: int = CHUNK, most_bytes: int = MOST_BYTES,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._feed = feed
        self._page = page
        self._chunk = chunk
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._lock = Lock()
        self._begin_anew("")

    def _begin_anew(self, epoch: str) -> None:
        self._epoch = epoch
        self._target, self._target_since = -1, 0.0
        self._snapshot = _Stretches(self._most_bytes)
        self._backlog = _Stretches(self._most_bytes // 4)
        self._clear_tail(None)

    def filling(self, cursor_text: str | None) -> bool:
        """Whether this looks like a part of a snapshot, without asking the database."""
        cursor = Cursor.parse(cursor_text)
        return cursor is None or cursor.filling or self._epoch not in ("", cursor.epoch)

    def page(self, cursor_text: str | None, reader: Reader) -> ReadyPage:
        """What comes after the cursor."""
        with self._lock, self._feed.looking() as (connection, here):
            if here.epoch != self._epoch:
                self._begin_anew(here.epoch)
            self._go_on(connection, here)
            cursor, begins = here.cursor(cursor_text, self._snapshot_end(here))
            snapshot = begins or cursor.filling
            if snapshot:
                part = self._stretch(connection, self._snapshot, cursor.read, cursor.target, here)
            else:
                part = self._since(connection, cursor.read, here)
        states = msgspec.msgpack.decode(part.own, type=list[Own])
        own = msgspec.json.encode(list(own_entries(states, reader, tombstones=not snapshot)))[1:-1]
        return ReadyPage(bounds(cursor, begins, part.end, here), part, own)

    def _snapshot_end(self, here: Here) -> int:
        """Where a snapshot that begins now ends: with those of others, if it is long and they began lately."""
        old = self._seconds() - self._target_since > SNAPSHOT_S
        if old or not max(self._chunk, here.floor) < self._target <= here.head:
            self._target, self._target_since = here.head, self._seconds()
        return self._target

    # --- what lies further back ---

    def _stretch(self, connection: Connection, kept: _Stretches, begin: int, last: int, here: Here) -> Part:
        """From `begin` on, at most to `last`."""
        known = kept.get(begin)
        snapshot = kept is self._snapshot
        if known is not None and known.end <= last:
            if not snapshot or last <= known.as_of:
                return known
            last = known.end  # read anew, but it ends where it ended: there the next one begins
        following = kept.next_begin(begin)
        if following is not None:
            last = min(last, following)
        most = self._chunk if snapshot else self._page
        found = stretch(connection, begin, last, most=most, tombstones=not snapshot)
        part = _part(found, here.head)
        if snapshot or part.count >= min(WORTH_KEEPING, self._page):
            kept.keep(begin, part)
        return part

    # --- the newest changes ---

    def _since(self, connection: Connection, read: int, here: Here) -> Part:
        """From `read` to the head, if that is not too much for a page."""
        if read == here.head:
            return _NOTHING if read == 0 else Part.of(read, here.head, b"", 0, [])
        place = bisect_left(self._ends, read)
        if self._ends[place] != read:  # begins where nobody looked: to the next end, from where it is like the others
            return self._stretch(connection, self._backlog, read, self._ends[place], here)
        segments: list[_Segment] = []
        room = self._page
        for segment in islice(self._segments, place, None):
            room -= segment.count
            if segments and room < 0:
                break
            segments.append(segment)
        end = self._ends[place + len(segments)]
        part = self._joined.get((read, end))
        if part is None:
            shared = b",".join(segment.shared for segment in segments if segment.shared)
            own = [state for segment in segments for state in segment.own]
            part = Part.of(end, here.head, shared, sum(segment.count for segment in segments), own)
            self._joined[read, end] = part
            while len(self._joined) > JOINED:
                self._joined.popitem(last=False)
        return part

    def _go_on(self, connection: Connection, here: Here) -> None:
        """The tail up to the head."""
        if not self._ends:
            self._clear_tail(here.head)
        if self._ends[-1] == here.head:
            return
        found = stretch(connection, self._ends[-1], here.head, most=self._page, tombstones=True)
        if found.end < here.head:
            self._clear_tail(here.head)
            return
        shared = msgspec.json.encode(found.shared)[1:-1]
        self._segments.append(_Segment(self._ends[-1], len(found.shared) + len(found.own), shared, found.own))
        self._ends.append(here.head)
        while len(self._segments) > SEGMENTS or sum(one.count for one in self._segments) > TAIL:
            self._segments.popleft()
            del self._ends[0]

    def _clear_tail(self, head: int | None) -> None:
        self._ends: list[int] = [] if head is None else [head]
        self._segments: deque[_Segment] = deque()
        self._joined: OrderedDict[tuple[int, int], Part] = OrderedDict()


def _part(found: Stretch, as_of: int) -> Part:
    count = len(found.shared) + len(found.own)
    return Part.of(found.end, as_of, msgspec.json.encode(found.shared)[1:-1], count, found.own)


_NOTHING = Part.of(0, 0, b"", 0, [])
