"""How amounts and rates are written in a contract."""

from __future__ import annotations

from decimal import Decimal

from xinzu.kernel.money import Money
from xinzu.kernel.terms import AgreementTerms


def percent(rate: Decimal) -> str:
    """A rate as a percentage, exactly and without trailing zeros.

    >>> percent(Decimal("0.0005")), percent(Decimal("0.02")), percent(Decimal("1"))
    ('0.05%', '2%', '100%')
    """
    return f"{(rate * 100).normalize():f}%"


def yuan(amount_fen: int) -> str:
    """An amount with its unit.

    >>> yuan(123_456_789)
    '1,234,567.89 元'
    """
    return f"{figure(amount_fen)} 元"


DAYS_IN_WEEK = 7


def every_zh(terms: AgreementTerms) -> str:
    """How often an instalment is due."""
    if terms.period_days:
        return "每周" if terms.period_days == DAYS_IN_WEEK else f"每 {terms.period_days} 日"
    return "每月" if terms.period_months == 1 else f"每 {terms.period_months} 个月"


def term_zh(terms: AgreementTerms) -> str:
    """How long the term is, and in how many periods."""
    if terms.daily is not None:
        return f"{terms.period_count} 日（起租日与归还日均计入）"
    if terms.period_days:
        return f"{terms.period_count * terms.period_days} 日，共 {terms.period_count} 期"
    return f"{terms.period_count * terms.period_months} 个月，共 {terms.period_count} 期"


# Where a due date on a day off goes, in the words of ``AgreementTerms.due_shift``; "none" says nothing.
SHIFTS_ZH = {
    "none": None,
    "following": "顺延至其后第一个工作日",
    "preceding": "提前至其前最后一个工作日",
    "modified_following": "顺延至其后第一个工作日；其后第一个工作日在次月的，提前至其前最后一个工作日",
}


def shift_clause(due_shift: str, amounts: str, began: str = "起租日", *, moves_interest: bool = False) -> str | None:
    """What a contract says of due dates on days off; ``amounts`` is what does not change with them, ``began`` the day of commencement.
    ``moves_interest``: where a due date may move back its period ends there too, so that no interest is asked for before it accrued.

    >>> shift_clause("none", "租金"), (shift_clause("following", "租金") or "")[:13]
    (None, '应付日为法定休假日或者休息')
    """
    where = SHIFTS_ZH[due_shift]
    if where is None:
        return None
    days_off = "法定休假日或者休息日（以国务院办公厅公布的放假调休安排为准）"
    if moves_interest and due_shift != "following":
        return f"应付日为{days_off}的，{where}，当期计息期间至该日止，下一期自该日起；{began}应付的款项除外。"
    return f"应付日为{days_off}的，{where}，{amounts}不因此增减；{began}应付的款项除外。"


def figure(amount_fen: int) -> str:
    """An amount in yuan under a heading that names the unit."""
    return str(Money(amount_fen))[1:]
