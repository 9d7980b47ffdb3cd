"""Classifying a lease at its inception from what billing knows of it (CAS 21 art. 35): its terms, its receipts and the thing's value.

What billing does not know is estimated as the register of things does where its owner set nothing else, and each answer's figures say so:
36 months of life, and 5 % of the value left at their end. The estimate serves the expected value at the end of the term, for the option
and for the residual that the implicit rate counts in. A thing register with better estimates is the accountant's to compare.

The class by rule does not change what is booked: a rental that the rule calls a finance lease stays an operating lease in the books,
because its contract has no rate to recognise income by and its thing stays in the register, until an accountant decides. But it is said:
in the evidence, in an event, and in the answer's ``differs``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from xinzu.back.billing.model import Leg, Role
from xinzu.back.billing.rules.effective_interest import DatedFen, FinanceLease, net_investment
from xinzu.back.billing.rules.lease_class import LeaseClass, LeaseClassification, LeaseFacts, classify_lease
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, add_months

ASSUMED_LIFE_MONTHS = 36
ASSUMED_RESIDUAL_PCT = 5
ALIKE_MAX = 4_096
MONTHS_MAX = 12_000

BOOKED_AS = {Family.RENTAL: LeaseClass.OPERATING, Family.FINANCE_LEASE: LeaseClass.FINANCE}


def expected_value_fen(value_fen: int, months: int) -> int:
    """What a thing is expected to be worth after so many months, in equal parts down to its residual.

    >>> [expected_value_fen(600_000, months) for months in (0, 12, 36, 48)]
    [600000, 410000, 30000, 30000]
    """
    worn = min(months, ASSUMED_LIFE_MONTHS) * (100 - ASSUMED_RESIDUAL_PCT)
    return value_fen - value_fen * worn // (100 * ASSUMED_LIFE_MONTHS)


def classify_at_inception(
    family: Family,
    legs: Sequence[Leg],
    commencement_on: BusinessDate,
    *,
    over_on: BusinessDate,
    device_value_fen: int,
    financed_fen: int = 0,
    buyout_fen: int | None = None,
    title_transfers: bool = False,
) -> LeaseClassification | None:
    """The class of a rental or finance lease by its legs; None for a loan, and where the thing's value is not known. The term ends the day
    before ``over_on``; a month begun counts whole.

    What of the value is not financed is a receipt of the day of commencement (the down payment). Fees are no lease receipts. Where
    ``title_transfers`` with the last payment, the buyout is a receipt of the end of the term and not an option.
    """
    if family is Family.LOAN or max(device_value_fen, financed_fen) < 1:
        return None
    payments = tuple(sorted((leg.due_on, leg.amount_fen) for leg in legs if leg.role is not Role.FEE))
    return _classify(
        family,
        payments,
        commencement_on,
        over_on,
        device_value_fen,
        financed_fen,
        buyout_fen,
        title_transfers,
    )


def differs(family: Family, lease_class: LeaseClass) -> bool:
    """Whether the books show something else than the rule says."""
    return BOOKED_AS.get(family, lease_class) is not lease_class


@lru_cache(ALIKE_MAX)
def _classify(
    family: Family,
    payments: tuple[DatedFen, ...],
    commencement_on: BusinessDate,
    over_on: BusinessDate,
    device_value_fen: int,
    financed_fen: int,
    buyout_fen: int | None,
    title_transfers: bool,
) -> LeaseClassification:
    """Leases of one plan that begin on one day are alike."""
    value_fen = max(device_value_fen, financed_fen)
    if family is Family.FINANCE_LEASE and value_fen > financed_fen:
        payments = ((commencement_on, value_fen - financed_fen), *payments)
    months = next(count for count in range(1, MONTHS_MAX) if add_months(commencement_on, count) >= over_on)
    if title_transfers and buyout_fen:
        payments = (*payments, (over_on, buyout_fen))
    end_value_fen = 0 if title_transfers else expected_value_fen(value_fen, months)
    option_fen = None if title_transfers else buyout_fen
    end_on = max(over_on, *(on for on, _ in payments))
    return classify_lease(
        LeaseFacts(
            family=family,
            commenced_on=commencement_on,
            term_months=months,
            useful_life_months=ASSUMED_LIFE_MONTHS,
            fair_value_fen=value_fen,
            payments=payments,
            annual_rate_pct=_implicit_rate_pct(family, payments, commencement_on, end_on, value_fen, end_value_fen),
            title_transfers=title_transfers,
            option_price_fen=option_fen,
            value_at_option_fen=None if option_fen is None else end_value_fen,
        )
    )


def _implicit_rate_pct(
    family: Family,
    payments: tuple[DatedFen, ...],
    commencement_on: BusinessDate,
    end_on: BusinessDate,
    value_fen: int,
    end_value_fen: int,
) -> Decimal:
    """The rate at which the receipts, and of a rental what the thing is worth when it comes back, make its value; zero where they do not."""
    lease = FinanceLease(
        commenced_on=commencement_on,
        end_on=end_on,
        payments=payments,
        fair_value_fen=value_fen,
        unguaranteed_residual_fen=end_value_fen if family is Family.RENTAL else 0,
    )
    try:
        return net_investment(lease).annual_rate_pct
    except Invalid:  # no rate from zero up is implicit
        return Decimal(0)
