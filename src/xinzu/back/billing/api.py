"""The front door of billing: commands for its own doors, queries for those above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import (
    Allocated,
    CloseDay,
    Commencement,
    DayReport,
    Opening,
    Receipt,
    Refund,
    Return,
    Settled,
    call_off_accounts,
    close_day,
    close_days,
    issue_schedules,
    open_accounts,
    open_books,
    record_receipts,
    record_refunds,
    settle_returns,
)
from xinzu.back.billing.commands.close_day import next_to_close
from xinzu.back.billing.errors import AccountMissing, ItemUnknown
from xinzu.back.billing.model import RECEIPT_SOURCE_PAYMENTS, Charge, ChargeKind, Instalment, InstalmentState, Why
from xinzu.back.billing.rules import late_fee, schedule
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms
from xinzu.back.billing.schemas import AccountView, AmountWhy, ChargeView, InstalmentView, ReceiptView, SegmentView
from xinzu.back.billing.store import accounts, items, receipts
from xinzu.back.billing.store.receipts import ReceiptRecord
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession

__all__ = [
    "RECEIPT_SOURCE_PAYMENTS",
    "Allocated",
    "CloseDay",
    "Commencement",
    "DayReport",
    "Opening",
    "Receipt",
    "ReceiptRecord",
    "Refund",
    "Return",
    "Schedule",
    "ScheduleTerms",
    "Settled",
    "account_of",
    "call_off_accounts",
    "charges_of",
    "close_day",
    "close_days",
    "days_to_close",
    "instalments_of",
    "issue_schedules",
    "open_accounts",
    "open_books",
    "receipt_view",
    "receipts_of",
    "record_receipts",
    "record_refunds",
    "schedule_of",
    "settle_returns",
    "why",
]

_OPEN_STATES = (InstalmentState.DUE, InstalmentState.OVERDUE)


async def days_to_close(read: ReadSession) -> list[BusinessDate]:
    """The finished business dates that are not closed yet, in order: from the one whose turn it is up to yesterday."""
    first = await next_to_close(read)
    return [first + timedelta(days=n) for n in range((read.business_date - first).days)]


async def account_of(read: ReadSession, agreement_id: UUID) -> AccountView:
    """What an agreement owes, holds and will owe next; raises AccountMissing."""
    account = await accounts.find(read, agreement_id)
    if account is None:
        raise AccountMissing
    instalments = await items.instalments_of(read, [agreement_id])
    charges = await items.charges_of(read, [agreement_id])
    upcoming = next((row for row in instalments if row.state is InstalmentState.SCHEDULED), None)
    return AccountView(
        agreement_id=public_id(Prefix.AGREEMENT, agreement_id),
        party_id=public_id(Prefix.PARTY, account.party_id),
        state=account.state.value,
        commencement_on=account.commencement_on,
        balance_due_fen=sum(row.open_fen for row in instalments if row.state in _OPEN_STATES)
        + sum(charge.amount_fen - charge.paid_fen - charge.cancelled_fen for charge in charges),
        credit_balance_fen=account.credit_balance_fen,
        overdue_fen=account.overdue_fen,
        days_past_due=account.days_past_due,
        next_due=None if upcoming is None else instalment_view(upcoming),
        charges=[_charge_view(charge) for charge in charges],
    )


async def instalments_of(read: ReadSession, agreement_id: UUID) -> list[InstalmentView]:
    """The schedule as it stands, by number; empty before commencement. Raises AccountMissing."""
    if await accounts.find(read, agreement_id) is None:
        raise AccountMissing
    return [instalment_view(row) for row in await items.instalments_of(read, [agreement_id])]


async def charges_of(read: ReadSession, agreement_id: UUID) -> list[ChargeView]:
    """What was charged besides rent, oldest first."""
    return [_charge_view(charge) for charge in await items.charges_of(read, [agreement_id])]


async def receipts_of(
    read: ReadSession, agreement_id: UUID, *, before: UUID | None = None, limit: int = 1_000
) -> Sequence[ReceiptRecord]:
    """Money that came in, newest first; ``before`` is the last id seen, for the next page. Raises AccountMissing."""
    if await accounts.find(read, agreement_id) is None:
        raise AccountMissing
    return await receipts.receipts_of(read, agreement_id, before, limit)


async def why(read: ReadSession, agreement_id: UUID, item_id: UUID) -> AmountWhy:
    """Why an instalment or a charge is what it is; raises AccountMissing, ItemUnknown."""
    account = await accounts.find(read, agreement_id)
    if account is None:
        raise AccountMissing
    instalments = {row.id: row for row in await items.instalments_of(read, [agreement_id])}
    instalment = instalments.get(item_id)
    if instalment is not None and account.commencement_on is not None:
        row = schedule.instalment_row(
            account.rent_fen, account.period_months, account.period_count, account.commencement_on, instalment.number
        )
        return _answer(public_id(Prefix.INSTALMENT, item_id), "rent", instalment.amount_fen, row.why)
    charge = next((charge for charge in await items.charges_of(read, [agreement_id]) if charge.id == item_id), None)
    if charge is None:
        raise ItemUnknown
    if charge.kind is ChargeKind.LATE_FEE and charge.instalment_id is not None:
        explained = late_fee.explain(
            items.segments_of(charge),
            instalments[charge.instalment_id].amount_fen,
            account.late_fee_daily_rate,
            account.late_fee_ceiling_annual_pct,
        )
    else:
        explained = msgspec.convert(charge.why, Why)
    return _answer(public_id(Prefix.CHARGE, item_id), charge.kind.value, charge.amount_fen, explained)


def instalment_view(row: Instalment) -> InstalmentView:
    return InstalmentView(
        id=public_id(Prefix.INSTALMENT, row.id),
        number=row.number,
        from_on=row.from_on,
        to_on=row.to_on,
        due_on=row.due_on,
        amount_fen=row.amount_fen,
        paid_fen=row.paid_fen,
        cancelled_fen=row.cancelled_fen,
        state=row.state.value,
    )


def receipt_view(record: ReceiptRecord) -> ReceiptView:
    return ReceiptView(
        id=public_id(Prefix.RECEIPT, record.id),
        source=record.source,
        purpose=record.purpose,
        provider=record.provider,
        provider_trade_no=record.provider_trade_no,
        amount_fen=record.amount_fen,
        allocated_fen=record.allocated_fen,
        refunded_fen=record.refunded_fen,
        received_on=record.received_on,
        recorded_at=record.recorded_at,
    )


def _charge_view(charge: Charge) -> ChargeView:
    return ChargeView(
        id=public_id(Prefix.CHARGE, charge.id),
        kind=charge.kind.value,
        due_on=charge.due_on,
        amount_fen=charge.amount_fen,
        paid_fen=charge.paid_fen,
        cancelled_fen=charge.cancelled_fen,
    )


def _answer(item_id: str, kind: str, amount_fen: int, explained: Why) -> AmountWhy:
    return AmountWhy(
        item_id=item_id,
        kind=kind,
        amount_fen=amount_fen,
        formula=explained.formula,
        words_zh=explained.words_zh,
        words_en=explained.words_en,
        inputs=dict(explained.inputs),
        segments=[
            SegmentView(
                from_on=segment.from_on,
                to_on=segment.to_on,
                days=(segment.to_on - segment.from_on).days + 1,
                base_fen=segment.base_fen,
            )
            for segment in explained.segments
        ],
    )
