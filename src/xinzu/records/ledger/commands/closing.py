"""Closing the books through a date 结账, and opening them again 反结账."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.platform.attesting import attest
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger.errors import AlreadyClosed, BooksNotOpen, ClosureUnknown, NotNewestClosure, PeriodNotOver
from xinzu.records.ledger.events import BooksClosed, BooksReopened
from xinzu.records.ledger.model import Closure
from xinzu.records.ledger.rules.digests import trial_balance_sha256
from xinzu.records.ledger.store import periods, reports


@dataclass(frozen=True, slots=True)
class ClosePeriod:
    """The last date of the period to be closed."""

    through_on: BusinessDate


@dataclass(frozen=True, slots=True)
class ReopenClosure:
    """The closure to be taken back, and why."""

    closure_id: UUID
    reason: str


async def close_periods(uow: UnitOfWork, requests: Sequence[ClosePeriod]) -> list[Outcome[Closure]]:
    """Close the books through a date: from the commit on nothing can be booked on it or before it.

    Waits for those who are posting, and they wait for it. Keeps what had moved on each account by then, from which later balances are
    counted. Closing through the same date again changes nothing and returns the closure that stands. No entry is written. BooksClosed is
    said, and the digest of the trial balance is kept as evidence.

    Refuses with BooksNotOpen, PeriodNotOver (the date is today or later), AlreadyClosed (a later date is closed).
    """
    return [await _refusing(_close(uow, request.through_on)) for request in requests]


async def reopen_closures(uow: UnitOfWork, requests: Sequence[ReopenClosure]) -> list[Outcome[Closure]]:
    """Take back the newest closure: the books are then closed through the one before it, or not at all. The closure stays on record
    with who took it back, when and why. Taking back again what was taken back changes nothing. BooksReopened is said, and the digest of the
    trial balance, counted anew, is kept as evidence.

    Refuses with ClosureUnknown, NotNewestClosure.
    """
    return [await _refusing(_reopen(uow, request)) for request in requests]


async def _close(uow: UnitOfWork, through_on: BusinessDate) -> Closure:
    book = await periods.lock_book(uow)
    if book is None:
        raise BooksNotOpen
    if through_on >= uow.business_date:
        yesterday = uow.business_date - timedelta(days=1)
        raise PeriodNotOver(
            f"最晚可结至昨日 {yesterday}", f"The books can be closed through yesterday, {yesterday}, at the latest"
        )
    newest = await periods.newest_standing(uow)
    if newest is not None and through_on <= newest.through_on:
        if through_on == newest.through_on:
            return newest
        raise AlreadyClosed(
            f"账簿已结至 {newest.through_on}",
            f"The books are closed through {newest.through_on} already",
            closed_through=newest.through_on.isoformat(),
        )
    closure = Closure(new_id(), through_on, str(uow.actor), uow.now)
    totals = await reports.totals(uow, through_on)
    await periods.insert(uow, closure, totals)
    await periods.set_closed_through(uow, through_on)
    digest = trial_balance_sha256(totals)
    uow.emit(BooksClosed(subject_id=closure.id, through_on=through_on, trial_balance_sha256=digest))
    _attest(uow, "ledger.books.closed", closure, digest)
    return closure


async def _reopen(uow: UnitOfWork, request: ReopenClosure) -> Closure:
    await periods.lock_book(uow)
    closure = await periods.find(uow, request.closure_id)
    if closure is None:
        raise ClosureUnknown
    if closure.reopened_at is not None:
        return closure
    newest = await periods.newest_standing(uow)
    if newest is None or newest.id != closure.id:
        raise NotNewestClosure
    reopened = replace(closure, reopened_by=str(uow.actor), reopened_at=uow.now, reopen_reason=request.reason)
    await periods.mark_reopened(uow, reopened)
    before = await periods.newest_standing(uow)
    await periods.set_closed_through(uow, None if before is None else before.through_on)
    digest = trial_balance_sha256(await reports.totals(uow, closure.through_on))
    uow.emit(BooksReopened(subject_id=closure.id, through_on=closure.through_on, trial_balance_sha256=digest))
    _attest(uow, "ledger.books.reopened", reopened, digest, reason=request.reason)
    return reopened


def _attest(uow: UnitOfWork, kind: str, closure: Closure, digest: str, **more: str) -> None:
    facts = {
        "closure_id": public_id(Prefix.CLOSURE, closure.id),
        "through_on": closure.through_on.isoformat(),
        "trial_balance_sha256": digest,
        "by": str(uow.actor),
        **more,
    }
    attest(uow, kind, closure.id, facts)


async def _refusing(closing: Awaitable[Closure]) -> Outcome[Closure]:
    """Each is refused before it writes anything, so the others of its batch go on."""
    try:
        return await closing
    except Problem as refusal:
        return refusal
