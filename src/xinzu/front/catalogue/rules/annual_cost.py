"""The cap on the all-in annualised cost that no tenant can lift, and the warning below it.

The cost itself is billing's (``rules/schedules/cost.py``): the effective (compound) annual rate, the stricter of the two readings PBOC
notice [2021] no. 3 allows.

Why a guard at all: a "rental" that hands out a phone worth 9,000 for 18,000 within three months is lending in disguise. Such
租机贷 was convicted as illegal business operation in Shanghai (Jing'an court, 2025-03-12). The guidance on small-loan companies' all-in
cost of December 2025 forbids new loans above 24 % and asks for at most four times the one-year LPR by the end of 2027; both are taken
here for all families: the first as a cap, the second as a warning.
"""

from __future__ import annotations

from decimal import Decimal

from xinzu.front.catalogue.model import Warned
from xinzu.kernel.prime_rate import LPR_MULTIPLE, late_fee_ceiling_annual_pct
from xinzu.kernel.terms import EndsIn
from xinzu.kernel.time import BusinessDate

ANNUAL_COST_MAX_PCT = Decimal(24)
UNBOUNDED = Decimal("Infinity")


_TRANSFERS_OWNERSHIP = Warned(
    "catalogue.transfers_ownership",
    "期满租赁物归承租人所有：实质为融资（企业会计准则第 21 号第 36 条），是否需要相应资质、如何记账请咨询律师与会计师；年化成本上限照常适用",
    "The thing is the lessee's at the end: that is financing by substance (CAS 21 art. 36). Ask counsel about the licence it may need and an"
    " accountant about its books; the cap on the annual cost counts as for any financing",
)


def is_within_cap(effective_pct: Decimal, tenant_cap_pct: Decimal | None = None) -> bool:
    """Whether a cost may be offered: at most 24 %, or the tenant's own cap where that is lower.

    >>> is_within_cap(Decimal(24)), is_within_cap(Decimal("24.000001")), is_within_cap(Decimal(25), Decimal(36))
    (True, False, False)
    """
    return effective_pct <= effective_cap(tenant_cap_pct)


def effective_cap(tenant_cap_pct: Decimal | None) -> Decimal:
    """The lower of the law's guard and the tenant's own."""
    return ANNUAL_COST_MAX_PCT if tenant_cap_pct is None else min(ANNUAL_COST_MAX_PCT, tenant_cap_pct)


def warnings_of(effective_pct: Decimal | None, on: BusinessDate, ends_in: EndsIn = EndsIn.RETURN) -> tuple[Warned, ...]:
    """What whoever offers a cost should know on a date, of the cost nothing while it is not known. A rental at whose end the thing is the
    lessee's is a finance lease by rule (CAS 21 art. 36): financing by substance, whatever it is called.

    >>> from datetime import date
    >>> [warned.code for warned in warnings_of(Decimal("12.01"), date(2026, 3, 2))], warnings_of(Decimal(12), date(2026, 3, 2))
    (['catalogue.cost_above_four_times_lpr'], ())
    """
    warned = (_TRANSFERS_OWNERSHIP,) if ends_in is EndsIn.OWN else ()
    limit_pct = late_fee_ceiling_annual_pct(on)
    if effective_pct is None or effective_pct <= limit_pct:
        return warned
    shown = f"{limit_pct.normalize():f}"
    return (
        *warned,
        Warned(
            "catalogue.cost_above_four_times_lpr",
            f"综合年化成本超过一年期 LPR 的 {LPR_MULTIPLE} 倍（{shown}%）：民间借贷不受保护，小额贷款公司须于 2027 年底前降至该线以下",
            f"The all-in annualised cost is above {LPR_MULTIPLE} times the one-year LPR ({shown} %): private lending is not protected"
            " above it, and small-loan companies must come below it by the end of 2027",
        ),
    )
