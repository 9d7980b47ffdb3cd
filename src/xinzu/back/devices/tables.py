"""Tables of devices."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text

from xinzu.back.devices.model import CommandState, DeviceKind, HoldKind, Level
from xinzu.platform.db import instant, one_of, tenant_reference, tenant_table, tenant_unique

# ``asset_id`` names an asset of the neighbour module: an id, not a foreign key, because back modules do not know each other.
device = tenant_table(
    "devices_device",
    Column("id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    instant("enrolled_at"),
    instant("retired_at", nullable=True),
    tenant_unique("public_key"),
    one_of("kind", DeviceKind),
    CheckConstraint("octet_length(public_key) = 32", name="public_key_bytes"),
    Index("uq_devices_device_asset", "tenant_id", "asset_id", unique=True, postgresql_where=text("retired_at IS NULL")),
)

# Which agreement an asset's device serves. Kept by asset, so that a phone switched on after its handover finds its agreement.
binding = tenant_table(
    "devices_binding",
    Column("agreement_id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    Column("consent_clause_version", Text, nullable=False),
    instant("bound_at"),
    instant("released_at", nullable=True),
    instant("cleared_at", nullable=True),
    Column("closed_case_id", Uuid),
    Column("raised_on", Date),
    Index("uq_devices_binding_asset", "tenant_id", "asset_id", unique=True, postgresql_where=text("released_at IS NULL")),
    key=("agreement_id",),
)

shadow = tenant_table(
    "devices_shadow",
    Column("device_id", Uuid, nullable=False),
    Column("desired_level", Text, nullable=False),
    Column("desired_counter", BigInteger, nullable=False),
    Column("reported_level", Text),
    Column("reported_counter", BigInteger),
    instant("reported_at", nullable=True),
    instant("last_seen_at", nullable=True),
    Column("sequence", BigInteger, nullable=False),
    tenant_reference("device_id", "devices_device"),
    one_of("desired_level", Level),
    one_of("reported_level", Level),
    Index(
        "ix_devices_shadow_gap",
        "tenant_id",
        "device_id",
        postgresql_where=text("desired_level <> coalesce(reported_level, 'free')"),
    ),
    key=("device_id",),
)

command = tenant_table(
    "devices_command",
    Column("id", Uuid, nullable=False),
    Column("device_id", Uuid, nullable=False),
    Column("agreement_id", Uuid),
    Column("level", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key_number", SmallInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("refusal", Text),
    instant("issued_at"),
    instant("expires_at"),
    Column("send_count", Integer, nullable=False, server_default="0"),
    instant("next_send_at"),
    tenant_unique("device_id", "counter"),
    tenant_reference("device_id", "devices_device"),
    one_of("level", Level),
    one_of("state", CommandState),
    Index(
        "ix_devices_command_open",
        "tenant_id",
        "next_send_at",
        postgresql_where=text("state IN ('created', 'sent', 'accepted')"),
    ),
)

# Every state a command reached, never changed; a device's own signed words stand beside the state they caused.
command_step = tenant_table(
    "devices_command_step",
    Column("command_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    instant("at"),
    Column("report_body", LargeBinary),
    Column("report_signature", LargeBinary),
    tenant_reference("command_id", "devices_command"),
    one_of("state", CommandState),
    key=("command_id", "state"),
)

# Restriction notices whose delivery the carrier reported: our own record of what the guards rely on.
notice = tenant_table(
    "devices_notice",
    Column("message_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    instant("delivered_at"),
    key=("message_id",),
)

hold = tenant_table(
    "devices_hold",
    Column("agreement_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    instant("placed_at"),
    instant("lifted_at", nullable=True),
    one_of("kind", HoldKind),
    key=("agreement_id", "kind"),
)

# The lowest number signs; devices pin all of them, so that the next key is known before it is needed.
signer = tenant_table(
    "devices_signer",
    Column("number", SmallInteger, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("private_key_sealed", LargeBinary, nullable=False),
    instant("created_at"),
    CheckConstraint("octet_length(public_key) = 32", name="public_key_bytes"),
    key=("number",),
)
