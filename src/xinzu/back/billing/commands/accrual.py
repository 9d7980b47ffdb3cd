"""Stopping and resuming the accrual of interest (``rules.suspension``)."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from xinzu.back.billing.commands import booking
from xinzu.back.billing.events import AccrualResumed, AccrualStopped
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import accounts, items
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork


async def set_accrual(uow: UnitOfWork, on: BusinessDate, non_accrual_days: int, day_id: UUID, draft: booking.Draft) -> int:
    """Resume the accrual of what is cured and stop it where too many days are past due, at the close of a date; the entries go into the
    draft. Returns by how much income changed in fen, VAT included. Four statements at most.

    What is due again because money was taken back meanwhile (a chargeback) is suspended again here.
    """
    resumed = await accounts.resume_accrual(uow)
    recognised = await items.recognise(uow, [row.agreement_id for row in resumed])
    stopped = await accounts.stop_accrual(uow, on, non_accrual_days)
    taken = await items.suspend(uow)
    recognised_fen: Counter[UUID] = Counter()
    for moved in recognised:
        recognised_fen[moved.agreement_id] += moved.before_fen
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
        ((moved.agreement_id, postings.interest_recognised(moved)) for moved in recognised),
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
