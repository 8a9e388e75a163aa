"""Judge once: every word of an act gets one verdict, kept for ever and repeated on replay.

Words come in batches, of one kiosk or of several that ask at the same time (`together`); each batch is one transaction:
load what they touch, judge them one after the other in memory (`judge`), write everything, commit. A word that cannot be
judged becomes a case and holds back nobody: if the judging fails, it has changed nothing yet; if the writing of a batch
fails, its words are judged again one by one, each in its own transaction. A database that cannot be used (disk full,
damaged) is no reason for a case: nothing is kept, nothing is answered, the kiosk asks again. Runs on the threads that
serve requests; blocking.

A request that cannot be judged is refused, not entered: nothing has happened yet, and nobody should carry a book away
on a mistake of ours. A fact has happened, so it is entered as a case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import structs
from sqlalchemy import select

from kiosk.domain.holds import HOLD_DEEDS
from kiosk.domain.journal import Act, Deed, Outcome, Spoken, Verdict, Word
from kiosk.domain.reconcile import Held, held_after, is_unlinked
from kiosk.domain.values import ActId, IncarnationId, KioskId, Reason, Refused
from sync.central import tables
from sync.central.database import Database, DatabaseUnusable, Defeated, lock
from sync.central.held_log import HeldLog, LogName, open_logs, write_logs
from sync.central.histories import LONG, Touch
from sync.central.judge import judge
from sync.central.ledger import MAX_SEQUENCE, Ledger
from sync.central.ruling import Known, Ruling, Unjudgeable, placed
from sync.central.stored import HeldAct, Log
from sync.central.together import Together
from sync.central.works import to_lock
from sync.sealed_words import opened_word
from sync.wire import WireWord

BATCH = 200
"""Words in one transaction: long backlogs leave room for other kiosks' questions in between. On PostgreSQL each takes two to
four locks by name, of the 6,400 that its settings give to all processes together."""
LEADERS = {"sqlite": 1, "postgresql": 2}
"""Transactions at a time: SQLite has one writer; with PostgreSQL one may compute while another waits for the disk."""
TRIES = 4
"""Of one transaction that other writers keep defeating; after that the kiosk gets no answer and asks again."""
MAX_ACT_ID = 64
MAX_ID = 128
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between them lies every time that a kiosk may tell, also one whose clock has lost its battery. What is stored can be
read again, and a few days more or less are still a date."""
LONGEST_MS = 200 * 365 * 86_400_000
_NO_LETTER = "\ufffd"

log = structlog.get_logger(__name__)


class BadPush(Exception):
    """The push as a whole makes no sense, and no verdict could name its acts."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer to a push."""

    verdicts: list[Verdict]
    """One for each word, in their order."""
    epoch: str
    """Central's."""
    held_through: int
    """This incarnation's log is held up to here without a gap."""


@dataclass(frozen=True, slots=True)
class Part:
    """Words of one log that are judged in one transaction, with others or alone."""

    log: LogName
    """Whose."""
    words: Sequence[WireWord]
    """In sequence order; at most BATCH."""
    unjudged: Reason | None = None
    """They become cases for this reason, whatever they say."""
    append: bool = False
    """They take the next numbers of their log, which several processes write; their own say nothing."""


class Inbox:
    """Where acts arrive."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        judge: Callable[[Spoken, Known], Ruling] = judge,
        long: int = LONG,
        opens: X25519PrivateKey | None = None,
    ) -> None:
        """`long`: see `histories.LONG`. `opens`: central's key, to which kiosks seal words; without it none can be read."""
        self._opens = opens
        self._database = database
        self._clock = clock
        self._judge = judge
        self._long = long
        self._together = Together(self._group, leaders=LEADERS[database.dialect], most=BATCH)

    def judge(
        self,
        kiosk: KioskId,
        incarnation: IncarnationId,
        words: Sequence[WireWord],
        *,
        as_cases: bool = False,
        append: bool = False,
    ) -> Judged:
        """Judges words of one incarnation of one kiosk, in sequence order. Durable when it returns.

        `as_cases`: the kiosk was stolen, so none of them counts before a person has looked at it. `append`: the words are
        central's own and are numbered, in their order, as they go in.
        Raises BadPush, DatabaseUnusable.
        """
        unjudged = Reason.SEALED_BY_STOLEN_KIOSK if as_cases else None
        for name in (incarnation, *(word.act for word in words)):
            if not _is_name(name):
                raise BadPush("act ids and incarnations are 1 to 64 printable ASCII characters")
        if self._opens is not None:
            words = [opened_word(word, kiosk, self._opens) for word in words]
        order = sorted(range(len(words)), key=lambda place: words[place].sequence)
        said: dict[int, Verdict] = {}
        for start in range(0, max(len(order), 1), BATCH):
            places = order[start : start + BATCH]
            part = Part((kiosk, incarnation), [words[place] for place in places], unjudged, append)
            judged = self._together(part, len(places))
            said.update(zip(places, judged.verdicts, strict=True))
        return replace(judged, verdicts=[said[place] for place in range(len(words))])

    def held_through(self, kiosk: KioskId, incarnation: IncarnationId) -> int:
        """The greatest n such that words 1..n of this log are held; 0 for a log that cannot be."""
        if not _is_name(incarnation):
            return 0
        own = tables.incarnation.c
        with self._database.read() as connection:
            query = select(own.held_through).where(own.kiosk == kiosk, own.name == incarnation)
            return connection.execute(query).scalar() or 0

    def _group(self, parts: Sequence[Part]) -> list[Judged]:
        try:
            return self._transaction(parts)
        except DatabaseUnusable:
            raise
        except Exception:
            log.exception("A batch of acts could not be entered; its words are judged one by one")
        return [self._one_by_one(part) for part in parts]

    def _one_by_one(self, part: Part) -> Judged:
        if not part.words:
            return self._transaction([part])[0]
        judged = [self._single(replace(part, words=[word])) for word in part.words]
        return replace(judged[-1], verdicts=[one.verdicts[0] for one in judged])

    def _single(self, part: Part) -> Judged:
        try:
            return self._transaction([part])[0]
        except DatabaseUnusable:
            raise
        except Exception:
            word = part.words[0]
            log.exception("A word could not be entered", act=word.act, word=word.word.value)
        spoilt = replace(part, unjudged=part.unjudged or Reason.CANNOT_BE_JUDGED)
        return self._transaction([spoilt])[0]

    def _transaction(self, parts: Sequence[Part]) -> list[Judged]:
        for _ in range(TRIES - 1):
            try:
                return self._try(parts)
            except Defeated as error:
                log.info("A batch of acts is judged again after another writer", why=str(error))
        return self._try(parts)

    def _try(self, parts: Sequence[Part]) -> list[Judged]:
        with self._database.write() as connection:
            words = [word for part in parts for word in part.words]
            fit = [word for word in words if _fits(word)]
            works = to_lock(connection, [word.item for word in fit])
            lock(connection, [*_names(parts), *(f"item {work}" for work in works)])
            logs = open_logs(connection, (part.log for part in parts))
            parts = list(_numbered(parts, logs))
            now = self._clock()
            ledger = Ledger(connection, now, works, self._long)
            ledger.load(
                acts=[word.act for word in words],
                items=[word.item for word in fit],
                memberships=[word.membership for word in fit if word.membership is not None],
                branches=[word.branch for word in fit],
                sequences=[
                    (logs[part.log].row, word.sequence)
                    for part in parts
                    for word in part.words
                    if 0 < word.sequence < MAX_SEQUENCE
                ],
                opened_with=[word.card for word in fit if word.card is not None and word.membership is not None],
                asked=[word.item for word in fit if word.deed in HOLD_DEEDS or word.hold is not None],
                touches=(_touch(part.log, word, now) for part in parts for word in part.words if _fits(word)),
            )
            said = [self._judge_part(ledger, part, logs[part.log]) for part in parts]
            ledger.write()
            write_logs(connection, logs.values())
            return [
                Judged([ledger.placed(verdict) for verdict in verdicts], ledger.epoch, logs[part.log].through)
                for part, verdicts in zip(parts, said, strict=True)
            ]

    def _judge_part(self, ledger: Ledger, part: Part, held: HeldLog) -> list[Verdict]:
        kiosk, incarnation = part.log
        ledger.turn_to(Log(held.row, kiosk, incarnation))
        verdicts = [self._say(ledger, kiosk, word, part.unjudged) for word in part.words]
        held.hold(number for word in part.words for number in (word.sequence, word.request_sequence))
        return verdicts

    def _say(self, ledger: Ledger, kiosk: KioskId, word: WireWord, unjudged: Reason | None) -> Verdict:
        """The verdict on one word: repeated, judged, or a case because it cannot or must not be judged (`unjudged`)."""
        held = ledger.act(word.act)
        if held is not None and held.kiosk != kiosk:
            return _foreign(ledger, kiosk, word)
        before = ledger.verdict(word.act, word.word)
        _watch_sequence(ledger, word)
        if before is not None:
            if word.strange:
                _ask_person(ledger, word, unjudged or Reason.CANNOT_BE_JUDGED)
            return before
        if unjudged is None:
            try:
                if word.strange:
                    raise Unjudgeable(f"from a newer program: {word.strange}")
                if not _fits(word):
                    raise Unjudgeable("a part of it is too long, out of range or no plain text")
                spoken = word.spoken()
                act = spoken.act
                if is_unlinked(act.membership):
                    raise Unjudgeable("a membership that only central gives")
                if held is not None and held.item is not None and _otherwise(held, act):
                    raise Unjudgeable("the same act was told with other contents")
                ruling = self._judge(spoken, ledger.known(act))
            except Unjudgeable as error:
                log.warning("A word makes no sense", act=word.act, word=word.word.value, why=str(error))
            except Exception:  # an error of ours in judging one word must not hold back the others
                log.exception("A word could not be judged", act=word.act, word=word.word.value)
            else:
                return ledger.enter(spoken, ruling)
        return _unjudged(ledger, word, unjudged or Reason.CANNOT_BE_JUDGED)


def _touch(log: LogName, word: WireWord, now: datetime) -> Touch:
    """Where the word puts its act among those of the item."""
    at = None if word.doubtful else placed(word.spoken().act, now)
    return Touch(word.item, log, word.request_sequence or word.sequence, at)


def _numbered(parts: Sequence[Part], logs: Mapping[LogName, HeldLog]) -> Iterator[Part]:
    """Words that are appended get the numbers behind what their log holds now that it is locked."""
    newest = {name: held.newest for name, held in logs.items()}
    for part in parts:
        if part.append:
            first = newest[part.log] + 1
            words = [structs.replace(word, sequence=number) for number, word in enumerate(part.words, start=first)]
            newest[part.log] += len(words)
            yield replace(part, words=words)
        else:
            yield part


def _otherwise(held: HeldAct, act: Act) -> bool:
    """Not what was told before; of an act that was unlinked nobody knows who it was."""
    if (held.deed, held.item) != (act.deed, act.item):
        return True
    forgotten = is_unlinked(held.membership) or (held.membership is None and not held.counts)
    return not forgotten and held.membership != act.membership


def _names(parts: Sequence[Part]) -> Iterator[str]:
    """All that a group may touch and another could touch at the same time, whether it has a row yet or not."""
    for part in parts:
        yield f"log {part.log[0]} {part.log[1]}"
        for word in part.words:
            yield f"act {word.act}"
            if word.item:
                yield f"item {_plain(word.item)}"
            if word.membership is not None:
                yield f"membership {_plain(word.membership)}"


def _unjudged(ledger: Ledger, word: WireWord, reason: Reason) -> Verdict:
    outcome = Outcome.REFUSED if word.word is Word.REQUEST else Outcome.CASE
    item, membership = _plain(word.item), None if word.membership is None else _plain(word.membership)
    ledger.keep_unjudged(
        word.act,
        held_after(Held.NOTHING, word.word, outcome),
        deed=None if word.strange else Deed(word.deed),
        item=item,
        membership=membership,
        branch=_plain(word.branch),
    )
    _ask_person(ledger, word, reason)
    return ledger.say(
        Verdict(
            act_id=ActId(word.act),
            word=word.word,
            outcome=outcome,
            reason=reason,
            epoch=ledger.epoch,
            position=ledger.marks.here,
        ),
        word.sequence,
    )


def _ask_person(ledger: Ledger, word: WireWord, reason: Reason) -> None:
    ledger.open_case(
        Refused(reason),
        act=word.act,
        item=_plain(word.item),
        membership=None if word.membership is None else _plain(word.membership),
        mark=_plain(word.strange) or word.word.value,
    )


def _foreign(ledger: Ledger, kiosk: KioskId, word: WireWord) -> Verdict:
    """An act id that another kiosk has made: its act stays as it is, and nothing of it is told here."""
    refused = Refused(Reason.CANNOT_BE_JUDGED)
    ledger.open_case(refused, act=word.act, item=_plain(word.item), membership=None, mark=f"from:{kiosk}")
    return Verdict(
        act_id=ActId(word.act),
        word=word.word,
        outcome=Outcome.REFUSED if word.word is Word.REQUEST else Outcome.CASE,
        reason=refused.reason,
        epoch=ledger.epoch,
        position=0,
    )


def _watch_sequence(ledger: Ledger, word: WireWord) -> None:
    """A case if another act has this place in the log; one act may be told again in its place, as a fact."""
    speaker = ledger.speaker(word.sequence)
    if speaker is not None and speaker[0] != word.act:
        ledger.open_case(
            Refused(Reason.CANNOT_BE_JUDGED),
            act=word.act,
            other_act=speaker[0],
            item=_plain(word.item),
            membership=None if word.membership is None else _plain(word.membership),
            mark="sequence",
        )


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_ACT_ID and text.isascii() and text.isprintable()


def _fits(word: WireWord) -> bool:
    if not 0 < word.sequence < MAX_SEQUENCE or (word.item != "") is word.deed.of_the_kiosk:
        return False
    if word.request_sequence is not None and not 0 < word.request_sequence < word.sequence:
        return False
    for text in (word.item, word.branch, word.membership, word.policy_version, word.hold, word.staff, word.card):
        if text and (len(text) > MAX_ID or not text.isprintable()):
            return False
    times = (word.happened_at, word.due_at, word.heard_at)
    spans = (word.clock_offset_ms, word.replica_age_ms)
    return all(map(_is_time, times)) and all(span is None or abs(span) <= LONGEST_MS for span in spans)


def _is_time(told: datetime | None) -> bool:
    return told is None or (told.tzinfo is not None and EARLIEST <= told <= LATEST)


def _plain(text: str) -> str:
    """The text, or what can be kept of one that does not fit."""
    if len(text) <= MAX_ID and text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _NO_LETTER for letter in text[:MAX_ID])
