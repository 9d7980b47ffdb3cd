"""The catalogue as it goes over HTTP. Amounts are integer fen, rates decimal strings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from xinzu.front.catalogue.model import Plan, Product, Quote
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.terms import RentalTerms
from xinzu.kernel.time import Instant
from xinzu.platform.http.fields import ONE_LINE, TextVersion

AMOUNT_MAX_FEN = 1_000_000_000
AmountFen = Annotated[int, Meta(ge=0, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
PositiveFen = Annotated[int, Meta(ge=1, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
# An id that names nothing is not found, whatever its form.
NamedId = Annotated[str, Meta(min_length=1, max_length=64)]
DailyRate = Annotated[
    str, Meta(pattern=r"^0(\.[0-9]{1,6})?$(?!\n)", max_length=8, description="Share of the overdue amount per day")
]


class NewProduct(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A thing to rent out."""

    name: Annotated[str, Meta(min_length=1, max_length=120, pattern=ONE_LINE)]
    category: Literal["phone", "tablet", "computer", "camera", "drone", "game_console", "wearable", "equipment"]


class NewPlan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Terms of equal rents in advance. At least one of ``residual_value_fen`` and ``buyout_fen`` must be given."""

    product_id: NamedId
    period_months: Annotated[int, Meta(ge=1, le=12, description="Months per period")] = 1
    period_count: Annotated[int, Meta(ge=1, le=60)]
    rent_fen: PositiveFen
    deposit_fen: AmountFen
    device_value_fen: PositiveFen
    residual_value_fen: AmountFen | None = None
    buyout_fen: AmountFen | None = None
    early_return_fee_fen: AmountFen = 0
    late_fee_daily_rate: DailyRate = "0"
    grace_days: Annotated[int, Meta(ge=0, le=30)] = 0
    restriction_clause_version: TextVersion


class NewQuote(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which plan to quote."""

    plan_id: NamedId


class PricingPolicy(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The tenant's own cap on the all-in annualised cost, in percent: at most 24, the guard that stands for all."""

    annual_cost_max_pct: Annotated[str, Meta(pattern=r"^[0-9]{1,2}(\.[0-9]{1,4})?$(?!\n)", max_length=7)]


class PolicyView(msgspec.Struct, kw_only=True):
    """The cap in force: the lower of the guard and the tenant's own."""

    annual_cost_max_pct: str


class ProductView(msgspec.Struct, kw_only=True):
    """A product."""

    id: str
    name: str
    category: str
    created_at: Instant


class ProductPage(msgspec.Struct, kw_only=True):
    """Products, newest first."""

    items: list[ProductView]
    next_cursor: str | None


class PlanView(msgspec.Struct, kw_only=True):
    """A plan. ``annual_cost_pct`` is its all-in effective annual cost; null while it is a draft."""

    id: str
    product_id: str
    product_name: str
    period_months: int
    period_count: int
    rent_fen: int
    deposit_fen: int
    device_value_fen: int
    residual_value_fen: int | None
    buyout_fen: int | None
    early_return_fee_fen: int
    late_fee_daily_rate: str
    grace_days: int
    restriction_clause_version: str
    state: str
    annual_cost_pct: str | None
    created_at: Instant


class PlanPage(msgspec.Struct, kw_only=True):
    """Plans, newest first."""

    items: list[PlanView]
    next_cursor: str | None


class TermsView(msgspec.Struct, kw_only=True, frozen=True):
    """The terms of a rental, with what they add up to."""

    product_id: str
    plan_id: str
    product_name: str
    period_months: int
    period_count: int
    rent_fen: int
    rent_total_fen: int
    deposit_fen: int
    authorised_fen: int
    device_value_fen: int
    buyout_fen: int | None
    early_return_fee_fen: int
    late_fee_daily_rate: str
    grace_days: int
    restriction_clause_version: str
    annual_cost_pct: str | None


class QuoteView(msgspec.Struct, kw_only=True):
    """Terms that hold until ``valid_until``."""

    id: str
    plan_id: str
    terms: TermsView
    quoted_at: Instant
    valid_until: Instant


def product_view(product: Product) -> ProductView:
    return ProductView(
        id=public_id(Prefix.PRODUCT, product.id), name=product.name, category=product.category, created_at=product.created_at
    )


def plan_view(plan: Plan) -> PlanView:
    return PlanView(
        id=public_id(Prefix.PLAN, plan.id),
        product_id=public_id(Prefix.PRODUCT, plan.product_id),
        product_name=plan.product_name,
        period_months=plan.period_months,
        period_count=plan.period_count,
        rent_fen=plan.rent_fen,
        deposit_fen=plan.deposit_fen,
        device_value_fen=plan.device_value_fen,
        residual_value_fen=plan.residual_value_fen,
        buyout_fen=plan.buyout_fen,
        early_return_fee_fen=plan.early_return_fee_fen,
        late_fee_daily_rate=f"{plan.late_fee_daily_rate.normalize():f}",
        grace_days=plan.grace_days,
        restriction_clause_version=plan.restriction_clause_version,
        state=plan.state,
        annual_cost_pct=None if plan.annual_cost_pct is None else f"{plan.annual_cost_pct:f}",
        created_at=plan.created_at,
    )


def terms_view(terms: RentalTerms) -> TermsView:
    return TermsView(
        product_id=public_id(Prefix.PRODUCT, terms.product_id),
        plan_id=public_id(Prefix.PLAN, terms.plan_id),
        product_name=terms.product_name,
        period_months=terms.period_months,
        period_count=terms.period_count,
        rent_fen=terms.rent_fen,
        rent_total_fen=terms.rent_total_fen,
        deposit_fen=terms.deposit_fen,
        authorised_fen=terms.authorised_fen,
        device_value_fen=terms.device_value_fen,
        buyout_fen=terms.buyout_fen,
        early_return_fee_fen=terms.early_return_fee_fen,
        late_fee_daily_rate=terms.late_fee_daily_rate,
        grace_days=terms.grace_days,
        restriction_clause_version=terms.restriction_clause_version,
        annual_cost_pct=terms.annual_cost_pct,
    )


def quote_view(quote: Quote) -> QuoteView:
    return QuoteView(
        id=public_id(Prefix.QUOTE, quote.id),
        plan_id=public_id(Prefix.PLAN, quote.plan_id),
        terms=terms_view(quote.terms),
        quoted_at=quote.quoted_at,
        valid_until=quote.valid_until,
    )
