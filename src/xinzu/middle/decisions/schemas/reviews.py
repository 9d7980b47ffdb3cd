"""Reviews as they go over HTTP: the queue, claims, levels, the clock, appeals, statistics."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import Referral, Reviewer, ReviewPolicy
from xinzu.middle.decisions.schemas.decisions import TextView
from xinzu.platform.http.fields import PROSE, PublicId

Minutes = Annotated[int, Meta(ge=5, le=10_000)]
MinuteOfDay = Annotated[int, Meta(ge=0, le=1_440)]
Login = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$(?!\n)")]


class ReferralView(msgspec.Struct, kw_only=True):
    """A decision that waits for a person. ``level`` may decide it at least; ``escalated_to`` is asked since it was late. ``due_at`` is when the
    clock of whoever is asked runs out (then the next level is asked), none once the highest level is late; ``round`` is 2 on appeal;
    ``held_by`` only while the claim counts."""

    decision_id: str
    application_id: str
    party_id: str
    level: str
    round: int
    queued_at: Instant
    due_at: Instant | None
    escalated_to: str | None
    escalated_count: int
    held_by: str | None
    held_until: Instant | None


class ReferralPage(msgspec.Struct, kw_only=True):
    """What waits, oldest first."""

    items: list[ReferralView]
    next_cursor: str | None


class Claimed(msgspec.Struct, kw_only=True):
    """Who holds a decision now, and until when."""

    id: str
    held_by: str | None
    held_until: Instant | None


class AppealBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the person appeals, in the person's own words; sealed, read by the reviewer only."""

    grounds: Annotated[str, Meta(max_length=2_000, pattern=PROSE)] | None = None


class Appealed(msgspec.Struct, kw_only=True):
    """The decision waits for another person."""

    id: str
    state: str


class AppealView(msgspec.Struct, kw_only=True):
    """An appeal as its reviewer reads it."""

    decision_id: str
    asked_at: Instant
    asked_by: str
    grounds: str | None


class ReviewerBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An operator's level. ``party_id``: who the operator is as a customer, where that is known; ``held_max``: so many are assigned at
    once. Whoever is not available is assigned nothing and may still claim."""

    login: Login
    level: Literal["reviewer", "senior", "committee"]
    is_available: bool = True
    held_max: Annotated[int, Meta(ge=1, le=200)] = 20
    party_id: PublicId | None = None


class ReviewerView(msgspec.Struct, kw_only=True):
    """An operator's level, as it was set."""

    login: str
    level: str
    is_available: bool
    held_max: int
    party_id: str | None


class ReviewerList(msgspec.Struct, kw_only=True):
    """Operators whose level was set. All others review at the level of their role: reviewer, or committee for whoever sets levels."""

    items: list[ReviewerView]


class PolicyBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The clock of reviews in working minutes: how long a level has, how long a claim holds, and when people work (minutes of the local day;
    working days of mainland China unless ``is_open_daily``)."""

    reviewer_minutes: Minutes = 120
    senior_minutes: Minutes = 240
    committee_minutes: Minutes = 1_080
    claim_minutes: Minutes = 30
    opens_minute: MinuteOfDay = 540
    closes_minute: MinuteOfDay = 1_080
    is_open_daily: bool = False


class PolicyView(msgspec.Struct, kw_only=True):
    """The clock of reviews; see the body it is set by."""

    reviewer_minutes: int
    senior_minutes: int
    committee_minutes: int
    claim_minutes: int
    opens_minute: int
    closes_minute: int
    is_open_daily: bool


class ShareView(msgspec.Struct, kw_only=True):
    """``hits`` of ``count`` in percent with the 95 % interval (Wilson); no rate when nothing was counted. ``is_small``: fewer than 30."""

    hits: int
    count: int
    rate_pct: float | None
    low_pct: float | None
    high_pct: float | None
    is_small: bool


class ReasonStatistics(msgspec.Struct, kw_only=True):
    """One reason of strategies. ``overturned``: of its declines that a person looked at, those approved (the estimate of false rejects);
    ``approved``: of its referrals that a person decided, those approved."""

    code: str
    inside: str
    declined_count: int
    referred_count: int
    overturned: ShareView
    approved: ShareView


class ReviewerStatistics(msgspec.Struct, kw_only=True):
    """One reviewer. ``with_strategy``: of the strategy's declines this person looked at, those declined again; ``upheld``: of this person's
    declines that were appealed and answered, those another person declined too."""

    reviewer: str
    reviewed_count: int
    approved_count: int
    with_strategy: ShareView
    upheld: ShareView


class ReviewStatistics(msgspec.Struct, kw_only=True):
    """What people made of what strategies said, from ``begin_on`` to ``until_on`` inclusive, and how far it may be believed."""

    begin_on: date
    until_on: date
    reasons: list[ReasonStatistics]
    reviewers: list[ReviewerStatistics]
    statement: TextView


def referral_view(referral: Referral, now: Instant) -> ReferralView:
    holder = referral.holder(now)
    return ReferralView(
        decision_id=public_id(Prefix.DECISION, referral.decision_id),
        application_id=public_id(Prefix.APPLICATION, referral.application_id),
        party_id=public_id(Prefix.PARTY, referral.party_id),
        level=referral.level,
        round=referral.round,
        queued_at=referral.queued_at,
        due_at=referral.due_at,
        escalated_to=referral.escalated_to,
        escalated_count=referral.escalated_count,
        held_by=holder,
        held_until=None if holder is None else referral.held_until,
    )


def reviewer_view(reviewer: Reviewer) -> ReviewerView:
    return ReviewerView(
        login=reviewer.login,
        level=reviewer.level,
        is_available=reviewer.is_available,
        held_max=reviewer.held_max,
        party_id=None if reviewer.party_id is None else public_id(Prefix.PARTY, reviewer.party_id),
    )


def policy_view(policy: ReviewPolicy) -> PolicyView:
    return msgspec.convert(policy, PolicyView, from_attributes=True)
