"""What docs/manual/books.md shows is what the rules book. ``python tests/unit/billing/test_books_manual.py`` writes it anew."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from xinzu.back.assets.model import LeavingCause
from xinzu.back.assets.rules import depreciation
from xinzu.back.billing.model import AssetClass, ItemKind, Role, ShareBasis, Suspended, Transfer
from xinzu.back.billing.rules import chart, postings
from xinzu.back.billing.rules.effective_interest import FinanceLease, net_investment
from xinzu.back.billing.rules.legs import financed_legs
from xinzu.back.billing.rules.partner_shares import AgreedShare, Received, shares_of
from xinzu.back.billing.rules.provision import GUIDELINES_2002, required_fen
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms
from xinzu.kernel.terms import Family
from xinzu.kernel.vat import vat_fen

MANUAL = Path(__file__).parents[3] / "docs" / "manual" / "books.md"
EXAMPLE = re.compile(r"<!-- (?P<name>\w+) -->\n(?:.*\n)*?<!-- end -->")
NAMES = {line.code: line.name_en for line in postings.CHART} | {line.code: line.name_en for line in depreciation.CHART}
START = date(2026, 1, 1)

Step = tuple[str, str, str, int]


def steps(what: str, transfers: Iterable[Transfer]) -> list[Step]:
    return [(what, each.debit_account, each.credit_account, each.amount_fen) for each in transfers]


def rental() -> list[Step]:
    family, fen = Family.RENTAL, 29_900
    return [
        *steps("due on 1 March", postings.leg_fell_due(family, Role.RENT, fen)),
        *steps("earned by 10 March", postings.leg_earned(family, Role.RENT, 0, fen * 10 // 31)),
        *steps("earned by 31 March", postings.leg_earned(family, Role.RENT, fen * 10 // 31, fen)),
        *steps("paid", postings.receipt(chart.CLEARING, [(chart.RECEIVABLE, fen)], 0)),
    ]


def financed(family: Family, principal_fen: int) -> list[Step]:
    terms = ScheduleTerms(start_on=START, periods=12, principal_fen=principal_fen, annual_rate_pct=Decimal(12))
    legs = financed_legs(schedule_of(terms).rows, START)
    first = {leg.role: leg.amount_fen for leg in legs if leg.number == 1}
    due = [step for role, fen in first.items() for step in steps("first one due", postings.leg_fell_due(family, role, fen))]
    settled: Counter[str] = Counter()
    for role, fen in first.items():
        settled[postings.receivable_of(family, ItemKind(role.value))] += fen
    return [
        *steps("commenced", postings.commenced(family, [(leg.role, leg.amount_fen) for leg in legs])),
        *steps("January earned", postings.leg_earned(family, Role.INTEREST, 0, first[Role.INTEREST])),
        *due,
        *steps("paid", postings.receipt(chart.BANK, settled.items(), 0)),
    ]


def provision() -> list[Step]:
    attention, substandard = (
        required_fen(1_000_000, GUIDELINES_2002.rate_bp(each, 0)) for each in (AssetClass.ATTENTION, AssetClass.SUBSTANDARD)
    )
    return [
        *steps("attention", postings.provided(Family.FINANCE_LEASE, 0, attention)),
        *steps("substandard", postings.provided(Family.FINANCE_LEASE, attention, substandard)),
    ]


def non_accrual() -> list[Step]:
    family, before, after = Family.LOAN, 12_000, 11_000
    tax = vat_fen(after, 6)
    paid = [Suspended(UUID(int=n), UUID(int=1), family, fen, 0, vat, 0) for n, fen, vat in ((2, before, 0), (3, after, tax))]
    return [
        *steps(
            "accrual stopped",
            postings.interest_taken_back(family, is_to_come=False, earned=(before, 0), suspended=(0, before)),
        ),
        *steps("next one due", postings.leg_fell_due(family, Role.INTEREST, after, after)),
        *steps("the first is paid", postings.receipt(chart.BANK, [(chart.INTEREST_RECEIVABLE, before)], 0)),
        *steps("the first is paid", postings.interest_recognised(paid[0])),
        *steps("the next is paid", postings.receipt(chart.BANK, [(chart.INTEREST_RECEIVABLE, after)], 0)),
        *steps("the next is paid", postings.interest_recognised(paid[1])),
    ]


def asset() -> list[Step]:
    gross = 520_000
    vat = vat_fen(gross, 13)
    cost = gross - vat
    residual = cost * 5 // 100
    one, ten = (depreciation.depreciated_fen(cost, residual, 36, months) for months in (1, 10))
    return [
        *(("taken in", *moved) for moved in depreciation.taken_in(cost, vat)),
        *(("first month", *moved) for moved in depreciation.depreciated(one)),
        *(("nine more months", *moved) for moved in depreciation.depreciated(ten - one)),
        *(("sold", *moved) for moved in depreciation.left(LeavingCause.SOLD, cost, ten)),
    ]


def partner_shares() -> list[Step]:
    since = date(2026, 3, 1)
    dealer = AgreedShare(UUID(int=1), UUID(int=7), ShareBasis.RENT, 0, 2_000, 0, None, since)
    channel = AgreedShare(UUID(int=2), UUID(int=8), ShareBasis.RENT, 500, 0, 0, None, since)
    parts = [fen for _, fen in shares_of(Received(UUID(int=9), ItemKind.RENT, since, 29_900, 29_900), [dealer, channel])]
    return [
        *steps("rent received: dealer, ¥20 of each", postings.partner_share(parts[0])),
        *steps("rent received: channel, 5 %", postings.partner_share(parts[1])),
        *steps("charged back: channel", postings.partner_share(-parts[1])),
        *steps("paid out: dealer", postings.payout(parts[0])),
    ]


def effective_interest() -> list[str]:
    receipts = tuple((date(year, 1, 1), 100_000) for year in (2026, 2027, 2028))
    lease = FinanceLease(commenced_on=date(2025, 1, 1), end_on=receipts[-1][0], payments=receipts, fair_value_fen=257_710)
    rows = [
        f"| {each.from_on} | {each.to_on} | {each.opening_fen} | {each.income_fen} | {each.received_fen} | {each.closing_fen} |"
        for each in net_investment(lease).periods
    ]
    return ["| from | to | opening_fen | income_fen | received_fen | closing_fen |", "|---|---|--:|--:|--:|--:|", *rows]


def booked(example: list[Step]) -> list[str]:
    rows = [f"| {what} | {_named(debit)} | {_named(credit)} | {fen} |" for what, debit, credit, fen in example]
    return ["| | debit | credit | fen |", "|---|---|---|--:|", *rows]


def _named(code: str) -> str:
    return f"{code} {NAMES[code]}"


def examples() -> dict[str, list[str]]:
    return {
        "rental": booked(rental()),
        "finance_lease": booked(financed(Family.FINANCE_LEASE, 1_130_000)),
        "effective_interest": effective_interest(),
        "loan": booked(financed(Family.LOAN, 1_200_000)),
        "provision": booked(provision()),
        "non_accrual": booked(non_accrual()),
        "asset": booked(asset()),
        "partner_shares": booked(partner_shares()),
    }


def rendered(manual: str) -> str:
    """The page with each example as it is booked now."""
    shown = examples()
    return EXAMPLE.sub(lambda found: "\n".join([f"<!-- {found['name']} -->", *shown[found["name"]], "<!-- end -->"]), manual)


def test_every_example_of_the_manual_is_what_the_rules_book() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    assert {found["name"] for found in EXAMPLE.finditer(manual)} == examples().keys()
    assert rendered(manual) == manual, "write it anew: python tests/unit/billing/test_books_manual.py"


def test_a_family_s_first_instalment_leaves_nothing_owed() -> None:
    for example in (rental(), financed(Family.LOAN, 1_200_000), financed(Family.FINANCE_LEASE, 1_130_000)):
        balances: Counter[str] = Counter()
        for _, debit, credit, fen in example:
            balances[debit] += fen
            balances[credit] -= fen
        assert balances[chart.RECEIVABLE] == balances[chart.INTEREST_RECEIVABLE] == balances[chart.DEFERRED_RENT] == 0


if __name__ == "__main__":
    MANUAL.write_text(rendered(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
