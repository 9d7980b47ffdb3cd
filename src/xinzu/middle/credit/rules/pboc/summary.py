"""The summaries a report must show for its accounts and queries. The bureau computes them too; where the two differ, ``checks`` says so.

What a summary covers is from knowledge of the field: loans and cards that are neither closed nor bad debts, cards in yuan only, the
average due of six months being what is due this month when nothing changed. A difference is therefore a doubt, never a refusal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from xinzu.kernel.time import add_months
from xinzu.middle.credit.rules.pboc.accounts import (
    balance_fen,
    institution_of,
    is_bad_debt,
    is_closed,
    is_live_card,
    limits_by_institution,
    longest_run,
    of_type,
    statuses_of,
)
from xinzu.middle.credit.rules.pboc.codes import (
    CARD_APPROVAL,
    CARDS,
    CREDIT,
    LOAN_APPROVAL,
    LOANS,
    OVERDUE_STATUSES,
    AccountType,
)
from xinzu.middle.credit.rules.pboc.nodes.account import Account
from xinzu.middle.credit.rules.pboc.nodes.records import Liability, Query
from xinzu.middle.credit.rules.pboc.nodes.summaries import (
    BadDebtSummary,
    CardSummary,
    CreditSummary,
    LiabilityHint,
    LiabilitySummary,
    LoanSummary,
    OverdueHint,
    OverdueSummary,
    QueryCounts,
    RecourseHint,
    RecourseSummary,
    TradeHint,
    TradeHints,
)

_OVERDUE_KINDS = {"D1": "1", "R4": "2", "R1": "3", "R2": "4", "R3": "5"}
_RECOURSE_KINDS = {"A1": "1", "B1": "2"}  # 资产处置, 代偿
_HOUSING = {"11": "11", "12": "12"}  # 个人住房贷款, 个人商用房贷款 keep a line of their own
_OTHER_LOAN, _CREDIT_CARD, _QUASI_CARD = "19", "21", "22"
_LOAN_GROUP, _CARD_GROUP = "1", "2"
SERVICING, GUARANTEE, MERCHANT = "01", "08", "19"


def credit_summary(accounts: Sequence[Account], liabilities: Sequence[Liability]) -> CreditSummary | None:
    """PC02 of these accounts and liabilities; None when there is nothing to sum up."""
    if not accounts and not liabilities:
        return None
    return CreditSummary(
        hints=_hints(accounts),
        recourse=_recourse(accounts),
        bad_debt=_bad_debt(accounts),
        overdue=_overdue(accounts),
        non_revolving=_loans(accounts, AccountType.NON_REVOLVING),
        revolving_sub=_loans(accounts, AccountType.REVOLVING_SUB),
        revolving=_loans(accounts, AccountType.REVOLVING),
        credit_cards=_cards(accounts, AccountType.CREDIT_CARD),
        quasi_cards=_cards(accounts, AccountType.QUASI_CREDIT_CARD),
        liabilities=_liabilities(liabilities),
    )


def query_counts(queries: Sequence[Query], reported_on: date) -> QueryCounts:
    """PC05B of these queries. Those who asked are told apart by name."""
    month = [query for query in queries if query.queried_on > add_months(reported_on, -1)]
    two_years = [query for query in queries if query.queried_on > add_months(reported_on, -24)]

    def asked(reason: str, within: Sequence[Query]) -> list[Query]:
        return [query for query in within if query.reason == reason]

    loans, cards = asked(LOAN_APPROVAL, month), asked(CARD_APPROVAL, month)
    return QueryCounts(
        loan_institutions_1m=len({query.institution for query in loans}),
        card_institutions_1m=len({query.institution for query in cards}),
        loan_queries_1m=len(loans),
        card_queries_1m=len(cards),
        own_queries_1m=0,
        servicing_queries_24m=len(asked(SERVICING, two_years)),
        guarantee_queries_24m=len(asked(GUARANTEE, two_years)),
        merchant_queries_24m=len(asked(MERCHANT, two_years)),
    )


def _hints(accounts: Sequence[Account]) -> TradeHints | None:
    lines: dict[tuple[str, str], list[Account]] = defaultdict(list)
    for account in of_type(accounts, CREDIT):
        if account.type in LOANS:
            lines[(_HOUSING.get(account.basics.business or "", _OTHER_LOAN), _LOAN_GROUP)].append(account)
        else:
            lines[(_CREDIT_CARD if account.type is AccountType.CREDIT_CARD else _QUASI_CARD, _CARD_GROUP)].append(account)
    if not lines:
        return None
    return TradeHints(
        accounts_count=sum(len(found) for found in lines.values()),
        kinds_count=len(lines),
        hints=tuple(
            TradeHint(
                kind=kind,
                group=group,
                accounts_count=len(found),
                first_month=min(account.basics.opened_on for account in found).replace(day=1),
            )
            for (kind, group), found in sorted(lines.items())
        ),
    )


def _recourse(accounts: Sequence[Account]) -> RecourseSummary | None:
    claims = [account for account in of_type(accounts, [AccountType.RECOURSE]) if not is_closed(account)]
    if not claims:
        return None
    kinds: dict[str, list[Account]] = defaultdict(list)
    for claim in claims:
        kinds[_RECOURSE_KINDS.get(claim.basics.business or "", "9")].append(claim)
    return RecourseSummary(
        accounts_count=len(claims),
        balance_fen=sum(balance_fen(claim) for claim in claims),
        kinds_count=len(kinds),
        kinds=tuple(
            RecourseHint(kind=kind, accounts_count=len(found), balance_fen=sum(balance_fen(claim) for claim in found))
            for kind, found in sorted(kinds.items())
        ),
    )


def _bad_debt(accounts: Sequence[Account]) -> BadDebtSummary | None:
    bad = [account for account in accounts if is_bad_debt(account)]
    if not bad:
        return None
    return BadDebtSummary(accounts_count=len(bad), balance_fen=sum(balance_fen(account) for account in bad))


def _overdue(accounts: Sequence[Account]) -> OverdueSummary | None:
    kinds: dict[str, list[Account]] = defaultdict(list)
    for account in of_type(accounts, CREDIT):
        if any(status in OVERDUE_STATUSES for status in statuses_of(account).values()):
            kinds[_OVERDUE_KINDS[account.type]].append(account)
    if not kinds:
        return None
    return OverdueSummary(
        kinds_count=len(kinds), kinds=tuple(_overdue_hint(kind, found) for kind, found in sorted(kinds.items()))
    )


def _overdue_hint(kind: str, accounts: Sequence[Account]) -> OverdueHint:
    by_month: dict[date, int] = defaultdict(int)
    for account in accounts:
        for row in account.last_60_months.months if account.last_60_months else ():
            by_month[row.month] += row.overdue_fen or 0
    return OverdueHint(
        account_type=kind,
        accounts_count=len(accounts),
        months_count=sum(status in OVERDUE_STATUSES for each in accounts for status in statuses_of(each).values()),
        month_max_fen=max(by_month.values(), default=0),
        longest_months=max(longest_run(statuses_of(each)) for each in accounts),
    )


def _loans(accounts: Sequence[Account], of: AccountType) -> LoanSummary | None:
    loans = [account for account in of_type(accounts, [of]) if not is_closed(account) and not is_bad_debt(account)]
    if not loans:
        return None
    return LoanSummary(
        institutions_count=len({institution_of(loan) for loan in loans}),
        accounts_count=len(loans),
        credit_fen=sum(loan.basics.lent_fen or loan.basics.limit_fen or 0 for loan in loans),
        balance_fen=sum(balance_fen(loan) for loan in loans),
        due_month_fen=sum((loan.latest_month.due_fen or 0) if loan.latest_month else 0 for loan in loans),
    )


def _cards(accounts: Sequence[Account], of: AccountType) -> CardSummary | None:
    cards = [account for account in of_type(accounts, CARDS & {of}) if is_live_card(account) and not is_bad_debt(account)]
    if not cards:
        return None
    limits = limits_by_institution(cards)
    months = [card.latest_month for card in cards if card.latest_month]
    is_credit = of is AccountType.CREDIT_CARD
    return CardSummary(
        institutions_count=len(limits),
        accounts_count=len(cards),
        limit_fen=sum(limits.values()),
        institution_max_fen=max(limits.values()),
        institution_min_fen=min(limits.values()),
        used_fen=sum((month.used_fen if is_credit else month.balance_fen) or 0 for month in months),
        used_average_fen=sum((month.used_average_fen if is_credit else month.overdraft_average_fen) or 0 for month in months),
    )


def _liabilities(liabilities: Sequence[Liability]) -> LiabilitySummary | None:
    kinds: dict[tuple[str, str], list[Liability]] = defaultdict(list)
    for liability in liabilities:
        if liability.basics:
            kinds[(liability.basics.debtor_kind or "", liability.basics.liability_kind or "")].append(liability)
    if not kinds:
        return None
    return LiabilitySummary(
        kinds_count=len(kinds),
        kinds=tuple(
            LiabilityHint(
                debtor_kind=debtor or None,
                liability_kind=kind or None,
                accounts_count=len(found),
                liability_fen=sum(each.basics.liability_fen or 0 for each in found if each.basics),
                balance_fen=sum(each.basics.balance_fen or 0 for each in found if each.basics),
            )
            for (debtor, kind), found in sorted(kinds.items())
        ),
    )
