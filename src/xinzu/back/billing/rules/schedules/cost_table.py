"""What an agreement costs its customer, item by item: the table that stands with a quote before anything is signed.

Each item names who pays whom, when, by what measure and how much; what is not in the table is not charged. Sources: PBOC announcement
[2021] no. 3 (the annualised rate is shown, and what it is made of), the rules on stating the all-in cost of personal loans (综合融资成本
明示: item, way, standard and receiver of every cost, and the annual cost when performed as agreed), which bind lenders and are held to
for a finance lease and a rental as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from xinzu.back.billing.rules.late_fee import EXCESSIVE_PENALTY_PCT
from xinzu.back.billing.rules.legs import daily_rows
from xinzu.back.billing.rules.schedules.agreed import MOVES_BACK, agreed_schedule, financed_cost_pct, period_of
from xinzu.back.billing.rules.schedules.holidays import ShiftPolicy, due_on_of
from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.rentals import rent_to_own, several_then_each
from xinzu.back.billing.rules.schedules.solve import Schedule, schedule_of
from xinzu.back.billing.rules.schedules.terms import Timing
from xinzu.kernel.prime_rate import LPR_MULTIPLE, late_fee_ceiling_annual_pct
from xinzu.kernel.terms import AgreementTerms, DailyRent, EndsIn, Family, Financing
from xinzu.kernel.time import BusinessDate

DAYS_IN_WEEK = 7


@dataclass(frozen=True, slots=True)
class CostLine:
    """One item. ``amount_fen`` is what it comes to when the agreement is performed as agreed, or None where that does not tell."""

    code: str
    what_zh: str
    what_en: str
    who_zh: str
    who_en: str
    when_zh: str
    when_en: str
    how_much_zh: str
    how_much_en: str
    amount_fen: int | None


@dataclass(frozen=True, slots=True)
class CostInstalment:
    """What is due on a date. A rental's rents are not split: principal, interest and balance are None."""

    n: int
    due_on: BusinessDate
    principal_fen: int | None
    interest_fen: int | None
    fee_fen: int
    total_fen: int
    balance_fen: int | None


@dataclass(frozen=True, slots=True)
class CostTable:
    """The items, the instalments of a commencement on ``commencement_on``, and what that is a year.

    ``annual_rate_pct`` is the agreed nominal rate, None for a rental; ``annual_cost_pct`` the all-in effective annual cost, None when it
    has no bound.
    """

    commencement_on: BusinessDate
    annual_rate_pct: str | None
    annual_cost_pct: str | None
    lines: tuple[CostLine, ...]
    instalments: tuple[CostInstalment, ...]


# Who pays whom, by family: (customer to merchant), and the word for what is due each period.
_WHO = {
    Family.RENTAL: ("承租人付给出租人", "lessee to lessor"),
    Family.FINANCE_LEASE: ("承租人付给出租人", "lessee to lessor"),
    Family.LOAN: ("借款人付给贷款人", "borrower to lender"),
}
_DUE = {
    Family.RENTAL: ("租金", "rent"),
    Family.FINANCE_LEASE: ("租金", "rent"),
    Family.LOAN: ("还款", "repayment"),
}


_SHIFTS = {
    ShiftPolicy.NONE: ("", ""),
    ShiftPolicy.FOLLOWING: ("；应付日逢休息日的，顺延至下一工作日", "; a due date on a day off moves to the next working day"),
    ShiftPolicy.PRECEDING: ("；应付日逢休息日的，提前至上一工作日", "; a due date on a day off moves to the working day before"),
    ShiftPolicy.MODIFIED_FOLLOWING: (
        "；应付日逢休息日的，顺延至下一工作日，跨月的提前至上一工作日",
        "; a due date on a day off moves to the next working day, or to the one before where that lies in another month",
    ),
}


def cost_table(terms: AgreementTerms, commencement_on: BusinessDate) -> CostTable:
    """The cost table of terms that commence on a date. Raises Invalid, naming the field, where the financing cannot be.

    >>> from datetime import date
    >>> from uuid import UUID
    >>> loan = AgreementTerms(
    ...     product_id=UUID(int=1), plan_id=UUID(int=2), product_name="现金分期", period_months=1, period_count=12, rent_fen=106_619,
    ...     deposit_fen=0, device_value_fen=0, buyout_fen=None, early_return_fee_fen=0, late_fee_daily_rate="0.0003", grace_days=3,
    ...     restriction_clause_version="none", annual_cost_pct=None,
    ...     financing=Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="12"))
    >>> table = cost_table(loan, date(2026, 1, 15))
    >>> table.annual_cost_pct, [(line.code, line.amount_fen) for line in table.lines[:3]]
    ('12.738309', [('instalments', 1279423), ('principal', 1200000), ('interest', 79423)])
    """
    financing = terms.financing
    if financing is None:
        lines = tuple(_rental_lines(terms, commencement_on))
        return CostTable(commencement_on, None, terms.annual_cost_pct, lines, _rents(terms, commencement_on))
    schedule = schedule_of(agreed_schedule(terms, financing, commencement_on))
    policy = ShiftPolicy(terms.due_shift)
    cost_pct = financed_cost_pct(schedule, deposit_fen=terms.deposit_fen, buyout_fen=terms.buyout_fen or 0)
    instalments = tuple(
        CostInstalment(
            row.n,
            due_on_of(row.due_on, policy, commencement_on),
            row.principal_fen,
            row.interest_fen,
            row.fee_fen,
            row.total_fen,
            row.balance_fen,
        )
        for row in schedule.rows
    )
    lines = tuple(_financed_lines(terms, financing, schedule))
    return CostTable(commencement_on, financing.annual_rate_pct, cost_pct, lines, instalments)


def _rents(terms: AgreementTerms, commencement_on: BusinessDate) -> tuple[CostInstalment, ...]:
    every, unit = period_of(terms)
    if terms.daily is not None:
        rows = daily_rows(terms.daily, terms.period_count, commencement_on)
    else:
        later = terms.period_count - terms.first_rents
        rows = several_then_each(terms.rent_fen, terms.first_rents, later, commencement_on, unit=unit, every=every)
    if terms.transfer_fen:
        rows = rent_to_own(rows, terms.transfer_fen, end_on=shift(unit, every, commencement_on, terms.period_count))
    policy = ShiftPolicy(terms.due_shift)
    return tuple(
        CostInstalment(row.n, due_on_of(row.due_on, policy, commencement_on), None, None, 0, row.total_fen, None) for row in rows
    )


def _rental_lines(terms: AgreementTerms, on: BusinessDate) -> Iterator[CostLine]:
    daily = terms.daily
    yield _line(
        terms,
        "instalments",
        ("租金合计", "all rents"),
        _when_rents(terms),
        (f"每期 {_yuan(terms.rent_fen)} 元", f"{_yuan(terms.rent_fen)} yuan each") if daily is None else _by_bands(daily),
        terms.rent_total_fen,
    )
    if daily is not None:
        yield _line(
            terms,
            "overtime",
            ("超期租金", "rent of days beyond the term"),
            ("仅在约定天数之后归还时，于归还日支付", "on the return, only when that is after the days agreed"),
            ("超期各日按同一价档与封顶连续计算", "each further day by the same prices and caps"),
            None,
        )
    if terms.deposit_fen:
        yield _line(
            terms,
            "deposit",
            ("押金", "deposit"),
            ("信用免押：预先授权，租期结束时解除", "authorised, not paid; released at the end"),
            ("仅就欠付与赔偿按约扣划", "taken only for what is owed or damaged"),
            0,
        )
    if terms.ends_in is EndsIn.OWN:
        yield _line(
            terms,
            "transfer",
            ("所有权转移价款", "transfer price"),
            ("租期届满时一次；付清全部款项后租赁物归承租人所有", "once, at the end; the thing is the lessee's when all is paid"),
            ("计入年化综合成本", "counted into the annual cost"),
            terms.transfer_fen,
        )
    elif terms.buyout_fen is not None:
        yield _buyout(terms, terms.buyout_fen)
    if terms.buyout_prices_fen:
        first, last = _yuan(terms.buyout_prices_fen[0]), _yuan(terms.buyout_prices_fen[-1])
        yield _line(
            terms,
            "early_buyout",
            ("中途买断价", "buyout before the end"),
            (
                "仅在租期内选择买断时；未开始各期租金不再收取",
                "only when bought within the term; rents of periods not begun fall away",
            ),
            (
                f"按第几个月的价格表：首月 {first} 元，表末 {last} 元",
                f"by the month's price in the table: {first} yuan in the first, {last} yuan in the last",
            ),
            None,
        )
    yield _late_fee(terms, on)
    fee = _yuan(terms.early_return_fee_fen)
    if daily is not None and not terms.early_return_fee_fen:
        return
    yield _line(
        terms,
        "early_settlement",
        ("提前归还费", "early return fee"),
        ("仅在租期届满前归还时收取一次", "once, only when returned before the end of the term"),
        (f"{fee} 元，以不再收取的租金为限", f"{fee} yuan, at most the rents that fall away"),
        None,
    )


def _when_rents(terms: AgreementTerms) -> tuple[str, str]:
    shift_zh, shift_en = _SHIFTS[ShiftPolicy(terms.due_shift)]
    if terms.daily is not None:
        return (
            f"共 {terms.period_count} 日，起租日与归还日均计入；每月租金于该月首日支付；提前归还的，只收实际天数的租金{shift_zh}",
            f"{terms.period_count} days, those of commencement and return included; each month's rent on its first day; of an earlier return"
            f" only the days kept{shift_en}",
        )
    if terms.first_rents == 1:
        return (
            f"共 {terms.period_count} 期，{_every_zh(terms)}期初支付{shift_zh}",
            f"{terms.period_count} times, at the start of {_every_en(terms)}{shift_en}",
        )
    ahead = terms.first_rents - 1
    return (
        f"共 {terms.period_count} 期，起租日付首期与最后 {ahead} 期，其余{_every_zh(terms)}期初支付{shift_zh}",
        f"{terms.period_count} in all: the first and the last {ahead} at commencement, the others at the start of"
        f" {_every_en(terms)}{shift_en}",
    )


def _financed_lines(terms: AgreementTerms, financing: Financing, schedule: Schedule) -> Iterator[CostLine]:
    is_lease = financing.family is Family.FINANCE_LEASE
    due_zh, due_en = _DUE[financing.family]
    shift_zh, shift_en = _SHIFTS[ShiftPolicy(terms.due_shift)]
    counted_zh, counted_en = ("，利息计至该日", ", interest counts up to it") if terms.due_shift in MOVES_BACK else ("", "")
    steps_zh = "".join(f"，自第 {step.from_period} 期起 {step.annual_rate_pct}%" for step in financing.rate_steps)
    steps_en = "".join(f", from period {step.from_period} {step.annual_rate_pct} %" for step in financing.rate_steps)
    count = len(schedule.rows)
    at_zh, at_en = ("期初", "start") if schedule.terms.timing is Timing.ADVANCE else ("期末", "end")
    yield _line(
        terms,
        "instalments",
        (f"{due_zh}合计", f"all {due_en}s"),
        (
            f"共 {count} 期，{_every_zh(terms)}{at_zh}支付{shift_zh}{counted_zh}",
            f"{count} times, at the {at_en} of {_every_en(terms)}{shift_en}{counted_en}",
        ),
        ("各期金额见还款计划", "each as the schedule says"),
        schedule.total_fen,
    )
    yield _line(
        terms,
        "principal",
        ("其中本金", "of that, principal"),
        ("随各期支付", "with the instalments"),
        ("融资额减供应商贴息", "what is financed, less the supplier's subsidy")
        if financing.subsidy_fen
        else ("融资额", "what is financed"),
        schedule.principal_fen,
    )
    yield _line(
        terms,
        "interest",
        ("其中利息", "of that, interest"),
        ("随各期支付", "with the instalments"),
        (
            f"年利率 {financing.annual_rate_pct}%{steps_zh}，按未还本金计算",
            f"{financing.annual_rate_pct} % a year{steps_en}, on the principal still owed",
        )
        if financing.method != "flat"
        else (
            f"年利率 {financing.annual_rate_pct}%，按初始本金计算",
            f"{financing.annual_rate_pct} % a year on the first principal",
        ),
        schedule.interest_fen,
    )
    if financing.upfront_fee_fen:
        yield _line(
            terms,
            "upfront_fee",
            ("手续费", "upfront fee"),
            ("随第一期支付一次，不从放款或价款中扣除", "once, with the first instalment; never deducted from what is paid out"),
            ("一次性，已含在合计内", "once, within the total above"),
            schedule.fee_fen,
        )
    if financing.balloon_fen:
        yield _line(
            terms,
            "balloon",
            ("留购价款（残值）", "residual value") if is_lease else ("尾款", "balloon"),
            ("随最后一期支付", "with the last instalment"),
            ("已含在合计内", "within the total above"),
            financing.balloon_fen,
        )
    if is_lease and terms.device_value_fen > financing.principal_fen:
        yield _line(
            terms,
            "down_payment",
            ("首付款", "down payment"),
            ("交付前支付，抵充价款", "before handover, as part of the price"),
            ("价款减融资额", "the price less what is financed"),
            terms.device_value_fen - financing.principal_fen,
        )
    if terms.deposit_fen:
        yield _line(
            terms,
            "deposit",
            ("保证金", "deposit"),
            ("交付前支付，付清全部款项后无息退还", "before handover; given back without interest when all is paid"),
            ("计入年化综合成本", "counted into the annual cost"),
            terms.deposit_fen,
        )
    if terms.buyout_fen is not None:
        yield _buyout(terms, terms.buyout_fen)
    if financing.subsidy_fen:
        subsidy = _yuan(financing.subsidy_fen)
        yield CostLine(
            "subsidy",
            "供应商贴息",
            "supplier's subsidy",
            "供应商承担",
            "borne by the supplier",
            "开始时一次",
            "once, at the start",
            f"{subsidy} 元，不由客户支付",
            f"{subsidy} yuan, not paid by the customer",
            0,
        )
    yield _late_fee(terms, schedule.terms.start_on)
    fee = _yuan(terms.early_return_fee_fen)
    yield _line(
        terms,
        "early_settlement",
        ("提前结清", "early settlement"),
        ("仅在提前结清时", "only when settled early"),
        (
            f"剩余本金与计至结清日的利息，另收 {fee} 元"
            if terms.early_return_fee_fen
            else "剩余本金与计至结清日的利息，不另收费",
            f"the principal still owed, interest to the day, and {fee} yuan"
            if terms.early_return_fee_fen
            else "the principal still owed and interest to the day, no fee",
        ),
        None,
    )


def _buyout(terms: AgreementTerms, buyout_fen: int) -> CostLine:
    return _line(
        terms,
        "buyout",
        ("留购价", "buyout"),
        ("仅在租期届满且选择留购时", "only at the end of the term, when the thing is kept"),
        ("计入年化综合成本", "counted into the annual cost"),
        buyout_fen,
    )


def _late_fee(terms: AgreementTerms, on: BusinessDate) -> CostLine:
    due_zh, due_en = _DUE[terms.family]
    daily_pct = f"{(Decimal(terms.late_fee_daily_rate) * 100).normalize():f}"
    ceiling_pct = f"{late_fee_ceiling_annual_pct(on).normalize():f}"
    return _line(
        terms,
        "late_fee",
        ("逾期违约金", "late fee"),
        (f"逾期超过 {terms.grace_days} 日宽限期后按日", f"by the day, after {terms.grace_days} days of grace"),
        (
            f"欠付{due_zh}的 {daily_pct}%／日；年化不超过 {LPR_MULTIPLE} 倍 LPR（{ceiling_pct}%），累计不超过当期的 {EXCESSIVE_PENALTY_PCT}%",
            f"{daily_pct} % of the overdue {due_en} a day; at most {LPR_MULTIPLE} times LPR ({ceiling_pct} % a year) and"
            f" {EXCESSIVE_PENALTY_PCT} % of the instalment in all",
        ),
        None,
    )


def _line(
    terms: AgreementTerms,
    code: str,
    what: tuple[str, str],
    when: tuple[str, str],
    how_much: tuple[str, str],
    amount_fen: int | None,
) -> CostLine:
    return CostLine(code, *what, *_WHO[terms.family], *when, *how_much, amount_fen)


def _by_bands(daily: DailyRent) -> tuple[str, str]:
    zh = [f"第 {band.from_day} 日起每日 {_yuan(band.daily_fen)} 元" for band in daily.bands]
    en = [f"{_yuan(band.daily_fen)} yuan a day from day {band.from_day}" for band in daily.bands]
    if daily.month_days_max is not None:
        zh.append(f"每月最多计 {daily.month_days_max} 日")
        en.append(f"at most {daily.month_days_max} days charged a month")
    if daily.charged_days_max is not None:
        zh.append(f"全程最多计 {daily.charged_days_max} 日")
        en.append(f"at most {daily.charged_days_max} days charged in all")
    return "；".join(zh), "; ".join(en)


def _every_zh(terms: AgreementTerms) -> str:
    if terms.period_days:
        return "每周" if terms.period_days == DAYS_IN_WEEK else f"每 {terms.period_days} 日"
    return "每月" if terms.period_months == 1 else f"每 {terms.period_months} 个月"


def _every_en(terms: AgreementTerms) -> str:
    if terms.period_days:
        return "each week" if terms.period_days == DAYS_IN_WEEK else f"every {terms.period_days} days"
    return "each month" if terms.period_months == 1 else f"every {terms.period_months} months"


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"
