"""What happened to what is owed. The subject of each is the agreement, except for a closed day (the tenant's day)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import BusinessDate


@event("xinzu.billing.schedule.issued.v1")
@dataclass(frozen=True, kw_only=True)
class ScheduleIssued(Event):
    """Instalments exist and their due dates are known."""

    party_id: UUID
    first_due_on: BusinessDate
    last_due_on: BusinessDate
    instalment_count: int
    total_fen: int


@event("xinzu.billing.instalment.fell_due.v1")
@dataclass(frozen=True, kw_only=True)
class InstalmentFellDue(Event):
    """An instalment's due date has come and something of it is open: time to collect."""

    party_id: UUID
    instalment_id: UUID
    number: int
    due_on: BusinessDate
    outstanding_fen: int


@event("xinzu.billing.instalment.became_overdue.v1")
@dataclass(frozen=True, kw_only=True)
class InstalmentBecameOverdue(Event):
    """The first close of business at which an instalment is past due beyond its grace days."""

    party_id: UUID
    instalment_id: UUID
    number: int
    due_on: BusinessDate
    outstanding_fen: int
    days_past_due: int


@event("xinzu.billing.arrears.aged.v1")
@dataclass(frozen=True, kw_only=True)
class ArrearsAged(Event):
    """At this close the agreement has overdue amounts; stated once per business day. ``days_past_due`` is of the oldest."""

    party_id: UUID
    business_date: BusinessDate
    days_past_due: int
    overdue_fen: int


@event("xinzu.billing.arrears.cleared.v1")
@dataclass(frozen=True, kw_only=True)
class ArrearsCleared(Event):
    """Nothing of the agreement is overdue any more. Stated in the transaction of the receipt that cleared it."""

    party_id: UUID


@event("xinzu.billing.receipt.allocated.v1")
@dataclass(frozen=True, kw_only=True)
class ReceiptAllocated(Event):
    """Money came in and was set against open items; what is left over is held as credit balance."""

    receipt_id: UUID
    amount_fen: int
    allocated_fen: int
    credit_balance_fen: int


@event("xinzu.billing.charge.raised.v1")
@dataclass(frozen=True, kw_only=True)
class ChargeRaised(Event):
    """Something besides rent became owed: damage, early return fee, late fee."""

    charge_id: UUID
    kind: str
    amount_fen: int


@event("xinzu.billing.settlement.determined.v1")
@dataclass(frozen=True, kw_only=True)
class SettlementDetermined(Event):
    """The device is back and inspected: this is the final balance. At most one of the two amounts is above zero."""

    party_id: UUID
    balance_due_fen: int
    credit_balance_fen: int


@event("xinzu.billing.account.settled.v1")
@dataclass(frozen=True, kw_only=True)
class AccountSettled(Event):
    """After the final settlement nothing is owed either way."""

    party_id: UUID
    settled_on: BusinessDate


@event("xinzu.billing.day.closed.v1")
@dataclass(frozen=True, kw_only=True)
class DayClosed(Event):
    """The close of business of one tenant's day is done. Subject: an id made from the tenant and the date."""

    business_date: BusinessDate


@event("xinzu.billing.books.differed.v1")
@dataclass(frozen=True, kw_only=True)
class BooksDiffered(Event):
    """At the end of a month an account of the ledger is not what billing's items make of it. Subject: the closed day. Somebody must look."""

    business_date: BusinessDate
    account: str
    ledger_fen: int
    billing_fen: int


@event("xinzu.billing.receipt.reversed.v1")
@dataclass(frozen=True, kw_only=True)
class ReceiptReversed(Event):
    """Money that was recorded did not come in, or was taken back (``chargeback``): what it had settled is owed again."""

    receipt_id: UUID
    kind: str
    amount_fen: int


@event("xinzu.billing.item.waived.v1")
@dataclass(frozen=True, kw_only=True)
class ItemWaived(Event):
    """Part or all of something due was let off."""

    item_id: UUID
    kind: str
    amount_fen: int


@event("xinzu.billing.account.written_off.v1")
@dataclass(frozen=True, kw_only=True)
class AccountWrittenOff(Event):
    """What is due left the books as lost. The claim stays: money that comes later is recovery."""

    party_id: UUID
    amount_fen: int


@event("xinzu.billing.asset.reclassified.v1")
@dataclass(frozen=True, kw_only=True)
class AssetReclassified(Event):
    """What the agreement owes moved to another risk class at the close of a date."""

    party_id: UUID
    business_date: BusinessDate
    class_before: str
    asset_class: str
    days_past_due: int
