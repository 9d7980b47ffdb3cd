"""Billing 账务: what is owed, when, and what has been paid on it.

Owns the tables billing_account (one per agreement), billing_instalment, billing_charge (late fee, damage, early return),
billing_receipt, billing_allocation, billing_refund and billing_day (closed business days).
Events in: AgreementSigned, AgreementCancelled, AgreementCommenced, PaymentSucceeded, RefundSucceeded, AssetInspected.
Events out: ScheduleIssued, InstalmentFellDue, InstalmentBecameOverdue, ArrearsAged, ArrearsCleared, ReceiptAllocated, ChargeRaised,
SettlementDetermined, AccountSettled, DayClosed. Jobs: billing.close_days.

The close of a business date ages what is past due on it and opens the next date: what is due on that date falls due, so that it can be
collected on its due date. Money is set against what has fallen due; the rest is held as credit balance.
"""
