"""The commercial terms of an agreement as they are quoted, agreed, billed and shown: one value object from the quote to the last instalment.

A rental, a finance lease and a loan are one kind of terms: what differs is whether there is ``Financing``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Family(StrEnum):
    """What kind of agreement it is, by substance: who bears the risk of the thing decides, not the word on the contract (CAS 21)."""

    RENTAL = "rental"
    FINANCE_LEASE = "finance_lease"
    LOAN = "loan"


@dataclass(frozen=True, kw_only=True)
class Financing:
    """What is financed and how it is repaid, in the words of ``xinzu schedule``: every convention that changes a fen stands here.

    ``principal_fen`` is what is lent, or the price of the leased thing less the down payment. ``balloon_fen`` is the residual value that
    falls due with the last instalment (留购价, 尾款). ``upfront_fee_fen`` is due with the first instalment and counts into the annual cost
    as if paid at the start; ``subsidy_fen`` (贴息) is what a supplier bears of the principal, so that the customer repays less. Rates and
    weights are decimal strings. Amounts include VAT.
    """

    family: Family
    principal_fen: int
    annual_rate_pct: str
    method: str = "equal_instalment"
    timing: str = "arrears"
    day_count: str = "30/360"
    interest_days: str = "daily"
    balloon_fen: int = 0
    weights: tuple[str, ...] = ()
    grace_principal: int = 0
    grace_interest: int = 0
    interest_free: int = 0
    rounding_mode: str = "half_up"
    instalment_multiple_fen: int = 1
    residue: str = "last"
    smooth_last: bool = False
    upfront_fee_fen: int = 0
    subsidy_fen: int = 0


@dataclass(frozen=True, kw_only=True)
class AgreementTerms:
    """Terms of a rental with equal rents in advance, or, with ``financing``, of a finance lease or a loan. All amounts include VAT.

    ``late_fee_daily_rate`` and ``annual_cost_pct`` are decimal strings (a rate is never a float and never rounded).
    ``annual_cost_pct`` is the all-in annualised cost the pricing guard computed; None where the rental has no financing character.
    With ``financing``, ``rent_fen`` is the first instalment and ``total_fen`` all of them, as computed on the day of the quote.
    """

    product_id: UUID
    plan_id: UUID
    product_name: str
    period_months: int
    period_count: int
    rent_fen: int
    deposit_fen: int
    device_value_fen: int
    buyout_fen: int | None
    early_return_fee_fen: int
    late_fee_daily_rate: str
    grace_days: int
    restriction_clause_version: str
    annual_cost_pct: str | None
    financing: Financing | None = None
    total_fen: int | None = None

    @property
    def family(self) -> Family:
        return Family.RENTAL if self.financing is None else self.financing.family

    @property
    def rent_total_fen(self) -> int:
        """Every instalment together."""
        return self.rent_fen * self.period_count if self.total_fen is None else self.total_fen

    @property
    def authorised_fen(self) -> int:
        """What the pre-authorisation covers: the deposit and every rent, because rents are collected out of it."""
        return self.deposit_fen + self.rent_total_fen
