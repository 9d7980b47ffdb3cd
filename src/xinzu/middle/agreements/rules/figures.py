"""How amounts and rates are written in a contract."""

from __future__ import annotations

from decimal import Decimal

from xinzu.kernel.money import Money


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


# Where a due date on a day off goes, in the words of ``AgreementTerms.due_shift``; "none" says nothing.
SHIFTS_ZH = {
    "none": None,
    "following": "顺延至其后第一个工作日",
    "preceding": "提前至其前最后一个工作日",
    "modified_following": "顺延至其后第一个工作日；其后第一个工作日在次月的，提前至其前最后一个工作日",
}


def shift_clause(due_shift: str, amounts: str, began: str = "起租日") -> str | None:
    """What a contract says of due dates on days off; ``amounts`` is what does not change with them, ``began`` the day of commencement.

    >>> shift_clause("none", "租金"), (shift_clause("following", "租金") or "")[:13]
    (None, '应付日为法定休假日或者休息')
    """
    where = SHIFTS_ZH[due_shift]
    if where is None:
        return None
    days_off = "法定休假日或者休息日（以国务院办公厅公布的放假调休安排为准）"
    return f"应付日为{days_off}的，{where}，{amounts}不因此增减；{began}应付的款项除外。"


def figure(amount_fen: int) -> str:
    """An amount in yuan under a heading that names the unit."""
    return str(Money(amount_fen))[1:]
