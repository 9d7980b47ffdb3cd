"""The late fee of an instalment and the law's caps on it.

outstanding × daily rate × days after grace, never above either cap:

- four times the one-year loan prime rate of the day the agreement was signed (Supreme People's Court, private lending
  interpretation 2020, arts. 25 and 29; leasing companies are not bound by it, we hold to it all the same);
- 30 % of the instalment: beyond that a penalty counts as excessive (Civil Code art. 585; Supreme People's Court,
  general part of contracts interpretation 2023, art. 65).

Outstanding times days is summed as whole fen-days, so no rounding happens before the end; then the fraction of a fen is dropped
(``Rounding.DOWN``, in the lessee's favour).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from xinzu.back.billing.model import Segment, Why
from xinzu.kernel.money import Rounding
from xinzu.kernel.time import BusinessDate

# One-year loan prime rate, percent, by the day of its publication (National Interbank Funding Center).
LPR_ONE_YEAR_PCT: tuple[tuple[BusinessDate, Decimal], ...] = (
    (date(2022, 8, 22), Decimal("3.65")),
    (date(2023, 6, 20), Decimal("3.55")),
    (date(2023, 8, 21), Decimal("3.45")),
    (date(2024, 7, 22), Decimal("3.35")),
    (date(2024, 10, 21), Decimal("3.10")),
    (date(2025, 5, 20), Decimal("3.00")),
)
LPR_MULTIPLE = 4
DAYS_IN_YEAR = 365
EXCESSIVE_PENALTY_PCT = 30
ROUNDING = Rounding.DOWN


def ceiling_annual_pct(signed_on: BusinessDate) -> Decimal:
    """The highest annual rate a late fee may have, in percent, for an agreement signed on a date.

    >>> ceiling_annual_pct(date(2026, 3, 2))
    Decimal('12.00')
    """
    published = bisect_right([on for on, _ in LPR_ONE_YEAR_PCT], signed_on)
    return LPR_ONE_YEAR_PCT[max(published - 1, 0)][1] * LPR_MULTIPLE


def late_fee_fen(fen_days: int, instalment_fen: int, daily_rate: Decimal, ceiling_pct: Decimal) -> int:
    """The late fee for so many fen-days of delay on an instalment, all caps applied.

    >>> late_fee_fen(29900 * 10, 29900, Decimal("0.0003"), Decimal("12"))
    89
    >>> late_fee_fen(29900 * 10, 29900, Decimal("0.01"), Decimal("12"))  # the agreed rate is above the ceiling
    98
    """
    agreed = fen_days * Fraction(daily_rate)
    lawful = fen_days * Fraction(ceiling_pct) / (100 * DAYS_IN_YEAR)
    reasonable = Fraction(instalment_fen * EXCESSIVE_PENALTY_PCT, 100)
    return int(min(agreed, lawful, reasonable))


def fen_days_of(segments: Sequence[Segment]) -> int:
    """Outstanding amount times days, summed over segments."""
    return sum(segment.base_fen * ((segment.to_on - segment.from_on).days + 1) for segment in segments)


def explain(segments: Sequence[Segment], instalment_fen: int, daily_rate: Decimal, ceiling_pct: Decimal) -> Why:
    """Why a late fee is what it is; ``late_fee_fen`` in the inputs is the result for these segments."""
    fen_days = fen_days_of(segments)
    return Why(
        formula="late_fee_daily",
        words_zh=(
            f"逾期未付租金 × 日费率 × 宽限期后的天数；不超过签约时一年期 LPR 的 {LPR_MULTIPLE} 倍，"
            f"且累计不超过该期租金的 {EXCESSIVE_PENALTY_PCT}%；不足一分舍去"
        ),
        words_en=(
            "Rent outstanding × daily rate × days after grace; not above four times the one-year LPR at signing, and in all not above"
            f" {EXCESSIVE_PENALTY_PCT} % of the instalment; fractions of a fen are dropped"
        ),
        inputs={
            "daily_rate": format(daily_rate, "f"),
            "ceiling_annual_pct": format(ceiling_pct, "f"),
            "days_in_year": DAYS_IN_YEAR,
            "instalment_fen": instalment_fen,
            "fen_days": fen_days,
            "cap_fen": instalment_fen * EXCESSIVE_PENALTY_PCT // 100,
            "rounding": ROUNDING.value,
            "late_fee_fen": late_fee_fen(fen_days, instalment_fen, daily_rate, ceiling_pct),
        },
        segments=tuple(segments),
    )
