"""Income over time: what of rents and interest is earned by a date."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from xinzu.back.billing.commands import booking
from xinzu.back.billing.model import Role, Transfer
from xinzu.back.billing.rules import postings
from xinzu.back.billing.store import items
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger


def ends_month(on: BusinessDate) -> bool:
    return on.day == calendar.monthrange(on.year, on.month)[1]


async def earn(uow: UnitOfWork, on: BusinessDate, agreement_ids: Sequence[UUID] | None = None) -> Sequence[Row[Any]]:
    """Earn what the close of ``on`` has earned, of all agreements or of these; returns the legs that grew. One statement.

    Legs whose last day is over are earned whole, so that interest is income before it falls due; on the last day of a month all that
    have begun are earned up to it (CAS 21 arts. 39, 45; CAS 22), so that every month's books hold the month's income.
    """
    return await items.earn(uow, on, ends_month=ends_month(on), agreement_ids=agreement_ids)


async def earn_all(uow: UnitOfWork, on: BusinessDate, source_id: UUID, draft: booking.Draft) -> int:
    """``earn`` for all agreements, with its entry put into the draft; returns the income in fen, VAT included."""
    income_fen = 0
    moved: list[tuple[UUID, Sequence[Transfer]]] = []
    async for grown in items.earning(uow, on, ends_month=ends_month(on)):
        for row in grown:
            income_fen += row.after_fen - row.before_fen
            moved.append((row.agreement_id, _moved(row.family, row.role, row.before_fen, row.after_fen)))
    draft.add("billing.income_earned", source_id, on, moved)
    return income_fen


@lru_cache(booking.ALIKE_MAX)
def _moved(family: str, role: str, before_fen: int, after_fen: int) -> tuple[Transfer, ...]:
    return postings.leg_earned(Family(family), Role(role), before_fen, after_fen)


def earned_entry(source_id: UUID, on: BusinessDate, grown: Sequence[Row[Any]]) -> ledger.Entry | None:
    """The entry of legs that grew."""
    return booking.entry(
        "billing.income_earned",
        source_id,
        on,
        [(row.agreement_id, _moved(row.family, row.role, row.before_fen, row.after_fen)) for row in grown],
    )
