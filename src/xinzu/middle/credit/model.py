"""Nouns of credit: definitions, facts, applicants, values and snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import Instant

Value: TypeAlias = str | int | float | bool | None
Signals: TypeAlias = Mapping[str, str | int | bool | None]


class EntityKind(StrEnum):
    """Whom or what a fact concerns. Of phones, addresses, devices and networks only keyed digests are kept.

    The last three are shared by very many applications: what is asked of them is read from counters.
    """

    PARTY = "party"
    PHONE = "phone"
    ADDRESS = "address"
    DEVICE = "device"
    IP = "ip"
    IP_NET = "ip_net"
    BSSID = "bssid"
    CHANNEL = "channel"
    PRODUCT_CHANNEL = "product_channel"
    MERCHANT = "merchant"


SHARED = frozenset({EntityKind.CHANNEL, EntityKind.PRODUCT_CHANNEL, EntityKind.MERCHANT})


class FactKind(StrEnum):
    """What happened, finely enough that counting needs no look at the attributes."""

    APPLIED = "applied"
    CANCELLED = "cancelled"
    APPROVED = "approved"
    DECLINED = "declined"
    COMMENCED = "commenced"
    ENDED = "ended"
    FIRST_DUE = "first_due"
    FIRST_OVERDUE = "first_overdue"
    INSTALMENT_DUE = "instalment_due"
    INSTALMENT_OVERDUE = "instalment_overdue"
    ARREARS = "arrears"
    CLEARED = "cleared"
    SETTLED = "settled"
    WRITTEN_OFF = "written_off"
    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    RESTRICTED = "restricted"
    INSPECTED = "inspected"
    CASE_OPENED = "case_opened"
    MESSAGE_FAILED = "message_failed"


class Measure(StrEnum):
    """``latest_*`` look at the last fact of each subject (an application, an agreement) and add up or take the largest."""

    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"
    MAX = "max"
    DAYS_SINCE_FIRST = "days_since_first"
    DAYS_SINCE_LAST = "days_since_last"
    LATEST_SUM = "latest_sum"
    LATEST_MAX = "latest_max"


class Given(StrEnum):
    """Where a value comes from that is not made of facts: the application itself, the person's record, the channel's word, or the newest
    credit report that may be used."""

    APPLICATION = "application"
    PARTY = "party"
    SIGNAL = "signal"
    REPORT = "report"


class Status(StrEnum):
    """Why a value is what it is. ``missing``: the source has nothing to say; ``out_of_range``: it said something impossible, which is
    not passed on; ``not_used``: there is a report, but it is stale, erased or no longer consented to; ``unavailable``: there is no
    source. In all but the first the value is null."""

    OK = "ok"
    NOT_USED = "not_used"
    MISSING = "missing"
    OUT_OF_RANGE = "out_of_range"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One measure over facts: of which entities, which facts, how far back. No window means ever.

    ``until_hours`` ends the window that long before the instant asked for. ``where`` keeps facts whose attribute is one of the values;
    ``others`` keeps facts of other parties than the applicant.
    """

    entities: tuple[EntityKind, ...]
    facts: tuple[FactKind, ...]
    measure: Measure
    window_hours: int | None = None
    until_hours: int = 0
    attribute: str | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: bool = False

    @property
    def is_shared(self) -> bool:
        return self.entities[0] in SHARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One indicator: its names, what it is made of, who answers for it, under which consent it may be looked at, how delicate it is.

    ``window`` is the industry's word for it; what is computed stands in ``of`` (and ``over``, ``less``): the value is of, of ÷ over or
    of − less. ``per`` divides the denominator, ``over_min`` is the least it may be; ``complement`` is one minus the ratio. Amounts are
    fen; ratios are fractions rounded to six digits. ``note`` says how it differs from the industry's definition.
    """

    id: str
    key: str
    group: str
    name_zh: str
    name_en: str
    type: str
    window: str
    entity: str
    source: str
    definition: str
    owner: str
    version: int
    consent: str
    sensitivity: str
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    given: Given | None = None
    signal: str | None = None
    of: Aggregate | None = None
    over: Aggregate | None = None
    less: Aggregate | None = None
    per: int = 1
    over_min: int = 0
    complement: bool = False
    reason_zh: str | None = None
    reason_en: str | None = None
    note: str | None = None

    @property
    def is_computed(self) -> bool:
        return self.given is not None or self.of is not None

    @property
    def aggregates(self) -> Sequence[Aggregate]:
        return [aggregate for aggregate in (self.of, self.over, self.less) if aggregate is not None]

    @property
    def source_key(self) -> str:
        """The source its health is kept for: a given one, or the entity whose facts it is made of."""
        if self.of is not None:
            return f"facts.{self.of.entities[0]}"
        return "unavailable" if self.given is None else f"given.{self.given}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened, with the entities it concerns. Attributes hold ids, keys, codes and integers, nothing personal."""

    kind: FactKind
    subject_id: UUID
    keys: Mapping[EntityKind, str]
    occurred_at: Instant
    attributes: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What another module said of an application or agreement (``subject_id``), before it is known which entities it concerns.

    ``party_id`` where the event names it: after a transfer another party than the applicant's.
    """

    kind: FactKind
    subject_id: UUID
    occurred_at: Instant
    party_id: UUID | None = None
    attributes: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """An application as it is put to the decision. ``address_key`` is a keyed digest.

    Without ``has_consented`` (to automated decisions) the application is put on record under its party, product and channel, and nothing
    is computed or linked (PIPL arts. 13, 24).
    """

    application_id: UUID
    party_id: UUID
    channel: str
    terms: AgreementTerms
    signals: Signals = field(default_factory=dict)
    address_key: str | None = None
    age_years: int | None = None
    has_consented: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """An applicant as the indicators see it: under which keys its facts are found, and the values that need no facts."""

    application_id: UUID
    party_id: UUID
    keys: Mapping[EntityKind, str]
    given: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """A value, why it is so, and the time of the newest fact of its source (None: the source had none)."""

    value: Value
    status: Status
    observed_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of an applicant at an instant. ``catalogue_sha256`` names the definitions it was computed by."""

    application_id: UUID
    as_of: Instant
    catalogue_sha256: str
    values: Mapping[str, IndicatorValue]
    sha256: str
    duration_us: int


# --- reports ---


class ReportKind(StrEnum):
    """Which form a report is in."""

    PERSONAL_PBOC = "personal_pboc"
    ENTERPRISE = "enterprise"


class AccessPurpose(StrEnum):
    """Why a stored report is opened. Kept with who and when."""

    DECISION = "decision"
    REVIEW = "review"
    OBJECTION = "objection"  # the person asks for a copy or objects (征信业管理条例 art. 25; PIPL art. 45)


class NotUsed(StrEnum):
    """Why a report on file says nothing to a decision."""

    STALE = "stale"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHead:
    """That a report is on file: everything but what it says. ``reported_at`` is the event's time, ``imported_at`` when it was known here.

    ``subject_key`` is None for a person and an enterprise's unified social credit code. ``doubts`` are (path, code) pairs.
    """

    id: UUID
    kind: ReportKind
    party_id: UUID
    subject_key: str | None
    report_no: str
    institution_code: str
    inquiry_purpose: str
    consent_version: str
    reported_at: Instant
    imported_at: Instant
    imported_by: str
    is_synthetic: bool
    doubts: tuple[tuple[str, str], ...]
    unknown_nodes: tuple[str, ...]
    erased_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """The newest report known of a party as of an instant, and its indicators by name.

    ``not_used`` says why a report there is says nothing: ``values`` is then empty, so that a stale report is never used silently.
    Amounts are fen, ratios fractions.
    """

    report: ReportHead
    age_days: int
    not_used: NotUsed | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAccess:
    """One opening of a report."""

    id: UUID
    report_id: UUID
    actor: str
    purpose: AccessPurpose
    accessed_at: Instant


# --- score sources ---


class Capability(StrEnum):
    """What a source can say, whoever it is."""

    ZHIMA_ADMITTANCE = "zhima_admittance"
    PAYSCORE_ADMITTANCE = "payscore_admittance"
    MULTI_LENDING = "multi_lending"
    COURT_LISTS = "court_lists"
    CARRIER_FACTORS = "carrier_factors"
    BANK_FACTORS = "bank_factors"


class SourceStyle(StrEnum):
    """How a source is spoken to."""

    SIGNED_JSON = "signed_json"
    ALIPAY_GATEWAY = "alipay_gateway"


class ScoreOutcome(StrEnum):
    """``refused``: the source said, under its signature, that it will not say. ``unknown``: nobody knows what it would have said."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class QueryState(StrEnum):
    """``asked`` is written before any source is called, and stays until each outcome is on file."""

    ASKED = "asked"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A tenant's line for one source: whether it is ticked, its turn, how long it is waited for, how long its word is reused.

    ``secret`` is a shared secret or a private key in PEM; ``peer_key`` the provider's public key where it signs with its own.
    ``options`` are the source's own settings, such as the score from which Zhima admits.
    """

    capability: Capability
    provider: str
    style: SourceStyle
    is_enabled: bool
    rank: int
    timeout_ms: int
    cache_days: int
    cost_fen: int
    base_url: str
    account_id: str
    secret: str = field(repr=False)
    peer_key: str | None
    options: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreResult:
    """What one source said when it was asked, and where from. ``observed_at`` is the event's time, ``known_at`` when it was known here.

    A cached result repeats an earlier one: it has that one's time of observation, costs nothing and took no time.
    """

    id: UUID
    query_id: UUID
    party_id: UUID
    capability: Capability
    provider: str
    outcome: ScoreOutcome
    reason: str | None
    reference: str | None
    observed_at: Instant
    known_at: Instant
    latency_ms: int
    is_cached: bool
    cost_fen: int
    values: Mapping[str, Value]
