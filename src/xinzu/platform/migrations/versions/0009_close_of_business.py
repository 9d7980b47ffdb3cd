"""The close of business at scale: what ends on a day is found by that day, and the books are compared with billing at every close."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_EARNING = "role IN ('rent', 'interest') AND state <> 'cancelled'"
_UNEARNED = f"{_EARNING} AND earned_fen < amount_fen"
# So that a row that changes nothing indexed stays on its page, with no entry in any index (a heap-only tuple).
_FILL_PCT = {"billing_instalment": 90, "billing_account": 85, "billing_charge": 85}


def upgrade() -> None:
    """Every row keeps its meaning: what is earned of unfinished periods by the last month end stays on its leg and in the books."""
    op.execute("SET lock_timeout = '5s'")
    op.drop_index("ix_billing_instalment_unearned", "billing_instalment")
    op.create_index(
        "ix_billing_instalment_ending",
        "billing_instalment",
        ["tenant_id", "state", "to_on", "from_on"],
        postgresql_where=sa.text(_EARNING),
    )
    op.create_index(
        "ix_billing_instalment_financed",
        "billing_instalment",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("state = 'scheduled' AND role <> 'rent'"),
    )
    for table, pct in _FILL_PCT.items():
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {pct})")
    for column in (
        sa.Column("accrued_fen", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("differing_count", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("billing_day", column)
        op.alter_column("billing_day", column.name, server_default=None)
    op.add_column("billing_day", sa.Column("compared_entry_no", sa.BigInteger(), nullable=True))
    op.add_column("billing_day", sa.Column("compared_fen", postgresql.JSONB(), nullable=True))
    op.create_check_constraint(op.f("ck_billing_day_accrued_fen_min"), "billing_day", "accrued_fen >= 0")
    op.create_check_constraint(
        op.f("ck_billing_day_compared_whole"), "billing_day", "(compared_entry_no IS NULL) = (compared_fen IS NULL)"
    )


def downgrade() -> None:
    """The books stay right: an accrual is taken back on the day after, by entries that stand."""
    op.execute("SET lock_timeout = '5s'")
    for name in ("compared_fen", "compared_entry_no", "differing_count", "accrued_fen"):
        op.drop_column("billing_day", name)
    for table in _FILL_PCT:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.drop_index("ix_billing_instalment_financed", "billing_instalment")
    op.drop_index("ix_billing_instalment_ending", "billing_instalment")
    op.create_index(
        "ix_billing_instalment_unearned",
        "billing_instalment",
        ["tenant_id", "from_on", "to_on"],
        postgresql_where=sa.text(_UNEARNED),
    )
