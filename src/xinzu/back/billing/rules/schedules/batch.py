"""Many quotes at once: the commonest terms in arrays, the same fen as ``schedule_of``.

Balances, interest and instalments are whole numbers throughout: interest is settled by integer arithmetic, and an instalment that floating
point cannot place surely on one side of half a fen is left to ``schedule_of``. Rates are found in floating point, to about 1e-13, as in
``cost``. Terms that are not of the common form go through ``schedule_of`` one by one, so any terms may be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from xinzu.back.billing.rules.schedules.cost import DAYS_IN_YEAR
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import (
    DayCount,
    Grace,
    InterestDays,
    Method,
    RoundingPolicy,
    ScheduleTerms,
    Timing,
    Unit,
    Unknown,
)
from xinzu.kernel.errors import Invalid

Fen = npt.NDArray[np.int64]
Rate = npt.NDArray[np.float64]

_PRINCIPAL_MAX_FEN = 10**10  # with the rate and months below, 2 × balance × rate stays within 64 bits
_PRINCIPAL_MIN_FEN = 1_000  # a period: below, rounding moves the rate too far from the agreed one to search from there
_RATE_MAX_PCT = Decimal(100)
_MONTHS_MAX = 3
_PERIODS_MAX = 120
_SCALE = 10**6  # a rate in millionths of a percent
_YEAR = 12 * 100 * _SCALE  # balance × scaled rate × months ÷ this is interest
_UNSURE_FEN = 1e-3
_STEPS = 60
_PLAIN = (Grace(), RoundingPolicy())


@dataclass(frozen=True, slots=True)
class Quote:
    """What a customer is told of a schedule before seeing its rows. ``last_fen`` is the last row; rates as in ``Schedule``."""

    instalment_fen: int
    last_fen: int
    interest_fen: int
    total_fen: int
    irr_pct: str | None
    annual_cost_pct: str | None


def quote_many(many: Sequence[ScheduleTerms]) -> list[Quote | Invalid]:
    """One quote for each terms, in order; terms that cannot be are answered by their problem and fail no neighbour.

    >>> from datetime import date
    >>> loan = ScheduleTerms(start_on=date(2026, 1, 1), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal(12))
    >>> quote = quote_many([loan])[0]
    >>> quote.instalment_fen, quote.last_fen, quote.interest_fen, quote.irr_pct
    (106619, 106614, 79423, '12.000106')
    """
    answers: list[Quote | Invalid | None] = [None] * len(many)
    plain = [index for index, terms in enumerate(many) if _is_plain(terms)]
    if plain:
        for index, quote in zip(plain, _quote_plain([many[index] for index in plain]), strict=True):
            answers[index] = quote
    return [_quote_one(terms) if answer is None else answer for terms, answer in zip(many, answers, strict=True)]


def _quote_one(terms: ScheduleTerms) -> Quote | Invalid:
    try:
        schedule = schedule_of(terms)
    except Invalid as invalid:
        return invalid
    rows = schedule.rows
    first = rows[min(max(terms.grace.principal, terms.grace.interest + (terms.grace.interest > 0)), len(rows) - 1)]
    return Quote(
        first.total_fen,
        rows[-1].total_fen,
        schedule.interest_fen,
        schedule.total_fen,
        schedule.irr_pct,
        schedule.annual_cost_pct,
    )


def _is_plain(terms: ScheduleTerms) -> bool:
    """Equal instalments by the month, each period its nominal part of the year, rounded in the common way, nothing else agreed."""
    is_nominal = (
        terms.day_count is DayCount.PERIOD
        or terms.interest_days is InterestDays.PERIOD
        or (terms.day_count is DayCount.THIRTY_360 and terms.start_on.day <= 28)
    )
    return (
        is_nominal
        and terms.method is Method.EQUAL_INSTALMENT
        and terms.unit is Unit.MONTH
        and terms.solve is Unknown.INSTALMENT
        and terms.instalment_fen is None
        and (terms.grace, terms.rounding) == _PLAIN
        and not (terms.first_due_on or terms.period_dates or terms.balloon_fen or terms.weights or terms.interest_free)
        and not (terms.disbursements or terms.rate_changes or terms.fees)
        and 1 <= terms.every <= _MONTHS_MAX
        and 1 < terms.periods <= _PERIODS_MAX
        and _PRINCIPAL_MIN_FEN * terms.periods <= terms.principal_fen <= _PRINCIPAL_MAX_FEN
        and terms.start_on.year <= 9000
        and terms.annual_rate_pct.is_finite()
        and 0 <= terms.annual_rate_pct <= _RATE_MAX_PCT
        and terms.annual_rate_pct * _SCALE % 1 == 0
    )


def _quote_plain(many: Sequence[ScheduleTerms]) -> list[Quote | None]:
    """None where the instalment lies too near half a fen to be told."""
    principal = np.array([terms.principal_fen for terms in many], dtype=np.int64)
    scaled = np.array([int(terms.annual_rate_pct * _SCALE) * terms.every for terms in many], dtype=np.int64)
    count = np.array([terms.periods for terms in many], dtype=np.int64)
    every = np.array([terms.every for terms in many], dtype=np.int64)
    in_advance = np.array([terms.timing is Timing.ADVANCE for terms in many])
    exact = _instalments(principal, scaled / _YEAR, count, in_advance)
    instalment = np.floor(exact + 0.5).astype(np.int64)
    unsure = np.abs(exact - np.floor(exact) - 0.5) < _UNSURE_FEN
    totals = _row_totals(principal, scaled, count, in_advance, instalment)
    paid = totals.sum(axis=1)
    last = totals[np.arange(len(many)), count - 1]
    periods = np.arange(totals.shape[1])[None, :] + np.where(in_advance, 0, 1)[:, None]
    guess = np.log1p(scaled / _YEAR)
    irr = np.expm1(_log_rates(principal, totals, periods.astype(np.float64), guess)) * (12 / every)
    years = _days_from_start(many, every, periods) / DAYS_IN_YEAR
    cost = np.expm1(_log_rates(principal, totals, years, guess * 12 / every))
    irr_shown = np.rint(np.rint(irr * 1e11) / 1e3).astype(np.int64)
    cost_shown = np.ceil(np.rint(cost * 1e11) / 1e3).astype(np.int64)
    columns = zip(
        unsure.tolist(),
        totals[:, 0].tolist(),
        last.tolist(),
        (paid - principal).tolist(),
        paid.tolist(),
        irr_shown.tolist(),
        cost_shown.tolist(),
        strict=True,
    )
    return [
        None if left else Quote(first, end, interest, total, _pct(nominal), _pct(effective))
        for left, first, end, interest, total, nominal, effective in columns
    ]


def _instalments(principal: Fen, factor: Rate, count: Fen, in_advance: npt.NDArray[np.bool_]) -> Rate:
    """The annuity formula, unrounded. The error is some units of the sixteenth digit: below a millionth of a fen up to the limit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        per_fen = factor / -np.expm1(-count * np.log1p(factor))
    per_fen = np.where(factor == 0, 1 / count, per_fen)
    return np.asarray(principal * per_fen / np.where(in_advance, 1 + factor, 1), dtype=np.float64)


def _row_totals(principal: Fen, scaled: Fen, count: Fen, in_advance: npt.NDArray[np.bool_], instalment: Fen) -> Fen:
    """What each row asks for, one line per loan; 0 after its last row. Interest is rounded half up in whole numbers."""
    rows = int(count.max())
    totals = np.zeros((len(principal), rows), dtype=np.int64)
    balance = principal.copy()
    for row in range(rows):
        interest = (2 * balance * scaled + _YEAR) // (2 * _YEAR)
        if row == 0:
            interest = np.where(in_advance, 0, interest)
        repaid = np.where(row == count - 1, balance, np.minimum(instalment - interest, balance))
        totals[:, row] = np.where(row < count, repaid + interest, 0)
        balance = np.where(row < count, balance - repaid, 0)
    return totals


def _log_rates(principal: Fen, totals: Fen, at: Rate, guess: Rate) -> Rate:
    """Per loan the ``x`` with ``Σ total × exp(−x × at) = principal``, by Newton's method from the rate that was agreed."""
    found = guess.copy()
    for _ in range(_STEPS):
        discounted = totals * np.exp(-found[:, None] * at)
        step = (discounted.sum(axis=1) - principal) / (discounted * at).sum(axis=1)
        found += step
        if bool(np.all(np.abs(step) < 1e-15 + 1e-14 * np.abs(found))):
            break
    return found


def _days_from_start(many: Sequence[ScheduleTerms], every: Fen, periods: Fen) -> Rate:
    """Days from the start to each due date, counted from the start's day of month, or the last of a shorter month."""
    start = np.array([terms.start_on for terms in many], dtype="datetime64[D]")
    month = start.astype("datetime64[M]")
    day = (start - month.astype("datetime64[D]")).astype(np.int64)
    due_month = month[:, None] + (periods * every[:, None]).astype("timedelta64[M]")
    first = due_month.astype("datetime64[D]")
    last_day = ((due_month + np.timedelta64(1, "M")).astype("datetime64[D]") - first).astype(np.int64) - 1
    due = first + np.minimum(day[:, None], last_day).astype("timedelta64[D]")
    return np.asarray((due - start[:, None]).astype(np.float64))


def _pct(millionths: int) -> str:
    sign = "-" if millionths < 0 else ""
    whole, part = divmod(abs(millionths), _SCALE)
    return f"{sign}{whole}.{part:06d}"


@dataclass(frozen=True, slots=True)
class RentalCosts:
    """One element per plan. Rates in percent a year, not finite where the rents at the start already return the whole device value."""

    total_fen: Fen
    nominal_pct: Rate
    effective_pct: Rate


def rental_costs(
    device_value_fen: Fen,
    rent_fen: Fen,
    period_count: Fen,
    period_months: Fen,
    end_fen: Fen,
    in_advance: npt.NDArray[np.bool_],
) -> RentalCosts:
    """What rentals cost a year, as ``rental_cost_pct`` tells it, for arrays of plans: device value out, rents in, and at the end of the
    term the larger of residual value and buy-out in. Raises ValueError unless values, counts and months are above zero.

    12 rents of 450 and a residual value of 1,000 for a phone worth 6,000 cost 12.8 % a year:

    >>> one = [np.array([number]) for number in (600_000, 45_000, 12, 1, 100_000)]
    >>> round(float(rental_costs(*one, np.array([True])).effective_pct[0]), 1)
    12.8
    """
    if min(device_value_fen.min(), period_count.min(), period_months.min()) < 1 or min(rent_fen.min(), end_fen.min()) < 0:
        raise ValueError(
            "device value, number of periods and months per period are positive, rent and end value are not negative"
        )
    # The worth falls with the rate: halve the bracket of its logarithm, from -99.9999 % to a million times a period.
    low = np.full(len(rent_fen), np.log(1e-6))
    high = np.full(len(rent_fen), np.log(1e6))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            annuity = np.where(middle == 0, period_count, -np.expm1(-period_count * middle) / np.expm1(middle))
            rents = rent_fen * annuity * np.where(in_advance, np.exp(middle), 1)
            is_worth_more = rents + end_fen * np.exp(-period_count * middle) > device_value_fen
        low, high = np.where(is_worth_more, middle, low), np.where(is_worth_more, high, middle)
    root = (low + high) / 2
    root = np.where(in_advance & (rent_fen >= device_value_fen), np.inf, root)
    per_year = 12 / period_months
    return RentalCosts(rent_fen * period_count + end_fen, np.expm1(root) * per_year * 100, np.expm1(root * per_year) * 100)
