"""What a schedule costs a year: the internal rate of its flows.

``irr_pct`` is nominal: the rate per period times the periods in a year. ``annual_cost_pct`` is the effective (compound) annual rate over
actual days / 365, the stricter of the two readings of PBOC notice [2021] no. 3. Rates are found in binary floating point to about
1e-12 and shown with six decimals, the cost rounded away from zero so that it is never understated; no amount depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from xinzu.kernel.time import BusinessDate

DAYS_IN_YEAR = 365
_RATE_HIGHEST = 1e6
_RATE_LOWEST = -0.999999
_NOISE = Decimal("1e-9")
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

    def worth(rate: float) -> float:
        return math.fsum(fen * math.pow(1 + rate, -at) for at, fen in flows)

    def slope(rate: float) -> float:
        return math.fsum(-at * fen * math.pow(1 + rate, -at - 1) for at, fen in flows)

    found = _newton(worth, slope)
    return _bisection(worth) if found is None else found


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


def _bisection(worth: Callable[[float], float]) -> float | None:
    low, high = _RATE_LOWEST, _RATE_HIGHEST
    try:
        if worth(low) * worth(high) > 0:
            return None
        rises = worth(high) > 0
        for _ in range(200):
            middle = (low + high) / 2
            if (worth(middle) > 0) == rises:
                high = middle
            else:
                low = middle
    except OverflowError:
        return None
    return (low + high) / 2


def annual_cost_pct(flows: Sequence[tuple[BusinessDate, int]]) -> str | None:
    """The effective annual rate of dated flows in percent, six decimals, rounded away from zero."""
    first = flows[0][0]
    rate = irr([((on - first).days / DAYS_IN_YEAR, fen) for on, fen in flows])
    return None if rate is None else _shown(rate, ROUND_UP)


def irr_pct(flows: Sequence[Flow], periods_per_year: Decimal) -> str | None:
    """The nominal annual rate of flows whose time is counted in periods, in percent, six decimals."""
    rate = irr(flows)
    return None if rate is None else _shown(rate * float(periods_per_year), ROUND_HALF_EVEN)


def _shown(rate: float, rounding: str) -> str:
    settled = (Decimal(rate) * 100).quantize(_NOISE, rounding=ROUND_HALF_EVEN)  # what lies below is the search's own error
    return format(settled.quantize(_SHOWN, rounding=rounding) + 0, "f")
