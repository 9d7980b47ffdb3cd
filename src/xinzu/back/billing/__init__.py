"""Billing 账务: what is owed, when, and what has been paid on it.

Owns the tables billing_account (one per agreement), billing_lease_class (how a lease was classified), billing_instalment (the legs of
instalments), billing_charge (late fee, damage, early return, prepayment fee, buyout), billing_receipt, billing_allocation, billing_refund,
billing_disbursement (tranches of loans paid out), billing_adjustment (waived, written off, reversed by hand), billing_amendment (changes
of the schedule), billing_day (closed business days), billing_risk_policy (the tenant's own lines and rates), billing_partner,
billing_share (what partners get of what an agreement brings), billing_share_due (what is owed to them) and billing_payout.
Events in: AgreementSigned, AgreementCancelled, AgreementCommenced, PaymentSucceeded, RefundSucceeded, AssetInspected.
Events out: ScheduleIssued, InstalmentFellDue, InstalmentBecameOverdue, ArrearsAged, ArrearsCleared, ReceiptAllocated, RefundRecorded,
ChargeRaised, ChargeReduced, SettlementDetermined, AccountSettled, OwnershipPassed, DayClosed, BooksDiffered, ReceiptReversed, ItemWaived,
AccountWrittenOff, LeaseClassDiffered, AccrualStopped, AccrualResumed, AssetReclassified, AmendmentMade, LesseeTransferred,
PayoutRecorded.
Jobs: billing.close_days, billing.follow_shares.

Rental, finance lease and loan are one model: an account's terms make legs with a role (rent, principal, interest, fee), and the family
decides what a leg does to the books (``rules.postings``), in which order money fills it (``rules.allocation``) and whether delay costs.

The close of a business date earns, ages and classifies what is past on it and opens the next date: what is due on that date falls due,
so that it can be collected on its due date. Money is set against what has fallen due; the rest is held as credit balance.

Money counts from the day it came in, whenever it is recorded (``rules.value_dating``). Interest of what is too late is claimed and income
only when paid (``rules.suspension``). A lease is classified at its inception (``rules.inception``). Reports over all agreements are
``commands.portfolio``.
"""
