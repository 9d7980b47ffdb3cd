"""Tables of credit."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.middle.credit.model import (
    AccessPurpose,
    Capability,
    EntityKind,
    FactKind,
    QueryState,
    ReportKind,
    ScoreOutcome,
    SourceStyle,
)
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

# One row per fact and entity it concerns; rows of one fact share ``id``. The key is the index every indicator is read by: one range per
# entity. ``entity_key`` is an id, a code or a keyed digest; ``attributes`` hold ids, keys, codes and integers. Rows are never changed.
fact = tenant_table(
    "credit_fact",
    Column("entity_kind", Text, nullable=False),
    Column("entity_key", Text, nullable=False),
    instant("occurred_at"),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    instant("known_at"),
    Column("attributes", JSONB, nullable=False),
    one_of("entity_kind", EntityKind),
    one_of("kind", FactKind),
    key=("entity_kind", "entity_key", "occurred_at", "id"),
)

# Facts of shared entities by the hour and by the day (UTC) they occurred in, written in the transaction of the fact. ``amount`` adds up
# their value_fen.
counter = tenant_table(
    "credit_counter",
    Column("entity_kind", Text, nullable=False),
    Column("entity_key", Text, nullable=False),
    Column("bucket_hours", SmallInteger, nullable=False),
    instant("bucket_at"),
    Column("kind", Text, nullable=False),
    Column("facts", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    one_of("entity_kind", EntityKind),
    one_of("kind", FactKind),
    CheckConstraint("facts > 0", name="facts_min"),
    CheckConstraint("bucket_hours IN (1, 24)", name="bucket_hours_known"),
    key=("entity_kind", "entity_key", "bucket_hours", "bucket_at", "kind"),
)

# An application as the indicators saw it: the keys its facts are found by and the values that need no facts. With it any snapshot can be
# computed again. ``first_number`` is the instalment that is the first to be collected after the start. ``agreement_id`` once there is
# one, because what happens later is told by agreement.
applicant = tenant_table(
    "credit_applicant",
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("keys", JSONB, nullable=False),
    Column("given", JSONB, nullable=False),
    fen("value_fen"),
    Column("first_number", SmallInteger, nullable=False),
    instant("as_of"),
    Column("agreement_id", Uuid, nullable=True),
    Index("ix_credit_applicant_as_of", "tenant_id", "as_of"),
    Index("ix_credit_applicant_agreement", "tenant_id", "agreement_id", postgresql_where=text("agreement_id IS NOT NULL")),
    key=("application_id",),
)

# What a decision was made on: by key the value, its status and the time of the newest fact behind it. Never changed.
snapshot = tenant_table(
    "credit_snapshot",
    Column("application_id", Uuid, nullable=False),
    instant("as_of"),
    Column("catalogue_sha256", Text, nullable=False),
    Column("indicators", JSONB, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Index("ix_credit_snapshot_as_of", "tenant_id", "as_of"),
    key=("application_id",),
)

# The distribution of an indicator that later weeks are held against; ``bins`` are its parts and their shares.
drift_base = tenant_table(
    "credit_drift_base",
    Column("indicator", Text, nullable=False),
    Column("bins", JSONB, nullable=False),
    Column("value_count", Integer, nullable=False),
    instant("begin_at"),
    instant("until_at"),
    instant("frozen_at"),
    CheckConstraint("begin_at < until_at AND value_count > 0", name="base_possible"),
    key=("indicator",),
)

# --- reports and score sources ---

# A report as it came, sealed in its own row; the rest is its head. ``content_blind`` tells the same content sent again from another.
# ``doubts`` and ``unknown_nodes`` name nodes, never their values. The content goes when its time is over, the head stays.
report = tenant_table(
    "credit_report",
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("subject_key", Text),
    Column("report_no", Text, nullable=False),
    Column("institution_code", Text, nullable=False),
    Column("inquiry_purpose", Text, nullable=False),
    Column("consent_version", Text, nullable=False),
    instant("reported_at"),
    instant("imported_at"),
    Column("imported_by", Text, nullable=False),
    Column("is_synthetic", Boolean, nullable=False),
    Column("doubts", JSONB, nullable=False),
    Column("unknown_nodes", JSONB, nullable=False),
    Column("content_sealed", LargeBinary),
    Column("content_blind", LargeBinary, nullable=False),
    instant("erased_at", nullable=True),
    one_of("kind", ReportKind),
    CheckConstraint("(content_sealed IS NULL) = (erased_at IS NOT NULL)", name="content_until_erased"),
    CheckConstraint("(subject_key IS NOT NULL) = (kind = 'enterprise')", name="enterprise_named"),
    Index("ix_credit_report_party", "tenant_id", "party_id", "kind", "reported_at"),
    Index("ix_credit_report_kept", "tenant_id", "reported_at", postgresql_where=text("erased_at IS NULL")),
    tenant_unique("kind", "report_no"),
)

report_access = tenant_table(
    "credit_report_access",
    Column("id", Uuid, nullable=False),
    Column("report_id", Uuid, nullable=False),
    Column("actor", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    instant("accessed_at"),
    tenant_reference("report_id", "credit_report"),
    one_of("purpose", AccessPurpose),
    Index("ix_credit_report_access_report", "tenant_id", "report_id", "id"),
)

# Which sources a tenant has ticked, in which order, and the sealed secret each is spoken to with.
source = tenant_table(
    "credit_source",
    Column("capability", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("style", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("timeout_ms", Integer, nullable=False),
    Column("cache_days", Integer, nullable=False),
    fen("cost_fen"),
    Column("base_url", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("peer_key", Text),
    Column("options", JSONB, nullable=False),
    instant("configured_at"),
    one_of("capability", Capability),
    one_of("style", SourceStyle),
    CheckConstraint("timeout_ms BETWEEN 100 AND 60000 AND cache_days BETWEEN 0 AND 365 AND rank > 0", name="settings_possible"),
    key=("capability", "provider"),
)

# A question before it is asked. ``attempts`` counts how often sources were gone through for it.
score_query = tenant_table(
    "credit_score_query",
    Column("id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("capability", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("bank_card_sealed", LargeBinary),
    Column("asked_by", Text, nullable=False),
    instant("asked_at"),
    instant("settled_at", nullable=True),
    one_of("capability", Capability),
    one_of("state", QueryState),
    Index("ix_credit_score_query_open", "tenant_id", "asked_at", postgresql_where=text("state = 'asked'")),
)

# One row per source asked. What it said is sealed; who, when, how long and at what price is not.
score_result = tenant_table(
    "credit_score_result",
    Column("id", Uuid, nullable=False),
    Column("query_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("capability", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("reference", Text),
    instant("observed_at"),
    instant("known_at"),
    Column("latency_ms", Integer, nullable=False),
    Column("is_cached", Boolean, nullable=False),
    fen("cost_fen"),
    Column("values_sealed", LargeBinary),
    tenant_reference("query_id", "credit_score_query"),
    one_of("capability", Capability),
    one_of("outcome", ScoreOutcome),
    CheckConstraint("(outcome = 'ok') = (values_sealed IS NOT NULL)", name="ok_has_values"),
    Index("ix_credit_score_result_party", "tenant_id", "party_id", "capability", "known_at"),
)
