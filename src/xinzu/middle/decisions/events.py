"""What was decided."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import Instant


@event("xinzu.decisions.decision.made.v1")
@dataclass(frozen=True, kw_only=True)
class DecisionMade(Event):
    """A decision on an application, by the strategy or by a reviewer. Subject: the application.

    ``outcome`` is approve, decline or refer; ``decided_by`` is strategy or reviewer. ``arm`` is champion, candidate or random_accept.
    A referral by the strategy names the level of review; an approval may carry the share of the deposit that is waived in percent, a
    credit line in fen and a price band. A reviewer's refer says that an appeal put it before another person.
    """

    decision_id: UUID
    outcome: str
    decided_by: str
    reason_codes: list[str]
    strategy_key: str
    strategy_version: int
    arm: str = "champion"
    review_level: str | None = None
    deposit_waiver_pct: int | None = None
    credit_line_fen: int | None = None
    price_band: str | None = None


@event("xinzu.decisions.strategy.rolled_back.v1")
@dataclass(frozen=True, kw_only=True)
class StrategyRolledBack(Event):
    """A version decides no more, and what stood before it does. Subject: the version that was taken back.

    ``restored_version`` is published now. ``guard_rail`` is approval_rate, refer_rate or failure_rate when nobody asked for it but the
    rates of the candidate did; else None.
    """

    strategy_key: str
    strategy_version: int
    restored_version: int
    reason: str
    guard_rail: str | None


@event("xinzu.decisions.review.escalated.v1")
@dataclass(frozen=True, kw_only=True)
class ReviewEscalated(Event):
    """Nobody decided in time: the next level is asked now, until ``due_at``. Subject: the application.

    ``due_at`` is None and the level unchanged when the highest level is late; that is said once.
    """

    decision_id: UUID
    level_before: str
    level: str
    due_at: Instant | None


@event("xinzu.decisions.review.appealed.v1")
@dataclass(frozen=True, kw_only=True)
class ReviewAppealed(Event):
    """The applicant appeals against what a person declined: another person decides. Subject: the application."""

    decision_id: UUID
    party_id: UUID


@event("xinzu.decisions.credit_line.changed.v1")
@dataclass(frozen=True, kw_only=True)
class CreditLineChanged(Event):
    """Up to how much a party may hold in all has changed, for agreements to come. Subject: the party.

    ``line_before_fen`` is None for the first one; ``is_frozen`` while the party is in arrears.
    """

    line_before_fen: int | None
    line_fen: int
    is_frozen: bool
