"""Tables of decisions."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from xinzu.middle.decisions.model import DecisionOutcome, DecisionState, ReferredBy, StrategyState
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

strategy = tenant_table(
    "decisions_strategy",
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("graph", JSONB, nullable=False),
    Column("graph_sha256", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    instant("published_at"),
    Column("published_by", Text, nullable=False),
    one_of("state", StrategyState),
    CheckConstraint("version > 0", name="version_min"),
    Index("uq_decisions_strategy_published", "tenant_id", "key", unique=True, postgresql_where=text("state = 'published'")),
    key=("key", "version"),
)

# ``outcome``, ``reason_codes``, ``inputs`` and what follows from them are the strategy's and are never updated; only ``state`` and
# ``referred_*`` move. ``inputs_salt`` is the salt of the digest that stands in the evidence leaf.
decision = tenant_table(
    "decisions_decision",
    Column("id", Uuid, nullable=False),
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("strategy_key", Text, nullable=False),
    Column("strategy_version", Integer, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason_codes", ARRAY(Text), nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("inputs_salt", LargeBinary, nullable=False),
    Column("outputs", JSONB, nullable=False),
    Column("trace", JSONB(none_as_null=True), nullable=True),
    Column("duration_us", BigInteger, nullable=False),
    instant("decided_at"),
    Column("referred_by", Text, nullable=True),
    instant("referred_at", nullable=True),
    one_of("outcome", DecisionOutcome),
    one_of("state", DecisionState),
    one_of("referred_by", ReferredBy),
    tenant_unique("application_id"),
    Index("ix_decisions_decision_party", "tenant_id", "party_id", "decided_at"),
    Index("ix_decisions_decision_referred", "tenant_id", "id", postgresql_where=text("state = 'referred'")),
)

review = tenant_table(
    "decisions_review",
    Column("decision_id", Uuid, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("note_sealed", LargeBinary, nullable=True),
    Column("reviewer", Text, nullable=False),
    instant("reviewed_at"),
    tenant_reference("decision_id", "decisions_decision"),
    CheckConstraint("outcome IN ('approve', 'decline')", name="outcome_final"),
    key=("decision_id",),
)

# What a party holds or is about to hold: opened by an approval, closed when the order ends or never comes about.
exposure = tenant_table(
    "decisions_exposure",
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    fen("device_value_fen"),
    instant("opened_at"),
    instant("closed_at", nullable=True),
    Column("agreement_id", Uuid, nullable=True),
    Column("overdue_on", Date, nullable=True),
    Column("cleared_on", Date, nullable=True),
    Index("ix_decisions_exposure_party", "tenant_id", "party_id", postgresql_where=text("closed_at IS NULL")),
    Index("ix_decisions_exposure_agreement", "tenant_id", "agreement_id", postgresql_where=text("agreement_id IS NOT NULL")),
    key=("application_id",),
)
