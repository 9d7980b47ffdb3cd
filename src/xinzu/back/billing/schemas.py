"""Billing as it goes over HTTP and to the modules above. Amounts are fen and include VAT."""

from __future__ import annotations

from typing import Annotated

import msgspec

from xinzu.kernel.time import BusinessDate, Instant


class InstalmentView(msgspec.Struct, kw_only=True):
    """One period's rent. ``state`` is scheduled, due, overdue, paid or cancelled."""

    id: str
    number: int
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int
    state: str


class ChargeView(msgspec.Struct, kw_only=True):
    """Something owed besides rent. ``kind`` is late_fee, damage or early_return."""

    id: str
    kind: str
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int


class AccountView(msgspec.Struct, kw_only=True):
    """What an agreement owes now, what it holds, how late it is (as of the last close) and what comes next."""

    agreement_id: str
    party_id: str
    state: str
    commencement_on: BusinessDate | None
    balance_due_fen: int
    credit_balance_fen: int
    overdue_fen: int
    days_past_due: int
    next_due: InstalmentView | None
    charges: list[ChargeView]


class InstalmentList(msgspec.Struct, kw_only=True):
    """The schedule, by number."""

    items: list[InstalmentView]


class ReceiptView(msgspec.Struct, kw_only=True):
    """Money that came in. What is neither allocated nor refunded is credit balance."""

    id: str
    source: str
    purpose: str
    provider: str
    provider_trade_no: str
    amount_fen: int
    allocated_fen: int
    refunded_fen: int
    received_on: BusinessDate
    recorded_at: Instant


class ReceiptPage(msgspec.Struct, kw_only=True):
    """Receipts, newest first."""

    items: list[ReceiptView]
    next_cursor: str | None


class SegmentView(msgspec.Struct, kw_only=True):
    """A stretch of days (both included) and the amount the calculation stood on."""

    from_on: BusinessDate
    to_on: BusinessDate
    days: int
    base_fen: int


class AmountWhy(msgspec.Struct, kw_only=True):
    """How an amount came to be: the formula, its inputs, and its segments in time."""

    item_id: str
    kind: str
    amount_fen: int
    formula: str
    words_zh: str
    words_en: str
    inputs: dict[str, str | int]
    segments: list[SegmentView]


class CloseRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The business date to close. With ``dry_run`` nothing is changed and the answer says what would be."""

    business_date: Annotated[BusinessDate, msgspec.Meta(description="The finished business date whose turn it is")]
    dry_run: bool = False
