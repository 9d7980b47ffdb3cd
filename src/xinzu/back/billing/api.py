"""The front door of billing: commands for its own doors, queries for those above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import (
    Adjusted,
    Allocated,
    BankRefund,
    CloseDay,
    Commencement,
    DayReport,
    Opening,
    Receipt,
    Refund,
    Refunded,
    Return,
    Reversal,
    Settled,
    Transfer,
    Waiver,
    WriteOff,
    call_off_accounts,
    close_day,
    close_days,
    issue_schedules,
    open_accounts,
    open_books,
    record_bank_refunds,
    record_receipts,
    record_refunds,
    record_transfers,
    reverse_receipts,
    settle_returns,
    waive_items,
    write_off_accounts,
)
from xinzu.back.billing.commands.amend import amend
from xinzu.back.billing.commands.close_day import next_to_close
from xinzu.back.billing.commands.partner_shares import follow_all_shares
from xinzu.back.billing.commands.partners import (
    AgreementShares,
    NewPayout,
    Paid,
    PartnerSettlement,
    PartnerView,
    ShareAgreement,
    ShareTerms,
    agree_shares,
    partners,
    record_payouts,
    register_partners,
    settlement_of,
    shares_in,
)
from xinzu.back.billing.commands.pay_out import PayOut, pay_out, tranches_of
from xinzu.back.billing.commands.plan_amendments import Amendment, LesseeTransfer, amendment_of, preview_amendments
from xinzu.back.billing.commands.portfolio import (
    AgeingReport,
    AssetClassReport,
    aged_agreements,
    ageing_of,
    asset_classes,
    export_ageing,
    export_asset_classes,
)
from xinzu.back.billing.commands.reconcile import Reconciled, reconcile
from xinzu.back.billing.commands.second_person import change, refund, waive, write_off
from xinzu.back.billing.commands.set_risk_policies import RiskPolicyChange, RiskPolicyView, risk_policy_of, set_risk_policies
from xinzu.back.billing.errors import AccountMissing, ItemUnknown, LeaseUnclassified
from xinzu.back.billing.model import RECEIPT_SOURCE_PAYMENTS, Charge, ChargeKind, Instalment, InstalmentState, Role, Why
from xinzu.back.billing.risk_schemas import LeaseClassView, LeaseTestView
from xinzu.back.billing.rules import inception, late_fee, suspension
from xinzu.back.billing.rules.ageing import AgeingBucket
from xinzu.back.billing.rules.legs import daily_rows, why_daily, why_financed, why_rent
from xinzu.back.billing.rules.schedules.agreed import (
    agreed_schedule,
    financed_cost_pct,
    period_of,
    rent_days_early,
    schedule_terms,
    with_rate_of,
)
from xinzu.back.billing.rules.schedules.cost import daily_cost_pct, dearest_buyout, rental_cost_pct
from xinzu.back.billing.rules.schedules.cost_table import CostInstalment, CostLine, CostTable, cost_table
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, due_on_of, is_working_day
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import DayCount, InterestDays, Method, Residue, ScheduleTerms, Timing, Unit
from xinzu.back.billing.rules.servicing.ending import Buyout
from xinzu.back.billing.rules.servicing.explained import why_amended
from xinzu.back.billing.rules.servicing.payoff import Payoff
from xinzu.back.billing.schemas import (
    AccountView,
    AdjustmentView,
    Amended,
    AmendmentPreview,
    AmendmentView,
    AmountWhy,
    ChargeView,
    Disbursement,
    InstalmentView,
    NextDue,
    ReceiptView,
    SegmentView,
)
from xinzu.back.billing.store import accounts, adjustments, amendments, items, receipts
from xinzu.back.billing.store import partners as partner_store
from xinzu.back.billing.store.receipts import ReceiptRecord
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession

__all__ = [
    "RECEIPT_SOURCE_PAYMENTS",
    "AccountView",
    "Adjusted",
    "AgeingBucket",
    "AgeingReport",
    "AgreementShares",
    "Allocated",
    "Amended",
    "Amendment",
    "AmendmentPreview",
    "AmountWhy",
    "AssetClassReport",
    "BankRefund",
    "Buyout",
    "CloseDay",
    "Commencement",
    "CostInstalment",
    "CostLine",
    "CostTable",
    "DayCount",
    "DayReport",
    "Disbursement",
    "InterestDays",
    "LesseeTransfer",
    "Method",
    "NewPayout",
    "Opening",
    "Paid",
    "PartnerSettlement",
    "PartnerView",
    "PayOut",
    "Payoff",
    "Receipt",
    "ReceiptRecord",
    "Reconciled",
    "Refund",
    "Refunded",
    "Residue",
    "Return",
    "Reversal",
    "RiskPolicyChange",
    "RiskPolicyView",
    "Schedule",
    "ScheduleTerms",
    "Settled",
    "ShareAgreement",
    "ShareTerms",
    "ShiftPolicy",
    "Timing",
    "Transfer",
    "Unit",
    "Waiver",
    "WriteOff",
    "account_of",
    "adjustments_of",
    "aged_agreements",
    "ageing_of",
    "agree_shares",
    "agreed_schedule",
    "amend",
    "amendment_of",
    "amendments_of",
    "asset_classes",
    "call_off_accounts",
    "change",
    "charges_of",
    "close_day",
    "close_days",
    "cost_table",
    "daily_cost_pct",
    "daily_rows",
    "days_to_close",
    "dearest_buyout",
    "disbursements_of",
    "due_on_of",
    "export_ageing",
    "export_asset_classes",
    "financed_cost_pct",
    "follow_all_shares",
    "instalments_of",
    "is_working_day",
    "issue_schedules",
    "lease_class_of",
    "open_accounts",
    "open_books",
    "partners",
    "pay_out",
    "period_of",
    "preview_amendments",
    "receipt_view",
    "receipts_of",
    "reconcile",
    "record_bank_refunds",
    "record_payouts",
    "record_receipts",
    "record_refunds",
    "record_transfers",
    "refund",
    "register_partners",
    "rent_days_early",
    "rental_cost_pct",
    "reverse_receipts",
    "risk_policy_of",
    "schedule_of",
    "schedule_terms",
    "set_risk_policies",
    "settle_returns",
    "settlement_of",
    "shares_in",
    "waive",
    "waive_items",
    "why",
    "with_rate_of",
    "write_off",
    "write_off_accounts",
]

_OPEN_STATES = (InstalmentState.DUE, InstalmentState.OVERDUE)


async def days_to_close(read: ReadSession) -> list[BusinessDate]:
    """The finished business dates that are not closed yet, in order: from the one whose turn it is up to yesterday."""
    first = await next_to_close(read)
    return [first + timedelta(days=n) for n in range((read.business_date - first).days)]


async def disbursements_of(read: ReadSession, agreement_id: UUID) -> list[Disbursement]:
    """The tranches a loan is paid out in, in order, and which of them were; raises AccountMissing."""
    account = await accounts.find(read, agreement_id)
    if account is None:
        raise AccountMissing
    return await tranches_of(read, account)


async def account_of(read: ReadSession, agreement_id: UUID) -> AccountView:
    """What an agreement owes, holds and will owe next; raises AccountMissing."""
    account = await accounts.find(read, agreement_id)
    if account is None:
        raise AccountMissing
    instalments = await items.instalments_of(read, [agreement_id])
    charges = await items.charges_of(read, [agreement_id])
    upcoming = [row for row in instalments if row.state is InstalmentState.SCHEDULED]
    next_legs = [row for row in upcoming if row.due_on == upcoming[0].due_on]
    undrawn_fen = sum(each.amount_fen for each in await tranches_of(read, account) if each.disbursed_on is None)
    next_due = None
    if next_legs:
        amount_fen = sum(row.open_fen for row in next_legs)
        next_due = NextDue(number=next_legs[0].number, due_on=next_legs[0].due_on, amount_fen=amount_fen)
    return AccountView(
        agreement_id=public_id(Prefix.AGREEMENT, agreement_id),
        party_id=public_id(Prefix.PARTY, account.party_id),
        family=account.family.value,
        state=account.state.value,
        commencement_on=account.commencement_on,
        balance_due_fen=sum(row.open_fen for row in instalments if row.state in _OPEN_STATES)
        + sum(charge.amount_fen - charge.paid_fen - charge.cancelled_fen for charge in charges),
        credit_balance_fen=account.credit_balance_fen,
        overdue_fen=account.overdue_fen,
        days_past_due=account.days_past_due,
        next_due=next_due,
        principal_fen=None
        if account.financing is None
        else sum(row.open_fen for row in instalments if row.role is Role.PRINCIPAL) - undrawn_fen,
        asset_class=account.asset_class.value,
        provision_fen=account.provision_fen,
        written_off_on=account.written_off_on,
        non_accrual_since=account.non_accrual_since,
        suspended_fen=sum(row.suspended_fen for row in instalments),
        shares_fen=sum((await partner_store.due_on_agreement_fen(read, agreement_id)).values()) if account.has_shares else 0,
        charges=[_charge_view(charge) for charge in charges],
    )


async def lease_class_of(read: ReadSession, agreement_id: UUID) -> LeaseClassView:
    """How a lease was classified at its inception, with every test; raises AccountMissing, LeaseUnclassified."""
    account = await accounts.find(read, agreement_id)
    if account is None:
        raise AccountMissing
    found = await accounts.lease_class_of(read, agreement_id)
    if found is None:
        raise LeaseUnclassified
    return LeaseClassView(
        lease_class=found.lease_class.value,
        booked_as=inception.BOOKED_AS[account.family].value,
        differs=inception.differs(account.family, found.lease_class),
        needs_judgement=found.needs_judgement,
        supply=found.supply.value,
        tests=[
            LeaseTestView(
                code=test.code,
                article=test.article,
                holds=test.holds,
                figures=dict(test.figures),
                words_zh=test.words_zh,
                words_en=test.words_en,
            )
            for test in found.tests
        ],
    )


async def instalments_of(read: ReadSession, agreement_id: UUID) -> list[InstalmentView]:
    """The schedule as it stands, leg by leg; empty before commencement. Raises AccountMissing."""
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


async def adjustments_of(read: ReadSession, agreement_id: UUID) -> list[AdjustmentView]:
    """What was waived, written off, recovered or reversed on an agreement, newest first. Raises AccountMissing."""
    if await accounts.find(read, agreement_id) is None:
        raise AccountMissing
    return [adjustment_view(row) for row in await adjustments.of_agreement(read, agreement_id)]


async def amendments_of(read: ReadSession, agreement_id: UUID) -> list[AmendmentView]:
    """What was changed on an agreement after commencement, newest first. Raises AccountMissing."""
    if await accounts.find(read, agreement_id) is None:
        raise AccountMissing
    return [amendment_view(row) for row in await amendments.of_agreement(read, agreement_id)]


async def why(read: ReadSession, agreement_id: UUID, item_id: UUID) -> AmountWhy:
    """Why an instalment or a charge is what it is; raises AccountMissing, ItemUnknown."""
    account = await accounts.find(read, agreement_id)
    if account is None:
        raise AccountMissing
    instalments = {row.id: row for row in await items.instalments_of(read, [agreement_id])}
    instalment = instalments.get(item_id)
    if instalment is not None and account.commencement_on is not None:
        explained = await _why_leg(read, account, list(instalments.values()), instalment, account.commencement_on)
        explained = suspension.told(explained, instalment, account.non_accrual_since)
        return _answer(public_id(Prefix.INSTALMENT, item_id), instalment.role.value, instalment.amount_fen, explained)
    charge = next((charge for charge in await items.charges_of(read, [agreement_id]) if charge.id == item_id), None)
    if charge is None:
        raise ItemUnknown
    if charge.kind is ChargeKind.LATE_FEE and charge.instalment_id is not None:
        explained = late_fee.explain(
            items.late_fee_days_of(charge),
            instalments[charge.instalment_id].amount_fen,
            account.late_fee_daily_rate,
            account.late_fee_ceiling_annual_pct,
        )
    else:
        explained = msgspec.convert(charge.why, Why)
    return _answer(public_id(Prefix.CHARGE, item_id), charge.kind.value, charge.amount_fen, explained)


async def _why_leg(
    read: ReadSession, account: accounts.Account, legs: Sequence[Instalment], leg: Instalment, commencement_on: BusinessDate
) -> Why:
    amended = None if leg.version == 1 else await amendments.of_version(read, account.agreement_id, leg.version)
    if amended is not None:
        return why_amended(amended.in_force, legs, leg, amended.why)
    if account.financing is None:
        if account.daily is not None:
            return why_daily(leg, account.daily, commencement_on)
        every, unit = period_of(account)
        return why_rent(leg, account.rent_fen, every, account.period_count, commencement_on, unit=unit)
    return why_financed(agreed_schedule(account, account.financing, commencement_on), leg.number, leg.due_on)


def adjustment_view(row: adjustments.Adjustment) -> AdjustmentView:
    return AdjustmentView(
        id=public_id(Prefix.ADJUSTMENT, row.id),
        kind=row.kind.value,
        amount_fen=row.amount_fen,
        reason=row.reason,
        made_by=row.made_by,
        made_on=row.made_on,
        recorded_at=row.recorded_at,
    )


def amendment_view(row: amendments.Amendment) -> AmendmentView:
    return AmendmentView(
        id=public_id(Prefix.AMENDMENT, row.id),
        kind=row.kind,
        version=row.version,
        effective_on=row.effective_on,
        formula=row.why.formula,
        words_zh=row.why.words_zh,
        words_en=row.why.words_en,
        inputs=dict(row.why.inputs),
        request=dict(row.request),
        reason=row.reason,
        made_by=row.made_by,
        recorded_at=row.recorded_at,
    )


def instalment_view(row: Instalment) -> InstalmentView:
    return InstalmentView(
        id=public_id(Prefix.INSTALMENT, row.id),
        version=row.version,
        number=row.number,
        role=row.role.value,
        from_on=row.from_on,
        to_on=row.to_on,
        due_on=row.due_on,
        amount_fen=row.amount_fen,
        paid_fen=row.paid_fen,
        cancelled_fen=row.cancelled_fen,
        suspended_fen=row.suspended_fen,
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
        reversed_on=record.reversed_on,
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
                rate_pct=segment.rate_pct,
                year_fraction=segment.year_fraction,
                amount_fen=segment.amount_fen,
            )
            for segment in explained.segments
        ],
    )
