"""What a decision looks at in a report: the 23 core indicators (CR001–CR023) and four more (CR032–CR035), each one function of nodes.

Amounts are fen, ratios are exact to six decimals, and None means that the report cannot say. A window of n months holds the months
whose number lies at most n before the report's. Absence of a summary or of records means none: the bureau leaves out what is empty.
Only the last five years of what speaks against a person are counted, whatever a report still shows: 征信业管理条例 art. 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import TypeAlias

from xinzu.kernel.time import add_months
from xinzu.middle.credit.rules.pboc.accounts import (
    balance_fen,
    is_bad_debt,
    is_closed,
    is_live_card,
    limits_by_institution,
    longest_run,
    months_apart,
    of_type,
    severity,
    statuses_within,
)
from xinzu.middle.credit.rules.pboc.codes import (
    APPROVAL_REASONS,
    BAD_DEBT,
    BAD_SPECIAL_TRADES,
    CONSUMER_FINANCE_ORGS,
    CREDIT,
    LOANS,
    NON_NORMAL_CLASSES,
    OVERDUE_STATUSES,
    AccountType,
)
from xinzu.middle.credit.rules.pboc.nodes.account import Account
from xinzu.middle.credit.rules.pboc.nodes.report import PersonalReport
from xinzu.middle.credit.rules.pboc.nodes.summaries import CardSummary
from xinzu.middle.credit.rules.pboc.summary import query_counts

Value: TypeAlias = int | Decimal | None
ADVERSE_MONTHS = 60
_SIX_PLACES = Decimal("0.000001")


def _day(report: PersonalReport) -> date:
    return report.header.identity.reported_at.date()


def _credit(report: PersonalReport) -> list[Account]:
    """Everything but claims taken over (C1), which are counted as such."""
    return list(of_type(report.accounts, CREDIT))


def _open_loans(report: PersonalReport) -> list[Account]:
    return [loan for loan in of_type(report.accounts, LOANS) if not is_closed(loan)]


def _live_cards(report: PersonalReport) -> list[Account]:
    return [card for card in of_type(report.accounts, [AccountType.CREDIT_CARD]) if is_live_card(card)]


def _card_summary(report: PersonalReport) -> CardSummary:
    return (report.summary and report.summary.credit_cards) or CardSummary()


def _overdue_fen(account: Account) -> int:
    return (account.latest_month.overdue_fen or 0) if account.latest_month else 0


def _statuses(report: PersonalReport, months: int) -> Iterator[str]:
    for account in _credit(report):
        yield from statuses_within(account, months, _day(report)).values()


def _ratio(part: int | None, whole: int | None) -> Value:
    if part is None or not whole:
        return None
    return (Decimal(part) / whole).quantize(_SIX_PLACES, ROUND_HALF_EVEN)


def accounts_count(report: PersonalReport) -> int:
    """CR001 信贷账户总数."""
    return len(_credit(report))


def open_loans_count(report: PersonalReport) -> int:
    """CR002 未结清贷款账户数."""
    return len(_open_loans(report))


def live_cards_count(report: PersonalReport) -> int:
    """CR003 未销户信用卡账户数."""
    return len(_live_cards(report))


def history_months(report: PersonalReport) -> int | None:
    """CR004 首次信贷账户距今月数."""
    opened = [account.basics.opened_on for account in _credit(report)]
    return months_apart(min(opened), _day(report)) if opened else None


def last_opened_months(report: PersonalReport) -> int | None:
    """CR005 最近新开账户距今月数."""
    opened = [account.basics.opened_on for account in _credit(report)]
    return months_apart(max(opened), _day(report)) if opened else None


def overdue_accounts_count(report: PersonalReport) -> int:
    """CR006 当前逾期账户数."""
    return sum(_overdue_fen(account) > 0 for account in _credit(report))


def overdue_fen(report: PersonalReport) -> int:
    """CR007 当前逾期总额."""
    return sum(_overdue_fen(account) for account in _credit(report))


def worst_instalments_24m(report: PersonalReport) -> int:
    """CR008 近24月最大逾期期数: 呆账 counts 7; 代还 and 以资抵债 count 3."""
    return max((severity(status) for status in _statuses(report, 24)), default=0)


def overdue_months_60m(report: PersonalReport) -> int:
    """CR009 近60月逾期月数合计."""
    return sum(status in OVERDUE_STATUSES or status == BAD_DEBT for status in _statuses(report, ADVERSE_MONTHS))


def longest_overdue_12m(report: PersonalReport) -> int:
    """CR010 近12月连续逾期最大期数: in one account."""
    return max((longest_run(statuses_within(each, 12, _day(report))) for each in _credit(report)), default=0)


def two_late_6m(report: PersonalReport) -> int:
    """CR011 近6月M2+次数: 2 to 7, and 呆账, which is worse."""
    return sum((status in OVERDUE_STATUSES and status != "1") or status == BAD_DEBT for status in _statuses(report, 6))


def bad_debts_count(report: PersonalReport) -> int:
    """CR012 呆账或被追偿账户数: as summed up, or counted when the report has no summary."""
    if report.summary:
        bad, claims = report.summary.bad_debt, report.summary.recourse
        return ((bad.accounts_count or 0) if bad else 0) + ((claims.accounts_count or 0) if claims else 0)
    claims_open = [each for each in of_type(report.accounts, [AccountType.RECOURSE]) if not is_closed(each)]
    return sum(is_bad_debt(account) for account in report.accounts) + len(claims_open)


def non_normal_class_count(report: PersonalReport) -> int:
    """CR013 五级分类非正常账户数."""
    return sum(
        (loan.latest is not None and loan.latest.five_class in NON_NORMAL_CLASSES)
        or (loan.latest_month is not None and loan.latest_month.five_class in NON_NORMAL_CLASSES)
        for loan in of_type(report.accounts, LOANS)
    )


def loan_balance_fen(report: PersonalReport) -> int:
    """CR014 贷款余额合计."""
    return sum(balance_fen(loan) for loan in _open_loans(report))


def loan_due_fen(report: PersonalReport) -> int:
    """CR015 贷款本月应还合计: by account, or the six months' average of the summary when no account says it."""
    due = [
        loan.latest_month.due_fen for loan in _open_loans(report) if loan.latest_month and loan.latest_month.due_fen is not None
    ]
    if due or not report.summary:
        return sum(due)
    parts = (report.summary.non_revolving, report.summary.revolving_sub, report.summary.revolving)
    return sum(part.due_month_fen or 0 for part in parts if part)


def card_limit_fen(report: PersonalReport) -> int:
    """CR016 信用卡授信总额."""
    stated = _card_summary(report).limit_fen
    return stated if stated is not None else sum(limits_by_institution(_live_cards(report)).values())


def card_utilisation(report: PersonalReport) -> Value:
    """CR017 信用卡额度使用率; None without a limit."""
    used = _card_summary(report).used_fen
    if used is None:
        used = sum((card.latest_month.used_fen or 0) for card in _live_cards(report) if card.latest_month)
    return _ratio(used, card_limit_fen(report))


def card_utilisation_6m(report: PersonalReport) -> Value:
    """CR018 信用卡近6月平均使用率; None without a limit."""
    used = _card_summary(report).used_average_fen
    if used is None:
        used = sum((card.latest_month.used_average_fen or 0) for card in _live_cards(report) if card.latest_month)
    return _ratio(used, card_limit_fen(report))


def institution_limit_max_fen(report: PersonalReport) -> int:
    """CR019 单家机构最高授信额."""
    stated = _card_summary(report).institution_max_fen
    return stated if stated is not None else max(limits_by_institution(_live_cards(report)).values(), default=0)


def liability_balance_fen(report: PersonalReport) -> int:
    """CR020 对外担保或相关还款责任余额."""
    if report.summary and report.summary.liabilities:
        return sum(each.balance_fen or 0 for each in report.summary.liabilities.kinds)
    return sum(each.basics.balance_fen or 0 for each in report.liabilities if each.basics)


def inquiring_institutions_1m(report: PersonalReport) -> int:
    """CR021 近1月贷款及信用卡审批查询机构数."""
    stated = report.query_summary.counts if report.query_summary else None
    counts = stated or query_counts(report.queries, _day(report))
    return (counts.loan_institutions_1m or 0) + (counts.card_institutions_1m or 0)


def approval_queries_6m(report: PersonalReport) -> int:
    """CR022 近6月审批类查询次数."""
    since = add_months(_day(report), -6)
    return sum(query.reason in APPROVAL_REASONS and query.queried_on >= since for query in report.queries)


def public_negatives_count(report: PersonalReport) -> int:
    """CR023 公共不良记录数: tax arrears, judgments, enforcements, penalties. What ended five years ago no longer counts."""
    since = add_months(_day(report), -ADVERSE_MONTHS)
    ended: list[date | None] = [
        *(each.basics.counted_on if each.basics else None for each in report.tax_arrears),
        *(each.basics.effective_on if each.basics else None for each in report.judgments),
        *(each.basics.closed_on if each.basics else None for each in report.enforcements),
        *((each.basics.until_on or each.basics.effective_on) if each.basics else None for each in report.penalties),
    ]
    return sum(on is None or on >= since for on in ended)


def last_loan_months(report: PersonalReport) -> int | None:
    """CR032 人行非循环贷最近放款距今月."""
    opened = [each.basics.opened_on for each in of_type(report.accounts, [AccountType.NON_REVOLVING])]
    return months_apart(max(opened), _day(report)) if opened else None


def consumer_finance_ratio(report: PersonalReport) -> Value:
    """CR033 人行消费金融类账户占比: of consumer finance and micro-loan companies."""
    accounts = _credit(report)
    return _ratio(sum(each.basics.institution_kind in CONSUMER_FINANCE_ORGS for each in accounts), len(accounts))


def bad_special_trades_count(report: PersonalReport) -> int:
    """CR034 人行特殊交易不良次数: within five years, or undated."""
    since = add_months(_day(report), -ADVERSE_MONTHS)
    return sum(
        trade.kind in BAD_SPECIAL_TRADES and (trade.traded_on is None or trade.traded_on >= since)
        for account in report.accounts
        if account.special_trades
        for trade in account.special_trades.trades
    )


def score(report: PersonalReport) -> int | None:
    """CR035 人行数字解读分."""
    return report.score.score if report.score else None


CORE: Mapping[str, Callable[[PersonalReport], Value]] = MappingProxyType(
    {
        "pboc_acct_total_cnt": accounts_count,
        "pboc_open_loan_cnt": open_loans_count,
        "pboc_open_card_cnt": live_cards_count,
        "pboc_credit_history_months": history_months,
        "pboc_last_open_months": last_opened_months,
        "pboc_cur_overdue_acct_cnt": overdue_accounts_count,
        "pboc_cur_overdue_amt": overdue_fen,
        "pboc_max_overdue_24m": worst_instalments_24m,
        "pboc_overdue_months_60m": overdue_months_60m,
        "pboc_max_consec_overdue_12m": longest_overdue_12m,
        "pboc_m2plus_cnt_6m": two_late_6m,
        "pboc_bad_debt_cnt": bad_debts_count,
        "pboc_non_normal_class_cnt": non_normal_class_count,
        "pboc_loan_balance": loan_balance_fen,
        "pboc_loan_month_due": loan_due_fen,
        "pboc_card_limit_total": card_limit_fen,
        "pboc_card_util": card_utilisation,
        "pboc_card_util_6m": card_utilisation_6m,
        "pboc_max_inst_limit": institution_limit_max_fen,
        "pboc_guarantee_balance": liability_balance_fen,
        "pboc_inq_org_1m": inquiring_institutions_1m,
        "pboc_inq_cnt_6m": approval_queries_6m,
        "pboc_public_negative_cnt": public_negatives_count,
    }
)
FURTHER: Mapping[str, Callable[[PersonalReport], Value]] = MappingProxyType(
    {
        "pboc_d1_last_months": last_loan_months,
        "pboc_consumer_fin_ratio": consumer_finance_ratio,
        "pboc_special_bad_cnt": bad_special_trades_count,
        "pboc_score": score,
    }
)


def indicators_of(report: PersonalReport, names: Iterable[str] | None = None) -> dict[str, Value]:
    """The named indicators of a report, or all 27, by the names of the indicator catalogue."""
    known = {**CORE, **FURTHER}
    wanted: Sequence[str] = list(known) if names is None else list(names)
    return {name: known[name](report) for name in wanted}
