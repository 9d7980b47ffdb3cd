"""The commercial terms of a rental as they are quoted, agreed, billed and shown: one value object from the quote to the last instalment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class RentalTerms:
    """Terms of a deposit-free rental with equal rents in advance. All amounts include VAT.

    ``late_fee_daily_rate`` and ``annual_cost_pct`` are decimal strings (a rate is never a float and never rounded).
    ``annual_cost_pct`` is the all-in annualised cost the pricing guard computed; None where the rental has no financing character.
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

    @property
    def rent_total_fen(self) -> int:
        return self.rent_fen * self.period_count

    @property
    def authorised_fen(self) -> int:
        """What the pre-authorisation covers: the deposit and every rent, because rents are collected out of it."""
        return self.deposit_fen + self.rent_total_fen
