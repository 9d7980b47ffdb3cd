"""The spine: every table of the first release. Row security is forced by ``platform.db.apply_row_security`` after each upgrade."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "agreements_agreement",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_no", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("period_count", sa.Integer(), nullable=False),
        sa.Column("rent_fen", sa.BigInteger(), nullable=False),
        sa.Column("deposit_fen", sa.BigInteger(), nullable=False),
        sa.Column("device_value_fen", sa.BigInteger(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drafted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("drafted_on", sa.Date(), nullable=False),
        sa.Column("signed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("commencement_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('drafted', 'signed', 'active', 'ended', 'cancelled')", name=op.f("ck_agreements_agreement_state_known")
        ),
        sa.CheckConstraint(
            "state NOT IN ('active', 'ended') OR commencement_on IS NOT NULL", name=op.f("ck_agreements_agreement_commenced_when")
        ),
        sa.CheckConstraint(
            "state NOT IN ('signed', 'active', 'ended') OR signed_at IS NOT NULL",
            name=op.f("ck_agreements_agreement_signed_when"),
        ),
        sa.CheckConstraint("deposit_fen >= 0", name=op.f("ck_agreements_agreement_deposit_fen_min")),
        sa.CheckConstraint("device_value_fen >= 0", name=op.f("ck_agreements_agreement_device_value_fen_min")),
        sa.CheckConstraint("rent_fen >= 0", name=op.f("ck_agreements_agreement_rent_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreements_agreement")),
        sa.UniqueConstraint("tenant_id", "agreement_no", name=op.f("uq_agreements_agreement_tenant_id_agreement_no")),
        sa.UniqueConstraint("tenant_id", "application_id", name=op.f("uq_agreements_agreement_tenant_id_application_id")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_agreements_agreement_drafted",
        "agreements_agreement",
        ["tenant_id", "drafted_at"],
        unique=False,
        postgresql_where=sa.text("state = 'drafted'"),
    )
    op.create_index("ix_agreements_agreement_party", "agreements_agreement", ["tenant_id", "party_id", "id"], unique=False)
    op.create_table(
        "agreements_counter",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "year", name=op.f("pk_agreements_counter")),
        info={"tenant": True},
    )
    op.create_table(
        "assets_asset",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('in_stock', 'reserved', 'shipped', 'rented', 'returned', 'inspecting', 'retired')",
            name=op.f("ck_assets_asset_state_known"),
        ),
        sa.CheckConstraint("purchase_cost_fen >= 0", name=op.f("ck_assets_asset_purchase_cost_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assets_asset")),
        sa.UniqueConstraint("tenant_id", "serial", name=op.f("uq_assets_asset_tenant_id_serial")),
        info={"tenant": True},
    )
    op.create_index("ix_assets_asset_stock", "assets_asset", ["tenant_id", "product_id", "state", "id"], unique=False)
    op.create_table(
        "assets_warehouse",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_assets_warehouse")),
        info={"tenant": True},
    )
    op.create_table(
        "billing_account",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_no", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rent_fen", sa.BigInteger(), nullable=False),
        sa.Column("period_months", sa.SmallInteger(), nullable=False),
        sa.Column("period_count", sa.SmallInteger(), nullable=False),
        sa.Column("early_return_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("grace_days", sa.SmallInteger(), nullable=False),
        sa.Column("late_fee_daily_rate", sa.Numeric(), nullable=False),
        sa.Column("late_fee_ceiling_annual_pct", sa.Numeric(), nullable=False),
        sa.Column("commencement_on", sa.Date(), nullable=True),
        sa.Column("credit_balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("overdue_fen", sa.BigInteger(), nullable=False),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(state = 'settled') = (settled_on IS NOT NULL)", name=op.f("ck_billing_account_settled_has_date")),
        sa.CheckConstraint("state IN ('open', 'settling', 'settled')", name=op.f("ck_billing_account_state_known")),
        sa.CheckConstraint("(overdue_fen = 0) = (days_past_due = 0)", name=op.f("ck_billing_account_overdue_has_days")),
        sa.CheckConstraint("credit_balance_fen >= 0", name=op.f("ck_billing_account_credit_balance_fen_min")),
        sa.CheckConstraint("early_return_fee_fen >= 0", name=op.f("ck_billing_account_early_return_fee_fen_min")),
        sa.CheckConstraint(
            "late_fee_daily_rate >= 0 AND late_fee_ceiling_annual_pct >= 0", name=op.f("ck_billing_account_rates_positive")
        ),
        sa.CheckConstraint("overdue_fen >= 0", name=op.f("ck_billing_account_overdue_fen_min")),
        sa.CheckConstraint(
            "period_months > 0 AND period_count > 0 AND grace_days >= 0", name=op.f("ck_billing_account_terms_positive")
        ),
        sa.CheckConstraint("rent_fen >= 1", name=op.f("ck_billing_account_rent_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_billing_account")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_billing_account_overdue",
        "billing_account",
        ["tenant_id", "agreement_id"],
        unique=False,
        postgresql_where=sa.text("overdue_fen > 0"),
    )
    op.create_table(
        "billing_day",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("fell_due_count", sa.Integer(), nullable=False),
        sa.Column("became_overdue_count", sa.Integer(), nullable=False),
        sa.Column("delinquent_count", sa.Integer(), nullable=False),
        sa.Column("late_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("late_fee_fen >= 0", name=op.f("ck_billing_day_late_fee_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "business_date", name=op.f("pk_billing_day")),
        info={"tenant": True},
    )
    op.create_table(
        "catalogue_pricing_policy",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("annual_cost_max_pct", sa.Numeric(precision=8, scale=4), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "annual_cost_max_pct >= 0 AND annual_cost_max_pct <= 24", name=op.f("ck_catalogue_pricing_policy_stricter_only")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_catalogue_pricing_policy")),
        info={"tenant": True},
    )
    op.create_table(
        "catalogue_product",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_catalogue_product")),
        info={"tenant": True},
    )
    op.create_table(
        "collections_agreement",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_no", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_collections_agreement")),
        info={"tenant": True},
    )
    op.create_table(
        "collections_case",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        sa.Column("overdue_fen", sa.BigInteger(), nullable=False),
        sa.Column("aged_on", sa.Date(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_collections_case_closing_is_known")),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_collections_case_state_known")),
        sa.CheckConstraint("days_past_due > 0", name=op.f("ck_collections_case_past_due")),
        sa.CheckConstraint("overdue_fen >= 0", name=op.f("ck_collections_case_overdue_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collections_case")),
        info={"tenant": True},
    )
    op.create_index("ix_collections_case_state", "collections_case", ["tenant_id", "state", "id"], unique=False)
    op.create_index(
        "uq_collections_case_open",
        "collections_case",
        ["tenant_id", "agreement_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "collections_clearance",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("cleared_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_collections_clearance")),
        info={"tenant": True},
    )
    op.create_table(
        "collections_policy",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("overrides", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_collections_policy")),
        info={"tenant": True},
    )
    op.create_table(
        "decisions_decision",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("strategy_key", sa.Text(), nullable=False),
        sa.Column("strategy_version", sa.Integer(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason_codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("inputs_salt", sa.LargeBinary(), nullable=False),
        sa.Column("outputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trace", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("referred_by", sa.Text(), nullable=True),
        sa.Column("referred_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('approve', 'decline', 'refer')", name=op.f("ck_decisions_decision_outcome_known")),
        sa.CheckConstraint("referred_by IN ('strategy', 'applicant')", name=op.f("ck_decisions_decision_referred_by_known")),
        sa.CheckConstraint(
            "state IN ('decided', 'referred', 'reviewed', 'withdrawn')", name=op.f("ck_decisions_decision_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_decisions_decision")),
        sa.UniqueConstraint("tenant_id", "application_id", name=op.f("uq_decisions_decision_tenant_id_application_id")),
        info={"tenant": True},
    )
    op.create_index("ix_decisions_decision_party", "decisions_decision", ["tenant_id", "party_id", "decided_at"], unique=False)
    op.create_index(
        "ix_decisions_decision_referred",
        "decisions_decision",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'referred'"),
    )
    op.create_table(
        "decisions_exposure",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("device_value_fen", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("overdue_on", sa.Date(), nullable=True),
        sa.Column("cleared_on", sa.Date(), nullable=True),
        sa.CheckConstraint("device_value_fen >= 0", name=op.f("ck_decisions_exposure_device_value_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", name=op.f("pk_decisions_exposure")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_decisions_exposure_agreement",
        "decisions_exposure",
        ["tenant_id", "agreement_id"],
        unique=False,
        postgresql_where=sa.text("agreement_id IS NOT NULL"),
    )
    op.create_index(
        "ix_decisions_exposure_party",
        "decisions_exposure",
        ["tenant_id", "party_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "decisions_strategy",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("graph", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("graph_sha256", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("published_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('published', 'retired')", name=op.f("ck_decisions_strategy_state_known")),
        sa.CheckConstraint("version > 0", name=op.f("ck_decisions_strategy_version_min")),
        sa.PrimaryKeyConstraint("tenant_id", "key", "version", name=op.f("pk_decisions_strategy")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_decisions_strategy_published",
        "decisions_strategy",
        ["tenant_id", "key"],
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "devices_binding",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("consent_clause_version", sa.Text(), nullable=False),
        sa.Column("bound_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cleared_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_case_id", sa.Uuid(), nullable=True),
        sa.Column("raised_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_devices_binding")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_devices_binding_asset",
        "devices_binding",
        ["tenant_id", "asset_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "devices_device",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('phone')", name=op.f("ck_devices_device_kind_known")),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_devices_device_public_key_bytes")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_devices_device")),
        sa.UniqueConstraint("tenant_id", "public_key", name=op.f("uq_devices_device_tenant_id_public_key")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_devices_device_asset",
        "devices_device",
        ["tenant_id", "asset_id"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "devices_hold",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lifted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('dispute', 'hardship', 'death', 'disaster')", name=op.f("ck_devices_hold_kind_known")),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", "kind", name=op.f("pk_devices_hold")),
        info={"tenant": True},
    )
    op.create_table(
        "devices_notice",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name=op.f("pk_devices_notice")),
        info={"tenant": True},
    )
    op.create_table(
        "devices_signer",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_devices_signer_public_key_bytes")),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_devices_signer")),
        info={"tenant": True},
    )
    op.create_table(
        "evidence_checkpoint",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0 AND octet_length(root) = 32", name=op.f("ck_evidence_checkpoint_tree_head")),
        sa.PrimaryKeyConstraint("tenant_id", "size", name=op.f("pk_evidence_checkpoint")),
        info={"tenant": True},
    )
    op.create_table(
        "evidence_leaf",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(leaf_hash) = 32", name=op.f("ck_evidence_leaf_leaf_hash_bytes")),
        sa.PrimaryKeyConstraint("tenant_id", "position", name=op.f("pk_evidence_leaf")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_evidence_leaf_tenant_id_id")),
        info={"tenant": True},
    )
    op.create_index("ix_evidence_leaf_subject", "evidence_leaf", ["tenant_id", "subject_id", "position"], unique=False)
    op.create_table(
        "evidence_log",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "size >= 0 AND octet_length(frontier) = 32 * bit_count(int8send(size))", name=op.f("ck_evidence_log_frontier_of_size")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_evidence_log")),
        info={"tenant": True},
    )
    op.create_table(
        "evidence_signer",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(key_id) = 4 AND octet_length(public_key) = 32", name=op.f("ck_evidence_signer_ed25519_key")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", name=op.f("pk_evidence_signer")),
        info={"tenant": True},
    )
    op.create_table(
        "evidence_tile",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("tile_index", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(hashes) = 8192 AND octet_length(root) = 32", name=op.f("ck_evidence_tile_tile_full")),
        sa.PrimaryKeyConstraint("tenant_id", "level", "tile_index", name=op.f("pk_evidence_tile")),
        info={"tenant": True},
    )
    op.create_table(
        "ledger_account",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("normal_side", sa.Text(), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{4,12}$'", name=op.f("ck_ledger_account_code_form")),
        sa.CheckConstraint("normal_side IN ('debit', 'credit')", name=op.f("ck_ledger_account_normal_side_known")),
        sa.CheckConstraint(
            "type IN ('asset', 'liability', 'equity', 'income', 'expense')", name=op.f("ck_ledger_account_type_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("pk_ledger_account")),
        info={"tenant": True},
    )
    op.create_table(
        "ledger_book",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("last_entry_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_ledger_book")),
        info={"tenant": True},
    )
    op.create_table(
        "ledger_entry",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_no", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("tenant_id", "entry_no", name=op.f("uq_ledger_entry_tenant_id_entry_no")),
        sa.UniqueConstraint("tenant_id", "kind", "source_id", name=op.f("uq_ledger_entry_tenant_id_kind_source_id")),
        info={"tenant": True},
    )
    op.create_index("ix_ledger_entry_date", "ledger_entry", ["tenant_id", "business_date", "entry_no"], unique=False)
    op.create_table(
        "parties_callback",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key_id", "nonce", name=op.f("pk_parties_callback")),
        info={"tenant": True},
    )
    op.create_table(
        "parties_person",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("identity_no_blind", sa.LargeBinary(), nullable=False),
        sa.Column("identity_no_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("identity_no_masked", sa.Text(), nullable=False),
        sa.Column("name_blind", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name_masked", sa.Text(), nullable=False),
        sa.Column("phone_blind", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.Text(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_masked", sa.Text(), nullable=True),
        sa.Column("registered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_parties_person")),
        sa.UniqueConstraint("tenant_id", "identity_no_blind", name=op.f("uq_parties_person_tenant_id_identity_no_blind")),
        info={"tenant": True},
    )
    op.create_index("ix_parties_person_phone", "parties_person", ["tenant_id", "phone_blind"], unique=False)
    op.create_table(
        "payments_channel_account",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("gateway_url", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("provider_public_key", sa.Text(), nullable=False),
        sa.Column("configured_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("provider IN ('alipay')", name=op.f("ck_payments_channel_account_provider_known")),
        sa.PrimaryKeyConstraint("tenant_id", "provider", name=op.f("pk_payments_channel_account")),
        info={"tenant": True},
    )
    op.create_table(
        "payments_mandate",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("out_order_no", sa.Text(), nullable=False),
        sa.Column("out_request_no", sa.Text(), nullable=False),
        sa.Column("order_round", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("auth_no", sa.Text(), nullable=True),
        sa.Column("payer_id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("authorised_fen", sa.BigInteger(), nullable=False),
        sa.Column("first_rent_fen", sa.BigInteger(), nullable=False),
        sa.Column("collected_fen", sa.BigInteger(), nullable=False),
        sa.Column("released_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("checked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("authorised_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("release_due_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("provider IN ('alipay')", name=op.f("ck_payments_mandate_provider_known")),
        sa.CheckConstraint(
            "state IN ('intended', 'authorised', 'finished', 'closed')", name=op.f("ck_payments_mandate_state_known")
        ),
        sa.CheckConstraint(
            "auth_no IS NOT NULL OR (collected_fen = 0 AND released_fen = 0)",
            name=op.f("ck_payments_mandate_moved_only_when_authorised"),
        ),
        sa.CheckConstraint("authorised_fen >= 1", name=op.f("ck_payments_mandate_authorised_fen_min")),
        sa.CheckConstraint("collected_fen + released_fen <= authorised_fen", name=op.f("ck_payments_mandate_not_overdrawn")),
        sa.CheckConstraint("collected_fen >= 0", name=op.f("ck_payments_mandate_collected_fen_min")),
        sa.CheckConstraint("first_rent_fen >= 1", name=op.f("ck_payments_mandate_first_rent_fen_min")),
        sa.CheckConstraint("released_fen >= 0", name=op.f("ck_payments_mandate_released_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments_mandate")),
        sa.UniqueConstraint("tenant_id", "agreement_id", name=op.f("uq_payments_mandate_tenant_id_agreement_id")),
        sa.UniqueConstraint("tenant_id", "auth_no", name=op.f("uq_payments_mandate_tenant_id_auth_no")),
        sa.UniqueConstraint("tenant_id", "out_order_no", name=op.f("uq_payments_mandate_tenant_id_out_order_no")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_payments_mandate_intended",
        "payments_mandate",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'intended'"),
    )
    op.create_index(
        "ix_payments_mandate_releasing",
        "payments_mandate",
        ["tenant_id"],
        unique=False,
        postgresql_where=sa.text("release_due_since IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_table(
        "payments_notification",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("notify_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("deliveries", sa.Integer(), server_default="1", nullable=False),
        sa.Column("form", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'unmatched', 'refused')", name=op.f("ck_payments_notification_outcome_known")
        ),
        sa.CheckConstraint("provider IN ('alipay')", name=op.f("ck_payments_notification_provider_known")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments_notification")),
        sa.UniqueConstraint(
            "tenant_id", "provider", "notify_id", name=op.f("uq_payments_notification_tenant_id_provider_notify_id")
        ),
        info={"tenant": True},
    )
    op.create_index("ix_payments_notification_outcome", "payments_notification", ["tenant_id", "outcome", "id"], unique=False)
    op.create_table(
        "platform_api_key",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_platform_api_key")),
        sa.UniqueConstraint("tenant_id", "fingerprint", name=op.f("uq_platform_api_key_tenant_id_fingerprint")),
        info={"tenant": True},
    )
    op.create_table(
        "platform_business_clock",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("offset_seconds", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_platform_business_clock_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_business_clock")),
        info={"tenant": False},
    )
    op.create_table(
        "platform_delivery",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "subscriber", "event_id", name=op.f("pk_platform_delivery")),
        info={"tenant": True},
    )
    op.create_table(
        "platform_event",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_platform_event")),
        info={"tenant": True},
    )
    op.create_index("ix_platform_event_subject", "platform_event", ["tenant_id", "subject_id", "id"], unique=False)
    op.create_table(
        "platform_idempotency",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_platform_idempotency")),
        info={"tenant": True},
    )
    op.create_index("ix_platform_idempotency_created", "platform_idempotency", ["tenant_id", "created_at"], unique=False)
    op.create_table(
        "platform_operator",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_platform_operator")),
        sa.UniqueConstraint("tenant_id", "login", name=op.f("uq_platform_operator_tenant_id_login")),
        info={"tenant": True},
    )
    op.create_table(
        "platform_operator_session",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "fingerprint", name=op.f("pk_platform_operator_session")),
        info={"tenant": True},
    )
    op.create_table(
        "platform_tenant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), server_default="Asia/Shanghai", nullable=False),
        sa.Column("cut_off", sa.Time(), server_default="00:00", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,30}$'", name=op.f("ck_platform_tenant_slug_form")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_platform_tenant_slug")),
        info={"tenant": False},
    )
    op.create_table(
        "platform_tenant_key",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_platform_tenant_key")),
        info={"tenant": True},
    )
    op.create_table(
        "agreements_code",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements_agreement.tenant_id", "agreements_agreement.id"],
            name=op.f("fk_agreements_code_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreements_code")),
        info={"tenant": True},
    )
    op.create_index("ix_agreements_code_agreement", "agreements_code", ["tenant_id", "agreement_id", "sent_at"], unique=False)
    op.create_table(
        "agreements_document",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("template_sha256", sa.Text(), nullable=False),
        sa.Column("renderer", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("rendered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements_agreement.tenant_id", "agreements_agreement.id"],
            name=op.f("fk_agreements_document_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreements_document")),
        sa.UniqueConstraint("tenant_id", "agreement_id", name=op.f("uq_agreements_document_tenant_id_agreement_id")),
        info={"tenant": True},
    )
    op.create_table(
        "agreements_identity_check",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("check_id", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('unknown', 'passed', 'failed')", name=op.f("ck_agreements_identity_check_state_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements_agreement.tenant_id", "agreements_agreement.id"],
            name=op.f("fk_agreements_identity_check_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_agreements_identity_check")),
        info={"tenant": True},
    )
    op.create_table(
        "assets_delivery",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("product_name", sa.Text(), nullable=True),
        sa.Column("insured_fen", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("handed_over_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('unpaid', 'awaiting', 'shipping', 'handed_over', 'cancelled')", name=op.f("ck_assets_delivery_state_known")
        ),
        sa.CheckConstraint("insured_fen >= 0", name=op.f("ck_assets_delivery_insured_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets_asset.tenant_id", "assets_asset.id"],
            name=op.f("fk_assets_delivery_tenant_id_asset_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_assets_delivery")),
        info={"tenant": True},
    )
    op.create_index("ix_assets_delivery_state", "assets_delivery", ["tenant_id", "state", "agreement_id"], unique=False)
    op.create_table(
        "assets_inspection",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("inspector", sa.Text(), nullable=False),
        sa.Column("inspected_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("damage_fen", sa.BigInteger(), nullable=False),
        sa.Column("asset_state", sa.Text(), nullable=False),
        sa.CheckConstraint("damage_fen >= 0", name=op.f("ck_assets_inspection_damage_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets_asset.tenant_id", "assets_asset.id"],
            name=op.f("fk_assets_inspection_tenant_id_asset_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assets_inspection")),
        info={"tenant": True},
    )
    op.create_index("ix_assets_inspection_agreement", "assets_inspection", ["tenant_id", "agreement_id"], unique=False)
    op.create_table(
        "assets_occupancy",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("handed_over_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("returned_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("tenant_id"), "="),
            (sa.column("agreement_id"), "="),
            (sa.column("during"), "&&"),
            using="gist",
            name="ex_assets_occupancy_agreement_once",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("tenant_id"), "="),
            (sa.column("asset_id"), "="),
            (sa.column("during"), "&&"),
            using="gist",
            name="ex_assets_occupancy_asset_once",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets_asset.tenant_id", "assets_asset.id"],
            name=op.f("fk_assets_occupancy_tenant_id_asset_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assets_occupancy")),
        info={"tenant": True},
    )
    op.create_table(
        "billing_instalment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(paid_fen + cancelled_fen = amount_fen) = (state IN ('paid', 'cancelled'))",
            name=op.f("ck_billing_instalment_closed_when_nothing_open"),
        ),
        sa.CheckConstraint(
            "state IN ('scheduled', 'due', 'overdue', 'paid', 'cancelled')", name=op.f("ck_billing_instalment_state_known")
        ),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_billing_instalment_amount_fen_min")),
        sa.CheckConstraint("cancelled_fen >= 0", name=op.f("ck_billing_instalment_cancelled_fen_min")),
        sa.CheckConstraint("number > 0 AND from_on <= to_on", name=op.f("ck_billing_instalment_period_form")),
        sa.CheckConstraint("paid_fen + cancelled_fen <= amount_fen", name=op.f("ck_billing_instalment_not_overpaid")),
        sa.CheckConstraint("paid_fen >= 0", name=op.f("ck_billing_instalment_paid_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_instalment_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_instalment")),
        sa.UniqueConstraint(
            "tenant_id", "agreement_id", "number", name=op.f("uq_billing_instalment_tenant_id_agreement_id_number")
        ),
        info={"tenant": True},
    )
    op.create_index(
        "ix_billing_instalment_open",
        "billing_instalment",
        ["tenant_id", "state", "due_on"],
        unique=False,
        postgresql_where=sa.text("state IN ('due', 'overdue')"),
    )
    op.create_index(
        "ix_billing_instalment_scheduled",
        "billing_instalment",
        ["tenant_id", "due_on"],
        unique=False,
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_table(
        "billing_receipt",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_trade_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("allocated_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("allocated_fen + refunded_fen <= amount_fen", name=op.f("ck_billing_receipt_not_overspent")),
        sa.CheckConstraint("allocated_fen >= 0", name=op.f("ck_billing_receipt_allocated_fen_min")),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_billing_receipt_amount_fen_min")),
        sa.CheckConstraint("refunded_fen >= 0", name=op.f("ck_billing_receipt_refunded_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_receipt_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_receipt")),
        sa.UniqueConstraint("tenant_id", "source", "source_ref", name=op.f("uq_billing_receipt_tenant_id_source_source_ref")),
        info={"tenant": True},
    )
    op.create_index("ix_billing_receipt_agreement", "billing_receipt", ["tenant_id", "agreement_id", "id"], unique=False)
    op.create_index(
        "ix_billing_receipt_available",
        "billing_receipt",
        ["tenant_id", "agreement_id"],
        unique=False,
        postgresql_where=sa.text("amount_fen > allocated_fen + refunded_fen"),
    )
    op.create_table(
        "billing_refund",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_billing_refund_amount_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_refund_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_refund")),
        info={"tenant": True},
    )
    op.create_index("ix_billing_refund_agreement", "billing_refund", ["tenant_id", "agreement_id"], unique=False)
    op.create_table(
        "catalogue_plan",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("period_months", sa.SmallInteger(), nullable=False),
        sa.Column("period_count", sa.SmallInteger(), nullable=False),
        sa.Column("rent_fen", sa.BigInteger(), nullable=False),
        sa.Column("deposit_fen", sa.BigInteger(), nullable=False),
        sa.Column("device_value_fen", sa.BigInteger(), nullable=False),
        sa.Column("residual_value_fen", sa.BigInteger(), nullable=True),
        sa.Column("buyout_fen", sa.BigInteger(), nullable=True),
        sa.Column("early_return_fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("late_fee_daily_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("grace_days", sa.SmallInteger(), nullable=False),
        sa.Column("restriction_clause_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("annual_cost_pct", sa.Numeric(precision=12, scale=6), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'published' OR (annual_cost_pct IS NOT NULL AND annual_cost_pct <= 24)",
            name=op.f("ck_catalogue_plan_annual_cost_cap"),
        ),
        sa.CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name=op.f("ck_catalogue_plan_state_known")),
        sa.CheckConstraint("buyout_fen >= 0", name=op.f("ck_catalogue_plan_buyout_fen_min")),
        sa.CheckConstraint("deposit_fen >= 0", name=op.f("ck_catalogue_plan_deposit_fen_min")),
        sa.CheckConstraint("device_value_fen >= 1", name=op.f("ck_catalogue_plan_device_value_fen_min")),
        sa.CheckConstraint("early_return_fee_fen >= 0", name=op.f("ck_catalogue_plan_early_return_fee_fen_min")),
        sa.CheckConstraint("period_months > 0 AND period_count > 0 AND grace_days >= 0", name=op.f("ck_catalogue_plan_term")),
        sa.CheckConstraint("rent_fen >= 1", name=op.f("ck_catalogue_plan_rent_fen_min")),
        sa.CheckConstraint("residual_value_fen >= 0", name=op.f("ck_catalogue_plan_residual_value_fen_min")),
        sa.CheckConstraint("residual_value_fen IS NOT NULL OR buyout_fen IS NOT NULL", name=op.f("ck_catalogue_plan_end_value")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "product_id"],
            ["catalogue_product.tenant_id", "catalogue_product.id"],
            name=op.f("fk_catalogue_plan_tenant_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_catalogue_plan")),
        info={"tenant": True},
    )
    op.create_index("ix_catalogue_plan_product", "catalogue_plan", ["tenant_id", "product_id", "id"], unique=False)
    op.create_table(
        "collections_hold",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reason IN ('dispute', 'hardship', 'death', 'disaster')", name=op.f("ck_collections_hold_reason_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["collections_case.tenant_id", "collections_case.id"],
            name=op.f("fk_collections_hold_tenant_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collections_hold")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_collections_hold_standing",
        "collections_hold",
        ["tenant_id", "case_id", "reason"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "collections_step",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("planned_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('reminder', 'first_notice', 'second_notice', 'limit', 'lock')", name=op.f("ck_collections_step_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'sent', 'delivered', 'requested', 'failed', 'cancelled')",
            name=op.f("ck_collections_step_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["collections_case.tenant_id", "collections_case.id"],
            name=op.f("fk_collections_step_tenant_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_collections_step")),
        info={"tenant": True},
    )
    op.create_index("ix_collections_step_case", "collections_step", ["tenant_id", "case_id", "id"], unique=False)
    op.create_index(
        "ix_collections_step_contact",
        "collections_step",
        ["tenant_id", "party_id", "done_on"],
        unique=False,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_index(
        "ix_collections_step_due",
        "collections_step",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_collections_step_message",
        "collections_step",
        ["tenant_id", "message_id"],
        unique=False,
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )
    op.create_table(
        "decisions_review",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("reviewed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('approve', 'decline')", name=op.f("ck_decisions_review_outcome_final")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decision_id"],
            ["decisions_decision.tenant_id", "decisions_decision.id"],
            name=op.f("fk_decisions_review_tenant_id_decision_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "decision_id", name=op.f("pk_decisions_review")),
        info={"tenant": True},
    )
    op.create_table(
        "devices_command",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("key_number", sa.SmallInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("issued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("send_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_send_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("level IN ('free', 'remind', 'limit', 'lock')", name=op.f("ck_devices_command_level_known")),
        sa.CheckConstraint(
            "state IN ('created', 'sent', 'accepted', 'applied', 'refused', 'superseded', 'expired')",
            name=op.f("ck_devices_command_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["devices_device.tenant_id", "devices_device.id"],
            name=op.f("fk_devices_command_tenant_id_device_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_devices_command")),
        sa.UniqueConstraint("tenant_id", "device_id", "counter", name=op.f("uq_devices_command_tenant_id_device_id_counter")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_devices_command_open",
        "devices_command",
        ["tenant_id", "next_send_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('created', 'sent', 'accepted')"),
    )
    op.create_table(
        "devices_shadow",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("desired_level", sa.Text(), nullable=False),
        sa.Column("desired_counter", sa.BigInteger(), nullable=False),
        sa.Column("reported_level", sa.Text(), nullable=True),
        sa.Column("reported_counter", sa.BigInteger(), nullable=True),
        sa.Column("reported_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_seen_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "desired_level IN ('free', 'remind', 'limit', 'lock')", name=op.f("ck_devices_shadow_desired_level_known")
        ),
        sa.CheckConstraint(
            "reported_level IN ('free', 'remind', 'limit', 'lock')", name=op.f("ck_devices_shadow_reported_level_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["devices_device.tenant_id", "devices_device.id"],
            name=op.f("fk_devices_shadow_tenant_id_device_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "device_id", name=op.f("pk_devices_shadow")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_devices_shadow_gap",
        "devices_shadow",
        ["tenant_id", "device_id"],
        unique=False,
        postgresql_where=sa.text("desired_level <> coalesce(reported_level, 'free')"),
    )
    op.create_table(
        "ledger_posting",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("debit_account", sa.Text(), nullable=False),
        sa.Column("credit_account", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_ledger_posting_amount_fen_min")),
        sa.CheckConstraint("debit_account <> credit_account", name=op.f("ck_ledger_posting_two_accounts")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credit_account"],
            ["ledger_account.tenant_id", "ledger_account.code"],
            name=op.f("fk_ledger_posting_tenant_id_credit_account"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "debit_account"],
            ["ledger_account.tenant_id", "ledger_account.code"],
            name=op.f("fk_ledger_posting_tenant_id_debit_account"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["ledger_entry.tenant_id", "ledger_entry.id"],
            name=op.f("fk_ledger_posting_tenant_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "entry_id", "line", name=op.f("pk_ledger_posting")),
        info={"tenant": True},
    )
    op.create_index("ix_ledger_posting_subject", "ledger_posting", ["tenant_id", "subject_id", "entry_id"], unique=False)
    op.create_table(
        "parties_consent",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("given_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("withdrawn_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('application', 'identity_check', 'decision', 'device_restriction')",
            name=op.f("ck_parties_consent_purpose_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_parties_consent_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_parties_consent")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_parties_consent_in_force",
        "parties_consent",
        ["tenant_id", "party_id", "purpose", "text_version"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "parties_delivery_address",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("address_masked", sa.Text(), nullable=False),
        sa.Column("set_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_parties_delivery_address_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "subject_id", name=op.f("pk_parties_delivery_address")),
        info={"tenant": True},
    )
    op.create_table(
        "parties_disclosure",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('identity_check', 'contract', 'delivery', 'collection')",
            name=op.f("ck_parties_disclosure_purpose_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_parties_disclosure_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_parties_disclosure")),
        info={"tenant": True},
    )
    op.create_index("ix_parties_disclosure_party", "parties_disclosure", ["tenant_id", "party_id", "id"], unique=False)
    op.create_table(
        "parties_message",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("to_masked", sa.Text(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("provider_message_id", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("delivered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'unknown', 'sent', 'delivered', 'failed')", name=op.f("ck_parties_message_state_known")
        ),
        sa.CheckConstraint(
            "template IN ('one_time_code', 'payment_reminder', 'restriction_notice', 'restriction_applied', 'restriction_lifted', 'agreement_ended', 'decision_declined')",
            name=op.f("ck_parties_message_template_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_parties_message_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_parties_message")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_parties_message_open",
        "parties_message",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'unknown')"),
    )
    op.create_index("ix_parties_message_subject", "parties_message", ["tenant_id", "subject_id", "id"], unique=False)
    op.create_table(
        "payments_payment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("instalment_id", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_trade_no", sa.Text(), nullable=False),
        sa.Column("trade_no", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("attempted_on", sa.Date(), nullable=False),
        sa.Column("to_retry", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(purpose = 'instalment') = (instalment_id IS NOT NULL)", name=op.f("ck_payments_payment_instalment_named")
        ),
        sa.CheckConstraint(
            "purpose IN ('first_rent', 'instalment', 'arrears', 'settlement')", name=op.f("ck_payments_payment_purpose_known")
        ),
        sa.CheckConstraint(
            "state <> 'succeeded' OR (trade_no IS NOT NULL AND paid_at IS NOT NULL)",
            name=op.f("ck_payments_payment_success_is_known"),
        ),
        sa.CheckConstraint(
            "state IN ('intended', 'calling', 'unknown', 'succeeded', 'failed')", name=op.f("ck_payments_payment_state_known")
        ),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_payments_payment_amount_fen_min")),
        sa.CheckConstraint("refunded_fen <= amount_fen", name=op.f("ck_payments_payment_not_over_refunded")),
        sa.CheckConstraint("refunded_fen >= 0", name=op.f("ck_payments_payment_refunded_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mandate_id"],
            ["payments_mandate.tenant_id", "payments_mandate.id"],
            name=op.f("fk_payments_payment_tenant_id_mandate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments_payment")),
        sa.UniqueConstraint("tenant_id", "out_trade_no", name=op.f("uq_payments_payment_tenant_id_out_trade_no")),
        info={"tenant": True},
    )
    op.create_index("ix_payments_payment_agreement", "payments_payment", ["tenant_id", "agreement_id", "id"], unique=False)
    op.create_index(
        "ix_payments_payment_mandate_open",
        "payments_payment",
        ["tenant_id", "mandate_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.create_index(
        "ix_payments_payment_to_retry",
        "payments_payment",
        ["tenant_id", "attempted_on"],
        unique=False,
        postgresql_where=sa.text("to_retry"),
    )
    op.create_index(
        "ix_payments_payment_unresolved",
        "payments_payment",
        ["tenant_id", "changed_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.create_index(
        "uq_payments_payment_attempt",
        "payments_payment",
        ["tenant_id", "agreement_id", "purpose", "instalment_id", "attempt"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_payments_payment_open",
        "payments_payment",
        ["tenant_id", "agreement_id", "purpose", "instalment_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "payments_release",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_request_no", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("attempted_on", sa.Date(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('intended', 'calling', 'unknown', 'succeeded', 'failed')", name=op.f("ck_payments_release_state_known")
        ),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_payments_release_amount_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mandate_id"],
            ["payments_mandate.tenant_id", "payments_mandate.id"],
            name=op.f("fk_payments_release_tenant_id_mandate_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments_release")),
        sa.UniqueConstraint("tenant_id", "out_request_no", name=op.f("uq_payments_release_tenant_id_out_request_no")),
        info={"tenant": True},
    )
    op.create_index("ix_payments_release_mandate", "payments_release", ["tenant_id", "mandate_id", "id"], unique=False)
    op.create_index(
        "ix_payments_release_unresolved",
        "payments_release",
        ["tenant_id", "changed_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.create_index(
        "uq_payments_release_open",
        "payments_release",
        ["tenant_id", "mandate_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.create_table(
        "agreements_acceptance",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("restriction_clause_version", sa.Text(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("code_sent_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("code_tries", sa.SmallInteger(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements_agreement.tenant_id", "agreements_agreement.id"],
            name=op.f("fk_agreements_acceptance_tenant_id_agreement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["agreements_document.tenant_id", "agreements_document.id"],
            name=op.f("fk_agreements_acceptance_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_agreements_acceptance")),
        info={"tenant": True},
    )
    op.create_table(
        "assets_inspection_item",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("charge_fen", sa.BigInteger(), nullable=False),
        sa.Column("photo_sha256s", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("charge_fen >= 0", name=op.f("ck_assets_inspection_item_charge_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "inspection_id"],
            ["assets_inspection.tenant_id", "assets_inspection.id"],
            name=op.f("fk_assets_inspection_item_tenant_id_inspection_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "inspection_id", "number", name=op.f("pk_assets_inspection_item")),
        info={"tenant": True},
    )
    op.create_table(
        "assets_shipment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("request_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("courier_shipment_id", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("booked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('booking', 'booked', 'signed_for', 'refused', 'returned', 'lost', 'cancelled')",
            name=op.f("ck_assets_shipment_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["assets_delivery.tenant_id", "assets_delivery.agreement_id"],
            name=op.f("fk_assets_shipment_tenant_id_agreement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets_asset.tenant_id", "assets_asset.id"],
            name=op.f("fk_assets_shipment_tenant_id_asset_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assets_shipment")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_assets_shipment_open",
        "assets_shipment",
        ["tenant_id", "agreement_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('booking', 'booked')"),
    )
    op.create_table(
        "billing_charge",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("instalment_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_fen", sa.BigInteger(), nullable=False),
        sa.Column("fen_days", sa.BigInteger(), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("why", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "(kind = 'late_fee') = (instalment_id IS NOT NULL)", name=op.f("ck_billing_charge_late_fee_of_instalment")
        ),
        sa.CheckConstraint("kind IN ('late_fee', 'damage', 'early_return')", name=op.f("ck_billing_charge_kind_known")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_billing_charge_amount_fen_min")),
        sa.CheckConstraint("cancelled_fen >= 0", name=op.f("ck_billing_charge_cancelled_fen_min")),
        sa.CheckConstraint("paid_fen + cancelled_fen <= amount_fen", name=op.f("ck_billing_charge_not_overpaid")),
        sa.CheckConstraint("paid_fen >= 0", name=op.f("ck_billing_charge_paid_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_charge_tenant_id_agreement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "instalment_id"],
            ["billing_instalment.tenant_id", "billing_instalment.id"],
            name=op.f("fk_billing_charge_tenant_id_instalment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_charge")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_billing_charge_open",
        "billing_charge",
        ["tenant_id", "agreement_id"],
        unique=False,
        postgresql_where=sa.text("amount_fen > paid_fen + cancelled_fen"),
    )
    op.create_index(
        "uq_billing_charge_late_fee",
        "billing_charge",
        ["tenant_id", "instalment_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'late_fee'"),
    )
    op.create_table(
        "catalogue_quote",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("quoted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("valid_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "plan_id"],
            ["catalogue_plan.tenant_id", "catalogue_plan.id"],
            name=op.f("fk_catalogue_quote_tenant_id_plan_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_catalogue_quote")),
        info={"tenant": True},
    )
    op.create_table(
        "devices_command_step",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("report_body", sa.LargeBinary(), nullable=True),
        sa.Column("report_signature", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('created', 'sent', 'accepted', 'applied', 'refused', 'superseded', 'expired')",
            name=op.f("ck_devices_command_step_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "command_id"],
            ["devices_command.tenant_id", "devices_command.id"],
            name=op.f("fk_devices_command_step_tenant_id_command_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "command_id", "state", name=op.f("pk_devices_command_step")),
        info={"tenant": True},
    )
    op.create_table(
        "payments_refund",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_request_no", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("refunded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('intended', 'calling', 'unknown', 'succeeded', 'failed')", name=op.f("ck_payments_refund_state_known")
        ),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_payments_refund_amount_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "mandate_id"],
            ["payments_mandate.tenant_id", "payments_mandate.id"],
            name=op.f("fk_payments_refund_tenant_id_mandate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payments_payment.tenant_id", "payments_payment.id"],
            name=op.f("fk_payments_refund_tenant_id_payment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments_refund")),
        sa.UniqueConstraint("tenant_id", "out_request_no", name=op.f("uq_payments_refund_tenant_id_out_request_no")),
        info={"tenant": True},
    )
    op.create_index("ix_payments_refund_payment", "payments_refund", ["tenant_id", "payment_id", "id"], unique=False)
    op.create_index(
        "ix_payments_refund_unresolved",
        "payments_refund",
        ["tenant_id", "changed_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.create_table(
        "applications_application",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("delivery_address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("delivery_address_masked", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason_codes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("human_review_requested_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("submitted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cancel_reason IN ('customer_request', 'merchant_request', 'out_of_stock', 'consent_withdrawn', 'agreement_cancelled')",
            name=op.f("ck_applications_application_cancel_reason_known"),
        ),
        sa.CheckConstraint("channel IN ('alipay', 'wechat', 'pc')", name=op.f("ck_applications_application_channel_known")),
        sa.CheckConstraint("decided_by IN ('strategy', 'reviewer')", name=op.f("ck_applications_application_decided_by_known")),
        sa.CheckConstraint(
            "state IN ('submitted', 'referred', 'approved', 'declined', 'cancelled', 'contracted', 'closed')",
            name=op.f("ck_applications_application_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_applications_application_tenant_id_party_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "plan_id"],
            ["catalogue_plan.tenant_id", "catalogue_plan.id"],
            name=op.f("fk_applications_application_tenant_id_plan_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"],
            ["catalogue_quote.tenant_id", "catalogue_quote.id"],
            name=op.f("fk_applications_application_tenant_id_quote_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_applications_application")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_applications_application_party", "applications_application", ["tenant_id", "party_id", "id"], unique=False
    )
    op.create_index("ix_applications_application_state", "applications_application", ["tenant_id", "state", "id"], unique=False)
    op.create_table(
        "assets_courier_notice",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("courier_event_id", sa.Text(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["assets_shipment.tenant_id", "assets_shipment.id"],
            name=op.f("fk_assets_courier_notice_tenant_id_shipment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "courier_event_id", name=op.f("pk_assets_courier_notice")),
        info={"tenant": True},
    )
    op.create_table(
        "billing_allocation",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("instalment_id", sa.Uuid(), nullable=True),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("allocated_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_billing_allocation_amount_moves")),
        sa.CheckConstraint("num_nonnulls(instalment_id, charge_id) = 1", name=op.f("ck_billing_allocation_one_item")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "charge_id"],
            ["billing_charge.tenant_id", "billing_charge.id"],
            name=op.f("fk_billing_allocation_tenant_id_charge_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "instalment_id"],
            ["billing_instalment.tenant_id", "billing_instalment.id"],
            name=op.f("fk_billing_allocation_tenant_id_instalment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "receipt_id"],
            ["billing_receipt.tenant_id", "billing_receipt.id"],
            name=op.f("fk_billing_allocation_tenant_id_receipt_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_allocation")),
        info={"tenant": True},
    )
    op.create_index(
        "ix_billing_allocation_charge",
        "billing_allocation",
        ["tenant_id", "charge_id"],
        unique=False,
        postgresql_where=sa.text("charge_id IS NOT NULL"),
    )
    op.create_index(
        "ix_billing_allocation_instalment",
        "billing_allocation",
        ["tenant_id", "instalment_id"],
        unique=False,
        postgresql_where=sa.text("instalment_id IS NOT NULL"),
    )
    op.create_index("ix_billing_allocation_receipt", "billing_allocation", ["tenant_id", "receipt_id"], unique=False)
    op.execute("ALTER TABLE agreements_document ALTER COLUMN content_sealed SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE evidence_tile ALTER COLUMN hashes SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_index("ix_billing_allocation_receipt", table_name="billing_allocation")
    op.drop_index(
        "ix_billing_allocation_instalment", table_name="billing_allocation", postgresql_where=sa.text("instalment_id IS NOT NULL")
    )
    op.drop_index(
        "ix_billing_allocation_charge", table_name="billing_allocation", postgresql_where=sa.text("charge_id IS NOT NULL")
    )
    op.drop_table("billing_allocation")
    op.drop_table("assets_courier_notice")
    op.drop_index("ix_applications_application_state", table_name="applications_application")
    op.drop_index("ix_applications_application_party", table_name="applications_application")
    op.drop_table("applications_application")
    op.drop_index(
        "ix_payments_refund_unresolved",
        table_name="payments_refund",
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.drop_index("ix_payments_refund_payment", table_name="payments_refund")
    op.drop_table("payments_refund")
    op.drop_table("devices_command_step")
    op.drop_table("catalogue_quote")
    op.drop_index("uq_billing_charge_late_fee", table_name="billing_charge", postgresql_where=sa.text("kind = 'late_fee'"))
    op.drop_index(
        "ix_billing_charge_open", table_name="billing_charge", postgresql_where=sa.text("amount_fen > paid_fen + cancelled_fen")
    )
    op.drop_table("billing_charge")
    op.drop_index(
        "uq_assets_shipment_open", table_name="assets_shipment", postgresql_where=sa.text("state IN ('booking', 'booked')")
    )
    op.drop_table("assets_shipment")
    op.drop_table("assets_inspection_item")
    op.drop_table("agreements_acceptance")
    op.drop_index(
        "uq_payments_release_open",
        table_name="payments_release",
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.drop_index(
        "ix_payments_release_unresolved",
        table_name="payments_release",
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.drop_index("ix_payments_release_mandate", table_name="payments_release")
    op.drop_table("payments_release")
    op.drop_index(
        "uq_payments_payment_open",
        table_name="payments_payment",
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_index("uq_payments_payment_attempt", table_name="payments_payment", postgresql_nulls_not_distinct=True)
    op.drop_index(
        "ix_payments_payment_unresolved",
        table_name="payments_payment",
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.drop_index("ix_payments_payment_to_retry", table_name="payments_payment", postgresql_where=sa.text("to_retry"))
    op.drop_index(
        "ix_payments_payment_mandate_open",
        table_name="payments_payment",
        postgresql_where=sa.text("state IN ('intended', 'calling', 'unknown')"),
    )
    op.drop_index("ix_payments_payment_agreement", table_name="payments_payment")
    op.drop_table("payments_payment")
    op.drop_index("ix_parties_message_subject", table_name="parties_message")
    op.drop_index(
        "ix_parties_message_open", table_name="parties_message", postgresql_where=sa.text("state IN ('queued', 'unknown')")
    )
    op.drop_table("parties_message")
    op.drop_index("ix_parties_disclosure_party", table_name="parties_disclosure")
    op.drop_table("parties_disclosure")
    op.drop_table("parties_delivery_address")
    op.drop_index("uq_parties_consent_in_force", table_name="parties_consent", postgresql_where=sa.text("withdrawn_at IS NULL"))
    op.drop_table("parties_consent")
    op.drop_index("ix_ledger_posting_subject", table_name="ledger_posting")
    op.drop_table("ledger_posting")
    op.drop_index(
        "ix_devices_shadow_gap",
        table_name="devices_shadow",
        postgresql_where=sa.text("desired_level <> coalesce(reported_level, 'free')"),
    )
    op.drop_table("devices_shadow")
    op.drop_index(
        "ix_devices_command_open",
        table_name="devices_command",
        postgresql_where=sa.text("state IN ('created', 'sent', 'accepted')"),
    )
    op.drop_table("devices_command")
    op.drop_table("decisions_review")
    op.drop_index(
        "ix_collections_step_message", table_name="collections_step", postgresql_where=sa.text("message_id IS NOT NULL")
    )
    op.drop_index("ix_collections_step_due", table_name="collections_step", postgresql_where=sa.text("state = 'planned'"))
    op.drop_index(
        "ix_collections_step_contact", table_name="collections_step", postgresql_where=sa.text("message_id IS NOT NULL")
    )
    op.drop_index("ix_collections_step_case", table_name="collections_step")
    op.drop_table("collections_step")
    op.drop_index("uq_collections_hold_standing", table_name="collections_hold", postgresql_where=sa.text("lifted_at IS NULL"))
    op.drop_table("collections_hold")
    op.drop_index("ix_catalogue_plan_product", table_name="catalogue_plan")
    op.drop_table("catalogue_plan")
    op.drop_index("ix_billing_refund_agreement", table_name="billing_refund")
    op.drop_table("billing_refund")
    op.drop_index(
        "ix_billing_receipt_available",
        table_name="billing_receipt",
        postgresql_where=sa.text("amount_fen > allocated_fen + refunded_fen"),
    )
    op.drop_index("ix_billing_receipt_agreement", table_name="billing_receipt")
    op.drop_table("billing_receipt")
    op.drop_index(
        "ix_billing_instalment_scheduled", table_name="billing_instalment", postgresql_where=sa.text("state = 'scheduled'")
    )
    op.drop_index(
        "ix_billing_instalment_open", table_name="billing_instalment", postgresql_where=sa.text("state IN ('due', 'overdue')")
    )
    op.drop_table("billing_instalment")
    op.drop_table("assets_occupancy")
    op.drop_index("ix_assets_inspection_agreement", table_name="assets_inspection")
    op.drop_table("assets_inspection")
    op.drop_index("ix_assets_delivery_state", table_name="assets_delivery")
    op.drop_table("assets_delivery")
    op.drop_table("agreements_identity_check")
    op.drop_table("agreements_document")
    op.drop_index("ix_agreements_code_agreement", table_name="agreements_code")
    op.drop_table("agreements_code")
    op.drop_table("platform_tenant_key")
    op.drop_table("platform_tenant")
    op.drop_table("platform_operator_session")
    op.drop_table("platform_operator")
    op.drop_index("ix_platform_idempotency_created", table_name="platform_idempotency")
    op.drop_table("platform_idempotency")
    op.drop_index("ix_platform_event_subject", table_name="platform_event")
    op.drop_table("platform_event")
    op.drop_table("platform_delivery")
    op.drop_table("platform_business_clock")
    op.drop_table("platform_api_key")
    op.drop_index("ix_payments_notification_outcome", table_name="payments_notification")
    op.drop_table("payments_notification")
    op.drop_index(
        "ix_payments_mandate_releasing",
        table_name="payments_mandate",
        postgresql_where=sa.text("release_due_since IS NOT NULL AND ended_at IS NULL"),
    )
    op.drop_index("ix_payments_mandate_intended", table_name="payments_mandate", postgresql_where=sa.text("state = 'intended'"))
    op.drop_table("payments_mandate")
    op.drop_table("payments_channel_account")
    op.drop_index("ix_parties_person_phone", table_name="parties_person")
    op.drop_table("parties_person")
    op.drop_table("parties_callback")
    op.drop_index("ix_ledger_entry_date", table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_book")
    op.drop_table("ledger_account")
    op.drop_table("evidence_tile")
    op.drop_table("evidence_signer")
    op.drop_table("evidence_log")
    op.drop_index("ix_evidence_leaf_subject", table_name="evidence_leaf")
    op.drop_table("evidence_leaf")
    op.drop_table("evidence_checkpoint")
    op.drop_table("devices_signer")
    op.drop_table("devices_notice")
    op.drop_table("devices_hold")
    op.drop_index("uq_devices_device_asset", table_name="devices_device", postgresql_where=sa.text("retired_at IS NULL"))
    op.drop_table("devices_device")
    op.drop_index("uq_devices_binding_asset", table_name="devices_binding", postgresql_where=sa.text("released_at IS NULL"))
    op.drop_table("devices_binding")
    op.drop_index(
        "uq_decisions_strategy_published", table_name="decisions_strategy", postgresql_where=sa.text("state = 'published'")
    )
    op.drop_table("decisions_strategy")
    op.drop_index("ix_decisions_exposure_party", table_name="decisions_exposure", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index(
        "ix_decisions_exposure_agreement", table_name="decisions_exposure", postgresql_where=sa.text("agreement_id IS NOT NULL")
    )
    op.drop_table("decisions_exposure")
    op.drop_index(
        "ix_decisions_decision_referred", table_name="decisions_decision", postgresql_where=sa.text("state = 'referred'")
    )
    op.drop_index("ix_decisions_decision_party", table_name="decisions_decision")
    op.drop_table("decisions_decision")
    op.drop_table("collections_policy")
    op.drop_table("collections_clearance")
    op.drop_index("uq_collections_case_open", table_name="collections_case", postgresql_where=sa.text("state = 'open'"))
    op.drop_index("ix_collections_case_state", table_name="collections_case")
    op.drop_table("collections_case")
    op.drop_table("collections_agreement")
    op.drop_table("catalogue_product")
    op.drop_table("catalogue_pricing_policy")
    op.drop_table("billing_day")
    op.drop_index("ix_billing_account_overdue", table_name="billing_account", postgresql_where=sa.text("overdue_fen > 0"))
    op.drop_table("billing_account")
    op.drop_table("assets_warehouse")
    op.drop_index("ix_assets_asset_stock", table_name="assets_asset")
    op.drop_table("assets_asset")
    op.drop_table("agreements_counter")
    op.drop_index("ix_agreements_agreement_party", table_name="agreements_agreement")
    op.drop_index(
        "ix_agreements_agreement_drafted", table_name="agreements_agreement", postgresql_where=sa.text("state = 'drafted'")
    )
    op.drop_table("agreements_agreement")
