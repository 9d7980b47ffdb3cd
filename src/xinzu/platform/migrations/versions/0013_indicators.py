"""Indicators: facts by the entities they concern, counters, applicants, snapshots, the base of drift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ENTITIES = (
    "entity_kind IN ('party', 'phone', 'address', 'device', 'ip', 'ip_net', 'bssid', 'channel', 'product_channel', 'merchant')"
)
_KINDS = (
    "kind IN ('applied', 'cancelled', 'approved', 'declined', 'commenced', 'ended', 'first_due', 'first_overdue', 'instalment_due',"
    " 'instalment_overdue', 'arrears', 'cleared', 'settled', 'written_off', 'payment_succeeded', 'payment_failed', 'restricted',"
    " 'inspected', 'case_opened', 'message_failed')"
)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=False)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        "credit_fact",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("entity_kind", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        _instant("occurred_at"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        _instant("known_at"),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(_ENTITIES, name=op.f("ck_credit_fact_entity_kind_known")),
        sa.CheckConstraint(_KINDS, name=op.f("ck_credit_fact_kind_known")),
        sa.PrimaryKeyConstraint("tenant_id", "entity_kind", "entity_key", "occurred_at", "id", name=op.f("pk_credit_fact")),
    )
    op.create_table(
        "credit_counter",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("entity_kind", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("bucket_hours", sa.SmallInteger(), nullable=False),
        _instant("bucket_at"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("facts > 0", name=op.f("ck_credit_counter_facts_min")),
        sa.CheckConstraint("bucket_hours IN (1, 24)", name=op.f("ck_credit_counter_bucket_hours_known")),
        sa.CheckConstraint(_ENTITIES, name=op.f("ck_credit_counter_entity_kind_known")),
        sa.CheckConstraint(_KINDS, name=op.f("ck_credit_counter_kind_known")),
        sa.PrimaryKeyConstraint(
            *("tenant_id", "entity_kind", "entity_key", "bucket_hours", "bucket_at", "kind"), name=op.f("pk_credit_counter")
        ),
    )
    op.create_table(
        "credit_applicant",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("keys", postgresql.JSONB(), nullable=False),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("first_number", sa.SmallInteger(), nullable=False),
        _instant("as_of"),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("value_fen >= 0", name=op.f("ck_credit_applicant_value_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", name=op.f("pk_credit_applicant")),
    )
    op.create_index("ix_credit_applicant_as_of", "credit_applicant", ["tenant_id", "as_of"])
    op.create_index(
        "ix_credit_applicant_agreement",
        "credit_applicant",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("agreement_id IS NOT NULL"),
    )
    op.create_table(
        "credit_snapshot",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        _instant("as_of"),
        sa.Column("catalogue_sha256", sa.Text(), nullable=False),
        sa.Column("indicators", postgresql.JSONB(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", name=op.f("pk_credit_snapshot")),
    )
    op.create_index("ix_credit_snapshot_as_of", "credit_snapshot", ["tenant_id", "as_of"])
    op.create_table(
        "credit_drift_base",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("bins", postgresql.JSONB(), nullable=False),
        sa.Column("value_count", sa.Integer(), nullable=False),
        _instant("begin_at"),
        _instant("until_at"),
        _instant("frozen_at"),
        sa.CheckConstraint("begin_at < until_at AND value_count > 0", name=op.f("ck_credit_drift_base_base_possible")),
        sa.PrimaryKeyConstraint("tenant_id", "indicator", name=op.f("pk_credit_drift_base")),
    )


def downgrade() -> None:
    for table in ("credit_drift_base", "credit_snapshot", "credit_applicant", "credit_counter", "credit_fact"):
        op.drop_table(table)
