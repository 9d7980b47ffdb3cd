"""What contradicts itself in a report. A problem refuses the report, because a decision would rest on it; a doubt is told and kept.

A problem: an account's status is none of its type, rows are missing that the report counted, a month stands twice or lies after the
report, an account ends before it begins. A doubt: a summary differs from what the accounts add up to, or two histories from one another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date

from xinzu.kernel.errors import FieldError
from xinzu.middle.credit.rules.pboc.accounts import month_number
from xinzu.middle.credit.rules.pboc.codes import ACCOUNT_STATUS_ZH, ACCOUNT_TYPE_ZH
from xinzu.middle.credit.rules.pboc.nodes.account import Account
from xinzu.middle.credit.rules.pboc.nodes.report import PersonalReport
from xinzu.middle.credit.rules.pboc.nodes.summaries import CreditSummary, QueryCounts
from xinzu.middle.credit.rules.pboc.summary import credit_summary, query_counts


def problems_of(report: PersonalReport) -> list[FieldError]:
    """Why the report must not be used; empty when it may. Each names the node's path and what to do."""
    reported_on = report.header.identity.reported_at.date()
    found: list[FieldError] = []
    for number, account in enumerate(report.accounts):
        found += _account_problems(account, f"/Document/PDA/PD01[{number + 1}]", reported_on)
    for number, query in enumerate(report.queries):
        if query.queried_on > reported_on:
            found.append(_after_report(f"/Document/POQ/PH01[{number + 1}]/PH010R01"))
    return found


def doubts_of(report: PersonalReport) -> list[FieldError]:
    """Where the report disagrees with itself although it can be used. Each names the node's path."""
    found = [doubt for number, account in enumerate(report.accounts) for doubt in _histories(account, number + 1)]
    if report.summary:
        found += _differences(
            "/Document/PCO/PC02", report.summary, credit_summary(report.accounts, report.liabilities) or CreditSummary()
        )
    if report.query_summary and report.query_summary.counts:
        reported_on = report.header.identity.reported_at.date()
        found += _differences(
            "/Document/PQO/PC05/PC05B",
            report.query_summary.counts,
            query_counts(report.queries, reported_on),
            not_ours=("own_queries_1m",),
        )
    return found


def _account_problems(account: Account, path: str, reported_on: date) -> Iterator[FieldError]:
    allowed = ACCOUNT_STATUS_ZH[account.type]
    for tag, status in (
        ("PD01B/PD01BD01", account.latest.status if account.latest else None),
        ("PD01C/PD01CD01", account.latest_month.status if account.latest_month else None),
    ):
        if status is not None and status not in allowed:
            codes = "、".join(allowed)
            yield _problem(
                f"{path}/{tag}",
                "status_not_of_type",
                f"{ACCOUNT_TYPE_ZH[account.type]}没有账户状态 {status}（可为 {codes}），请核对账户类型或状态",
                f"an account of type {account.type} has no status {status} (only {codes}): check type or status",
            )
    if account.basics.opened_on > reported_on:
        yield _after_report(f"{path}/PD01A/PD01AR01")
    closed_on = account.latest.closed_on if account.latest else None
    if closed_on and closed_on < account.basics.opened_on:
        yield _problem(
            f"{path}/PD01B/PD01BR01",
            "closed_before_opened",
            "关闭日期早于开立日期，请更正其中之一",
            "the account closes before it opens: correct one of the dates",
        )
    yield from _missing_rows(account, path)
    if account.last_60_months:
        yield from _month_problems([row.month for row in account.last_60_months.months], f"{path}/PD01E/PD01EH", reported_on)
    if account.last_24_months:
        yield from _month_problems([row.month for row in account.last_24_months.months], f"{path}/PD01D/PD01DH", reported_on)


def _missing_rows(account: Account, path: str) -> Iterator[FieldError]:
    history, trades, events, large = (
        account.last_60_months,
        account.special_trades,
        account.special_events,
        account.large_instalments,
    )
    for tag, counted, rows in (
        ("PD01E/PD01ES01", history and history.months_count, history and history.months),
        ("PD01F/PD01FS01", trades and trades.trades_count, trades and trades.trades),
        ("PD01G/PD01GS01", events and events.events_count, events and events.events),
        ("PD01H/PD01HS01", large and large.instalments_count, large and large.instalments),
    ):
        if counted is not None and counted != len(rows or ()):
            yield _problem(
                f"{path}/{tag}",
                "rows_missing",
                f"报告写明 {counted} 条，实有 {len(rows or ())} 条，请重新导出完整报告",
                f"the report counts {counted} rows and holds {len(rows or ())}: export the whole report again",
            )


def _month_problems(months: Sequence[date], path: str, reported_on: date) -> Iterator[FieldError]:
    for month, times in Counter(months).items():
        if times > 1:
            yield _problem(
                path, "month_twice", f"{month:%Y-%m} 出现多次，请删除重复月份", f"{month:%Y-%m} stands twice: remove one"
            )
        if month_number(month) > month_number(reported_on):
            yield _after_report(path)


def _histories(account: Account, number: int) -> Iterator[FieldError]:
    """Months whose status differs between the 24 months and the five years."""
    if not account.last_24_months or not account.last_60_months:
        return
    longer = {row.month: row.status for row in account.last_60_months.months}
    for row in account.last_24_months.months:
        other = longer.get(row.month, row.status)
        if other != row.status:
            yield _problem(
                f"/Document/PDA/PD01[{number}]/PD01D/PD01DH",
                "histories_differ",
                f"{row.month:%Y-%m} 在24个月记录中为 {row.status}，在5年记录中为 {other}，以5年记录计算；请向出具机构核实",
                f"{row.month:%Y-%m} is {row.status} in the 24 months and {other} in the five years, which is used: ask the institution",
            )


def _differences(path: str, stated: object, added_up: object, not_ours: Sequence[str] = ()) -> Iterator[FieldError]:
    """Figures of a summary that differ from what the details add up to, by the tag of the figure."""
    for each in fields(stated):  # type: ignore[arg-type]
        if each.name in not_ours:
            continue
        said, computed = getattr(stated, each.name), getattr(added_up, each.name)
        if isinstance(said, int) and said != (computed or 0):
            declared = each.metadata["node"]
            tag = path[-5:] + declared.tag[1:] if declared.tag.startswith("*") else declared.tag
            yield _problem(
                f"{path}/{tag}",
                "summary_differs",
                f"概要为 {said}，明细合计为 {computed or 0}（金额以分计）；请向出具机构核实",
                f"the summary says {said}, the details add up to {computed or 0} (amounts in fen): ask the institution",
            )
        elif isinstance(said, QueryCounts) or hasattr(said, "__dataclass_fields__"):
            below = f"{path}/{'/'.join(each.metadata['node'].path)}"
            yield from _differences(below, said, computed if computed is not None else type(said)())


def _after_report(path: str) -> FieldError:
    return _problem(path, "after_report", "日期晚于报告时间，请更正", "it lies after the report: correct the date")


def _problem(path: str, code: str, zh: str, en: str) -> FieldError:
    return FieldError(path, f"credit.{code}", f"{path}：{zh}", f"{path}: {en}")
