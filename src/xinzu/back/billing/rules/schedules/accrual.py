"""What bears interest, at which rate and for how long: the segments of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from xinzu.back.billing.rules.schedules.day_count import year_fraction
from xinzu.back.billing.rules.schedules.periods import Period, periods_between
from xinzu.back.billing.rules.schedules.terms import PERIODS_PER_YEAR, DayCount, InterestDays, ScheduleTerms, Timing
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True)
class AccrualSegment:
    """Days of one rate on one balance: what is drawn at its start bears interest with the rest. ``fraction`` is of a year."""

    from_on: BusinessDate
    to_on: BusinessDate
    drawn_fen: int
    rate_pct: Decimal
    fraction: Decimal

    @property
    def factor(self) -> Decimal:
        """Interest per fen of balance."""
        return self.rate_pct * self.fraction / 100


@dataclass(frozen=True, slots=True)
class Accrual:
    """A row's segments. ``has_event`` when a tranche or a new rate falls in it. ``fraction`` is that of the row without events."""

    period: Period
    segments: tuple[AccrualSegment, ...]
    factors: tuple[Decimal, ...]
    fraction: Decimal
    is_free: bool
    has_event: bool

    @property
    def drawn_fen(self) -> int:
        return sum(segment.drawn_fen for segment in self.segments)

    @property
    def rate_pct(self) -> Decimal:
        """The rate as it stands at the end of the row."""
        return self.segments[-1].rate_pct


def accruals_of(terms: ScheduleTerms, periods: Sequence[Period]) -> list[Accrual]:
    """The accrual of each row, in order. What is drawn on ``start_on`` is drawn in the first row."""
    rate = terms.annual_rate_pct
    tranches = list(terms.disbursements) or [(terms.start_on, terms.principal_fen)]
    changes = list(terms.rate_changes)
    if changes and changes[0][0] == terms.start_on:
        rate = changes.pop(0)[1]
    initial = sum(fen for on, fen in tranches if on == terms.start_on)
    tranches = [(on, fen) for on, fen in tranches if on > terms.start_on]
    accruals = []
    for period in periods:
        begin, end = period.accrues_from, period.due_on
        drawn = [(on, fen) for on, fen in tranches if begin <= on < end]
        changed = [(on, pct) for on, pct in changes if begin <= on < end]
        dates = sorted({begin, end, *(on for on, _ in drawn), *(on for on, _ in changed)})
        segments = []
        for from_on, to_on in pairwise(dates) if len(dates) > 1 else [(begin, end)]:
            rate = next((pct for on, pct in changed if on == from_on), rate)
            drawn_fen = initial + sum(fen for on, fen in drawn if on == from_on)
            initial = 0
            segments.append(AccrualSegment(from_on, to_on, drawn_fen, rate, _fraction(terms, period, from_on, to_on)))
        nth = period.number - (1 if terms.timing is Timing.ADVANCE else 0)
        is_free = 1 <= nth <= terms.interest_free
        accruals.append(
            Accrual(
                period,
                tuple(segments),
                tuple(Decimal(0) if is_free else segment.factor for segment in segments),
                segments[0].fraction if len(segments) == 1 else _fraction(terms, period, begin, end),
                is_free,
                bool(drawn or changed),
            )
        )
    return accruals


def _fraction(terms: ScheduleTerms, period: Period, from_on: BusinessDate, to_on: BusinessDate) -> Decimal:
    if from_on == to_on:
        return Decimal(0)
    if terms.interest_days is InterestDays.DAILY and terms.day_count is not DayCount.PERIOD:
        return year_fraction(terms.day_count, from_on, to_on)
    nominal = Decimal(terms.every) / PERIODS_PER_YEAR[terms.unit]
    if period.is_regular:
        nominal *= period.nominal_count
    else:
        nominal *= periods_between(terms.unit, terms.every, period.accrues_from, period.due_on)
    if (from_on, to_on) == (period.accrues_from, period.due_on):
        return nominal
    return nominal * (to_on - from_on).days / (period.due_on - period.accrues_from).days
