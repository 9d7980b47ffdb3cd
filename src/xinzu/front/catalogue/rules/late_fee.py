"""How high a late fee may be: four times the one-year loan prime rate, a year (``kernel.prime_rate``).

A court reduces a penalty beyond the loss (Civil Code art. 585). Applied here to rentals, so that no late fee has to be reduced. What a
late fee comes to is billing's rule of the same name.
"""

from __future__ import annotations

from decimal import Decimal

from xinzu.kernel.prime_rate import DAYS_IN_YEAR, newest_late_fee_ceiling_annual_pct


def is_lawful_late_fee(daily_rate: Decimal) -> bool:
    """Whether a daily rate stays within 4 × LPR a year.

    >>> is_lawful_late_fee(Decimal("0.0003")), is_lawful_late_fee(Decimal("0.0005"))
    (True, False)
    """
    return 0 <= daily_rate * DAYS_IN_YEAR * 100 <= newest_late_fee_ceiling_annual_pct()
