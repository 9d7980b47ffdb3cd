"""Tables of screening. Keys are ids, codes and keyed digests: nothing in them tells of a person to whoever reads them alone."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from xinzu.middle.screening.model import (
    AlertRule,
    AlertState,
    Direction,
    LinkKind,
    ListColour,
    ListedKind,
    ListReason,
    Method,
    WatchKind,
)
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

KEPT = "interval '10 years'"

# A party with the component it is in: the smallest id of all that are related, whatever lies between. Changed when two components meet.
# ``watched_version`` is the sum of the watch lists' versions it was last compared with.
party = tenant_table(
    "screening_party",
    Column("party_id", Uuid, nullable=False),
    Column("component_id", Uuid, nullable=False),
    instant("first_seen_at"),
    instant("declined_at", nullable=True),
    instant("defaulted_at", nullable=True),
    instant("cured_at", nullable=True),
    Column("watched_version", Integer, nullable=False, server_default="0"),
    tenant_reference("party_id", "parties_person"),
    Index("ix_screening_party_component", "tenant_id", "component_id"),
    key=("party_id",),
)

# A party applied with this device, phone, address, …
link = tenant_table(
    "screening_link",
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("party_id", Uuid, nullable=False),
    instant("first_seen_at"),
    instant("last_seen_at"),
    one_of("kind", LinkKind),
    tenant_reference("party_id", "screening_party", "party_id"),
    Index("ix_screening_link_party", "tenant_id", "party_id"),
    key=("kind", "key", "party_id"),
)

# An application and what became of it, as far as it tells of cash-out rentals.
order = tenant_table(
    "screening_order",
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("dealer_key", Text),
    Column("address_key", Text),
    Column("agreement_id", Uuid),
    instant("applied_at"),
    instant("approved_at", nullable=True),
    instant("cancelled_at", nullable=True),
    instant("commenced_at", nullable=True),
    instant("ended_at", nullable=True),
    tenant_reference("party_id", "screening_party", "party_id"),
    Index("ix_screening_order_party", "tenant_id", "party_id"),
    Index("ix_screening_order_dealer", "tenant_id", "dealer_key", "applied_at", postgresql_where=text("dealer_key IS NOT NULL")),
    Index("ix_screening_order_agreement", "tenant_id", "agreement_id", postgresql_where=text("agreement_id IS NOT NULL")),
    key=("application_id",),
)

# Where an application goes since its customer changed it, until it is decided on.
address = tenant_table(
    "screening_address",
    Column("application_id", Uuid, nullable=False),
    Column("address_key", Text, nullable=False),
    instant("changed_at"),
    key=("application_id",),
)

list_entry = tenant_table(
    "screening_list_entry",
    Column("id", Uuid, nullable=False),
    Column("colour", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("expires_on", Date),
    instant("expires_at", nullable=True),
    Column("added_by", Text, nullable=False),
    instant("added_at"),
    Column("removed_by", Text),
    instant("removed_at", nullable=True),
    Column("removal_reason", Text),
    one_of("colour", ListColour),
    one_of("kind", ListedKind),
    one_of("reason", ListReason),
    CheckConstraint("(expires_on IS NULL) = (expires_at IS NULL)", name="expiry_whole"),
    CheckConstraint(
        "(removed_at IS NULL) = (removed_by IS NULL) AND (removed_at IS NULL) = (removal_reason IS NULL)", name="removal_whole"
    ),
    Index("ix_screening_list_entry_key", "tenant_id", "kind", "key"),
)

# A published list as it was last imported.
watch_list = tenant_table(
    "screening_watch_list",
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("entry_count", Integer, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("imported_by", Text, nullable=False),
    instant("imported_at"),
    one_of("kind", WatchKind),
    CheckConstraint("version > 0", name="version_min"),
    key=("name",),
)

# Names stand here as their publisher gives them; document numbers as keyed digests.
watch_entry = tenant_table(
    "screening_watch_entry",
    Column("id", Uuid, nullable=False),
    Column("list_name", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("names", ARRAY(Text), nullable=False),
    Column("birth_on", Date),
    Column("document_key", Text),
    tenant_reference("list_name", "screening_watch_list", "name"),
    tenant_unique("list_name", "reference"),
)

# By which an entry is found: of a name of a few thousand, those it may be like are few.
watch_key = tenant_table(
    "screening_watch_key",
    Column("key", Text, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    tenant_reference("entry_id", "screening_watch_entry"),
    Index("ix_screening_watch_key_entry", "tenant_id", "entry_id"),
    key=("key", "entry_id"),
)

# Kept ten years from the movement (反洗钱法 art. 34): nothing erases them earlier.
movement = tenant_table(
    "screening_movement",
    Column("id", Uuid, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("direction", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    fen("amount_fen", minimum=1),
    Column("payer_key", Text),
    Column("moved_on", Date, nullable=False),
    Column("keep_until_on", Date, nullable=False),
    instant("recorded_at"),
    Column("recorded_by", Text, nullable=False),
    one_of("direction", Direction),
    one_of("method", Method),
    CheckConstraint(f"keep_until_on >= moved_on + {KEPT}", name="kept_ten_years"),
    tenant_unique("source", "source_ref"),
    Index("ix_screening_movement_party", "tenant_id", "party_id", "moved_on"),
)

alert = tenant_table(
    "screening_alert",
    Column("id", Uuid, nullable=False),
    Column("rule", Text, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("raised_on", Date, nullable=False),
    fen("amount_fen"),
    Column("references", ARRAY(Text), nullable=False),
    Column("score", Numeric(5, 4)),
    Column("state", Text, nullable=False),
    Column("assignee", Text),
    Column("report_due_on", Date),
    Column("keep_until_on", Date, nullable=False),
    instant("raised_at"),
    Column("decided_by", Text),
    instant("decided_at", nullable=True),
    Column("decision_reason", Text),
    Column("report_ref", Text),
    one_of("rule", AlertRule),
    one_of("state", AlertState),
    CheckConstraint(f"keep_until_on >= raised_on + {KEPT}", name="kept_ten_years"),
    CheckConstraint("(state = 'reported') = (report_ref IS NOT NULL)", name="report_named"),
    CheckConstraint("(state IN ('reported', 'dismissed')) = (decided_by IS NOT NULL)", name="decision_signed"),
    tenant_reference("party_id", "parties_person"),
    # One at a time; what is decided stands, and what comes later is another.
    Index(
        "uq_screening_alert_undecided",
        "tenant_id",
        "rule",
        "party_id",
        "raised_on",
        unique=True,
        postgresql_where=text("state IN ('open', 'assigned')"),
    ),
    Index("ix_screening_alert_party", "tenant_id", "party_id", "rule"),
    Index("ix_screening_alert_state", "tenant_id", "state", "id"),
)
