"""Steps that several use cases share: setting held money against what is open, and saying what that changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from uuid import UUID

from xinzu.back.billing.commands import booking
from xinzu.back.billing.events import AccountSettled, ArrearsCleared, ChargeRaised, OwnershipPassed, SettlementDetermined
from xinzu.back.billing.model import AccountState, Allocation, Funds, Suspended
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.allocation import ACROSS, allocate
from xinzu.back.billing.store import accounts, days, items, receipts
from xinzu.kernel.ids import new_ids
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger


@dataclass(frozen=True, slots=True)
class Applied:
    """What was set against what; ``accounts`` are the receivables that the rows settle, in their order, ``recognised`` the suspended
    interest that was paid, ``open_fen`` what stays open, by agreement."""

    rows: tuple[receipts.AllocationRow, ...]
    accounts: tuple[str, ...] = ()
    recognised: tuple[Suspended, ...] = ()
    open_fen: Mapping[UUID, int] = field(default_factory=dict)

    def per_receipt(self) -> dict[UUID, int]:
        totals: dict[UUID, int] = {}
        for row in self.rows:
            totals[row.receipt_id] = totals.get(row.receipt_id, 0) + row.amount_fen
        return totals

    def settled_by(self, row_ids: Collection[UUID]) -> dict[UUID, list[tuple[str, int]]]:
        """What each receipt settled by these rows: account and fen."""
        settled: dict[UUID, list[tuple[str, int]]] = {}
        for row, account in zip(self.rows, self.accounts, strict=True):
            if row.id in row_ids:
                settled.setdefault(row.receipt_id, []).append((account, row.amount_fen))
        return settled

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.rows + other.rows,
            self.accounts + other.accounts,
            self.recognised + other.recognised,
            {**self.open_fen, **other.open_fen},
        )

    def per_item(self) -> dict[UUID, int]:
        totals: dict[UUID, int] = {}
        for row in self.rows:
            item_id = row.instalment_id or row.charge_id
            if item_id is not None:
                totals[item_id] = totals.get(item_id, 0) + row.amount_fen
        return totals


async def apply_funds(
    uow: UnitOfWork,
    agreement_ids: Collection[UUID],
    arrived: Sequence[receipts.NewReceipt] = (),
    families: Mapping[UUID, Family] | None = None,
) -> Applied:
    """Set what is left of receipts against what is open, by the waterfall. The accounts must be locked.

    ``arrived`` is money of agreements that hold no credit and which is not recorded yet: it is recorded here, with what is set of it.
    ``families`` of the agreements, when they are known already. At most seven statements, whatever the number of agreements.
    """
    funds = await _funds(uow, agreement_ids, arrived)
    if not funds:
        return Applied(())
    open_items = await items.open_items(uow, list(funds), families)
    parts: list[tuple[UUID, Allocation]] = []
    open_fen: dict[UUID, int] = {}
    for agreement_id, waiting in open_items.items():
        of_agreement = allocate(funds[agreement_id], waiting, ACROSS[waiting[0].family])
        parts += [(agreement_id, part) for part in of_agreement]
        open_fen[agreement_id] = sum(item.open_fen for item in waiting) - sum(part.amount_fen for part in of_agreement)
    rows: list[receipts.AllocationRow] = []
    settled: list[str] = []
    per_leg: dict[UUID, int] = {}
    per_charge: dict[UUID, int] = {}
    for row_id, (agreement_id, (receipt_id, item, amount_fen)) in zip(new_ids(len(parts)), parts, strict=True):
        is_leg = item.is_leg
        paid_fen = per_leg if is_leg else per_charge
        paid_fen[item.id] = paid_fen.get(item.id, 0) + amount_fen
        leg_id, charge_id = (item.id, None) if is_leg else (None, item.id)
        rows.append(receipts.AllocationRow(row_id, agreement_id, receipt_id, leg_id, charge_id, amount_fen))
        settled.append(postings.receivable_of(item.family, item.kind))
    recognised = await items.pay(uow, per_leg, per_charge)
    recorded_here = {receipt.id for receipt in arrived}
    if arrived:
        await receipts.insert_receipts(uow, arrived, [row for row in rows if row.receipt_id in recorded_here])
    if older := [row for row in rows if row.receipt_id not in recorded_here]:
        await receipts.insert_allocations(uow, older)
    return Applied(tuple(rows), tuple(settled), tuple(recognised), open_fen)


async def _funds(
    uow: UnitOfWork, agreement_ids: Collection[UUID], arrived: Sequence[receipts.NewReceipt]
) -> dict[UUID, list[Funds]]:
    """What is left of receipts and what has arrived, by agreement, oldest first."""
    funds: dict[UUID, list[Funds]] = {}
    for receipt in sorted(arrived, key=attrgetter("received_on")):
        funds.setdefault(receipt.agreement_id, []).append(Funds(receipt.id, receipt.amount_fen))
    holding = [agreement_id for agreement_id in agreement_ids if agreement_id not in funds]
    return funds | await receipts.available(uow, holding) if holding else funds


def credit_entries(uow: UnitOfWork, applied: Applied, except_rows: Collection[UUID] = ()) -> list[ledger.Entry | None]:
    """Entries for money that was held and settles something, or is held again, each on the day it counts from; and for suspended interest
    that was paid, today."""
    row_of_leg = {row.instalment_id: row.id for row in applied.rows}
    recognised = [
        booking.entry(
            "billing.interest_recognised",
            row_of_leg[moved.leg_id],
            uow.business_date,
            [(moved.agreement_id, postings.interest_recognised(moved))],
        )
        for moved in applied.recognised
    ]
    return recognised + [
        booking.entry(
            "billing.credit_applied",
            row.id,
            row.allocated_on or uow.business_date,
            [(row.agreement_id, postings.credit_applied(account, row.amount_fen))],
        )
        for row, account in zip(applied.rows, applied.accounts, strict=True)
        if row.id not in except_rows
    ]


async def restate(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, accounts.Standing]:
    """Bring the accounts in line with their items and receipts, and say when arrears are cleared."""
    as_of = await days.last_closed(uow) or uow.business_date
    standings = {standing.agreement_id: standing for standing in await accounts.refresh(uow, agreement_ids, as_of)}
    uow.emit(
        *(
            ArrearsCleared(subject_id=standing.agreement_id, party_id=standing.party_id)
            for standing in standings.values()
            if standing.overdue_before_fen > 0 and standing.overdue_fen == 0
        )
    )
    return standings


def determined(standing: accounts.Standing) -> SettlementDetermined:
    """The final balance of an account as it stands."""
    return SettlementDetermined(
        subject_id=standing.agreement_id,
        party_id=standing.party_id,
        balance_due_fen=standing.owed_fen,
        credit_balance_fen=standing.credit_fen,
    )


async def settle(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, accounts.Standing]:
    """The accounts are settling from here on: their final balance is said, and those on which nothing is owed either way are settled."""
    await accounts.move(uow, agreement_ids, AccountState.SETTLING)
    standings = await restate(uow, agreement_ids)
    uow.emit(*(determined(standing) for standing in standings.values()))
    settled = [standing for standing in standings.values() if standing.owed_fen == 0 and standing.credit_fen == 0]
    await close_settled(uow, settled)
    return standings


async def raise_charges(
    uow: UnitOfWork, family: Family, raised: Sequence[items.NewCharge], on: BusinessDate
) -> list[ledger.Entry | None]:
    """Charges of agreements of one family come to be; returns their entries, to be booked on a date."""
    await items.insert_charges(uow, raised)
    uow.emit(
        *(
            ChargeRaised(
                subject_id=charge.agreement_id, charge_id=charge.id, kind=charge.kind.value, amount_fen=charge.amount_fen
            )
            for charge in raised
        )
    )
    return [
        booking.entry(
            "billing.charge_raised",
            charge.id,
            on,
            [(charge.agreement_id, postings.charge_raised(family, charge.kind, 0, charge.amount_fen))],
        )
        for charge in raised
    ]


async def close_settled(uow: UnitOfWork, standings: Sequence[accounts.Standing]) -> None:
    """Settle the settling accounts on which nothing is owed either way any more. A financing is settling once it is repaid.
    A thing that stayed with its lessee is the lessee's with the settlement.

    Money that comes when nothing is owed any more is determined anew, so that it is given back; when credit is held already, its refund
    is under way and a second determination would pay it twice, so the new money waits for an operator.
    """
    await accounts.move(uow, [standing.agreement_id for standing in standings if standing.is_repaid], AccountState.SETTLING)
    done = [
        standing
        for standing in standings
        if (standing.is_repaid or standing.state is AccountState.SETTLING) and standing.owed_fen == 0 and standing.credit_fen == 0
    ]
    await accounts.move(uow, [standing.agreement_id for standing in done], AccountState.SETTLED)
    uow.emit(
        *(
            AccountSettled(subject_id=standing.agreement_id, party_id=standing.party_id, settled_on=uow.business_date)
            for standing in done
        ),
        *(
            OwnershipPassed(
                subject_id=standing.agreement_id,
                party_id=standing.party_id,
                kept_on=standing.kept_on,
                passed_on=uow.business_date,
            )
            for standing in done
            if standing.kept_on is not None
        ),
        *(
            determined(standing)
            for standing in standings
            if standing.owed_fen == 0
            and standing.credit_fen > 0
            and (standing.is_repaid or (standing.state is not AccountState.OPEN and standing.credit_before_fen == 0))
        ),
    )


def sums(rows: Sequence[receipts.AllocationRow], *, charges: bool) -> dict[UUID, int]:
    """What rows move on charges, or on legs, by item."""
    totals: dict[UUID, int] = {}
    for row in rows:
        item_id = row.charge_id if charges else row.instalment_id
        if item_id is not None:
            totals[item_id] = totals.get(item_id, 0) + row.amount_fen
    return totals
