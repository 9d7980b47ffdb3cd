"""The close of business of a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.commands.earning import earn, earned_entry, ends_month
from xinzu.back.billing.commands.issue_schedules import fell_due, instalments_of
from xinzu.back.billing.commands.reconcile import reconcile
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
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.prime_rate import DAYS_IN_YEAR
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CloseDay:
    """A date to be closed; with ``dry_run`` everything is done and undone, and only the report remains."""

    business_date: BusinessDate
    dry_run: bool = False


class DayReport(msgspec.Struct, kw_only=True):
    """What a close did, or would do in a dry run. ``was_closed`` when the date had been closed before."""

    business_date: BusinessDate
    fell_due_count: int
    became_overdue_count: int
    delinquent_count: int
    late_fee_fen: int
    income_fen: int
    reclassified_count: int
    provision_fen: int
    was_closed: bool
    dry_run: bool


async def next_to_close(read: ReadSession) -> BusinessDate:
    """The date whose turn it is: the day after the last closed one, at the beginning the tenant's first business date."""
    last = await days.last_closed(read)
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
    """Close a business date of the tenant and open the next one. About a dozen statements, whatever the number of agreements; only what
    falls due or is due and open is read.

    In order: rents and interest are earned; what is due on the next date falls due (held credit is set against it, the rest is to be
    collected); what is past its grace days becomes overdue, once; late fees grow by a day; every agreement in arrears is aged and classified; at the
    end of a month the allowance for losses is brought to what the classes ask for; entries are booked, and at the end of a month compared
    with what billing says; DayClosed is said.

    Closing a closed date changes nothing and returns its report. Raises DayNotOver for today or later, DaySkipped out of order.
    """
    await days.take_turn(uow)
    closed = await days.find(uow, business_date)
    if closed is not None:
        return _report(closed, was_closed=True, dry_run=dry_run)
    if business_date >= uow.business_date:
        raise DayNotOver(business_date=business_date.isoformat(), today=uow.business_date.isoformat())
    expected = await next_to_close(uow)
    if business_date != expected:
        raise DaySkipped(
            f"下一个待日终的营业日是 {expected}",
            f"The next business date to close is {expected}",
            next_to_close=expected.isoformat(),
        )
    if not dry_run:
        return _report(await _close(uow, business_date), was_closed=False, dry_run=False)
    said, asked = len(uow.events), len(uow.jobs)
    async with uow.connection.begin_nested() as savepoint:
        would_be = await _close(uow, business_date)
        await savepoint.rollback()
    del uow.events[said:], uow.jobs[asked:]
    return _report(would_be, was_closed=False, dry_run=True)


async def _close(uow: UnitOfWork, on: BusinessDate) -> days.ClosedDay:
    opens_on = on + ONE_DAY
    await accounts.lock_for_close(uow, opens_on)
    day_id = id_of_day(uow.tenant_id, on)
    grown = await earn(uow, on)
    due = await items.fall_due(uow, opens_on)
    entries = [earned_entry(day_id, on, grown), *await fell_due(uow, due)]
    with_credit = sorted({row.agreement_id for row in due if row.credit_balance_fen > 0})
    if with_credit:
        await moving.restate(uow, with_credit)

    late = await items.become_overdue(uow, on)
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
    bearing = [row for row in late if late_fee.bears_late_fee(Family(row.family), Role(row.role))]
    await items.open_late_fees(uow, [(new_id(), row.agreement_id, row.id, row.due_on) for row in bearing], on)
    accrued = await items.accrue_late_fees(uow, on, DAYS_IN_YEAR, late_fee.EXCESSIVE_PENALTY_PCT)
    late_fee_fen = sum(row.after_fen - row.before_fen for row in accrued)
    uow.emit(
        *(
            ChargeRaised(subject_id=row.agreement_id, charge_id=row.id, kind=ChargeKind.LATE_FEE.value, amount_fen=row.after_fen)
            for row in accrued
            if row.before_fen == 0 < row.after_fen
        )
    )
    entries.append(
        booking.entry(
            "billing.late_fees",
            day_id,
            on,
            [
                (row.agreement_id, postings.charge_raised(Family(row.family), ChargeKind.LATE_FEE, row.before_fen, row.after_fen))
                for row in accrued
                if row.after_fen > row.before_fen
            ],
        )
    )
    aged = await accounts.age(uow, on)
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
        DayClosed(subject_id=day_id, business_date=on),
    )
    reclassified = await classes.reclassify(uow, on)
    uow.emit(
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
        )
    )
    provided = await classes.provide(uow) if ends_month(on) else []
    entries.append(
        booking.entry(
            "billing.provision",
            day_id,
            on,
            [(row.agreement_id, postings.provided(Family(row.family), row.before_fen, row.after_fen)) for row in provided],
        )
    )
    closed = days.ClosedDay(
        on,
        len(due),
        len(late),
        len(aged),
        late_fee_fen,
        income_fen=sum(row.after_fen - row.before_fen for row in grown),
        reclassified_count=len(reclassified),
        provision_fen=sum(row.after_fen - row.before_fen for row in provided),
    )
    await days.insert(uow, closed)
    await booking.post(uow, entries)
    if ends_month(on):
        await _compare_books(uow, day_id, on)
    return closed


async def _compare_books(uow: UnitOfWork, day_id: UUID, on: BusinessDate) -> None:
    """Say it aloud when the books and billing differ. The close stands: business does not wait for the search."""
    differing = [each for each in await reconcile(uow) if each.difference_fen != 0]
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


def id_of_day(tenant_id: int, on: BusinessDate) -> UUID:
    """The subject of a closed day: the same for the same tenant and date."""
    return uuid5(NAMESPACE_OID, f"xinzu.billing.day/{tenant_id}/{on.isoformat()}")


def _report(closed: days.ClosedDay, *, was_closed: bool, dry_run: bool) -> DayReport:
    return DayReport(
        business_date=closed.business_date,
        fell_due_count=closed.fell_due_count,
        became_overdue_count=closed.became_overdue_count,
        delinquent_count=closed.delinquent_count,
        late_fee_fen=closed.late_fee_fen,
        income_fen=closed.income_fen,
        reclassified_count=closed.reclassified_count,
        provision_fen=closed.provision_fen,
        was_closed=was_closed,
        dry_run=dry_run,
    )
