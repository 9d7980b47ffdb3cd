"""The queue of manual review: levels, claims, clocks, appeals; credit lines. What waits for a person is put into the queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_REVIEW, _REFERRAL, _DECISION = "decisions_review", "decisions_referral", "decisions_decision"
_LEVEL = "level IN ('reviewer', 'senior', 'committee')"
_ADDED = ("credit_line", "review_policy", "reviewer", "appeal", "referral")

# Nobody counted their time so far: each gets a day from the upgrade on.
_FILL = """
INSERT INTO decisions_referral (tenant_id, decision_id, level, round, queued_at, due_at, escalated_count, entered_by)
SELECT d.tenant_id, d.id, coalesce(d.review_level, 'reviewer'), 1, coalesce(d.referred_at, d.decided_at), now() + interval '1 day', 0,
       (SELECT e.actor FROM platform_event e WHERE e.tenant_id = d.tenant_id AND e.subject_id = d.application_id
        AND e.type = 'xinzu.applications.application.submitted.v1' ORDER BY e.id LIMIT 1)
FROM decisions_decision d WHERE d.state = 'referred'
"""


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def _tenant() -> sa.Column[object]:
    return sa.Column("tenant_id", sa.BigInteger(), nullable=False)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", *columns, name=op.f(f"pk_{table}"))


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}")
    )


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column(_REVIEW, sa.Column("round", sa.SmallInteger(), nullable=False, server_default="1"))
    op.alter_column(_REVIEW, "round", server_default=None)
    op.drop_constraint(op.f(f"pk_{_REVIEW}"), _REVIEW)
    op.create_primary_key(op.f(f"pk_{_REVIEW}"), _REVIEW, ["tenant_id", "decision_id", "round"])
    op.create_check_constraint(op.f(f"ck_{_REVIEW}_round_known"), _REVIEW, "round IN (1, 2)")
    op.create_table(
        _REFERRAL,
        _tenant(),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        _instant("queued_at"),
        _instant("due_at", nullable=True),
        sa.Column("escalated_to", sa.Text()),
        sa.Column("escalated_count", sa.SmallInteger(), nullable=False),
        sa.Column("entered_by", sa.Text()),
        sa.Column("held_by", sa.Text()),
        _instant("held_until", nullable=True),
        _instant("closed_at", nullable=True),
        _check(_REFERRAL, "level_known", _LEVEL),
        _check(_REFERRAL, "escalated_to_known", _LEVEL.replace("level", "escalated_to", 1)),
        _check(_REFERRAL, "round_known", "round IN (1, 2)"),
        _check(_REFERRAL, "held_by_somebody", "held_until IS NULL OR held_by IS NOT NULL"),
        _reference(_REFERRAL, "decision_id", _DECISION),
        _key(_REFERRAL, "decision_id"),
    )
    still_open = sa.text("closed_at IS NULL")
    op.create_index(f"ix_{_REFERRAL}_open", _REFERRAL, ["tenant_id", "decision_id"], postgresql_where=still_open)
    op.create_index(f"ix_{_REFERRAL}_due", _REFERRAL, ["tenant_id", "due_at"], postgresql_where=still_open)
    op.create_table(
        "decisions_appeal",
        _tenant(),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("grounds_sealed", sa.LargeBinary()),
        sa.Column("asked_by", sa.Text(), nullable=False),
        _instant("asked_at"),
        _reference("decisions_appeal", "decision_id", _DECISION),
        _key("decisions_appeal", "decision_id"),
    )
    op.create_table(
        "decisions_reviewer",
        _tenant(),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("is_available", sa.Boolean(), nullable=False),
        sa.Column("held_max", sa.SmallInteger(), nullable=False),
        sa.Column("party_id", sa.Uuid()),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _instant("changed_at"),
        _check("decisions_reviewer", "level_known", _LEVEL),
        _check("decisions_reviewer", "held_max_range", "held_max BETWEEN 1 AND 200"),
        _reference("decisions_reviewer", "party_id", "parties_person"),
        _key("decisions_reviewer", "login"),
    )
    minutes = ("reviewer_minutes", "senior_minutes", "committee_minutes", "claim_minutes")
    op.create_table(
        "decisions_review_policy",
        _tenant(),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in minutes),
        sa.Column("opens_minute", sa.SmallInteger(), nullable=False),
        sa.Column("closes_minute", sa.SmallInteger(), nullable=False),
        sa.Column("is_open_daily", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _instant("changed_at"),
        _check("decisions_review_policy", "minutes_min", f"least({', '.join(minutes)}) > 0"),
        _check(
            "decisions_review_policy",
            "hours_range",
            "opens_minute >= 0 AND closes_minute <= 1440 AND closes_minute - opens_minute >= 60",
        ),
        _key("decisions_review_policy"),
    )
    op.create_table(
        "decisions_credit_line",
        _tenant(),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("line_fen", sa.BigInteger(), nullable=False),
        sa.Column("is_frozen", sa.Boolean(), nullable=False),
        sa.Column("contributions", postgresql.JSONB(), nullable=False),
        _instant("computed_at"),
        sa.Column("computed_by", sa.Text(), nullable=False),
        _check("decisions_credit_line", "line_fen_min", "line_fen >= 0"),
        _key("decisions_credit_line", "party_id"),
    )
    # The owner writes for all tenants here, past the walls that hold for everybody else.
    walled = (_DECISION, "platform_event")
    for table in walled:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_FILL)
    for table in walled:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Loses the queue's clocks and claims, appeals, levels and credit lines; refused by the database when a decision has two reviews."""
    for name in _ADDED:
        op.drop_table(f"decisions_{name}")
    op.drop_constraint(op.f(f"ck_{_REVIEW}_round_known"), _REVIEW)
    op.drop_constraint(op.f(f"pk_{_REVIEW}"), _REVIEW)
    op.create_primary_key(op.f(f"pk_{_REVIEW}"), _REVIEW, ["tenant_id", "decision_id"])
    op.drop_column(_REVIEW, "round")
