"""The table of applications."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from xinzu.front.applications.model import ApplicationState, CancelReason, Channel, DecidedBy
from xinzu.platform.db import instant, one_of, tenant_reference, tenant_table

application = tenant_table(
    "applications_application",
    Column("id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("quote_id", Uuid),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("signals", JSONB, nullable=False),
    Column("delivery_address_sealed", LargeBinary, nullable=False),
    Column("delivery_address_masked", Text, nullable=False),
    Column("decision_id", Uuid),
    Column("decided_by", Text),
    Column("reason_codes", ARRAY(Text), nullable=False, server_default="{}"),
    Column("agreement_id", Uuid),
    Column("cancel_reason", Text),
    instant("human_review_requested_at", nullable=True),
    instant("submitted_at"),
    instant("updated_at"),
    tenant_reference("party_id", "parties_person"),
    tenant_reference("plan_id", "catalogue_plan"),
    tenant_reference("quote_id", "catalogue_quote"),
    one_of("channel", Channel),
    one_of("state", ApplicationState),
    one_of("cancel_reason", CancelReason),
    one_of("decided_by", DecidedBy),
    Index("ix_applications_application_party", "tenant_id", "party_id", "id"),
    Index("ix_applications_application_state", "tenant_id", "state", "id"),
)
