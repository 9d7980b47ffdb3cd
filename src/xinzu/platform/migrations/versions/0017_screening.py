"""Relations between applicants, grey and black lists, watch lists, money watched for laundering; one more purpose of opening a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_DISCLOSURES = "'identity_check', 'contract', 'delivery', 'collection', 'credit_inquiry', 'score_query'"


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _replace(f"purpose IN ({_DISCLOSURES}, 'watch_list')")

    op.create_table(
        "screening_party",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("first_seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("declined_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("defaulted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cured_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("watched_version", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_screening_party_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "party_id", name=op.f("pk_screening_party")),
    )
    op.create_index("ix_screening_party_component", "screening_party", ["tenant_id", "component_id"], unique=False)
    op.create_table(
        "screening_link",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("first_seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('device', 'phone', 'address', 'contact', 'account', 'network')", name=op.f("ck_screening_link_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["screening_party.tenant_id", "screening_party.party_id"],
            name=op.f("fk_screening_link_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "key", "party_id", name=op.f("pk_screening_link")),
    )
    op.create_index("ix_screening_link_party", "screening_link", ["tenant_id", "party_id"], unique=False)
    op.create_table(
        "screening_order",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("dealer_key", sa.Text(), nullable=True),
        sa.Column("address_key", sa.Text(), nullable=True),
        sa.Column("agreement_id", sa.Uuid(), nullable=True),
        sa.Column("applied_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cancelled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("commenced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["screening_party.tenant_id", "screening_party.party_id"],
            name=op.f("fk_screening_order_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", name=op.f("pk_screening_order")),
    )
    op.create_index(
        "ix_screening_order_agreement",
        "screening_order",
        ["tenant_id", "agreement_id"],
        unique=False,
        postgresql_where=sa.text("agreement_id IS NOT NULL"),
    )
    op.create_index(
        "ix_screening_order_dealer",
        "screening_order",
        ["tenant_id", "dealer_key", "applied_at"],
        unique=False,
        postgresql_where=sa.text("dealer_key IS NOT NULL"),
    )
    op.create_index("ix_screening_order_party", "screening_order", ["tenant_id", "party_id"], unique=False)
    op.create_table(
        "screening_address",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "application_id", name=op.f("pk_screening_address")),
    )
    op.create_table(
        "screening_list_entry",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.Column("removed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("removal_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("colour IN ('grey', 'black')", name=op.f("ck_screening_list_entry_colour_known")),
        sa.CheckConstraint(
            "kind IN ('party', 'device', 'phone', 'address', 'contact', 'account', 'network')",
            name=op.f("ck_screening_list_entry_kind_known"),
        ),
        sa.CheckConstraint(
            "reason IN ('recycler', 'broker', 'false_identity', 'device_tampered', 'empty_return', 'refusal_to_pay', 'court')",
            name=op.f("ck_screening_list_entry_reason_known"),
        ),
        sa.CheckConstraint("(expires_on IS NULL) = (expires_at IS NULL)", name=op.f("ck_screening_list_entry_expiry_whole")),
        sa.CheckConstraint(
            "(removed_at IS NULL) = (removed_by IS NULL) AND (removed_at IS NULL) = (removal_reason IS NULL)",
            name=op.f("ck_screening_list_entry_removal_whole"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_screening_list_entry")),
    )
    op.create_index("ix_screening_list_entry_key", "screening_list_entry", ["tenant_id", "kind", "key"], unique=False)
    op.create_table(
        "screening_watch_list",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('terrorism', 'un', 'serious_ml', 'other')", name=op.f("ck_screening_watch_list_kind_known")),
        sa.CheckConstraint("version > 0", name=op.f("ck_screening_watch_list_version_min")),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_screening_watch_list")),
    )
    op.create_table(
        "screening_watch_entry",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=True),
        sa.Column("document_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "list_name"],
            ["screening_watch_list.tenant_id", "screening_watch_list.name"],
            name=op.f("fk_screening_watch_entry_tenant_id_list_name"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_screening_watch_entry")),
        sa.UniqueConstraint(
            "tenant_id", "list_name", "reference", name=op.f("uq_screening_watch_entry_tenant_id_list_name_reference")
        ),
    )
    op.create_table(
        "screening_watch_key",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["screening_watch_entry.tenant_id", "screening_watch_entry.id"],
            name=op.f("fk_screening_watch_key_tenant_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key", "entry_id", name=op.f("pk_screening_watch_key")),
    )
    op.create_index("ix_screening_watch_key_entry", "screening_watch_key", ["tenant_id", "entry_id"], unique=False)
    op.create_table(
        "screening_movement",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payer_key", sa.Text(), nullable=True),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("keep_until_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_screening_movement_direction_known")),
        sa.CheckConstraint("keep_until_on >= moved_on + interval '10 years'", name=op.f("ck_screening_movement_kept_ten_years")),
        sa.CheckConstraint("method IN ('cash', 'transfer', 'cross_border')", name=op.f("ck_screening_movement_method_known")),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_screening_movement_amount_fen_min")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_screening_movement")),
        sa.UniqueConstraint("tenant_id", "source", "source_ref", name=op.f("uq_screening_movement_tenant_id_source_source_ref")),
    )
    op.create_index("ix_screening_movement_party", "screening_movement", ["tenant_id", "party_id", "moved_on"], unique=False)
    op.create_table(
        "screening_alert",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("references", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("score", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("report_due_on", sa.Date(), nullable=True),
        sa.Column("keep_until_on", sa.Date(), nullable=False),
        sa.Column("raised_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("report_ref", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'reported') = (report_ref IS NOT NULL)", name=op.f("ck_screening_alert_report_named")),
        sa.CheckConstraint(
            "(state IN ('reported', 'dismissed')) = (decided_by IS NOT NULL)", name=op.f("ck_screening_alert_decision_signed")
        ),
        sa.CheckConstraint("keep_until_on >= raised_on + interval '10 years'", name=op.f("ck_screening_alert_kept_ten_years")),
        sa.CheckConstraint(
            "rule IN ('0501', '0503', '0504', 'S01', 'S02', 'S03', 'S04', 'W01')", name=op.f("ck_screening_alert_rule_known")
        ),
        sa.CheckConstraint("state IN ('open', 'assigned', 'reported', 'dismissed')", name=op.f("ck_screening_alert_state_known")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_screening_alert_amount_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "party_id"],
            ["parties_person.tenant_id", "parties_person.id"],
            name=op.f("fk_screening_alert_tenant_id_party_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_screening_alert")),
    )
    op.create_index("ix_screening_alert_party", "screening_alert", ["tenant_id", "party_id", "rule"], unique=False)
    op.create_index("ix_screening_alert_state", "screening_alert", ["tenant_id", "state", "id"], unique=False)
    op.create_index(
        "uq_screening_alert_undecided",
        "screening_alert",
        ["tenant_id", "rule", "party_id", "raised_on"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'assigned')"),
    )


def downgrade() -> None:
    """Refused by the constraint once a name was opened for a watch list: who opened it is not thrown away."""
    _replace(f"purpose IN ({_DISCLOSURES})")
    for table in (
        "screening_alert",
        "screening_movement",
        "screening_watch_key",
        "screening_watch_entry",
        "screening_watch_list",
        "screening_list_entry",
        "screening_address",
        "screening_order",
        "screening_link",
        "screening_party",
    ):
        op.drop_table(table)


def _replace(condition: str) -> None:
    op.drop_constraint(op.f("ck_parties_disclosure_purpose_known"), "parties_disclosure")
    op.create_check_constraint(op.f("ck_parties_disclosure_purpose_known"), "parties_disclosure", condition)
