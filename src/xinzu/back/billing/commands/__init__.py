"""Use cases of billing, one file each. All take batches; the number of statements does not grow with the batch.

Every one locks the accounts it touches first, in order of their ids, and posts to the ledger once, last (ADR 0005).
"""

from __future__ import annotations

from xinzu.back.billing.commands.adjust import (
    Adjusted,
    Reversal,
    Waiver,
    WriteOff,
    reverse_receipts,
    waive_items,
    write_off_accounts,
)
from xinzu.back.billing.commands.amend import amend
from xinzu.back.billing.commands.call_off_accounts import call_off_accounts
from xinzu.back.billing.commands.close_day import CloseDay, DayReport, close_day, close_days
from xinzu.back.billing.commands.issue_schedules import Commencement, issue_schedules
from xinzu.back.billing.commands.open_accounts import Opening, open_accounts, open_books
from xinzu.back.billing.commands.plan_amendments import Amendment, LesseeTransfer, amendment_of, preview_amendments
from xinzu.back.billing.commands.record_receipts import Allocated, Receipt, Transfer, record_receipts, record_transfers
from xinzu.back.billing.commands.record_refunds import BankRefund, Refund, Refunded, record_bank_refunds, record_refunds
from xinzu.back.billing.commands.settle_returns import Return, Settled, settle_returns

__all__ = [
    "Adjusted",
    "Allocated",
    "Amendment",
    "BankRefund",
    "CloseDay",
    "Commencement",
    "DayReport",
    "LesseeTransfer",
    "Opening",
    "Receipt",
    "Refund",
    "Refunded",
    "Return",
    "Reversal",
    "Settled",
    "Transfer",
    "Waiver",
    "WriteOff",
    "amend",
    "amendment_of",
    "call_off_accounts",
    "close_day",
    "close_days",
    "issue_schedules",
    "open_accounts",
    "open_books",
    "preview_amendments",
    "record_bank_refunds",
    "record_receipts",
    "record_refunds",
    "record_transfers",
    "reverse_receipts",
    "settle_returns",
    "waive_items",
    "write_off_accounts",
]
