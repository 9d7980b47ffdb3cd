"""Recording money that came in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.commands.adjust import reinstate
from xinzu.back.billing.commands.partner_shares import follow_shares
from xinzu.back.billing.commands.value_date import apply_dated, dates_back
from xinzu.back.billing.errors import AccountMissing, ReceiptConflict
from xinzu.back.billing.events import ReceiptAllocated
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import accounts, receipts
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, new_ids, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import Family
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

    Refuses an item with AccountMissing, or ReceiptConflict when its reference stands for other money; raises the latter when another
    agreement's receipt takes the reference at the same moment. Six statements for receipts that meet what is due, whatever their number, and those
    of events and evidence.
    """
    payers = await receipts.lock_payers(uow, {receipt.agreement_id for receipt in given})
    recorded = await receipts.by_reference(
        uow, [(receipt.source, receipt.source_ref) for receipt in given if receipt.agreement_id in payers]
    )
    coming: dict[tuple[str, str], Receipt] = {}
    for receipt in given:
        reference = receipt.source, receipt.source_ref
        if receipt.agreement_id in payers and reference not in recorded:
            coming.setdefault(reference, receipt)
    fresh = [
        receipts.NewReceipt(
            receipt_id,
            receipt.agreement_id,
            receipt.source,
            receipt.source_ref,
            receipt.purpose,
            receipt.provider,
            receipt.provider_trade_no,
            receipt.amount_fen,
            receipt.received_on,
        )
        for receipt_id, receipt in zip(new_ids(len(coming)), coming.values(), strict=True)
    ]
    if fresh:
        allocated = await _allocate(uow, payers, fresh)
        for new in fresh:
            recorded[new.source, new.source_ref] = receipts.KnownReceipt(
                new.id, new.agreement_id, new.amount_fen, allocated.get(new.id, 0)
            )
    outcomes: list[Outcome[Allocated]] = []
    untold = {new.id for new in fresh}
    for receipt in given:
        if receipt.agreement_id not in payers:
            outcomes.append(AccountMissing())
            continue
        known = recorded[receipt.source, receipt.source_ref]
        if (known.agreement_id, known.amount_fen) != (receipt.agreement_id, receipt.amount_fen):
            outcomes.append(ReceiptConflict())
            continue
        outcomes.append(
            Allocated(
                id=public_id(Prefix.RECEIPT, known.id),
                amount_fen=known.amount_fen,
                allocated_fen=known.allocated_fen,
                is_new=known.id in untold,
            )
        )
        untold.discard(known.id)
    return outcomes


async def _allocate(
    uow: UnitOfWork, payers: Mapping[UUID, receipts.Payer], fresh: Sequence[receipts.NewReceipt]
) -> dict[UUID, int]:
    """Record them, set them against what is open, and book and say it; returns what was set of each."""
    today = uow.business_date
    counts_from: dict[UUID, BusinessDate] = {}
    for receipt in fresh:
        began_on = payers[receipt.agreement_id].commencement_on
        if receipt.received_on < today and began_on is not None and dates_back(payers[receipt.agreement_id]):
            earliest = counts_from.get(receipt.agreement_id, today)
            counts_from[receipt.agreement_id] = min(earliest, max(receipt.received_on, began_on))
    # Who holds no credit has no older money to be set first: his is recorded with what is set of it.
    arrived: list[receipts.NewReceipt] = []
    first: list[receipts.NewReceipt] = []
    for receipt in fresh:
        holds = receipt.agreement_id in counts_from or payers[receipt.agreement_id].credit_balance_fen > 0
        (first if holds else arrived).append(receipt)
    if first:
        await receipts.insert_receipts(uow, first)
    corrected = await reinstate(uow, fresh, {payer.agreement_id for payer in payers.values() if payer.written_off_on is not None})
    agreement_ids = list(dict.fromkeys(receipt.agreement_id for receipt in fresh))
    applied = await moving.apply_funds(
        uow,
        [agreement_id for agreement_id in agreement_ids if agreement_id not in counts_from],
        arrived,
        {payer.agreement_id: payer.family for payer in payers.values()},
    )
    if counts_from:
        dated, reduced = await apply_dated(uow, counts_from, await accounts.lock(uow, list(counts_from)))
        applied, corrected = applied + dated, [*corrected, *reduced]
    allocated = applied.per_receipt()
    standings = await _standings(uow, payers, fresh, applied, dated=counts_from)
    uow.emit(
        *(
            ReceiptAllocated(
                subject_id=receipt.agreement_id,
                receipt_id=receipt.id,
                amount_fen=receipt.amount_fen,
                allocated_fen=allocated.get(receipt.id, 0),
                credit_balance_fen=standings[receipt.agreement_id].credit_fen,
                party_id=standings[receipt.agreement_id].party_id,
                purpose=receipt.purpose,
                received_on=receipt.received_on,
            )
            for receipt in fresh
        )
    )
    await moving.close_settled(uow, list(standings.values()))
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
    shared = await follow_shares(uow, [payer.agreement_id for payer in payers.values() if payer.has_shares])
    await _book(uow, fresh, applied, [*corrected, *shared])
    return allocated


async def _standings(
    uow: UnitOfWork,
    payers: Mapping[UUID, receipts.Payer],
    fresh: Sequence[receipts.NewReceipt],
    applied: moving.Applied,
    *,
    dated: Collection[UUID],
) -> dict[UUID, accounts.Standing]:
    """How the accounts of these receipts stand now. Most stood without arrears and credit and still do: of those no row changes."""
    allocated = applied.per_receipt()
    left_fen: dict[UUID, int] = {}
    for receipt in fresh:
        of_receipt = receipt.amount_fen - allocated.get(receipt.id, 0)
        left_fen[receipt.agreement_id] = left_fen.get(receipt.agreement_id, 0) + of_receipt
    standings: dict[UUID, accounts.Standing] = {}
    moved: list[UUID] = []
    for agreement_id, fen in left_fen.items():
        payer, open_fen = payers[agreement_id], applied.open_fen.get(agreement_id, 0)
        may_be_repaid = payer.family is not Family.RENTAL and open_fen == 0
        stood_apart = payer.credit_balance_fen or payer.overdue_fen or payer.written_off_on or agreement_id in dated
        if fen or stood_apart or may_be_repaid:
            moved.append(agreement_id)
        else:
            standings[agreement_id] = accounts.Standing(
                agreement_id, payer.party_id, payer.state, open_fen, 0, 0, 0, 0, is_repaid=False, kept_on=payer.kept_on
            )
    return standings | await moving.restate(uow, moved) if moved else standings


async def _book(
    uow: UnitOfWork,
    fresh: Sequence[receipts.NewReceipt],
    applied: moving.Applied,
    corrected: Sequence[ledger.Entry | None],
) -> None:
    """Each receipt on its day against what it settled on that day; what it settled later as credit applied then."""
    today = uow.business_date
    booked_on = {receipt.id: min(receipt.received_on, today) for receipt in fresh}
    at_once = {row.id for row in applied.rows if booked_on.get(row.receipt_id) == (row.allocated_on or today)}
    settled = applied.settled_by(at_once)
    draft = booking.Draft()
    draft.add_entries(corrected)
    for receipt in fresh:
        parts = settled.get(receipt.id, ())
        held_fen = receipt.amount_fen - sum(fen for _, fen in parts)
        moved = postings.receipt(postings.cash_of(receipt.provider), parts, held_fen)
        draft.add("billing.receipt", receipt.id, booked_on[receipt.id], ((receipt.agreement_id, moved),))
    draft.add_entries(moving.credit_entries(uow, applied, at_once))
    await booking.post_draft(uow, draft)
