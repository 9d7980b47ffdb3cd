"""A version of a strategy on what was decided before: whom it would have decided otherwise, and what became of those anything is known of.

A decision is counted in one cell: what was decided, what the version says, what became of it, and whether it was accepted at random.
Every figure (``backtest_figures``) is a sum of cells, so that the parts always add up to the whole. What became of somebody is known only of
orders that commenced and are mature: of those who were declined nothing is known, and no figure here pretends to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from xinzu.middle.decisions.model import DecisionOutcome
from xinzu.middle.decisions.rules.evaluation import INDICATOR_UNKNOWN, STRATEGY_FAILED, StrategyBroken, said
from xinzu.middle.decisions.rules.models.fairness import AGE_EDGES_YEARS
from xinzu.middle.decisions.rules.replay.batch import Chunk, Replay, Report
from xinzu.middle.decisions.rules.replay.columns import ABSENT, ARR, NULL, STR, Mask, Strings, member, take
from xinzu.middle.decisions.rules.replay.values import python_values

OUTCOMES = tuple(DecisionOutcome)
APPROVED, REFERRED, FAILED = OUTCOMES.index(DecisionOutcome.APPROVE), OUTCOMES.index(DecisionOutcome.REFER), len(OUTCOMES)
BAD_DAYS_PAST_DUE = 30
_SHAPE = (len(OUTCOMES), len(OUTCOMES), 3, 2)  # before, after, performance, accepted at random
_SAID = ("outcome", "reason_codes", "deposit_waiver_pct", "credit_line_fen", "price_band", "review_level")
_UNKNOWN = "unknown"

Values = NDArray[Any] | Sequence[Any]


class Performance(StrEnum):
    """What became of an order. Bad: ever at least 30 days past due, or written off. Unknown: never commenced, or not mature."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


PERFORMANCES = tuple(Performance)


@dataclass(frozen=True, slots=True)
class Segment:
    """By which indicator decisions are told apart; with edges, in bands ``[low, high)`` of it.

    None of them is a protected attribute: the snapshots of decisions hold none. How a model treats groups is told by its fairness report.
    """

    indicator: str
    edges: tuple[int, ...] = ()


SEGMENTS: Mapping[str, Segment] = {
    "channel": Segment("channel"),
    "product": Segment("family"),
    "price_band": Segment("device_value_fen", (200_000, 400_000, 600_000, 800_000, 1_200_000)),
    "age_band": Segment("age_years", AGE_EDGES_YEARS),
    "score_band": Segment("credit_score", (550, 600, 650, 700, 750)),
    "periods": Segment("period_count", (7, 13, 19, 25)),
}


@dataclass(frozen=True, slots=True)
class Cases:
    """Decisions as columns. ``before`` and ``performance`` are places in OUTCOMES and PERFORMANCES; ``absent`` marks, by name, the rows
    whose snapshot does not hold an indicator at all."""

    ids: bytes  # 16 of each
    before: NDArray[np.uint8]
    performance: NDArray[np.uint8]
    is_random: NDArray[np.uint8]
    exposed_fen: NDArray[np.int64]
    versions: NDArray[np.int64]
    columns: Mapping[str, Values]
    absent: Mapping[str, Mask]

    def __len__(self) -> int:
        return len(self.before)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a version says: places in OUTCOMES, and by reason code the rows it is given to. ``failed`` rows are referrals without a verdict."""

    outcome: NDArray[np.uint8]
    reasons: Mapping[str, Mask]
    failed: Mask

    def at(self, row: int) -> tuple[DecisionOutcome, frozenset[str]]:
        return OUTCOMES[self.outcome[row]], frozenset(code for code, where in self.reasons.items() if where[row])


@dataclass(slots=True)
class Cells:
    """Counts and fen by what was decided, what is said, what became of it, and whether it was accepted at random."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_SHAPE, dtype=np.int64))
    fen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_SHAPE, dtype=np.int64))

    def add(self, other: Cells) -> None:
        self.counts += other.counts
        self.fen += other.fen


@dataclass(frozen=True, slots=True)
class Sampled:
    """A decision whose verdict is asked of the engine again, from all that is stored of it."""

    decision_id: UUID
    outcome: DecisionOutcome
    reason_codes: frozenset[str]
    is_guard: bool


@dataclass(slots=True)
class Tally:
    """What some decisions come to; tallies add up."""

    whole: Cells = field(default_factory=Cells)
    segments: dict[tuple[str, str], Cells] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    record_differs: int = 0  # decisions the version that made them decides otherwise today
    report: Report = field(default_factory=Report)
    report_before: Report = field(default_factory=Report)
    sampled: list[Sampled] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.whole.add(other.whole)
        for key, cells in other.segments.items():
            self.segments.setdefault(key, Cells()).add(cells)
        self.reasons += other.reasons
        self.failed += other.failed
        self.record_differs += other.record_differs
        _add_report(self.report, other.report)
        _add_report(self.report_before, other.report_before)
        self.sampled += other.sampled


def _add_report(into: Report, other: Report) -> None:
    into.vectorised_rows += other.vectorised_rows
    into.guard_rows += other.guard_rows
    into.fallback_rows += other.fallback_rows
    into.fallback_reason = into.fallback_reason or other.fallback_reason
    for part, times in other.asked.items():
        into.asked[part] = into.asked.get(part, 0) + times
    for node, rows in (other.rule_hits or {}).items():
        into.rule_hits = into.rule_hits if into.rule_hits is not None else {}
        known = into.rule_hits.setdefault(node, {})
        for row, count in rows.items():
            known[row] = known.get(row, 0) + count


def verdicts_of(chunk: Chunk, unknown: Mask) -> Verdicts:
    """What a replayed graph says, read as a decision reads it: what is no verdict is a referral, and so is what ``unknown`` marks, where
    the graph reads an indicator the snapshot does not hold."""
    count, strings = chunk.count, chunk.strings
    columns = {name: member(chunk.result, name) for name in _SAID}
    outcome = np.full(count, FAILED, dtype=np.uint8)
    word = columns["outcome"]
    is_text = np.broadcast_to(word.has(STR), count)
    for place, each in enumerate(OUTCOMES):
        outcome[is_text & (word.data == strings.code(each))] = place
    codes = columns["reason_codes"]
    is_list = np.broadcast_to(codes.has(ARR), count)
    odd = ~is_list
    reasons: dict[str, Mask] = {}
    has_reason = np.zeros(count, dtype=np.bool_)
    for mask, item in codes.items:
        here = mask & is_list
        odd = odd | here & ~item.has(STR)
        texts = np.broadcast_to(item.data, count)
        for code in np.flatnonzero(np.bincount(texts[here & item.has(STR)])).tolist():
            text, where = strings.texts[code], here & item.has(STR) & (texts == code)
            reasons[text] = reasons[text] | where if text in reasons else where
        has_reason |= here
    for name in _SAID[2:]:
        if not columns[name].is_only(ABSENT, NULL):
            odd = odd | ~(columns[name].has(ABSENT) | columns[name].has(NULL))
    outcome[(outcome == APPROVED) == has_reason] = FAILED
    told = {row: answer.result for row, answer in chunk.told.items()}
    rows = [row for row in np.flatnonzero(odd).tolist() if row not in told]
    told |= dict(zip(rows, _outputs(columns, rows, strings), strict=True))
    singly = np.array(list(told), dtype=np.intp)
    for where in reasons.values():
        where[singly] = False
    for row, outputs in told.items():
        try:
            verdict, given, _, _ = said(outputs)
        except StrategyBroken:
            outcome[row] = FAILED
            continue
        outcome[row] = OUTCOMES.index(verdict)
        for text in given:
            if text not in reasons:
                reasons[text] = np.zeros(count, dtype=np.bool_)
            reasons[text][row] = True
    broken = (outcome == FAILED) & ~unknown
    kept = {text: where & ~(broken | unknown) for text, where in reasons.items()}
    for text, where in ((STRATEGY_FAILED, broken), (INDICATOR_UNKNOWN, unknown)):
        if where.any():
            kept[text] = kept[text] | where if text in kept else where
    outcome[broken | unknown] = REFERRED
    return Verdicts(outcome, {text: where for text, where in kept.items() if where.any()}, broken | unknown)


def _outputs(columns: Mapping[str, Any], rows: list[int], strings: Strings) -> list[dict[str, Any]]:
    """The members of some results that make a verdict, as JSON."""
    if not rows:
        return []
    at, ignored = np.array(rows, dtype=np.intp), np.zeros(len(rows), dtype=np.bool_)
    cells = [python_values(take(columns[name], at), len(rows), strings, ignored) for name in _SAID]
    return [dict(zip(_SAID, values, strict=True)) for values in zip(*cells, strict=True)]


def evaluated(ready: Replay, reads: frozenset[str], cases: Cases, report: Report) -> tuple[Verdicts, Chunk]:
    """What a graph says of some decisions. ``reads`` are the indicators it looks at."""
    columns = {name: cases.columns[name] for name in sorted(reads & cases.columns.keys())}
    unknown = np.full(len(cases), not reads <= cases.columns.keys())
    for name in reads & cases.absent.keys():
        unknown |= cases.absent[name]
    chunk = ready.chunk(columns, len(cases), Strings(), report)
    return verdicts_of(chunk, unknown), chunk


def tallied(
    cases: Cases,
    after: tuple[Replay, frozenset[str]],
    before: Mapping[int, tuple[Replay, frozenset[str]]],
    segments: Sequence[str],
    sampled: Sequence[int],
    guards_max: int,
) -> Tally:
    """The tally of some decisions under a graph. ``before`` holds the versions that made them: with them the rows of their tables are
    counted, and whether they decide today as they did. ``sampled`` are places of decisions to be held against the engine; up to
    ``guards_max`` of those the replay left to the engine join them."""
    tally = Tally()
    if before:
        tally.report.rule_hits, tally.report_before.rule_hits = {}, {}
    said_now, chunk = evaluated(*after, cases, tally.report)
    tally.whole = cells_of(cases, said_now.outcome, np.ones(len(cases), dtype=np.bool_))
    for name in segments:
        for label, where in _labels(SEGMENTS[name], cases):
            tally.segments[name, label] = cells_of(cases, said_now.outcome, where)
    tally.reasons.update({text: int(np.count_nonzero(where)) for text, where in said_now.reasons.items()})
    tally.failed = int(np.count_nonzero(said_now.failed))
    for version in np.unique(cases.versions).tolist() if before else ():
        if version in before:
            theirs = chosen(cases, cases.versions == version)
            repeated, _ = evaluated(*before[version], theirs, tally.report_before)
            tally.record_differs += int(np.count_nonzero(repeated.outcome != theirs.before))
    guards = set(list(chunk.told)[:guards_max]) if chunk.count != len(chunk.told) else set()
    for row in sorted(guards | set(sampled)):
        tally.sampled.append(Sampled(UUID(bytes=cases.ids[16 * row : 16 * row + 16]), *said_now.at(row), row in guards))
    return tally


def drawn(ids: bytes, odds: float) -> list[int]:
    """Places of a random sample: the last bits of an id are chance, and the same decisions are drawn again next time."""
    chance = np.frombuffer(ids, dtype=">u4")[3::4]
    return np.flatnonzero(chance < odds * 2**32).tolist()


def chosen(cases: Cases, where: Mask) -> Cases:
    """Some of the decisions."""
    if where.all():
        return cases
    rows = np.flatnonzero(where)
    ids = np.frombuffer(cases.ids, dtype="S16")  # only cut, never read as text
    return Cases(
        ids[rows].tobytes(),
        cases.before[rows],
        cases.performance[rows],
        cases.is_random[rows],
        cases.exposed_fen[rows],
        cases.versions[rows],
        {
            name: each[rows] if isinstance(each, np.ndarray) else [each[row] for row in rows.tolist()]
            for name, each in cases.columns.items()
        },
        {name: each[rows] for name, each in cases.absent.items()},
    )


def cells_of(cases: Cases, after: NDArray[np.uint8], where: Mask) -> Cells:
    """The cells of some decisions. Sums of fen stay below 2^53, where floats are exact."""
    cell = ((cases.before * 3 + after) * 3 + cases.performance) * 2 + cases.is_random
    size = int(np.prod(_SHAPE))
    counts = np.bincount(cell[where], minlength=size)
    fen = np.rint(np.bincount(cell[where], weights=cases.exposed_fen[where], minlength=size))
    return Cells(counts.reshape(_SHAPE).astype(np.int64), fen.reshape(_SHAPE).astype(np.int64))


def _labels(segment: Segment, cases: Cases) -> list[tuple[str, Mask]]:
    """The values of a segment among some decisions and where each is."""
    values = cases.columns[segment.indicator]
    if not segment.edges:
        texts = (
            values if isinstance(values, np.ndarray) else np.array([_UNKNOWN if each is None else str(each) for each in values])
        )
        missing = np.ma.getmaskarray(texts)
        found = [(str(text), (np.ma.getdata(texts) == text) & ~missing) for text in np.unique(np.ma.getdata(texts)[~missing])]
        return [*found, (_UNKNOWN, missing)] if missing.any() else found
    numbers = np.array(values, dtype=np.float64)
    bands = np.where(np.isnan(numbers), -1, np.digitize(numbers, segment.edges))
    return [(_band(segment.edges, band), bands == band) for band in np.unique(bands).tolist()]


def _band(edges: Sequence[int], band: int) -> str:
    if band < 0:
        return _UNKNOWN
    if band == 0:
        return f"below {edges[0]}"
    return f"{edges[-1]} and above" if band == len(edges) else f"{edges[band - 1]}-{edges[band] - 1}"
