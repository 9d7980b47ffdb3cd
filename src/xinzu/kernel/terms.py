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


class EndsIn(StrEnum):
    """What becomes of a rented thing at the end of the term: it goes back, or it is the lessee's once everything is paid (租完归送)."""

    RETURN = "return"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class PriceBand:
    """From this day of the rental on (the first is 1) a day costs so much."""

    from_day: int
    daily_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRent:
    """Rent by the day (日租). Of each month of the rental at most ``month_days_max`` days are charged, of the whole rental at most
    ``charged_days_max``; days beyond are free, and bands count them too."""

    bands: tuple[PriceBand, ...]
    month_days_max: int | None = None
    charged_days_max: int | None = None


@dataclass(frozen=True, slots=True)
class Tranche:
    """So much is paid out so many days after the commencement (分笔放款)."""

    after_days: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RateStep:
    """From the first day of this period on, interest is counted at this rate, a decimal string of percent a year."""

    from_period: int
    annual_rate_pct: str


@dataclass(frozen=True, kw_only=True)
class Financing:
    """What is financed and how it is repaid, in the words of ``xinzu schedule``: every convention that changes a fen stands here.

    ``principal_fen`` is what is lent, or the price of the leased thing less the down payment. ``balloon_fen`` is the residual value that
    falls due with the last instalment (留购价, 尾款). ``upfront_fee_fen`` is due with the first instalment and counts into the annual cost
    as if paid at the start; ``subsidy_fen`` (贴息) is what a supplier bears of the principal, so that the customer repays less. Rates and
    weights are decimal strings. Amounts include VAT.

    ``tranches`` are when the principal is paid out, all of it at the commencement without them; ``rate_steps`` what the rate becomes in
    mid-term. ``is_leaseback``: the leased thing was the lessee's own, who sold it to the lessor (售后回租).
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
    tranches: tuple[Tranche, ...] = ()
    rate_steps: tuple[RateStep, ...] = ()
    is_leaseback: bool = False

    @property
    def drawn_at_start_fen(self) -> int:
        """What is paid out on the day of commencement."""
        if not self.tranches:
            return self.principal_fen
        return sum(tranche.amount_fen for tranche in self.tranches if tranche.after_days == 0)


@dataclass(frozen=True, kw_only=True)
class AgreementTerms:
    """Terms of a rental with equal rents in advance, or by the day, or, with ``financing``, of a finance lease or a loan. All amounts
    include VAT.

    A period is ``period_months`` long or, where they are 0, ``period_days``. With ``daily`` a period is a day and there are as many as are
    agreed: rents are due at the start of each month of the rental, ``rent_fen`` is the first of them and ``total_fen`` all.

    Of a rental, ``first_rents`` are paid at commencement, for the first period and the last ones of the term (3+n); ``ends_in`` says whose
    the thing is at the end, and ``buyout_fen`` what keeping it costs then: where it ends in ownership the transfer price, which may be
    nothing, otherwise the lessee's choice. ``buyout_prices_fen`` are the prices of keeping it earlier, for each month begun; after them the
    last stands. ``due_shift`` is where a due date on a day off goes (``none``, ``following``, ``preceding``, ``modified_following``).

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
    first_rents: int = 1
    ends_in: EndsIn = EndsIn.RETURN
    buyout_prices_fen: tuple[int, ...] = ()
    due_shift: str = "none"
    period_days: int = 0
    daily: DailyRent | None = None

    @property
    def family(self) -> Family:
        return Family.RENTAL if self.financing is None else self.financing.family

    @property
    def booked_as(self) -> Family:
        """The family of the books. A sale and leaseback whose thing the lessee gets back is no sale: the lessor has a financial asset
        (CAS 21 art. 52, CAS 22), and its interest is taxed as a loan's (notice Caishui [2016] 36)."""
        return Family.LOAN if self.financing is not None and self.financing.is_leaseback else self.family

    @property
    def rent_total_fen(self) -> int:
        """Every instalment together."""
        return self.rent_fen * self.period_count if self.total_fen is None else self.total_fen

    @property
    def first_payment_fen(self) -> int:
        """What is paid before the thing is handed over: the rents due at commencement."""
        return self.rent_fen * self.first_rents

    @property
    def transfer_fen(self) -> int:
        """What is due at the end of the term for the thing to be the lessee's; nothing where it goes back."""
        return (self.buyout_fen or 0) if self.ends_in is EndsIn.OWN else 0

    @property
    def authorised_fen(self) -> int:
        """What the pre-authorisation covers: the deposit and all that is certain to fall due, because it is collected out of it."""
        return self.deposit_fen + self.rent_total_fen + self.transfer_fen
