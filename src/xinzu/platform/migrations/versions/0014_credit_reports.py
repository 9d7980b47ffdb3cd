"""Credit reports, who opened them, score sources, what they were asked and what they said; two more purposes of consent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_CONSENTS = "'application', 'identity_check', 'decision', 'device_restriction'"
_DISCLOSURES = "'identity_check', 'contract', 'delivery', 'collection'"
_ADDED = "'credit_inquiry', 'score_query'"
_CAPABILITIES = (
    "capability IN ('zhima_admittance', 'payscore_admittance', 'multi_lending', 'court_lists', 'carrier_factors', 'bank_factors')"
)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def _tenant() -> sa.Column[object]:
    return sa.Column("tenant_id", sa.BigInteger(), nullable=False)


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    _replace("parties_consent", f"purpose IN ({_CONSENTS}, {_ADDED})")
    _replace("parties_disclosure", f"purpose IN ({_DISCLOSURES}, {_ADDED})")
    op.create_table(
        "credit_report",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("subject_key", sa.Text()),
        sa.Column("report_no", sa.Text(), nullable=False),
        sa.Column("institution_code", sa.Text(), nullable=False),
        sa.Column("inquiry_purpose", sa.Text(), nullable=False),
        sa.Column("consent_version", sa.Text(), nullable=False),
        _instant("reported_at"),
        _instant("imported_at"),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("is_synthetic", sa.Boolean(), nullable=False),
        sa.Column("doubts", postgresql.JSONB(), nullable=False),
        sa.Column("unknown_nodes", postgresql.JSONB(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary()),
        sa.Column("content_blind", sa.LargeBinary(), nullable=False),
        _instant("erased_at", nullable=True),
        _check("credit_report", "kind_known", "kind IN ('personal_pboc', 'enterprise')"),
        _check("credit_report", "content_until_erased", "(content_sealed IS NULL) = (erased_at IS NOT NULL)"),
        _check("credit_report", "enterprise_named", "(subject_key IS NOT NULL) = (kind = 'enterprise')"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_report")),
        sa.UniqueConstraint("tenant_id", "kind", "report_no", name=op.f("uq_credit_report_tenant_id_kind_report_no")),
    )
    op.create_index("ix_credit_report_party", "credit_report", ["tenant_id", "party_id", "kind", "reported_at"])
    op.create_index(
        "ix_credit_report_kept", "credit_report", ["tenant_id", "reported_at"], postgresql_where=sa.text("erased_at IS NULL")
    )
    op.create_table(
        "credit_report_access",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        _instant("accessed_at"),
        _check("credit_report_access", "purpose_known", "purpose IN ('decision', 'review', 'objection')"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "report_id"],
            ["credit_report.tenant_id", "credit_report.id"],
            name=op.f("fk_credit_report_access_tenant_id_report_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_report_access")),
    )
    op.create_index("ix_credit_report_access_report", "credit_report_access", ["tenant_id", "report_id", "id"])
    op.create_table(
        "credit_source",
        _tenant(),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("timeout_ms", sa.Integer(), nullable=False),
        sa.Column("cache_days", sa.Integer(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("peer_key", sa.Text()),
        sa.Column("options", postgresql.JSONB(), nullable=False),
        _instant("configured_at"),
        _check("credit_source", "capability_known", _CAPABILITIES),
        _check("credit_source", "style_known", "style IN ('signed_json', 'alipay_gateway')"),
        _check(
            "credit_source",
            "settings_possible",
            "timeout_ms BETWEEN 100 AND 60000 AND cache_days BETWEEN 0 AND 365 AND rank > 0",
        ),
        _check("credit_source", "cost_fen_min", "cost_fen >= 0"),
        sa.PrimaryKeyConstraint("tenant_id", "capability", "provider", name=op.f("pk_credit_source")),
    )
    op.create_table(
        "credit_score_query",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bank_card_sealed", sa.LargeBinary()),
        sa.Column("asked_by", sa.Text(), nullable=False),
        _instant("asked_at"),
        _instant("settled_at", nullable=True),
        _check("credit_score_query", "capability_known", _CAPABILITIES),
        _check("credit_score_query", "state_known", "state IN ('asked', 'answered', 'unanswered')"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_score_query")),
    )
    op.create_index(
        "ix_credit_score_query_open", "credit_score_query", ["tenant_id", "asked_at"], postgresql_where=sa.text("state = 'asked'")
    )
    op.create_table(
        "credit_score_result",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("query_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("reference", sa.Text()),
        _instant("observed_at"),
        _instant("known_at"),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("is_cached", sa.Boolean(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("values_sealed", sa.LargeBinary()),
        _check("credit_score_result", "capability_known", _CAPABILITIES),
        _check("credit_score_result", "outcome_known", "outcome IN ('ok', 'refused', 'unknown')"),
        _check("credit_score_result", "ok_has_values", "(outcome = 'ok') = (values_sealed IS NOT NULL)"),
        _check("credit_score_result", "cost_fen_min", "cost_fen >= 0"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "query_id"],
            ["credit_score_query.tenant_id", "credit_score_query.id"],
            name=op.f("fk_credit_score_result_tenant_id_query_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_score_result")),
    )
    op.create_index("ix_credit_score_result_party", "credit_score_result", ["tenant_id", "party_id", "capability", "known_at"])


def downgrade() -> None:
    """Refused by the constraints once a consent to an inquiry or a query was given: nothing is thrown away."""
    _replace("parties_disclosure", f"purpose IN ({_DISCLOSURES})")
    _replace("parties_consent", f"purpose IN ({_CONSENTS})")
    for table in ("credit_score_result", "credit_score_query", "credit_source", "credit_report_access", "credit_report"):
        op.drop_table(table)


def _replace(table: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_purpose_known"), table)
    op.create_check_constraint(op.f(f"ck_{table}_purpose_known"), table, condition)
