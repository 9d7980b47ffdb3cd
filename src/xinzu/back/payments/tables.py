"""Tables of payments. The checks repeat in the database what the rules promise: no mandate is overdrawn, nothing runs twice."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.back.payments.model import OPEN_STATES, AttemptState, MandateState, NotificationOutcome, Provider, Purpose
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

_OPEN = sql("state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_STATES)))

# The merchant's account at a provider. The private key is sealed; the provider's public key verifies its answers.
channel_account = tenant_table(
    "payments_channel_account",
    Column("provider", Text, nullable=False),
    Column("app_id", Text, nullable=False),
    Column("gateway_url", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("private_key_sealed", LargeBinary, nullable=False),
    Column("provider_public_key", Text, nullable=False),
    instant("configured_at"),
    one_of("provider", Provider),
    key=("provider",),
)

# ``release_due_since``: nothing more is to be collected and the rest goes back to the customer.
# ``order_round`` counts orders put before the customer: one that expired or was refused is followed by a new number.
mandate = tenant_table(
    "payments_mandate",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("out_order_no", Text, nullable=False),
    Column("out_request_no", Text, nullable=False),
    Column("order_round", SmallInteger, nullable=False, server_default="1"),
    Column("auth_no", Text),
    Column("payer_id_sealed", LargeBinary),
    fen("authorised_fen", minimum=1),
    fen("first_rent_fen", minimum=1),
    fen("collected_fen"),
    fen("released_fen"),
    Column("state", Text, nullable=False),
    instant("created_at"),
    instant("checked_at", nullable=True),
    instant("authorised_at", nullable=True),
    instant("release_due_since", nullable=True),
    instant("ended_at", nullable=True),
    tenant_unique("agreement_id"),
    tenant_unique("out_order_no"),
    tenant_unique("auth_no"),
    one_of("provider", Provider),
    one_of("state", MandateState),
    CheckConstraint("collected_fen + released_fen <= authorised_fen", name="not_overdrawn"),
    CheckConstraint("auth_no IS NOT NULL OR (collected_fen = 0 AND released_fen = 0)", name="moved_only_when_authorised"),
    Index("ix_payments_mandate_intended", "tenant_id", "created_at", postgresql_where=sql("state = 'intended'")),
    Index(
        "ix_payments_mandate_releasing", "tenant_id", postgresql_where=sql("release_due_since IS NOT NULL AND ended_at IS NULL")
    ),
)

# One row per attempt. ``to_retry`` marks a failed attempt that the next business days try again.
payment = tenant_table(
    "payments_payment",
    Column("id", Uuid, nullable=False),
    Column("mandate_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("instalment_id", Uuid),
    Column("attempt", SmallInteger, nullable=False),
    fen("amount_fen", minimum=1),
    fen("refunded_fen"),
    Column("out_trade_no", Text, nullable=False),
    Column("trade_no", Text),
    Column("state", Text, nullable=False),
    Column("failure_code", Text),
    Column("due_on", Date, nullable=False),
    Column("attempted_on", Date, nullable=False),
    Column("to_retry", Boolean, nullable=False, server_default="false"),
    instant("created_at"),
    instant("changed_at"),
    instant("paid_at", nullable=True),
    tenant_reference("mandate_id", "payments_mandate"),
    tenant_unique("out_trade_no"),
    one_of("purpose", Purpose),
    one_of("state", AttemptState),
    CheckConstraint("(purpose = 'instalment') = (instalment_id IS NOT NULL)", name="instalment_named"),
    CheckConstraint("refunded_fen <= amount_fen", name="not_over_refunded"),
    CheckConstraint("state <> 'succeeded' OR (trade_no IS NOT NULL AND paid_at IS NOT NULL)", name="success_is_known"),
    Index(
        "uq_payments_payment_attempt",
        "tenant_id",
        "agreement_id",
        "purpose",
        "instalment_id",
        "attempt",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    Index(
        "uq_payments_payment_open",
        "tenant_id",
        "agreement_id",
        "purpose",
        "instalment_id",
        unique=True,
        postgresql_where=_OPEN,
        postgresql_nulls_not_distinct=True,
    ),
    Index("ix_payments_payment_agreement", "tenant_id", "agreement_id", "id"),
    Index("ix_payments_payment_mandate_open", "tenant_id", "mandate_id", postgresql_where=_OPEN),
    Index("ix_payments_payment_unresolved", "tenant_id", "changed_at", postgresql_where=_OPEN),
    Index("ix_payments_payment_to_retry", "tenant_id", "attempted_on", postgresql_where=sql("to_retry")),
)

release = tenant_table(
    "payments_release",
    Column("id", Uuid, nullable=False),
    Column("mandate_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    fen("amount_fen", minimum=1),
    Column("out_request_no", Text, nullable=False),
    Column("operation_id", Text),
    Column("state", Text, nullable=False),
    Column("failure_code", Text),
    Column("attempted_on", Date, nullable=False),
    instant("created_at"),
    instant("changed_at"),
    instant("released_at", nullable=True),
    tenant_reference("mandate_id", "payments_mandate"),
    tenant_unique("out_request_no"),
    one_of("state", AttemptState),
    Index("uq_payments_release_open", "tenant_id", "mandate_id", unique=True, postgresql_where=_OPEN),
    Index("ix_payments_release_mandate", "tenant_id", "mandate_id", "id"),
    Index("ix_payments_release_unresolved", "tenant_id", "changed_at", postgresql_where=_OPEN),
)

refund = tenant_table(
    "payments_refund",
    Column("id", Uuid, nullable=False),
    Column("payment_id", Uuid, nullable=False),
    Column("mandate_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    fen("amount_fen", minimum=1),
    Column("out_request_no", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("failure_code", Text),
    instant("created_at"),
    instant("changed_at"),
    instant("refunded_at", nullable=True),
    tenant_reference("payment_id", "payments_payment"),
    tenant_reference("mandate_id", "payments_mandate"),
    tenant_unique("out_request_no"),
    one_of("state", AttemptState),
    Index("ix_payments_refund_payment", "tenant_id", "payment_id", "id"),
    Index("ix_payments_refund_unresolved", "tenant_id", "changed_at", postgresql_where=_OPEN),
)

# Messages whose signature held. ``form`` keeps the members that tell of money and numbers; persons are left out.
notification = tenant_table(
    "payments_notification",
    Column("id", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    Column("notify_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("deliveries", Integer, nullable=False, server_default="1"),
    Column("form", JSONB, nullable=False),
    instant("received_at"),
    tenant_unique("provider", "notify_id"),
    one_of("provider", Provider),
    one_of("outcome", NotificationOutcome),
    Index("ix_payments_notification_outcome", "tenant_id", "outcome", "id"),
)
