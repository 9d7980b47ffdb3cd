"""Collections know an agreement's family, and demand payment of what is financed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STEPS = "'reminder', 'first_notice', 'second_notice', 'limit', 'lock'"
_TEMPLATES = (
    "'one_time_code', 'payment_reminder', 'restriction_notice', 'restriction_applied', 'restriction_lifted',"
    " 'agreement_commenced', 'agreement_ended', 'agreement_repaid', 'decision_declined'"
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("collections_agreement", sa.Column("family", sa.Text(), nullable=False, server_default="rental"))
    op.alter_column("collections_agreement", "family", server_default=None)
    # The owner sees every tenant's rows only while it is not held to a tenant.
    for table in ("collections_agreement", "billing_account"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE collections_agreement g SET family = a.family FROM billing_account a"
        " WHERE a.tenant_id = g.tenant_id AND a.agreement_id = g.agreement_id AND a.family <> 'rental'"
    )
    for table in ("collections_agreement", "billing_account"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    _check("collections_agreement", "family_known", "family IN ('rental', 'finance_lease', 'loan')")
    _replace("collections_step", "kind_known", f"kind IN ({_STEPS}, 'payment_demand')")
    _replace("parties_message", "template_known", f"template IN ({_TEMPLATES}, 'payment_demand')")


def downgrade() -> None:
    """Refused by the constraints once a demand was sent: nothing is thrown away."""
    _replace("parties_message", "template_known", f"template IN ({_TEMPLATES})")
    _replace("collections_step", "kind_known", f"kind IN ({_STEPS})")
    op.drop_column("collections_agreement", "family")


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _replace(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    _check(table, name, condition)
