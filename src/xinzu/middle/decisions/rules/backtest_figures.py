"""The figures of a replay on history: swap set, rates, money, what may be inferred of the declined; all of them sums of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.decisions.model import DecisionOutcome, Graph
from xinzu.middle.decisions.rules.backtest import APPROVED, OUTCOMES, Cells, Tally
from xinzu.middle.decisions.rules.models.metrics import Interval, wilson

DISAGREEMENTS_LISTED_MAX = 20


@dataclass(frozen=True, slots=True)
class Swap:
    """Decisions of one outcome before and one after, their exposure, and what became of them."""

    before: DecisionOutcome
    after: DecisionOutcome
    count: int
    exposed_fen: int
    good: int
    bad: int
    unknown: int
    bad_fen: int


@dataclass(frozen=True, slots=True)
class Approvals:
    """Whom a version approves. ``bad`` is the share of bad ones among the ``known`` with its 95 % interval; None when nobody is known."""

    decisions: int
    approved: int
    approval_rate: float
    approved_fen: int
    known: int
    bad: Interval | None
    bad_fen: int


@dataclass(frozen=True, slots=True)
class BySegment:
    """Before and after in one segment."""

    segment: str
    value: str
    before: Approvals
    after: Approvals


@dataclass(frozen=True, slots=True)
class Money:
    """What changes in fen of exposure. Avoided: approved before and not after; added: the other way round. ``…_unknown_share`` of it nobody
    knows what becomes or would have become of; what is referred counts as not approved."""

    approved_before_fen: int
    approved_after_fen: int
    avoided_bad_fen: int
    avoided_good_fen: int
    avoided_unknown_fen: int
    avoided_unknown_share: float
    added_bad_fen: int
    added_good_fen: int
    added_unknown_fen: int
    added_unknown_share: float


@dataclass(frozen=True, slots=True)
class Inferred:
    """The bad rate of those the version approves, three ways, when the arm that accepts at random has mature cases it approves.

    ``observed`` leaves out everybody of whom nothing is known. ``by_random_arm`` gives the declined among them the bad rate of those
    accepted at random whom the version approves, ``pessimistic`` the upper end of its 95 % interval. Declines for binding reasons are never
    accepted at random: of them, and of those who were referred, nothing is inferred.
    """

    random_arm: Interval
    declined_before: int
    observed: float | None
    by_random_arm: float
    pessimistic: float


@dataclass(frozen=True, slots=True)
class RowHits:
    """How often a row of a table hit among the decisions counted over columns; None where the graph has no such row."""

    node: str
    row: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class ReasonHits:
    """To how many decisions a reason was given, and would be."""

    code: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A decision of which the replay and the engine say different things. There must be none."""

    decision_id: str
    replay: str
    engine: str


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """The replay held against the engine, decision by decision, on a random sample and on rows near a tie."""

    sampled: int
    guards: int
    disagreements: int
    listed: Sequence[Disagreement]


@dataclass(frozen=True, slots=True)
class EngineUse:
    """By whom the rows were decided: over columns, by the engine for a guard, or by the engine for want of a vector form."""

    vectorised: int
    guard: int
    fallback: int
    fallback_reason: str | None


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """What a replay on history found. ``kept_by_law`` decisions were not automated and are left out; ``failed`` got no verdict of the version;
    ``record_differs`` counts decisions the versions that made them decide otherwise today (None: not looked at)."""

    decisions: int
    kept_by_law: int
    changed: int
    failed: int
    before: Approvals
    after: Approvals
    swaps: Sequence[Swap]
    segments: Sequence[BySegment]
    money: Money
    inferred: Inferred | None
    rows: Sequence[RowHits]
    reasons: Sequence[ReasonHits]
    record_differs: int | None
    cross_check: CrossCheck
    engine: EngineUse


@dataclass(frozen=True, slots=True)
class Backtest:
    """A replay on history as it is kept: what was asked, how far it is, and what it found."""

    id: UUID
    strategy_id: UUID | None
    key: str
    version: int | None
    graph: Graph
    graph_sha256: str
    engine_version: str
    since_on: BusinessDate
    until_on: BusinessDate
    limit_count: int
    segments: Sequence[str]
    maturity_days: int
    state: str
    decisions_total: int
    decisions_done: int
    report: BacktestReport | None
    failure: str | None
    asked_by: str
    asked_at: Instant
    finished_at: Instant | None


def reported(
    tally: Tally, reasons_before: Mapping[str, int], kept_by_law: int, cross_check: CrossCheck, *, counted_before: bool
) -> BacktestReport:
    """The figures of a tally."""
    cells = tally.whole
    swaps = swaps_of(cells)
    return BacktestReport(
        decisions=int(cells.counts.sum()),
        kept_by_law=kept_by_law,
        changed=sum(swap.count for swap in swaps if swap.before is not swap.after),
        failed=tally.failed,
        before=approvals(cells, after=False),
        after=approvals(cells, after=True),
        swaps=swaps,
        segments=[
            BySegment(name, value, approvals(each, after=False), approvals(each, after=True))
            for (name, value), each in sorted(tally.segments.items())
        ],
        money=money_of(cells),
        inferred=inferred(cells),
        rows=_rows(tally) if counted_before else [],
        reasons=[
            ReasonHits(code, reasons_before.get(code, 0), tally.reasons.get(code, 0))
            for code in sorted({*reasons_before, *tally.reasons})
        ],
        record_differs=tally.record_differs if counted_before else None,
        cross_check=cross_check,
        engine=EngineUse(
            tally.report.vectorised_rows, tally.report.guard_rows, tally.report.fallback_rows, tally.report.fallback_reason
        ),
    )


def swaps_of(cells: Cells) -> list[Swap]:
    """The swap set: every pair of outcomes that occurs."""
    found = []
    for b, before in enumerate(OUTCOMES):
        for a, after in enumerate(OUTCOMES):
            good, bad, unknown = (int(each) for each in cells.counts[b, a].sum(axis=1))
            if good + bad + unknown:
                fen = cells.fen[b, a].sum(axis=1)
                found.append(Swap(before, after, good + bad + unknown, int(fen.sum()), good, bad, unknown, int(fen[1])))
    return found


def approvals(cells: Cells, *, after: bool) -> Approvals:
    """Whom was approved by the strategy before, or is after; people's words and random acceptances count only for what became of them."""
    counts, fen = (each[:, APPROVED] if after else each[APPROVED] for each in (cells.counts, cells.fen))
    decisions, approved = int(cells.counts.sum()), int(counts.sum())
    good, bad, _ = (int(each) for each in counts.sum(axis=(0, 2)))
    return Approvals(
        decisions,
        approved,
        round(approved / decisions, 6) if decisions else 0.0,
        int(fen.sum()),
        good + bad,
        wilson(bad, good + bad),
        int(fen[:, 1].sum()),
    )


def money_of(cells: Cells) -> Money:
    """What changes in fen of exposure."""
    others = [place for place in range(len(OUTCOMES)) if place != APPROVED]
    avoided = cells.fen[APPROVED][others].sum(axis=(0, 2))
    added = cells.fen[others, APPROVED].sum(axis=(0, 2))
    return Money(
        int(cells.fen[APPROVED].sum()),
        int(cells.fen[:, APPROVED].sum()),
        int(avoided[1]),
        int(avoided[0]),
        int(avoided[2]),
        _share(int(avoided[2]), int(avoided.sum())),
        int(added[1]),
        int(added[0]),
        int(added[2]),
        _share(int(added[2]), int(added.sum())),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def inferred(cells: Cells) -> Inferred | None:
    """Three bad rates side by side, or None: without mature cases accepted at random nothing is known of the declined."""
    declined = OUTCOMES.index(DecisionOutcome.DECLINE)
    good, bad, _ = (int(each) for each in cells.counts[declined, APPROVED, :, 1])
    arm = wilson(bad, good + bad)
    if arm is None:
        return None
    approved = cells.counts[:, APPROVED].sum(axis=(0, 2))
    known_good, known_bad = int(approved[0]), int(approved[1])
    unknown = int(cells.counts[declined, APPROVED, 2].sum())
    reached = known_good + known_bad + unknown
    return Inferred(
        arm,
        unknown,
        _share(known_bad, known_good + known_bad) if known_good + known_bad else None,
        round((known_bad + arm.share * unknown) / reached, 6),
        round((known_bad + arm.high * unknown) / reached, 6),
    )


def _rows(tally: Tally) -> list[RowHits]:
    before, after = tally.report_before.rule_hits or {}, tally.report.rule_hits or {}
    keys = {(node, row) for hits in (before, after) for node, rows in hits.items() for row in rows}
    return [RowHits(node, row, before.get(node, {}).get(row), after.get(node, {}).get(row)) for node, row in sorted(keys)]
