"""People, consents and messages as values. Clear personal values live in ``PersonDraft`` and ``OpenPerson`` only, never in a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import Instant


class ConsentPurpose(StrEnum):
    """What a consent is for. One consent, one purpose: bundling them would make none of them voluntary (PIPL arts. 14, 23, 29)."""

    APPLICATION = "application"
    IDENTITY_CHECK = "identity_check"
    DECISION = "decision"
    DEVICE_RESTRICTION = "device_restriction"
    CREDIT_INQUIRY = "credit_inquiry"  # of the credit bureau: in writing, for a named purpose (征信业管理条例 art. 18)
    SCORE_QUERY = "score_query"  # of other sources that hand out personal data (PIPL art. 23)


class DisclosurePurpose(StrEnum):
    """Why clear values are opened. Kept with who and when."""

    IDENTITY_CHECK = "identity_check"
    CONTRACT = "contract"
    DELIVERY = "delivery"
    COLLECTION = "collection"
    CREDIT_INQUIRY = "credit_inquiry"
    SCORE_QUERY = "score_query"
    WATCH_LIST = "watch_list"  # a duty by law (反洗钱法 arts. 28, 40): no consent is asked for it (PIPL art. 13(1)(3))


# What needs a consent; the others are necessary to perform the person's own contract (PIPL art. 13(1)(2)).
CONSENT_FOR_DISCLOSURE: Mapping[DisclosurePurpose, ConsentPurpose] = {
    DisclosurePurpose.IDENTITY_CHECK: ConsentPurpose.IDENTITY_CHECK,
    DisclosurePurpose.CREDIT_INQUIRY: ConsentPurpose.CREDIT_INQUIRY,
    DisclosurePurpose.SCORE_QUERY: ConsentPurpose.SCORE_QUERY,
}


class MessageTemplate(StrEnum):
    """The messages this product sends; their texts stand in ``rules.templates``."""

    ONE_TIME_CODE = "one_time_code"
    PAYMENT_REMINDER = "payment_reminder"
    PAYMENT_DEMAND = "payment_demand"
    RESTRICTION_NOTICE = "restriction_notice"
    RESTRICTION_APPLIED = "restriction_applied"
    RESTRICTION_LIFTED = "restriction_lifted"
    AGREEMENT_COMMENCED = "agreement_commenced"
    AGREEMENT_ENDED = "agreement_ended"
    AGREEMENT_REPAID = "agreement_repaid"
    DECISION_DECLINED = "decision_declined"


class MessageState(StrEnum):
    """``unknown`` is written before the carrier is called and stays until an answer, a callback or a query settles it."""

    QUEUED = "queued"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


MESSAGE_MOVES: Transitions[MessageState] = Transitions(
    "message",
    {
        MessageState.QUEUED: {MessageState.UNKNOWN, MessageState.FAILED},
        MessageState.UNKNOWN: {MessageState.QUEUED, MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED},
        MessageState.SENT: {MessageState.DELIVERED, MessageState.FAILED},
        MessageState.DELIVERED: set(),
        MessageState.FAILED: set(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDraft:
    """A person as a channel gives them, in clear. ``pointer`` is where they stand in the request, for problems."""

    name: str = field(repr=False)
    identity_no: str = field(repr=False)
    phone: str = field(repr=False)
    address: str | None = field(default=None, repr=False)
    pointer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPerson:
    """A person as people and logs may see them."""

    id: UUID
    name: str
    identity_no: str
    phone: str
    address: str | None
    registered_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPerson:
    """A person in clear: opened on purpose and on record, kept in memory only."""

    id: UUID
    name: str = field(repr=False)
    identity_no: str = field(repr=False)
    phone: str = field(repr=False)
    address: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAddress:
    """Where the thing of one agreement (``subject_id``) goes, in clear."""

    subject_id: UUID
    party_id: UUID
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a courier brings the thing of one agreement to, in clear: opened on purpose and on record."""

    party_id: UUID
    name: str = field(repr=False)
    phone: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDraft:
    """A person agreed to a purpose under a text. ``text_version`` names the exact text that was shown."""

    party_id: UUID
    purpose: ConsentPurpose
    text_version: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent on file; withdrawn when ``withdrawn_at`` is set, which leaves earlier use lawful (PIPL art. 15)."""

    id: UUID
    purpose: str
    text_version: str
    channel: str
    given_at: Instant
    withdrawn_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDraft:
    """A message to a person about a subject (an agreement or application). ``variables`` are those of the template.

    After ``expires_at`` it is no longer sent: an old one-time code helps nobody.
    """

    party_id: UUID
    subject_id: UUID
    template: MessageTemplate
    variables: Mapping[str, str | int]
    expires_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it is shown. ``text`` is None for a one-time code; ``to`` is masked."""

    id: UUID
    party_id: UUID
    subject_id: UUID
    template: str
    state: str
    to: str
    text: str | None
    created_at: Instant
    not_before: Instant | None
    sent_at: Instant | None
    delivered_at: Instant | None
    failure_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """What a message said, and the salt kept sealed beside it, for the digest that stands as evidence."""

    text: str = field(repr=False)
    to: str = field(repr=False)
    salt: bytes = field(repr=False)
