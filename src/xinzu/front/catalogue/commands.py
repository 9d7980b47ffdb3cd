"""Use cases of the catalogue: create, publish, withdraw, quote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from xinzu.back.billing import api as billing
from xinzu.front.catalogue import schemas, store
from xinzu.front.catalogue.errors import (
    CostAboveCap,
    FinancingRefused,
    LateFeeAboveCap,
    PlanNotOffered,
    PlanUnknown,
    ProductUnknown,
    QuoteExpired,
    QuoteUnknown,
)
from xinzu.front.catalogue.model import PLAN_MOVES, Plan, PlanState, Product, Quote
from xinzu.front.catalogue.rules.annual_cost import ANNUAL_COST_MAX_PCT, UNBOUNDED, effective_cap, is_within_cap, warnings_of
from xinzu.front.catalogue.rules.fields_of_family import (
    check_cash_is_lent,
    check_financed_fields,
    check_rental_ways,
    rental_amounts,
)
from xinzu.front.catalogue.rules.late_fee import is_lawful_late_fee
from xinzu.kernel.errors import FieldError, Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.prime_rate import newest_late_fee_ceiling_annual_pct
from xinzu.kernel.terms import AgreementTerms, Family, Financing
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork

Dearest = tuple[int, Decimal]
"""The month of the term in which buying the thing costs most a year, and how much."""

QUOTE_LIFETIME = timedelta(hours=24)
_TERMS_CACHE_MAX = 10_000
# Terms never change under a version on a day, so what is cached is never stale; the version itself is read each time.
_terms: dict[tuple[int, UUID, int, BusinessDate], tuple[AgreementTerms, Dearest | None]] = {}
# What the schedule engine calls a field, where a plan calls it otherwise.
_FIELDS = {
    "periods": "period_count",
    "every": "period_months",
    "instalment_fen": "rent_fen",
    "fees": "financing.upfront_fee_fen",
    "solve": "financing.method",
}


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
    financing: Financing | None = None
    if request.financing is None:
        rent_fen, device_value_fen = rental_amounts(
            request.rent_fen, request.device_value_fen, request.residual_value_fen, request.buyout_fen
        )
    else:
        device_value_fen = request.device_value_fen or 0
        rent_fen, financing = _financing_of(uow.business_date, request, request.financing)
    check_rental_ways(
        is_financed=financing is not None,
        ends_in=request.ends_in,
        first_rents=request.first_rents,
        period_count=request.period_count,
        term_months=request.period_count * request.period_months,
        residual_value_fen=request.residual_value_fen,
        buyout_fen=request.buyout_fen,
        buyout_prices_fen=request.buyout_prices_fen,
        moves_dues_back=request.due_shift in (billing.ShiftPolicy.PRECEDING, billing.ShiftPolicy.MODIFIED_FOLLOWING),
    )
    check_cash_is_lent(product.category == schemas.CASH, Family.RENTAL if financing is None else financing.family)
    plan = Plan(
        id=new_id(),
        product_id=product.id,
        product_name=product.name,
        period_months=request.period_months,
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
    )
    await store.insert_plan(uow, plan)
    return plan


def _financing_of(on: BusinessDate, request: schemas.NewPlan, asked: schemas.PlanFinancing) -> tuple[int, Financing]:
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
    financing = schemas.financing_of(asked)
    months, count = request.period_months, request.period_count
    try:
        if request.rent_fen is not None:
            financing = billing.with_rate_of(financing, months, count, on, request.rent_fen)
        schedule = billing.schedule_of(billing.schedule_terms(financing, months, count, on))
    except Invalid as problem:
        raise _in_plan_words(problem) from None
    first_fen = schedule.rows[0].total_fen
    if first_fen == 0:
        raise FinancingRefused.field(
            "/financing/grace",
            "catalogue.first_instalment_is_nothing",
            "第一期应付为零，暂不支持：请缩短宽限期或免息期",
            "The first instalment would be nothing, which is not supported: shorten the grace or interest-free periods",
        )
    return first_fen, financing


def _in_plan_words(problem: Invalid) -> FinancingRefused:
    """The engine's refusal with the fields named as a plan names them."""

    def renamed(error: FieldError) -> FieldError:
        name = error.pointer[1:].replace("/", ".")
        field = _FIELDS.get(name, f"financing.{name}")
        return FieldError(
            "/" + field.replace(".", "/"),
            error.code,
            error.detail_zh.replace(name, field, 1),
            error.detail_en.replace(name, field, 1),
        )

    errors = tuple(renamed(error) for error in problem.errors)
    return FinancingRefused(errors[0].detail_zh, errors[0].detail_en, errors=errors)


def _schedule_of(plan: Plan, on: BusinessDate) -> billing.Schedule | None:
    """The instalments of a financing that commences on a date. Raises Invalid where it cannot be."""
    if plan.financing is None:
        return None
    return billing.schedule_of(billing.schedule_terms(plan.financing, plan.period_months, plan.period_count, on))


def _cost_pct(plan: Plan, schedule: billing.Schedule | None, on: BusinessDate) -> str | None:
    """A plan's all-in effective annual cost in percent for a commencement on a date; None without bound."""
    if schedule is not None:
        return billing.financed_cost_pct(schedule, deposit_fen=plan.deposit_fen, buyout_fen=plan.buyout_fen or 0)
    return billing.rental_cost_pct(
        plan.device_value_fen,
        plan.rent_fen,
        plan.period_count,
        plan.period_months,
        max(plan.residual_value_fen or 0, plan.buyout_fen or 0),
        first_rents=plan.first_rents,
        days_early=_days_early(plan, on),
    )


def _days_early(plan: Plan, on: BusinessDate) -> tuple[int, ...]:
    return billing.rent_days_early(plan.period_months, plan.period_count, on, billing.ShiftPolicy(plan.due_shift))


def _dearest_buyout(plan: Plan, on: BusinessDate) -> Dearest | None:
    """What buying the thing within the term costs a year where that costs most; None where no prices are agreed."""
    if not plan.buyout_prices_fen:
        return None
    month, cost_pct = billing.dearest_buyout(
        plan.device_value_fen,
        plan.rent_fen,
        plan.period_count,
        plan.period_months,
        plan.buyout_prices_fen,
        first_rents=plan.first_rents,
        days_early=_days_early(plan, on),
    )
    return month, _bounded(cost_pct)


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
            cost_pct = _bounded(_cost_pct(plan, _schedule_of(plan, today), today))
            _guard(cost_pct, _dearest_buyout(plan, today), await store.tenant_cap_pct(uow), plan.family)
    except Problem as problem:
        return problem
    await store.set_plan_state(uow, plan_id, target, cost_pct)
    moved = await store.plan_by_id(uow, plan_id)
    return PlanUnknown() if moved is None else plan_view(uow, moved)


def _bounded(cost_pct: str | None) -> Decimal:
    return UNBOUNDED if cost_pct is None else Decimal(cost_pct)


def _guard(effective_pct: Decimal, dearest: Dearest | None, tenant_cap_pct: Decimal | None, family: Family) -> None:
    """Neither performing as agreed nor buying within the term may cost more than the cap. Raises CostAboveCap."""
    if not is_within_cap(effective_pct, tenant_cap_pct):
        raise _above_cap(effective_pct, tenant_cap_pct, family)
    if dearest is not None and not is_within_cap(dearest[1], tenant_cap_pct):
        month, cost_pct = dearest
        cap = f"{effective_cap(tenant_cap_pct):f}"
        raise CostAboveCap.field(
            "/buyout_prices_fen",
            CostAboveCap.code,
            f"按第 {month} 个月的买断价，综合年化成本为 {cost_pct:f}%，超过上限 {cap}%：请降低各月买断价",
            f"Bought in month {month}, the all-in annualised cost is {cost_pct:f} %, the cap is {cap} %: lower the prices",
        )


def _above_cap(effective_pct: Decimal, tenant_cap_pct: Decimal | None, family: Family) -> Invalid:
    cap = f"{effective_cap(tenant_cap_pct):f}"
    if effective_pct.is_finite():
        zh, en = f"综合年化成本为 {effective_pct:f}%", f"The all-in annualised cost is {effective_pct:f} %"
    else:
        zh, en = (
            "开始时的付款已不低于所得价值，综合年化成本无上限",
            "What is paid at the start covers what is received: the annual cost has no bound",
        )
    if family is Family.RENTAL:
        pointer = "/rent_fen"
        remedy_zh, remedy_en = (
            "请降低租金、起租时支付的期数、留购价或延长租期",
            "lower the rent, the first rents or the buyout, or lengthen the term",
        )
    else:
        pointer = "/financing/annual_rate_pct"
        remedy_zh, remedy_en = "请降低利率、费用、保证金或留购价", "lower the rate, the fee, the deposit or the buyout"
    return CostAboveCap.field(
        pointer, CostAboveCap.code, f"{zh}，超过上限 {cap}%：{remedy_zh}", f"{en}, the cap is {cap} %: {remedy_en}"
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


async def quote(read: ReadSession, plan_ids: Sequence[UUID]) -> dict[UUID, Outcome[AgreementTerms]]:
    """The terms of plans as they are offered today: one statement for all, a second for versions this process has not seen today.

    Per plan: PlanUnknown, PlanNotOffered, CostAboveCap when the tenant's cap was lowered below a published plan or a commencement today
    costs more than the cap, FinancingRefused when the financing cannot commence today.
    """
    wanted = list(dict.fromkeys(plan_ids))
    today = read.business_date
    offered = await store.offered(read, wanted)
    unseen = [plan_id for plan_id, offer in offered.items() if (read.tenant_id, plan_id, offer.version, today) not in _terms]
    refused: dict[UUID, Problem] = {}
    if unseen:
        if len(_terms) > _TERMS_CACHE_MAX:
            _terms.clear()
        for plan in (await store.plans_by_id(read, unseen)).values():
            try:
                _terms[(read.tenant_id, plan.id, plan.version, today)] = _terms_of(plan, today), _dearest_buyout(plan, today)
            except Invalid as problem:
                refused[plan.id] = _in_plan_words(problem)
    found: dict[UUID, Outcome[AgreementTerms]] = {}
    for plan_id in wanted:
        offer = offered.get(plan_id)
        if offer is None:
            found[plan_id] = PlanUnknown()
        else:
            priced = _terms.get((read.tenant_id, plan_id, offer.version, today))
            found[plan_id] = refused.get(plan_id) or _offer(offer, priced)
    return found


def _offer(offer: store.Offered, priced: tuple[AgreementTerms, Dearest | None] | None) -> Outcome[AgreementTerms]:
    if offer.state is not PlanState.PUBLISHED or offer.annual_cost_pct is None or priced is None:
        return PlanNotOffered(
            "该方案未发布或已下架，请选择其他方案", "The plan is not published or was withdrawn: choose another"
        )
    terms, dearest = priced
    try:
        _guard(_bounded(terms.annual_cost_pct), dearest, offer.tenant_cap_pct, terms.family)
    except CostAboveCap as problem:
        return problem
    return terms


def _terms_of(plan: Plan, on: BusinessDate) -> AgreementTerms:
    """A plan's terms for a commencement on a date. Raises Invalid where the financing cannot be."""
    schedule = _schedule_of(plan, on)
    return AgreementTerms(
        product_id=plan.product_id,
        plan_id=plan.id,
        product_name=plan.product_name,
        period_months=plan.period_months,
        period_count=plan.period_count,
        rent_fen=plan.rent_fen if schedule is None else schedule.rows[0].total_fen,
        deposit_fen=plan.deposit_fen,
        device_value_fen=plan.device_value_fen,
        buyout_fen=plan.buyout_fen,
        early_return_fee_fen=plan.early_return_fee_fen,
        late_fee_daily_rate=f"{plan.late_fee_daily_rate.normalize():f}",
        grace_days=plan.grace_days,
        restriction_clause_version=plan.restriction_clause_version,
        annual_cost_pct=_cost_pct(plan, schedule, on),
        financing=plan.financing,
        total_fen=None if schedule is None else schedule.total_fen,
        first_rents=plan.first_rents,
        ends_in=plan.ends_in,
        buyout_prices_fen=plan.buyout_prices_fen,
        due_shift=plan.due_shift,
    )


async def give_quotes(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> list[Outcome[schemas.QuoteView]]:
    """Quotes that hold for 24 hours, each with its cost table. Refused per item as ``quote`` says."""
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
        costs = billing.cost_table(found, uow.business_date)
        warnings = warnings_of(_bounded(costs.annual_cost_pct), uow.business_date, found.ends_in)
        outcomes.append(schemas.quote_view(one, costs, warnings))
    if given:
        await store.insert_quotes(uow, given)
    return outcomes


async def terms_of_quotes(read: ReadSession, quote_ids: Sequence[UUID]) -> dict[UUID, Outcome[AgreementTerms]]:
    """The frozen terms of quotes that are still valid. Per quote: QuoteUnknown, QuoteExpired."""
    known = await store.quotes_by_id(read, list(dict.fromkeys(quote_ids)))
    found: dict[UUID, Outcome[AgreementTerms]] = {}
    for quote_id in quote_ids:
        one = known.get(quote_id)
        if one is None:
            found[quote_id] = QuoteUnknown()
        elif one.valid_until <= read.now:
            found[quote_id] = QuoteExpired("报价已过期，请重新报价", "The quote has expired: ask for a new one")
        else:
            found[quote_id] = one.terms
    return found
