"""The close of business of a date."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.commands.accrual import set_accrual
from xinzu.back.billing.commands.earning import accrue, earn_ended, ends_month
from xinzu.back.billing.commands.issue_schedules import collect, draft_due, due_entries, instalments_of
from xinzu.back.billing.commands.pass_ownership import pass_ownership
from xinzu.back.billing.commands.reconcile import Reconciled, compare
from xinzu.back.billing.errors import DayNotOver, DaySkipped
from xinzu.back.billing.events import (
    ArrearsAged,
    AssetReclassified,
    BooksDiffered,
    ChargeRaised,
    DayClosed,
    InstalmentBecameOverdue,
)
from xinzu.back.billing.model import ChargeKind, Role
from xinzu.back.billing.rules import late_fee, postings
from xinzu.back.billing.store import accounts, classes, days, items
from xinzu.back.billing.store.accounts import Touched
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.prime_rate import DAYS_IN_YEAR
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger import api as ledger

log = structlog.get_logger(__name__)

ONE_DAY = timedelta(days=1)
TOLD_EVERY_S = 1.0
EVENTS_IN_MEMORY_MAX = 20_000


@dataclass(frozen=True, slots=True)
class CloseDay:
    """A date to be closed; with ``dry_run`` everything is done and undone, and only the report remains."""

    business_date: BusinessDate
    dry_run: bool = False


class DayReport(msgspec.Struct, kw_only=True):
    """What a close did, or would do in a dry run. ``was_closed`` when the date had been closed before.

    ``income_fen`` is what legs earned that ended, ``accrued_fen``, at the end of a month, what unfinished ones had earned: income of this
    date too, and taken back on the next. ``differing_count`` is on how many accounts books and billing differ: none, unless something is wrong.
    """

    business_date: BusinessDate
    fell_due_count: int
    became_overdue_count: int
    delinquent_count: int
    late_fee_fen: int
    income_fen: int
    accrued_fen: int
    reclassified_count: int
    provision_fen: int
    differing_count: int
    was_closed: bool
    dry_run: bool


async def next_to_close(read: ReadSession) -> BusinessDate:
    """The date whose turn it is: the day after the last closed one, at the beginning the tenant's first business date."""
    return await _next_after(read, await days.last_closed(read))


async def _next_after(read: ReadSession, last: BusinessDate | None) -> BusinessDate:
    if last is not None:
        return last + ONE_DAY
    return read.calendar.business_date(await days.tenant_opened_at(read))


async def close_days(uow: UnitOfWork, requests: Sequence[CloseDay]) -> list[Outcome[DayReport]]:
    """Close dates one after the other; a date that is refused leaves the others alone."""
    outcomes: list[Outcome[DayReport]] = []
    for request in requests:
        try:
            outcomes.append(await close_day(uow, request.business_date, dry_run=request.dry_run))
        except (DayNotOver, DaySkipped) as refusal:  # both are found before anything is written
            outcomes.append(refusal)
    return outcomes


async def close_day(uow: UnitOfWork, business_date: BusinessDate, *, dry_run: bool = False) -> DayReport:
    """Close a business date of the tenant and open the next one. Nine statements on a day on which nothing is to be done, some three dozen
    otherwise; those whose rows are as many as agreements are read a part at a time. Only what ends, falls due or is due and open is changed.
    What takes long tells in the log how far it is.

    In order: rents and interest that end are earned; what is due on the next date falls due (held credit is set against it, the rest is to
    be collected); what ends in ownership and is paid settles; what is past its grace days becomes overdue, once; late fees grow by a day;
    every agreement in arrears is aged and classified; at the end of a month what unfinished periods have earned is accrued and the allowance
    for losses is brought to what the classes ask for; entries are booked and the books compared with what billing says; DayClosed is said.

    Closing a closed date changes nothing and returns its report. Raises DayNotOver for today or later, DaySkipped out of order.
    """
    await days.take_turn(uow)
    last, closed = await days.known(uow, business_date)
    if closed is not None:
        return _report(closed, was_closed=True, dry_run=dry_run)
    if business_date >= uow.business_date:
        raise DayNotOver(business_date=business_date.isoformat(), today=uow.business_date.isoformat())
    expected = await _next_after(uow, None if last is None else last.business_date)
    if business_date != expected:
        raise DaySkipped(
            f"下一个待日终的营业日是 {expected}",
            f"The next business date to close is {expected}",
            next_to_close=expected.isoformat(),
        )
    if not dry_run:
        return _report(await _close(uow, business_date, last), was_closed=False, dry_run=False)
    await uow.say()  # what was said before stands, whatever this writes and takes back
    asked = len(uow.jobs)
    async with uow.savepoint(keep=False):
        would_be = await _close(uow, business_date, last)
    uow.events.clear()
    del uow.jobs[asked:]
    return _report(would_be, was_closed=False, dry_run=True)


async def _close(uow: UnitOfWork, on: BusinessDate, last: days.ClosedDay | None) -> days.ClosedDay:
    opens_on = on + ONE_DAY
    touched = await accounts.lock_for_close(uow, opens_on)
    todo = await days.agenda(uow, on, opens_on)
    if touched is not Touched.NONE:
        await accounts.plan_for(uow, touched)
    day_id = days.id_of_day(uow.tenant_id, on)
    draft = booking.Draft()
    tell = _progress(uow, on)
    income_fen = await earn_ended(uow, on, day_id, draft) if todo.ends else 0
    tell("earned", postings=len(draft.subject_ids))
    due_count = await _fall_due(uow, opens_on, day_id, draft, tell) if todo.falls_due else 0
    if todo.passes:
        await pass_ownership(uow, opens_on, draft)
    late = await items.become_overdue(uow, on) if todo.is_due or todo.falls_due else ()
    _say_overdue(uow, on, late)
    is_late = todo.is_overdue or len(late) > 0
    late_fee_fen = await _grow_late_fees(uow, on, late, touched, day_id, draft) if is_late else 0
    aged = await accounts.age(uow, on) if is_late else ()
    reclassified = await classes.reclassify(uow, on, todo.policy.classes) if is_late or todo.is_watched else ()
    _say_standing(uow, on, aged, reclassified)
    tell("aged", overdue=len(late), delinquent=len(aged), reclassified=len(reclassified))
    if is_late or todo.is_stopped:
        income_fen += await set_accrual(uow, on, todo.policy.non_accrual_days, day_id, draft, is_stopped=todo.is_stopped)
    if touched is Touched.FEW:
        await accounts.plan_for(uow, Touched.NONE)  # what follows reads all that is open
    accrued_fen = provision_fen = 0
    if ends_month(on):
        accrued_fen = await accrue(uow, on, day_id, draft)
        provision_fen = await _provide(uow, on, todo, day_id, draft)
        tell("accrued and provided for")
    tell("booking", entries=len(draft.facts), postings=len(draft.subject_ids))
    if draft.facts:
        await booking.post_draft(uow, draft)
    else:
        await ledger.hold(uow)  # or money that comes in meanwhile would be on one side and not on the other
    tell("comparing books and billing")
    # From the beginning once a month, so that what is counted on is right itself.
    compared, accounts_beside = await compare(uow, None if last is None or ends_month(on) else last.compared)
    differing = [each for each in accounts_beside if each.difference_fen != 0]
    _say_differing(uow, day_id, on, differing)
    uow.emit(DayClosed(subject_id=day_id, business_date=on))
    closed = days.ClosedDay(
        on,
        due_count,
        len(late),
        len(aged),
        late_fee_fen,
        income_fen=income_fen,
        accrued_fen=accrued_fen,
        reclassified_count=len(reclassified),
        provision_fen=provision_fen,
        differing_count=len(differing),
        compared=compared,
    )
    await days.insert(uow, closed)
    tell("to be committed")
    return closed


def _say_overdue(uow: UnitOfWork, on: BusinessDate, late: Sequence[Row]) -> None:
    uow.emit(
        *(
            InstalmentBecameOverdue(
                subject_id=first.agreement_id,
                party_id=first.party_id,
                instalment_id=first.id,
                number=first.number,
                due_on=first.due_on,
                outstanding_fen=open_fen,
                days_past_due=(on - first.due_on).days,
            )
            for first, open_fen in instalments_of(late, lambda row: row.open_fen)
        )
    )


async def _grow_late_fees(
    uow: UnitOfWork, on: BusinessDate, late: Sequence[Row], touched: Touched, day_id: UUID, draft: booking.Draft
) -> int:
    """Late fees begin with what became overdue, and each grows by a day; returns by how much in fen."""
    bearing = [row for row in late if late_fee.bears_late_fee(Family(row.family), Role(row.role))]
    await items.open_late_fees(uow, [(new_id(), row.agreement_id, row.id, row.due_on) for row in bearing], on)
    accrued = await items.accrue_late_fees(
        uow, on, DAYS_IN_YEAR, late_fee.EXCESSIVE_PENALTY_PCT, are_many=touched is Touched.MANY
    )
    uow.emit(
        *(
            ChargeRaised(subject_id=row.agreement_id, charge_id=row.id, kind=ChargeKind.LATE_FEE.value, amount_fen=row.after_fen)
            for row in accrued
            if row.before_fen == 0 < row.after_fen
        )
    )
    draft.add(
        "billing.late_fees",
        day_id,
        on,
        (
            (row.agreement_id, postings.charge_raised(Family(row.family), ChargeKind.LATE_FEE, row.before_fen, row.after_fen))
            for row in accrued
            if row.after_fen > row.before_fen
        ),
    )
    return sum(row.after_fen - row.before_fen for row in accrued)


def _say_standing(uow: UnitOfWork, on: BusinessDate, aged: Sequence[Row], reclassified: Sequence[Row]) -> None:
    uow.emit(
        *(
            ArrearsAged(
                subject_id=row.agreement_id,
                party_id=row.party_id,
                business_date=on,
                days_past_due=row.days_past_due,
                overdue_fen=row.overdue_fen,
            )
            for row in aged
        ),
        *(
            AssetReclassified(
                subject_id=row.agreement_id,
                party_id=row.party_id,
                business_date=on,
                class_before=row.class_before,
                asset_class=row.asset_class,
                days_past_due=row.days_past_due,
            )
            for row in reclassified
        ),
    )


async def _provide(uow: UnitOfWork, on: BusinessDate, todo: days.Agenda, day_id: UUID, draft: booking.Draft) -> int:
    """The allowance for losses, brought to what is owed and its class; returns by how much it grew in fen."""
    provided = await classes.provide(uow, on, todo.policy.provision)
    draft.add(
        "billing.provision",
        day_id,
        on,
        ((row.agreement_id, postings.provided(Family(row.family), row.before_fen, row.after_fen)) for row in provided),
    )
    return sum(row.after_fen - row.before_fen for row in provided)


class _Tell(Protocol):
    def __call__(self, step: str, **counts: int) -> None: ...


def _progress(uow: UnitOfWork, on: BusinessDate) -> _Tell:
    """Says in the log how far a close is. Only what takes long is told of: a small tenant's close is one line of nobody's interest."""
    started = told = time.monotonic()

    def tell(step: str, **counts: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= TOLD_EVERY_S:
            told = now
            log.info(
                "close of business", tenant=uow.tenant_id, date=str(on), step=step, seconds=round(now - started, 1), **counts
            )

    return tell


async def _fall_due(uow: UnitOfWork, opens_on: BusinessDate, day_id: UUID, draft: booking.Draft, tell: _Tell) -> int:
    """What is due on the day that opens falls due, held credit is set against it, and what nothing is owed on any more settles; returns how
    many legs fell due."""
    count = 0
    with_credit: set[UUID] = set()
    singly = booking.Draft()
    async for due in _whole_agreements(items.falling_due(uow, opens_on)):
        count += len(due)
        with_credit |= {row.agreement_id for row in due if row.credit_balance_fen > 0}
        applied = await collect(uow, due)
        draft_due(draft, due, opens_on, day_id)
        singly.add_entries(due_entries([row for row in due if row.due_on != opens_on]))
        singly.add_entries(moving.credit_entries(uow, applied))
        if len(uow.events) > EVENTS_IN_MEMORY_MAX:
            await uow.say()
        tell("falling due", legs=count)
    draft.add_draft(singly)
    if with_credit:
        await moving.close_settled(uow, list((await moving.restate(uow, sorted(with_credit))).values()))
    return count


async def _whole_agreements(batches: AsyncIterator[Sequence[Row]]) -> AsyncIterator[Sequence[Row]]:
    """The same rows, cut between agreements."""
    kept: list[Row] = []
    async for batch in batches:
        rows = [*kept, *batch]
        cut = next((n for n in range(len(rows) - 1, 0, -1) if rows[n - 1].agreement_id != rows[-1].agreement_id), 0)
        if cut:
            yield rows[:cut]
        kept = rows[cut:]
    if kept:
        yield kept


def _say_differing(uow: UnitOfWork, day_id: UUID, on: BusinessDate, differing: Sequence[Reconciled]) -> None:
    """Say it aloud when the books and billing differ. The close stands: business does not wait for the search."""
    uow.emit(
        *(
            BooksDiffered(
                subject_id=day_id,
                business_date=on,
                account=each.account,
                ledger_fen=each.ledger_fen,
                billing_fen=each.billing_fen,
            )
            for each in differing
        )
    )


def _report(closed: days.ClosedDay, *, was_closed: bool, dry_run: bool) -> DayReport:
    return DayReport(
        business_date=closed.business_date,
        fell_due_count=closed.fell_due_count,
        became_overdue_count=closed.became_overdue_count,
        delinquent_count=closed.delinquent_count,
        late_fee_fen=closed.late_fee_fen,
        income_fen=closed.income_fen,
        accrued_fen=closed.accrued_fen,
        reclassified_count=closed.reclassified_count,
        provision_fen=closed.provision_fen,
        differing_count=closed.differing_count,
        was_closed=was_closed,
        dry_run=dry_run,
    )
