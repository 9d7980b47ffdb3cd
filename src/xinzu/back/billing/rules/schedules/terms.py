"""What is agreed about money and time: the one value a schedule is computed from.

The conventions that change a fen (day count, rounding, where the residue goes) are fields of the terms, so that a contract carries them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from xinzu.kernel.errors import Invalid
from xinzu.kernel.money import Rounding
from xinzu.kernel.time import BusinessDate

PERIODS_MAX = 1_000
EVERY_MAX = 366
RATE_MAX_PCT = Decimal(1_000)
AMOUNT_MAX_FEN = 10**15
BALANCE_MAX_FEN = 10**18
YEARS_MAX = 1_000
YEAR_MIN, YEAR_MAX = 1_800, 8_000


class Method(StrEnum):
    """How principal and interest are spread over the rows."""

    EQUAL_INSTALMENT = "equal_instalment"
    EQUAL_PRINCIPAL = "equal_principal"
    INTEREST_ONLY = "interest_only"
    BULLET = "bullet"
    BALLOON = "balloon"
    FLAT = "flat"
    STEPPED = "stepped"
    UNEVEN = "uneven"


ANNUITIES = frozenset({Method.EQUAL_INSTALMENT, Method.BALLOON, Method.STEPPED, Method.UNEVEN})
WEIGHTED = frozenset({Method.STEPPED, Method.UNEVEN})


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


PERIODS_PER_YEAR = {Unit.DAY: 365, Unit.WEEK: 52, Unit.MONTH: 12, Unit.QUARTER: 4}


class Timing(StrEnum):
    """Whether a row is due at the end of its period or on its first day."""

    ARREARS = "arrears"
    ADVANCE = "advance"


class DayCount(StrEnum):
    """How much of a year lies between two dates. ISDA 2006 definitions § 4.16; ``period`` and ``actual/364`` are common in lending."""

    THIRTY_360 = "30/360"
    THIRTY_360_US = "30/360-us"
    THIRTY_360_EU = "30/360-eu"
    ACTUAL_360 = "actual/360"
    ACTUAL_364 = "actual/364"
    ACTUAL_365 = "actual/365"
    ACTUAL_ACTUAL = "actual/actual"
    PERIOD = "period"


class InterestDays(StrEnum):
    """Whether interest counts days by the day count, or takes each whole period as its nominal part of the year."""

    DAILY = "daily"
    PERIOD = "period"


class Residue(StrEnum):
    """The row that takes what rounding leaves."""

    LAST = "last"
    FIRST = "first"


class Unknown(StrEnum):
    """What is solved for. All but the instalment need ``instalment_fen``."""

    INSTALMENT = "instalment"
    RATE = "rate"
    PRINCIPAL = "principal"
    PERIODS = "periods"
    BALLOON = "balloon"
    SUBSIDY = "subsidy"


@dataclass(frozen=True, slots=True)
class RoundingPolicy:
    """``mode`` settles interest to whole fen and the instalment to its multiple. ``smooth_last`` moves the instalment by the residue
    spread over the rows when that brings the last row closer to the others."""

    mode: Rounding = Rounding.HALF_UP
    instalment_multiple_fen: int = 1
    residue: Residue = Residue.LAST
    smooth_last: bool = False


@dataclass(frozen=True, slots=True)
class Grace:
    """How many of the first rows ask no principal, and how many ask no interest yet (it is deferred to the first row after)."""

    principal: int = 0
    interest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTerms:
    """Amounts in fen; rates in percent a year, never rounded; dates are business dates.

    ``weights`` are the relative sizes of the rows of a stepped or uneven schedule. ``disbursements`` are tranches (date, fen); without
    them the whole principal is drawn on ``start_on``. ``rate_changes`` are (date, percent). ``fees`` are (row number, fen).
    ``interest_free`` is the number of first periods that bear no interest.
    """

    start_on: BusinessDate
    periods: int = 0
    method: Method = Method.EQUAL_INSTALMENT
    principal_fen: int = 0
    annual_rate_pct: Decimal = Decimal(0)
    every: int = 1
    unit: Unit = Unit.MONTH
    first_due_on: BusinessDate | None = None
    period_dates: tuple[tuple[BusinessDate, BusinessDate], ...] = ()
    timing: Timing = Timing.ARREARS
    day_count: DayCount = DayCount.THIRTY_360
    interest_days: InterestDays = InterestDays.DAILY
    balloon_fen: int = 0
    weights: tuple[Decimal, ...] = ()
    grace: Grace = field(default_factory=Grace)
    interest_free: int = 0
    disbursements: tuple[tuple[BusinessDate, int], ...] = ()
    rate_changes: tuple[tuple[BusinessDate, Decimal], ...] = ()
    fees: tuple[tuple[int, int], ...] = ()
    rounding: RoundingPolicy = field(default_factory=RoundingPolicy)
    solve: Unknown = Unknown.INSTALMENT
    instalment_fen: int | None = None

    @property
    def row_count(self) -> int:
        return len(self.period_dates) or self.periods

    @property
    def drawn_fen(self) -> int:
        """Everything that is disbursed."""
        return sum(fen for _, fen in self.disbursements) if self.disbursements else self.principal_fen


def check(terms: ScheduleTerms) -> None:
    """Raises Invalid naming the first field that cannot be, and what it may be."""
    unknown = terms.solve
    _need(
        not terms.period_dates or terms.periods in (0, len(terms.period_dates)),
        "periods",
        "与 period_dates 的期数不一致",
        "must be the number of period_dates, or left out",
    )
    if unknown is not Unknown.PERIODS:
        within("periods", terms.row_count, 1, PERIODS_MAX)
    within("every", terms.every, 1, EVERY_MAX)
    for name, on in (("start_on", terms.start_on), ("first_due_on", terms.first_due_on)):
        _need(
            on is None or YEAR_MIN <= on.year <= YEAR_MAX,
            name,
            f"年份须在 {YEAR_MIN} 与 {YEAR_MAX} 之间",
            f"must be in the years {YEAR_MIN} to {YEAR_MAX}",
        )
    _need(
        terms.period_dates != () or terms.row_count * terms.every <= YEARS_MAX * PERIODS_PER_YEAR[terms.unit],
        "periods",
        f"期限不能超过 {YEARS_MAX} 年",
        f"and every must not make a term longer than {YEARS_MAX} years",
    )
    _rate("annual_rate_pct", terms.annual_rate_pct)
    if unknown not in (Unknown.PRINCIPAL,):
        within("principal_fen", terms.drawn_fen, 1, AMOUNT_MAX_FEN)
    _need(
        not (terms.disbursements and terms.principal_fen) or terms.drawn_fen == terms.principal_fen,
        "principal_fen",
        "须等于各笔放款之和，或不填",
        "must be the sum of the disbursements, or left out",
    )
    within("balloon_fen", terms.balloon_fen, 0, AMOUNT_MAX_FEN)
    _need(
        unknown in (Unknown.PRINCIPAL, Unknown.BALLOON) or terms.balloon_fen <= terms.drawn_fen,
        "balloon_fen",
        "尾款不能大于本金",
        "must not be above the principal",
    )
    _need(
        terms.balloon_fen == 0 or terms.method in ANNUITIES or terms.method is Method.EQUAL_PRINCIPAL,
        "balloon_fen",
        "该还款方式没有尾款",
        "this method knows no balloon: take balloon, equal_instalment, stepped, uneven or equal_principal",
    )
    _weights(terms)
    rows = 1 if terms.method is Method.BULLET else terms.row_count
    for name, count in (
        ("grace.principal", terms.grace.principal),
        ("grace.interest", terms.grace.interest),
        ("interest_free", terms.interest_free),
    ):
        within(name, count, 0, PERIODS_MAX)
        _need(
            unknown is Unknown.PERIODS or count < rows or (name == "interest_free" and count == rows == terms.row_count),
            name,
            "宽限期须短于总期数；一次性还本付息没有宽限期",
            "must be shorter than the schedule; a bullet has none",
        )
    _events(terms)
    for number, fen in terms.fees:
        _need(1 <= number <= max(rows, 1), "fees", "费用须落在某一期", "must name a row by its number")
        within("fees", fen, 0, AMOUNT_MAX_FEN)
    within("rounding.instalment_multiple_fen", terms.rounding.instalment_multiple_fen, 1, 10_000_000)
    _need(
        unknown is Unknown.INSTALMENT or terms.instalment_fen is not None,
        "instalment_fen",
        "反求其他未知数须给出每期金额",
        "is needed to solve for anything but the instalment",
    )
    _need(
        unknown is Unknown.INSTALMENT or terms.method in ANNUITIES,
        "solve",
        "该还款方式只能由条款推出还款计划",
        "works for equal_instalment, balloon, stepped and uneven only",
    )
    if terms.instalment_fen is not None:
        _need(unknown is not Unknown.INSTALMENT, "instalment_fen", "正是要求解的金额", "is what is solved for: leave it out")
        within("instalment_fen", terms.instalment_fen, 1, AMOUNT_MAX_FEN)
    _need(
        unknown is Unknown.INSTALMENT or not (terms.disbursements or terms.rate_changes),
        "solve",
        "分笔放款或调息时只能求每期金额",
        "with tranches or rate changes only the instalment can be solved for",
    )


def _weights(terms: ScheduleTerms) -> None:
    if terms.method not in WEIGHTED:
        _need(not terms.weights, "weights", "仅用于阶梯或不等额还款", "are for stepped and uneven schedules")
        return
    _need(terms.solve is not Unknown.PERIODS, "solve", "权重已决定期数", "cannot be periods: the weights fix their number")
    _need(len(terms.weights) == terms.row_count, "weights", "权重个数须等于期数", "must be as many as there are rows")
    _need(
        all(weight.is_finite() and 0 <= weight <= 1_000_000 for weight in terms.weights) and any(terms.weights),
        "weights",
        "权重须为非负数且不全为零",
        "must be numbers from 0, not all zero",
    )


def _events(terms: ScheduleTerms) -> None:
    before = terms.start_on
    for on, fen in terms.disbursements:
        _need(on >= before, "disbursements", "须按日期排列且不早于起始日", "must be in order of dates, none before start_on")
        within("disbursements", fen, 1, AMOUNT_MAX_FEN)
        before = on
    before = terms.start_on - timedelta(days=1)
    for on, pct in terms.rate_changes:
        _need(on > before, "rate_changes", "须按日期排列且不早于起始日", "must be in order of dates, none before start_on")
        _rate("rate_changes", pct)
        before = on
    _need(
        terms.method is not Method.FLAT or not (terms.rate_changes or len(terms.disbursements) > 1),
        "method",
        "等本等息不支持分笔放款或调息",
        "flat interest knows no tranches and no rate changes",
    )
    if terms.first_due_on is not None:
        _need(
            terms.first_due_on > terms.start_on or (terms.timing is Timing.ADVANCE and terms.first_due_on == terms.start_on),
            "first_due_on",
            "须晚于起始日",
            "must be after start_on",
        )
        _need(not terms.period_dates, "first_due_on", "已给出 period_dates", "cannot stand beside period_dates")
    end_before = terms.start_on
    for from_on, due_on in terms.period_dates:
        _need(
            from_on == end_before and due_on > from_on,
            "period_dates",
            "各期须首尾相接，首期自起始日起",
            "must follow each other without a gap, the first from start_on",
        )
        end_before = due_on


def _rate(name: str, pct: Decimal) -> None:
    _need(
        pct.is_finite() and 0 <= pct <= RATE_MAX_PCT,
        name,
        f"年利率须为 0 至 {RATE_MAX_PCT} 之间的百分数",
        f"must be a percentage from 0 to {RATE_MAX_PCT}",
    )


def within(name: str, value: int, lowest: int, highest: int) -> None:
    """Raises Invalid unless the named number lies between the two, both included."""
    _need(lowest <= value <= highest, name, f"须在 {lowest} 与 {highest} 之间", f"must be from {lowest} to {highest}")


def _need(holds: bool, name: str, zh: str, en: str) -> None:
    if not holds:
        raise refused(name, zh, en)


def refused(name: str, zh: str, en: str) -> Invalid:
    """The problem that a field of the terms cannot be as it is."""
    return Invalid.field("/" + name.replace(".", "/"), "billing.terms_refused", f"{name}：{zh}", f"{name} {en}")
