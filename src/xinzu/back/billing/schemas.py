"""Billing as it goes over HTTP and to the modules above. Amounts are fen and include VAT."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.http.fields import ONE_LINE

AMOUNT_MAX_FEN = 1_000_000_000_000
PositiveFen = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=ONE_LINE)]


class InstalmentView(msgspec.Struct, kw_only=True):
    """A leg of an instalment: ``role`` is rent, principal, interest or fee, and legs of one ``number`` fall due together. ``version`` is
    that of the schedule, which amendments raise. ``state`` is scheduled, due, overdue, paid or cancelled."""

    id: str
    version: int
    number: int
    role: str
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int
    state: str


class ChargeView(msgspec.Struct, kw_only=True):
    """Something owed besides instalments. ``kind`` is late_fee, damage, early_return, prepayment_fee or buyout."""

    id: str
    kind: str
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int


class NextDue(msgspec.Struct, kw_only=True):
    """The next instalment, all its legs together."""

    number: int
    due_on: BusinessDate
    amount_fen: int


class AccountView(msgspec.Struct, kw_only=True):
    """What an agreement owes now, what it holds, how late it is (as of the last close) and what comes next. ``principal_fen`` is what of
    the financed amount is not repaid yet, null for a rental."""

    agreement_id: str
    party_id: str
    family: str
    state: str
    commencement_on: BusinessDate | None
    balance_due_fen: int
    credit_balance_fen: int
    overdue_fen: int
    days_past_due: int
    next_due: NextDue | None
    principal_fen: int | None
    asset_class: str
    provision_fen: int
    written_off_on: BusinessDate | None
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
    reversed_on: BusinessDate | None
    recorded_at: Instant


class ReceiptPage(msgspec.Struct, kw_only=True):
    """Receipts, newest first."""

    items: list[ReceiptView]
    next_cursor: str | None


class NewReceipt(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Money that came in by transfer or over the counter. ``reference`` is the bank's: the same one is recorded once."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ONE_LINE)]
    amount_fen: PositiveFen
    received_on: BusinessDate


class ReversalBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a receipt is taken back; ``chargeback`` when the payer's bank took it."""

    kind: Literal["reversal", "chargeback"] = "reversal"
    reason: Reason


class WaiverBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is let off and why. Without ``amount_fen`` all that is open."""

    amount_fen: PositiveFen | None = None
    reason: Reason


class WriteOffBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why what is due is given up."""

    reason: Reason


class AdjustmentView(msgspec.Struct, kw_only=True):
    """Something done by hand: waiver, write_off, recovery, reversal, chargeback."""

    id: str
    kind: str
    amount_fen: int
    reason: str
    made_by: str
    made_on: BusinessDate
    recorded_at: Instant


class AdjustmentList(msgspec.Struct, kw_only=True):
    """Adjustments, newest first."""

    items: list[AdjustmentView]


class SegmentView(msgspec.Struct, kw_only=True):
    """A stretch of days (both included) and the amount the calculation stood on. Of interest: ``base_fen`` × ``rate_pct`` ÷ 100 ×
    ``year_fraction``, settled to whole fen, is ``amount_fen``."""

    from_on: BusinessDate
    to_on: BusinessDate
    days: int
    base_fen: int
    rate_pct: str | None
    year_fraction: str | None
    amount_fen: int | None


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
