"""Rental products: several rents at the start, rent to own, buy-out prices by month, due dates that move off days off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("catalogue_plan", "billing_account")
_SHIFTS = "due_shift IN ('none', 'following', 'preceding', 'modified_following')"
_WAYS = "first_rents BETWEEN 1 AND period_count AND ends_in IN ('return', 'own')"
_RENTAL_ONLY = (
    "financing IS NULL OR (first_rents = 1 AND ends_in = 'return' AND buyout_prices_fen IS NULL"
    " AND due_shift IN ('none', 'following'))"
)

_PLAIN = "first_rents = 1 AND ends_in = 'return' AND due_shift = 'none' AND buyout_prices_fen IS NULL"


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for table in _TABLES:
        for column in (
            sa.Column("first_rents", sa.SmallInteger(), nullable=False, server_default="1"),
            sa.Column("ends_in", sa.Text(), nullable=False, server_default="return"),
            sa.Column("due_shift", sa.Text(), nullable=False, server_default="none"),
        ):
            op.add_column(table, column)
            op.alter_column(table, column.name, server_default=None)
        op.add_column(table, sa.Column("buyout_prices_fen", postgresql.JSONB(), nullable=True))
        op.create_check_constraint(op.f(f"ck_{table}_ways"), table, _WAYS)
        op.create_check_constraint(op.f(f"ck_{table}_due_shift_known"), table, _SHIFTS)
        op.create_check_constraint(op.f(f"ck_{table}_ways_of_rentals"), table, _RENTAL_ONLY)
        op.create_check_constraint(op.f(f"ck_{table}_transfer_priced"), table, "ends_in = 'return' OR buyout_fen IS NOT NULL")
    op.add_column("billing_account", sa.Column("kept_on", sa.Date(), nullable=True))
    op.create_index(
        "ix_billing_account_to_pass",
        "billing_account",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("ends_in = 'own' AND state = 'open'"),
    )


def downgrade() -> None:
    """Refused by the constraint once there are such products: what they say cannot be told otherwise."""
    op.drop_index("ix_billing_account_to_pass", "billing_account")
    op.drop_column("billing_account", "kept_on")
    for table in _TABLES:
        op.create_check_constraint(op.f(f"ck_{table}_plain"), table, _PLAIN)
        for name in ("buyout_prices_fen", "due_shift", "ends_in", "first_rents"):
            op.drop_column(table, name)
