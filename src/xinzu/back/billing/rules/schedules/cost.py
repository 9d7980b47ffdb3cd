"""What a schedule costs a year: the internal rate of its flows.

``irr_pct`` is nominal: the rate per period times the periods in a year. ``annual_cost_pct`` is the effective (compound) annual rate over
actual days / 365, the stricter of the two readings of PBOC notice [2021] no. 3. Rates are found in binary floating point to about
1e-12 and shown with six decimals, the cost rounded away from zero so that it is never understated; no amount depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from xinzu.back.billing.rules.schedules.terms import PERIODS_PER_YEAR, Unit
from xinzu.kernel.time import BusinessDate

DAYS_IN_YEAR = 365
_MONTHS_IN_YEAR = 12
_RATE_HIGHEST = 1e6
_RATE_LOWEST = -0.999999
_NOISE = Decimal("1e-9")
_RENTAL_NOISE = Decimal("1e-12")  # what a rental's regular flows leave is smaller: about 1e-13 of a percent
_SHOWN = Decimal("1e-6")

Flow = tuple[float, int]
"""When, in years or periods from the first flow, and how much in fen: what the borrower gets is negative, what is paid positive."""


def irr(flows: Sequence[Flow]) -> float | None:
    """The rate per unit of time at which the flows are worth nothing, or None when no single rate is.

    >>> round(irr([(0, -100_00), (1, 110_00)]), 9)
    0.1
    """
    net: dict[float, int] = {}  # what is drawn and repaid at once bears no rate
    for at, fen in flows:
        net[at] = net.get(at, 0) + fen
    if not (any(fen < 0 for fen in net.values()) and any(fen > 0 for fen in net.values())):
        return None

    last = max(at for at, fen in net.items() if fen)

    def worth(rate: float) -> float:
        try:
            return math.fsum(fen * math.pow(1 + rate, -at) for at, fen in flows)
        except OverflowError:  # near -100 % the last flow outweighs all others
            return math.copysign(math.inf, net[last])

    def slope(rate: float) -> float:
        return math.fsum(-at * fen * math.pow(1 + rate, -at - 1) for at, fen in flows)

    found = _newton(worth, slope)
    is_gain = sum(net.values()) > 0  # a deposit given back at the end adds a root below zero: what brings a gain has one above
    if found is None or (is_gain and found < 0):
        return _bisection(worth, 0.0 if is_gain else _RATE_LOWEST)
    return found


def _newton(worth: Callable[[float], float], slope: Callable[[float], float]) -> float | None:
    rate = 0.01
    for _ in range(40):
        try:
            step = worth(rate) / slope(rate)
        except (ZeroDivisionError, OverflowError):
            return None
        rate -= step
        if not _RATE_LOWEST < rate < _RATE_HIGHEST:
            return None
        if abs(step) < 1e-14 + 1e-13 * abs(rate):
            return rate
    return None


def _bisection(worth: Callable[[float], float], lowest: float) -> float | None:
    low, high = lowest, _RATE_HIGHEST
    if worth(low) * worth(high) > 0:
        return None
    rises = worth(high) > 0
    for _ in range(200):
        middle = (low + high) / 2
        if (worth(middle) > 0) == rises:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def annual_cost_pct(flows: Sequence[tuple[BusinessDate, int]]) -> str | None:
    """The effective annual rate of dated flows in percent, six decimals, rounded away from zero."""
    first = flows[0][0]
    rate = irr([((on - first).days / DAYS_IN_YEAR, fen) for on, fen in flows])
    return None if rate is None else _shown(rate, ROUND_UP)


def rental_cost_pct(
    device_value_fen: int,
    rent_fen: int,
    period_count: int,
    every: int,
    end_fen: int,
    *,
    unit: Unit = Unit.MONTH,
    first_rents: int = 1,
    days_early: Sequence[int] = (),
) -> str | None:
    """What a rental of equal rents in advance costs a year, effective, in percent, rounded as ``annual_cost_pct``.

    The lessor's flows, in months of a twelfth of a year or in days of a 365th: device value out, rents in, and at the end of the term
    ``end_fen`` in (the larger of expected residual value and buyout). ``first_rents`` come in at the start, the last ones of the term
    among them; ``days_early`` is by how many days each rent falls due before its period begins. Below nothing when the flows do not
    return the device value; None when the first payment already does: the cost has no bound. Raises ValueError unless value, count and
    ``every`` are positive, the first rents are of the term, and the rest is not negative.

    12 rents of 450 and a residual value of 1,000 for a phone worth 6,000:

    >>> rental_cost_pct(600_000, 45_000, 12, 1, 100_000)
    '12.784657'

    Three of them paid at the start:

    >>> rental_cost_pct(600_000, 45_000, 12, 1, 100_000, first_rents=3)
    '17.019538'
    """
    if min(device_value_fen, period_count, every) < 1 or min(rent_fen, end_fen) < 0:
        raise ValueError("device value, number and length of periods are positive, rent and end value are not negative")
    if not 1 <= first_rents <= period_count:
        raise ValueError("the rents paid at the start are of the term")
    rents = _rents_in_turn(rent_fen, period_count - first_rents + 1, every / PERIODS_PER_YEAR[unit], days_early)
    end = period_count * every / PERIODS_PER_YEAR[unit]
    rate = irr([(0.0, rent_fen * (first_rents - 1) - device_value_fen), *rents, (end, end_fen)])
    if rate is None and rent_fen * period_count + end_fen < device_value_fen:
        rate = _RATE_LOWEST
    return None if rate is None else _shown(rate, ROUND_UP, _RENTAL_NOISE)


def dearest_buyout(
    device_value_fen: int,
    rent_fen: int,
    period_count: int,
    period_months: int,
    prices_fen: Sequence[int],
    *,
    first_rents: int = 1,
    days_early: Sequence[int] = (),
) -> tuple[int, str | None]:
    """The month of the term (from 1) in which keeping the thing costs most a year, and that cost as ``rental_cost_pct`` counts it; None
    without bound. Below nothing in every month, the first month's is told as -100.

    Who buys in a month has paid the rents of the periods begun and pays the month's price at its end; rents paid ahead for periods not
    begun come back. After the table its last price stands.

    >>> dearest_buyout(600_000, 45_000, 12, 1, (555_000, 100_000)), dearest_buyout(600_000, 45_000, 12, 1, (600_000,))
    ((12, '12.784657'), (1, '154.858550'))
    """
    in_turn = period_count - first_rents + 1
    rents = _rents_in_turn(rent_fen, in_turn, period_months / _MONTHS_IN_YEAR, days_early)
    ahead_fen = rent_fen * (first_rents - 1)
    dearest: tuple[float, int] = (_RATE_LOWEST, 1)
    for month in range(1, period_count * period_months + 1):
        begun = -(-month // period_months)
        price_fen = prices_fen[min(month, len(prices_fen)) - 1]
        if rent_fen * begun + price_fen < device_value_fen:
            continue
        back_fen = rent_fen * (period_count - max(begun, in_turn))
        at_end = (month / _MONTHS_IN_YEAR, price_fen - back_fen)
        rate = irr([(0.0, ahead_fen - device_value_fen), *rents[:begun], at_end])
        if rate is None:
            return month, None
        dearest = max(dearest, (rate, month), key=lambda each: each[0])
    return dearest[1], _shown(dearest[0], ROUND_UP, _RENTAL_NOISE)


def daily_cost_pct(device_value_fen: int, rents: Sequence[tuple[int, int]], days: int, end_fen: int) -> str | None:
    """What a rental by the day costs a year, counted as ``rental_cost_pct`` counts it: rents are (days after the commencement, fen),
    ``end_fen`` is what the thing is expected to be worth when it comes back after so many days.

    Zero where rents and end value do not bring back the value of the thing: then nothing is financed. None without bound.

    >>> daily_cost_pct(600_000, [(0, 21_000), (30, 10_000)], 60, 590_000), daily_cost_pct(600_000, [(0, 3_000)], 1, 590_000)
    ('24.429561', '0.000000')
    """
    if sum(fen for _, fen in rents) + end_fen <= device_value_fen:
        return "0.000000"
    rate = irr([(0.0, -device_value_fen), *((after / DAYS_IN_YEAR, fen) for after, fen in rents), (days / DAYS_IN_YEAR, end_fen)])
    return None if rate is None else _shown(rate, ROUND_UP, _RENTAL_NOISE)


def _rents_in_turn(rent_fen: int, in_turn: int, years: float, days_early: Sequence[int]) -> list[Flow]:
    """The rents that are not paid ahead, one each so many years from the commencement."""
    early = [*days_early[:in_turn], *[0] * in_turn]
    return [(n * years - early[n] / DAYS_IN_YEAR, rent_fen) for n in range(in_turn)]


def irr_pct(flows: Sequence[Flow], periods_per_year: Decimal) -> str | None:
    """The nominal annual rate of flows whose time is counted in periods, in percent, six decimals."""
    rate = irr(flows)
    return None if rate is None else _shown(rate * float(periods_per_year), ROUND_HALF_EVEN)


def _shown(rate: float, rounding: str, noise: Decimal = _NOISE) -> str:
    settled = (Decimal(rate) * 100).quantize(noise, rounding=ROUND_HALF_EVEN)  # what lies below is the search's own error
    return format(settled.quantize(_SHOWN, rounding=rounding) + 0, "f")
