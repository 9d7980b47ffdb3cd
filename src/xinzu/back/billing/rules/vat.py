"""Value added tax inside an amount, by what is supplied.

Two kinds meet in this business and are kept apart, because mixed sales without separate accounts are all taxed at the higher rate
(VAT Law of 2024, in force since 2026-01-01, art. 12):

- letting a movable thing, by rental or finance lease: 13 % on the whole rent, the part that repays the thing included (art. 10 (1)). Selling
  it to the lessee is 13 % too;
- lending: 6 % on the interest (art. 10 (3)). Sale and leaseback is lending by its substance: what the lessee sold and pays back is principal
  and bears no tax, interest bears 6 % (notice Caishui [2016] 36, annex of definitions, loan service).

Late fees, compensation and early return fees are part of the price of the supply they arise from (art. 17: the whole price) and
follow its rate. A general taxpayer under the general method is meant; a licensed lessor's deduction of its own borrowing costs
(Caishui [2016] 36, annex 2) is made in the return, not in an entry.
"""

from __future__ import annotations

from enum import StrEnum

from xinzu.kernel.terms import Family
from xinzu.kernel.vat import VAT_FEN_SQL, vat_fen

__all__ = ["RATE_PCT", "VAT_FEN_SQL", "Supply", "rate_pct_of", "supply_of", "vat_fen", "vat_of_growth_fen"]


class Supply(StrEnum):
    """What the customer gets for the amount."""

    MOVABLE_LEASING = "movable_leasing"
    GOODS = "goods"
    LENDING = "lending"


RATE_PCT = {Supply.MOVABLE_LEASING: 13, Supply.GOODS: 13, Supply.LENDING: 6}


def supply_of(family: Family, *, is_leaseback: bool = False) -> Supply:
    """What is supplied under an agreement: lending under a loan and under a sale and leaseback, whatever its contract is called.

    >>> supply_of(Family.FINANCE_LEASE).value, supply_of(Family.FINANCE_LEASE, is_leaseback=True).value
    ('movable_leasing', 'lending')
    """
    return Supply.LENDING if family is Family.LOAN or is_leaseback else Supply.MOVABLE_LEASING


def rate_pct_of(supply: Supply, *, is_principal: bool = False) -> int:
    """The rate in percent: what is lent and paid back is no price of anything; in a rent both parts are.

    >>> [rate_pct_of(supply, is_principal=principal) for supply in (Supply.MOVABLE_LEASING, Supply.LENDING) for principal in (0, 1)]
    [13, 13, 6, 0]
    """
    return 0 if is_principal and supply is Supply.LENDING else RATE_PCT[supply]


def vat_of_growth_fen(before_fen: int, after_fen: int, rate_pct: int) -> int:
    """The VAT of an amount's growth, taken of the totals: however often it grew, the sum is the VAT of the whole.

    Never below zero while the amount grows, never above the growth.

    >>> [vat_of_growth_fen(total, total + 3, 13) for total in (0, 3, 6)], vat_fen(9, 13)
    ([0, 1, 0], 1)
    """
    return vat_fen(after_fen, rate_pct) - vat_fen(before_fen, rate_pct)
