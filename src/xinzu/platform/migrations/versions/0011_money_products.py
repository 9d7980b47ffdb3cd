"""Products: daily, weekly, in tranches, with a changing rate, sale and leaseback. Tranches, rates and leaseback stand in ``financing``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Each table with the name of the constraint that bounds its periods.
_TABLES = (("catalogue_plan", "term"), ("billing_account", "terms_positive"))
_MONTHS = "period_months > 0 AND period_count > 0 AND grace_days >= 0"
_MONTHS_OR_DAYS = (
    "(period_months > 0) <> (period_days > 0) AND least(period_months, period_days, grace_days) >= 0 AND period_count > 0"
)
_RENTAL_ONLY = "financing IS NULL OR (first_rents = 1 AND ends_in = 'return' AND buyout_prices_fen IS NULL)"
_DUES_NOT_EARLIER = f"{_RENTAL_ONLY[:-1]} AND due_shift IN ('none', 'following'))"
_BY_THE_DAY = (
    "daily IS NULL OR (financing IS NULL AND period_days = 1 AND first_rents = 1 AND ends_in = 'return' AND buyout_fen IS NULL)"
)
# What a release before this one would not see in ``financing``.
_KNOWN_BEFORE = (
    "financing IS NULL OR (jsonb_array_length(coalesce(financing->'tranches', '[]')) = 0"
    " AND jsonb_array_length(coalesce(financing->'rate_steps', '[]')) = 0"
    " AND coalesce(financing->>'is_leaseback', 'false') = 'false')"
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table, term in _TABLES:
        op.add_column(table, sa.Column("period_days", sa.SmallInteger(), nullable=False, server_default="0"))
        op.alter_column(table, "period_days", server_default=None)
        op.add_column(table, sa.Column("daily", postgresql.JSONB(), nullable=True))
        _replace(table, term, _MONTHS_OR_DAYS)
        _replace(table, "ways_of_rentals", _RENTAL_ONLY)
        op.create_check_constraint(op.f(f"ck_{table}_by_the_day"), table, _BY_THE_DAY)
    op.create_table(
        "billing_disbursement",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("disbursed_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_disbursement_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_disbursement")),
        sa.UniqueConstraint(
            "tenant_id", "agreement_id", "number", name=op.f("uq_billing_disbursement_tenant_id_agreement_id_number")
        ),
        sa.UniqueConstraint(
            "tenant_id", "agreement_id", "reference", name=op.f("uq_billing_disbursement_tenant_id_agreement_id_reference")
        ),
        info={"tenant": True},
    )


def downgrade() -> None:
    """Refused by the constraints once there are such products: what they say cannot be told otherwise."""
    for table, term in _TABLES:
        op.create_check_constraint(op.f(f"ck_{table}_known_before"), table, _KNOWN_BEFORE)
        op.drop_constraint(op.f(f"ck_{table}_known_before"), table)
        _replace(table, "ways_of_rentals", _DUES_NOT_EARLIER)
        _replace(table, term, _MONTHS)
        op.drop_constraint(op.f(f"ck_{table}_by_the_day"), table)
        op.drop_column(table, "daily")
        op.drop_column(table, "period_days")
    op.drop_table("billing_disbursement")


def _replace(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
