"""The all-in annualised cost of a rental and the cap no tenant can lift.

The cost is the internal rate of return of the lessor's flows per period: device value out, rents in advance in, and at the end of the
term the larger of expected residual value and buyout in. It is shown and guarded as the effective (compound) annual rate, the stricter
of the two readings PBOC notice [2021] no. 3 allows; the nominal rate (periodic rate times periods a year) is given beside it.

Why a guard at all: a "rental" that hands out a phone worth 9,000 for 18,000 within three months is lending in disguise. Such
租机贷 was convicted as illegal business operation in Shanghai (Jing'an court, 2025-03-12). Lenders' guidance of December 2025
caps all-in cost at 24 %; as a measure of what a rental may cost it is taken here for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, localcontext

ANNUAL_COST_MAX_PCT = Decimal(24)
_PRECISION = 40
_TOLERANCE = Decimal("1e-20")
_RATE_HIGHEST = Decimal(1_000_000)
_RATE_LOWEST = Decimal("-0.999999")
_PERIODS_PER_YEAR_OF_MONTHS = 12
INFINITE = Decimal("Infinity")
SHOWN_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class AnnualCost:
    """Annual rates in percent, unrounded. Infinite when the rents at the start already return the whole device value."""

    nominal_pct: Decimal
    effective_pct: Decimal

    @property
    def shown_pct(self) -> str:
        """The effective rate as a decimal string, the seventh decimal rounded away from zero so that it is never understated."""
        if not self.effective_pct.is_finite():
            return str(self.effective_pct)
        return str(self.effective_pct.quantize(SHOWN_DECIMALS, rounding=ROUND_UP))


def annual_cost(
    *,
    device_value_fen: int,
    rent_fen: int,
    period_count: int,
    period_months: int,
    residual_value_fen: int | None,
    buyout_fen: int | None,
) -> AnnualCost:
    """The annualised cost of a plan; see the module's text for the flows. Amounts in fen, all of one currency.

    Negative when lessee and residual value together do not return the device value. Raises ValueError when neither a residual value
    nor a buyout is given, or an amount or count is not positive.

    12 rents of 450 and a residual value of 1,000 for a phone worth 6,000 cost 12.8 % a year:

    >>> cost = annual_cost(device_value_fen=600_000, rent_fen=45_000, period_count=12, period_months=1,
    ...                    residual_value_fen=100_000, buyout_fen=None)
    >>> cost.effective_pct.quantize(Decimal("0.1"))
    Decimal('12.8')
    """
    if residual_value_fen is None and buyout_fen is None:
        raise ValueError("a plan needs a residual value or a buyout: without either its cost cannot be told")
    if device_value_fen <= 0 or rent_fen < 0 or period_count <= 0 or period_months <= 0:
        raise ValueError("device value, number of periods and months per period are positive, the rent is not negative")
    end_fen = max(residual_value_fen or 0, buyout_fen or 0)
    if rent_fen >= device_value_fen:
        return AnnualCost(INFINITE, INFINITE)
    with localcontext(prec=_PRECISION):
        rate = periodic_rate(device_value_fen, rent_fen, period_count, end_fen)
        periods_per_year = Decimal(_PERIODS_PER_YEAR_OF_MONTHS) / period_months
        return AnnualCost(
            nominal_pct=rate * periods_per_year * 100,
            effective_pct=((1 + rate) ** periods_per_year - 1) * 100,
        )


def periodic_rate(device_value_fen: int, rent_fen: int, period_count: int, end_fen: int) -> Decimal:
    """The rate per period at which rents in advance and the end value are worth the device value, by bisection.

    Present value falls strictly with the rate, so there is one root; the bracket holds rates from -99.9999 % to a million times.
    """
    with localcontext(prec=_PRECISION):
        low, high = _RATE_LOWEST, _RATE_HIGHEST
        if rent_fen == 0 and end_fen == 0:
            return Decimal(-1)
        while high - low > _TOLERANCE * max(Decimal(1), abs(low)):
            middle = (low + high) / 2
            if _present_value(middle, rent_fen, period_count, end_fen) > device_value_fen:
                low = middle
            else:
                high = middle
        return (low + high) / 2


def _present_value(rate: Decimal, rent_fen: int, period_count: int, end_fen: int) -> Decimal:
    discount = (1 + rate) ** -period_count
    annuity = Decimal(period_count) if rate == 0 else (1 - discount) / rate * (1 + rate)
    return rent_fen * annuity + end_fen * discount


def is_within_cap(effective_pct: Decimal, tenant_cap_pct: Decimal | None = None) -> bool:
    """Whether a cost may be offered: at most 24 %, or the tenant's own cap where that is lower.

    >>> is_within_cap(Decimal(24)), is_within_cap(Decimal("24.000001")), is_within_cap(Decimal(25), Decimal(36))
    (True, False, False)
    """
    return effective_pct <= effective_cap(tenant_cap_pct)


def effective_cap(tenant_cap_pct: Decimal | None) -> Decimal:
    """The lower of the law's guard and the tenant's own."""
    return ANNUAL_COST_MAX_PCT if tenant_cap_pct is None else min(ANNUAL_COST_MAX_PCT, tenant_cap_pct)
