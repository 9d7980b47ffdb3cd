"""Nouns of screening: relations, orders, lists, watch lists, movements of money, alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import BusinessDate, Instant

# --- relations ---


class LinkKind(StrEnum):
    """By what two parties are related. Only keyed digests of it are kept."""

    DEVICE = "device"
    PHONE = "phone"
    ADDRESS = "address"
    CONTACT = "contact"
    ACCOUNT = "account"  # a bank card or a wallet
    NETWORK = "network"  # the access point (BSSID); an address of the internet is shared by strangers and relates nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """An application as it is put to the decision. ``address_key`` is a keyed digest; ``signals`` are what the channel vouches for.

    Without ``has_consented`` (to automated decisions) it relates nobody (PIPL arts. 13, 24); lists that the law prescribes are still looked
    at (反洗钱法 art. 40).
    """

    application_id: UUID
    party_id: UUID
    channel: str
    signals: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    address_key: str | None = None
    has_consented: bool = True


@dataclass(frozen=True, slots=True)
class Relations:
    """What is known of a party's relations as of an instant. Counts are of parties unless they say otherwise, the party itself not counted
    except in ``component_count``.

    ``bad``: declined within 180 days, more than 30 days past due or written off. ``black_deg*``: on a black list. Something shared by more
    than ``SHARED_MAX`` parties relates nobody.
    """

    deg1_count: int = 0
    deg2_count: int = 0
    component_count: int = 1
    bad_deg1_count: int = 0
    bad_deg2_count: int = 0
    black_deg1_count: int = 0
    black_deg2_count: int = 0
    related_rental_count: int = 0  # running rentals of the whole component
    black_hit_count: int = 0  # entries about the party itself or what it applied with
    grey_hit_count: int = 0


SHARED_MAX = 50
RELATED_WITHIN_DAYS = 180
OVERDUE_BAD_DAYS = 30


@dataclass(frozen=True, slots=True)
class OrderCounts:
    """What is known of an application besides its party's relations."""

    readdressed_count: int = 0  # the party's own orders approved and then cancelled in 30 days that went to another address
    dealer_apply_count: int = 0  # applications of its dealer in ten minutes, itself counted


# --- grey and black lists ---


class ListColour(StrEnum):
    """Grey: a person looks. Black: nobody who decides by a strategy gets past it."""

    GREY = "grey"
    BLACK = "black"


class ListedKind(StrEnum):
    """What is on a list: a party, or something parties share."""

    PARTY = "party"
    DEVICE = "device"
    PHONE = "phone"
    ADDRESS = "address"
    CONTACT = "contact"
    ACCOUNT = "account"
    NETWORK = "network"


class ListReason(StrEnum):
    """Why it is on a list. A code, because free words would be a place for personal data."""

    RECYCLER = "recycler"  # buys rented phones for cash
    BROKER = "broker"  # applies for others
    FALSE_IDENTITY = "false_identity"
    DEVICE_TAMPERED = "device_tampered"
    EMPTY_RETURN = "empty_return"
    REFUSAL_TO_PAY = "refusal_to_pay"
    COURT = "court"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One entry. It counts from ``added_at`` to before ``expires_on`` (None: until it is removed) or ``removed_at``."""

    id: UUID
    colour: ListColour
    kind: ListedKind
    reason: ListReason
    source: str
    expires_on: BusinessDate | None
    added_by: str
    added_at: Instant
    removed_by: str | None = None
    removed_at: Instant | None = None
    removal_reason: str | None = None


# --- sanctions and watch lists ---


class WatchKind(StrEnum):
    """The three lists of 反洗钱法 art. 40, and what an institution watches besides."""

    TERRORISM = "terrorism"
    UN = "un"
    SERIOUS_ML = "serious_ml"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEntry:
    """Somebody on a list as its publisher names him. ``document_no`` in upper case without separators."""

    reference: str
    names: tuple[str, ...]
    birth_on: date | None = None
    document_no: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """How much a person is like an entry, 0 to 1, and by which of its names."""

    score: float
    name: str
    because: str


# --- money ---


class Direction(StrEnum):
    """Seen from the business."""

    IN = "in"
    OUT = "out"


class Method(StrEnum):
    CASH = "cash"
    TRANSFER = "transfer"
    CROSS_BORDER = "cross_border"  # a transfer from or to abroad


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that came in or went out. ``(source, source_ref)`` names it; it is recorded once.

    ``payer_key`` is a keyed digest of whoever paid or was paid when that is not the party itself, else None.
    """

    source: str
    source_ref: str
    party_id: UUID
    agreement_id: UUID
    direction: Direction
    method: Method
    purpose: str
    amount_fen: int
    moved_on: BusinessDate
    payer_key: str | None = None


class AlertRule(StrEnum):
    """Large transactions by the code of the report (金融机构大额交易和可疑交易报告管理办法, order [2016] 3); S…: standards of our own (art. 11
    there asks each institution for its own); W01: like somebody on a watch list."""

    CASH_LARGE = "0501"
    DOMESTIC_LARGE = "0503"
    CROSS_BORDER_LARGE = "0504"
    STRUCTURED = "S01"
    THIRD_PARTY_EARLY = "S02"
    PASSED_THROUGH = "S03"
    MANY_PAYERS = "S04"
    WATCH_LIST = "W01"


class AlertState(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    REPORTED = "reported"
    DISMISSED = "dismissed"


_A = AlertState
# An alert can be given to somebody else as long as it is not decided.
ALERT_MOVES: Transitions[AlertState] = Transitions(
    "alert",
    {
        _A.OPEN: {_A.ASSIGNED},
        _A.ASSIGNED: {_A.ASSIGNED, _A.REPORTED, _A.DISMISSED},
        _A.REPORTED: set(),
        _A.DISMISSED: set(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found: of whom, on which date, how much, from which movements or entry."""

    rule: AlertRule
    party_id: UUID
    on: BusinessDate
    amount_fen: int
    references: Sequence[str]
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert and what became of it. ``report_due_on`` is set where a report is due by itself; nothing of it is erased before
    ``keep_until_on``."""

    id: UUID
    rule: AlertRule
    party_id: UUID
    raised_on: BusinessDate
    amount_fen: int
    references: Sequence[str]
    score: float | None
    state: AlertState
    assignee: str | None
    report_due_on: BusinessDate | None
    keep_until_on: BusinessDate
    raised_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    decision_reason: str | None
    report_ref: str | None
