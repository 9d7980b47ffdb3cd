"""From the financing of an agreement to the terms the engine computes: the quote, the contract and the bill take the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum
from typing import Protocol, TypeVar

from xinzu.back.billing.rules.schedules.cost import annual_cost_pct
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, due_on_of, with_shifted_periods
from xinzu.back.billing.rules.schedules.periods import periods_of, shift
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import (
    WEIGHTED,
    DayCount,
    Grace,
    InterestDays,
    Method,
    Residue,
    RoundingPolicy,
    ScheduleTerms,
    Timing,
    Unit,
    Unknown,
    check,
    refused,
    within,
)
from xinzu.kernel.money import Rounding
from xinzu.kernel.terms import Financing, RateStep
from xinzu.kernel.time import BusinessDate

_RATE_DECIMALS = range(2, 21)
_Choice = TypeVar("_Choice", bound=StrEnum)
# A due date must not come before the interest it asks for (Civil Code art. 670), so that with these the periods move as well.
MOVES_BACK = frozenset({ShiftPolicy.PRECEDING, ShiftPolicy.MODIFIED_FOLLOWING})


class Agreed(Protocol):
    """What a plan, an agreement and an account say alike of their periods."""

    @property
    def financing(self) -> Financing | None: ...
    @property
    def period_months(self) -> int: ...
    @property
    def period_days(self) -> int: ...
    @property
    def period_count(self) -> int: ...
    @property
    def due_shift(self) -> str: ...


def period_of(agreed: Agreed) -> tuple[int, Unit]:
    """How long a period is: so many months, or so many days where the terms say days."""
    return (agreed.period_days, Unit.DAY) if agreed.period_days else (agreed.period_months, Unit.MONTH)


def agreed_schedule(agreed: Agreed, financing: Financing, start_on: BusinessDate) -> ScheduleTerms:
    """The engine's terms of what was agreed, if it commences on ``start_on``. Raises Invalid naming the field that cannot be."""
    every, unit = period_of(agreed)
    return schedule_terms(financing, every, agreed.period_count, start_on, unit=unit, due_shift=ShiftPolicy(agreed.due_shift))


def schedule_terms(
    financing: Financing,
    every: int,
    period_count: int,
    start_on: BusinessDate,
    *,
    unit: Unit = Unit.MONTH,
    due_shift: ShiftPolicy = ShiftPolicy.NONE,
) -> ScheduleTerms:
    """The engine's terms of an agreement that commences on ``start_on``; raises Invalid naming the field that cannot be.

    A subsidy (贴息) is borne by the supplier: the rows repay the principal less the subsidy. The upfront fee is due with the first row.
    Where a due date may move back from a day off, its period ends there too and interest counts up to it; one that only moves on leaves
    the interest as it was.

    >>> from datetime import date
    >>> from xinzu.kernel.terms import Family
    >>> loan = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12", upfront_fee_fen=5_000)
    >>> rows = schedule_of(schedule_terms(loan, 1, 12, date(2026, 1, 15))).rows
    >>> [(str(row.due_on), row.principal_fen, row.interest_fen, row.fee_fen) for row in rows[:2]]
    [('2026-02-15', 94619, 12000, 5000), ('2026-03-15', 95565, 11054, 0)]
    """
    if financing.subsidy_fen:
        within("subsidy_fen", financing.subsidy_fen, 0, financing.principal_fen - 1)
    if financing.tranches:
        _check_tranches(financing)
    terms = ScheduleTerms(
        start_on=start_on,
        periods=period_count,
        every=every,
        unit=unit,
        method=_choice(Method, "method", financing.method),
        principal_fen=financing.principal_fen - financing.subsidy_fen,
        annual_rate_pct=_decimal("annual_rate_pct", financing.annual_rate_pct),
        timing=_choice(Timing, "timing", financing.timing),
        day_count=_choice(DayCount, "day_count", financing.day_count),
        interest_days=_choice(InterestDays, "interest_days", financing.interest_days),
        balloon_fen=financing.balloon_fen,
        weights=tuple(_decimal("weights", weight) for weight in financing.weights),
        grace=Grace(financing.grace_principal, financing.grace_interest),
        interest_free=financing.interest_free,
        disbursements=tuple((start_on + timedelta(days=each.after_days), each.amount_fen) for each in financing.tranches),
        fees=((1, financing.upfront_fee_fen),) if financing.upfront_fee_fen else (),
        rounding=RoundingPolicy(
            _choice(Rounding, "rounding.mode", financing.rounding_mode),
            financing.instalment_multiple_fen,
            _choice(Residue, "rounding.residue", financing.residue),
            financing.smooth_last,
        ),
    )
    check(terms)
    if due_shift in MOVES_BACK:
        terms = with_shifted_periods(terms, due_shift)
    if financing.rate_steps:
        terms = replace(terms, rate_changes=_rate_changes(terms, financing.rate_steps))
        check(terms)
    return terms


def _check_tranches(financing: Financing) -> None:
    """Raises Invalid where tranches do not make the principal or go with a subsidy, which lowers what one tranche repays."""
    if sum(each.amount_fen for each in financing.tranches) != financing.principal_fen:
        raise refused(
            "tranches",
            f"各笔放款之和须等于 principal_fen {financing.principal_fen}",
            f"must sum up to principal_fen, {financing.principal_fen}",
        )
    if financing.subsidy_fen:
        raise refused("subsidy_fen", "分笔放款不能与贴息并用", "cannot stand beside tranches")


def _rate_changes(terms: ScheduleTerms, steps: Sequence[RateStep]) -> tuple[tuple[BusinessDate, Decimal], ...]:
    """The agreed rates from the days on which their periods begin. Raises Invalid for a period that is not of the term."""
    periods = periods_of(terms)
    for step in steps:
        within("rate_steps", step.from_period, 2, terms.row_count)
    return tuple((periods[step.from_period - 1].from_on, _decimal("rate_steps", step.annual_rate_pct)) for step in steps)


def financed_cost_pct(schedule: Schedule, *, deposit_fen: int = 0, buyout_fen: int = 0) -> str | None:
    """The all-in effective annual cost of a financing in percent, over actual days / 365, rounded away from zero; None without bound.

    Counted as the stricter reading: what the rows repay was received, tranche by tranche (a subsidised price is no advantage), every fee is
    paid and a deposit is taken with the first of it, and given back without interest at the end of the term, when the thing is bought too.
    A due date that moves on from a day off counts as not moved.

    >>> from datetime import date
    >>> loan = ScheduleTerms(start_on=date(2026, 1, 15), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal(12))
    >>> financed_cost_pct(schedule_of(loan)), financed_cost_pct(schedule_of(replace(loan, fees=((1, 5_000),))))
    ('12.738309', '13.631321')
    """
    terms = schedule.terms
    drawn = terms.disbursements or ((terms.start_on, terms.drawn_fen),)
    received_on = drawn[0][0]
    flows = [
        (received_on, schedule.fee_fen + deposit_fen),
        *((on, -fen) for on, fen in drawn),
        *((row.due_on, row.principal_fen + row.interest_fen) for row in schedule.rows),
        (shift(terms.unit, terms.every, terms.start_on, terms.row_count), buyout_fen - deposit_fen),
    ]
    received_fen = -sum(fen for on, fen in flows if on == received_on)
    return annual_cost_pct(flows) if received_fen > 0 else None


def rent_days_early(
    every: int, period_count: int, start_on: BusinessDate, policy: ShiftPolicy, *, unit: Unit = Unit.MONTH
) -> tuple[int, ...]:
    """By how many days each rent of a rental falls due before its period begins; a rent that moves back is counted as not moved.

    >>> from datetime import date
    >>> rent_days_early(1, 3, date(2025, 9, 1), ShiftPolicy.PRECEDING), rent_days_early(1, 3, date(2025, 9, 1), ShiftPolicy.FOLLOWING)
    ((0, 1, 1), (0, 0, 0))
    """
    begins = [shift(unit, every, start_on, n) for n in range(period_count)]
    return tuple(max((on - due_on_of(on, policy, start_on)).days, 0) for on in begins)


def with_rate_of(
    financing: Financing,
    every: int,
    period_count: int,
    start_on: BusinessDate,
    instalment_fen: int,
    *,
    unit: Unit = Unit.MONTH,
    due_shift: ShiftPolicy = ShiftPolicy.NONE,
) -> Financing:
    """The financing with the annual rate at which its instalment (of weight one) is the given one, if it starts on ``start_on``.

    Of all such rates the one with the fewest decimals, because it will stand in a contract. Raises Invalid naming the field.

    >>> from datetime import date
    >>> from xinzu.kernel.terms import Family
    >>> loan = Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="0")
    >>> with_rate_of(loan, 1, 12, date(2026, 1, 15), 106_619).annual_rate_pct
    '12'
    """
    terms = replace(schedule_terms(financing, every, period_count, start_on, unit=unit, due_shift=due_shift), fees=())
    wanted = schedule_of(replace(terms, solve=Unknown.RATE, instalment_fen=instalment_fen))
    compared = max(period_count - 1, 1)  # the last row takes what rounding leaves
    totals = [row.principal_fen + row.interest_fen for row in wanted.rows[:compared]]
    decimals_tried = _RATE_DECIMALS if terms.method in WEIGHTED or instalment_fen % financing.instalment_multiple_fen == 0 else ()
    for decimals in decimals_tried:
        rate_pct = wanted.terms.annual_rate_pct.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
        found = schedule_of(replace(terms, annual_rate_pct=rate_pct))
        if [row.principal_fen + row.interest_fen for row in found.rows[:compared]] == totals:
            return replace(financing, annual_rate_pct=f"{rate_pct.normalize():f}")
    raise refused(
        "instalment_fen",
        "按此取整方式得不到该金额：须为取整单位的倍数，尾差放在末期且不平滑",
        "is reached by no rate under this rounding: take a multiple of the rounding, the residue last and no smoothing",
    )


def _choice(of: type[_Choice], name: str, value: str) -> _Choice:
    try:
        return of(value)
    except ValueError:
        one_of = ", ".join(of)
        raise refused(name, f"须为以下之一：{one_of}", f"must be one of {one_of}") from None


def _decimal(name: str, value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise refused(name, "须为十进制数", "must be a decimal number") from None
