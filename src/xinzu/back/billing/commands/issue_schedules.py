"""Issuing schedules when rentals commence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from xinzu.back.billing.commands import booking, moving
from xinzu.back.billing.commands.earning import earned_entry, ends_month
from xinzu.back.billing.errors import AccountMissing
from xinzu.back.billing.events import InstalmentFellDue, LeaseClassDiffered, ScheduleIssued
from xinzu.back.billing.model import Leg, Role, Transfer
from xinzu.back.billing.rules import inception, postings
from xinzu.back.billing.rules.lease_class import LeaseClassification
from xinzu.back.billing.rules.legs import (
    ONE_DAY,
    daily_legs,
    financed_legs,
    fingerprint,
    rental_legs,
    standing,
    term_end,
    with_shifted_dues,
)
from xinzu.back.billing.rules.schedules.agreed import agreed_schedule, period_of
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.store import accounts, earned, items
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import EndsIn, Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.ledger import api as ledger

_NAMING = tuple(role.value for role in (Role.RENT, Role.PRINCIPAL, Role.INTEREST, Role.FEE))


@dataclass(frozen=True, slots=True)
class Commencement:
    """A rental that began: rents run from ``commencement_on``."""

    agreement_id: UUID
    commencement_on: BusinessDate


async def issue_schedules(uow: UnitOfWork, commencements: Sequence[Commencement]) -> None:
    """Write the instalments of rentals that commenced, mark those due by today, and set held money (the first rent) against them.

    An account that has its schedule keeps it. Books what commences (a lease's receivable, a loan's principal), what is earned and falls
    due, and the credit applied.
    A lease is classified by ``rules.inception``; where the rule says something else than the books will show, LeaseClassDiffered is said.
    Raises AccountMissing when an agreement's signing has not arrived yet: the caller tries again.
    """
    by_agreement = {commencement.agreement_id: commencement for commencement in commencements}
    locked = await accounts.lock(uow, list(by_agreement))
    if len(locked) < len(by_agreement):
        raise AccountMissing
    fresh = [(account, by_agreement[account.agreement_id]) for account in locked.values() if account.commencement_on is None]
    if not fresh:
        return
    legs = {account.agreement_id: first_legs(account, commencement.commencement_on) for account, commencement in fresh}
    leases = {
        account.agreement_id: _classified(account, commencement.commencement_on, legs[account.agreement_id])
        for account, commencement in fresh
    }
    await accounts.commence(
        uow,
        [(account.agreement_id, commencement.commencement_on, leases[account.agreement_id]) for account, commencement in fresh],
    )
    await items.insert_instalments(
        uow,
        [standing(leg, new_id(), agreement_id, version=1) for agreement_id, planned in legs.items() for leg in planned],
    )
    uow.emit(
        *(
            ScheduleIssued(
                subject_id=account.agreement_id,
                party_id=account.party_id,
                first_due_on=min(leg.due_on for leg in legs[account.agreement_id]),
                last_due_on=max(leg.due_on for leg in legs[account.agreement_id]),
                instalment_count=legs[account.agreement_id][-1].number,
                total_fen=sum(leg.amount_fen for leg in legs[account.agreement_id]),
            )
            for account, _ in fresh
        )
    )
    differing = [
        (account, lease)
        for account, _ in fresh
        if (lease := leases[account.agreement_id]) is not None and inception.differs(account.family, lease.lease_class)
    ]
    uow.emit(
        *(
            LeaseClassDiffered(
                subject_id=account.agreement_id,
                party_id=account.party_id,
                booked_as=inception.BOOKED_AS[account.family].value,
                lease_class=lease.lease_class.value,
                because=[test.code for test in lease.tests if test.holds],
            )
            for account, lease in differing
        )
    )
    entries = [_commenced(account, commencement.commencement_on, legs[account.agreement_id]) for account, commencement in fresh]
    # What was handed over long before we heard of it has earned something already.
    yesterday = uow.business_date - ONE_DAY
    grown = sorted(
        await earned.earn(uow, yesterday, list(legs), unfinished=ends_month(yesterday)), key=lambda row: row.agreement_id
    )
    for agreement_id, rows in groupby(grown, key=lambda row: row.agreement_id):
        entries.append(earned_entry(agreement_id, yesterday, list(rows)))
    entries += await fell_due(uow, await items.fall_due(uow, uow.business_date, list(legs)))
    await moving.restate(uow, list(legs))
    await booking.post(uow, entries)
    evidence.append(uow, [_leaf(agreement_id, planned) for agreement_id, planned in legs.items()])
    evidence.append(uow, [_differs(account, lease) for account, lease in differing])


def first_legs(account: accounts.Account, commencement_on: BusinessDate) -> tuple[Leg, ...]:
    """The legs of an account's first schedule. Raises Invalid for terms that cannot be, which no quote lets through."""
    every, unit = period_of(account)
    if account.financing is not None:
        rows = schedule_of(agreed_schedule(account, account.financing, commencement_on)).rows
        legs = financed_legs(rows, commencement_on)
    elif account.daily is not None:
        legs = daily_legs(account.daily, account.period_count, commencement_on)
    else:
        legs = rental_legs(account.rent_fen, every, account.period_count, commencement_on, account.first_rents, unit=unit)
    return with_shifted_dues(legs, ShiftPolicy(account.due_shift), commencement_on)


async def fell_due(uow: UnitOfWork, due: Sequence[Row]) -> list[ledger.Entry | None]:
    """What follows when instalments fall due (``collect``). Returns the entries to be booked."""
    applied = await collect(uow, due)
    return [*due_entries(due), *moving.credit_entries(uow, applied)]


async def collect(uow: UnitOfWork, due: Sequence[Row]) -> moving.Applied:
    """Held credit is set against what fell due, and what stays open is to be collected. The legs of an instalment are given together.

    The accounts must be locked; their standing is not yet restated.
    """
    with_credit = sorted({row.agreement_id for row in due if row.credit_balance_fen > 0})
    applied = await moving.apply_funds(uow, with_credit) if with_credit else moving.Applied(())
    say_due(uow, due, applied.per_item())
    return applied


def say_due(uow: UnitOfWork, due: Sequence[Row], paid_fen: Mapping[UUID, int]) -> None:
    """Say of what fell due what is to be collected: all but what held money has paid of it."""
    uow.emit(
        *(
            InstalmentFellDue(
                subject_id=first.agreement_id,
                party_id=first.party_id,
                instalment_id=first.id,
                number=first.number,
                due_on=first.due_on,
                outstanding_fen=outstanding_fen,
            )
            for first, outstanding_fen in instalments_of(due, lambda row: row.amount_fen - paid_fen.get(row.id, 0))
            if outstanding_fen > 0
        )
    )


def instalments_of(legs: Sequence[Row], open_fen: Callable[[Row], int]) -> Iterator[tuple[Row, int]]:
    """Legs that fall due together as one: the one that names the instalment (its rent or principal before its interest), and the sum."""
    together: dict[tuple[UUID, int, BusinessDate], list[Row]] = {}
    for row in legs:
        together.setdefault((row.agreement_id, row.number, row.due_on), []).append(row)
    for rows in together.values():
        first = rows[0] if len(rows) == 1 else min(rows, key=lambda row: _NAMING.index(row.role))
        yield first, sum(map(open_fen, rows))


def due_entries(due: Sequence[Row]) -> list[ledger.Entry | None]:
    """The entries of legs that fell due, each on its due date."""
    return [
        booking.entry(
            "billing.instalment_due",
            row.id,
            row.due_on,
            [(row.agreement_id, _moved(row.family, row.role, row.amount_fen, row.suspended_fen))],
        )
        for row in due
    ]


def draft_due(draft: booking.Draft, due: Sequence[Row], opens_on: BusinessDate, day_id: UUID) -> None:
    """In columns: one entry for all that falls due on the day that opens, with a posting for each agreement; what was due earlier on its
    own date."""
    draft.add(
        "billing.instalments_due",
        day_id,
        opens_on,
        (
            (row.agreement_id, _moved(row.family, row.role, row.amount_fen, row.suspended_fen))
            for row in due
            if row.due_on == opens_on
        ),
    )


@lru_cache(booking.ALIKE_MAX)
def _moved(family: str, role: str, amount_fen: int, suspended_fen: int) -> tuple[Transfer, ...]:
    return postings.leg_fell_due(Family(family), Role(role), amount_fen, suspended_fen)


def _commenced(account: accounts.Account, on: BusinessDate, legs: Sequence[Leg]) -> ledger.Entry | None:
    subsidy_fen = undrawn_fen = 0
    if account.financing is not None:
        subsidy_fen = account.financing.subsidy_fen
        undrawn_fen = sum(tranche.amount_fen for tranche in account.financing.tranches if tranche.after_days > 0)
    moved = postings.commenced(account.family, [(leg.role, leg.amount_fen) for leg in legs], subsidy_fen, undrawn_fen)
    return booking.entry("billing.commenced", account.agreement_id, on, [(account.agreement_id, moved)])


def _classified(account: accounts.Account, on: BusinessDate, legs: Sequence[Leg]) -> LeaseClassification | None:
    every, unit = period_of(account)
    return inception.classify_at_inception(
        account.family,
        legs,
        on,
        over_on=term_end(every, account.period_count, on, unit) + ONE_DAY,
        device_value_fen=account.device_value_fen,
        financed_fen=0 if account.financing is None else account.financing.principal_fen,
        buyout_fen=account.buyout_fen,
        title_transfers=account.ends_in is EndsIn.OWN,
    )


def _differs(account: accounts.Account, lease: LeaseClassification) -> evidence.Leaf:
    return evidence.Leaf(
        "billing.lease_class.differed",
        account.agreement_id,
        {
            "booked_as": inception.BOOKED_AS[account.family].value,
            "lease_class": lease.lease_class.value,
            "tests": [
                {"code": test.code, "article": test.article, "holds": test.holds, "figures": dict(test.figures)}
                for test in lease.tests
            ],
        },
    )


def _leaf(agreement_id: UUID, legs: Sequence[Leg]) -> evidence.Leaf:
    return evidence.Leaf(
        "billing.schedule.issued",
        agreement_id,
        {
            "instalment_count": legs[-1].number,
            "total_fen": sum(leg.amount_fen for leg in legs),
            "first_due_on": min(leg.due_on for leg in legs).isoformat(),
            "last_due_on": max(leg.due_on for leg in legs).isoformat(),
            "rows_sha256": fingerprint(legs),
        },
    )
