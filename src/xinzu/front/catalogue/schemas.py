"""The catalogue as it goes over HTTP. Amounts are integer fen, rates decimal strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from xinzu.back.billing.api import (
    CostTable,
    DayCount,
    InterestDays,
    Method,
    Residue,
    ShiftPolicy,
    Timing,
)
from xinzu.front.catalogue.model import Plan, Product, Quote, Warned
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.money import Rounding
from xinzu.kernel.terms import AgreementTerms, DailyRent, EndsIn, Family, Financing, RateStep, Tranche
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.http.fields import ONE_LINE, TextVersion

AMOUNT_MAX_FEN = 1_000_000_000
PERIODS_MAX = 60
PERIODS_OF_DAYS_MAX = 104
DAYS_MAX = 366
TRANCHES_MAX = 24
MONTHS_MAX = 720
AmountFen = Annotated[int, Meta(ge=0, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
PositiveFen = Annotated[int, Meta(ge=1, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
# An id that names nothing is not found, whatever its form.
NamedId = Annotated[str, Meta(min_length=1, max_length=64)]
DailyRate = Annotated[
    str, Meta(pattern=r"^0(\.[0-9]{1,6})?$(?!\n)", max_length=8, description="Share of the overdue amount per day")
]


AnnualRatePct = Annotated[
    str, Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,20})?$(?!\n)", max_length=24, description="Percent a year, never rounded")
]
Weight = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$(?!\n)", max_length=13)]
PeriodsFree = Annotated[int, Meta(ge=0, le=PERIODS_OF_DAYS_MAX)]

Category = Literal[
    "phone",
    "tablet",
    "computer",
    "camera",
    "drone",
    "game_console",
    "wearable",
    "equipment",
    "car",
    "truck",
    "motorcycle",
    "electric_bicycle",
    "cash_loan",
]
CASH: Category = "cash_loan"


class NewProduct(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A thing to rent out or to lease, or money to lend (``cash_loan``)."""

    name: Annotated[str, Meta(min_length=1, max_length=120, pattern=ONE_LINE)]
    category: Category


class GracePeriods(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """How many of the first instalments ask no principal, and how many ask no interest yet (it is deferred to the one after)."""

    principal: PeriodsFree = 0
    interest: PeriodsFree = 0


class InstalmentRounding(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """How fractions of a fen are settled, what an instalment is a multiple of, and which one takes what rounding leaves."""

    mode: Rounding = Rounding.HALF_UP
    instalment_multiple_fen: Annotated[int, Meta(ge=1, le=10_000_000)] = 1
    residue: Residue = Residue.LAST
    smooth_last: bool = False


class PlanTranche(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """So much is paid out so many days after the commencement (分笔放款)."""

    after_days: Annotated[int, Meta(ge=0, le=3_660)]
    amount_fen: PositiveFen


class PlanRateStep(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """From the first day of this period on interest is counted at this rate (约定调息)."""

    from_period: Annotated[int, Meta(ge=2, le=PERIODS_OF_DAYS_MAX)]
    annual_rate_pct: AnnualRatePct


class PlanFinancing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What is financed and how it is repaid; the conventions are those of ``xinzu schedule``.

    ``annual_rate_pct`` may be left out where ``rent_fen`` is given: the rate is solved for. ``balloon_fen`` falls due with the last
    instalment (residual value, 留购价, 尾款), ``upfront_fee_fen`` with the first; ``subsidy_fen`` (贴息) is borne by the supplier.
    ``tranches`` of a loan are when it is paid out, ``rate_steps`` what the rate becomes in mid-term. ``is_leaseback``: the lessee sells the
    thing to the lessor and leases it back (售后回租).
    """

    family: Literal["finance_lease", "loan"]
    principal_fen: PositiveFen
    annual_rate_pct: AnnualRatePct | None = None
    method: Method = Method.EQUAL_INSTALMENT
    timing: Timing = Timing.ARREARS
    day_count: DayCount = DayCount.THIRTY_360
    interest_days: InterestDays = InterestDays.DAILY
    balloon_fen: AmountFen = 0
    weights: Annotated[tuple[Weight, ...], Meta(max_length=PERIODS_OF_DAYS_MAX)] = ()
    grace: GracePeriods = msgspec.field(default_factory=GracePeriods)
    interest_free: PeriodsFree = 0
    rounding: InstalmentRounding = msgspec.field(default_factory=InstalmentRounding)
    upfront_fee_fen: AmountFen = 0
    subsidy_fen: AmountFen = 0
    tranches: Annotated[tuple[PlanTranche, ...], Meta(max_length=TRANCHES_MAX)] = ()
    rate_steps: Annotated[tuple[PlanRateStep, ...], Meta(max_length=PERIODS_MAX)] = ()
    is_leaseback: bool = False


class DailyPrice(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """From this day of the rental on (the first is 1) a day costs so much."""

    from_day: Annotated[int, Meta(ge=1, le=DAYS_MAX)]
    daily_fen: AmountFen


class PlanDaily(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Rent by the day (日租). Of each month of the rental at most ``month_days_max`` days are charged, of the whole rental at most
    ``charged_days_max``; the days beyond are free."""

    bands: Annotated[tuple[DailyPrice, ...], Meta(min_length=1, max_length=12)]
    month_days_max: Annotated[int, Meta(ge=1, le=31)] | None = None
    charged_days_max: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


class NewPlan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Terms of a rental with equal rents in advance, or, with ``financing``, of a finance lease or a loan.

    A rental needs ``rent_fen``, ``device_value_fen`` and at least one of ``residual_value_fen`` and ``buyout_fen``. With ``financing``
    the instalments are computed and ``rent_fen`` is left out, unless the rate is to be solved for from it. A finance lease needs
    ``device_value_fen``, the price of the thing; a loan has none.

    Of a rental, ``first_rents`` are paid at commencement, for the first period and the last ones (3+n). With ``ends_in`` "own" (租完归送) the
    thing is the lessee's at the end for ``buyout_fen``, which may be 0. ``buyout_prices_fen`` names what keeping it costs in each month
    begun; the last stands after, and is ``buyout_fen``. ``due_shift`` moves due dates off the days off of the Chinese calendar.

    A period is ``period_months`` months, or ``period_days`` days (7, 14, 15, …), of a rental and of a financing alike. ``daily`` is rent by
    the day: it has no ``rent_fen`` and no periods, a quote says for how many days, and ``period_count`` is the most.
    """

    product_id: NamedId
    period_months: Annotated[int, Meta(ge=1, le=12, description="Months per period; 1 where nothing else is said")] | None = None
    period_days: Annotated[int, Meta(ge=7, le=DAYS_MAX, description="Days per period, in place of months")] | None = None
    period_count: Annotated[int, Meta(ge=1, le=DAYS_MAX)]
    daily: PlanDaily | None = None
    rent_fen: PositiveFen | None = None
    deposit_fen: AmountFen
    device_value_fen: PositiveFen | None = None
    financing: PlanFinancing | None = None
    residual_value_fen: AmountFen | None = None
    buyout_fen: AmountFen | None = None
    early_return_fee_fen: AmountFen = 0
    late_fee_daily_rate: DailyRate = "0"
    grace_days: Annotated[int, Meta(ge=0, le=30)] = 0
    restriction_clause_version: TextVersion
    first_rents: Annotated[int, Meta(ge=1, le=PERIODS_OF_DAYS_MAX)] = 1
    ends_in: EndsIn = EndsIn.RETURN
    buyout_prices_fen: Annotated[tuple[AmountFen, ...], Meta(max_length=MONTHS_MAX)] = ()
    due_shift: ShiftPolicy = ShiftPolicy.NONE


class NewQuote(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which plan to quote; one of rent by the day also for how many days."""

    plan_id: NamedId
    days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


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


class WarningView(msgspec.Struct, kw_only=True, frozen=True):
    """What is lawful to offer and yet better not done."""

    code: str
    words_zh: str
    words_en: str


class PlanView(msgspec.Struct, kw_only=True):
    """A plan. ``annual_cost_pct`` is its all-in effective annual cost; null while it is a draft.

    With ``financing``, ``rent_fen`` is the first instalment of a commencement on the day the plan was drafted, any upfront fee included.
    """

    id: str
    product_id: str
    product_name: str
    family: Family
    financing: PlanFinancing | None
    daily: PlanDaily | None
    period_months: int
    period_days: int
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
    first_rents: int
    ends_in: EndsIn
    buyout_prices_fen: tuple[int, ...]
    due_shift: ShiftPolicy
    state: str
    annual_cost_pct: str | None
    warnings: list[WarningView]
    created_at: Instant


class PlanPage(msgspec.Struct, kw_only=True):
    """Plans, newest first."""

    items: list[PlanView]
    next_cursor: str | None


class TermsView(msgspec.Struct, kw_only=True, frozen=True):
    """The terms of an agreement, with what they add up to. With ``financing``, ``rent_fen`` is the first instalment.

    ``first_payment_fen`` is what is paid before a rented thing is handed over.
    """

    product_id: str
    plan_id: str
    product_name: str
    family: Family
    financing: PlanFinancing | None
    daily: PlanDaily | None
    period_months: int
    period_days: int
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
    first_rents: int
    first_payment_fen: int
    ends_in: EndsIn
    buyout_prices_fen: tuple[int, ...]
    due_shift: ShiftPolicy
    annual_cost_pct: str | None


class CostLineView(msgspec.Struct, kw_only=True, frozen=True):
    """One item of the cost table: what, who pays whom, when, by what measure.

    ``amount_fen`` is what it comes to when the agreement is performed as agreed; null where that does not tell.
    """

    code: str
    what_zh: str
    what_en: str
    who_zh: str
    who_en: str
    when_zh: str
    when_en: str
    how_much_zh: str
    how_much_en: str
    amount_fen: int | None


class CostInstalmentView(msgspec.Struct, kw_only=True, frozen=True):
    """What is due on a date; ``balance_fen`` is the principal still owed after it. A rent is not split."""

    n: int
    due_on: BusinessDate
    principal_fen: int | None
    interest_fen: int | None
    fee_fen: int
    total_fen: int
    balance_fen: int | None


class QuoteView(msgspec.Struct, kw_only=True):
    """Terms that hold until ``valid_until``, with everything they cost (综合融资成本明示).

    ``instalments`` and ``annual_cost_pct`` are of a commencement on ``commencement_on``, the business date of the quote.
    ``annual_rate_pct`` is the agreed nominal rate; a rental has none. What is not in ``cost_table`` is not charged.
    """

    id: str
    plan_id: str
    terms: TermsView
    commencement_on: BusinessDate
    annual_rate_pct: str | None
    annual_cost_pct: str | None
    warnings: list[WarningView]
    cost_table: list[CostLineView]
    instalments: list[CostInstalmentView]
    quoted_at: Instant
    valid_until: Instant


def product_view(product: Product) -> ProductView:
    return ProductView(
        id=public_id(Prefix.PRODUCT, product.id), name=product.name, category=product.category, created_at=product.created_at
    )


def financing_view(financing: Financing | None) -> PlanFinancing | None:
    if financing is None:
        return None
    return PlanFinancing(
        family="loan" if financing.family is Family.LOAN else "finance_lease",
        principal_fen=financing.principal_fen,
        annual_rate_pct=financing.annual_rate_pct,
        method=Method(financing.method),
        timing=Timing(financing.timing),
        day_count=DayCount(financing.day_count),
        interest_days=InterestDays(financing.interest_days),
        balloon_fen=financing.balloon_fen,
        weights=financing.weights,
        grace=GracePeriods(principal=financing.grace_principal, interest=financing.grace_interest),
        interest_free=financing.interest_free,
        rounding=InstalmentRounding(
            mode=Rounding(financing.rounding_mode),
            instalment_multiple_fen=financing.instalment_multiple_fen,
            residue=Residue(financing.residue),
            smooth_last=financing.smooth_last,
        ),
        upfront_fee_fen=financing.upfront_fee_fen,
        subsidy_fen=financing.subsidy_fen,
        tranches=msgspec.convert(financing.tranches, tuple[PlanTranche, ...], from_attributes=True),
        rate_steps=msgspec.convert(financing.rate_steps, tuple[PlanRateStep, ...], from_attributes=True),
        is_leaseback=financing.is_leaseback,
    )


def financing_of(asked: PlanFinancing) -> Financing:
    """The kernel's financing; a rate left out is nothing until it is solved for."""
    return Financing(
        family=Family(asked.family),
        principal_fen=asked.principal_fen,
        annual_rate_pct=asked.annual_rate_pct or "0",
        method=asked.method.value,
        timing=asked.timing.value,
        day_count=asked.day_count.value,
        interest_days=asked.interest_days.value,
        balloon_fen=asked.balloon_fen,
        weights=asked.weights,
        grace_principal=asked.grace.principal,
        grace_interest=asked.grace.interest,
        interest_free=asked.interest_free,
        rounding_mode=asked.rounding.mode.value,
        instalment_multiple_fen=asked.rounding.instalment_multiple_fen,
        residue=asked.rounding.residue.value,
        smooth_last=asked.rounding.smooth_last,
        upfront_fee_fen=asked.upfront_fee_fen,
        subsidy_fen=asked.subsidy_fen,
        tranches=msgspec.convert(asked.tranches, tuple[Tranche, ...], from_attributes=True),
        rate_steps=msgspec.convert(asked.rate_steps, tuple[RateStep, ...], from_attributes=True),
        is_leaseback=asked.is_leaseback,
    )


def daily_view(daily: DailyRent | None) -> PlanDaily | None:
    return None if daily is None else msgspec.convert(daily, PlanDaily, from_attributes=True)


def daily_of(asked: PlanDaily) -> DailyRent:
    """The kernel's rent by the day."""
    return msgspec.convert(asked, DailyRent, from_attributes=True)


def plan_view(plan: Plan, warnings: Sequence[Warned]) -> PlanView:
    return PlanView(
        id=public_id(Prefix.PLAN, plan.id),
        product_id=public_id(Prefix.PRODUCT, plan.product_id),
        product_name=plan.product_name,
        family=plan.family,
        financing=financing_view(plan.financing),
        daily=daily_view(plan.daily),
        period_months=plan.period_months,
        period_days=plan.period_days,
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
        first_rents=plan.first_rents,
        ends_in=plan.ends_in,
        buyout_prices_fen=plan.buyout_prices_fen,
        due_shift=ShiftPolicy(plan.due_shift),
        state=plan.state,
        annual_cost_pct=None if plan.annual_cost_pct is None else f"{plan.annual_cost_pct:f}",
        warnings=_warning_views(warnings),
        created_at=plan.created_at,
    )


def terms_view(terms: AgreementTerms) -> TermsView:
    return TermsView(
        product_id=public_id(Prefix.PRODUCT, terms.product_id),
        plan_id=public_id(Prefix.PLAN, terms.plan_id),
        product_name=terms.product_name,
        family=terms.family,
        financing=financing_view(terms.financing),
        daily=daily_view(terms.daily),
        period_months=terms.period_months,
        period_days=terms.period_days,
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
        first_rents=terms.first_rents,
        first_payment_fen=terms.first_payment_fen,
        ends_in=terms.ends_in,
        buyout_prices_fen=terms.buyout_prices_fen,
        due_shift=ShiftPolicy(terms.due_shift),
        annual_cost_pct=terms.annual_cost_pct,
    )


def quote_view(quote: Quote, costs: CostTable, warnings: Sequence[Warned]) -> QuoteView:
    return QuoteView(
        id=public_id(Prefix.QUOTE, quote.id),
        plan_id=public_id(Prefix.PLAN, quote.plan_id),
        terms=terms_view(quote.terms),
        commencement_on=costs.commencement_on,
        annual_rate_pct=costs.annual_rate_pct,
        annual_cost_pct=costs.annual_cost_pct,
        warnings=_warning_views(warnings),
        cost_table=msgspec.convert(costs.lines, list[CostLineView], from_attributes=True),
        instalments=msgspec.convert(costs.instalments, list[CostInstalmentView], from_attributes=True),
        quoted_at=quote.quoted_at,
        valid_until=quote.valid_until,
    )


def _warning_views(warnings: Sequence[Warned]) -> list[WarningView]:
    return [WarningView(code=each.code, words_zh=each.words_zh, words_en=each.words_en) for each in warnings]
