"""Rentals as rows of legs: rents by period or by day, several at the start, deposit and return, rent-to-own, buy-out prices.

Here the rents are given (a merchant's plan names them); ``solve`` finds a rent that earns a rate. Amounts in fen, VAT included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.terms import AMOUNT_MAX_FEN, PERIODS_MAX, Timing, Unit, refused, within
from xinzu.kernel.money import Rounding, round_fen
from xinzu.kernel.terms import PriceBand
from xinzu.kernel.time import BusinessDate

DAYS_MAX = 36_600


class LegRole(StrEnum):
    """What an amount is for."""

    RENT = "rent"
    PRINCIPAL = "principal"
    INTEREST = "interest"
    DEPOSIT = "deposit"
    RESIDUAL = "residual"
    FEE = "fee"
    PENALTY = "penalty"


@dataclass(frozen=True, slots=True)
class Leg:
    """An amount with its role. Positive is what the customer pays, negative what the customer gets back."""

    role: LegRole
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RentalRow:
    """What is due on one date. The row pays for ``from_on`` up to ``to_on``, the first day it does not pay for."""

    n: int
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    legs: tuple[Leg, ...]

    @property
    def total_fen(self) -> int:
        return sum(leg.amount_fen for leg in self.legs)


def equal_rents(
    rent_fen: int,
    periods: int,
    start_on: BusinessDate,
    *,
    unit: Unit = Unit.MONTH,
    every: int = 1,
    timing: Timing = Timing.ADVANCE,
) -> tuple[RentalRow, ...]:
    """One rent per period, due on its first day or, in arrears, at its end. Raises Invalid for numbers below one or absurd.

    >>> from datetime import date
    >>> [(row.n, str(row.due_on), row.total_fen) for row in equal_rents(29_900, 3, date(2026, 1, 31))]
    [(1, '2026-01-31', 29900), (2, '2026-02-28', 29900), (3, '2026-03-31', 29900)]
    """
    within("rent_fen", rent_fen, 1, AMOUNT_MAX_FEN)
    within("periods", periods, 1, PERIODS_MAX)
    within("every", every, 1, 366)
    dates = [shift(unit, every, start_on, count) for count in range(periods + 1)]
    legs = (Leg(LegRole.RENT, rent_fen),)
    return tuple(
        RentalRow(n, from_on, to_on, from_on if timing is Timing.ADVANCE else to_on, legs)
        for n, (from_on, to_on) in enumerate(pairwise(dates), 1)
    )


def several_then_each(
    rent_fen: int, first_rents: int, later: int, start_on: BusinessDate, *, unit: Unit = Unit.MONTH, every: int = 1
) -> tuple[RentalRow, ...]:
    """3+n: several rents at the start, then one on the first day of each following period, ``first_rents + later`` in all.

    The first payment is for the first period and for the last ones of the term, whose rents are thereby paid.

    >>> from datetime import date
    >>> [(str(row.due_on), row.total_fen) for row in several_then_each(100_00, 3, 2, date(2026, 1, 1))]
    [('2026-01-01', 30000), ('2026-02-01', 10000), ('2026-03-01', 10000)]
    """
    within("first_rents", first_rents, 1, PERIODS_MAX)
    within("later", later, 0, PERIODS_MAX)
    first, *rest = equal_rents(rent_fen, later + 1, start_on, unit=unit, every=every)
    return (replace(first, legs=(Leg(LegRole.RENT, rent_fen * first_rents),)), *rest)


def with_return(rows: Sequence[RentalRow], deposit_fen: int) -> tuple[RentalRow, ...]:
    """The device goes back at the end: the deposit is paid with the first row and comes back in a row of its own."""
    within("deposit_fen", deposit_fen, 0, AMOUNT_MAX_FEN)
    if deposit_fen == 0:
        return tuple(rows)
    first, *rest = rows
    end = rows[-1].to_on
    back = RentalRow(rows[-1].n + 1, end, end, end, (Leg(LegRole.DEPOSIT, -deposit_fen),))
    return (replace(first, legs=(*first.legs, Leg(LegRole.DEPOSIT, deposit_fen))), *rest, back)


def rent_to_own(rows: Sequence[RentalRow], transfer_fen: int = 0, *, end_on: BusinessDate | None = None) -> tuple[RentalRow, ...]:
    """租完归送: with the last rent paid the device is the customer's, for the transfer price at the end of the term (often nothing).

    ``end_on`` is the day after the term where that is not the end of the last row, because its last rents are paid at the start.

    >>> from datetime import date
    >>> [(leg.role.value, leg.amount_fen) for leg in rent_to_own(equal_rents(500_00, 12, date(2026, 1, 1)), 100)[-1].legs]
    [('residual', 100)]
    """
    within("transfer_fen", transfer_fen, 0, AMOUNT_MAX_FEN)
    end = end_on or rows[-1].to_on
    return (*rows, RentalRow(rows[-1].n + 1, end, end, end, (Leg(LegRole.RESIDUAL, transfer_fen),)))


def daily_rent_fen(bands: Sequence[PriceBand], first_day: int, last_day: int) -> int:
    """The rent for days of a rental, both included, each at the price of its band.

    A week at ¥30 a day, then ¥20:

    >>> daily_rent_fen([PriceBand(1, 3_000), PriceBand(8, 2_000)], 1, 10)
    27000
    """
    _bands(bands)
    total_fen = 0
    ends = [band.from_day - 1 for band in bands[1:]]
    for band, end in zip(bands, [*ends, last_day], strict=True):
        days = min(end, last_day) - max(band.from_day, first_day) + 1
        total_fen += max(days, 0) * band.daily_fen
    return total_fen


def daily_rents(
    bands: Sequence[PriceBand],
    start_on: BusinessDate,
    end_on: BusinessDate,
    *,
    row_days_max: int | None = None,
    days_max: int | None = None,
    unit: Unit = Unit.MONTH,
    every: int = 1,
) -> tuple[RentalRow, ...]:
    """Rent by the day, billed at the end of each period and at the return; ``end_on`` is the first day that is not rented.

    ``row_days_max`` caps the days a row charges for (e.g. 20 a month); ``days_max`` those of the whole rental (封顶). Days beyond a cap are
    free, and bands count the days of the rental, free ones too. Raises Invalid for dates out of order, bands or caps that cannot be.

    >>> from datetime import date
    >>> rows = daily_rents([PriceBand(1, 1_000)], date(2026, 1, 1), date(2026, 3, 6), row_days_max=20)
    >>> [(str(row.due_on), row.total_fen) for row in rows]
    [('2026-02-01', 20000), ('2026-03-01', 20000), ('2026-03-06', 5000)]
    """
    rows: list[RentalRow] = []
    for from_on, to_on, days in charged_days(
        start_on, end_on, row_days_max=row_days_max, days_max=days_max, unit=unit, every=every
    ):
        first_day = (from_on - start_on).days + 1
        rent_fen = daily_rent_fen(bands, first_day, first_day + days - 1)
        rows.append(RentalRow(len(rows) + 1, from_on, to_on, to_on, (Leg(LegRole.RENT, rent_fen),)))
    return tuple(rows)


def charged_days(
    start_on: BusinessDate,
    end_on: BusinessDate,
    *,
    row_days_max: int | None = None,
    days_max: int | None = None,
    unit: Unit = Unit.MONTH,
    every: int = 1,
) -> Iterator[tuple[BusinessDate, BusinessDate, int]]:
    """Of each row of a rental by the day its first day, the first day that is not its own, and how many of its days, the first ones, are
    charged.

    >>> from datetime import date
    >>> [(str(from_on), days) for from_on, _, days in charged_days(date(2026, 1, 1), date(2026, 2, 6), row_days_max=20, days_max=23)]
    [('2026-01-01', 20), ('2026-02-01', 3)]
    """
    within("days", (end_on - start_on).days, 1, DAYS_MAX)
    for name, cap in (("row_days_max", row_days_max), ("days_max", days_max)):
        if cap is not None:
            within(name, cap, 1, DAYS_MAX)
    from_on, n, charged = start_on, 0, 0
    while from_on < end_on:
        n += 1
        to_on = min(shift(unit, every, start_on, n), end_on)
        days = (to_on - from_on).days
        if row_days_max is not None:
            days = min(days, row_days_max)
        if days_max is not None:
            days = min(days, days_max - charged)
        yield from_on, to_on, days
        charged += days
        from_on = to_on


def buyout_price_fen(
    device_value_fen: int, paid_rent_fen: int, *, floor_fen: int = 0, credited_share: Decimal = Decimal(1)
) -> int:
    """What the device costs a customer who keeps it: its value less the credited share of the rents paid, but not below the floor.

    A share of a fen is settled in the customer's favour.

    >>> buyout_price_fen(600_000, 270_000), buyout_price_fen(600_000, 590_000, floor_fen=50_000)
    (330000, 50000)
    """
    within("device_value_fen", device_value_fen, 1, AMOUNT_MAX_FEN)
    within("paid_rent_fen", paid_rent_fen, 0, AMOUNT_MAX_FEN)
    within("floor_fen", floor_fen, 0, device_value_fen)
    if not (credited_share.is_finite() and 0 <= credited_share <= 1):
        raise refused("credited_share", "须在 0 与 1 之间", "must be from 0 to 1")
    return max(device_value_fen - round_fen(paid_rent_fen * credited_share, Rounding.UP), floor_fen)


def buyout_prices(
    rows: Sequence[RentalRow], device_value_fen: int, *, floor_fen: int = 0, credited_share: Decimal = Decimal(1)
) -> tuple[tuple[BusinessDate, int], ...]:
    """The buy-out price at the end of each period when the rents due by then are paid.

    >>> from datetime import date
    >>> [(str(on), fen) for on, fen in buyout_prices(equal_rents(2_000, 3, date(2026, 1, 31)), 5_000)]
    [('2026-02-28', 3000), ('2026-03-31', 1000), ('2026-04-30', 0)]
    """
    prices = []
    for row in rows:
        paid_fen = sum(_rent_fen(earlier) for earlier in rows if earlier.n <= row.n)
        prices.append(
            (row.to_on, buyout_price_fen(device_value_fen, paid_fen, floor_fen=floor_fen, credited_share=credited_share))
        )
    return tuple(prices)


def buyout_price_of_month(table_fen: Sequence[int], months_begun: int) -> int:
    """The price a plan's table names for a month of the rental (the first is 1); after its end the last price stands.

    >>> [buyout_price_of_month([5_000, 4_000, 1_000], month) for month in (1, 3, 9)]
    [5000, 1000, 1000]
    """
    within("months_begun", months_begun, 1, PERIODS_MAX)
    if not table_fen or min(table_fen) < 0:
        raise refused("table_fen", "须列出各月非负的买断价", "must name a price from 0 for each month")
    return table_fen[min(months_begun, len(table_fen)) - 1]


def days_rented(start_on: BusinessDate, returned_on: BusinessDate) -> int:
    """Days that count when both the day of handover and the day of return do.

    >>> from datetime import date
    >>> days_rented(date(2026, 3, 1), date(2026, 3, 1))
    1
    """
    return (returned_on + timedelta(days=1) - start_on).days


def _rent_fen(row: RentalRow) -> int:
    return sum(leg.amount_fen for leg in row.legs if leg.role is LegRole.RENT)


def _bands(bands: Sequence[PriceBand]) -> None:
    days = [band.from_day for band in bands]
    if not days or days[0] != 1 or any(later <= earlier for earlier, later in pairwise(days)):
        raise refused("bands", "首档自第 1 日起，各档依次递增", "must begin with day 1 and be in order of days")
    for band in bands:
        within("bands", band.daily_fen, 0, AMOUNT_MAX_FEN)
