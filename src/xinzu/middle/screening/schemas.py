"""Screening as it goes over HTTP. Amounts are fen."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.screening.model import (
    Alert,
    Direction,
    ListColour,
    ListedKind,
    ListEntry,
    ListReason,
    Method,
    Relations,
    WatchKind,
)
from xinzu.platform.http.fields import NAME, ONE_LINE, PROSE, PublicId

FEN_MAX = 1_000_000_000_000
FILE_CHARACTERS_MAX = 4_000_000
Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=ONE_LINE)]
Value = Annotated[str, Meta(min_length=1, max_length=300, pattern=ONE_LINE)]
Source = Annotated[str, Meta(min_length=1, max_length=100, pattern=NAME)]
File = Annotated[str, Meta(min_length=1, max_length=FILE_CHARACTERS_MAX, pattern=PROSE)]


class RelationsView(msgspec.Struct, kw_only=True):
    """What is known of a party's relations now; counts are of other parties, ``component`` with itself."""

    party_id: str
    deg1: int
    deg2: int
    component: int
    bad_deg1: int
    bad_deg2: int
    black_deg1: int
    black_deg2: int
    related_rentals: int
    black_hits: int
    grey_hits: int


class ListEntryBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What goes on a list. ``value``: a party's id, a phone or an address in clear, or a channel's digest of a device, contact, account or
    network; only a keyed digest of it is kept."""

    colour: ListColour
    kind: ListedKind
    value: Value
    reason: ListReason
    source: Source
    expires_on: date | None = None


class RemovalBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is taken off."""

    reason: Words


class ListEntryView(msgspec.Struct, kw_only=True):
    """An entry, without what is listed."""

    id: str
    colour: str
    kind: str
    reason: str
    source: str
    expires_on: date | None
    added_by: str
    added_at: Instant
    removed_by: str | None
    removed_at: Instant | None
    removal_reason: str | None


class ListEntryPage(msgspec.Struct, kw_only=True):
    """Entries, newest first."""

    items: list[ListEntryView]
    next_cursor: str | None


class WatchListBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A list as it is published, as one of ``csv`` and ``json``: reference, name, aliases, birth_on, document_no."""

    name: Source
    kind: WatchKind
    csv: File | None = None
    json: File | None = None


class WatchLists(msgspec.Struct, kw_only=True):
    """The lists as they were last imported."""

    items: list[WatchListView]


class WatchListView(msgspec.Struct, kw_only=True):
    """A list, and the digest of the file it was imported from."""

    name: str
    kind: str
    version: int
    entry_count: int
    content_sha256: str


class MovementBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What no other module tells of money: that it was cash or came from abroad, and who paid for the customer. ``payer`` (an account number or
    a document) only when it is somebody else; a keyed digest of it is kept."""

    agreement_id: PublicId
    party_id: PublicId
    reference: Source
    direction: Direction
    method: Method
    purpose: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z_]+$(?!\n)")]
    amount_fen: Annotated[int, Meta(ge=1, le=FEN_MAX)]
    moved_on: date
    payer: Value | None = None


class AssignmentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """To whom, by login; null: whoever asks."""

    assignee: Annotated[str, Meta(min_length=1, max_length=64, pattern=ONE_LINE)] | None = None


class AlertDecisionBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Reported (then ``report_ref`` is the report's number) or dismissed, and why."""

    is_reported: bool
    reason: Words
    report_ref: Source | None = None


class AlertView(msgspec.Struct, kw_only=True):
    """An alert. ``score`` is how much the party is like somebody on a watch list, 0 to 1. Kept until ``keep_until_on`` at least."""

    id: str
    rule: str
    party_id: str
    raised_on: date
    amount_fen: int
    references: list[str]
    score: float | None
    state: str
    assignee: str | None
    report_due_on: date | None
    keep_until_on: date
    raised_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    decision_reason: str | None
    report_ref: str | None


class AlertPage(msgspec.Struct, kw_only=True):
    """Alerts, newest first."""

    items: list[AlertView]
    next_cursor: str | None


def relations_view(party_id: str, found: Relations) -> RelationsView:
    return RelationsView(
        party_id=party_id,
        deg1=found.deg1_count,
        deg2=found.deg2_count,
        component=found.component_count,
        bad_deg1=found.bad_deg1_count,
        bad_deg2=found.bad_deg2_count,
        black_deg1=found.black_deg1_count,
        black_deg2=found.black_deg2_count,
        related_rentals=found.related_rental_count,
        black_hits=found.black_hit_count,
        grey_hits=found.grey_hit_count,
    )


def list_entry_view(entry: ListEntry) -> ListEntryView:
    return ListEntryView(
        id=public_id(Prefix.LIST_ENTRY, entry.id),
        colour=entry.colour,
        kind=entry.kind,
        reason=entry.reason,
        source=entry.source,
        expires_on=entry.expires_on,
        added_by=entry.added_by,
        added_at=entry.added_at,
        removed_by=entry.removed_by,
        removed_at=entry.removed_at,
        removal_reason=entry.removal_reason,
    )


def alert_view(alert: Alert) -> AlertView:
    return AlertView(
        id=public_id(Prefix.ALERT, alert.id),
        rule=alert.rule,
        party_id=public_id(Prefix.PARTY, alert.party_id),
        raised_on=alert.raised_on,
        amount_fen=alert.amount_fen,
        references=list(alert.references),
        score=alert.score,
        state=alert.state,
        assignee=alert.assignee,
        report_due_on=alert.report_due_on,
        keep_until_on=alert.keep_until_on,
        raised_at=alert.raised_at,
        decided_by=alert.decided_by,
        decided_at=alert.decided_at,
        decision_reason=alert.decision_reason,
        report_ref=alert.report_ref,
    )
