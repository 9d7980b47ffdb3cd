"""Events and their deliveries."""

from __future__ import annotations

from sqlalchemy import Column, Index, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.platform.db import instant, tenant_table

event_table = tenant_table(
    "platform_event",
    Column("id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("actor", Text, nullable=False),
    instant("occurred_at"),
    Column("data", JSONB, nullable=False),
    Index("ix_platform_event_subject", "tenant_id", "subject_id", "id"),
)

delivery_table = tenant_table(
    "platform_delivery",
    Column("subscriber", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    instant("next_attempt_at"),
    Column("last_error", Text),
    key=("subscriber", "event_id"),
)
