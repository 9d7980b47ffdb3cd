"""Settling accounts when devices are back and inspected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.commands.earning import booked_on, earned_entry, ends_month
from xinzu.back.billing.commands.issue_schedules import due_entries
from xinzu.back.billing.errors import AccountMissing, ScheduleMissing
from xinzu.back.billing.model import AccountState, Charge, Instalment, InstalmentState
from xinzu.back.billing.rules import legs, postings
from xinzu.back.billing.rules.settlement import ByDay, determine
from xinzu.back.billing.store import accounts, earned, items, receipts
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger


@dataclass(frozen=True, slots=True)
class Return:
    """A device that came back on a day and was inspected; ``damage_fen`` is what the lessee is asked to bear."""

    agreement_id: UUID
    inspection_id: UUID
    returned_on: BusinessDate
    damage_fen: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The final balance of an account: at most one of the two is above zero."""

    agreement_id: UUID
    balance_due_fen: int
    credit_balance_fen: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that a batch of returns does: what falls away and what comes."""

    cancelled_instalments: list[Instalment]
    cancelled_charges: list[Charge]
    raised: list[items.NewCharge]
    rents: list[Instalment]


async def settle_returns(uow: UnitOfWork, returns: Sequence[Return]) -> list[Settled]:
    """Determine the final balance: cancel the periods not begun at the return, raise early return fee and damage, set held money against
    what is open. The account is settling from here on, and settled at once when nothing is owed either way.

    A return of an account that is settling or settled already changes nothing. Books the charges, takes back the income and VAT of
    cancelled periods that had fallen due, and holds what was paid on them as credit.
    Rent by the day is counted anew by the days kept. Raises AccountMissing, or ScheduleMissing when the
    commencement has not arrived yet: the caller tries again.
    """
    by_agreement: dict[UUID, Return] = {}
    for given in returns:
        by_agreement.setdefault(given.agreement_id, given)
    locked = await accounts.lock(uow, list(by_agreement))
    if len(locked) < len(by_agreement):
        raise AccountMissing
    # A leased thing that comes back does not end the lease: that takes a termination with its ground (Civil Code art. 752).
    settling = [account for account in locked.values() if account.state is AccountState.OPEN and account.family is Family.RENTAL]
    if not settling:
        return []
    if any(account.commencement_on is None for account in settling):
        raise ScheduleMissing
    agreement_ids = [account.agreement_id for account in settling]
    plan = await _plan(uow, [by_agreement[agreement_id] for agreement_id in agreement_ids], settling)
    entries = await _cancel(uow, plan)
    if plan.rents:
        await items.insert_instalments(uow, plan.rents)
    # A period that had begun is owed although no close has marked it due yet. It is collected with the balance, not on its own.
    entries += due_entries(await items.fall_due(uow, uow.business_date, agreement_ids))
    if plan.rents:  # days that are over have earned theirs already
        yesterday = uow.business_date - legs.ONE_DAY
        earned_on = await booked_on(uow, yesterday)
        for row in await earned.earn(uow, yesterday, agreement_ids, unfinished=ends_month(yesterday)):
            entries.append(earned_entry(row.id, earned_on, [row]))
    entries += await moving.raise_charges(uow, Family.RENTAL, plan.raised, uow.business_date)
    applied = await moving.apply_funds(uow, agreement_ids)
    entries += moving.credit_entries(uow, applied)
    standings = await moving.settle(uow, agreement_ids)
    await booking.post(uow, entries)
    evidence.append(uow, [_leaf(by_agreement[standing.agreement_id], standing, plan) for standing in standings.values()])
    return [Settled(standing.agreement_id, standing.owed_fen, standing.credit_fen) for standing in standings.values()]


async def _plan(uow: UnitOfWork, returns: Sequence[Return], settling: Sequence[accounts.Account]) -> _Plan:
    agreement_ids = [account.agreement_id for account in settling]
    instalments: dict[UUID, list[Instalment]] = defaultdict(list)
    for instalment in await items.instalments_of(uow, agreement_ids):
        instalments[instalment.agreement_id].append(instalment)
    plan = _Plan([], [], [], [])
    for given, account in zip(returns, settling, strict=True):
        rows = instalments[account.agreement_id]
        settlement = determine(
            rows, given.returned_on, account.early_return_fee_fen, given.damage_fen, given.inspection_id, _by_day(account)
        )
        plan.cancelled_instalments.extend(row for row in rows if row.number in settlement.cancelled_numbers)
        plan.rents.extend(legs.standing(leg, new_id(), account.agreement_id, leg.version) for leg in settlement.rents)
        plan.raised.extend(
            items.NewCharge(new_id(), account.agreement_id, charge.kind, given.returned_on, charge.amount_fen, charge.why)
            for charge in settlement.charges
        )
    cancelled = {instalment.id for instalment in plan.cancelled_instalments}
    plan.cancelled_charges.extend(
        charge
        for charge in await items.charges_of(uow, agreement_ids)
        if charge.instalment_id in cancelled and charge.amount_fen > charge.cancelled_fen
    )
    return plan


def _by_day(account: accounts.Account) -> ByDay | None:
    """Rent by the day as it was agreed. Once amended, an account is settled as any other, by the periods of its amendment."""
    if account.daily is None or account.version > 1 or account.commencement_on is None:
        return None
    return ByDay(account.daily, account.period_count, account.commencement_on)


async def _cancel(uow: UnitOfWork, plan: _Plan) -> list[ledger.Entry | None]:
    """Let periods not begun fall away, with late fees on them; what was paid on them is free again."""
    instalment_ids = [instalment.id for instalment in plan.cancelled_instalments]
    charge_ids = [charge.id for charge in plan.cancelled_charges]
    if not instalment_ids:
        return []
    paid = await receipts.allocated_to(uow, instalment_ids, charge_ids)
    if paid:
        await receipts.insert_allocations(
            uow,
            [
                receipts.AllocationRow(
                    new_id(), row.agreement_id, row.receipt_id, row.instalment_id, row.charge_id, -row.amount_fen
                )
                for row in paid
            ],
        )
    await items.cancel(uow, instalment_ids, charge_ids)
    return [
        *(
            booking.entry(
                "billing.instalment_cancelled",
                row.id,
                uow.business_date,
                [(row.agreement_id, postings.rent_cancelled(row.amount_fen, row.paid_fen, row.earned_fen))],
            )
            for row in plan.cancelled_instalments
            if row.state is not InstalmentState.SCHEDULED
        ),
        *(
            booking.entry(
                "billing.charge_cancelled",
                charge.id,
                uow.business_date,
                [
                    (
                        charge.agreement_id,
                        postings.charge_cancelled(Family.RENTAL, charge.kind, charge.amount_fen, charge.paid_fen),
                    )
                ],
            )
            for charge in plan.cancelled_charges
        ),
    ]


def _leaf(given: Return, standing: accounts.Standing, plan: _Plan) -> evidence.Leaf:
    recounted_fen = sum(leg.amount_fen for leg in plan.rents if leg.agreement_id == standing.agreement_id)
    charges = {charge.kind.value: charge.amount_fen for charge in plan.raised if charge.agreement_id == standing.agreement_id}
    return evidence.Leaf(
        "billing.settlement.determined",
        standing.agreement_id,
        {
            "returned_on": given.returned_on.isoformat(),
            "inspection_id": public_id(Prefix.INSPECTION, given.inspection_id),
            "cancelled_numbers": [row.number for row in plan.cancelled_instalments if row.agreement_id == standing.agreement_id],
            "damage_fen": charges.get("damage", 0),
            "early_return_fee_fen": charges.get("early_return", 0),
            "balance_due_fen": standing.owed_fen,
            "credit_balance_fen": standing.credit_fen,
            **({"rents_recounted_fen": recounted_fen} if recounted_fen else {}),
        },
    )
