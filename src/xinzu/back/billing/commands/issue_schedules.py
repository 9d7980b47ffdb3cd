"""Issuing schedules when rentals commence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.errors import AccountMissing
from xinzu.back.billing.events import InstalmentFellDue, ScheduleIssued
from xinzu.back.billing.model import Instalment, InstalmentState, ScheduleRow
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.schedule import equal_rents_in_advance, fingerprint
from xinzu.back.billing.store import accounts, items
from xinzu.kernel.ids import new_id
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger


@dataclass(frozen=True, slots=True)
class Commencement:
    """A rental that began: rents run from ``commencement_on``."""

    agreement_id: UUID
    commencement_on: BusinessDate


async def issue_schedules(uow: UnitOfWork, commencements: Sequence[Commencement]) -> None:
    """Write the instalments of rentals that commenced, mark those due by today, and set held money (the first rent) against them.

    An account that has its schedule keeps it. Books the rents that fall due (receivable against income and VAT) and the credit applied.
    Raises AccountMissing when an agreement's signing has not arrived yet: the caller tries again.
    """
    by_agreement = {commencement.agreement_id: commencement for commencement in commencements}
    locked = await accounts.lock(uow, list(by_agreement))
    if len(locked) < len(by_agreement):
        raise AccountMissing
    fresh = [(account, by_agreement[account.agreement_id]) for account in locked.values() if account.commencement_on is None]
    if not fresh:
        return
    schedules = {
        account.agreement_id: equal_rents_in_advance(
            account.rent_fen, account.period_months, account.period_count, commencement.commencement_on
        )
        for account, commencement in fresh
    }
    await accounts.commence(uow, [(account.agreement_id, commencement.commencement_on) for account, commencement in fresh])
    await items.insert_instalments(
        uow, [_instalment(agreement_id, row) for agreement_id, rows in schedules.items() for row in rows]
    )
    uow.emit(
        *(
            ScheduleIssued(
                subject_id=account.agreement_id,
                party_id=account.party_id,
                first_due_on=schedules[account.agreement_id][0].due_on,
                last_due_on=schedules[account.agreement_id][-1].due_on,
                instalment_count=len(schedules[account.agreement_id]),
                total_fen=sum(row.amount_fen for row in schedules[account.agreement_id]),
            )
            for account, _ in fresh
        )
    )
    due = await items.fall_due(uow, uow.business_date, list(schedules))
    entries = await fell_due(uow, due)
    await moving.restate(uow, list(schedules))
    await booking.post(uow, entries)
    evidence.append(uow, [_leaf(agreement_id, rows) for agreement_id, rows in schedules.items()])


async def fell_due(uow: UnitOfWork, due: Sequence[Row[Any]]) -> list[ledger.Entry | None]:
    """What follows when instalments fall due: held credit is set against them, and what stays open is to be collected.

    Returns the entries to be booked. The accounts must be locked; their standing is not yet restated.
    """
    with_credit = sorted({row.agreement_id for row in due if row.credit_balance_fen > 0})
    applied = await moving.apply_funds(uow, with_credit) if with_credit else moving.Applied(())
    paid_fen = applied.per_item()
    uow.emit(
        *(
            InstalmentFellDue(
                subject_id=row.agreement_id,
                party_id=row.party_id,
                instalment_id=row.id,
                number=row.number,
                due_on=row.due_on,
                outstanding_fen=row.amount_fen - paid_fen.get(row.id, 0),
            )
            for row in due
            if row.amount_fen > paid_fen.get(row.id, 0)
        )
    )
    return [*due_entries(due), *moving.credit_entries(uow, applied)]


def due_entries(due: Sequence[Row[Any]]) -> list[ledger.Entry | None]:
    """The entries of instalments that fell due, each on its due date."""
    return [
        booking.entry(
            "billing.instalment_due", row.id, row.due_on, [(row.agreement_id, postings.instalment_fell_due(row.amount_fen))]
        )
        for row in due
    ]


def _instalment(agreement_id: UUID, row: ScheduleRow) -> Instalment:
    return Instalment(
        id=new_id(),
        agreement_id=agreement_id,
        number=row.number,
        from_on=row.from_on,
        to_on=row.to_on,
        due_on=row.due_on,
        amount_fen=row.amount_fen,
        paid_fen=0,
        cancelled_fen=0,
        state=InstalmentState.SCHEDULED,
    )


def _leaf(agreement_id: UUID, rows: Sequence[ScheduleRow]) -> evidence.Leaf:
    return evidence.Leaf(
        "billing.schedule.issued",
        agreement_id,
        {
            "instalment_count": len(rows),
            "total_fen": sum(row.amount_fen for row in rows),
            "first_due_on": rows[0].due_on.isoformat(),
            "last_due_on": rows[-1].due_on.isoformat(),
            "rows_sha256": fingerprint(rows),
        },
    )
