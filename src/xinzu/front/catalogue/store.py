"""All SQL of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import msgspec

from xinzu.front.catalogue.model import Plan, PlanState, Product, Quote
from xinzu.kernel.terms import AgreementTerms, DailyRent, EndsIn, Financing
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_PLAN = """
SELECT p.id, p.product_id, r.name AS product_name, p.period_months, p.period_count, p.rent_fen, p.deposit_fen, p.device_value_fen,
       p.residual_value_fen, p.buyout_fen, p.early_return_fee_fen, p.late_fee_daily_rate, p.grace_days, p.restriction_clause_version,
       p.state, p.version, p.annual_cost_pct, p.created_at, p.financing, p.first_rents, p.ends_in, p.due_shift,
       p.buyout_prices_fen, p.period_days, p.daily
FROM catalogue_plan p JOIN catalogue_product r ON r.tenant_id = p.tenant_id AND r.id = p.product_id
WHERE p.tenant_id = :tenant
"""

_OFFERED = """
SELECT p.id, p.version, p.state, p.annual_cost_pct,
       (SELECT annual_cost_max_pct FROM catalogue_pricing_policy WHERE tenant_id = :tenant) AS tenant_cap_pct
FROM catalogue_plan p WHERE p.tenant_id = :tenant AND p.id = ANY(cast(:ids AS uuid[]))
"""

_INSERT_PLAN = """
INSERT INTO catalogue_plan (
    tenant_id, id, product_id, period_months, period_count, rent_fen, deposit_fen, device_value_fen, residual_value_fen, buyout_fen,
    early_return_fee_fen, late_fee_daily_rate, grace_days, restriction_clause_version, state, version, created_at, financing, first_rents, ends_in,
    due_shift, buyout_prices_fen, period_days, daily)
VALUES (:tenant, :id, :product_id, :period_months, :period_count, :rent_fen, :deposit_fen, :device_value_fen, :residual_value_fen,
        :buyout_fen, :early_return_fee_fen, :late_fee_daily_rate, :grace_days, :restriction_clause_version, 'draft', 1, :now,
        cast(:financing AS jsonb), :first_rents, :ends_in, :due_shift, cast(:buyout_prices AS jsonb),
        :period_days, cast(:daily AS jsonb))
"""


@dataclass(frozen=True, slots=True)
class Offered:
    """What decides whether a plan may be quoted now."""

    version: int
    state: PlanState
    annual_cost_pct: Decimal | None
    tenant_cap_pct: Decimal | None


def _plan(row: Row) -> Plan:
    return Plan(
        id=row.id,
        product_id=row.product_id,
        product_name=row.product_name,
        period_months=row.period_months,
        period_count=row.period_count,
        rent_fen=row.rent_fen,
        deposit_fen=row.deposit_fen,
        device_value_fen=row.device_value_fen,
        residual_value_fen=row.residual_value_fen,
        buyout_fen=row.buyout_fen,
        early_return_fee_fen=row.early_return_fee_fen,
        late_fee_daily_rate=row.late_fee_daily_rate,
        grace_days=row.grace_days,
        restriction_clause_version=row.restriction_clause_version,
        state=PlanState(row.state),
        version=row.version,
        annual_cost_pct=row.annual_cost_pct,
        created_at=row.created_at,
        financing=msgspec.convert(row.financing, Financing | None),
        first_rents=row.first_rents,
        ends_in=EndsIn(row.ends_in),
        due_shift=row.due_shift,
        buyout_prices_fen=tuple(row.buyout_prices_fen or ()),
        period_days=row.period_days,
        daily=msgspec.convert(row.daily, DailyRent | None),
    )


async def insert_product(uow: UnitOfWork, product: Product) -> None:
    await uow.execute(
        "INSERT INTO catalogue_product (tenant_id, id, name, category, created_at) VALUES (:tenant, :id, :name, :category, :now)",
        id=product.id,
        name=product.name,
        category=product.category,
        now=product.created_at,
    )


async def product(read: ReadSession, product_id: UUID) -> Product | None:
    row = await read.row(
        "SELECT id, name, category, created_at FROM catalogue_product WHERE tenant_id = :tenant AND id = :id", id=product_id
    )
    return None if row is None else Product(id=row.id, name=row.name, category=row.category, created_at=row.created_at)


async def products(read: ReadSession, before: UUID | None, limit: int) -> list[Product]:
    rows = await read.rows(
        "SELECT id, name, category, created_at FROM catalogue_product"
        " WHERE tenant_id = :tenant AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        before=before,
        limit=limit,
    )
    return [Product(id=row.id, name=row.name, category=row.category, created_at=row.created_at) for row in rows]


async def insert_plan(uow: UnitOfWork, plan: Plan) -> None:
    await uow.execute(
        _INSERT_PLAN,
        id=plan.id,
        product_id=plan.product_id,
        period_months=plan.period_months,
        period_count=plan.period_count,
        rent_fen=plan.rent_fen,
        deposit_fen=plan.deposit_fen,
        device_value_fen=plan.device_value_fen,
        residual_value_fen=plan.residual_value_fen,
        buyout_fen=plan.buyout_fen,
        early_return_fee_fen=plan.early_return_fee_fen,
        late_fee_daily_rate=plan.late_fee_daily_rate,
        grace_days=plan.grace_days,
        restriction_clause_version=plan.restriction_clause_version,
        now=plan.created_at,
        financing=None if plan.financing is None else msgspec.json.encode(plan.financing).decode(),
        first_rents=plan.first_rents,
        ends_in=plan.ends_in.value,
        due_shift=plan.due_shift,
        buyout_prices=msgspec.json.encode(plan.buyout_prices_fen).decode() if plan.buyout_prices_fen else None,
        period_days=plan.period_days,
        daily=None if plan.daily is None else msgspec.json.encode(plan.daily).decode(),
    )


async def plan_by_id(read: ReadSession, plan_id: UUID, *, lock: bool = False) -> Plan | None:
    row = await read.row(f"{_PLAN} AND p.id = :id {'FOR UPDATE OF p' if lock else ''}", id=plan_id)
    return None if row is None else _plan(row)


async def plans_by_id(read: ReadSession, plan_ids: Sequence[UUID]) -> dict[UUID, Plan]:
    rows = await read.rows(f"{_PLAN} AND p.id = ANY(cast(:ids AS uuid[]))", ids=list(plan_ids))
    return {row.id: _plan(row) for row in rows}


async def plans(
    read: ReadSession, product_id: UUID | None, state: PlanState | None, before: UUID | None, limit: int
) -> list[Plan]:
    rows = await read.rows(
        f"{_PLAN} AND (cast(:product AS uuid) IS NULL OR p.product_id = :product)"
        " AND (cast(:state AS text) IS NULL OR p.state = :state)"
        " AND (cast(:before AS uuid) IS NULL OR p.id < :before) ORDER BY p.id DESC LIMIT :limit",
        product=product_id,
        state=state,
        before=before,
        limit=limit,
    )
    return [_plan(row) for row in rows]


async def set_plan_state(uow: UnitOfWork, plan_id: UUID, state: PlanState, annual_cost_pct: Decimal | None) -> None:
    await uow.execute(
        "UPDATE catalogue_plan SET state = :state, version = version + 1, annual_cost_pct = :cost"
        " WHERE tenant_id = :tenant AND id = :id",
        id=plan_id,
        state=state,
        cost=annual_cost_pct,
    )


async def offered(read: ReadSession, plan_ids: Sequence[UUID]) -> dict[UUID, Offered]:
    rows = await read.rows(_OFFERED, ids=list(plan_ids))
    return {row.id: Offered(row.version, PlanState(row.state), row.annual_cost_pct, row.tenant_cap_pct) for row in rows}


async def tenant_cap_pct(read: ReadSession) -> Decimal | None:
    found = await read.scalar("SELECT annual_cost_max_pct FROM catalogue_pricing_policy WHERE tenant_id = :tenant")
    return found if isinstance(found, Decimal) else None


async def set_tenant_cap_pct(uow: UnitOfWork, cap_pct: Decimal) -> None:
    await uow.execute(
        "INSERT INTO catalogue_pricing_policy (tenant_id, annual_cost_max_pct, updated_at) VALUES (:tenant, :cap, :now)"
        " ON CONFLICT (tenant_id) DO UPDATE SET annual_cost_max_pct = excluded.annual_cost_max_pct, updated_at = excluded.updated_at",
        cap=cap_pct,
        now=uow.now,
    )


async def insert_quotes(uow: UnitOfWork, quotes: Sequence[Quote]) -> None:
    await uow.execute(
        "INSERT INTO catalogue_quote (tenant_id, id, plan_id, terms, quoted_at, valid_until)"
        " SELECT :tenant, q.id, q.plan_id, q.terms, :now, q.valid_until"
        " FROM unnest(cast(:ids AS uuid[]), cast(:plans AS uuid[]), cast(:terms AS jsonb[]), cast(:untils AS timestamptz[]))"
        " AS q(id, plan_id, terms, valid_until)",
        now=uow.now,
        ids=[quote.id for quote in quotes],
        plans=[quote.plan_id for quote in quotes],
        terms=[msgspec.json.encode(quote.terms).decode() for quote in quotes],
        untils=[quote.valid_until for quote in quotes],
    )


async def quotes_by_id(read: ReadSession, quote_ids: Sequence[UUID]) -> dict[UUID, Quote]:
    rows = await read.rows(
        "SELECT id, plan_id, terms, quoted_at, valid_until FROM catalogue_quote"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(quote_ids),
    )
    return {
        row.id: Quote(
            id=row.id,
            plan_id=row.plan_id,
            terms=msgspec.convert(row.terms, AgreementTerms),
            quoted_at=row.quoted_at,
            valid_until=row.valid_until,
        )
        for row in rows
    }
