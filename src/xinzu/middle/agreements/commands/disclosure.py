"""What a financing costs and when it is repaid, by the very rules that quote it and bill it."""

from __future__ import annotations

from xinzu.back.billing import api as billing
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import BusinessDate
from xinzu.middle.agreements.model import CostItem, Disclosure, ScheduleLine


def disclosure_of(terms: AgreementTerms, commencement_on: BusinessDate) -> Disclosure | None:
    """Schedule and cost table of a financing, or of rent by the day, that commences on a date; None for another rental, whose rents follow
    from its terms alone. A rent is not split: it stands whole where principal does."""
    if terms.financing is None and terms.daily is None:
        return None
    table = billing.cost_table(terms, commencement_on)
    return Disclosure(
        schedule=[
            ScheduleLine(
                row.n,
                row.due_on,
                row.total_fen if row.principal_fen is None else row.principal_fen,
                row.interest_fen or 0,
                row.fee_fen,
                row.balance_fen or 0,
            )
            for row in table.instalments
        ],
        costs=[CostItem(line.what_zh, line.when_zh, line.how_much_zh, line.amount_fen, line.who_zh) for line in table.lines],
    )
