"""The late fee of an instalment and the law's caps on it.

outstanding × daily rate × days after grace, never above either cap:

- four times the one-year loan prime rate of the day the agreement was signed (Supreme People's Court, private lending
  interpretation 2020, arts. 25 and 29; leasing companies are not bound by it, we hold to it all the same): ``kernel.prime_rate``;
- 30 % of the instalment: beyond that a penalty counts as excessive (Civil Code art. 585; Supreme People's Court,
  general part of contracts interpretation 2023, art. 65).

Outstanding times days is summed as whole fen-days, so no rounding happens before the end; then the fraction of a fen is dropped
(``Rounding.DOWN``, in the lessee's favour).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from xinzu.back.billing.model import LateFeeDays, Role, Segment, Why
from xinzu.kernel.money import Rounding
from xinzu.kernel.prime_rate import DAYS_IN_YEAR, LPR_MULTIPLE
from xinzu.kernel.terms import Family

EXCESSIVE_PENALTY_PCT = 30
ROUNDING = Rounding.DOWN


def bears_late_fee(family: Family, role: Role) -> bool:
    """Whether delay with a leg is charged: rents, and both parts of a lease's instalments, which are rent by contract (Civil Code art.
    752). Of a loan only principal: no interest on interest. Fees never.

    >>> bears_late_fee(Family.LOAN, Role.INTEREST), bears_late_fee(Family.FINANCE_LEASE, Role.INTEREST)
    (False, True)
    """
    return role in (Role.RENT, Role.PRINCIPAL) or (role is Role.INTEREST and family is Family.FINANCE_LEASE)


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


def explain(days: LateFeeDays, instalment_fen: int, daily_rate: Decimal, ceiling_pct: Decimal) -> Why:
    """Why a late fee is what it is; ``late_fee_fen`` in the inputs is the result for the days it is charged for now. When money counted
    from an earlier day than it was recorded, the inputs name the last correction and all that was taken back."""
    fen_days = fen_days_of(days.segments)
    corrected: dict[str, str | int] = {}
    words_zh = words_en = ""
    if days.corrections:
        last = days.corrections[-1]
        corrected = {
            "taken_back_fen": days.taken_back_fen,
            "corrected_on": last.made_on.isoformat(),
            "counted_from": last.received_on.isoformat(),
        }
        words_zh = f"；款项 {last.received_on} 到账、{last.made_on} 入账，已按到账日重算，多计的部分已取消"
        words_en = (
            f"; money of {last.received_on} was recorded on {last.made_on}: the days since were computed anew, what was charged too"
            " much is cancelled"
        )
    return Why(
        formula="late_fee_daily",
        words_zh=(
            f"逾期未付租金 × 日费率 × 宽限期后的天数；不超过签约时一年期 LPR 的 {LPR_MULTIPLE} 倍，"
            f"且累计不超过该期租金的 {EXCESSIVE_PENALTY_PCT}%；不足一分舍去{words_zh}"
        ),
        words_en=(
            "Rent outstanding × daily rate × days after grace; not above four times the one-year LPR at signing, and in all not above"
            f" {EXCESSIVE_PENALTY_PCT} % of the instalment; fractions of a fen are dropped{words_en}"
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
            **corrected,
        },
        segments=days.segments,
    )
