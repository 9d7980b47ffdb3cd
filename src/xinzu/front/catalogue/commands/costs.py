"""What a plan costs a year on a date, and the guard that no price passes."""

from __future__ import annotations

from decimal import Decimal

from xinzu.back.billing import api as billing
from xinzu.front.catalogue.errors import CostAboveCap, FinancingRefused
from xinzu.front.catalogue.model import Plan
from xinzu.front.catalogue.rules.annual_cost import UNBOUNDED, effective_cap, is_within_cap
from xinzu.kernel.errors import FieldError, Invalid
from xinzu.kernel.terms import DailyRent, Family
from xinzu.kernel.time import BusinessDate

Dearest = tuple[int, Decimal]
"""The month of the term in which buying the thing costs most a year, and how much."""

# What the schedule engine calls a field, where a plan calls it otherwise.
_FIELDS = {
    "periods": "period_count",
    "tranches": "financing.tranches",
    "disbursements": "financing.tranches",
    "rate_changes": "financing.rate_steps",
    "instalment_fen": "rent_fen",
    "fees": "financing.upfront_fee_fen",
    "solve": "financing.method",
}


def schedule_of(plan: Plan, on: BusinessDate) -> billing.Schedule | None:
    """The instalments of a financing that commences on a date. Raises Invalid where it cannot be."""
    if plan.financing is None:
        return None
    return billing.schedule_of(billing.agreed_schedule(plan, plan.financing, on))


def cost_pct_of(plan: Plan, schedule: billing.Schedule | None, on: BusinessDate) -> str | None:
    """A plan's all-in effective annual cost in percent for a commencement on a date; None without bound. Of rent by the day, that of as
    many days as cost most."""
    if schedule is not None:
        return billing.financed_cost_pct(schedule, deposit_fen=plan.deposit_fen, buyout_fen=plan.buyout_fen or 0)
    if plan.daily is not None:
        costs = [daily_cost_pct(plan, plan.daily, days, on) for days in range(1, plan.period_count + 1)]
        return None if None in costs else max((cost for cost in costs if cost is not None), key=Decimal)
    every, unit = billing.period_of(plan)
    return billing.rental_cost_pct(
        plan.device_value_fen,
        plan.rent_fen,
        plan.period_count,
        every,
        max(plan.residual_value_fen or 0, plan.buyout_fen or 0),
        unit=unit,
        first_rents=plan.first_rents,
        days_early=_days_early(plan, on),
    )


def _days_early(plan: Plan, on: BusinessDate) -> tuple[int, ...]:
    every, unit = billing.period_of(plan)
    return billing.rent_days_early(every, plan.period_count, on, billing.ShiftPolicy(plan.due_shift), unit=unit)


def daily_cost_pct(plan: Plan, daily: DailyRent, days: int, on: BusinessDate) -> str | None:
    """What so many days by the day cost a year in percent; a rent that moves back is counted earlier, one that moves on as not moved."""
    policy = billing.ShiftPolicy(plan.due_shift)
    dues = [(min(row.due_on, billing.due_on_of(row.due_on, policy, on)), row) for row in billing.daily_rows(daily, days, on)]
    rents = [((due_on - on).days, row.total_fen) for due_on, row in dues]
    return billing.daily_cost_pct(plan.device_value_fen, rents, days, plan.residual_value_fen or 0)


def dearest_buyout(plan: Plan, on: BusinessDate) -> Dearest | None:
    """What buying the thing within the term costs a year where that costs most; None where no prices are agreed."""
    if not plan.buyout_prices_fen:
        return None
    month, cost_pct = billing.dearest_buyout(
        plan.device_value_fen,
        plan.rent_fen,
        plan.period_count,
        plan.period_months,
        plan.buyout_prices_fen,
        first_rents=plan.first_rents,
        days_early=_days_early(plan, on),
    )
    return month, bounded(cost_pct)


def bounded(cost_pct: str | None) -> Decimal:
    return UNBOUNDED if cost_pct is None else Decimal(cost_pct)


def guard(
    effective_pct: Decimal,
    dearest: Dearest | None,
    tenant_cap_pct: Decimal | None,
    family: Family,
    daily: DailyRent | None = None,
) -> None:
    """Neither performing as agreed nor buying within the term may cost more than the cap. Raises CostAboveCap."""
    if not is_within_cap(effective_pct, tenant_cap_pct):
        raise _above_cap(effective_pct, tenant_cap_pct, family, daily)
    if dearest is not None and not is_within_cap(dearest[1], tenant_cap_pct):
        month, cost_pct = dearest
        cap = f"{effective_cap(tenant_cap_pct):f}"
        raise CostAboveCap.field(
            "/buyout_prices_fen",
            CostAboveCap.code,
            f"按第 {month} 个月的买断价，综合年化成本为 {cost_pct:f}%，超过上限 {cap}%：请降低各月买断价",
            f"Bought in month {month}, the all-in annualised cost is {cost_pct:f} %, the cap is {cap} %: lower the prices",
        )


def _above_cap(effective_pct: Decimal, tenant_cap_pct: Decimal | None, family: Family, daily: DailyRent | None) -> Invalid:
    cap = f"{effective_cap(tenant_cap_pct):f}"
    if effective_pct.is_finite():
        zh, en = f"综合年化成本为 {effective_pct:f}%", f"The all-in annualised cost is {effective_pct:f} %"
    else:
        zh, en = (
            "开始时的付款已不低于所得价值，综合年化成本无上限",
            "What is paid at the start covers what is received: the annual cost has no bound",
        )
    if daily is not None:
        pointer = "/daily/bands"
        remedy_zh, remedy_en = (
            "请降低日租金、设置计费天数上限、缩短最长天数或核实归还时的预计残值",
            "lower the daily prices, cap the days charged, shorten the longest term, or check the value at the return",
        )
    elif family is Family.RENTAL:
        pointer = "/rent_fen"
        remedy_zh, remedy_en = (
            "请降低租金、起租时支付的期数、留购价或延长租期",
            "lower the rent, the first rents or the buyout, or lengthen the term",
        )
    else:
        pointer = "/financing/annual_rate_pct"
        remedy_zh, remedy_en = "请降低利率、费用、保证金或留购价", "lower the rate, the fee, the deposit or the buyout"
    return CostAboveCap.field(
        pointer, CostAboveCap.code, f"{zh}，超过上限 {cap}%：{remedy_zh}", f"{en}, the cap is {cap} %: {remedy_en}"
    )


def in_plan_words(problem: Invalid, period_field: str = "period_months") -> FinancingRefused:
    """The engine's refusal with the fields named as a plan names them."""

    def renamed(error: FieldError) -> FieldError:
        name = error.pointer[1:].replace("/", ".")
        field = period_field if name == "every" else _FIELDS.get(name, f"financing.{name}")
        return FieldError(
            "/" + field.replace(".", "/"),
            error.code,
            error.detail_zh.replace(name, field, 1),
            error.detail_en.replace(name, field, 1),
        )

    errors = tuple(renamed(error) for error in problem.errors)
    return FinancingRefused(errors[0].detail_zh, errors[0].detail_en, errors=errors)
