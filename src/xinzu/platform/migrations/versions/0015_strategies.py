"""Strategies: drafts, approval, gray share, experiments. What stands is the published or retired work of the system itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_STRATEGY, _DECISION = "decisions_strategy", "decisions_decision"
_REPORT = '{"findings": [], "failed_cases": [], "cases_run": 0}'
_OUTCOMES = "outcome IN ('approve', 'decline', 'refer')"
_CHECKS = {
    "share_of_approved": "share_pct BETWEEN 0 AND 99 AND (share_pct = 0 OR state = 'approved')",
    "shadow_of_approved": "NOT is_shadowed OR state = 'approved'",
    "published_approved": "state <> 'published' OR (published_at IS NOT NULL AND approved_by IS NOT NULL)",
    "state_known": "state IN ('draft', 'checked', 'submitted', 'approved', 'published', 'retired')",
}


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    for column, default in (
        (sa.Column("id", sa.Uuid(), nullable=False), sa.text("gen_random_uuid()")),
        (sa.Column("revision", sa.Integer(), nullable=False), "1"),
        (sa.Column("note", sa.Text(), nullable=False), ""),
        (sa.Column("report", postgresql.JSONB(), nullable=False), _REPORT),
        (sa.Column("authors", postgresql.ARRAY(sa.Text()), nullable=False), "{}"),
        (sa.Column("submitted_by", sa.Text(), nullable=True), None),
        (sa.Column("approved_by", sa.Text(), nullable=True), None),
        (_instant("approved_at", nullable=True), None),
        (sa.Column("rejection", sa.Text(), nullable=True), None),
        (sa.Column("share_pct", sa.SmallInteger(), nullable=False), "0"),
        (sa.Column("is_shadowed", sa.Boolean(), nullable=False), sa.false()),
        (sa.Column("replaced", sa.Integer(), nullable=True), None),
        (_instant("changed_at"), sa.func.now()),
    ):
        _add(_STRATEGY, column, default)
    for name in ("published_at", "published_by"):
        op.alter_column(_STRATEGY, name, nullable=True)
    # The owner sees every tenant's rows only while it is not held to a tenant.
    op.execute(f"ALTER TABLE {_STRATEGY} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE decisions_strategy SET authors = ARRAY[published_by], approved_by = published_by, approved_at = published_at,"
        " changed_at = published_at, replaced = nullif(version - 1, 0)"
    )
    op.execute(f"ALTER TABLE {_STRATEGY} FORCE ROW LEVEL SECURITY")
    op.drop_constraint(op.f(f"ck_{_STRATEGY}_state_known"), _STRATEGY)
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_{_STRATEGY}_{name}"), _STRATEGY, condition)
    op.create_unique_constraint(op.f(f"uq_{_STRATEGY}_tenant_id_id"), _STRATEGY, ["tenant_id", "id"])
    op.create_index(
        f"uq_{_STRATEGY}_candidate", _STRATEGY, ["tenant_id", "key"], unique=True, postgresql_where=sa.text("share_pct > 0")
    )
    _add(_DECISION, sa.Column("arm", sa.Text(), nullable=False), "champion")
    _add(_DECISION, sa.Column("review_level", sa.Text(), nullable=True), None)
    _add(_DECISION, sa.Column("accepted_fen", sa.BigInteger(), nullable=True), None)
    for name, condition in {
        "arm_known": "arm IN ('champion', 'candidate', 'random_accept')",
        "review_level_known": "review_level IN ('reviewer', 'senior', 'committee')",
        "accepted_amount": "(arm = 'random_accept') = (accepted_fen IS NOT NULL)",
        "accepted_fen_min": "accepted_fen >= 0",
    }.items():
        op.create_check_constraint(op.f(f"ck_{_DECISION}_{name}"), _DECISION, condition)
    op.create_index(f"ix_{_DECISION}_key", _DECISION, ["tenant_id", "strategy_key", "decided_at"])
    op.create_table(
        "decisions_golden_case",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _instant("changed_at"),
        sa.CheckConstraint(_OUTCOMES, name=op.f("ck_decisions_golden_case_outcome_known")),
        sa.PrimaryKeyConstraint("tenant_id", "key", "name", name=op.f("pk_decisions_golden_case")),
    )
    op.create_table(
        "decisions_experiment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("accept_bp", sa.SmallInteger(), nullable=False),
        sa.Column("accept_count_max", sa.Integer(), nullable=False),
        sa.Column("accept_max_fen", sa.BigInteger(), nullable=False),
        sa.Column("window_hours", sa.SmallInteger(), nullable=False),
        sa.Column("count_min", sa.Integer(), nullable=False),
        sa.Column("approval_change_pct_max", sa.SmallInteger(), nullable=False),
        sa.Column("refer_rise_pct_max", sa.SmallInteger(), nullable=False),
        sa.Column("failure_rise_pct_max", sa.SmallInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _instant("changed_at"),
        sa.CheckConstraint("accept_bp BETWEEN 0 AND 100", name=op.f("ck_decisions_experiment_accept_bp_range")),
        sa.CheckConstraint(
            "accept_count_max >= 0 AND window_hours > 0 AND count_min > 0", name=op.f("ck_decisions_experiment_counts_min")
        ),
        sa.CheckConstraint("accept_max_fen >= 0", name=op.f("ck_decisions_experiment_accept_max_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_decisions_experiment")),
    )
    op.create_table(
        "decisions_shadow",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("strategy_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        _instant("computed_at"),
        sa.CheckConstraint(_OUTCOMES, name=op.f("ck_decisions_shadow_outcome_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decision_id"],
            [f"{_DECISION}.tenant_id", f"{_DECISION}.id"],
            name=op.f("fk_decisions_shadow_tenant_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "strategy_id"],
            [f"{_STRATEGY}.tenant_id", f"{_STRATEGY}.id"],
            name=op.f("fk_decisions_shadow_tenant_id_strategy_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "decision_id", "strategy_id", name=op.f("pk_decisions_shadow")),
    )
    op.create_index("ix_decisions_shadow_strategy", "decisions_shadow", ["tenant_id", "strategy_id"])


def downgrade() -> None:
    """Refused by the constraints once a draft was saved, or a share given: what they say cannot be told otherwise."""
    for table in ("decisions_shadow", "decisions_experiment", "decisions_golden_case"):
        op.drop_table(table)
    op.drop_index(f"ix_{_DECISION}_key", _DECISION)
    for name in ("accepted_fen", "review_level", "arm"):
        op.drop_column(_DECISION, name)
    op.drop_index(f"uq_{_STRATEGY}_candidate", _STRATEGY)
    op.drop_constraint(op.f(f"uq_{_STRATEGY}_tenant_id_id"), _STRATEGY)
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_{_STRATEGY}_{name}"), _STRATEGY)
    op.create_check_constraint(op.f(f"ck_{_STRATEGY}_state_known"), _STRATEGY, "state IN ('published', 'retired')")
    for name in ("published_at", "published_by"):
        op.alter_column(_STRATEGY, name, nullable=False)
    for name in (
        *("changed_at", "replaced", "is_shadowed", "share_pct", "rejection", "approved_at", "approved_by", "submitted_by"),
        *("authors", "report", "note", "revision", "id"),
    ):
        op.drop_column(_STRATEGY, name)


def _add(table: str, column: sa.Column[Any], default: object) -> None:
    """A column with a default only for the rows that stand: whoever writes says everything."""
    column.server_default = None if default is None else sa.DefaultClause(default)  # type: ignore[arg-type]
    op.add_column(table, column)
    if default is not None:
        op.alter_column(table, column.name, server_default=None)
