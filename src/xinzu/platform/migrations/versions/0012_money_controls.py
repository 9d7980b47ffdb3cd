"""A second person for waivers, write-offs, refunds and terminations; shares of partners in what comes in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("billing_account", sa.Column("has_shares", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_table(
        "platform_approval",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence_ref", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("answer", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_platform_approval_decided_has_instant")),
        sa.CheckConstraint(
            "state <> 'approved' OR decided_by_id <> requested_by_id", name=op.f("ck_platform_approval_two_people")
        ),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'refused')", name=op.f("ck_platform_approval_state_known")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_platform_approval_amount_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_platform_approval")),
    )
    op.create_index("ix_platform_approval_subject", "platform_approval", ["tenant_id", "subject_id", "id"])
    op.create_index(
        "ix_platform_approval_waiting", "platform_approval", ["tenant_id", "id"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "platform_approval_limit",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("alone_max_fen", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("alone_max_fen >= 0", name=op.f("ck_platform_approval_limit_alone_max_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "command", name=op.f("pk_platform_approval_limit")),
    )
    op.create_table(
        "billing_partner",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_partner")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_billing_partner_tenant_id_name")),
    )
    op.create_table(
        "billing_share",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("share_bp", sa.SmallInteger(), nullable=False),
        sa.Column("fixed_fen", sa.BigInteger(), nullable=False),
        sa.Column("floor_fen", sa.BigInteger(), nullable=False),
        sa.Column("cap_fen", sa.BigInteger(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("agreed_ref", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("basis IN ('rent', 'interest', 'residual')", name=op.f("ck_billing_share_basis_known")),
        sa.CheckConstraint(
            "(share_bp = 0) <> (fixed_fen = 0) AND share_bp BETWEEN 0 AND 10000", name=op.f("ck_billing_share_percent_or_fixed")
        ),
        sa.CheckConstraint("cap_fen IS NULL OR cap_fen >= floor_fen", name=op.f("ck_billing_share_cap_above_floor")),
        sa.CheckConstraint("fixed_fen >= 0", name=op.f("ck_billing_share_fixed_fen_min")),
        sa.CheckConstraint("floor_fen >= 0", name=op.f("ck_billing_share_floor_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_share_tenant_id_agreement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partner_id"],
            ["billing_partner.tenant_id", "billing_partner.id"],
            name=op.f("fk_billing_share_tenant_id_partner_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_share")),
    )
    op.create_index("ix_billing_share_agreement", "billing_share", ["tenant_id", "agreement_id"])
    op.create_table(
        "billing_share_due",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("share_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("received_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_billing_share_due_amount_moves")),
        sa.CheckConstraint("received_fen >= 0", name=op.f("ck_billing_share_due_received_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partner_id"],
            ["billing_partner.tenant_id", "billing_partner.id"],
            name=op.f("fk_billing_share_due_tenant_id_partner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "share_id"],
            ["billing_share.tenant_id", "billing_share.id"],
            name=op.f("fk_billing_share_due_tenant_id_share_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_share_due")),
    )
    op.create_index("ix_billing_share_due_agreement", "billing_share_due", ["tenant_id", "agreement_id", "id"])
    op.create_index("ix_billing_share_due_partner", "billing_share_due", ["tenant_id", "partner_id", "id"])
    op.create_table(
        "billing_payout",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_billing_payout_amount_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partner_id"],
            ["billing_partner.tenant_id", "billing_partner.id"],
            name=op.f("fk_billing_payout_tenant_id_partner_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_payout")),
        sa.UniqueConstraint("tenant_id", "reference", name=op.f("uq_billing_payout_tenant_id_reference")),
    )
    op.create_index("ix_billing_payout_partner", "billing_payout", ["tenant_id", "partner_id", "id"])


def downgrade() -> None:
    for table in (
        "billing_payout",
        "billing_share_due",
        "billing_share",
        "billing_partner",
        "platform_approval_limit",
        "platform_approval",
    ):
        op.drop_table(table)
    op.drop_column("billing_account", "has_shares")
