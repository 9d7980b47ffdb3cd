"""Tables of parties. Sealed columns open only in their own row; masked columns are what people and logs may see."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Text, Uuid, text

from xinzu.platform.db import instant, one_of, tenant_reference, tenant_table, tenant_unique
from xinzu.records.parties.model import ConsentPurpose, DisclosurePurpose, MessageState, MessageTemplate

person = tenant_table(
    "parties_person",
    Column("id", Uuid, nullable=False),
    Column("identity_no_blind", LargeBinary, nullable=False),
    Column("identity_no_sealed", LargeBinary, nullable=False),
    Column("identity_no_masked", Text, nullable=False),
    Column("name_blind", LargeBinary, nullable=False),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("name_masked", Text, nullable=False),
    Column("phone_blind", LargeBinary, nullable=False),
    Column("phone_sealed", LargeBinary, nullable=False),
    Column("phone_masked", Text, nullable=False),
    Column("address_sealed", LargeBinary),
    Column("address_masked", Text),
    instant("registered_at"),
    instant("updated_at"),
    tenant_unique("identity_no_blind"),
    Index("ix_parties_person_phone", "tenant_id", "phone_blind"),
)

consent = tenant_table(
    "parties_consent",
    Column("id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("channel", Text, nullable=False),
    instant("given_at"),
    instant("withdrawn_at", nullable=True),
    tenant_reference("party_id", "parties_person"),
    one_of("purpose", ConsentPurpose),
    # In force once per text; a withdrawn one stays on file beside the one given later.
    Index(
        "uq_parties_consent_in_force",
        "tenant_id",
        "party_id",
        "purpose",
        "text_version",
        unique=True,
        postgresql_where=text("withdrawn_at IS NULL"),
    ),
)

# Where the thing of one agreement goes. Per agreement, because a person may have several, and what was decided on is what is shipped.
delivery_address = tenant_table(
    "parties_delivery_address",
    Column("subject_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("address_sealed", LargeBinary, nullable=False),
    Column("address_masked", Text, nullable=False),
    instant("set_at"),
    tenant_reference("party_id", "parties_person"),
    key=("subject_id",),
)

disclosure = tenant_table(
    "parties_disclosure",
    Column("id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("actor", Text, nullable=False),
    instant("opened_at"),
    tenant_reference("party_id", "parties_person"),
    one_of("purpose", DisclosurePurpose),
    Index("ix_parties_disclosure_party", "tenant_id", "party_id", "id"),
)

message = tenant_table(
    "parties_message",
    Column("id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("template", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("to_masked", Text, nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("provider_message_id", Text),
    Column("failure_reason", Text),
    instant("created_at"),
    instant("not_before", nullable=True),
    instant("expires_at", nullable=True),
    instant("attempted_at", nullable=True),
    instant("sent_at", nullable=True),
    instant("delivered_at", nullable=True),
    tenant_reference("party_id", "parties_person"),
    one_of("template", MessageTemplate),
    one_of("state", MessageState),
    Index("ix_parties_message_subject", "tenant_id", "subject_id", "id"),
    Index("ix_parties_message_open", "tenant_id", "id", postgresql_where=text("state IN ('queued', 'unknown')")),
)

# Nonces of callbacks within the freshness window, by the wall clock: the signature's own clock.
callback = tenant_table(
    "parties_callback",
    Column("key_id", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    instant("received_at"),
    key=("key_id", "nonce"),
)
