"""The legs of an agreement: the engine's rows as what is billed, one leg for each role of an instalment.

Whatever the family, quote, contract, bill and explanation compute the rows by the same functions (``rules.schedules``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from xinzu.back.billing.model import Instalment, Leg, Role, Segment, Why
from xinzu.back.billing.rules.schedules.amortise import Row
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, due_on_of
from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.rentals import RentalRow, charged_days, daily_rents, days_rented, equal_rents
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, Unit, within
from xinzu.back.billing.rules.schedules.why import why_row
from xinzu.kernel.terms import DailyRent
from xinzu.kernel.time import BusinessDate

ONE_DAY = timedelta(days=1)


def rental_legs(
    rent_fen: int,
    every: int,
    period_count: int,
    commencement_on: BusinessDate,
    first_rents: int = 1,
    *,
    unit: Unit = Unit.MONTH,
) -> tuple[Leg, ...]:
    """Equal rents in advance: one per rental period, due on its first day, but of the last ``first_rents`` − 1 periods at commencement (3+n).

    Every date is counted from the commencement date, so that a rental begun on the 31st is due on each month's last day and not on
    the 28th for good. Whenever it is due, a rent is for the days of its own period, so that rents are income by straight line over the
    term (CAS 21 art. 45) and one paid ahead falls away with its period. Raises Invalid unless rent, length and count are above zero
    and the first rents are of the term.

    >>> from datetime import date
    >>> [(leg.number, str(leg.due_on), str(leg.to_on)) for leg in rental_legs(29900, 1, 3, date(2026, 1, 31))]
    [(1, '2026-01-31', '2026-02-27'), (2, '2026-02-28', '2026-03-30'), (3, '2026-03-31', '2026-04-29')]
    >>> [(leg.number, str(leg.due_on), str(leg.from_on)) for leg in rental_legs(29900, 1, 4, date(2026, 1, 1), 3)]
    [(1, '2026-01-01', '2026-01-01'), (2, '2026-02-01', '2026-02-01'), (3, '2026-01-01', '2026-03-01'), (4, '2026-01-01', '2026-04-01')]
    """
    rows = equal_rents(rent_fen, period_count, commencement_on, unit=unit, every=every)
    within("first_rents", first_rents, 1, period_count)
    return tuple(
        Leg(
            row.n,
            Role.RENT,
            row.from_on,
            row.to_on - ONE_DAY,
            commencement_on if row.n > period_count - first_rents + 1 else row.due_on,
            row.total_fen,
        )
        for row in rows
    )


def daily_rows(daily: DailyRent, days: int, commencement_on: BusinessDate) -> tuple[RentalRow, ...]:
    """What so many days cost, in a row for each month of the rental begun, which is due on its first day. Free months have none."""
    rows = daily_rents(
        daily.bands,
        commencement_on,
        commencement_on + days * ONE_DAY,
        row_days_max=daily.month_days_max,
        days_max=daily.charged_days_max,
    )
    return tuple(replace(row, due_on=row.from_on) for row in rows if row.total_fen)


def daily_legs(daily: DailyRent, days: int, commencement_on: BusinessDate) -> tuple[Leg, ...]:
    """The rents of a rental by the day (日租) for so many days, the day of commencement among them: in advance by the month. Raises Invalid
    for bands, caps or days that cannot be.

    A week at ¥30 a day, then ¥20, at most 20 days charged in a month:

    >>> from datetime import date
    >>> from xinzu.kernel.terms import PriceBand
    >>> rent = DailyRent(bands=(PriceBand(1, 3_000), PriceBand(8, 2_000)), month_days_max=20)
    >>> [(str(leg.due_on), str(leg.to_on), leg.amount_fen) for leg in daily_legs(rent, 40, date(2026, 1, 5))]
    [('2026-01-05', '2026-02-04', 47000), ('2026-02-05', '2026-02-13', 18000)]
    """
    rows = daily_rows(daily, days, commencement_on)
    return tuple(Leg(row.n, Role.RENT, row.from_on, row.to_on - ONE_DAY, row.due_on, row.total_fen) for row in rows)


def recounted(
    legs: Sequence[Leg], daily: DailyRent, days_agreed: int, commencement_on: BusinessDate, returned_on: BusinessDate
) -> tuple[tuple[int, ...], tuple[Leg, ...]]:
    """What a rental by the day comes to when the thing was back on a day: the numbers of the rents that fall away, and those that come.

    The days from the commencement to the return, both included, are charged by the agreed bands and caps. Back early, a rent begun is
    replaced by that of its days, due as before, and later ones fall away; back late, the days beyond those agreed (超期) are rents of
    their own, due on the return.

    >>> from datetime import date
    >>> from xinzu.kernel.terms import PriceBand
    >>> rent = DailyRent(bands=(PriceBand(1, 3_000), PriceBand(8, 2_000)))
    >>> agreed = daily_legs(rent, 10, date(2026, 1, 5))
    >>> early, late = (recounted(agreed, rent, 10, date(2026, 1, 5), date(2026, 1, day)) for day in (8, 16))
    >>> early[0], [leg.amount_fen for leg in early[1]], late[0], [(str(leg.from_on), leg.amount_fen) for leg in late[1]]
    ((1,), [12000], (), [('2026-01-15', 4000)])
    """
    days = max(days_rented(commencement_on, returned_on), 1)
    used = {leg.number: leg for leg in daily_legs(daily, days, commencement_on)}
    agreed = {leg.number: leg for leg in legs}
    beyond_on = commencement_on + days_agreed * ONE_DAY
    away, come = [], []
    for number in sorted(used.keys() | agreed.keys()):
        now, before = used.get(number), agreed.get(number)
        now_fen, before_fen = now.amount_fen if now else 0, before.amount_fen if before else 0
        if before is not None and now_fen < before_fen:
            away.append(number)
            if now is not None:
                come.append(replace(now, due_on=before.due_on, version=2))
        elif now is not None and now_fen > before_fen:
            from_on = max(now.from_on, beyond_on)
            come.append(replace(now, from_on=from_on, due_on=returned_on, amount_fen=now_fen - before_fen, version=2))
    return tuple(away), tuple(come)


def with_shifted_dues(legs: Sequence[Leg], policy: ShiftPolicy, commencement_on: BusinessDate) -> tuple[Leg, ...]:
    """The legs due on working days; amounts and the days they are for stay. What is due at the commencement is paid at the handover,
    whatever day that is.

    >>> from datetime import date
    >>> legs = rental_legs(29900, 1, 2, date(2025, 9, 1))
    >>> [str(leg.due_on) for leg in with_shifted_dues(legs, ShiftPolicy.FOLLOWING, date(2025, 9, 1))]
    ['2025-09-01', '2025-10-09']
    """
    return tuple(replace(leg, due_on=due_on_of(leg.due_on, policy, commencement_on)) for leg in legs)


def financed_legs(rows: Sequence[Row], start_on: BusinessDate, number_before: int = 0) -> tuple[Leg, ...]:
    """Principal, interest and fee of each row that has them; the days are those whose interest the row asks for.

    >>> from datetime import date
    >>> rows = [Row(1, date(2026, 1, 1), date(2026, 2, 1), 94619, 12000, 0, 1105381)]
    >>> [(leg.role.value, str(leg.to_on), leg.amount_fen) for leg in financed_legs(rows, date(2026, 1, 1))]
    [('principal', '2026-01-31', 94619), ('interest', '2026-01-31', 12000)]
    """
    legs: list[Leg] = []
    from_on = start_on
    for row in rows:
        to_on = max(row.due_on - ONE_DAY, from_on)
        legs.extend(
            Leg(number_before + row.n, role, from_on, to_on, row.due_on, amount_fen)
            for role, amount_fen in (
                (Role.PRINCIPAL, row.principal_fen),
                (Role.INTEREST, row.interest_fen),
                (Role.FEE, row.fee_fen),
            )
            if amount_fen > 0
        )
        from_on = row.due_on
    return tuple(legs)


def standing(leg: Leg, leg_id: UUID, agreement_id: UUID, version: int) -> Instalment:
    """A planned leg as it begins: nothing is due, paid or earned of it."""
    return Instalment(
        id=leg_id,
        agreement_id=agreement_id,
        version=version,
        number=leg.number,
        role=leg.role,
        from_on=leg.from_on,
        to_on=leg.to_on,
        due_on=leg.due_on,
        amount_fen=leg.amount_fen,
    )


def term_end(every: int, period_count: int, commencement_on: BusinessDate, unit: Unit = Unit.MONTH) -> BusinessDate:
    """The last day of the term.

    >>> from datetime import date
    >>> term_end(1, 12, date(2026, 3, 2))
    datetime.date(2027, 3, 1)
    """
    return shift(unit, every, commencement_on, period_count) - ONE_DAY


def fingerprint(legs: Sequence[Leg]) -> str:
    """SHA-256 over the legs, one line each of number, role, first day, last day, due date and fen: what the evidence log keeps.

    >>> from datetime import date
    >>> fingerprint(rental_legs(29900, 1, 1, date(2026, 3, 2)))[:16]
    'bcb6af2b81a29290'
    """
    lines = (f"{leg.number}|{leg.role}|{leg.from_on}|{leg.to_on}|{leg.due_on}|{leg.amount_fen}\n" for leg in legs)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def why_rent(
    leg: Instalment, rent_fen: int, every: int, period_count: int, commencement_on: BusinessDate, *, unit: Unit = Unit.MONTH
) -> Why:
    """Why a rent is what it is, and due when it is."""
    if leg.due_on == commencement_on != leg.from_on:
        formula = "rent_paid_at_commencement"
        words_zh = "每期租金固定；租期最后几期的租金随首期于起租日一并支付，按各自租期确认；各期日期均自起租日起算"
        words_en = (
            "The rent is the same for every period; those of the last periods are paid with the first one at commencement, each for its own"
            " days; all dates are counted from the commencement date"
        )
    else:
        formula = "equal_rent_in_advance"
        words_zh = "每期租金固定，于每期首日支付；各期日期均自起租日起算"
        words_en = (
            "The rent is the same for every period and due on its first day; all dates are counted from the commencement date"
        )
        moved_zh, moved_en = _moved(leg.from_on, leg.due_on)
        words_zh, words_en = words_zh + moved_zh, words_en + moved_en
    return Why(
        formula=formula,
        words_zh=words_zh,
        words_en=words_en,
        inputs={
            "rent_fen": rent_fen,
            "number": leg.number,
            "period_count": period_count,
            f"period_{unit}s": every,
            "commencement_on": commencement_on.isoformat(),
        },
        segments=(Segment(leg.from_on, leg.to_on, rent_fen),),
    )


def why_daily(leg: Instalment, daily: DailyRent, commencement_on: BusinessDate) -> Why:
    """Why a rent by the day is what it is: a segment for each stretch of charged days of one price; what they come to is the rent."""
    first, last = days_rented(commencement_on, leg.from_on), days_rented(commencement_on, leg.to_on)
    words_zh = "按天计租：各日按所属价档计价，超过约定计费天数的日子免租；自起租日起算，起租日与归还日均计入"
    words_en = (
        "Rent by the day: each day at the price of its band, days beyond the agreed cap are free; counted from the commencement, whose day"
        " and that of the return both count"
    )
    if leg.version > 1:
        words_zh += "；归还时按实际天数重新计算"
        words_en += "; counted anew at the return, by the days it was kept"
    ends = [*(band.from_day - 1 for band in daily.bands[1:]), last]
    months = charged_days(
        commencement_on, leg.to_on + ONE_DAY, row_days_max=daily.month_days_max, days_max=daily.charged_days_max
    )
    segments = []
    for from_on, _, days in months:
        month_first = days_rented(commencement_on, from_on)
        for band, end in zip(daily.bands, ends, strict=True):
            since, until = max(band.from_day, first, month_first), min(end, last, month_first + days - 1)
            if since <= until:
                since_on, until_on = (commencement_on + (day - 1) * ONE_DAY for day in (since, until))
                segments.append(Segment(since_on, until_on, band.daily_fen, amount_fen=(until - since + 1) * band.daily_fen))
    return Why(
        formula="rent_by_the_day",
        words_zh=words_zh,
        words_en=words_en,
        inputs={
            "number": leg.number,
            "first_day": first,
            "last_day": last,
            "commencement_on": commencement_on.isoformat(),
            **({} if daily.month_days_max is None else {"month_days_max": daily.month_days_max}),
            **({} if daily.charged_days_max is None else {"charged_days_max": daily.charged_days_max}),
        },
        segments=tuple(segments),
    )


def _moved(agreed_on: BusinessDate, due_on: BusinessDate) -> tuple[str, str]:
    if due_on == agreed_on:
        return "", ""
    return (
        f"；{agreed_on} 非工作日，按约定改于 {due_on} 支付",
        f"; {agreed_on} is a day off, so that it is due on {due_on} as agreed",
    )


def why_financed(terms: ScheduleTerms, n: int, due_on: BusinessDate | None = None) -> Why:
    """Why the legs of the terms' row ``n`` are what they are, and due when they are: computed anew, by the same functions. Raises Invalid
    for no such row."""
    why = why_row(terms, n)
    moved_zh, moved_en = _moved(why.row.due_on, due_on or why.row.due_on)
    return Why(
        formula=why.formula,
        words_zh=why.words_zh + moved_zh,
        words_en=why.words_en + moved_en,
        inputs={
            **why.inputs,
            "number": n,
            "start_on": terms.start_on.isoformat(),
            "row_principal_fen": why.row.principal_fen,
            "row_interest_fen": why.row.interest_fen,
            "row_fee_fen": why.row.fee_fen,
            "deferred_interest_fen": why.deferred_fen,
            "balance_after_fen": why.row.balance_fen,
        },
        segments=tuple(
            Segment(
                part.from_on,
                part.to_on - ONE_DAY,
                part.base_fen,
                format(part.rate_pct, "f"),
                format(part.fraction, "f"),
                part.interest_fen,
            )
            for part in why.segments
        ),
    )
