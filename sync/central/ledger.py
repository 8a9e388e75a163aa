"""Everything that a batch of words touches, loaded in few queries, changed in memory, written back in one go.

One ledger lives as long as one writing transaction. Words are judged against it one after the other, each seeing what
the ones before it did; `enter` is where a ruling becomes rows. A word that fails before `enter` has changed nothing.
The caller holds the locks of `names` before; items and memberships are read in key order and for update besides, so
that a change of the records waits too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, update

from kiosk.domain.calendar import Calendar
from kiosk.domain.cards import Binding
from kiosk.domain.holds import Copy, HoldSettlement, settle_holds
from kiosk.domain.journal import Act, Deed, Spoken, Verdict, Word
from kiosk.domain.lending import Item, ItemState, Loan, Membership, Policy, as_seen
from kiosk.domain.promises import longest_loan, promised_too_long
from kiosk.domain.reconcile import Held, ItemEvent, Settlement, Span, is_unlinked
from kiosk.domain.values import ActId, BranchId, CardId, ItemId, MembershipId, Refused, WorkId
from sync.central import bulk, cards, stored, tables
from sync.central.database import upsert
from sync.central.feed import Marks
from sync.central.histories import LONG, Histories, Touch
from sync.central.judge_holds import CENTRAL
from sync.central.ledger_cases import Cases
from sync.central.records import (
    AnyRow,
    calendar_of,
    details_text,
    item_of,
    loan_of,
    membership_of,
    microseconds,
    moment,
    policy_of,
    verdict_of,
)
from sync.central.ruling import SHOWS_ITEM, Known, KnownWork, Ruling, placed
from sync.central.stored import HeldAct, Log
from sync.central.work_cuts import WorkCuts
from sync.central.works import Works

NO_POLICY = Policy(version="none", patron_rules=(), loan_rules=())
"""Before a library has set any rules: every loan is refused with Reason.NO_POLICY."""

MAX_SEQUENCE = 2**53
"""No log grows so long; a greater number is nonsense."""

OF_THE_KIOSK = {Deed.STAFF_ENTRY: "kiosk staff entry", Deed.CLOCK_CONFIRMED: "kiosk clock confirmed"}
_HOLD_CHANGES = {
    Deed.PLACE_HOLD: "hold placed", Deed.CANCEL_HOLD: "hold cancelled", Deed.EXPIRE_HOLD: "hold expired",
}  # fmt: skip
"""As the audit calls them."""


_FOUND = (
    update(tables.item)
    .where(tables.item.c.id == bindparam("copy"))
    .values(state=ItemState.IN_SERVICE.value, missing_since=None)
)


class Ledger:
    """The part of central's state that one batch needs."""

    _log: Log

    def __init__(self, connection: Connection, now: datetime, locked_works: set[str], long: int = LONG) -> None:
        """`turn_to` says whose words are judged, before the first one is. `long`: see `histories.LONG`."""
        self._connection = connection
        self._now = now
        self.marks = Marks(connection)
        self._works = Works(connection, self.marks, locked_works)
        self._cases = Cases(connection, now, self._works)
        self._histories = Histories(connection, long)
        self._work_cuts = WorkCuts(connection, long)
        self._since_work_cut: set[str] = set()
        self._resettled: set[str] = set()
        self.epoch: str = connection.execute(stored.EPOCH).scalar_one()
        body = connection.execute(stored.POLICY).scalar()
        self._policy = NO_POLICY if body is None else policy_of(body)
        self._calendars: dict[str, Calendar] = {}
        self._memberships: dict[str, Membership] = {}
        self._items: dict[str, Item] = {}
        self._bindings: dict[CardId, tuple[Binding, ...]] = {}
        self._acts: dict[str, HeldAct] = {}
        self._verdicts: dict[tuple[str, Word], Verdict] = {}
        self._sequences: dict[tuple[int, int], tuple[str, Word]] = {}
        self._events: dict[str, dict[ActId, ItemEvent]] = {}
        self._spans: dict[str, tuple[Span, ...]] = {}
        self._open_loans: dict[str, dict[ActId, Loan]] = {}
        self._settled: dict[WorkId, HoldSettlement] = {}
        self._changed_acts: dict[str, HeldAct] = {}
        self._of_the_kiosk: list[Act] = []
        self._hold_changes: list[Act] = []
        self._found: dict[ItemId, str] = {}  # missing items that are in service again, and who saw them
        self._changed_loans: dict[str, dict[str, Any]] = {}
        self._gone_loans: set[str] = set()
        self._new_words: list[dict[str, Any]] = []

    # --- loading ---

    def load(
        self, *, acts: Iterable[str], items: Iterable[str], memberships: Iterable[str], branches: Iterable[str],
        sequences: Iterable[tuple[int, int]], asked: Iterable[str] = (), touches: Iterable[Touch] = (),
        opened_with: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Everything about these keys, in a fixed number of queries: a sequence with the row of its log; `asked` are
        items of words about holds; `touches`: of each word about an item; `opened_with`: ids of cards.

        Call once, before judging. Raises Defeated.
        """
        run = self._connection.execute
        act_ids = sorted(set(acts))
        named = set(items)
        membership_ids = sorted(set(memberships))
        copies = self._works.load(items=named, asked=asked, memberships=membership_ids)
        item_ids = sorted(named.union(copies))
        for item in run(stored.ITEMS, {"ids": item_ids}):
            self._items[item.id] = item_of(item)
            self._works.check(item.id, item.work)
        for membership in run(stored.MEMBERSHIPS, {"ids": membership_ids}):
            self._memberships[membership.id] = membership_of(membership)
        self._bindings = cards.bindings(self._connection, opened_with)
        for row in run(stored.ACTS, {"ids": act_ids}):
            self._acts[row.id] = stored.held_act(row)
        for row in run(stored.WORDS, {"ids": act_ids}):
            self._verdicts[row.act, Word(row.word)] = verdict_of(row)
        for row in run(stored.SPEAKERS, {"pairs": sorted(set(sequences))}):
            self._sequences[row.incarnation, row.sequence] = (row.act, Word(row.word))
        for branch in run(stored.BRANCHES, {"ids": sorted(set(branches))}):
            self._calendars[branch.id] = calendar_of(branch.calendar)
        touched: Iterator[Touch] = chain(touches, self._standing())
        if copies:
            touched = iter(told := list(touched))
            self._since_work_cut = self._work_cuts.load(self._works.all_copies(), told)
        apart = [id_ for id_ in item_ids if id_ not in self._since_work_cut]
        self._load_items(item_ids, apart, self._histories.load(apart, copies, touched))
        for id_ in membership_ids:
            self._open_loans[id_] = {}
        for row in run(stored.OPEN_LOANS, {"ids": membership_ids}):
            self._open_loans[row.membership][row.act] = loan_of(row)

    def _standing(self) -> Iterator[Touch]:
        """Where the acts stand that are told of again."""
        for act in self._acts.values():
            if act.counts and act.item is not None:
                yield Touch(act.item, (act.kiosk, act.incarnation), act.sequence, act.at)

    def _load_items(self, item_ids: Sequence[str], apart: Sequence[str], since: Sequence[str]) -> None:
        """`apart`: those that are not read since the cut of their work; `since`: those of them of which only the acts since
        their own cut are read, with their loans and conflicts."""
        run = self._connection.execute
        for id_ in item_ids:
            self._events[id_] = {}
        spans: dict[str, list[Span]] = {id_: [] for id_ in item_ids}
        recent = set(since)
        whole = [id_ for id_ in apart if id_ not in recent]
        keys: dict[str, Any] = {"ids": since, "oldest": self._histories.oldest}
        parts = [
            (stored.EVENTS, stored.LOANS, {"ids": whole}),
            (stored.RECENT_EVENTS, stored.RECENT_LOANS, keys),
        ]
        for events, loans, wanted in parts:
            if not wanted["ids"]:
                continue
            for row in run(events, wanted):
                self._events[row.item][row.id] = stored.event_of(row)
            for row in run(loans, wanted):
                spans[row.item].append(_span_of(row))
        acts, lent = self._work_cuts.rows()
        for row in acts:
            self._events[row.item][row.id] = stored.event_of(row)
        for row in lent:
            spans[row.item].append(_span_of(row))
        self._spans = {id_: tuple(found) for id_, found in spans.items()}
        self._cases.load(item_ids, recent | self._since_work_cut, self._events)

    # --- looking ---

    def turn_to(self, log: Log) -> None:
        """The next words stand in this log."""
        self._log = log

    def act(self, id_: str) -> HeldAct | None:
        """What is held under an id."""
        return self._acts.get(id_)

    def verdict(self, act: str, word: Word) -> Verdict | None:
        """What was said of a word before."""
        return self._verdicts.get((act, word))

    def speaker(self, sequence: int) -> tuple[str, Word] | None:
        """Which word of this incarnation took this place in its log."""
        return self._sequences.get((self._log.row, sequence))

    def known(self, act: Act) -> Known:
        """Everything that `judge` asks about one act."""
        held = self._acts.get(act.id)
        last = self._verdicts.get((act.id, Word.FACT)) or self._verdicts.get((act.id, Word.REQUEST))
        loans = {} if act.membership is None else self._open_loans[act.membership]
        return Known(
            kiosk=self._log.kiosk,
            incarnation=self._log.name,
            held=Held.NOTHING if held is None else held.held,
            standing_event=self._events[act.item].get(act.id),
            last=last,
            membership=None if act.membership is None else self._memberships.get(act.membership),
            item=self._items.get(act.item),
            events=self._events[act.item],
            spans=self._spans[act.item],
            bindings=() if act.card is None else self._bindings.get(act.card, ()),
            longest_loan=self._longest_loan(act),
            lent_before=self._histories.lent_before(act.item) or self._work_cuts.lent_before(act.item),
            lent=self._work_cuts.lent(act.item),
            open_loans=tuple(loans.values()),
            policy=self._policy,
            calendar=self._calendars.get(act.branch, Calendar()),
            work=self._known_work(act),
            now=self._now,
        )

    def _longest_loan(self, act: Act) -> int | None:
        """By the current rules, and where these would not do, by all there ever were."""
        longest = longest_loan((self._policy,))
        if act.due_at is None or promised_too_long(act.due_at, placed(act, self._now), longest, Calendar()) is None:
            return longest
        bodies = self._connection.execute(stored.POLICIES).scalars()
        return longest_loan(map(policy_of, bodies))

    def _known_work(self, act: Act) -> KnownWork | None:
        work = self._works.of(act.item)
        if work is None:
            return None
        copies = self._works.copies(work)
        events = {id_: event for item in copies for id_, event in self._events[item].items()}
        if work not in self._settled:
            self._settled[work] = settle_holds(events.values(), self._work_cuts.holds(work))
        return KnownWork(
            events=events,
            holds=self._settled[work],
            copies=[Copy(self._items[item], self._holder(item)) for item in copies if item in self._items],
            open_holds=self._works.open_holds(act.membership),
            before=self._work_cuts.holds(work),
        )

    def _holder(self, item: ItemId) -> Loan | None:
        return next((loan for span in self._spans[item] if (loan := _open_loan(item, span)) is not None), None)

    # --- changing ---

    def enter(self, spoken: Spoken, ruling: Ruling) -> Verdict:
        """Makes a ruling count: act, holdings, conflicts, cases, word. Returns the verdict with its position."""
        act = spoken.act
        if ruling.settlement is not None:
            events = self._events[act.item]
            self._resettled.add(act.item)
            events.pop(act.id, None)
            if ruling.event is not None:
                events[act.id] = ruling.event
            self._hold(act.item, ruling.settlement.spans)
            self._compare_conflicts(act, ruling.settlement)
        event = ruling.event
        if ruling.holds is not None:
            self._hold_work(act, ruling.holds, gone=act.id if event is None else None)
        before = self._acts.get(act.id)
        same_log = before is not None and event is not None and before.incarnation == event.incarnation
        self._change_act(
            HeldAct(
                id=act.id,
                held=ruling.held,
                deed=act.deed,
                membership=_who(before, act),
                item=act.item,
                branch=act.branch,
                kiosk=self._log.kiosk,
                incarnation=self._log.name if event is None else event.incarnation,
                incarnation_row=before.incarnation_row if before is not None and same_log else self._log.row,
                at=act.corrected_at if event is None else event.at,
                sequence=(spoken.request_sequence or spoken.sequence) if event is None else event.sequence,
                counts=event is not None,
                due_at=act.due_at if event is None else event.due_at,
                hold=act.hold if event is None else event.hold,
                doubtful_from=None if event is None else event.doubtful_from,
                doubtful_until=None if event is None else event.doubtful_until,
            )
        )
        if event is not None and act.deed in SHOWS_ITEM:
            self._note_seen(act.item, event.at)
        if act.deed.of_the_kiosk and before is None:
            self._of_the_kiosk.append(act)
        by_staff = act.staff is not None and self._log.kiosk == CENTRAL
        if by_staff and act.deed in _HOLD_CHANGES and before is None and ruling.outcome.stands:
            self._hold_changes.append(act)
        for one in ruling.cases:
            self.open_case(one, act=act.id, item=act.item, membership=act.membership)
        return self.say(
            Verdict(
                act_id=act.id,
                word=spoken.word,
                outcome=ruling.outcome,
                reason=ruling.reason,
                details=ruling.details,
                due_at=ruling.due_at,
                epoch=self.epoch,
                position=self.marks.here if ruling.like is None else ruling.like,
                hold=ruling.hold,
            ),
            spoken.sequence,
        )

    def say(self, verdict: Verdict, sequence: int) -> Verdict:
        """Keeps the verdict for ever; a sequence that another word has taken is not kept."""
        place = (self._log.row, sequence)
        free = 0 < sequence < MAX_SEQUENCE and place not in self._sequences
        self._verdicts[verdict.act_id, verdict.word] = verdict
        if free:
            self._sequences[place] = (verdict.act_id, verdict.word)
        self._new_words.append(
            {
                "act": verdict.act_id,
                "word": verdict.word.value,
                "incarnation": self._log.row,
                "sequence": sequence if free else None,
                "outcome": verdict.outcome.value,
                "reason": None if verdict.reason is None else verdict.reason.value,
                "details": details_text(verdict.details),
                "due_at": None if verdict.due_at is None else microseconds(verdict.due_at),
                "epoch": verdict.epoch,
                "position": verdict.position,
                "judged_at": microseconds(self._now),
                "hold": verdict.hold,
            }
        )
        return verdict

    def keep_unjudged(
        self, id_: str, held: Held, *, deed: Deed | None, item: str, membership: str | None, branch: str
    ) -> None:
        """The row of an act that could not be judged and was not held before; it counts nowhere."""
        if id_ not in self._acts:
            self._change_act(
                HeldAct(
                    id=ActId(id_),
                    held=held,
                    deed=deed,
                    membership=None if membership is None else MembershipId(membership),
                    item=ItemId(item),
                    branch=BranchId(branch),
                    kiosk=self._log.kiosk,
                    incarnation=self._log.name,
                    incarnation_row=self._log.row,
                    at=None,
                    sequence=0,
                    counts=False,
                    due_at=None,
                    hold=None,
                )
            )

    def open_case(
        self, refused: Refused, *, act: str, item: str | None, membership: str | None, other_act: str | None = None,
        mark: str = "",
    ) -> None:  # fmt: skip
        """See `ledger_cases`."""
        self._cases.open(
            refused, act=act, item=item, membership=membership, other_act=other_act, mark=mark, kiosk=self._log.kiosk
        )

    def _change_act(self, act: HeldAct) -> None:
        self._acts[act.id] = act
        self._changed_acts[act.id] = act

    def _note_seen(self, item: ItemId, at: datetime) -> None:
        """A missing item that was scanned is in service again, where policy says so (B7)."""
        known = self._items.get(item)
        if known is None:
            return
        seen = as_seen(known, self._policy, at)
        if seen is not known:
            self._items[item] = seen
            self._found[item] = self._log.kiosk
            self.marks.add("item", item)

    def _hold(self, item: str, spans: tuple[Span, ...]) -> None:
        """Writes the loans that differ, and tells the feed of those whose open state the kiosks must hear."""
        before = {span.act_id: span for span in self._spans[item]}
        after = {span.act_id: span for span in spans}
        self._spans[item] = spans
        for id_ in before.keys() - after.keys():
            self._changed_loans.pop(id_, None)
            self._gone_loans.add(id_)
        for id_, span in after.items():
            if before.get(id_) != span:
                self._gone_loans.discard(id_)
                self._changed_loans[id_] = _loan_row(item, span)
        for id_ in sorted(before.keys() | after.keys()):
            was, now = _open_loan(item, before.get(id_)), _open_loan(item, after.get(id_))
            if was == now:
                continue
            self.marks.add("loan", id_)
            if was is not None and was.membership in self._open_loans:
                self._open_loans[was.membership].pop(id_, None)
            if now is not None and now.membership in self._open_loans:
                self._open_loans[now.membership][id_] = now

    def _compare_conflicts(self, act: Act, settled: Settlement) -> None:
        events, lent = self._events[act.item], self._work_cuts.lent(act.item)
        who = {id_: event.membership for id_, event in events.items()}
        if lent is not None:
            who[lent.act_id] = lent.membership
        about = {one: who[one.earlier] or who[one.later] for one in settled.conflicts}
        self._cases.compare(
            {one: (act.item, reader) for one, reader in about.items()},
            self._cases.of_item(act.item),
            kiosk=self._log.kiosk,
            events=events,
            came_back=settled.came_back,
        )

    def _hold_work(self, act: Act, after: HoldSettlement, *, gone: ActId | None) -> None:
        """What the acts of a work amount to now: holds, copies set aside, and conflicts about them."""
        work = self._works.of(act.item)
        if work is None:
            return
        self._settled[work] = after
        for item, reader in self._works.settled(work, after, self._items, gone=gone):
            self._items[item] = replace(self._items[item], reserved_for=reader)
        events = {id_: one for item in self._works.copies(work) for id_, one in self._events[item].items()}
        self._cases.compare(
            {one: after.about[one] for one in after.conflicts},
            self._works.conflicts[work],
            kiosk=self._log.kiosk,
            events=events,
        )

    # --- writing ---

    def write(self) -> None:
        """All changes, table by table, each in one statement."""
        run = self._connection.execute
        upsert(self._connection, tables.act, [act.row() for act in self._changed_acts.values()])
        if self._gone_loans:
            run(delete(tables.loan).where(tables.loan.c.act.in_(sorted(self._gone_loans))))
        upsert(self._connection, tables.loan, list(self._changed_loans.values()))
        self._works.write()
        if self._found:
            run(_FOUND, [{"copy": item} for item in sorted(self._found)])
        apart = self._resettled - self._since_work_cut
        self._histories.write({item: self._events[item].values() for item in sorted(apart)})
        self._histories.forget(self._resettled & self._since_work_cut)
        works = {work for item in self._resettled if (work := self._works.of(item)) is not None}
        self._work_cuts.write({work: self._acts_of(work) for work in sorted(works)})
        self._cases.write()
        self._write_audit()
        self.marks.write()  # others wait for the head's row from here on, so only the words come after it
        for row in self._new_words:
            row["position"] = self.marks.placed(row["position"])
        bulk.write(self._connection, tables.word, self._new_words, overwrite=False)

    def _acts_of(self, work: WorkId) -> tuple[Sequence[ItemId], Sequence[ItemEvent]]:
        copies = self._works.copies(work)
        return copies, [event for item in copies for event in self._events[item].values()]

    def placed(self, verdict: Verdict) -> Verdict:
        """With its position in the feed, which is known once all is written."""
        return replace(verdict, position=self.marks.placed(verdict.position))

    def _write_audit(self) -> None:
        """Tries to open a kiosk's staff page and what was said there, and what staff and the clock did to holds, into the
        audit; once each, with the word that told of them. A hold is named by its id only: who waits for what can be
        forgotten, the audit cannot."""
        rows = [
            {
                "at": microseconds(self._now),
                "who": act.staff or "unknown",
                "what": OF_THE_KIOSK[act.deed],
                "subject": self._log.kiosk,
                "details": details_text(
                    ({} if act.entry is None else {"entry": str(act.entry)})
                    | {"at": act.corrected_at.isoformat(), "mode": act.mode.value}
                ),
            }
            for act in self._of_the_kiosk
        ]
        rows += [
            {
                "at": microseconds(self._now),
                "who": act.staff,
                "what": _HOLD_CHANGES[act.deed],
                "subject": act.hold or act.id,
                "details": details_text({}),
            }
            for act in self._hold_changes
        ]
        rows += [
            {
                "at": microseconds(self._now),
                "who": kiosk,
                "what": "missing item found",
                "subject": item,
                "details": details_text({}),
            }
            for item, kiosk in self._found.items()
        ]
        if rows:
            self._connection.execute(insert(tables.audit), rows)


def _who(before: HeldAct | None, act: Act) -> MembershipId | None:
    """A later word of an act that was unlinked does not link it again."""
    return before.membership if before is not None and is_unlinked(before.membership) else act.membership


def _span_of(row: AnyRow) -> Span:
    return Span(
        act_id=row.act,
        membership=row.membership,
        lent_at=moment(row.lent_at),
        due_at=moment(row.due_at),
        renewals=row.renewals,
        ended_by=row.ended_by,
        ended_at=None if row.ended_at is None else moment(row.ended_at),
    )


def _loan_row(item: str, span: Span) -> dict[str, Any]:
    return {
        "act": span.act_id,
        "membership": span.membership,
        "item": item,
        "lent_at": microseconds(span.lent_at),
        "due_at": microseconds(span.due_at or span.lent_at),
        "renewals": span.renewals,
        "ended_by": span.ended_by,
        "ended_at": None if span.ended_at is None else microseconds(span.ended_at),
    }


def _open_loan(item: str, span: Span | None) -> Loan | None:
    if span is None or span.ended_by is not None or span.membership is None or span.due_at is None:
        return None
    return Loan(
        act_id=span.act_id,
        membership=span.membership,
        item=ItemId(item),
        lent_at=span.lent_at,
        due_at=span.due_at,
        renewals=span.renewals,
    )
