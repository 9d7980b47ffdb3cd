"""Interest that is claimed and not income: what non-accrual does to a loan's and a finance lease's interest.

When more than 90 days past due (``asset_class.accrues_interest``; a tenant may stop earlier), interest stops entering income. What was
earned of interest still to come is taken back; what is due and unpaid is taken back too and stays claimed, as suspended. Interest that
falls due meanwhile is claimed and suspended whole. Each payment on it is income, in the order of the waterfall: suspended is always just
what is open, so that suspended and earned together are what is claimed. Of what is waived or written off nothing was income.

Accrual resumes at the close at which nothing is overdue and the class is a performing one again: all arrears paid, and two periods and
six months paid on time after a class of substandard or worse (``asset_class.is_cured_on``). What is suspended and still claimed then (due
and within its grace days) is income at once; interest still to come is earned by its days again.

VAT of a loan's interest that falls due while suspended is payable when it is paid: interest more than 90 days after its due date
(Caishui [2016] 36, annex 3, no. 4; [2016] 140, no. 3). What had fallen due before was taxed and stays so. A lease's rent is taxed on its
contractual date, paid or not (VAT Law art. 28), so its VAT is never suspended; the account holds income without VAT.
"""

from __future__ import annotations

from xinzu.back.billing.model import Leg, Role, Why
from xinzu.kernel.time import BusinessDate


def suspended_after(suspended_fen: int, open_fen: int) -> int:
    """What stays suspended of a leg of which so much is open. In sets: ``store.items``.

    >>> suspended_after(12_000, 12_000), suspended_after(12_000, 5_000), suspended_after(0, 5_000)
    (12000, 5000, 0)
    """
    return min(suspended_fen, open_fen)


def told(why: Why, leg: Leg, non_accrual_since: BusinessDate | None) -> Why:
    """The explanation of a leg with what of it is not income, when it is interest of an agreement whose accrual is stopped."""
    if leg.role is not Role.INTEREST or (non_accrual_since is None and leg.suspended_fen == 0):
        return why
    since = "" if non_accrual_since is None else non_accrual_since.isoformat()
    return Why(
        formula=why.formula,
        words_zh=f"{why.words_zh}；自 {since} 起停止计提，利息仍应支付，实际收到时确认收入",
        words_en=f"{why.words_en}; accrual is stopped since {since}: the interest is owed, and is income when it is paid",
        inputs={
            **why.inputs,
            "non_accrual_since": since,
            "suspended_fen": leg.suspended_fen,
            "earned_fen": leg.earned_fen,
        },
        segments=why.segments,
    )
