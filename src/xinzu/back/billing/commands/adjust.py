"""What a person does to items and receipts: reverse a receipt, let something off, write off what will not come in.

Everything is recorded with its reason and actor, booked as its own entry and kept as evidence; nothing that was booked is changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import booking, controls, moving
from xinzu.back.billing.commands.partner_shares import follow_shares
from xinzu.back.billing.errors import (
    AccountClosed,
    AccountMissing,
    ItemUnknown,
    NothingOpen,
    ReceiptSpent,
    ReceiptUnknown,
    StillRunning,
)
from xinzu.back.billing.events import AccountWrittenOff, ItemWaived, ReceiptReversed
from xinzu.back.billing.model import AccountState, AdjustmentKind, InstalmentState, ItemKind, OpenItem
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import accounts, adjustments, items, receipts
from xinzu.back.billing.store import controls as recent
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import Family
from xinzu.platform import approvals
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Reversal:
    """A receipt that did not come in after all (``reversal``) or was taken back by the payer's bank (``chargeback``)."""

    agreement_id: UUID
    receipt_id: UUID
    kind: AdjustmentKind
    reason: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """So much of something due to be let off; all that is open when no amount is given."""

    agreement_id: UUID
    item_id: UUID
    amount_fen: int | None
    reason: str
    evidence_ref: str = ""


@dataclass(frozen=True, slots=True)
class WriteOff:
    """An agreement whose due items are given up as lost."""

    agreement_id: UUID
    reason: str
    evidence_ref: str = ""


class Adjusted(msgspec.Struct, kw_only=True):
    """What was moved, and what the agreement owes and holds now."""

    amount_fen: int
    balance_due_fen: int
    credit_balance_fen: int


async def reverse_receipts(uow: UnitOfWork, given: Sequence[Reversal]) -> list[Outcome[Adjusted]]:
    """Take receipts back: what they had settled is owed again, what of them was held is held no more. Days past due are counted anew from
    the due dates at the next close; no late fee is charged for the days on which the money seemed to be there.

    Reversing again changes nothing. Books the receipt's entry backwards. Refuses with AccountMissing, AccountClosed, ReceiptUnknown, or
    ReceiptSpent when part was refunded.
    """
    return await _each(uow, given, _reverse)


async def waive_items(uow: UnitOfWork, given: Sequence[Waiver]) -> list[Outcome[Adjusted]]:
    """Let part or all of due items off. Books income and VAT back, principal as a loss. Refuses with AccountMissing, AccountClosed,
    ItemUnknown (nothing of that id is due), NothingOpen (less is open than asked), SecondPersonNeeded (``controls.WAIVER``)."""
    return await _each(uow, given, _waive)


async def write_off_accounts(uow: UnitOfWork, given: Sequence[WriteOff]) -> list[Outcome[Adjusted]]:
    """Take what is due out of the books against the allowance, which is raised to it first; rents still to come are cancelled. The claim
    stays, money that comes later is recovery.

    Refuses with AccountMissing, AccountClosed, NothingOpen, SecondPersonNeeded (``controls.WRITE_OFF``), or StillRunning: what a lease or
    loan has still to bring must be made due first, which takes a legal ground (Civil Code art. 752).
    """
    return await _each(uow, given, _write_off)


async def reinstate(uow: UnitOfWork, arrived: Sequence[receipts.NewReceipt], written_off: set[UUID]) -> list[ledger.Entry | None]:
    """Open again what was written off of these agreements, as much as has come in, so that the receipts settle it; returns the entries."""
    coming: dict[UUID, int] = {}
    for receipt in arrived:
        if receipt.agreement_id in written_off:
            coming[receipt.agreement_id] = coming.get(receipt.agreement_id, 0) + receipt.amount_fen
    parts: list[tuple[UUID, OpenItem, int]] = []
    if coming:
        for agreement_id, item in sorted(await _lost(uow, list(coming)), key=lambda each: each[1].due_on):
            part_fen = min(coming[agreement_id], item.open_fen)
            if part_fen > 0:
                parts.append((agreement_id, item, part_fen))
                coming[agreement_id] -= part_fen
    if not parts:
        return []
    await items.let_off(uow, [(item, -fen) for _, item, fen in parts])
    made = await adjustments.insert(
        uow, [(agreement_id, AdjustmentKind.RECOVERY, item.id, fen, "收回已核销款项") for agreement_id, item, fen in parts]
    )
    return [
        booking.entry(
            "billing.reinstated",
            made_id,
            uow.business_date,
            [(agreement_id, postings.reinstated(item.family, item.kind, fen))],
        )
        for made_id, (agreement_id, item, fen) in zip(made, parts, strict=True)
    ]


async def _each(
    uow: UnitOfWork, given: Sequence[Request], adjust: Callable[[UnitOfWork, Request], Awaitable[Adjusted]]
) -> list[Outcome[Adjusted]]:
    """One after the other: a person does one at a time, and each is refused before it writes anything."""
    outcomes: list[Outcome[Adjusted]] = []
    for request in given:
        try:
            outcomes.append(await adjust(uow, request))
        except Problem as refusal:
            outcomes.append(refusal)
    return outcomes


async def _reverse(uow: UnitOfWork, asked: Reversal) -> Adjusted:
    account = await _lock(uow, asked.agreement_id)
    receipt = await receipts.find(uow, asked.agreement_id, asked.receipt_id)
    if receipt is None:
        raise ReceiptUnknown
    if receipt.reversed_on is not None:
        return await _standing(uow, asked.agreement_id, 0)
    if receipt.refunded_fen > 0:
        raise ReceiptSpent(refunded_fen=receipt.refunded_fen)
    settled = await receipts.settled_by(uow, receipt.id)
    if settled:
        await receipts.insert_allocations(
            uow,
            [
                receipts.AllocationRow(
                    new_id(), asked.agreement_id, receipt.id, row.instalment_id, row.charge_id, -row.amount_fen
                )
                for row in settled
            ],
        )
        await items.unpay(
            uow,
            {row.instalment_id: row.amount_fen for row in settled if row.instalment_id is not None},
            {row.charge_id: row.amount_fen for row in settled if row.charge_id is not None},
        )
    await receipts.mark_reversed(uow, receipt.id)
    await adjustments.insert(uow, [(asked.agreement_id, asked.kind, receipt.id, receipt.amount_fen, asked.reason)])
    uow.emit(
        ReceiptReversed(
            subject_id=asked.agreement_id, receipt_id=receipt.id, kind=asked.kind.value, amount_fen=receipt.amount_fen
        )
    )
    moved = postings.receipt_reversed(
        postings.cash_of(receipt.provider),
        [(postings.receivable_of(account.family, ItemKind(row.kind)), row.amount_fen) for row in settled],
        receipt.amount_fen - receipt.allocated_fen,
    )
    return await _done(
        uow,
        account,
        receipt.amount_fen,
        booking.entry("billing.receipt_reversed", receipt.id, uow.business_date, [(asked.agreement_id, moved)]),
        evidence.Leaf(
            f"billing.receipt.{asked.kind.value}",
            asked.agreement_id,
            {
                "receipt_id": public_id(Prefix.RECEIPT, receipt.id),
                "amount_fen": receipt.amount_fen,
                "reason": asked.reason,
                "by": str(uow.actor),
            },
        ),
    )


async def _waive(uow: UnitOfWork, asked: Waiver) -> Adjusted:
    account = await _lock(uow, asked.agreement_id)
    found = await items.open_items(uow, [asked.agreement_id])
    item = next((each for each in found.get(asked.agreement_id, []) if each.id == asked.item_id), None)
    if item is None:
        raise ItemUnknown(
            "该款项未到期或已无未付金额，只能减免已到期的款项",
            "Nothing of this id is due and open: only what is due can be let off",
        )
    amount_fen = item.open_fen if asked.amount_fen is None else asked.amount_fen
    if amount_fen > item.open_fen:
        raise NothingOpen(open_fen=item.open_fen, asked_fen=amount_fen)
    lately_fen = await recent.waived_since_fen(uow, asked.agreement_id, uow.business_date - controls.COUNTED)
    await approvals.check(uow, controls.WAIVER, amount_fen, before_fen=lately_fen)
    suspended = await items.let_off(uow, [(item, amount_fen)])
    [made_id] = await adjustments.insert(uow, [(asked.agreement_id, AdjustmentKind.WAIVER, item.id, amount_fen, asked.reason)])
    uow.emit(ItemWaived(subject_id=asked.agreement_id, item_id=item.id, kind=item.kind.value, amount_fen=amount_fen))
    return await _done(
        uow,
        account,
        amount_fen,
        booking.entry(
            "billing.waived",
            made_id,
            uow.business_date,
            [(asked.agreement_id, postings.waived(item.family, item.kind, amount_fen, suspended))],
        ),
        evidence.Leaf(
            "billing.item.waived",
            asked.agreement_id,
            {
                "item_id": public_id(Prefix.INSTALMENT if item.is_leg else Prefix.CHARGE, item.id),
                "amount_fen": amount_fen,
                "reason": asked.reason,
                "evidence_ref": asked.evidence_ref,
                "by": str(uow.actor),
            },
        ),
    )


async def _write_off(uow: UnitOfWork, asked: WriteOff) -> Adjusted:
    account = await _lock(uow, asked.agreement_id)
    to_come = [row for row in await items.instalments_of(uow, [asked.agreement_id]) if row.state is InstalmentState.SCHEDULED]
    if to_come and account.family is not Family.RENTAL:
        raise StillRunning(instalments=len({row.number for row in to_come}))
    open_items = (await items.open_items(uow, [asked.agreement_id])).get(asked.agreement_id, [])
    lost_fen = sum(item.open_fen for item in open_items)
    if lost_fen == 0:
        raise NothingOpen("没有到期未付的款项可供核销", "Nothing is due that could be written off", open_fen=0)
    await approvals.check(uow, controls.WRITE_OFF, lost_fen)
    await items.cancel(uow, [row.id for row in to_come], [])
    allowance = postings.allowance_of(account.family)
    never_income = [
        transfer
        for moved in await items.let_off(uow, [(item, item.open_fen) for item in open_items])
        for transfer in postings.interest_recognised(moved, into=allowance)
    ]
    made = await adjustments.insert(
        uow,
        [(asked.agreement_id, AdjustmentKind.WRITE_OFF, item.id, item.open_fen, asked.reason) for item in open_items],
    )
    # What was claimed and never income is no loss.
    taken_fen = lost_fen - sum(transfer.amount_fen for transfer in never_income)
    provided_fen = max(account.provision_fen, taken_fen)
    await accounts.write_off(uow, asked.agreement_id, provided_fen - taken_fen)
    uow.emit(AccountWrittenOff(subject_id=asked.agreement_id, party_id=account.party_id, amount_fen=lost_fen))
    moved = [*postings.provided(account.family, account.provision_fen, provided_fen), *never_income]
    for item in open_items:
        moved += postings.written_off(item.family, item.kind, item.open_fen)
    return await _done(
        uow,
        account,
        lost_fen,
        booking.entry("billing.written_off", made[0], uow.business_date, [(asked.agreement_id, postings.merged(moved))]),
        evidence.Leaf(
            "billing.account.written_off",
            asked.agreement_id,
            {
                "amount_fen": lost_fen,
                "reason": asked.reason,
                "evidence_ref": asked.evidence_ref,
                "by": str(uow.actor),
            },
        ),
    )


async def _lock(uow: UnitOfWork, agreement_id: UUID) -> accounts.Account:
    account = (await accounts.lock(uow, [agreement_id])).get(agreement_id)
    if account is None:
        raise AccountMissing
    if account.state is AccountState.SETTLED:
        raise AccountClosed
    return account


async def _done(
    uow: UnitOfWork, account: accounts.Account, amount_fen: int, entry: ledger.Entry | None, leaf: evidence.Leaf
) -> Adjusted:
    """What every adjustment ends with: the account restated and settled when nothing is owed any more, partners' shares, the entry, the
    evidence."""
    agreement_id = account.agreement_id
    standings = await moving.restate(uow, [agreement_id])
    await moving.close_settled(uow, list(standings.values()))
    shared = await follow_shares(uow, [agreement_id] if account.has_shares else [])
    await booking.post(uow, [entry, *shared])
    evidence.append(uow, [leaf])
    standing = standings[agreement_id]
    return Adjusted(amount_fen=amount_fen, balance_due_fen=standing.owed_fen, credit_balance_fen=standing.credit_fen)


async def _standing(uow: UnitOfWork, agreement_id: UUID, amount_fen: int) -> Adjusted:
    standing = (await moving.restate(uow, [agreement_id]))[agreement_id]
    return Adjusted(amount_fen=amount_fen, balance_due_fen=standing.owed_fen, credit_balance_fen=standing.credit_fen)


async def _lost(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[tuple[UUID, OpenItem]]:
    families = {account.agreement_id: account.family for account in (await accounts.lock(uow, agreement_ids)).values()}
    return [
        (row.agreement_id, OpenItem(row.item_id, ItemKind(row.kind), row.due_on, row.lost_fen, families[row.agreement_id]))
        for row in await adjustments.lost(uow, agreement_ids)
    ]
