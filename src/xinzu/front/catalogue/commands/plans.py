"""Products and plans: added, drafted, offered and withdrawn; and the tenant's own cap."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from xinzu.back.billing import api as billing
from xinzu.front.catalogue import schemas, store
from xinzu.front.catalogue.commands.costs import bounded, cost_pct_of, dearest_buyout, guard, in_plan_words, schedule_of
from xinzu.front.catalogue.errors import FinancingRefused, LateFeeAboveCap, PlanUnknown, ProductUnknown
from xinzu.front.catalogue.model import PLAN_MOVES, Plan, PlanState, Product
from xinzu.front.catalogue.rules.annual_cost import ANNUAL_COST_MAX_PCT, warnings_of
from xinzu.front.catalogue.rules.fields_of_family import (
    check_cash_is_lent,
    check_daily_fields,
    check_financed_fields,
    check_is_rental,
    check_leaseback,
    check_period_count,
    check_rental_ways,
    check_tranches,
    period_length,
    rental_amounts,
)
from xinzu.front.catalogue.rules.late_fee import is_lawful_late_fee
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.prime_rate import newest_late_fee_ceiling_annual_pct
from xinzu.kernel.terms import DailyRent, Family, Financing
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork


async def create_products(uow: UnitOfWork, requests: Sequence[schemas.NewProduct]) -> list[Outcome[schemas.ProductView]]:
    """Add products."""
    created = []
    for request in requests:
        product = Product(id=new_id(), name=request.name.strip(), category=request.category, created_at=uow.now)
        await store.insert_product(uow, product)
        created.append(schemas.product_view(product))
    return list(created)


async def create_plans(uow: UnitOfWork, requests: Sequence[schemas.NewPlan]) -> list[Outcome[schemas.PlanView]]:
    """Draft plans. Refused per item: ProductUnknown, LateFeeAboveCap, FinancingRefused for a financing that cannot be, Invalid for a field
    that is missing or does not belong to the family."""
    outcomes: list[Outcome[schemas.PlanView]] = []
    for request in requests:
        try:
            outcomes.append(plan_view(uow, await _create_plan(uow, request)))
        except Problem as problem:
            outcomes.append(problem)
    return outcomes


async def _create_plan(uow: UnitOfWork, request: schemas.NewPlan) -> Plan:
    late_fee_daily_rate = Decimal(request.late_fee_daily_rate)
    if not is_lawful_late_fee(late_fee_daily_rate):
        highest = f"{newest_late_fee_ceiling_annual_pct():f}"
        raise LateFeeAboveCap.field(
            "/late_fee_daily_rate",
            LateFeeAboveCap.code,
            f"违约金年化不得超过 4 倍 LPR（{highest}%），请降低日费率",
            f"The late fee may not exceed 4 times LPR ({highest} % a year): lower the daily rate",
        )
    try:
        product = await store.product(uow, parse_id(Prefix.PRODUCT, request.product_id))
    except ValueError:
        product = None
    if product is None:
        raise ProductUnknown()
    months, days = period_length(request.period_months, request.period_days, is_daily=request.daily is not None)
    check_period_count(request.period_count, is_daily=request.daily is not None, is_in_days=days > 0)
    financing: Financing | None = None
    daily: DailyRent | None = None
    if request.financing is None:
        if request.daily is not None:
            daily = _daily_of(request, request.daily)
        rent_fen, device_value_fen = rental_amounts(
            daily.bands[0].daily_fen if daily else request.rent_fen,
            request.device_value_fen,
            request.residual_value_fen,
            request.buyout_fen,
        )
    else:
        device_value_fen = request.device_value_fen or 0
        check_is_rental(request.daily is not None)
        check_leaseback(
            is_leaseback=request.financing.is_leaseback,
            is_loan=request.financing.family == "loan",
            category=product.category,
        )
        rent_fen, financing = _financing_of(uow.business_date, request, request.financing, months, days)
    check_rental_ways(
        is_financed=financing is not None,
        ends_in=request.ends_in,
        first_rents=request.first_rents,
        period_count=request.period_count,
        term_months=request.period_count * months,
        residual_value_fen=request.residual_value_fen,
        buyout_fen=request.buyout_fen,
        buyout_prices_fen=request.buyout_prices_fen,
    )
    check_cash_is_lent(product.category == schemas.CASH, Family.RENTAL if financing is None else financing.family)
    plan = Plan(
        id=new_id(),
        product_id=product.id,
        product_name=product.name,
        period_months=months,
        period_count=request.period_count,
        rent_fen=rent_fen,
        deposit_fen=request.deposit_fen,
        device_value_fen=device_value_fen,
        residual_value_fen=request.residual_value_fen,
        buyout_fen=request.buyout_fen,
        early_return_fee_fen=request.early_return_fee_fen,
        late_fee_daily_rate=late_fee_daily_rate,
        grace_days=request.grace_days,
        restriction_clause_version=request.restriction_clause_version,
        state=PlanState.DRAFT,
        version=1,
        annual_cost_pct=None,
        created_at=uow.now,
        financing=financing,
        first_rents=request.first_rents,
        ends_in=request.ends_in,
        buyout_prices_fen=request.buyout_prices_fen,
        due_shift=request.due_shift.value,
        period_days=days,
        daily=daily,
    )
    await store.insert_plan(uow, plan)
    return plan


def _daily_of(request: schemas.NewPlan, asked: schemas.PlanDaily) -> DailyRent:
    """The rent by the day of a plan. Raises Invalid naming the field that cannot be, or does not go with it."""
    check_daily_fields(
        rent_fen=request.rent_fen,
        residual_value_fen=request.residual_value_fen,
        buyout_fen=request.buyout_fen,
        first_rents=request.first_rents,
        ends_in=request.ends_in,
        first_daily_fen=asked.bands[0].daily_fen,
    )
    daily = schemas.daily_of(asked)
    try:
        billing.daily_rows(daily, 1, BusinessDate.min)
    except Invalid as problem:
        error = problem.errors[0]
        raise Invalid.field("/daily/bands", error.code, error.detail_zh, error.detail_en) from None
    return daily


def _financing_of(
    on: BusinessDate, request: schemas.NewPlan, asked: schemas.PlanFinancing, months: int, days: int
) -> tuple[int, Financing]:
    """The first instalment and the financing of a plan that is drafted on a date; the rate is solved for where it is left out."""
    check_financed_fields(
        is_loan=asked.family == "loan",
        principal_fen=asked.principal_fen,
        annual_rate_pct=asked.annual_rate_pct,
        rent_fen=request.rent_fen,
        deposit_fen=request.deposit_fen,
        device_value_fen=request.device_value_fen,
        residual_value_fen=request.residual_value_fen,
        buyout_fen=request.buyout_fen,
    )
    check_tranches(
        is_loan=asked.family == "loan",
        has_tranches=len(asked.tranches) > 0,
        is_solved=(len(asked.tranches) > 0 or len(asked.rate_steps) > 0) and request.rent_fen is not None,
    )
    financing = schemas.financing_of(asked)
    every, unit = (days, billing.Unit.DAY) if days else (months, billing.Unit.MONTH)
    count, shift = request.period_count, request.due_shift
    try:
        if request.rent_fen is not None:
            financing = billing.with_rate_of(financing, every, count, on, request.rent_fen, unit=unit, due_shift=shift)
        schedule = billing.schedule_of(billing.schedule_terms(financing, every, count, on, unit=unit, due_shift=shift))
    except Invalid as problem:
        raise in_plan_words(problem, "period_days" if days else "period_months") from None
    first_fen = schedule.rows[0].total_fen
    if first_fen == 0:
        raise FinancingRefused.field(
            "/financing/grace",
            "catalogue.first_instalment_is_nothing",
            "第一期应付为零，暂不支持：请缩短宽限期或免息期",
            "The first instalment would be nothing, which is not supported: shorten the grace or interest-free periods",
        )
    return first_fen, financing


def plan_view(read: ReadSession, plan: Plan) -> schemas.PlanView:
    """A plan as it is shown today, with what its offerer should know."""
    return schemas.plan_view(plan, warnings_of(plan.annual_cost_pct, read.business_date, plan.ends_in))


async def publish_plans(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> list[Outcome[schemas.PlanView]]:
    """Offer plans. Refused per item: PlanUnknown, IllegalMove, CostAboveCap (the guard no tenant can lift)."""
    return [await _move(uow, plan_id, PlanState.PUBLISHED) for plan_id in plan_ids]


async def withdraw_plans(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> list[Outcome[schemas.PlanView]]:
    """Stop offering plans; quotes given before hold until they expire. Refused per item: PlanUnknown, IllegalMove."""
    return [await _move(uow, plan_id, PlanState.WITHDRAWN) for plan_id in plan_ids]


async def _move(uow: UnitOfWork, plan_id: UUID, target: PlanState) -> Outcome[schemas.PlanView]:
    plan = await store.plan_by_id(uow, plan_id, lock=True)
    if plan is None:
        return PlanUnknown()
    try:
        PLAN_MOVES.move(plan.state, target)
        cost_pct = plan.annual_cost_pct
        if target is PlanState.PUBLISHED:
            today = uow.business_date
            cost_pct = bounded(cost_pct_of(plan, schedule_of(plan, today), today))
            guard(cost_pct, dearest_buyout(plan, today), await store.tenant_cap_pct(uow), plan.family, plan.daily)
    except Problem as problem:
        return problem
    await store.set_plan_state(uow, plan_id, target, cost_pct)
    moved = await store.plan_by_id(uow, plan_id)
    return PlanUnknown() if moved is None else plan_view(uow, moved)


async def set_pricing_policy(uow: UnitOfWork, requests: Sequence[schemas.PricingPolicy]) -> list[Outcome[schemas.PolicyView]]:
    """Set the tenant's own cap. A tenant may only be stricter than the guard: a higher one is Invalid."""
    outcomes: list[Outcome[schemas.PolicyView]] = []
    for request in requests:
        cap_pct = Decimal(request.annual_cost_max_pct)
        if cap_pct > ANNUAL_COST_MAX_PCT:
            outcomes.append(
                Invalid.field(
                    "/annual_cost_max_pct",
                    "catalogue.policy_too_loose",
                    f"年化成本上限不得高于 {ANNUAL_COST_MAX_PCT}%，只能更严",
                    f"The cap cannot be above {ANNUAL_COST_MAX_PCT} %: a tenant may only be stricter",
                )
            )
            continue
        await store.set_tenant_cap_pct(uow, cap_pct)
        outcomes.append(schemas.PolicyView(annual_cost_max_pct=f"{cap_pct:f}"))
    return outcomes
