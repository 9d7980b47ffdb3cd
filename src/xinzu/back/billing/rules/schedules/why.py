"""Why a row is what it is: computed when somebody asks, from the same terms, by the same functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from xinzu.back.billing.rules.schedules.accrual import accruals_of
from xinzu.back.billing.rules.schedules.amortise import PRECISION, Row, row_periods, settled
from xinzu.back.billing.rules.schedules.periods import periods_of
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import Method, ScheduleTerms, refused
from xinzu.kernel.money import round_fen
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True)
class InterestSegment:
    """``base_fen × rate_pct ÷ 100 × fraction``, settled to whole fen by the contract's mode, is ``interest_fen``. The fraction is of a
    year, unrounded; ``to_on`` is the first day that does not count. Flat interest is one segment over the whole term, with the row's
    share of it."""

    from_on: BusinessDate
    to_on: BusinessDate
    base_fen: int
    rate_pct: Decimal
    fraction: Decimal
    interest_fen: int


@dataclass(frozen=True, slots=True)
class RowWhy:
    """A row with its formula by name and in words, the inputs of the contract, and its interest segment by segment.

    ``deferred_fen`` is interest of earlier rows in grace that this row asks for; of a row in grace itself it is negative: what it passes
    on. The segments' interest and ``deferred_fen`` sum to the row's interest.
    """

    row: Row
    formula: str
    words_zh: str
    words_en: str
    inputs: Mapping[str, str | int]
    segments: tuple[InterestSegment, ...]
    deferred_fen: int


_WORDS = {
    "equal_instalment": ("各期还款额相等", "every instalment is the same"),
    "equal_principal": ("各期本金相等", "the principal of every instalment is the same"),
    "interest_only": ("按期付息，到期还本", "interest as it accrues, the principal at the end"),
    "bullet": ("到期一次还本付息", "principal and interest at the end"),
    "balloon": ("各期还款额相等，末期另还尾款", "every instalment is the same, the balloon comes with the last"),
    "flat": ("利息按初始本金计算，各期平均分摊", "interest on the first principal, spread equally"),
    "stepped": ("各期还款额按约定比例", "the instalments are in the agreed proportions"),
    "uneven": ("各期还款额按约定比例", "the instalments are in the agreed proportions"),
}


def why_row(terms: ScheduleTerms, n: int) -> RowWhy:
    """Why row ``n`` (from 1) of the terms' schedule is what it is. Raises Invalid for terms that cannot be or a row that is not there.

    >>> from datetime import date
    >>> loan = ScheduleTerms(start_on=date(2026, 1, 1), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal(12))
    >>> [(str(part.from_on), part.base_fen, part.interest_fen) for part in why_row(loan, 2).segments]
    [('2026-02-01', 1105381, 11054)]
    """
    schedule = schedule_of(terms)
    if not 1 <= n <= len(schedule.rows):
        raise refused("n", "没有这一期", f"must be from 1 to {len(schedule.rows)}")
    solved = schedule.terms
    row = schedule.rows[n - 1]
    with localcontext(prec=PRECISION):
        segments = _flat(schedule, row) if solved.method is Method.FLAT else _accrued(schedule, n)
    words_zh, words_en = _WORDS[solved.method.value]
    return RowWhy(
        row,
        f"{solved.method.value}_in_{solved.timing.value}",
        words_zh,
        words_en,
        _inputs(solved, schedule),
        segments,
        row.interest_fen - sum(segment.interest_fen for segment in segments),
    )


def _inputs(terms: ScheduleTerms, schedule: Schedule) -> dict[str, str | int]:
    return {
        "principal_fen": terms.drawn_fen,
        "annual_rate_pct": format(terms.annual_rate_pct, "f"),
        "rows": len(schedule.rows),
        "every": terms.every,
        "unit": terms.unit.value,
        "day_count": terms.day_count.value,
        "interest_days": terms.interest_days.value,
        "balloon_fen": terms.balloon_fen,
        "grace_principal": terms.grace.principal,
        "grace_interest": terms.grace.interest,
        "interest_free": terms.interest_free,
        "rounding_mode": terms.rounding.mode.value,
        "instalment_multiple_fen": terms.rounding.instalment_multiple_fen,
        "residue": terms.rounding.residue.value,
    }


def _accrued(schedule: Schedule, n: int) -> tuple[InterestSegment, ...]:
    terms = schedule.terms
    accrual = accruals_of(terms, row_periods(terms, has_balloon=terms.balloon_fen > 0))[n - 1]
    base_fen = schedule.rows[n - 2].balance_fen if n > 1 else 0
    parts = []
    for segment in accrual.segments:
        base_fen += segment.drawn_fen
        rate_pct = Decimal(0) if accrual.is_free else segment.rate_pct
        interest_fen = settled(base_fen * (rate_pct * segment.fraction / 100), terms.rounding.mode)
        parts.append(InterestSegment(segment.from_on, segment.to_on, base_fen, rate_pct, segment.fraction, interest_fen))
    if n > terms.row_count:  # the balloon of terms in advance is the agreed amount to the fen: its interest is what that leaves
        missing_fen = schedule.rows[n - 1].interest_fen - sum(part.interest_fen for part in parts)
        parts[-1] = replace(parts[-1], interest_fen=parts[-1].interest_fen + missing_fen)
    return tuple(parts)


def _flat(schedule: Schedule, row: Row) -> tuple[InterestSegment, ...]:
    """One segment: the whole term on the first principal, and of its interest this row's share."""
    terms = schedule.terms
    periods = periods_of(terms)
    bearing = [accrual for accrual in accruals_of(terms, periods) if not accrual.is_free]
    fraction = sum((segment.fraction for accrual in bearing for segment in accrual.segments), Decimal(0))
    share_fen = row.interest_fen
    if terms.grace.interest:
        share_fen = round_fen(Decimal(schedule.interest_fen) / len(schedule.rows), terms.rounding.mode)
    return (InterestSegment(terms.start_on, periods[-1].due_on, terms.drawn_fen, terms.annual_rate_pct, fraction, share_fen),)
