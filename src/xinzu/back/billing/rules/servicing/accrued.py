"""Interest to a date: what has accrued since the last row asked for interest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from xinzu.back.billing.model import Role
from xinzu.back.billing.rules.schedules.accrual import Accrual, AccrualSegment, accruals_of
from xinzu.back.billing.rules.schedules.amortise import PRECISION, interest_of, row_periods, settled
from xinzu.back.billing.rules.schedules.cost import irr_pct
from xinzu.back.billing.rules.schedules.day_count import year_fraction
from xinzu.back.billing.rules.schedules.terms import (
    PERIODS_PER_YEAR,
    DayCount,
    InterestDays,
    Method,
    ScheduleTerms,
    Timing,
    refused,
)
from xinzu.back.billing.rules.schedules.why import InterestSegment
from xinzu.back.billing.rules.servicing.position import Pause, Position
from xinzu.kernel.time import BusinessDate

_ACTUAL = frozenset({DayCount.ACTUAL_360, DayCount.ACTUAL_364, DayCount.ACTUAL_365, DayCount.ACTUAL_ACTUAL})


@dataclass(frozen=True, slots=True)
class Accrued:
    """Interest accrued and not asked for yet, in fen: the segments of the row in progress, and ``deferred_fen`` from rows before it that
    asked for less than had accrued. ``since_on`` is where the row in progress began to accrue; ``base_fen`` bears interest on the date."""

    since_on: BusinessDate
    to_on: BusinessDate
    base_fen: int
    segments: tuple[InterestSegment, ...]
    deferred_fen: int
    formula: str
    words_zh: str
    words_en: str

    @property
    def interest_fen(self) -> int:
        return self.deferred_fen + sum(segment.interest_fen for segment in self.segments)


def timeline(terms: ScheduleTerms) -> list[Accrual]:
    """The accrual of every row the terms make."""
    return accruals_of(terms, row_periods(terms, has_balloon=terms.balloon_fen > 0))


def openings_of(position: Position, accruals: Sequence[Accrual]) -> list[int]:
    """The balance at the start of each row: the principal that its row and later ones ask for, less what is drawn only in them."""
    openings, balance_fen = [], 0
    for principal_fen, accrual in zip(
        reversed(position.standing(Role.PRINCIPAL, len(accruals))), reversed(accruals), strict=True
    ):
        balance_fen += principal_fen - accrual.drawn_fen
        openings.append(balance_fen)
    return openings[::-1]


def accrued_to(position: Position, on: BusinessDate) -> Accrued:
    """Interest by the days the money was actually lent (Civil Code art. 677), up to but not including ``on``.

    Whole segments count as the contract counts them. A broken one counts its actual days: over the contract's year under an actual day
    count, and as its share of the segment's days under 30/360 and ``period``, so that no more accrues than time has passed. Principal
    paid ahead of its date bears no interest in the row in progress. Flat interest accrues by the actuarial method: at the rate at which
    the contract's own instalments are worth what was lent. Raises Invalid for a rental or a date before the terms.
    """
    terms = position.financed
    with localcontext(prec=PRECISION):
        pause = position.pause
        if pause is not None and on < pause.to_on:
            return _capitalising(position, pause, on)
        if on < terms.start_on:
            raise refused("on", f"不得早于起始日 {terms.start_on}", f"must not be before the terms start, {terms.start_on}")
        accruals = timeline(terms)
        asked = sum(accrual.period.due_on <= on for accrual in accruals)
        if terms.method is Method.FLAT:
            return _actuarial(position, accruals, asked, on)
        openings = openings_of(position, accruals)
        deferred_fen = 0
        if asked <= terms.grace.interest:
            mode = terms.rounding.mode
            deferred_fen = position.carried_fen + sum(interest_of(openings[i], accruals[i], mode) for i in range(asked))
        paid_ahead_fen = sum(
            leg.paid_fen for leg in position.legs if leg.role is Role.PRINCIPAL and (position.row_of(leg) or 0) > asked
        )
        segments, base_fen = [], openings[asked] - paid_ahead_fen if asked < len(accruals) else 0
        for segment in accruals[asked].segments if asked < len(accruals) else ():
            if segment.from_on >= on:
                break
            base_fen += segment.drawn_fen
            rate_pct = Decimal(0) if accruals[asked].is_free else segment.rate_pct
            fraction = _elapsed(terms, segment, on)
            interest_fen = settled(max(base_fen, 0) * (rate_pct * fraction / 100), terms.rounding.mode)
            to_on = min(segment.to_on, on)
            segments.append(InterestSegment(segment.from_on, to_on, max(base_fen, 0), rate_pct, fraction, interest_fen))
        return Accrued(
            accruals[asked].period.accrues_from if asked < len(accruals) else on,
            on,
            max(base_fen, 0),
            tuple(segments),
            deferred_fen,
            "interest_by_actual_days",
            "按实际借款天数计算的利息（民法典第六百七十七条）",
            "Interest for the days the money was actually lent (Civil Code art. 677)",
        )


def _elapsed(terms: ScheduleTerms, segment: AccrualSegment, on: BusinessDate) -> Decimal:
    """The fraction of a year of a segment up to a date."""
    if segment.to_on <= on:
        return segment.fraction
    if terms.day_count in _ACTUAL and terms.interest_days is InterestDays.DAILY:
        return year_fraction(terms.day_count, segment.from_on, on)
    return segment.fraction * (on - segment.from_on).days / (segment.to_on - segment.from_on).days


def actuarial_rate_pct(position: Position) -> Decimal:
    """The nominal annual rate, in percent with six decimals, at which a flat contract's rows are worth what was lent."""
    terms = position.financed
    rows = len(timeline(terms))
    first = 0 if terms.timing is Timing.ADVANCE else 1
    flows = [(float(first + n), fen) for n, fen in enumerate(_asked_by_row(position, rows))]
    shown = irr_pct([(0.0, -terms.drawn_fen), *flows], Decimal(PERIODS_PER_YEAR[terms.unit]) / terms.every)
    return max(Decimal(shown or 0), Decimal(0))


def _asked_by_row(position: Position, rows: int) -> list[int]:
    principal, interest = position.standing(Role.PRINCIPAL, rows), position.standing(Role.INTEREST, rows)
    return [a + b for a, b in zip(principal, interest, strict=True)]


def _actuarial(position: Position, accruals: Sequence[Accrual], asked: int, on: BusinessDate) -> Accrued:
    """Flat interest earned by the actuarial method: the balance grows at the contract's own rate and each row's instalment reduces it.

    Never more than the interest that the rest of the contract still asks for.
    """
    terms = position.financed
    rate_pct = actuarial_rate_pct(position)
    per_period = Decimal(terms.every) / PERIODS_PER_YEAR[terms.unit]
    mode = terms.rounding.mode
    balance = Decimal(terms.drawn_fen)
    for accrual, total_fen in zip(accruals[:asked], _asked_by_row(position, len(accruals)), strict=False):
        runs = accrual.period.accrues_from < accrual.period.due_on
        balance = balance * (1 + (rate_pct * per_period / 100 if runs else 0)) - total_fen
    nominal_fen = sum(position.standing(Role.PRINCIPAL, len(accruals))[asked:])
    left_fen = sum(position.standing(Role.INTEREST, len(accruals))[asked:])
    deferred_fen = min(max(settled(balance - nominal_fen, mode), 0), left_fen)
    segments: tuple[InterestSegment, ...] = ()
    since_on = accruals[asked].period.accrues_from if asked < len(accruals) else on
    if asked < len(accruals) and since_on < on:
        period = accruals[asked].period
        fraction = per_period * (on - since_on).days / (period.due_on - since_on).days
        base_fen = nominal_fen + deferred_fen
        interest_fen = min(settled(base_fen * rate_pct * fraction / 100, mode), left_fen - deferred_fen)
        segments = (InterestSegment(since_on, on, base_fen, rate_pct, fraction, interest_fen),)
    return Accrued(
        since_on,
        on,
        nominal_fen,
        segments,
        deferred_fen,
        "flat_interest_by_the_actuarial_method",
        "等本等息合同按其实际利率（精算法）计算已产生的利息",
        "Flat interest earned by the actuarial method, at the contract's own internal rate",
    )


def _capitalising(position: Position, pause: Pause, on: BusinessDate) -> Accrued:
    """Within a moratorium whose interest is added to the principal at its end: its share by actual days, without interest on interest."""
    days = max((on - pause.from_on).days, 0)
    share = Decimal(days) / (pause.to_on - pause.from_on).days
    mode = position.financed.rounding.mode
    interest_fen = settled(pause.capitalised_fen * share, mode)
    segment = InterestSegment(pause.from_on, on, pause.capitalised_fen, Decimal(100), share, interest_fen)
    return Accrued(
        pause.from_on,
        on,
        position.financed.drawn_fen - pause.capitalised_fen,
        (segment,) if days else (),
        0,
        "share_of_interest_to_be_capitalised",
        "延缓期内应计利息按实际天数的份额",
        "The share, by actual days, of the interest that the pause accrues",
    )
