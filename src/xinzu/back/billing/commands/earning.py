"""Income over time: what of rents and interest is earned by a date."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from xinzu.back.billing.commands import booking
from xinzu.back.billing.model import Role
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


def earned_entry(source_id: UUID, on: BusinessDate, grown: Sequence[Row[Any]]) -> ledger.Entry | None:
    """The entry of legs that grew."""
    return booking.entry(
        "billing.income_earned",
        source_id,
        on,
        [
            (row.agreement_id, postings.leg_earned(Family(row.family), Role(row.role), row.before_fen, row.after_fen))
            for row in grown
        ],
    )
