"""Use cases of the catalogue: create, publish, withdraw, quote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from xinzu.front.catalogue import schemas, store
from xinzu.front.catalogue.errors import (
    CostAboveCap,
    LateFeeAboveCap,
    PlanNotOffered,
    PlanUnknown,
    ProductUnknown,
    QuoteExpired,
    QuoteUnknown,
)
from xinzu.front.catalogue.model import PLAN_MOVES, Plan, PlanState, Product, Quote
from xinzu.front.catalogue.rules.annual_cost import ANNUAL_COST_MAX_PCT, AnnualCost, annual_cost, effective_cap, is_within_cap
from xinzu.front.catalogue.rules.late_fee import is_lawful_late_fee
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.prime_rate import newest_late_fee_ceiling_annual_pct
from xinzu.kernel.terms import RentalTerms
from xinzu.platform.uow import ReadSession, UnitOfWork

QUOTE_LIFETIME = timedelta(hours=24)
_TERMS_CACHE_MAX = 10_000
# Terms never change under a version, so what is cached is never stale; the version itself is read each time.
_terms: dict[tuple[int, UUID, int], RentalTerms] = {}


async def create_products(uow: UnitOfWork, requests: Sequence[schemas.NewProduct]) -> list[Outcome[schemas.ProductView]]:
    """Add products."""
    created = []
    for request in requests:
        product = Product(id=new_id(), name=request.name.strip(), category=request.category, created_at=uow.now)
        await store.insert_product(uow, product)
        created.append(schemas.product_view(product))
    return list(created)


async def create_plans(uow: UnitOfWork, requests: Sequence[schemas.NewPlan]) -> list[Outcome[schemas.PlanView]]:
    """Draft plans. Refused per item: ProductUnknown, LateFeeAboveCap, Invalid when neither residual value nor buyout is given."""
    outcomes: list[Outcome[schemas.PlanView]] = []
    for request in requests:
        try:
            outcomes.append(schemas.plan_view(await _create_plan(uow, request)))
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
    if request.residual_value_fen is None and request.buyout_fen is None:
        raise Invalid.field(
            "/residual_value_fen",
            "catalogue.end_value_missing",
            "请填写预计残值或留购价至少一项，否则无法计算年化成本",
            "Give the expected residual value or the buyout: without either the annual cost cannot be told",
        )
    try:
        product = await store.product(uow, parse_id(Prefix.PRODUCT, request.product_id))
    except ValueError:
        product = None
    if product is None:
        raise ProductUnknown()
    plan = Plan(
        id=new_id(),
        product_id=product.id,
        product_name=product.name,
        period_months=request.period_months,
        period_count=request.period_count,
        rent_fen=request.rent_fen,
        deposit_fen=request.deposit_fen,
        device_value_fen=request.device_value_fen,
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
    )
    await store.insert_plan(uow, plan)
    return plan


def cost_of(plan: Plan) -> AnnualCost:
    """A plan's all-in annualised cost."""
    return annual_cost(
        device_value_fen=plan.device_value_fen,
        rent_fen=plan.rent_fen,
        period_count=plan.period_count,
        period_months=plan.period_months,
        residual_value_fen=plan.residual_value_fen,
        buyout_fen=plan.buyout_fen,
    )


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
            cost = cost_of(plan)
            _guard(cost.effective_pct, await store.tenant_cap_pct(uow), cost.shown_pct)
            cost_pct = Decimal(cost.shown_pct)
    except Problem as problem:
        return problem
    await store.set_plan_state(uow, plan_id, target, cost_pct)
    moved = await store.plan_by_id(uow, plan_id)
    return PlanUnknown() if moved is None else schemas.plan_view(moved)


def _guard(effective_pct: Decimal, tenant_cap_pct: Decimal | None, shown_pct: str) -> None:
    if not is_within_cap(effective_pct, tenant_cap_pct):
        cap = f"{effective_cap(tenant_cap_pct):f}"
        if effective_pct.is_finite():
            zh, en = f"综合年化成本为 {shown_pct}%", f"The all-in annualised cost is {shown_pct} %"
        else:
            zh, en = (
                "首期租金已不低于设备价值，综合年化成本无上限",
                "The first rent covers the device value: the annual cost has no bound",
            )
        raise CostAboveCap.field(
            "/rent_fen",
            CostAboveCap.code,
            f"{zh}，超过上限 {cap}%：请降低租金、留购价或延长租期",
            f"{en}, the cap is {cap} %: lower the rent or the buyout, or lengthen the term",
        )


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


async def quote(read: ReadSession, plan_ids: Sequence[UUID]) -> dict[UUID, Outcome[RentalTerms]]:
    """The terms of plans as they are offered now: one statement for all, a second for versions this process has not seen.

    Per plan: PlanUnknown, PlanNotOffered, or CostAboveCap when the tenant's cap was lowered below a published plan.
    """
    wanted = list(dict.fromkeys(plan_ids))
    offered = await store.offered(read, wanted)
    unseen = [plan_id for plan_id, offer in offered.items() if (read.tenant_id, plan_id, offer.version) not in _terms]
    if unseen:
        if len(_terms) > _TERMS_CACHE_MAX:
            _terms.clear()
        for plan in (await store.plans_by_id(read, unseen)).values():
            _terms[(read.tenant_id, plan.id, plan.version)] = _terms_of(plan)
    found: dict[UUID, Outcome[RentalTerms]] = {}
    for plan_id in wanted:
        offer = offered.get(plan_id)
        if offer is None:
            found[plan_id] = PlanUnknown()
        else:
            found[plan_id] = _offer(read.tenant_id, plan_id, offer)
    return found


def _offer(tenant_id: int, plan_id: UUID, offer: store.Offered) -> Outcome[RentalTerms]:
    terms = _terms.get((tenant_id, plan_id, offer.version))
    if offer.state is not PlanState.PUBLISHED or offer.annual_cost_pct is None or terms is None:
        return PlanNotOffered(
            "该方案未发布或已下架，请选择其他方案", "The plan is not published or was withdrawn: choose another"
        )
    try:
        _guard(offer.annual_cost_pct, offer.tenant_cap_pct, f"{offer.annual_cost_pct:f}")
    except CostAboveCap as problem:
        return problem
    return terms


def _terms_of(plan: Plan) -> RentalTerms:
    return RentalTerms(
        product_id=plan.product_id,
        plan_id=plan.id,
        product_name=plan.product_name,
        period_months=plan.period_months,
        period_count=plan.period_count,
        rent_fen=plan.rent_fen,
        deposit_fen=plan.deposit_fen,
        device_value_fen=plan.device_value_fen,
        buyout_fen=plan.buyout_fen,
        early_return_fee_fen=plan.early_return_fee_fen,
        late_fee_daily_rate=f"{plan.late_fee_daily_rate.normalize():f}",
        grace_days=plan.grace_days,
        restriction_clause_version=plan.restriction_clause_version,
        annual_cost_pct=None if plan.annual_cost_pct is None else f"{plan.annual_cost_pct:f}",
    )


async def give_quotes(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> list[Outcome[schemas.QuoteView]]:
    """Quotes that hold for 24 hours. Refused per item as ``quote`` says."""
    terms = await quote(uow, plan_ids)
    given: list[Quote] = []
    outcomes: list[Outcome[schemas.QuoteView]] = []
    for plan_id in plan_ids:
        found = terms[plan_id]
        if isinstance(found, Problem):
            outcomes.append(found)
            continue
        one = Quote(id=new_id(), plan_id=plan_id, terms=found, quoted_at=uow.now, valid_until=uow.now + QUOTE_LIFETIME)
        given.append(one)
        outcomes.append(schemas.quote_view(one))
    if given:
        await store.insert_quotes(uow, given)
    return outcomes


async def terms_of_quotes(read: ReadSession, quote_ids: Sequence[UUID]) -> dict[UUID, Outcome[RentalTerms]]:
    """The frozen terms of quotes that are still valid. Per quote: QuoteUnknown, QuoteExpired."""
    known = await store.quotes_by_id(read, list(dict.fromkeys(quote_ids)))
    found: dict[UUID, Outcome[RentalTerms]] = {}
    for quote_id in quote_ids:
        one = known.get(quote_id)
        if one is None:
            found[quote_id] = QuoteUnknown()
        elif one.valid_until <= read.now:
            found[quote_id] = QuoteExpired("报价已过期，请重新报价", "The quote has expired: ask for a new one")
        else:
            found[quote_id] = one.terms
    return found
