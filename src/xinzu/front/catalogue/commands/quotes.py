"""Quotes: a plan's terms as they are offered today, and frozen for a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from xinzu.back.billing import api as billing
from xinzu.front.catalogue import schemas, store
from xinzu.front.catalogue.commands.costs import (
    Dearest,
    bounded,
    cost_pct_of,
    daily_cost_pct,
    dearest_buyout,
    guard,
    in_plan_words,
    schedule_of,
)
from xinzu.front.catalogue.errors import CostAboveCap, DaysRefused, PlanNotOffered, PlanUnknown, QuoteExpired, QuoteUnknown
from xinzu.front.catalogue.model import Plan, PlanState, Quote
from xinzu.front.catalogue.rules.annual_cost import warnings_of
from xinzu.front.catalogue.rules.fields_of_family import check_days
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork

Asked = tuple[UUID, int | None]
"""A plan, and for how many days where its rent is by the day."""

QUOTE_LIFETIME = timedelta(hours=24)
_TERMS_CACHE_MAX = 10_000
# Terms never change under a version on a day, so what is cached is never stale; the version itself is read each time.
_terms: dict[tuple[int, UUID, int, BusinessDate, int | None], tuple[AgreementTerms, Dearest | None]] = {}


async def quote(read: ReadSession, plan_ids: Sequence[UUID]) -> dict[UUID, Outcome[AgreementTerms]]:
    """``quote_for`` of plans that need nothing but themselves; of rent by the day, DaysRefused."""
    return {plan_id: found for (plan_id, _), found in (await quote_for(read, [(plan_id, None) for plan_id in plan_ids])).items()}


async def quote_for(read: ReadSession, asked: Sequence[Asked]) -> dict[Asked, Outcome[AgreementTerms]]:
    """The terms of plans as they are offered today: one statement for all, a second for versions this process has not seen today.

    Per plan: DaysRefused for a number of days that is missing or not offered, PlanUnknown,
    PlanNotOffered, CostAboveCap when the tenant's cap was lowered below a published plan or a commencement today
    costs more than the cap, FinancingRefused when the financing cannot commence today.
    """
    wanted = list(dict.fromkeys(asked))
    today = read.business_date
    offered = await store.offered(read, list(dict.fromkeys(plan_id for plan_id, _ in wanted)))
    unseen = [
        (plan_id, days)
        for plan_id, days in wanted
        if plan_id in offered and (read.tenant_id, plan_id, offered[plan_id].version, today, days) not in _terms
    ]
    refused: dict[Asked, Problem] = {}
    if unseen:
        if len(_terms) > _TERMS_CACHE_MAX:
            _terms.clear()
        plans = await store.plans_by_id(read, list(dict.fromkeys(plan_id for plan_id, _ in unseen)))
        for plan_id, days in unseen:
            plan = plans[plan_id]
            key = (read.tenant_id, plan.id, plan.version, today, days)
            try:
                check_days(days, plan.period_count, is_daily=plan.daily is not None)
                _terms[key] = _terms_of(plan, today, days), dearest_buyout(plan, today)
            except DaysRefused as problem:
                refused[plan_id, days] = problem
            except Invalid as problem:
                refused[plan_id, days] = in_plan_words(problem, "period_days" if plan.period_days else "period_months")
    found: dict[Asked, Outcome[AgreementTerms]] = {}
    for one in wanted:
        offer = offered.get(one[0])
        if offer is None:
            found[one] = PlanUnknown()
        else:
            priced = _terms.get((read.tenant_id, one[0], offer.version, today, one[1]))
            found[one] = refused.get(one) or _offer(offer, priced)
    return found


def _offer(offer: store.Offered, priced: tuple[AgreementTerms, Dearest | None] | None) -> Outcome[AgreementTerms]:
    if offer.state is not PlanState.PUBLISHED or offer.annual_cost_pct is None or priced is None:
        return PlanNotOffered(
            "该方案未发布或已下架，请选择其他方案", "The plan is not published or was withdrawn: choose another"
        )
    terms, dearest = priced
    try:
        guard(bounded(terms.annual_cost_pct), dearest, offer.tenant_cap_pct, terms.family, terms.daily)
    except CostAboveCap as problem:
        return problem
    return terms


def _terms_of(plan: Plan, on: BusinessDate, days: int | None) -> AgreementTerms:
    """A plan's terms for a commencement on a date, for so many days where rent is by the day. Raises Invalid where the financing cannot
    be."""
    schedule = schedule_of(plan, on)
    totals = [] if schedule is None else [row.total_fen for row in schedule.rows]
    cost_pct = None
    if plan.daily is not None and days is not None:
        totals = [row.total_fen for row in billing.daily_rows(plan.daily, days, on)]
        cost_pct = daily_cost_pct(plan, plan.daily, days, on)
    return AgreementTerms(
        product_id=plan.product_id,
        plan_id=plan.id,
        product_name=plan.product_name,
        period_months=plan.period_months,
        period_count=days or plan.period_count,
        rent_fen=totals[0] if totals else plan.rent_fen,
        deposit_fen=plan.deposit_fen,
        device_value_fen=plan.device_value_fen,
        buyout_fen=plan.buyout_fen,
        early_return_fee_fen=plan.early_return_fee_fen,
        late_fee_daily_rate=f"{plan.late_fee_daily_rate.normalize():f}",
        grace_days=plan.grace_days,
        restriction_clause_version=plan.restriction_clause_version,
        annual_cost_pct=cost_pct if plan.daily is not None else cost_pct_of(plan, schedule, on),
        financing=plan.financing,
        total_fen=sum(totals) if totals else None,
        first_rents=plan.first_rents,
        ends_in=plan.ends_in,
        buyout_prices_fen=plan.buyout_prices_fen,
        due_shift=plan.due_shift,
        period_days=plan.period_days,
        daily=plan.daily,
    )


async def give_quotes(uow: UnitOfWork, asked: Sequence[Asked]) -> list[Outcome[schemas.QuoteView]]:
    """Quotes that hold for 24 hours, each with its cost table. Refused per item as ``quote_for`` says."""
    terms = await quote_for(uow, asked)
    given: list[Quote] = []
    outcomes: list[Outcome[schemas.QuoteView]] = []
    for plan_id, days in asked:
        found = terms[plan_id, days]
        if isinstance(found, Problem):
            outcomes.append(found)
            continue
        one = Quote(id=new_id(), plan_id=plan_id, terms=found, quoted_at=uow.now, valid_until=uow.now + QUOTE_LIFETIME)
        given.append(one)
        costs = billing.cost_table(found, uow.business_date)
        warnings = warnings_of(bounded(costs.annual_cost_pct), uow.business_date, found.ends_in)
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
