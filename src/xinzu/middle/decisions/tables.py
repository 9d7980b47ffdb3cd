"""Tables of decisions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from xinzu.middle.decisions.model import Arm, DecisionOutcome, DecisionState, ModelState, ReferredBy, ReviewLevel, StrategyState
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

# A version of a strategy. The graph changes only while it is a draft or checked; ``revision`` counts the saves.
strategy = tenant_table(
    "decisions_strategy",
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("graph", JSONB, nullable=False),
    Column("graph_sha256", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("state", Text, nullable=False),
    instant("published_at", nullable=True),
    Column("published_by", Text, nullable=True),
    Column("id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("authors", ARRAY(Text), nullable=False),
    Column("submitted_by", Text, nullable=True),
    Column("approved_by", Text, nullable=True),
    instant("approved_at", nullable=True),
    Column("rejection", Text, nullable=True),
    Column("share_pct", SmallInteger, nullable=False),
    Column("is_shadowed", Boolean, nullable=False),
    Column("replaced", Integer, nullable=True),
    instant("changed_at"),
    one_of("state", StrategyState),
    CheckConstraint("version > 0", name="version_min"),
    CheckConstraint("share_pct BETWEEN 0 AND 99 AND (share_pct = 0 OR state = 'approved')", name="share_of_approved"),
    CheckConstraint("NOT is_shadowed OR state = 'approved'", name="shadow_of_approved"),
    CheckConstraint("state <> 'published' OR (published_at IS NOT NULL AND approved_by IS NOT NULL)", name="published_approved"),
    tenant_unique("id"),
    Index("uq_decisions_strategy_published", "tenant_id", "key", unique=True, postgresql_where=text("state = 'published'")),
    Index("uq_decisions_strategy_candidate", "tenant_id", "key", unique=True, postgresql_where=text("share_pct > 0")),
    key=("key", "version"),
)

# A version of a model with its artefact, which never changes. Several versions of a key may be published: a strategy names the one it reads.
model = tenant_table(
    "decisions_model",
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("card", JSONB, nullable=False),
    Column("artefact", Text, nullable=False),
    Column("artefact_sha256", Text, nullable=False),
    Column("registered_by", Text, nullable=False),
    instant("registered_at"),
    Column("published_by", Text, nullable=True),
    instant("published_at", nullable=True),
    Column("retired_by", Text, nullable=True),
    instant("retired_at", nullable=True),
    one_of("state", ModelState),
    CheckConstraint("version > 0", name="version_min"),
    CheckConstraint("published_by <> registered_by", name="four_eyes"),
    CheckConstraint("state <> 'published' OR published_by IS NOT NULL", name="published_by_somebody"),
    tenant_unique("id"),
    key=("key", "version"),
)

golden_case = tenant_table(
    "decisions_golden_case",
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason_codes", ARRAY(Text), nullable=False),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    one_of("outcome", DecisionOutcome),
    key=("key", "name"),
)

# How the versions of a key are tried out; without a row the defaults of ``model.Experiment`` hold: nobody is accepted at random.
experiment = tenant_table(
    "decisions_experiment",
    Column("key", Text, nullable=False),
    Column("accept_bp", SmallInteger, nullable=False),
    Column("accept_count_max", Integer, nullable=False),
    fen("accept_max_fen"),
    Column("window_hours", SmallInteger, nullable=False),
    Column("count_min", Integer, nullable=False),
    Column("approval_change_pct_max", SmallInteger, nullable=False),
    Column("refer_rise_pct_max", SmallInteger, nullable=False),
    Column("failure_rise_pct_max", SmallInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    CheckConstraint("accept_bp BETWEEN 0 AND 100", name="accept_bp_range"),
    CheckConstraint("accept_count_max >= 0 AND window_hours > 0 AND count_min > 0", name="counts_min"),
    key=("key",),
)

# What a challenger would have decided. Nothing follows from it for anybody.
shadow = tenant_table(
    "decisions_shadow",
    Column("decision_id", Uuid, nullable=False),
    Column("strategy_id", Uuid, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason_codes", ARRAY(Text), nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    instant("computed_at"),
    one_of("outcome", DecisionOutcome),
    tenant_reference("decision_id", "decisions_decision"),
    tenant_reference("strategy_id", "decisions_strategy"),
    Index("ix_decisions_shadow_strategy", "tenant_id", "strategy_id"),
    key=("decision_id", "strategy_id"),
)

# ``outcome``, ``reason_codes``, ``inputs`` and what follows from them are the strategy's and are never updated; only ``state`` and
# ``referred_*`` move. ``accepted_fen`` is what was risked by an acceptance at random, against the strategy's word. ``inputs_salt`` is
# the salt of the digest that stands in the evidence leaf.
decision = tenant_table(
    "decisions_decision",
    Column("id", Uuid, nullable=False),
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("strategy_key", Text, nullable=False),
    Column("strategy_version", Integer, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason_codes", ARRAY(Text), nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("inputs_salt", LargeBinary, nullable=False),
    Column("outputs", JSONB, nullable=False),
    Column("trace", JSONB(none_as_null=True), nullable=True),
    Column("duration_us", BigInteger, nullable=False),
    instant("decided_at"),
    Column("referred_by", Text, nullable=True),
    instant("referred_at", nullable=True),
    Column("arm", Text, nullable=False),
    Column("review_level", Text, nullable=True),
    fen("accepted_fen", nullable=True),
    one_of("outcome", DecisionOutcome),
    one_of("state", DecisionState),
    one_of("referred_by", ReferredBy),
    one_of("arm", Arm),
    one_of("review_level", ReviewLevel),
    CheckConstraint("(arm = 'random_accept') = (accepted_fen IS NOT NULL)", name="accepted_amount"),
    tenant_unique("application_id"),
    Index("ix_decisions_decision_party", "tenant_id", "party_id", "decided_at"),
    Index("ix_decisions_decision_referred", "tenant_id", "id", postgresql_where=text("state = 'referred'")),
    Index("ix_decisions_decision_key", "tenant_id", "strategy_key", "decided_at"),
)

# What people said: the first review, and after an appeal a second one by somebody else.
review = tenant_table(
    "decisions_review",
    Column("decision_id", Uuid, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("note_sealed", LargeBinary, nullable=True),
    Column("reviewer", Text, nullable=False),
    instant("reviewed_at"),
    tenant_reference("decision_id", "decisions_decision"),
    CheckConstraint("outcome IN ('approve', 'decline')", name="outcome_final"),
    CheckConstraint("round IN (1, 2)", name="round_known"),
    key=("decision_id", "round"),
)

# A decision's place in the reviewers' queue, until ``closed_at``. ``level`` is who may decide at least, ``escalated_to`` who is asked since it
# was late; ``due_at`` is when its clock runs out, none once the highest level is late. Actors stand as they do beside facts. ``held_by``
# outlives ``held_until``: who let a claim run out is asked last.
referral = tenant_table(
    "decisions_referral",
    Column("decision_id", Uuid, nullable=False),
    Column("level", Text, nullable=False),
    Column("round", SmallInteger, nullable=False),
    instant("queued_at"),
    instant("due_at", nullable=True),
    Column("escalated_to", Text, nullable=True),
    Column("escalated_count", SmallInteger, nullable=False),
    Column("entered_by", Text, nullable=True),
    Column("held_by", Text, nullable=True),
    instant("held_until", nullable=True),
    instant("closed_at", nullable=True),
    one_of("level", ReviewLevel),
    one_of("escalated_to", ReviewLevel),
    CheckConstraint("round IN (1, 2)", name="round_known"),
    CheckConstraint("held_until IS NULL OR held_by IS NOT NULL", name="held_by_somebody"),
    tenant_reference("decision_id", "decisions_decision"),
    Index("ix_decisions_referral_open", "tenant_id", "decision_id", postgresql_where=text("closed_at IS NULL")),
    Index("ix_decisions_referral_due", "tenant_id", "due_at", postgresql_where=text("closed_at IS NULL")),
    key=("decision_id",),
)

# A person's appeal against what a person declined, once. The grounds are the person's own words.
appeal = tenant_table(
    "decisions_appeal",
    Column("decision_id", Uuid, nullable=False),
    Column("grounds_sealed", LargeBinary, nullable=True),
    Column("asked_by", Text, nullable=False),
    instant("asked_at"),
    tenant_reference("decision_id", "decisions_decision"),
    key=("decision_id",),
)

# An operator's level. Whoever has no row has the level of the role. ``party_id``: who the operator is as a customer, where that is known.
reviewer = tenant_table(
    "decisions_reviewer",
    Column("login", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("is_available", Boolean, nullable=False),
    Column("held_max", SmallInteger, nullable=False),
    Column("party_id", Uuid, nullable=True),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    one_of("level", ReviewLevel),
    CheckConstraint("held_max BETWEEN 1 AND 200", name="held_max_range"),
    tenant_reference("party_id", "parties_person"),
    key=("login",),
)

# The tenant's clock of reviews; without a row the defaults of ``model.ReviewPolicy`` hold.
review_policy = tenant_table(
    "decisions_review_policy",
    Column("reviewer_minutes", Integer, nullable=False),
    Column("senior_minutes", Integer, nullable=False),
    Column("committee_minutes", Integer, nullable=False),
    Column("claim_minutes", Integer, nullable=False),
    Column("opens_minute", SmallInteger, nullable=False),
    Column("closes_minute", SmallInteger, nullable=False),
    Column("is_open_daily", Boolean, nullable=False),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    CheckConstraint("least(reviewer_minutes, senior_minutes, committee_minutes, claim_minutes) > 0", name="minutes_min"),
    CheckConstraint("opens_minute >= 0 AND closes_minute <= 1440 AND closes_minute - opens_minute >= 60", name="hours_range"),
    key=(),
)

# Up to how much a party may hold in all, for agreements to come. ``contributions`` say why: each has a code, fen and the number it is from.
credit_line = tenant_table(
    "decisions_credit_line",
    Column("party_id", Uuid, nullable=False),
    fen("line_fen"),
    Column("is_frozen", Boolean, nullable=False),
    Column("contributions", JSONB, nullable=False),
    instant("computed_at"),
    Column("computed_by", Text, nullable=False),
    key=("party_id",),
)

# A version, or a graph nobody saved, replayed on stored decisions: what was asked, how far it is, what it found.
backtest = tenant_table(
    "decisions_backtest",
    Column("id", Uuid, nullable=False),
    Column("strategy_id", Uuid, nullable=True),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=True),
    Column("graph", JSONB, nullable=False),
    Column("graph_sha256", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("since_on", Date, nullable=False),
    Column("until_on", Date, nullable=False),
    Column("limit_count", Integer, nullable=False),
    Column("segments", ARRAY(Text), nullable=False),
    Column("maturity_days", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decisions_total", Integer, nullable=False),
    Column("decisions_done", Integer, nullable=False),
    Column("report", JSONB(none_as_null=True), nullable=True),
    Column("failure", Text, nullable=True),
    Column("asked_by", Text, nullable=False),
    instant("asked_at"),
    instant("finished_at", nullable=True),
    CheckConstraint("state IN ('asked', 'running', 'done', 'failed')", name="state_known"),
    CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="finished"),
    tenant_reference("strategy_id", "decisions_strategy"),
    Index("ix_decisions_backtest_strategy", "tenant_id", "strategy_id"),
)

# The snapshots of a stretch of past decisions once more, as one column per indicator: made for replays from what never changes, and held
# against the ids of the decisions each time it is read. Without it a replay reads the snapshots themselves.
column = tenant_table(
    "decisions_column",
    Column("key", Text, nullable=False),
    instant("begins_at"),
    Column("name", Text, nullable=False),
    instant("ends_before"),
    Column("decisions", Integer, nullable=False),
    Column("ids_digest", LargeBinary, nullable=False),
    Column("cells", LargeBinary, nullable=False),
    key=("key", "begins_at", "name"),
)

# What a party holds or is about to hold: opened by an approval, closed when the order ends or never comes about. ``defaulted_on`` is
# the first day at whose close it was 90 days past due, whatever was paid later: what models are measured by;
# ``bad_on`` the first day it was 30 days past due, or written off: what replays on history know.
exposure = tenant_table(
    "decisions_exposure",
    Column("application_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    fen("device_value_fen"),
    instant("opened_at"),
    instant("closed_at", nullable=True),
    Column("agreement_id", Uuid, nullable=True),
    Column("overdue_on", Date, nullable=True),
    Column("cleared_on", Date, nullable=True),
    Column("defaulted_on", Date, nullable=True),
    Column("bad_on", Date, nullable=True),
    Index("ix_decisions_exposure_party", "tenant_id", "party_id", postgresql_where=text("closed_at IS NULL")),
    Index("ix_decisions_exposure_agreement", "tenant_id", "agreement_id", postgresql_where=text("agreement_id IS NOT NULL")),
    key=("application_id",),
)
