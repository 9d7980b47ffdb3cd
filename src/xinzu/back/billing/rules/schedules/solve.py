"""A schedule from its terms, whichever of its numbers is the unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

from xinzu.back.billing.rules.schedules.accrual import Accrual, accruals_of
from xinzu.back.billing.rules.schedules.amortise import PRECISION, Row, linear_balance, plan, round_to, row_periods, solve_from
from xinzu.back.billing.rules.schedules.cost import annual_cost_pct, irr_pct
from xinzu.back.billing.rules.schedules.periods import periods_between
from xinzu.back.billing.rules.schedules.terms import (
    PERIODS_MAX,
    PERIODS_PER_YEAR,
    RATE_MAX_PCT,
    YEARS_MAX,
    Method,
    ScheduleTerms,
    Unknown,
    check,
    refused,
)
from xinzu.kernel.time import BusinessDate

_RATE_STEPS = 120
_RATE_TOLERANCE_PCT = Decimal("1e-24")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rows, the terms they follow (with what was solved for), and what they cost a year. ``subsidy_fen`` is what a supplier bears so
    that the instalments earn the rate; the rows then repay the rest."""

    terms: ScheduleTerms
    rows: tuple[Row, ...]
    subsidy_fen: int
    irr_pct: str | None
    annual_cost_pct: str | None

    @property
    def principal_fen(self) -> int:
        return sum(row.principal_fen for row in self.rows)

    @property
    def interest_fen(self) -> int:
        return sum(row.interest_fen for row in self.rows)

    @property
    def fee_fen(self) -> int:
        return sum(row.fee_fen for row in self.rows)

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.interest_fen + self.fee_fen


def schedule_of(terms: ScheduleTerms) -> Schedule:
    """The schedule of terms; solves for ``terms.solve``. Raises Invalid naming the field that cannot be.

    >>> from datetime import date
    >>> loan = ScheduleTerms(start_on=date(2026, 1, 1), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal(12))
    >>> [(row.n, row.principal_fen, row.interest_fen, row.balance_fen) for row in schedule_of(loan).rows[:2]]
    [(1, 94619, 12000, 1105381), (2, 95565, 11054, 1009816)]
    """
    check(terms)
    try:
        return _schedule_of(terms)
    except (InvalidOperation, DivisionByZero, Overflow):
        raise refused(
            "annual_rate_pct", "利息超过可计算的范围", "makes interest outgrow what can be computed: choose other terms"
        ) from None


def _schedule_of(terms: ScheduleTerms) -> Schedule:
    instalment_fen = terms.instalment_fen
    subsidy_fen = 0
    with localcontext(prec=PRECISION):
        solved = terms
        if instalment_fen is not None:
            solved = _solved(terms, instalment_fen)
            if terms.solve is Unknown.SUBSIDY:
                subsidy_fen = terms.drawn_fen - solved.drawn_fen
    check(replace(solved, solve=Unknown.INSTALMENT, instalment_fen=None))
    rows = tuple(plan(solved, instalment_fen))
    return Schedule(solved, rows, subsidy_fen, *_costs(solved, rows))


def _solved(terms: ScheduleTerms, instalment_fen: int) -> ScheduleTerms:
    if terms.solve is Unknown.RATE:
        return replace(terms, annual_rate_pct=_rate(terms, instalment_fen))
    if terms.solve is Unknown.PERIODS:
        return replace(terms, periods=_period_count(terms, instalment_fen))
    if terms.solve is Unknown.BALLOON:
        fixed, weighed = linear_balance(terms, _accruals(terms), 0, 0)
        balloon_fen = round_to(fixed - instalment_fen * weighed, replace(terms.rounding, instalment_multiple_fen=1))
        if balloon_fen < 0:
            raise refused(
                "instalment_fen", "每期金额已足以还清本息，没有尾款", "repays more than is owed: there is no balloon to solve for"
            )
        return replace(terms, balloon_fen=balloon_fen)
    # Principal, or the principal that the instalments are worth at the wanted rate: the balance is linear in it.
    growth, weighed = linear_balance(terms, _accruals(replace(terms, principal_fen=0)), 0, 1)
    principal = (terms.balloon_fen + instalment_fen * weighed) / growth
    principal_fen = int(principal.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    if terms.solve is Unknown.SUBSIDY and principal_fen > terms.drawn_fen:
        raise refused(
            "instalment_fen",
            "每期金额已达到目标收益率，无需贴息",
            "earns more than the wanted rate already: no subsidy is needed",
        )
    return replace(terms, principal_fen=principal_fen)


def _accruals(terms: ScheduleTerms) -> list[Accrual]:
    return accruals_of(terms, row_periods(terms, has_balloon=terms.balloon_fen > 0 or terms.solve is Unknown.BALLOON))


def _rate(terms: ScheduleTerms, instalment_fen: int) -> Decimal:
    """The annual rate in percent at which the unrounded instalment is the given one, by bisection: it rises with the rate."""

    def instalment_at(rate_pct: Decimal) -> Decimal:
        tried = replace(terms, annual_rate_pct=rate_pct)
        return solve_from(tried, _accruals(tried), 0, 0)

    low, high = Decimal(0), RATE_MAX_PCT
    if not instalment_at(low) <= instalment_fen <= instalment_at(high):
        raise refused(
            "instalment_fen",
            f"在 0 至 {RATE_MAX_PCT}% 的年利率内达不到该金额",
            f"is reached by no annual rate from 0 to {RATE_MAX_PCT} %",
        )
    for _ in range(_RATE_STEPS):
        if high - low < _RATE_TOLERANCE_PCT:
            break
        middle = (low + high) / 2
        if instalment_at(middle) < instalment_fen:
            low = middle
        else:
            high = middle
    return ((low + high) / 2).quantize(Decimal("1e-20"), rounding=ROUND_HALF_EVEN).normalize() + 0


def _period_count(terms: ScheduleTerms, instalment_fen: int) -> int:
    """The fewest rows whose unrounded instalment is not above the given one; the last row asks for less."""

    def is_enough(count: int) -> bool:
        tried = replace(terms, periods=count)
        return solve_from(tried, _accruals(tried), 0, 0) <= instalment_fen

    low = max(terms.grace.principal, terms.grace.interest) + 1
    high = min(PERIODS_MAX, YEARS_MAX * PERIODS_PER_YEAR[terms.unit] // terms.every)
    if not is_enough(high):
        raise refused("instalment_fen", f"该金额在 {high} 期内还不清本息", f"does not repay the principal within {high} rows")
    while low < high:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _costs(terms: ScheduleTerms, rows: tuple[Row, ...]) -> tuple[str | None, str | None]:
    tranches = list(terms.disbursements) or [(terms.start_on, terms.principal_fen)]
    dated = [*((on, -fen) for on, fen in tranches), *((row.due_on, row.total_fen) for row in rows)]
    per_year = Decimal(PERIODS_PER_YEAR[terms.unit]) / terms.every
    first = rows[0].due_on
    whole = terms.period_dates or terms.first_due_on is None
    if not whole:
        to_first = float(periods_between(terms.unit, terms.every, terms.start_on, first))
    elif terms.method is Method.BULLET:
        to_first = float(terms.row_count)
    else:
        to_first = float(first > terms.start_on)
    # In periods: rows are one apart, a shorter or longer first period is its share of one; a tranche lies between rows by days.
    marks = [(terms.start_on, 0.0)] * (first > terms.start_on) + [(row.due_on, to_first + n) for n, row in enumerate(rows)]
    flows = [(at, row.total_fen) for (_, at), row in zip(marks[-len(rows) :], rows, strict=True)]
    flows += [(_position(marks, on), -fen) for on, fen in tranches]
    return irr_pct(flows, per_year), annual_cost_pct(dated)


def _position(marks: Sequence[tuple[BusinessDate, float]], on: BusinessDate) -> float:
    index = max(i for i, (mark, _) in enumerate(marks) if mark <= on)
    if index + 1 == len(marks):
        return marks[index][1]
    (before, at), (after, then) = marks[index], marks[index + 1]
    return at + (then - at) * (on - before).days / (after - before).days
