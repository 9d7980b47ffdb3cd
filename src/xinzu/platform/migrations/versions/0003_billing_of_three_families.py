"""Billing of rentals, finance leases and loans: legs of instalments, income as it is earned, amendments, adjustments, asset classes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KINDS = "('late_fee', 'damage', 'early_return', 'prepayment_fee', 'buyout', 'termination_loss')"
_CLASSES = ("normal", "attention", "substandard", "doubtful", "loss")
_KINDS_BEFORE = "('late_fee', 'damage', 'early_return')"


def _add(table: str, name: str, kind: sa.types.TypeEngine[Any], default: str) -> None:
    """A column that must be filled: what exists gets the value, what comes says it itself."""
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    op.alter_column(table, name, server_default=None)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _add("billing_account", "family", sa.Text(), "rental")
    op.add_column("billing_account", sa.Column("financing", postgresql.JSONB(), nullable=True))
    _add("billing_account", "version", sa.SmallInteger(), "1")
    _add("billing_account", "asset_class", sa.Text(), "normal")
    _add("billing_account", "provision_fen", sa.BigInteger(), "0")
    op.add_column("billing_account", sa.Column("cleared_on", sa.Date(), nullable=True))
    op.add_column("billing_account", sa.Column("written_off_on", sa.Date(), nullable=True))
    op.add_column("billing_account", sa.Column("non_accrual_since", sa.Date(), nullable=True))
    op.create_index(
        "ix_billing_account_non_accrual",
        "billing_account",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("non_accrual_since IS NOT NULL"),
    )
    _add("billing_account", "device_value_fen", sa.BigInteger(), "0")
    op.add_column("billing_account", sa.Column("buyout_fen", sa.BigInteger(), nullable=True))
    for name in ("ageing_since", "ageing_until", "no_late_fee_to"):
        op.add_column("billing_account", sa.Column(name, sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_billing_account_family_known"), "billing_account", "family IN ('rental', 'finance_lease', 'loan')"
    )
    op.create_check_constraint(
        op.f("ck_billing_account_financing_of_family"), "billing_account", "(family = 'rental') = (financing IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_billing_account_asset_class_known"),
        "billing_account",
        "asset_class IN ('normal', 'attention', 'substandard', 'doubtful', 'loss')",
    )
    op.create_check_constraint(op.f("ck_billing_account_provision_fen_min"), "billing_account", "provision_fen >= 0")
    op.create_check_constraint(op.f("ck_billing_account_device_value_fen_min"), "billing_account", "device_value_fen >= 0")
    op.create_index(
        "ix_billing_account_watched",
        "billing_account",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("overdue_fen > 0 OR asset_class <> 'normal' OR provision_fen > 0"),
    )

    _add("billing_instalment", "role", sa.Text(), "rent")
    _add("billing_instalment", "version", sa.SmallInteger(), "1")
    _add("billing_instalment", "earned_fen", sa.BigInteger(), "0")
    for name in ("suspended_fen", "suspended_vat_fen"):
        _add("billing_instalment", name, sa.BigInteger(), "0")
        op.create_check_constraint(op.f(f"ck_billing_instalment_{name}_min"), "billing_instalment", f"{name} >= 0")
    op.create_check_constraint(
        op.f("ck_billing_instalment_suspended_is_open"),
        "billing_instalment",
        "suspended_fen <= amount_fen - paid_fen - cancelled_fen AND suspended_vat_fen <= suspended_fen",
    )
    # Until now the rent of a period was income when it fell due. The owner sees every tenant's rows only while it is not held to a tenant.
    op.execute("ALTER TABLE billing_instalment NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE billing_instalment SET earned_fen = amount_fen WHERE state IN ('due', 'overdue', 'paid')")
    op.execute("ALTER TABLE billing_instalment FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(
        op.f("ck_billing_instalment_role_known"), "billing_instalment", "role IN ('rent', 'principal', 'interest', 'fee')"
    )
    op.create_check_constraint(
        op.f("ck_billing_instalment_earned_within"), "billing_instalment", "earned_fen BETWEEN 0 AND amount_fen"
    )
    op.drop_constraint(op.f("uq_billing_instalment_tenant_id_agreement_id_number"), "billing_instalment", type_="unique")
    op.create_unique_constraint(
        op.f("uq_billing_instalment_tenant_id_agreement_id_version_number_role"),
        "billing_instalment",
        ["tenant_id", "agreement_id", "version", "number", "role"],
    )
    op.create_index(
        "ix_billing_instalment_unearned",
        "billing_instalment",
        ["tenant_id", "from_on", "to_on"],
        postgresql_where=sa.text("role IN ('rent', 'interest') AND state <> 'cancelled' AND earned_fen < amount_fen"),
    )
    op.drop_index("ix_billing_instalment_open", "billing_instalment")
    op.create_index(
        "ix_billing_instalment_open",
        "billing_instalment",
        ["tenant_id", "state", "agreement_id"],
        postgresql_where=sa.text("state IN ('due', 'overdue')"),
    )

    op.drop_constraint(op.f("ck_billing_charge_kind_known"), "billing_charge", type_="check")
    op.create_check_constraint(op.f("ck_billing_charge_kind_known"), "billing_charge", f"kind IN {_KINDS}")

    op.add_column("billing_receipt", sa.Column("reversed_on", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_billing_receipt_reversed_empty"), "billing_receipt", "reversed_on IS NULL OR allocated_fen + refunded_fen = 0"
    )
    op.drop_index("ix_billing_receipt_available", "billing_receipt")
    op.create_index(
        "ix_billing_receipt_available",
        "billing_receipt",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("amount_fen > allocated_fen + refunded_fen AND reversed_on IS NULL"),
    )
    for name in ("income_fen", "provision_fen"):
        _add("billing_day", name, sa.BigInteger(), "0")
    _add("billing_day", "reclassified_count", sa.Integer(), "0")

    op.create_table(
        "billing_adjustment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('waiver', 'write_off', 'recovery', 'reversal', 'chargeback', 'correction')",
            name=op.f("ck_billing_adjustment_kind_known"),
        ),
        sa.CheckConstraint("amount_fen >= 1", name=op.f("ck_billing_adjustment_amount_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_adjustment_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_adjustment")),
        info={"tenant": True},
    )
    op.create_index("ix_billing_adjustment_agreement", "billing_adjustment", ["tenant_id", "agreement_id", "id"])
    op.create_table(
        "billing_lease_class",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("classification", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_lease_class_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "agreement_id", name=op.f("pk_billing_lease_class")),
        info={"tenant": True},
    )
    op.create_table(
        "billing_risk_policy",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        *(sa.Column(f"{name}_days", sa.SmallInteger(), nullable=False) for name in (*_CLASSES[1:], "non_accrual")),
        *(sa.Column(f"{name}_bp", sa.SmallInteger(), nullable=False) for name in _CLASSES),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_billing_risk_policy")),
        info={"tenant": True},
    )
    op.create_table(
        "billing_amendment",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=True),
        sa.Column("why", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["billing_account.tenant_id", "billing_account.agreement_id"],
            name=op.f("fk_billing_amendment_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_amendment")),
        info={"tenant": True},
    )
    op.create_index("ix_billing_amendment_agreement", "billing_amendment", ["tenant_id", "agreement_id", "version"])


def downgrade() -> None:
    op.drop_table("billing_amendment")
    op.drop_table("billing_risk_policy")
    op.drop_table("billing_lease_class")
    op.drop_table("billing_adjustment")
    for name in ("income_fen", "provision_fen", "reclassified_count"):
        op.drop_column("billing_day", name)
    op.drop_index("ix_billing_receipt_available", "billing_receipt")
    op.create_index(
        "ix_billing_receipt_available",
        "billing_receipt",
        ["tenant_id", "agreement_id"],
        postgresql_where=sa.text("amount_fen > allocated_fen + refunded_fen"),
    )
    op.drop_constraint(op.f("ck_billing_receipt_reversed_empty"), "billing_receipt", type_="check")
    op.drop_column("billing_receipt", "reversed_on")
    op.drop_constraint(op.f("ck_billing_charge_kind_known"), "billing_charge", type_="check")
    op.create_check_constraint(op.f("ck_billing_charge_kind_known"), "billing_charge", f"kind IN {_KINDS_BEFORE}")
    op.drop_index("ix_billing_instalment_open", "billing_instalment")
    op.create_index(
        "ix_billing_instalment_open",
        "billing_instalment",
        ["tenant_id", "state", "due_on"],
        postgresql_where=sa.text("state IN ('due', 'overdue')"),
    )
    op.drop_index("ix_billing_instalment_unearned", "billing_instalment")
    op.drop_constraint(
        op.f("uq_billing_instalment_tenant_id_agreement_id_version_number_role"), "billing_instalment", type_="unique"
    )
    op.create_unique_constraint(
        op.f("uq_billing_instalment_tenant_id_agreement_id_number"),
        "billing_instalment",
        ["tenant_id", "agreement_id", "number"],
    )
    for name in ("earned_within", "role_known", "suspended_is_open", "suspended_fen_min", "suspended_vat_fen_min"):
        op.drop_constraint(op.f(f"ck_billing_instalment_{name}"), "billing_instalment", type_="check")
    for name in ("suspended_vat_fen", "suspended_fen", "earned_fen", "version", "role"):
        op.drop_column("billing_instalment", name)
    op.drop_index("ix_billing_account_non_accrual", "billing_account")
    op.drop_index("ix_billing_account_watched", "billing_account")
    for name in ("device_value_fen_min", "provision_fen_min", "asset_class_known", "financing_of_family", "family_known"):
        op.drop_constraint(op.f(f"ck_billing_account_{name}"), "billing_account", type_="check")
    for name in (
        "no_late_fee_to",
        "ageing_until",
        "ageing_since",
        "buyout_fen",
        "device_value_fen",
        "non_accrual_since",
        "written_off_on",
        "cleared_on",
        "provision_fen",
        "asset_class",
        "version",
        "financing",
        "family",
    ):
        op.drop_column("billing_account", name)
