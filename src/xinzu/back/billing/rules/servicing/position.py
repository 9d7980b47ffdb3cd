"""An agreement as it stands: the input of every servicing rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from xinzu.back.billing.rules.schedules.amortise import Row
from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.rentals import LegRole
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, refused
from xinzu.kernel.errors import invariant
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate


class LegState(StrEnum):
    SCHEDULED = "scheduled"
    DUE = "due"
    OVERDUE = "overdue"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleLeg:
    """One amount of one row of one version of the schedule, in fen. The row covers ``from_on`` to ``to_on``, both included."""

    version: int
    number: int
    role: LegRole
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int = 0
    cancelled_fen: int = 0
    state: LegState = LegState.SCHEDULED

    @property
    def ref(self) -> str:
        return f"{self.version}/{self.number}/{self.role.value}"

    @property
    def open_fen(self) -> int:
        return self.amount_fen - self.paid_fen - self.cancelled_fen

    @property
    def standing_fen(self) -> int:
        """What the leg asks for, paid or not."""
        return self.amount_fen - self.cancelled_fen


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """Something owed beside the schedule (a late fee, damage, a price), in fen."""

    ref: str
    kind: str
    due_on: BusinessDate
    open_fen: int


Item = ScheduleLeg | OpenCharge


@dataclass(frozen=True, slots=True)
class Pause:
    """A moratorium whose interest is added to the principal at its end: simple interest, by actual days, from ``from_on`` to ``to_on``."""

    from_on: BusinessDate
    to_on: BusinessDate
    capitalised_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The legs of all versions as they stand on ``as_of``, and the terms in force (None for a rental).

    Row n of ``terms`` is the legs of ``version`` numbered ``first_number + n − 1``; their dates may have been moved off holidays.
    ``carried_fen`` is interest from before ``terms.start_on`` that is asked for with the first row after the interest grace.
    ``buyout_fen`` is what the lessee pays at the end to own the thing, beyond the schedule (留购价).
    """

    family: Family
    as_of: BusinessDate
    legs: tuple[ScheduleLeg, ...]
    charges: tuple[OpenCharge, ...] = ()
    terms: ScheduleTerms | None = None
    version: int = 1
    first_number: int = 1
    buyout_fen: int = 0
    carried_fen: int = 0
    pause: Pause | None = None

    @property
    def financed(self) -> ScheduleTerms:
        """The terms in force; raises Invalid for a rental."""
        if self.terms is None:
            raise refused(
                "family", "租赁没有融资条款：请用续租、买断或退租", "a rental has no financing: renew, buy out or return it"
            )
        return self.terms

    @property
    def items(self) -> tuple[Item, ...]:
        """Legs and charges together."""
        return (*self.legs, *self.charges)

    @property
    def next_version(self) -> int:
        return max((leg.version for leg in self.legs), default=0) + 1

    def row_of(self, leg: ScheduleLeg) -> int | None:
        """The row of the terms in force (from 1) that a leg belongs to, or None for what stands beside them."""
        n = leg.number - self.first_number + 1
        return n if leg.version == self.version and n >= 1 else None

    def standing(self, role: LegRole, rows: int) -> list[int]:
        """What each row of the terms in force asks for in one role, paid or not."""
        amounts = [0] * rows
        for leg in self.legs:
            n = self.row_of(leg)
            if n is not None and leg.role is role and n <= rows:
                amounts[n - 1] += leg.standing_fen
        return amounts


def position_of(
    family: Family,
    as_of: BusinessDate,
    legs: Iterable[ScheduleLeg],
    *,
    terms: ScheduleTerms | None = None,
    charges: Iterable[OpenCharge] = (),
    version: int = 1,
    first_number: int = 1,
    buyout_fen: int = 0,
    carried_fen: int = 0,
    pause: Pause | None = None,
) -> Position:
    """The position of an agreement from its legs, in order of version and number. A rental has no terms, any other family needs them."""
    ordered = tuple(sorted(legs, key=lambda leg: (leg.version, leg.number, leg.role.value)))
    invariant(len({leg.ref for leg in ordered}) == len(ordered), "a leg of a version, number and role stands once")
    invariant(all(leg.open_fen >= 0 for leg in ordered), "no leg is paid or cancelled beyond its amount")
    invariant((terms is None) == (family is Family.RENTAL), "terms are of financed agreements")
    return Position(
        family=family,
        as_of=as_of,
        legs=ordered,
        charges=tuple(charges),
        terms=terms,
        version=version,
        first_number=first_number,
        buyout_fen=buyout_fen,
        carried_fen=carried_fen,
        pause=pause,
    )


def legs_of(rows: Sequence[Row], terms: ScheduleTerms, *, version: int = 1, first_number: int = 1) -> tuple[ScheduleLeg, ...]:
    """The legs of a schedule's rows; roles without an amount have none. Raises Invalid for a row whose instalment is below its interest:
    what is owed would grow, and a leg is never negative.

    >>> from datetime import date
    >>> from decimal import Decimal
    >>> from xinzu.back.billing.rules.schedules.solve import schedule_of
    >>> terms = ScheduleTerms(start_on=date(2026, 1, 31), periods=2, principal_fen=200_000, annual_rate_pct=Decimal(12))
    >>> [(leg.ref, str(leg.to_on), leg.amount_fen) for leg in legs_of(schedule_of(terms).rows, terms)][:2]
    [('1/1/principal', '2026-02-27', 99618), ('1/1/interest', '2026-02-27', 1867)]
    """
    legs = []
    if any(min(row.principal_fen, row.interest_fen, row.fee_fen) < 0 for row in rows):
        raise refused(
            "periods",
            "使某期还款额不足以支付其利息：请减少期数，或改用延缓还本",
            "makes a row whose instalment does not cover its interest: take fewer periods, or a moratorium",
        )
    for index, row in enumerate(rows):
        if row.from_on < row.due_on:
            to_on = row.due_on
        elif index + 1 < len(rows):  # in advance the row pays for the days up to the next one
            to_on = rows[index + 1].due_on
        else:
            to_on = shift(terms.unit, terms.every, row.due_on, 1)
        for role, amount_fen in (
            (LegRole.PRINCIPAL, row.principal_fen),
            (LegRole.INTEREST, row.interest_fen),
            (LegRole.FEE, row.fee_fen),
        ):
            if amount_fen:
                legs.append(
                    ScheduleLeg(
                        version=version,
                        number=first_number + row.n - 1,
                        role=role,
                        from_on=row.from_on,
                        to_on=to_on - timedelta(days=1),
                        due_on=row.due_on,
                        amount_fen=amount_fen,
                    )
                )
    return tuple(legs)
