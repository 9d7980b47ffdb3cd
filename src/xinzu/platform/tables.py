"""The platform's own tables: tenants, keys, credentials, idempotency, the business clock."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from xinzu.platform.db import fen, global_table, instant, tenant_table, tenant_unique

tenant = global_table(
    "platform_tenant",
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("cut_off", Time, nullable=False, server_default="00:00"),
    instant("created_at"),
    UniqueConstraint("slug"),
    CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,30}$'", name="slug_form"),
)

# One row: how far the business clock runs ahead of the wall clock. Zero in production; a demo moves it.
business_clock = global_table(
    "platform_business_clock",
    Column("id", SmallInteger, primary_key=True),
    Column("offset_seconds", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="single_row"),
)

# Number 0 is the blind index key; data keys count from 1, the highest seals.
tenant_key = tenant_table(
    "platform_tenant_key",
    Column("number", Integer, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    instant("created_at"),
    key=("number",),
)

operator = tenant_table(
    "platform_operator",
    Column("id", Uuid, nullable=False),
    Column("login", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    instant("created_at"),
    instant("disabled_at", nullable=True),
    tenant_unique("login"),
)

operator_session = tenant_table(
    "platform_operator_session",
    Column("fingerprint", LargeBinary, nullable=False),
    Column("operator_id", Uuid, nullable=False),
    instant("created_at"),
    instant("expires_at"),
    key=("fingerprint",),
)

api_key = tenant_table(
    "platform_api_key",
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    instant("created_at"),
    instant("revoked_at", nullable=True),
    tenant_unique("fingerprint"),
)

idempotency = tenant_table(
    "platform_idempotency",
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    instant("created_at"),
    Index("ix_platform_idempotency_created", "tenant_id", "created_at"),
    key=("key",),
)

# What waits for a second person and what became of it. That two people are two is held by the database too.
approval = tenant_table(
    "platform_approval",
    Column("id", Uuid, nullable=False),
    Column("command", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    fen("amount_fen"),
    Column("reason", Text, nullable=False),
    Column("evidence_ref", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_by_id", Uuid, nullable=False),
    instant("requested_at"),
    instant("expires_at"),
    Column("decided_by", Text, nullable=True),
    Column("decided_by_id", Uuid, nullable=True),
    instant("decided_at", nullable=True),
    Column("decision_reason", Text, nullable=True),
    Column("answer", JSONB, nullable=True),
    CheckConstraint("state IN ('waiting', 'approved', 'refused')", name="state_known"),
    CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_has_instant"),
    CheckConstraint("state <> 'approved' OR decided_by_id <> requested_by_id", name="two_people"),
    Index("ix_platform_approval_waiting", "tenant_id", "id", postgresql_where=text("state = 'waiting'")),
    Index("ix_platform_approval_subject", "tenant_id", "subject_id", "id"),
)

# A tenant's own, stricter limits.
approval_limit = tenant_table(
    "platform_approval_limit",
    Column("command", Text, nullable=False),
    fen("alone_max_fen"),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    key=("command",),
)
