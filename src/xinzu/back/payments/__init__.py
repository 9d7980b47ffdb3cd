"""Payments 付款: the customer's pre-authorisation (mandate), money collected out of it, given back, and what is released at the end.

Owns the tables payments_channel_account, payments_mandate, payments_payment (one row per attempt), payments_release,
payments_refund and payments_notification (every believed message of a provider, once).
Events in: AgreementSigned, AgreementCancelled, InstalmentFellDue, DayClosed, SettlementDetermined, AccountSettled,
LesseeTransferred.
Events out: MandateAuthorised, PaymentSucceeded, PaymentFailed, RefundSucceeded, DepositReleased.
Jobs: payments.execute_payments, payments.resolve_payments, payments.execute_releases, payments.resolve_releases,
payments.execute_refunds, payments.resolve_refunds, payments.withdraw_mandates, payments.query_mandates; each minute payments.sweep.

A provider is called in jobs only: the intent is committed, the call is made, the outcome is recorded. What is not known is asked
for under the same number until it is known; the mandate's row is the lock under which all its amounts change.
"""
