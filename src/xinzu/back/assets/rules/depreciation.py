"""Depreciation of things that are let, and what their life does to the books.

A thing under an operating lease stays the lessor's and is depreciated like any other of its kind (CAS 21 art. 47): by straight line from
its cost to its residual value over its useful life (CAS 4 arts. 14, 15, 17), from the month after the one it came in up to and including
the one it leaves in (CAS 4, application guide), whether it is let or waits on the shelf. Cumulative amounts are rounded down, so that
the last month ends exactly at the residual value.

Lives and residual values are the owner's estimate (CAS 4 art. 15); the income tax rules name lives of at least three years for
electronic equipment and four for vehicles (implementing regulations of the Enterprise Income Tax Law, art. 60), of which the first is the
default. An estimate counts for things taken into the books after it was made.

Costs are without the input VAT that was invoiced with them (VAT Law of 2024, art. 16).
"""

from __future__ import annotations

from datetime import timedelta

from xinzu.back.assets.model import ChartLine, EstimateDraft, LeavingCause
from xinzu.kernel.time import BusinessDate, add_months

EQUIPMENT = "1601"
ACCUMULATED = "1602"
LEASED_ASSET = "1461"
PAYABLE = "2202"
INPUT_VAT = "222101"
DEPRECIATION_COST = "640101"
COST_OF_SALES = "640201"
DISPOSAL_LOSS = "671101"

CHART: tuple[ChartLine, ...] = (
    ChartLine(LEASED_ASSET, "融资租赁资产", "Assets held for finance lease", "asset", "debit"),
    ChartLine(EQUIPMENT, "固定资产-出租设备", "Equipment for rent", "asset", "debit"),
    ChartLine(ACCUMULATED, "累计折旧-出租设备", "Accumulated depreciation of equipment for rent", "asset", "credit"),
    ChartLine(PAYABLE, "应付账款-供应商", "Payables to suppliers", "liability", "credit"),
    ChartLine(INPUT_VAT, "应交税费-应交增值税(进项税额)", "Input VAT", "liability", "debit"),
    ChartLine(DEPRECIATION_COST, "主营业务成本-出租设备折旧", "Depreciation of equipment for rent", "expense", "debit"),
    ChartLine(COST_OF_SALES, "其他业务成本-售出设备", "Cost of equipment sold", "expense", "debit"),
    ChartLine(DISPOSAL_LOSS, "营业外支出-设备毁损报废", "Equipment lost or scrapped", "expense", "debit"),
)

_BOOKED_AGAINST = {
    LeavingCause.SOLD: COST_OF_SALES,
    LeavingCause.LEASED: LEASED_ASSET,
    LeavingCause.SCRAPPED: DISPOSAL_LOSS,
    LeavingCause.LOST: DISPOSAL_LOSS,
}

MONTHS_SQL = (
    "greatest(((extract(year FROM {through}) - extract(year FROM {in_use_on})) * 12"
    " + extract(month FROM {through}) - extract(month FROM {in_use_on}))::int, 0)"
)
"""``months_begun`` over two date expressions."""
MONTH_END_SQL = "(date_trunc('month', {in_use_on}::timestamp) + make_interval(months => {months} + 1) - interval '1 day')::date"
"""``month_end`` over a date and an integer expression."""
DEPRECIATED_FEN_SQL = "({cost_fen} - {residual_fen}) * least({months}, {life_months}) / {life_months}"
"""``depreciated_fen`` over bigint and integer expressions."""

Moved = tuple[str, str, int]
"""Debit account, credit account, fen."""


DEFAULT_ESTIMATE = EstimateDraft(product_id=None, useful_life_months=36, residual_pct=5, purchase_vat_pct=13)


def depreciated_fen(cost_fen: int, residual_fen: int, life_months: int, months: int) -> int:
    """Accumulated depreciation after so many months; never beyond cost less residual value.

    >>> [depreciated_fen(460_177, 23_008, 36, months) for months in (0, 1, 35, 36, 99)]
    [0, 12143, 425025, 437169, 437169]
    """
    return (cost_fen - residual_fen) * min(months, life_months) // life_months


def months_begun(in_use_on: BusinessDate, through: BusinessDate) -> int:
    """Months that bear depreciation up to and including the month of a date; the month the thing came in bears none.

    >>> from datetime import date
    >>> [months_begun(date(2026, 1, 31), on) for on in (date(2026, 1, 31), date(2026, 2, 1), date(2027, 2, 28))]
    [0, 1, 13]
    """
    return max((through.year - in_use_on.year) * 12 + through.month - in_use_on.month, 0)


def month_end(in_use_on: BusinessDate, months: int) -> BusinessDate:
    """The last day of the month that many months after the one the thing came in: when that month's depreciation is booked.

    >>> from datetime import date
    >>> month_end(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    return add_months(in_use_on.replace(day=1), months + 1) - timedelta(days=1)


def last_ended_month(today: BusinessDate) -> BusinessDate:
    """The last day of the newest month that is over.

    >>> from datetime import date
    >>> last_ended_month(date(2026, 3, 31))
    datetime.date(2026, 2, 28)
    """
    return today.replace(day=1) - timedelta(days=1)


def taken_in(cost_fen: int, vat_fen: int) -> tuple[Moved, ...]:
    """A thing came in: its cost is an asset, the invoiced VAT is set against what is sold, both are owed to the supplier."""
    return _above_zero((EQUIPMENT, PAYABLE, cost_fen), (INPUT_VAT, PAYABLE, vat_fen))


def depreciated(amount_fen: int) -> tuple[Moved, ...]:
    """A month's depreciation is a cost of the rents."""
    return _above_zero((DEPRECIATION_COST, ACCUMULATED, amount_fen))


def left(cause: LeavingCause, cost_fen: int, accumulated_fen: int) -> tuple[Moved, ...]:
    """A thing leaves the books (CAS 4 art. 21; CAS 21 art. 38 when it is let by finance lease): its carrying amount is the cost of what was
    sold, the asset behind a lease, or a loss.

    >>> left(LeavingCause.SOLD, 460_177, 425_025)
    (('1602', '1601', 425025), ('640201', '1601', 35152))
    """
    return _above_zero((ACCUMULATED, EQUIPMENT, accumulated_fen), (_BOOKED_AGAINST[cause], EQUIPMENT, cost_fen - accumulated_fen))


def _above_zero(*moved: Moved) -> tuple[Moved, ...]:
    return tuple(each for each in moved if each[2] > 0)
