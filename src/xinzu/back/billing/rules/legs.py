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
from xinzu.back.billing.rules.schedules.rentals import equal_rents
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, within
from xinzu.back.billing.rules.schedules.why import why_row
from xinzu.kernel.time import BusinessDate, add_months

ONE_DAY = timedelta(days=1)


def rental_legs(
    rent_fen: int, period_months: int, period_count: int, commencement_on: BusinessDate, first_rents: int = 1
) -> tuple[Leg, ...]:
    """Equal rents in advance: one per rental period, due on its first day, but of the last ``first_rents`` − 1 periods at commencement (3+n).

    Every date is counted from the commencement date, so that a rental begun on the 31st is due on each month's last day and not on
    the 28th for good. Whenever it is due, a rent is for the days of its own period, so that rents are income by straight line over the
    term (CAS 21 art. 45) and one paid ahead falls away with its period. Raises Invalid unless rent, months and count are above zero
    and the first rents are of the term.

    >>> from datetime import date
    >>> [(leg.number, str(leg.due_on), str(leg.to_on)) for leg in rental_legs(29900, 1, 3, date(2026, 1, 31))]
    [(1, '2026-01-31', '2026-02-27'), (2, '2026-02-28', '2026-03-30'), (3, '2026-03-31', '2026-04-29')]
    >>> [(leg.number, str(leg.due_on), str(leg.from_on)) for leg in rental_legs(29900, 1, 4, date(2026, 1, 1), 3)]
    [(1, '2026-01-01', '2026-01-01'), (2, '2026-02-01', '2026-02-01'), (3, '2026-01-01', '2026-03-01'), (4, '2026-01-01', '2026-04-01')]
    """
    rows = equal_rents(rent_fen, period_count, commencement_on, every=period_months)
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


def term_end(period_months: int, period_count: int, commencement_on: BusinessDate) -> BusinessDate:
    """The last day of the term.

    >>> from datetime import date
    >>> term_end(1, 12, date(2026, 3, 2))
    datetime.date(2027, 3, 1)
    """
    return add_months(commencement_on, period_months * period_count) - ONE_DAY


def fingerprint(legs: Sequence[Leg]) -> str:
    """SHA-256 over the legs, one line each of number, role, first day, last day, due date and fen: what the evidence log keeps.

    >>> from datetime import date
    >>> fingerprint(rental_legs(29900, 1, 1, date(2026, 3, 2)))[:16]
    'bcb6af2b81a29290'
    """
    lines = (f"{leg.number}|{leg.role}|{leg.from_on}|{leg.to_on}|{leg.due_on}|{leg.amount_fen}\n" for leg in legs)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def why_rent(leg: Instalment, rent_fen: int, period_months: int, period_count: int, commencement_on: BusinessDate) -> Why:
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
            "period_months": period_months,
            "commencement_on": commencement_on.isoformat(),
        },
        segments=(Segment(leg.from_on, leg.to_on, rent_fen),),
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
