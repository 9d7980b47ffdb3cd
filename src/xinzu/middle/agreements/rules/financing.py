"""What stands in the contract of a finance lease or a loan: schedule and cost table as disclosed, the conventions in words.

Sources: Civil Code arts. 735–760 (finance lease: 736 content, 746 what the rent is made of), 667–680 (loan: 668 content, 670, 677, 680);
PBOC announcement [2021] no. 3 (the annualised rate stands in the contract); rules on stating the all-in cost of personal loans (the
table is confirmed by the borrower before signing), which bind lenders and to which we hold a finance lease as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xinzu.kernel.errors import invariant
from xinzu.kernel.terms import AgreementTerms, Family, Financing
from xinzu.middle.agreements.model import CostItem, Disclosure, ScheduleLine
from xinzu.middle.agreements.rules.figures import every_zh, figure, shift_clause, yuan

# The words of ``xinzu schedule`` as a contract says them.
METHODS_ZH = {
    "equal_instalment": "等额本息",
    "equal_principal": "等额本金",
    "interest_only": "按期付息、到期还本",
    "bullet": "到期一次还本付息",
    "balloon": "等额本息、末期付清尾款",
    "flat": "等本等息",
    "stepped": "阶梯等额（各期金额以下表为准）",
    "uneven": "不等额（各期金额以下表为准）",
}
TIMINGS_ZH = {"arrears": "每期期末", "advance": "每期期初"}
INTEREST_BY_PERIOD_ZH = "每期按其占一年的比例"
DAY_COUNTS_ZH = {
    "30/360": "每月按 30 日、每年按 360 日",
    "30/360-us": "每月按 30 日、每年按 360 日（美式月末规则）",
    "30/360-eu": "每月按 30 日、每年按 360 日（欧式月末规则）",
    "actual/360": "按实际天数、每年按 360 日",
    "actual/364": "按实际天数、每年按 364 日",
    "actual/365": "按实际天数、每年按 365 日",
    "actual/actual": "按实际天数、每年按当年实际天数",
    "period": INTEREST_BY_PERIOD_ZH,
}
ROUNDINGS_ZH = {
    "half_up": "四舍五入到分",
    "half_even": "四舍六入五成双到分",
    "up": "不足一分进为一分",
    "down": "不足一分舍去",
}


def financing_content(terms: AgreementTerms, financing: Financing, disclosed: Disclosure) -> dict[str, Any]:
    """What only a finance lease or a loan has."""
    invariant(terms.annual_cost_pct is not None, "a financing states its annual cost")
    down_fen = terms.device_value_fen - financing.principal_fen
    is_lease = financing.family is Family.FINANCE_LEASE
    schedule = disclosed.schedule
    return {
        "principal": yuan(financing.principal_fen),
        "down_payment": yuan(down_fen) if is_lease and down_fen > 0 else None,
        "subsidy": _yuan_if(financing.subsidy_fen),
        "residual": _yuan_if(financing.balloon_fen),
        "buyout": None if terms.buyout_fen is None else yuan(terms.buyout_fen),
        "deposit": _yuan_if(terms.deposit_fen),
        "annual_rate": f"{financing.annual_rate_pct}%" + ("（固定）" if not financing.rate_steps else "（按约定调整）"),
        "method": METHODS_ZH[financing.method],
        "timing": TIMINGS_ZH[financing.timing],
        "interest_days": interest_days_zh(financing),
        "rounding": ROUNDINGS_ZH[financing.rounding_mode],
        "every": every_zh(terms),
        "graces": [*grace_lines(financing), *rate_lines(financing)],
        "is_fixed": not financing.rate_steps,
        "is_leaseback": financing.is_leaseback,
        "tranches": tranche_lines(financing),
        "shift": shift_clause(terms.due_shift, "计息期间与各期金额", "起租日" if is_lease else "放款日", moves_interest=True),
        "has_fees": any(line.fee_fen for line in schedule),
        "instalments": schedule_lines(schedule),
        "sums": sums(schedule),
        "total": yuan(sum(line.total_fen for line in schedule)),
        "early_fee": _yuan_if(terms.early_return_fee_fen),
        "costs": cost_lines(disclosed.costs),
    }


def interest_days_zh(financing: Financing) -> str:
    """How interest counts time, in words."""
    return INTEREST_BY_PERIOD_ZH if financing.interest_days == "period" else DAY_COUNTS_ZH[financing.day_count]


def grace_lines(financing: Financing) -> list[str]:
    """What the first instalments do not ask for."""
    lines = []
    if financing.grace_principal:
        lines.append(f"前 {financing.grace_principal} 期只付利息、不还本金")
    if financing.grace_interest:
        lines.append(f"前 {financing.grace_interest} 期的利息递延至其后一期支付")
    if financing.interest_free:
        lines.append(f"前 {financing.interest_free} 期不计利息")
    return lines


def rate_lines(financing: Financing) -> list[str]:
    """What the rate becomes in mid-term, from the first day of a period."""
    return [f"自第 {step.from_period} 期首日起年利率为 {step.annual_rate_pct}%" for step in financing.rate_steps]


def tranche_lines(financing: Financing) -> list[str]:
    """When how much is paid out, counted from the commencement; nothing where all of it is at once."""
    return [
        f"起算日支付 {yuan(each.amount_fen)}"
        if each.after_days == 0
        else f"起算日后第 {each.after_days} 日支付 {yuan(each.amount_fen)}"
        for each in financing.tranches
    ]


def schedule_lines(schedule: Sequence[ScheduleLine]) -> list[list[str]]:
    """Number, due date, principal, interest, fee, total and balance of each instalment."""
    return [
        [
            str(line.number),
            line.due_on.isoformat(),
            *map(figure, (line.principal_fen, line.interest_fen, line.fee_fen, line.total_fen, line.balance_fen)),
        ]
        for line in schedule
    ]


def sums(schedule: Sequence[ScheduleLine]) -> list[str]:
    """Principal, interest, fee and total of the whole schedule."""
    return [
        figure(sum(line.principal_fen for line in schedule)),
        figure(sum(line.interest_fen for line in schedule)),
        figure(sum(line.fee_fen for line in schedule)),
        figure(sum(line.total_fen for line in schedule)),
    ]


def cost_lines(costs: Sequence[CostItem]) -> list[list[str]]:
    """Item, way, standard, amount and receiver of every cost. What is not in the table is not charged."""
    return [
        [item.what, item.when, item.standard, "—" if item.amount_fen is None else figure(item.amount_fen), item.who]
        for item in costs
    ]


def _yuan_if(amount_fen: int) -> str | None:
    return yuan(amount_fen) if amount_fen else None
