"""Nouns of decisions: outcomes, states, strategies, verdicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import Instant

Graph: TypeAlias = Mapping[str, Any]
Indicators: TypeAlias = dict[str, str | int | float | bool | None]


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


class Arm(StrEnum):
    """By which arm of an experiment an application was decided.

    champion: the published version; candidate: the version under gray publication; random_accept: the strategy declined, and the
    application was accepted all the same so that somebody learns what becomes of those it declines.
    """

    CHAMPION = "champion"
    CANDIDATE = "candidate"
    RANDOM_ACCEPT = "random_accept"


class StrategyState(StrEnum):
    """draft: has findings or failing golden cases; checked: has none; submitted: waits for a second person; approved: may decide a share of
    the applications (gray) or shadow them; published: the champion, one for each key; retired: decides no more."""

    DRAFT = "draft"
    CHECKED = "checked"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PUBLISHED = "published"
    RETIRED = "retired"


# A retired version is published again only by rolling back to it.
STRATEGY_MOVES = Transitions(
    "策略版本",
    {
        StrategyState.DRAFT: {StrategyState.CHECKED, StrategyState.RETIRED},
        StrategyState.CHECKED: {StrategyState.DRAFT, StrategyState.SUBMITTED, StrategyState.RETIRED},
        StrategyState.SUBMITTED: {StrategyState.DRAFT, StrategyState.APPROVED, StrategyState.RETIRED},
        StrategyState.APPROVED: {StrategyState.PUBLISHED, StrategyState.RETIRED},
        StrategyState.PUBLISHED: {StrategyState.RETIRED},
        StrategyState.RETIRED: {StrategyState.PUBLISHED},
    },
)
EDITABLE = frozenset({StrategyState.DRAFT, StrategyState.CHECKED})


class ModelState(StrEnum):
    """registered: waits for a second person; published: strategies may read it; retired: they may no more."""

    REGISTERED = "registered"
    PUBLISHED = "published"
    RETIRED = "retired"


MODEL_MOVES = Transitions(
    "模型版本",
    {
        ModelState.REGISTERED: {ModelState.PUBLISHED, ModelState.RETIRED},
        ModelState.PUBLISHED: {ModelState.RETIRED},
        ModelState.RETIRED: set(),
    },
)


class DecisionState(StrEnum):
    """decided: the strategy's word stands; referred: waits for a person; reviewed: a person has spoken (an appeal puts it before another);
    withdrawn: no longer needed."""

    DECIDED = "decided"
    REFERRED = "referred"
    REVIEWED = "reviewed"
    WITHDRAWN = "withdrawn"


DECISION_MOVES = Transitions(
    "决策",
    {
        DecisionState.DECIDED: {DecisionState.REFERRED},
        DecisionState.REFERRED: {DecisionState.REVIEWED, DecisionState.WITHDRAWN},
        DecisionState.REVIEWED: {DecisionState.REFERRED},
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


class Severity(StrEnum):
    """An error keeps a version from being submitted; a warning is shown to the author and to whoever approves."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a graph, where, and what to do about it. ``counsel``: a lawyer has to look at it before it is approved."""

    code: str
    severity: Severity
    node: str
    row: str
    column: str
    text_zh: str
    text_en: str
    remedy_zh: str
    remedy_en: str
    counsel: bool = False

    @property
    def where(self) -> str:
        parts = (("node", self.node), ("row", self.row), ("column", self.column))
        return ", ".join(f"{noun} {name}" for noun, name in parts if name)


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """Inputs and the answer every version of a strategy must give to them. Reasons are compared in order."""

    name: str
    inputs: Indicators
    outcome: DecisionOutcome
    reason_codes: Sequence[str]


@dataclass(frozen=True, slots=True)
class FailedCase:
    """A golden case a graph answers otherwise: with ``outcome`` and ``reason_codes``, or not at all (``broken`` says why)."""

    name: str
    expected_outcome: DecisionOutcome
    expected_reason_codes: Sequence[str]
    outcome: DecisionOutcome | None
    reason_codes: Sequence[str]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks of a save found."""

    findings: Sequence[Finding]
    failed_cases: Sequence[FailedCase]
    cases_run: int

    @property
    def passed(self) -> bool:
        return not self.failed_cases and all(finding.severity is not Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class StrategyVersion:
    """A version in its life. ``authors`` are all who saved it: none of them may approve, publish or roll it back.

    ``revision`` counts saves. ``share_pct`` of the parties are decided by it while it is approved; ``is_shadowed`` versions are asked
    after every commit without deciding anything. ``replaced`` is the version it took the place of when it was published.
    """

    id: UUID
    key: str
    version: int
    revision: int
    state: StrategyState
    graph: Graph
    graph_sha256: str
    engine_version: str
    note: str
    report: Report
    authors: Sequence[str]
    submitted_by: str | None
    approved_by: str | None
    published_by: str | None
    published_at: Instant | None
    rejection: str | None
    share_pct: int
    is_shadowed: bool
    replaced: int | None
    changed_at: Instant

    @property
    def strategy(self) -> Strategy:
        return Strategy(self.key, self.version, self.graph_sha256, self.engine_version, self.graph)


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``what`` is node, edge, row, column, expression, statement, cell or setting; ``row`` and ``column`` say where in the
    node; ``before`` or ``after`` is None for what was added or removed."""

    what: str
    node: str
    row: str
    column: str
    before: Any
    after: Any


SHARES_PCT = (1, 5, 20, 50, 100)
MATURITY_DAYS = 180  # of an order, in replays on history: after it what became of it counts as known


@dataclass(frozen=True, slots=True)
class Experiment:
    """How a key's versions are tried out: the random accept arm with its budget, and the guard rails of gray publication.

    ``accept_bp`` of the strategy's declines (in basis points, 100 = 1 %) are accepted at random, at most ``accept_count_max`` and
    ``accept_max_fen`` in a calendar month of the tenant. A candidate is rolled back when, over ``window_hours`` and from ``count_min``
    decisions in each arm on, its rates differ from the champion's by more than these percentage points.
    """

    accept_bp: int = 0
    accept_count_max: int = 0
    accept_max_fen: int = 0
    window_hours: int = 24
    count_min: int = 100
    approval_change_pct_max: int = 10
    refer_rise_pct_max: int = 10
    failure_rise_pct_max: int = 1


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """Decisions of one arm over a window. ``failed`` counts those referred because the strategy failed."""

    decided: int
    approved: int
    referred: int
    failed: int


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """What a challenger would have decided beside what was decided: counts by (decided outcome, challenger's outcome)."""

    challenger: int
    compared: int
    agreed: int
    failed: int
    counts: Sequence[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Offer:
    """What an approval carries besides: the share of the deposit that is waived, the credit line and the price band of the strategy."""

    deposit_waiver_pct: int | None = None
    credit_line_fen: int | None = None
    price_band: str | None = None


class ReviewLevel(StrEnum):
    """To whom a referral goes, lowest first: whoever may decide one level may decide those before it."""

    REVIEWER = "reviewer"
    SENIOR = "senior"
    COMMITTEE = "committee"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a strategy says about one application. ``trace`` holds the table rows that hit; None for an approval."""

    outcome: DecisionOutcome
    reason_codes: Sequence[str]
    outputs: Mapping[str, Any]
    trace: Sequence[Mapping[str, Any]] | None
    duration_us: int
    offer: Offer = Offer()
    review_level: ReviewLevel | None = None


@dataclass(frozen=True, slots=True)
class PartyHistory:
    """What this module knows of a party at an instant, the present application not counted."""

    applications_before: int = 0
    applications_24h: int = 0
    declines_90d: int = 0
    active_orders: int = 0
    exposure_fen: int = 0
    overdue_orders: int = 0
    credit_line_fen: int | None = None


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
    arm: Arm = Arm.CHAMPION
    review_level: ReviewLevel | None = None

    @property
    def standing_outcome(self) -> DecisionOutcome:
        """What counts now: refer while a person is asked, also on appeal; else the last reviewer's word when there is one; an acceptance
        at random; else the strategy's."""
        if self.review is not None and self.state is not DecisionState.REFERRED:
            return self.review.outcome
        if self.arm is Arm.RANDOM_ACCEPT:
            return DecisionOutcome.APPROVE
        return DecisionOutcome.REFER if self.state is DecisionState.REFERRED else self.outcome

    @property
    def standing_reason_codes(self) -> Sequence[str]:
        """Why it stands so: the reviewer's reason when there is one, else the strategy's; an acceptance at random needs none."""
        if self.review is not None:
            return [self.review.reason_code]
        return [] if self.arm is Arm.RANDOM_ACCEPT else self.reason_codes


@dataclass(frozen=True, slots=True)
class Review:
    """A person's decision, the last one. The note stays sealed in the database and is not part of it. ``round`` is 2 on appeal."""

    outcome: DecisionOutcome
    reason_code: str
    reviewer: str
    reviewed_at: Instant
    round: int = 1


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """A tenant's clock of reviews. Minutes are working minutes, between ``opens_minute`` and ``closes_minute`` of the local day, on working
    days of mainland China or, if ``is_open_daily``, on every day."""

    reviewer_minutes: int = 120
    senior_minutes: int = 240
    committee_minutes: int = 1_080
    claim_minutes: int = 30
    opens_minute: int = 9 * 60
    closes_minute: int = 18 * 60
    is_open_daily: bool = False

    def minutes_of(self, level: ReviewLevel) -> int:
        """How long a referral may wait at a level before it goes to the next."""
        return {
            ReviewLevel.REVIEWER: self.reviewer_minutes,
            ReviewLevel.SENIOR: self.senior_minutes,
            ReviewLevel.COMMITTEE: self.committee_minutes,
        }[level]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """An operator who reviews. ``party_id``: who he is as a customer, where that is known; ``held_max``: so many are assigned to him."""

    login: str
    level: ReviewLevel
    is_available: bool = True
    held_max: int = 20
    party_id: UUID | None = None

    @property
    def actor(self) -> str:
        """As he stands beside facts."""
        return f"operator:{self.login}"


@dataclass(frozen=True, slots=True)
class Referral:
    """A decision's place in the queue. ``level`` may decide it at least; ``escalated_to`` is asked since it was late. ``entered_by`` took the
    order in, ``reviewed_by`` decided it before an appeal; actors as they stand beside facts. ``held_by`` counts until ``held_until``."""

    decision_id: UUID
    application_id: UUID
    party_id: UUID
    level: ReviewLevel
    round: int
    queued_at: Instant
    due_at: Instant | None
    escalated_count: int
    entered_by: str | None
    held_by: str | None
    held_until: Instant | None
    reviewed_by: Collection[str] = ()
    escalated_to: ReviewLevel | None = None

    @property
    def asked_level(self) -> ReviewLevel:
        """Whose turn it is."""
        return self.escalated_to or self.level

    def holder(self, now: Instant) -> str | None:
        """Who holds it now; a claim ends by itself."""
        return self.held_by if self.held_until is not None and self.held_until > now else None


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part of a credit line, up or down; ``value`` is the number it is from (a count, days, fen, or a share in basis points)."""

    code: str
    fen: int
    value: int | None


@dataclass(frozen=True, slots=True)
class CreditLine:
    """Up to how much a party may hold in all, for agreements to come; the contributions add up to it."""

    line_fen: int
    is_frozen: bool
    contributions: Sequence[Contribution]


class ReasonUse(StrEnum):
    """Who may give the reason: the law before any strategy, this system when a strategy fails, a strategy, a reviewer."""

    LAW = "law"
    TECHNICAL = "technical"
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
    # A law, a list or a third party without whom the business cannot be done says so: never accepted at random.
    is_binding: bool = False


Catalogue: TypeAlias = Mapping[str, Reason]
