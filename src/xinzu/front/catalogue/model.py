"""Products, plans and quotes as values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.terms import AgreementTerms, DailyRent, EndsIn, Family, Financing
from xinzu.kernel.time import Instant


class PlanState(StrEnum):
    """A plan's content never changes; what is offered is changed by publishing another plan."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


PLAN_MOVES: Transitions[PlanState] = Transitions(
    "plan",
    {
        PlanState.DRAFT: {PlanState.PUBLISHED, PlanState.WITHDRAWN},
        PlanState.PUBLISHED: {PlanState.WITHDRAWN},
        PlanState.WITHDRAWN: set(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is rented out, leased or lent, as customers see it."""

    id: UUID
    name: str
    category: str
    created_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Terms on which a product is offered: a rental with equal rents in advance, the first due at commencement, or a ``financing``.

    ``residual_value_fen`` is what a rented device is expected to be worth when it comes back, ``buyout_fen`` what the lessee pays to
    keep the thing; a rental has at least one. With ``financing``, ``rent_fen`` is the first instalment of a commencement on the day the
    plan was drafted, and a loan's ``device_value_fen`` is 0. ``annual_cost_pct`` is set from publication on. Amounts include VAT.
    ``first_rents``, ``ends_in``, ``buyout_prices_fen``, ``due_shift`` and ``period_days`` are as in ``AgreementTerms``. With ``daily``,
    ``rent_fen`` is the price of the first day and ``period_count`` the most days that can be agreed.
    """

    id: UUID
    product_id: UUID
    product_name: str
    period_months: int
    period_count: int
    rent_fen: int
    deposit_fen: int
    device_value_fen: int
    residual_value_fen: int | None
    buyout_fen: int | None
    early_return_fee_fen: int
    late_fee_daily_rate: Decimal
    grace_days: int
    restriction_clause_version: str
    state: PlanState
    version: int
    annual_cost_pct: Decimal | None
    created_at: Instant
    financing: Financing | None = None
    first_rents: int = 1
    ends_in: EndsIn = EndsIn.RETURN
    buyout_prices_fen: tuple[int, ...] = ()
    due_shift: str = "none"
    period_days: int = 0
    daily: DailyRent | None = None

    @property
    def family(self) -> Family:
        return Family.RENTAL if self.financing is None else self.financing.family


@dataclass(frozen=True, slots=True)
class Warned:
    """What is lawful to offer and yet better not done: a code and the words for people."""

    code: str
    words_zh: str
    words_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Terms frozen until ``valid_until``: a plan that is withdrawn meanwhile does not change them."""

    id: UUID
    plan_id: UUID
    terms: AgreementTerms
    quoted_at: Instant
    valid_until: Instant
