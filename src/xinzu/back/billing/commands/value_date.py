"""Setting right what followed from money being recorded later than it came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.events import ChargeReduced
from xinzu.back.billing.model import AdjustmentKind, ChargeKind, Correction, Segment, Suspended
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.allocation import ACROSS
from xinzu.back.billing.rules.late_fee import fen_days_of
from xinzu.back.billing.rules.value_dating import LateFee, Replayed, replay
from xinzu.back.billing.store import accounts, adjustments, histories, items, receipts
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger


@dataclass(frozen=True, slots=True)
class _Reduced:
    """A late fee of which something is taken back."""

    agreement_id: UUID
    family: Family
    fee: LateFee
    segments: tuple[Segment, ...]
    taken_back_fen: int

    @property
    def remains_fen(self) -> int:
        return self.fee.stands_fen - self.taken_back_fen


def dates_back(account: accounts.Account | receipts.Payer) -> bool:
    """Whether money that came in earlier changes what followed. What was written off stays so: money that comes is recovery."""
    return account.commencement_on is not None and account.written_off_on is None


async def apply_dated(
    uow: UnitOfWork, from_on: Mapping[UUID, BusinessDate], locked: Mapping[UUID, accounts.Account]
) -> tuple[moving.Applied, list[ledger.Entry | None]]:
    """Set receipts against what was open on the days they came in, of agreements each from its day on. The accounts must be locked and
    the receipts recorded. Returns what was settled or taken back, and the entries of the late fees that fell.

    Nothing is rewritten: what receipts settled since is taken back and settled anew by rows of its own (``allocated_on`` is the day it
    counts from, ``recorded_at`` when we knew), late fees are taken back by their difference. At most thirteen statements, whatever the
    number of agreements.
    """
    found = await histories.histories(uow, from_on)
    rows: list[receipts.AllocationRow] = []
    settled: list[str] = []
    reduced: list[_Reduced] = []
    for agreement_id, history in found.items():
        account = locked[agreement_id]
        lived = replay(
            from_on[agreement_id],
            uow.business_date,
            history.claims,
            history.fees,
            history.money,
            across=ACROSS[account.family],
            daily_rate=account.late_fee_daily_rate,
            ceiling_pct=account.late_fee_ceiling_annual_pct,
        )
        kinds = {claim.id: claim.kind for claim in history.claims}
        for row in _difference(agreement_id, history, lived):
            rows.append(row)
            item_id = row.instalment_id or row.charge_id
            settled.append(
                postings.receivable_of(account.family, kinds[item_id])
                if item_id is not None and item_id in kinds
                else postings.receivable_of(account.family, postings.LATE_FEE)
            )
        reduced += _reduced(account, history, lived)
    per_leg = moving.sums(rows, charges=False)
    per_charge = moving.sums(rows, charges=True)
    if rows:
        await receipts.insert_allocations(uow, rows)
        await items.unpay(
            uow, {n: -fen for n, fen in per_leg.items() if fen < 0}, {n: -fen for n, fen in per_charge.items() if fen < 0}
        )
    entries = await _take_back(uow, reduced, from_on)
    recognised: list[Suspended] = []
    if rows:
        recognised = await items.pay(
            uow, {n: fen for n, fen in per_leg.items() if fen > 0}, {n: fen for n, fen in per_charge.items() if fen > 0}
        )
    return moving.Applied(tuple(rows), tuple(settled), tuple(recognised)), entries


def _difference(agreement_id: UUID, history: histories.History, lived: Replayed) -> list[receipts.AllocationRow]:
    """Rows that bring what stands settled to what is settled now: first what is taken back."""
    moved: Counter[tuple[BusinessDate, UUID, UUID]] = Counter()
    for each in lived.settled:
        moved[each.on, each.receipt_id, each.item_id] += each.amount_fen
    for each in history.settled:
        moved[each.on, each.receipt_id, each.item_id] -= each.amount_fen
    legs = {claim.id for claim in history.claims if claim.is_leg}
    return [
        receipts.AllocationRow(
            id=new_id(),
            agreement_id=agreement_id,
            receipt_id=receipt_id,
            instalment_id=item_id if item_id in legs else None,
            charge_id=None if item_id in legs else item_id,
            amount_fen=fen,
            allocated_on=on,
        )
        for (on, receipt_id, item_id), fen in sorted(moved.items(), key=lambda each: (each[1] > 0, each[0]))
        if fen != 0
    ]


def _reduced(account: accounts.Account, history: histories.History, lived: Replayed) -> list[_Reduced]:
    paid: Counter[UUID] = Counter({fee.id: fee.paid_fen for fee in history.fees})
    for each in lived.settled:
        paid[each.item_id] += each.amount_fen
    reduced = []
    for fee in history.fees:
        # Of what was waived nothing is taken back a second time.
        free_fen = fee.stands_fen - fee.let_off_fen - paid[fee.id]
        taken_back_fen = min(fee.stands_fen - lived.fee_fen[fee.id], free_fen)
        if taken_back_fen > 0 or fen_days_of(lived.segments[fee.id]) < fen_days_of(fee.segments):
            reduced.append(_Reduced(account.agreement_id, account.family, fee, lived.segments[fee.id], taken_back_fen))
    return reduced


async def _take_back(uow: UnitOfWork, reduced: list[_Reduced], from_on: Mapping[UUID, BusinessDate]) -> list[ledger.Entry | None]:
    if not reduced:
        return []
    await histories.reduce_late_fees(
        uow,
        [
            (
                each.fee.id,
                fen_days_of(each.segments),
                each.segments,
                Correction(
                    made_on=uow.business_date,
                    received_on=from_on[each.agreement_id],
                    taken_back_fen=each.taken_back_fen,
                    segments_before=each.fee.segments,
                ),
            )
            for each in reduced
        ],
    )
    moved = [each for each in reduced if each.taken_back_fen > 0]
    made = await adjustments.insert(
        uow,
        [
            (
                each.agreement_id,
                AdjustmentKind.CORRECTION,
                each.fee.id,
                each.taken_back_fen,
                f"款项于 {from_on[each.agreement_id]} 到账，滞纳金按到账日重算",
            )
            for each in moved
        ],
    )
    uow.emit(
        *(
            ChargeReduced(
                subject_id=each.agreement_id,
                charge_id=each.fee.id,
                kind=ChargeKind.LATE_FEE.value,
                amount_fen=each.remains_fen,
                taken_back_fen=each.taken_back_fen,
            )
            for each in moved
        )
    )
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "billing.late_fee.corrected",
                each.agreement_id,
                {
                    "charge_id": public_id(Prefix.CHARGE, each.fee.id),
                    "received_on": from_on[each.agreement_id].isoformat(),
                    "before_fen": each.fee.stands_fen,
                    "taken_back_fen": each.taken_back_fen,
                    "by": str(uow.actor),
                },
            )
            for each in moved
        ],
    )
    return [
        booking.entry(
            "billing.late_fee_corrected",
            made_id,
            uow.business_date,
            [
                (
                    each.agreement_id,
                    postings.charge_reduced(each.family, ChargeKind.LATE_FEE, each.fee.stands_fen, each.remains_fen),
                )
            ],
        )
        for made_id, each in zip(made, moved, strict=True)
    ]
