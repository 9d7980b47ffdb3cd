"""An agreement as it stands: the input of every servicing rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xinzu.back.billing.model import Leg, Role
from xinzu.back.billing.rules.legs import financed_legs
from xinzu.back.billing.rules.schedules.amortise import Row
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, refused
from xinzu.kernel.errors import invariant
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """Something owed beside the schedule (a late fee, damage, a price), in fen."""

    ref: str
    kind: str
    due_on: BusinessDate
    open_fen: int


Item = Leg | OpenCharge


@dataclass(frozen=True, slots=True)
class Pause:
    """A moratorium whose interest is added to the principal at its end: simple interest, by actual days, from ``from_on`` to ``to_on``."""

    from_on: BusinessDate
    to_on: BusinessDate
    capitalised_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The terms that the legs of ``version`` follow from ``first_number`` on; the rest as in ``Position``."""

    terms: ScheduleTerms
    version: int = 1
    first_number: int = 1
    carried_fen: int = 0
    pause: Pause | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The legs of all versions as they stand on ``as_of``, and the terms in force (None for a rental).

    Row n of ``terms`` is the legs of ``version`` numbered ``first_number + n − 1``; their dates may have been moved off holidays.
    ``carried_fen`` is interest from before ``terms.start_on`` that is asked for with the first row after the interest grace.
    The first ``behind`` rows of the terms were due when these came into force: of them only differences stand under ``version``.
    ``buyout_fen`` is what the lessee pays at the end to own the thing, beyond the schedule (留购价); ``device_value_fen`` what it was worth
    when it was let, nothing where that is not known. ``buyout_prices_fen`` are the agreed prices for each month begun, where there are any.
    """

    family: Family
    as_of: BusinessDate
    legs: tuple[Leg, ...]
    charges: tuple[OpenCharge, ...] = ()
    terms: ScheduleTerms | None = None
    version: int = 1
    first_number: int = 1
    buyout_fen: int = 0
    device_value_fen: int = 0
    carried_fen: int = 0
    pause: Pause | None = None
    behind: int = 0
    buyout_prices_fen: tuple[int, ...] = ()

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

    def row_of(self, leg: Leg) -> int | None:
        """The row of the terms in force (from 1) that a leg belongs to, or None for what stands beside them."""
        n = leg.number - self.first_number + 1
        return n if leg.version == self.version and n >= 1 else None

    def standing(self, role: Role, rows: int) -> list[int]:
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
    legs: Iterable[Leg],
    *,
    terms: ScheduleTerms | None = None,
    charges: Iterable[OpenCharge] = (),
    version: int = 1,
    first_number: int = 1,
    buyout_fen: int = 0,
    device_value_fen: int = 0,
    carried_fen: int = 0,
    pause: Pause | None = None,
    behind: int = 0,
    buyout_prices_fen: tuple[int, ...] = (),
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
        device_value_fen=device_value_fen,
        carried_fen=carried_fen,
        pause=pause,
        behind=behind,
        buyout_prices_fen=buyout_prices_fen,
    )


def position_sha256(position: Position) -> str:
    """SHA-256 over what an event is reckoned from, except the date: what every leg and charge asks for and has been paid. Two previews of
    the same event on the same day agree if and only if this does."""
    lines = [
        f"{leg.ref}|{leg.from_on}|{leg.to_on}|{leg.due_on}|{leg.amount_fen}|{leg.paid_fen}|{leg.cancelled_fen}\n"
        for leg in position.legs
    ]
    lines += [f"{charge.ref}|{charge.kind}|{charge.due_on}|{charge.open_fen}\n" for charge in position.charges]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def schedule_sha256(position: Position) -> str:
    """SHA-256 over the legs that ask for something, paid or not: the schedule as the evidence log keeps it."""
    lines = (
        f"{leg.ref}|{leg.from_on}|{leg.to_on}|{leg.due_on}|{leg.standing_fen}\n" for leg in position.legs if leg.standing_fen
    )
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def legs_of(rows: Sequence[Row], terms: ScheduleTerms, *, version: int = 1, first_number: int = 1) -> tuple[Leg, ...]:
    """The legs of a schedule's rows; roles without an amount have none. Raises Invalid for a row whose instalment is below its interest:
    what is owed would grow, and a leg is never negative.

    >>> from datetime import date
    >>> from decimal import Decimal
    >>> from xinzu.back.billing.rules.schedules.solve import schedule_of
    >>> terms = ScheduleTerms(start_on=date(2026, 1, 31), periods=2, principal_fen=200_000, annual_rate_pct=Decimal(12))
    >>> [(leg.ref, str(leg.to_on), leg.amount_fen) for leg in legs_of(schedule_of(terms).rows, terms)][:2]
    [('1/1/principal', '2026-02-27', 99618), ('1/1/interest', '2026-02-27', 1867)]
    """
    if any(min(row.principal_fen, row.interest_fen, row.fee_fen) < 0 for row in rows):
        raise refused(
            "periods",
            "使某期还款额不足以支付其利息：请减少期数，或改用延缓还本",
            "makes a row whose instalment does not cover its interest: take fewer periods, or a moratorium",
        )
    return tuple(replace(leg, version=version) for leg in financed_legs(rows, terms.start_on, first_number - 1))
