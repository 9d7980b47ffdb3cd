"""Schedules per second: one at a time, as the command line answers them, and in batches; each beside another program in the same run.

The others compute less: numpy-financial gives unrounded instalment, interest and principal in floats and knows no dates; curo solves an
instalment over dates without rounding rows. They are oracles in the tests.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import curo
import numpy as np
import numpy_financial
import pyxirr

from xinzu.app.commands.schedule import answer_to
from xinzu.back.billing.rules.schedules.amortise import rows_of
from xinzu.back.billing.rules.schedules.batch import quote_many, rental_costs
from xinzu.back.billing.rules.schedules.cost import rental_cost_pct
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import DayCount, ScheduleTerms
from xinzu.back.billing.rules.schedules.why import why_row

LOAN = ScheduleTerms(start_on=date(2026, 1, 15), periods=12, principal_fen=1_200_000, annual_rate_pct=Decimal("11.5"))
LINE = b'{"principal_fen":1200000,"annual_rate_pct":"11.5","periods":12,"start_on":"2026-01-15"}'
BATCH = 10_000
ROUNDS = 7


def median_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds a call takes: the median of rounds."""
    work()
    return median(timeit.repeat(work, number=times, repeat=ROUNDS)) / times * 1_000


def _show(name: str, ms: float, beside: str, beside_ms: float) -> None:
    print(f"{name:<46} {ms:>9.3f} ms   {beside:<44} {beside_ms:>9.3f} ms  ratio {beside_ms / ms:>7.2f}")


def _show_rate(name: str, ms: float, beside: str, beside_per_s: float) -> None:
    per_s = BATCH / ms * 1_000
    print(f"{name:<46} {per_s:>9,.0f} /s   {beside:<44} {beside_per_s:>9,.0f} /s  ratio {per_s / beside_per_s:>7.2f}")


def _numpy_financial() -> object:
    rate, rows = 0.115 / 12, np.arange(1, 13)
    return (
        numpy_financial.pmt(rate, 12, -12_000.0),
        numpy_financial.ipmt(rate, rows, 12, -12_000.0),
        numpy_financial.ppmt(rate, rows, 12, -12_000.0),
    )


def _curo() -> object:
    calculator = curo.Calculator(precision=2)
    calculator.add(curo.SeriesAdvance(amount=12_000.0, post_date_from=LOAN.start_on))
    calculator.add(curo.SeriesPayment(number_of=12, amount=None, post_date_from=date(2026, 2, 15)))
    return calculator.solve_value(curo.US30360(), 0.115)


def _pyxirr_of(terms: ScheduleTerms) -> Callable[[], object]:
    """Rows by ours, the rate by theirs: what the cost's own search costs."""

    def work() -> object:
        rows = rows_of(terms)
        dates = [terms.start_on, *(row.due_on for row in rows)]
        return pyxirr.xirr(dates, [-terms.principal_fen, *(row.total_fen for row in rows)])

    return work


async def main() -> None:
    """Print medians and ratios; above one means ours is the faster."""
    _show("12 rows", median_ms(lambda: rows_of(LOAN), 200), "numpy-financial, unrounded floats", median_ms(_numpy_financial, 50))
    full_ms = median_ms(lambda: schedule_of(LOAN), 200)
    _show("12 rows, IRR and annual cost", full_ms, "curo, the instalment alone", median_ms(_curo, 3))
    _show("12 rows, IRR and annual cost", full_ms, "the same rows, pyxirr's rate", median_ms(_pyxirr_of(LOAN), 200))
    actual = replace(LOAN, day_count=DayCount.ACTUAL_ACTUAL)
    _show("12 rows, actual/actual", median_ms(lambda: schedule_of(actual), 100), "the same in 30/360", full_ms)
    _show("one line of `xinzu schedule`", median_ms(lambda: answer_to(LINE), 100), "without reading and writing", full_ms)
    _show("why of a row", median_ms(lambda: why_row(LOAN, 7), 100), "the schedule it explains", full_ms)

    many = [
        replace(LOAN, principal_fen=600_000 + 37 * n, start_on=LOAN.start_on + timedelta(days=n % 14), periods=(6, 12, 24)[n % 3])
        for n in range(BATCH)
    ]
    one_by_one_ms = median_ms(lambda: [schedule_of(terms) for terms in many[:300]], 1) / 300
    batch_ms = median_ms(lambda: quote_many(many), 1)
    _show_rate("quotes in a batch, to the fen, with costs", batch_ms, "one by one", 1_000 / one_by_one_ms)

    rents = np.arange(BATCH, dtype=np.int64) % 10_000 + 45_000
    plans = [np.full(BATCH, number, dtype=np.int64) for number in (600_000, 12, 1, 100_000)]
    in_advance = np.ones(BATCH, dtype=np.bool_)
    costs_ms = median_ms(lambda: rental_costs(plans[0], rents, plans[1], plans[2], plans[3], in_advance), 1)
    single_ms = median_ms(lambda: rental_cost_pct(600_000, 45_000, 12, 1, 100_000), 100)
    _show_rate("annual costs of rental plans in a batch", costs_ms, "rental_cost_pct, one by one", 1_000 / single_ms)
