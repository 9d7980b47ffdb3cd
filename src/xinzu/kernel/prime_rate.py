"""The one-year loan prime rate (LPR) and the ceiling on late fees that follows from it: one table for the product.

Four times the rate is what the Supreme People's Court's private lending interpretation (2020, second revision, arts. 25, 28 and 29)
allows for overdue interest, penalty and fees together. A newly published rate is added here, and counts for agreements signed from
that day on.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from decimal import Decimal

from xinzu.kernel.time import BusinessDate

# Percent a year, by the day of publication (National Interbank Funding Center).
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


def late_fee_ceiling_annual_pct(on: BusinessDate) -> Decimal:
    """The highest annual rate a late fee may have, in percent, under the rate in force on a date.

    >>> late_fee_ceiling_annual_pct(date(2026, 3, 2)), late_fee_ceiling_annual_pct(date(2025, 5, 19))
    (Decimal('12.00'), Decimal('12.40'))
    """
    published = bisect_right([day for day, _ in LPR_ONE_YEAR_PCT], on)
    return LPR_ONE_YEAR_PCT[max(published - 1, 0)][1] * LPR_MULTIPLE


def newest_late_fee_ceiling_annual_pct() -> Decimal:
    """The same under the newest rate, for what is offered from now on.

    >>> newest_late_fee_ceiling_annual_pct()
    Decimal('12.00')
    """
    return LPR_ONE_YEAR_PCT[-1][1] * LPR_MULTIPLE
