"""Recording money that came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.commands.adjust import reinstate
from xinzu.back.billing.commands.value_date import apply_dated, dates_back
from xinzu.back.billing.errors import AccountMissing, ReceiptConflict
from xinzu.back.billing.events import ReceiptAllocated
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import accounts, receipts
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger

SOURCE_TRANSFERS = "transfers"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in for an agreement. ``(source, source_ref)`` names it; it is recorded once."""

    agreement_id: UUID
    source: str
    source_ref: str
    purpose: str
    provider: str
    provider_trade_no: str
    amount_fen: int
    received_on: BusinessDate


class Allocated(msgspec.Struct, kw_only=True):
    """A receipt and how much of it was set against open items. ``is_new`` is false when it was recorded before."""

    id: str
    amount_fen: int
    allocated_fen: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that came in at the bank, as an operator records it."""

    agreement_id: UUID
    reference: str
    amount_fen: int
    received_on: BusinessDate


async def record_transfers(uow: UnitOfWork, given: Sequence[Transfer]) -> list[Outcome[Allocated]]:
    """Record bank transfers. As ``record_receipts``; refuses a date to come, or before the commencement, with Invalid."""
    late = sorted({transfer.agreement_id for transfer in given if transfer.received_on < uow.business_date})
    commenced = await accounts.commencements(uow, late) if late else {}
    refusals = [_refusal(transfer, uow.business_date, commenced.get(transfer.agreement_id)) for transfer in given]
    outcomes = iter(
        await record_receipts(
            uow,
            [
                Receipt(
                    agreement_id=transfer.agreement_id,
                    source=SOURCE_TRANSFERS,
                    source_ref=transfer.reference,
                    purpose="transfer",
                    provider=postings.BANK_TRANSFER,
                    provider_trade_no=transfer.reference,
                    amount_fen=transfer.amount_fen,
                    received_on=transfer.received_on,
                )
                for transfer, refusal in zip(given, refusals, strict=True)
                if refusal is None
            ],
        )
    )
    return [next(outcomes) if refusal is None else refusal for refusal in refusals]


def _refusal(transfer: Transfer, today: BusinessDate, began_on: BusinessDate | None) -> Invalid | None:
    if transfer.received_on > today:
        return Invalid.field(
            "/received_on", "billing.received_in_future", "到账日期不能晚于今天", "The money cannot have come in after today"
        )
    if began_on is not None and transfer.received_on < began_on:
        return Invalid.field(
            "/received_on",
            "billing.received_before_commencement",
            f"到账日期不能早于起租日（放款日）{began_on}",
            f"The money cannot have come in before the commencement on {began_on}",
        )
    return None


async def record_receipts(uow: UnitOfWork, given: Sequence[Receipt]) -> list[Outcome[Allocated]]:
    """Record receipts and set them against what has fallen due, by the family's waterfall (``rules.allocation``).

    What is left is held as credit balance. In the same transaction: ReceiptAllocated, ArrearsCleared when nothing is overdue any more,
    AccountSettled when a settling account comes to zero. What had been written off is recovered first. Books cash against receivables and
    credit balance.

    Money that came in before today counts from its day (``value_date.apply_dated``): late fees of the days since are taken back, and what
    receipts settled since is settled anew. It is booked on its day, in closed books on the first open day with its day as effective date.

    Refuses an item with AccountMissing, or ReceiptConflict when its reference stands for other money.
    """
    locked = await accounts.lock(uow, sorted({receipt.agreement_id for receipt in given}))
    candidates = [
        receipts.NewReceipt(
            id=new_id(),
            agreement_id=receipt.agreement_id,
            source=receipt.source,
            source_ref=receipt.source_ref,
            purpose=receipt.purpose,
            provider=receipt.provider,
            provider_trade_no=receipt.provider_trade_no,
            amount_fen=receipt.amount_fen,
            received_on=receipt.received_on,
        )
        for receipt in given
        if receipt.agreement_id in locked
    ]
    fresh_ids = await receipts.insert_receipts(uow, candidates) if candidates else set()
    fresh = [receipt for receipt in candidates if receipt.id in fresh_ids]
    recorded: dict[tuple[str, str], receipts.KnownReceipt] = {}
    if fresh:
        written_off = {account.agreement_id for account in locked.values() if account.written_off_on is not None}
        allocated = await _allocate(uow, locked, fresh, await reinstate(uow, fresh, written_off))
        recorded = {
            (new.source, new.source_ref): receipts.KnownReceipt(
                new.id, new.agreement_id, new.amount_fen, allocated.get(new.id, 0)
            )
            for new in fresh
        }
    known_before = [(receipt.source, receipt.source_ref) for receipt in candidates if receipt.id not in fresh_ids]
    if known_before:
        recorded |= await receipts.by_reference(uow, known_before)
    outcomes: list[Outcome[Allocated]] = []
    told: set[UUID] = set()
    for receipt in given:
        if receipt.agreement_id not in locked:
            outcomes.append(AccountMissing())
            continue
        known = recorded[receipt.source, receipt.source_ref]
        if (known.agreement_id, known.amount_fen) != (receipt.agreement_id, receipt.amount_fen):
            outcomes.append(ReceiptConflict())
            continue
        is_new = known.id in fresh_ids and known.id not in told
        told.add(known.id)
        outcomes.append(
            Allocated(
                id=public_id(Prefix.RECEIPT, known.id),
                amount_fen=known.amount_fen,
                allocated_fen=known.allocated_fen,
                is_new=is_new,
            )
        )
    return outcomes


async def _allocate(
    uow: UnitOfWork,
    locked: Mapping[UUID, accounts.Account],
    fresh: Sequence[receipts.NewReceipt],
    reinstated: Sequence[ledger.Entry | None],
) -> dict[UUID, int]:
    """Set them against what is open, and book and say it; returns what was set of each."""
    today = uow.business_date
    agreement_ids = sorted({receipt.agreement_id for receipt in fresh})
    counts_from: dict[UUID, BusinessDate] = {}
    for receipt in fresh:
        began_on = locked[receipt.agreement_id].commencement_on
        if receipt.received_on < today and began_on is not None and dates_back(locked[receipt.agreement_id]):
            earliest = counts_from.get(receipt.agreement_id, today)
            counts_from[receipt.agreement_id] = min(earliest, max(receipt.received_on, began_on))
    applied, corrected = moving.Applied(()), list(reinstated)
    on_its_day = [agreement_id for agreement_id in agreement_ids if agreement_id not in counts_from]
    if on_its_day:
        applied = await moving.apply_funds(uow, on_its_day)
    if counts_from:
        dated, reduced = await apply_dated(uow, counts_from, locked)
        applied, corrected = applied + dated, [*corrected, *reduced]
    standings = await moving.restate(uow, agreement_ids)
    booked_on = {receipt.id: min(receipt.received_on, today) for receipt in fresh}
    at_once = {row.id for row in applied.rows if booked_on.get(row.receipt_id) == (row.allocated_on or today)}
    allocated, settled = applied.per_receipt(), applied.settled_by(at_once)
    uow.emit(
        *(
            ReceiptAllocated(
                subject_id=receipt.agreement_id,
                receipt_id=receipt.id,
                amount_fen=receipt.amount_fen,
                allocated_fen=allocated.get(receipt.id, 0),
                credit_balance_fen=standings[receipt.agreement_id].credit_fen,
            )
            for receipt in fresh
        )
    )
    await moving.close_settled(uow, list(standings.values()))
    entries = [
        booking.entry(
            "billing.receipt",
            receipt.id,
            booked_on[receipt.id],
            [
                (
                    receipt.agreement_id,
                    postings.receipt(
                        postings.cash_of(receipt.provider),
                        settled.get(receipt.id, ()),
                        receipt.amount_fen - sum(fen for _, fen in settled.get(receipt.id, ())),
                    ),
                )
            ],
        )
        for receipt in fresh
    ]
    await booking.post(uow, [*corrected, *entries, *moving.credit_entries(uow, applied, at_once)])
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "billing.receipt.allocated",
                receipt.agreement_id,
                {
                    "receipt_id": public_id(Prefix.RECEIPT, receipt.id),
                    "source": receipt.source,
                    "source_ref": receipt.source_ref,
                    "provider_trade_no": receipt.provider_trade_no,
                    "received_on": receipt.received_on.isoformat(),
                    "amount_fen": receipt.amount_fen,
                    "allocated_fen": allocated.get(receipt.id, 0),
                    "credit_balance_fen": standings[receipt.agreement_id].credit_fen,
                },
            )
            for receipt in fresh
        ],
    )
    return allocated
