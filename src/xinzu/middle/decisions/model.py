"""Nouns of decisions: outcomes, states, strategies, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import Instant

Graph: TypeAlias = Mapping[str, Any]
Indicators: TypeAlias = dict[str, str | int | bool | None]


class DecisionOutcome(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    REFER = "refer"


class DecidedBy(StrEnum):
    STRATEGY = "strategy"
    REVIEWER = "reviewer"


class ReferredBy(StrEnum):
    """Who asked for a person: the strategy, or the applicant after an automated decline (PIPL art. 24)."""

    STRATEGY = "strategy"
    APPLICANT = "applicant"


class StrategyState(StrEnum):
    PUBLISHED = "published"
    RETIRED = "retired"


class DecisionState(StrEnum):
    """decided: the strategy's word stands; referred: waits for a person; reviewed: a person has spoken; withdrawn: no longer needed."""

    DECIDED = "decided"
    REFERRED = "referred"
    REVIEWED = "reviewed"
    WITHDRAWN = "withdrawn"


DECISION_MOVES = Transitions(
    "决策",
    {
        DecisionState.DECIDED: {DecisionState.REFERRED},
        DecisionState.REFERRED: {DecisionState.REVIEWED, DecisionState.WITHDRAWN},
        DecisionState.REVIEWED: set(),
        DecisionState.WITHDRAWN: set(),
    },
)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A published version of a strategy. ``engine_version`` is the engine it was published for: results may differ under another."""

    key: str
    version: int
    graph_sha256: str
    engine_version: str
    graph: Graph


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a strategy says about one application. ``trace`` holds the table rows that hit; None for an approval."""

    outcome: DecisionOutcome
    reason_codes: Sequence[str]
    outputs: Mapping[str, Any]
    trace: Sequence[Mapping[str, Any]] | None
    duration_us: int


@dataclass(frozen=True, slots=True)
class PartyHistory:
    """What this module knows of a party at an instant, the present application not counted."""

    applications_before: int = 0
    applications_24h: int = 0
    declines_90d: int = 0
    active_orders: int = 0
    exposure_fen: int = 0
    overdue_orders: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it is stored. ``outcome`` is the strategy's and never changes; a person's stands in ``review``."""

    id: UUID
    application_id: UUID
    party_id: UUID
    strategy_key: str
    strategy_version: int
    engine_version: str
    outcome: DecisionOutcome
    state: DecisionState
    referred_by: ReferredBy | None
    reason_codes: Sequence[str]
    inputs: Indicators
    outputs: Mapping[str, Any]
    trace: Sequence[Mapping[str, Any]] | None
    duration_us: int
    decided_at: Instant
    review: Review | None

    @property
    def standing_outcome(self) -> DecisionOutcome:
        """What counts now: the reviewer's word when there is one; refer while a person is asked; else the strategy's."""
        if self.review is not None:
            return self.review.outcome
        return DecisionOutcome.REFER if self.state is DecisionState.REFERRED else self.outcome

    @property
    def standing_reason_codes(self) -> Sequence[str]:
        """Why it stands so: the reviewer's reason when there is one, else the strategy's."""
        return [self.review.reason_code] if self.review is not None else self.reason_codes


@dataclass(frozen=True, slots=True)
class Review:
    """A person's decision. The note stays sealed in the database and is not part of it."""

    outcome: DecisionOutcome
    reason_code: str
    reviewer: str
    reviewed_at: Instant


class ReasonUse(StrEnum):
    """Who may give the reason."""

    LAW = "law"
    STRATEGY = "strategy"
    REVIEW_APPROVE = "review_approve"
    REVIEW_DECLINE = "review_decline"


@dataclass(frozen=True, slots=True)
class Reason:
    """One code. ``text`` is what the customer reads, ``remedy`` what the customer can do, ``inside`` what the staff reads."""

    code: str
    use: ReasonUse
    inside_zh: str
    text_zh: str
    text_en: str
    remedy_zh: str
    remedy_en: str


Catalogue: TypeAlias = Mapping[str, Reason]
