"""Tables of the catalogue."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Numeric, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.front.catalogue.model import PlanState
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table

product = tenant_table(
    "catalogue_product",
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    instant("created_at"),
)

plan = tenant_table(
    "catalogue_plan",
    Column("id", Uuid, nullable=False),
    Column("product_id", Uuid, nullable=False),
    Column("period_months", SmallInteger, nullable=False),
    Column("period_count", SmallInteger, nullable=False),
    fen("rent_fen", minimum=1),
    fen("deposit_fen"),
    fen("device_value_fen"),
    fen("residual_value_fen", nullable=True),
    fen("buyout_fen", nullable=True),
    fen("early_return_fee_fen"),
    Column("late_fee_daily_rate", Numeric(9, 6), nullable=False),
    Column("grace_days", SmallInteger, nullable=False),
    Column("restriction_clause_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("annual_cost_pct", Numeric(12, 6)),
    instant("created_at"),
    Column("financing", JSONB(none_as_null=True)),
    Column("first_rents", SmallInteger, nullable=False),
    Column("ends_in", Text, nullable=False),
    Column("due_shift", Text, nullable=False),
    Column("buyout_prices_fen", JSONB(none_as_null=True)),
    Column("period_days", SmallInteger, nullable=False),
    Column("daily", JSONB(none_as_null=True)),
    tenant_reference("product_id", "catalogue_product"),
    one_of("state", PlanState),
    CheckConstraint(
        "(period_months > 0) <> (period_days > 0) AND least(period_months, period_days, grace_days) >= 0 AND period_count > 0",
        name="term",
    ),
    CheckConstraint("financing IS NOT NULL OR residual_value_fen IS NOT NULL OR buyout_fen IS NOT NULL", name="end_value"),
    CheckConstraint("financing IS NULL OR coalesce(financing->>'family', '') IN ('finance_lease', 'loan')", name="family_known"),
    # Only money has no value beside itself.
    CheckConstraint("(device_value_fen = 0) = (coalesce(financing->>'family', '') = 'loan')", name="device_value_of_family"),
    CheckConstraint("first_rents BETWEEN 1 AND period_count AND ends_in IN ('return', 'own')", name="ways"),
    CheckConstraint("due_shift IN ('none', 'following', 'preceding', 'modified_following')", name="due_shift_known"),
    CheckConstraint(
        "financing IS NULL OR (first_rents = 1 AND ends_in = 'return' AND buyout_prices_fen IS NULL)", name="ways_of_rentals"
    ),
    CheckConstraint(
        "daily IS NULL OR (financing IS NULL AND period_days = 1 AND first_rents = 1 AND ends_in = 'return' AND buyout_fen IS NULL)",
        name="by_the_day",
    ),
    CheckConstraint("ends_in = 'return' OR buyout_fen IS NOT NULL", name="transfer_priced"),
    # The guard stands in the database too: what is published has a known cost within the cap.
    CheckConstraint("state <> 'published' OR (annual_cost_pct IS NOT NULL AND annual_cost_pct <= 24)", name="annual_cost_cap"),
    Index("ix_catalogue_plan_product", "tenant_id", "product_id", "id"),
)

quote = tenant_table(
    "catalogue_quote",
    Column("id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("terms", JSONB, nullable=False),
    instant("quoted_at"),
    instant("valid_until"),
    tenant_reference("plan_id", "catalogue_plan"),
)

# One row per tenant that wants to be stricter than the law's guard.
pricing_policy = tenant_table(
    "catalogue_pricing_policy",
    Column("annual_cost_max_pct", Numeric(8, 4), nullable=False),
    instant("updated_at"),
    CheckConstraint("annual_cost_max_pct >= 0 AND annual_cost_max_pct <= 24", name="stricter_only"),
    key=(),
)
