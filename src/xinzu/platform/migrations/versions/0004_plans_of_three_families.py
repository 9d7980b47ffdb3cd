"""Plans of three families: what a finance lease or a loan finances stands beside the terms of a rental."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("catalogue_plan", sa.Column("financing", postgresql.JSONB(), nullable=True))
    op.drop_constraint(op.f("ck_catalogue_plan_device_value_fen_min"), "catalogue_plan")
    op.create_check_constraint(op.f("ck_catalogue_plan_device_value_fen_min"), "catalogue_plan", "device_value_fen >= 0")
    op.drop_constraint(op.f("ck_catalogue_plan_end_value"), "catalogue_plan")
    op.create_check_constraint(
        op.f("ck_catalogue_plan_end_value"),
        "catalogue_plan",
        "financing IS NOT NULL OR residual_value_fen IS NOT NULL OR buyout_fen IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_catalogue_plan_family_known"),
        "catalogue_plan",
        "financing IS NULL OR coalesce(financing->>'family', '') IN ('finance_lease', 'loan')",
    )
    op.create_check_constraint(
        op.f("ck_catalogue_plan_device_value_of_family"),
        "catalogue_plan",
        "(device_value_fen = 0) = (coalesce(financing->>'family', '') = 'loan')",
    )


def downgrade() -> None:
    """Only without plans of the other families: they cannot be told as rentals."""
    op.drop_constraint(op.f("ck_catalogue_plan_device_value_of_family"), "catalogue_plan")
    op.drop_constraint(op.f("ck_catalogue_plan_family_known"), "catalogue_plan")
    op.drop_constraint(op.f("ck_catalogue_plan_end_value"), "catalogue_plan")
    op.create_check_constraint(
        op.f("ck_catalogue_plan_end_value"), "catalogue_plan", "residual_value_fen IS NOT NULL OR buyout_fen IS NOT NULL"
    )
    op.drop_constraint(op.f("ck_catalogue_plan_device_value_fen_min"), "catalogue_plan")
    op.create_check_constraint(op.f("ck_catalogue_plan_device_value_fen_min"), "catalogue_plan", "device_value_fen >= 1")
    op.drop_column("catalogue_plan", "financing")
