"""Income over time: effective interest on a finance lease, straight line on an operating lease, and both by the day.

A finance lease is an investment (CAS 21 art. 38): at commencement the asset leaves the books and the net investment enters them, the
lease receipts still to come and the unguaranteed residual value, discounted at the rate implicit in the lease. That is the rate at which
they are worth the asset's fair value and the lessor's initial direct costs (art. 17). Each period earns a fixed periodic rate on what is
invested (art. 39); the period here is the day, so months of different length earn what they should. A loan's effective interest
(CAS 22) is the same sum: what was paid out, with its direct costs, in place of the fair value.

An operating lease earns its rents by straight line over the whole term, whenever they fall due (art. 45): rent-free periods, steps
and several rents at the start move the receivable, not the income.

Amounts are fen without VAT. The rate is solved in decimal arithmetic of 50 digits and never rounded; carrying amounts are rounded half
even and income is their difference, so what is earned in all is exactly what is received beyond the investment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

from xinzu.kernel.errors import Invalid, unreachable
from xinzu.kernel.money import Rounding, round_fen
from xinzu.kernel.time import BusinessDate

DAYS_IN_YEAR = 365
_DIGITS = 50
_STEPS_MAX = 500
_CLOSE_ENOUGH = Decimal("1e-36")

EARNED_FEN_SQL = (
    "{leg_fen} * least(greatest({on} - {from_on} + 1, 0), greatest({to_on} - {from_on} + 1, 1))"
    " / greatest({to_on} - {from_on} + 1, 1)"
)
"""``earned_fen`` over a bigint and three date expressions; leg × days must stay below 2^63 (some ¥250 trillion for a year)."""

DatedFen = tuple[BusinessDate, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinanceLease:
    """What a finance lease brings and costs the lessor. ``payments`` are the lease receipts by date, with a purchase price that is
    certain to be paid; both residuals stand at ``end_on``. The guaranteed one is a lease receipt too (CAS 21 art. 38)."""

    commenced_on: BusinessDate
    end_on: BusinessDate
    payments: tuple[DatedFen, ...]
    fair_value_fen: int
    initial_direct_costs_fen: int = 0
    guaranteed_residual_fen: int = 0
    unguaranteed_residual_fen: int = 0


@dataclass(frozen=True, slots=True)
class IncomePeriod:
    """The days ``from_on`` to ``to_on``, both included, and what is received the day after, when ``closing_fen`` is what remains."""

    from_on: BusinessDate
    to_on: BusinessDate
    opening_fen: int
    income_fen: int
    received_fen: int
    closing_fen: int


@dataclass(frozen=True, slots=True)
class NetInvestment:
    """The investment after what is received on the day of commencement. Gross = net + unearned income.

    ``receivable_fen`` is the lease receipts to come, guaranteed residual included; ``daily_rate`` is unrounded.
    """

    receivable_fen: int
    unguaranteed_residual_fen: int
    net_fen: int
    unearned_income_fen: int
    daily_rate: Decimal
    periods: tuple[IncomePeriod, ...]

    @property
    def gross_fen(self) -> int:
        return self.receivable_fen + self.unguaranteed_residual_fen

    @property
    def annual_rate_pct(self) -> Decimal:
        """The implicit rate as an effective annual one, in percent with six decimals."""
        with localcontext(prec=_DIGITS):
            return (((1 + self.daily_rate) ** DAYS_IN_YEAR - 1) * 100).quantize(Decimal("1e-6"))


def net_investment(lease: FinanceLease) -> NetInvestment:
    """The net investment in a finance lease, its implicit rate and the income of every period up to the last receipt.

    Raises Invalid (billing.lease_refused) for receipts before commencement, after the end or below zero, and when they do not bring back
    the fair value and the direct costs: no rate from zero up is implicit in such a lease.

    >>> from datetime import date
    >>> lease = FinanceLease(commenced_on=date(2026, 1, 1), end_on=date(2027, 1, 1),
    ...                      payments=((date(2027, 1, 1), 110_00),), fair_value_fen=99_00, initial_direct_costs_fen=1_00)
    >>> invested = net_investment(lease)
    >>> invested.net_fen, invested.unearned_income_fen, str(invested.annual_rate_pct)
    (10000, 1000, '10.000000')
    """
    _check(lease)
    start = lease.commenced_on
    receipts: dict[BusinessDate, int] = {}
    for on, fen in (
        *lease.payments,
        (lease.end_on, lease.guaranteed_residual_fen),
        (lease.end_on, lease.unguaranteed_residual_fen),
    ):
        receipts[on] = receipts.get(on, 0) + fen
    net_fen = lease.fair_value_fen + lease.initial_direct_costs_fen - receipts.pop(start, 0)
    to_come = sorted((on, fen) for on, fen in receipts.items() if fen)
    gross_fen = sum(fen for _, fen in to_come)
    if not 0 < net_fen <= gross_fen:
        raise _refused(
            "payments",
            "各期收款须足以收回公允价值与初始直接费用，且租赁期开始日未全部收回",
            "must bring back the fair value and the initial direct costs, and not all of it on the day of commencement",
        )
    with localcontext(prec=_DIGITS):
        rate = _daily_rate(net_fen, [((on - start).days, fen) for on, fen in to_come])
    return NetInvestment(
        receivable_fen=gross_fen - lease.unguaranteed_residual_fen,
        unguaranteed_residual_fen=lease.unguaranteed_residual_fen,
        net_fen=net_fen,
        unearned_income_fen=gross_fen - net_fen,
        daily_rate=rate,
        periods=_periods(start, net_fen, to_come, rate),
    )


def present_value_fen(receipts: Iterable[DatedFen], on: BusinessDate, annual_rate_pct: Decimal) -> int:
    """What dated receipts are worth on a date at an effective annual rate in percent, half even.

    >>> from datetime import date
    >>> present_value_fen([(date(2027, 1, 1), 110_00)], date(2026, 1, 1), Decimal(10))
    10000
    """
    with localcontext(prec=_DIGITS):
        growth = 1 + annual_rate_pct / 100
        worth = sum((fen * growth ** (Decimal((on - at).days) / DAYS_IN_YEAR) for at, fen in receipts), Decimal(0))
        return round_fen(worth, Rounding.HALF_EVEN)


def earned_fen(leg_fen: int, from_on: BusinessDate, to_on: BusinessDate, on: BusinessDate) -> int:
    """What of an amount is earned at the close of ``on`` when it is earned evenly over the days ``from_on`` to ``to_on``, both included.

    Cumulative: the floor of leg × days elapsed / days, so it never falls, and the last day brings it to the leg exactly. What a day
    earns is the difference to the day before. A period without days earns its leg on ``from_on``. In sets: ``EARNED_FEN_SQL``.
    Raises ValueError below zero.

    >>> from datetime import date
    >>> [earned_fen(100, date(2026, 1, 1), date(2026, 1, 3), date(2026, 1, day)) for day in (1, 2, 3, 9)]
    [33, 66, 100, 100]
    """
    if leg_fen < 0:
        raise ValueError("what is earned is not below zero")
    days = max((to_on - from_on).days + 1, 1)
    elapsed = min(max((on - from_on).days + 1, 0), days)
    return leg_fen * elapsed // days


def straight_line_fen(rents: Sequence[DatedFen], from_on: BusinessDate, to_on: BusinessDate, on: BusinessDate) -> int:
    """Rental income of an operating lease at the close of ``on``, cumulative: all rents of the term evenly over its days (CAS 21 art. 45).

    In sets: ``EARNED_FEN_SQL`` with the sum of the rents as the leg. Two months of rent in a term of three, the first is free:

    >>> from datetime import date
    >>> rents = [(date(2026, 2, 1), 90_00), (date(2026, 3, 1), 90_00)]
    >>> straight_line_fen(rents, date(2026, 1, 1), date(2026, 3, 31), date(2026, 1, 31))
    6200
    """
    return earned_fen(sum(fen for _, fen in rents), from_on, to_on, on)


def unbilled_fen(rents: Sequence[DatedFen], from_on: BusinessDate, to_on: BusinessDate, on: BusinessDate) -> int:
    """Income earned beyond the rents that fell due by the close of ``on``: above zero a receivable not yet billed, below zero rent
    billed ahead. Nothing at the end of the term.

    >>> from datetime import date
    >>> rents = [(date(2026, 2, 1), 90_00), (date(2026, 3, 1), 90_00)]
    >>> [unbilled_fen(rents, date(2026, 1, 1), date(2026, 3, 31), on) for on in (date(2026, 1, 31), date(2026, 3, 1))]
    [6200, -6000]
    """
    due_fen = sum(fen for due_on, fen in rents if due_on <= on)
    return straight_line_fen(rents, from_on, to_on, on) - due_fen


def _daily_rate(net_fen: int, receipts: Sequence[tuple[int, int]]) -> Decimal:
    """Newton from zero: worth falls and is convex in the rate while no receipt is below zero, so every step stays left of the root."""
    rate = Decimal(0)
    for _ in range(_STEPS_MAX):
        growth = 1 + rate
        worth, slope = Decimal(-net_fen), Decimal(0)
        for days, fen in receipts:
            value = fen / growth**days
            worth += value
            slope += days * value / growth
        step = worth / slope
        if step < _CLOSE_ENOUGH:
            return rate
        rate += step
    unreachable("Newton on a convex falling function comes to its root")


def _periods(start: BusinessDate, net_fen: int, receipts: Sequence[DatedFen], rate: Decimal) -> tuple[IncomePeriod, ...]:
    """Carrying amounts are what is still to come, discounted: from the last receipt back, so that an error of the rate shrinks with every
    day. Carried forward it would grow with them, beyond every amount where a lease brings back the most on its first days."""
    closing = Decimal(0)
    closings_fen = [0]
    with localcontext(prec=_DIGITS):
        for (before, _), (on, received_fen) in reversed(list(pairwise(receipts))):
            closing = (closing + received_fen) / (1 + rate) ** (on - before).days
            closings_fen.append(round_fen(closing, Rounding.HALF_EVEN))
    periods = []
    before, opening_fen = start, net_fen
    for (on, received_fen), closing_fen in zip(receipts, reversed(closings_fen), strict=True):
        income_fen = closing_fen + received_fen - opening_fen
        periods.append(IncomePeriod(before, on - timedelta(days=1), opening_fen, income_fen, received_fen, closing_fen))
        before, opening_fen = on, closing_fen
    return tuple(periods)


def _check(lease: FinanceLease) -> None:
    amounts = ("fair_value_fen", "initial_direct_costs_fen", "guaranteed_residual_fen", "unguaranteed_residual_fen")
    for name in amounts:
        if getattr(lease, name) < 0:
            raise _refused(name, "不能为负", "must not be below zero")
    if lease.end_on <= lease.commenced_on:
        raise _refused("end_on", "须晚于租赁期开始日", "must be after the day of commencement")
    if any(fen < 0 or not lease.commenced_on <= on <= lease.end_on for on, fen in lease.payments):
        raise _refused("payments", "各期收款须在租赁期内且不为负", "must lie within the term and not be below zero")


def _refused(name: str, zh: str, en: str) -> Invalid:
    return Invalid.field(f"/{name}", "billing.lease_refused", f"{name}：{zh}", f"{name} {en}")
