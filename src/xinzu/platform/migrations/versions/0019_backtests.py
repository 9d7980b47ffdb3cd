"""Replays of strategies on history, and the day on which an order went bad."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BACKTEST, _EXPOSURE = "decisions_backtest", "decisions_exposure"

# What the closes of business stated while the orders ran: 30 days past due, or written off.
_FILL = """
UPDATE decisions_exposure x SET bad_on = e.bad_on
FROM (
    SELECT tenant_id, subject_id, min(coalesce(cast(data ->> 'business_date' AS date), cast(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date)))
        AS bad_on
    FROM platform_event
    WHERE type = 'xinzu.billing.account.written_off.v1'
        OR (type = 'xinzu.billing.arrears.aged.v1' AND cast(data ->> 'days_past_due' AS integer) >= 30)
    GROUP BY tenant_id, subject_id
) e
WHERE x.tenant_id = e.tenant_id AND x.agreement_id = e.subject_id
"""


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column(_EXPOSURE, sa.Column("bad_on", sa.Date(), nullable=True))
    walled = (_EXPOSURE, "platform_event")
    for table in walled:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_FILL)
    for table in walled:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_table(
        _BACKTEST,
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("strategy_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("graph", postgresql.JSONB(), nullable=False),
        sa.Column("graph_sha256", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("limit_count", sa.Integer(), nullable=False),
        sa.Column("segments", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("maturity_days", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decisions_total", sa.Integer(), nullable=False),
        sa.Column("decisions_done", sa.Integer(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'running', 'done', 'failed')", name=op.f(f"ck_{_BACKTEST}_state_known")),
        sa.CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name=op.f(f"ck_{_BACKTEST}_finished")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "strategy_id"],
            ["decisions_strategy.tenant_id", "decisions_strategy.id"],
            name=op.f(f"fk_{_BACKTEST}_tenant_id_strategy_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{_BACKTEST}")),
    )
    op.create_table(
        "decisions_column",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("begins_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ends_before", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decisions", sa.Integer(), nullable=False),
        sa.Column("ids_digest", sa.LargeBinary(), nullable=False),
        sa.Column("cells", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", "begins_at", "name", name=op.f("pk_decisions_column")),
    )
    op.create_index(f"ix_{_BACKTEST}_strategy", _BACKTEST, ["tenant_id", "strategy_id"])


def downgrade() -> None:
    """Loses the replays and the days on which orders went bad."""
    op.drop_table("decisions_column")
    op.drop_table(_BACKTEST)
    op.drop_column(_EXPOSURE, "bad_on")
