"""Stopping and resuming the accrual of interest (``rules.suspension``)."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from xinzu.back.billing.commands import booking
from xinzu.back.billing.commands.earning import earned_transfers
from xinzu.back.billing.events import AccrualResumed, AccrualStopped
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import accounts, earned
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork


async def set_accrual(
    uow: UnitOfWork, on: BusinessDate, non_accrual_days: int, day_id: UUID, draft: booking.Draft, *, is_stopped: bool
) -> int:
    """Resume the accrual of what is cured and stop it where too many days are past due, at the close of a date; the entries go into the
    draft. Returns by how much income changed in fen, VAT included. Five statements at most, one where no accrual is stopped.

    What has ended meanwhile and is still to fall due is earned with the resumption. What is due again because money was taken back
    meanwhile (a chargeback) is suspended again here.
    """
    resumed = await accounts.resume_accrual(uow) if is_stopped else ()
    resumed_ids = [row.agreement_id for row in resumed]
    recognised = await earned.recognise(uow, resumed_ids)
    grown = await earned.earn(uow, on, resumed_ids) if resumed_ids else ()
    stopped = await accounts.stop_accrual(uow, on, non_accrual_days)
    taken = await earned.suspend(uow) if is_stopped or stopped else ()
    recognised_fen: Counter[UUID] = Counter()
    for moved in recognised:
        recognised_fen[moved.agreement_id] += moved.before_fen
    for row in grown:
        recognised_fen[row.agreement_id] += row.after_fen - row.before_fen
    taken_fen: Counter[UUID] = Counter()
    for row in taken:
        taken_fen[row.agreement_id] += row.earned_before_fen - row.earned_fen
    uow.emit(
        *(
            AccrualResumed(
                subject_id=row.agreement_id,
                party_id=row.party_id,
                business_date=on,
                recognised_fen=recognised_fen[row.agreement_id],
            )
            for row in resumed
        ),
        *(
            AccrualStopped(
                subject_id=row.agreement_id,
                party_id=row.party_id,
                business_date=on,
                days_past_due=row.days_past_due,
                taken_back_fen=taken_fen[row.agreement_id],
            )
            for row in stopped
        ),
    )
    draft.add(
        "billing.accrual_resumed",
        day_id,
        on,
        (
            *((moved.agreement_id, postings.interest_recognised(moved)) for moved in recognised),
            *earned_transfers(grown),
        ),
    )
    draft.add(
        "billing.accrual_stopped",
        day_id,
        on,
        (
            (
                row.agreement_id,
                postings.interest_taken_back(
                    Family(row.family),
                    is_to_come=row.is_to_come,
                    earned=(row.earned_before_fen, row.earned_fen),
                    suspended=(row.before_fen, row.after_fen),
                ),
            )
            for row in taken
        ),
    )
    return recognised_fen.total() - taken_fen.total()
