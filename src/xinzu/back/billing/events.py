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
    """Money came in and was set against open items; what is left over is held as credit balance. The last three are not said of receipts
    before release 0.2."""

    receipt_id: UUID
    amount_fen: int
    allocated_fen: int
    credit_balance_fen: int
    party_id: UUID | None = None
    purpose: str | None = None
    received_on: BusinessDate | None = None


@event("xinzu.billing.refund.recorded.v1")
@dataclass(frozen=True, kw_only=True)
class RefundRecorded(Event):
    """Held money went back to the customer."""

    refund_id: UUID
    amount_fen: int
    credit_balance_fen: int
    party_id: UUID | None = None


@event("xinzu.billing.payout.recorded.v1")
@dataclass(frozen=True, kw_only=True)
class PayoutRecorded(Event):
    """A partner was paid out of his shares. Subject: the partner."""

    payout_id: UUID
    amount_fen: int
    owed_fen: int


@event("xinzu.billing.charge.raised.v1")
@dataclass(frozen=True, kw_only=True)
class ChargeRaised(Event):
    """Something besides rent became owed: damage, early return fee, late fee."""

    charge_id: UUID
    kind: str
    amount_fen: int


@event("xinzu.billing.charge.reduced.v1")
@dataclass(frozen=True, kw_only=True)
class ChargeReduced(Event):
    """Part or all of a late fee is taken back: money had come in before it was recorded. ``amount_fen`` is what the charge is now."""

    charge_id: UUID
    kind: str
    amount_fen: int
    taken_back_fen: int


@event("xinzu.billing.settlement.determined.v1")
@dataclass(frozen=True, kw_only=True)
class SettlementDetermined(Event):
    """The device is back and inspected, or an amendment ends the agreement: this is the final balance. At most one of the two amounts is
    above zero."""

    party_id: UUID
    balance_due_fen: int
    credit_balance_fen: int


@event("xinzu.billing.account.settled.v1")
@dataclass(frozen=True, kw_only=True)
class AccountSettled(Event):
    """After the final settlement nothing is owed either way."""

    party_id: UUID
    settled_on: BusinessDate


@event("xinzu.billing.ownership.passed.v1")
@dataclass(frozen=True, kw_only=True)
class OwnershipPassed(Event):
    """The term of a rental that ends in ownership (租完归送) is over and everything is paid: the thing is the lessee's. Said with
    AccountSettled. ``kept_on`` is the day after the term, on which the transfer price was booked."""

    party_id: UUID
    kept_on: BusinessDate
    passed_on: BusinessDate


@event("xinzu.billing.day.closed.v1")
@dataclass(frozen=True, kw_only=True)
class DayClosed(Event):
    """The close of business of one tenant's day is done. Subject: an id made from the tenant and the date."""

    business_date: BusinessDate


@event("xinzu.billing.books.differed.v1")
@dataclass(frozen=True, kw_only=True)
class BooksDiffered(Event):
    """At a close an account of the ledger is not what billing's items make of it. Subject: the closed day. Somebody must look."""

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


@event("xinzu.billing.lease_class.differed.v1")
@dataclass(frozen=True, kw_only=True)
class LeaseClassDiffered(Event):
    """By the tests of CAS 21 art. 36 a lease that commenced is of another class than the books show: an accountant must look. ``because`` are
    the tests that hold."""

    party_id: UUID
    booked_as: str
    lease_class: str
    because: list[str]


@event("xinzu.billing.accrual.stopped.v1")
@dataclass(frozen=True, kw_only=True)
class AccrualStopped(Event):
    """The agreement is so late that its interest is income only when paid, from this close on. ``taken_back_fen`` was earned and not paid."""

    party_id: UUID
    business_date: BusinessDate
    days_past_due: int
    taken_back_fen: int


@event("xinzu.billing.accrual.resumed.v1")
@dataclass(frozen=True, kw_only=True)
class AccrualResumed(Event):
    """The agreement is cured: its interest is income as it is earned again. ``recognised_fen`` was claimed and had not been income."""

    party_id: UUID
    business_date: BusinessDate
    recognised_fen: int


@event("xinzu.billing.asset.reclassified.v1")
@dataclass(frozen=True, kw_only=True)
class AssetReclassified(Event):
    """What the agreement owes moved to another risk class at the close of a date."""

    party_id: UUID
    business_date: BusinessDate
    class_before: str
    asset_class: str
    days_past_due: int


@event("xinzu.billing.amendment.made.v1")
@dataclass(frozen=True, kw_only=True)
class AmendmentMade(Event):
    """The agreement was changed after commencement: ``kind`` says how (prepayment, payoff, rate_change, moratorium, termination, …),
    ``formula`` names the reason's formula, ``version`` is the schedule's from now on and ``due_now_fen`` what the change asks for at once."""

    party_id: UUID
    amendment_id: UUID
    kind: str
    formula: str
    effective_on: BusinessDate
    version: int
    due_now_fen: int


@event("xinzu.billing.lessee.transferred.v1")
@dataclass(frozen=True, kw_only=True)
class LesseeTransferred(Event):
    """Another lessee or borrower took over with everything that is open, by the lessor's consent (Civil Code arts. 551, 555)."""

    party_before_id: UUID
    party_id: UUID
    effective_on: BusinessDate
