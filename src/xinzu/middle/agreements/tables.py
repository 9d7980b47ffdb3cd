"""Tables of agreements. Personal values stand in sealed columns only; terms hold none."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.middle.agreements.model import AgreementState, IdentityState
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

# The last number given in a year. Taken in the transaction that drafts, so that a number is never lost.
counter = tenant_table(
    "agreements_counter",
    Column("year", SmallInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    key=("year",),
)

agreement = tenant_table(
    "agreements_agreement",
    Column("id", Uuid, nullable=False),
    Column("agreement_no", Text, nullable=False),
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("product_id", Uuid, nullable=False),
    Column("plan_id", Uuid, nullable=False),
    Column("period_count", Integer, nullable=False),
    fen("rent_fen"),
    fen("deposit_fen"),
    fen("device_value_fen"),
    Column("terms", JSONB, nullable=False),
    instant("drafted_at"),
    Column("drafted_on", Date, nullable=False),
    instant("signed_at", nullable=True),
    Column("asset_id", Uuid, nullable=True),
    # What a financing commenced with: the bank's reference, the handover protocol, the VIN.
    Column("reference", Text, nullable=True),
    Column("commencement_on", Date, nullable=True),
    Column("ended_on", Date, nullable=True),
    Column("end_reason", Text, nullable=True),
    one_of("state", AgreementState),
    CheckConstraint("state NOT IN ('signed', 'active', 'ended') OR signed_at IS NOT NULL", name="signed_when"),
    CheckConstraint("state NOT IN ('active', 'ended') OR commencement_on IS NOT NULL", name="commenced_when"),
    CheckConstraint("commencement_on IS NULL OR num_nonnulls(asset_id, reference) = 1", name="commenced_with"),
    tenant_unique("agreement_no"),
    tenant_unique("application_id"),
    Index("ix_agreements_agreement_party", "tenant_id", "party_id", "id"),
    Index("ix_agreements_agreement_drafted", "tenant_id", "drafted_at", postgresql_where=text("state = 'drafted'")),
)

identity_check = tenant_table(
    "agreements_identity_check",
    Column("agreement_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("check_id", Text, nullable=True),
    Column("code", Text, nullable=True),
    Column("attempts", Integer, nullable=False),
    instant("asked_at"),
    instant("answered_at", nullable=True),
    one_of("state", IdentityState),
    tenant_reference("agreement_id", "agreements_agreement"),
    key=("agreement_id",),
)

document = tenant_table(
    "agreements_document",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("byte_count", Integer, nullable=False),
    Column("template_sha256", Text, nullable=False),
    Column("renderer", Text, nullable=False),
    Column("content_sealed", LargeBinary, nullable=False),
    instant("rendered_at"),
    tenant_reference("agreement_id", "agreements_agreement"),
    tenant_unique("agreement_id"),
)

# ``content_sealed`` does not compress: the first migration stores it out of line, without trying.

# ``digest`` is an HMAC under the tenant's blind key over the code and its row: a code is never stored.
code = tenant_table(
    "agreements_code",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    instant("sent_at"),
    instant("expires_at"),
    tenant_reference("agreement_id", "agreements_agreement"),
    Index("ix_agreements_code_agreement", "tenant_id", "agreement_id", "sent_at"),
)

# ``restriction_clause_version`` is of a rental only: nothing financed is restricted. ``address_sealed`` holds the customer's network
# address and the salt of the digest that stands as evidence.
acceptance = tenant_table(
    "agreements_acceptance",
    Column("agreement_id", Uuid, nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("document_sha256", Text, nullable=False),
    Column("restriction_clause_version", Text, nullable=True),
    Column("code_id", Uuid, nullable=False),
    instant("code_sent_at"),
    Column("code_tries", SmallInteger, nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("address_sealed", LargeBinary, nullable=True),
    instant("accepted_at"),
    tenant_reference("agreement_id", "agreements_agreement"),
    tenant_reference("document_id", "agreements_document"),
    key=("agreement_id",),
)
