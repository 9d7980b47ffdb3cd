"""Income over time: what of rents and interest is earned by a date."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from xinzu.back.billing.commands import booking
from xinzu.back.billing.model import Role, Transfer
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import days, earned
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger

ONE_DAY = timedelta(days=1)


def ends_month(on: BusinessDate) -> bool:
    return on.day == calendar.monthrange(on.year, on.month)[1]


async def earn_ended(uow: UnitOfWork, on: BusinessDate, source_id: UUID, draft: booking.Draft) -> int:
    """Earn the legs of all agreements that end on a date, so that interest is income before it falls due; the entry goes into the draft.
    Returns the income in fen, VAT included. One statement, read a part at a time."""
    income_fen = 0
    moved: list[tuple[UUID, Sequence[Transfer]]] = []
    async for grown in earned.earning(uow, on):
        for row in grown:
            income_fen += row.after_fen - row.before_fen
            moved.append((row.agreement_id, _moved(row.family, row.role, row.before_fen, row.after_fen)))
    draft.add("billing.income_earned", source_id, on, moved)
    return income_fen


async def accrue(uow: UnitOfWork, on: BusinessDate, source_id: UUID, draft: booking.Draft) -> int:
    """What unfinished periods have earned by the last day of a month (CAS 21 arts. 39, 45; CAS 22): income of that day, and taken back on the
    next, as accruals are. So every month's books hold the month's income, and a leg is earned once, when it ends: nothing that changes it
    before then has an accrual to undo. Two entries into the draft, in sums by family and about the day, not about agreements: what a leg
    has earned on a date is a function of the leg and the date. Returns the fen, VAT included. One statement.
    """
    accrued = await earned.accrued(uow, on)
    moved = [
        transfer
        for row in accrued
        for transfer in postings.income_grown(Family(row.family), row.gross_fen - row.vat_fen, row.vat_fen)
    ]
    draft.add("billing.income_accrued", source_id, on, [(source_id, moved)])
    draft.add("billing.accrual_reversed", source_id, on + ONE_DAY, [(source_id, postings.taken_back(moved))])
    return sum(row.gross_fen for row in accrued)


async def booked_on(uow: UnitOfWork, through_on: BusinessDate) -> BusinessDate:
    """On which date to book what an agreement's legs have earned through a date, when they are earned by themselves between two closes. At
    the end of a month that is closed it stood in that month's books already and was taken back on the day after: there it is income again.
    """
    last = await days.last_closed(uow) if ends_month(through_on) else None
    return through_on if last is None or last < through_on else through_on + ONE_DAY


def earned_transfers(grown: Iterable[Row]) -> Iterator[tuple[UUID, Sequence[Transfer]]]:
    """What legs that grew move, by agreement."""
    for row in grown:
        yield row.agreement_id, _moved(row.family, row.role, row.before_fen, row.after_fen)


@lru_cache(booking.ALIKE_MAX)
def _moved(family: str, role: str, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    return postings.leg_earned(Family(family), Role(role), before_fen, after_fen)


def earned_entry(source_id: UUID, on: BusinessDate, grown: Sequence[Row]) -> ledger.Entry | None:
    """The entry of legs that grew."""
    return booking.entry(
        "billing.income_earned",
        source_id,
        on,
        earned_transfers(grown),
    )
