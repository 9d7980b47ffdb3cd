"""Agreements that commence without an asset of ours, and the messages that tell of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BEFORE = (
    "'one_time_code', 'payment_reminder', 'restriction_notice', 'restriction_applied', 'restriction_lifted', 'agreement_ended',"
    " 'decision_declined'"
)
_AFTER = (
    "'one_time_code', 'payment_reminder', 'restriction_notice', 'restriction_applied', 'restriction_lifted',"
    " 'agreement_commenced', 'agreement_ended', 'agreement_repaid', 'decision_declined'"
)


def upgrade() -> None:
    op.add_column("agreements_agreement", sa.Column("reference", sa.Text(), nullable=True))
    _check("agreements_agreement", "commenced_with", "commencement_on IS NULL OR num_nonnulls(asset_id, reference) = 1")
    op.alter_column("agreements_acceptance", "restriction_clause_version", nullable=True)
    op.drop_constraint(op.f("ck_parties_message_template_known"), "parties_message")
    _check("parties_message", "template_known", f"template IN ({_AFTER})")


def downgrade() -> None:
    """Refused by the constraints once an agreement commenced without an asset or a new message was sent: nothing is thrown away."""
    op.drop_constraint(op.f("ck_parties_message_template_known"), "parties_message")
    _check("parties_message", "template_known", f"template IN ({_BEFORE})")
    op.alter_column("agreements_acceptance", "restriction_clause_version", nullable=False)
    op.drop_constraint(op.f("ck_agreements_agreement_commenced_with"), "agreements_agreement")
    op.drop_column("agreements_agreement", "reference")


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
