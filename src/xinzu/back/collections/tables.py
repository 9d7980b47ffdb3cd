"""Tables of collections."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.back.collections.model import CaseState, HoldReason, StepKind, StepState
from xinzu.kernel.terms import Family
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table

# What a message about an agreement calls it by, and which ladder it climbs.
agreement = tenant_table(
    "collections_agreement",
    Column("agreement_id", Uuid, nullable=False),
    Column("agreement_no", Text, nullable=False),
    Column("family", Text, nullable=False),
    one_of("family", Family),
    key=("agreement_id",),
)

case = tenant_table(
    "collections_case",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("days_past_due", Integer, nullable=False),
    fen("overdue_fen"),
    Column("aged_on", Date, nullable=False),
    instant("opened_at"),
    instant("closed_at", nullable=True),
    one_of("state", CaseState),
    CheckConstraint("days_past_due > 0", name="past_due"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closing_is_known"),
    Index("uq_collections_case_open", "tenant_id", "agreement_id", unique=True, postgresql_where=sql("state = 'open'")),
    Index("ix_collections_case_state", "tenant_id", "state", "id"),
)

# ``due_at``: not before. ``done_on`` is the debtor's local day, by which contacts are counted.
step = tenant_table(
    "collections_step",
    Column("id", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message_id", Uuid),
    Column("reason", Text),
    instant("planned_at"),
    instant("due_at"),
    instant("done_at", nullable=True),
    Column("done_on", Date),
    instant("delivered_at", nullable=True),
    tenant_reference("case_id", "collections_case"),
    one_of("kind", StepKind),
    one_of("state", StepState),
    Index("ix_collections_step_case", "tenant_id", "case_id", "id"),
    Index("ix_collections_step_message", "tenant_id", "message_id", postgresql_where=sql("message_id IS NOT NULL")),
    Index("ix_collections_step_due", "tenant_id", "due_at", postgresql_where=sql("state = 'planned'")),
    Index("ix_collections_step_contact", "tenant_id", "party_id", "done_on", postgresql_where=sql("message_id IS NOT NULL")),
)

hold = tenant_table(
    "collections_hold",
    Column("id", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    instant("placed_at"),
    Column("lifted_by", Text),
    instant("lifted_at", nullable=True),
    tenant_reference("case_id", "collections_case"),
    one_of("reason", HoldReason),
    Index(
        "uq_collections_hold_standing",
        "tenant_id",
        "case_id",
        "reason",
        unique=True,
        postgresql_where=sql("lifted_at IS NULL"),
    ),
)

# When an agreement's arrears were last cleared, so that an older ageing heard later opens no case.
clearance = tenant_table(
    "collections_clearance",
    Column("agreement_id", Uuid, nullable=False),
    Column("cleared_on", Date, nullable=False),
    key=("agreement_id",),
)

# The tenant's stricter values; no row means the floor.
policy = tenant_table(
    "collections_policy",
    Column("overrides", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    key=(),
)
