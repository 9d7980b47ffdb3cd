"""How high a late fee may be: four times the one-year loan prime rate, a year.

Private-lending interpretation (2020, second revision) arts. 25, 28 and 29 cap overdue interest, penalty and fees together at 4 × LPR;
a court reduces a penalty beyond the loss (Civil Code art. 585). Applied here to rentals, so that no late fee has to be reduced.
"""

from __future__ import annotations

from decimal import Decimal

LPR_ONE_YEAR = Decimal("0.030")  # published by the National Interbank Funding Center, unchanged since 2025-05-20
LATE_FEE_ANNUAL_MAX = LPR_ONE_YEAR * 4
DAYS_PER_YEAR = 365


def is_lawful_late_fee(daily_rate: Decimal) -> bool:
    """Whether a daily rate stays within 4 × LPR a year.

    >>> is_lawful_late_fee(Decimal("0.0003")), is_lawful_late_fee(Decimal("0.0005"))
    (True, False)
    """
    return 0 <= daily_rate * DAYS_PER_YEAR <= LATE_FEE_ANNUAL_MAX
