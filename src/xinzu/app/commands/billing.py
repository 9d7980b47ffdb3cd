"""``xinzu billing``: the close of business, the comparison of books and billing, and what an agreement owes and why, as tables."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xinzu.app.commands import refusals_as_sentences
from xinzu.app.process import open_runtime
from xinzu.back.billing import api as billing
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.money import to_yuan
from xinzu.platform.actor import system_actor
from xinzu.platform.observe.logs import configure_logs
from xinzu.platform.runtime import Runtime
from xinzu.platform.settings import Settings, load_settings
from xinzu.platform.uow import ReadSession
from xinzu.records.ledger import api as ledger

app = typer.Typer(no_args_is_help=True)
T = TypeVar("T")
ACTOR = system_actor("command_line")
DIFFERS = 1
DAY = ["%Y-%m-%d"]

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's short name.")]
English = Annotated[bool, typer.Option("--en", help="Headings in English.")]

_REPORT = {
    "fell_due_count": ("次日到期款项（笔）", "fall due on the next day"),
    "became_overdue_count": ("新逾期款项（笔）", "became overdue"),
    "delinquent_count": ("逾期合同（份）", "agreements in arrears"),
    "reclassified_count": ("资产分类变动（份）", "agreements reclassified"),
    "differing_count": ("账实不符科目（个）", "accounts that differ"),
    "late_fee_fen": ("滞纳金（元）", "late fees (yuan)"),
    "income_fen": ("确认收入（元）", "income (yuan)"),
    "accrued_fen": ("月末计提（元）", "accrued at the month's end (yuan)"),
    "provision_fen": ("减值准备变动（元）", "allowance for losses (yuan)"),
}
_KINDS = {
    "rent": ("租金", "rent"),
    "principal": ("本金", "principal"),
    "interest": ("利息", "interest"),
    "fee": ("手续费", "fee"),
    "late_fee": ("滞纳金", "late fee"),
    "damage": ("损坏赔偿", "damage"),
    "early_return": ("提前退租违约金", "early return fee"),
    "prepayment_fee": ("提前还款违约金", "prepayment fee"),
    "buyout": ("留购价", "buy-out price"),
    "termination_loss": ("解约损失", "loss on termination"),
}


@app.command()
def close(
    tenant: Tenant,
    on: Annotated[
        datetime | None, typer.Option("--date", formats=DAY, help="The business date; default: the one whose turn it is.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the close would do.")] = False,
    english: English = False,
) -> None:
    """Close a finished business date, or see what closing it would do. A closed date stays as it is."""

    async def run(runtime: Runtime, tenant_id: int) -> billing.DayReport | None:
        async with runtime.reading(tenant_id) as read:
            finished = await billing.days_to_close(read)
        business_date = on.date() if on else next(iter(finished), None)
        return None if business_date is None else await _close(runtime, tenant_id, business_date, dry_run=dry_run)

    report = _with_tenant(tenant, run)
    if report is None:
        typer.echo("Nothing to close: every finished day is closed." if english else "没有待日终的营业日。")
    else:
        _show_reports([report], english=english)


@app.command("catch-up")
def catch_up(
    tenant: Tenant,
    until: Annotated[datetime | None, typer.Option("--until", formats=DAY, help="The last date; default: yesterday.")] = None,
    wait: Annotated[
        int, typer.Option("--wait", min=0, max=3_600, help="Seconds to wait for what fell due to be handed over.")
    ] = 60,
    english: English = False,
) -> None:
    """Close all finished business dates in order, each in a transaction of its own; stopped anywhere, the next call goes on.

    When a date makes something fall due, the next one waits until that was handed over for collection (the worker must run): nobody is
    late for what was not asked for (Civil Code art. 589).
    """
    reports: list[billing.DayReport] = []

    async def run(runtime: Runtime, tenant_id: int) -> list[date]:
        async with runtime.reading(tenant_id) as read:
            waiting = [day for day in await billing.days_to_close(read) if until is None or day <= until.date()]
        while waiting:
            day = waiting.pop(0)
            reports.append(await _close(runtime, tenant_id, day, dry_run=False))
            typer.echo(f"{day}  ({len(waiting)} …)", err=True)
            if waiting and reports[-1].fell_due_count and not await _handed_over(runtime, tenant_id, wait):
                return waiting
        return []

    left = _with_tenant(tenant, run)
    _show_reports(reports, english=english)
    if left:
        typer.secho(
            f"Stopped before {left[0]}: what fell due is not handed over for collection. Is the worker running?"
            if english
            else f"停在 {left[0]} 之前：到期款项尚未交付催收。worker 是否在运行？",
            err=True,
            fg=typer.colors.RED,
        )
        raise typer.Exit(DIFFERS)


@app.command()
def reconcile(tenant: Tenant, english: English = False) -> None:
    """Compare every account billing keeps with the ledger. Exit code 1 when one differs."""

    async def run(runtime: Runtime, tenant_id: int) -> list[billing.Reconciled]:
        async with runtime.reading(tenant_id) as read:
            return await billing.reconcile(read)

    lines = _with_tenant(tenant, run)
    table = _table(
        ("account", "ledger", "billing", "difference") if english else ("科目", "总账", "业务账", "差额"), amounts_from=1
    )
    for line in lines:
        colour = "red" if line.difference_fen else ""
        table.add_row(
            line.account, to_yuan(line.ledger_fen), to_yuan(line.billing_fen), Text(to_yuan(line.difference_fen), style=colour)
        )
    Console().print(table)
    differing = sum(line.difference_fen != 0 for line in lines)
    if differing:
        typer.secho(f"{differing} accounts differ" if english else f"{differing} 个科目不符", err=True, fg=typer.colors.RED)
        raise typer.Exit(DIFFERS)
    typer.echo("Books and billing agree." if english else "账实相符。")


@app.command("trial-balance")
def trial_balance(
    tenant: Tenant,
    on: Annotated[datetime | None, typer.Option("--date", formats=DAY, help="Up to this date; default: today.")] = None,
    english: English = False,
) -> None:
    """The trial balance up to a date, and its digest, which closing the books keeps as evidence."""

    async def run(runtime: Runtime, tenant_id: int) -> ledger.TrialBalance:
        async with runtime.reading(tenant_id) as read:
            return await ledger.trial_balance(read, on.date() if on else read.business_date)

    balance = _with_tenant(tenant, run)
    headings = ("account", "", "debits", "credits", "balance") if english else ("科目", "名称", "借方", "贷方", "余额")
    table = _table(headings, amounts_from=2)
    for line in balance.lines:
        if line.debit_fen or line.credit_fen:
            name = line.account.name_en if english else line.account.name_zh
            table.add_row(line.account.code, name, to_yuan(line.debit_fen), to_yuan(line.credit_fen), to_yuan(line.balance_fen))
    table.add_section()
    table.add_row("", "total" if english else "合计", to_yuan(balance.debit_fen), to_yuan(balance.credit_fen), "")
    Console().print(table)
    typer.echo(f"{balance.on}  sha256 {ledger.trial_balance_sha256(balance.lines)}")


@app.command()
def account(
    agreement_id: Annotated[str, typer.Argument(help="The agreement's id (agr_…).")], tenant: Tenant, english: English = False
) -> None:
    """What an agreement owes, and why each amount is what it is."""
    try:
        agreement = parse_id(Prefix.AGREEMENT, agreement_id)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from None

    async def run(runtime: Runtime, tenant_id: int) -> tuple[billing.AccountView, list[_Owed]]:
        async with runtime.reading(tenant_id) as read:
            shown = await billing.account_of(read, agreement)
            return shown, [(item, await billing.why(read, agreement, item[0])) for item in await _open_items(read, agreement)]

    shown, owed = _with_tenant(tenant, run)
    table = _table(
        ("due", "for", "amount", "paid", "open", "why") if english else ("应还日", "款项", "金额", "已付", "未付", "依据"), 2
    )
    table.columns[5].justify = "left"
    for (_, due_on, kind, amount_fen, paid_fen, open_fen), why in owed:
        words = why.words_en if english else why.words_zh
        name = _KINDS.get(kind, (kind, kind))[english]
        table.add_row(due_on.isoformat(), name, to_yuan(amount_fen), to_yuan(paid_fen), to_yuan(open_fen), words)
    Console().print(table)
    figures = (
        to_yuan(shown.balance_due_fen),
        to_yuan(shown.overdue_fen),
        shown.days_past_due,
        to_yuan(shown.credit_balance_fen),
        shown.asset_class,
    )
    typer.echo(
        "Owed {} yuan, of it overdue {} for {} days; credit balance {}; class {}".format(*figures)
        if english
        else "应付 {} 元，其中逾期 {} 元 {} 天；溢缴款 {} 元；资产分类 {}".format(*figures)
    )
    if shown.shares_fen:
        shares = to_yuan(shown.shares_fen)
        typer.echo(f"Partners' shares in it so far {shares} yuan" if english else f"合作方分成累计 {shares} 元")


# Item, due date, kind, amount, paid and open in fen.
_Item = tuple[UUID, date, str, int, int, int]
_Owed = tuple[_Item, billing.AmountWhy]


async def _open_items(read: ReadSession, agreement_id: UUID) -> Sequence[_Item]:
    legs = [
        (parse_id(Prefix.INSTALMENT, leg.id), leg.due_on, leg.role, leg.amount_fen - leg.cancelled_fen, leg.paid_fen)
        for leg in await billing.instalments_of(read, agreement_id)
        if leg.state in {"due", "overdue"}
    ]
    charges = [
        (parse_id(Prefix.CHARGE, each.id), each.due_on, each.kind, each.amount_fen - each.cancelled_fen, each.paid_fen)
        for each in await billing.charges_of(read, agreement_id)
    ]
    items = [(*item, item[3] - item[4]) for item in [*legs, *charges] if item[3] > item[4]]
    return sorted(items, key=lambda item: (item[1], item[2]))


async def _close(runtime: Runtime, tenant_id: int, business_date: date, *, dry_run: bool) -> billing.DayReport:
    async with runtime.unit(tenant_id, ACTOR) as uow:
        return await billing.close_day(uow, business_date, dry_run=dry_run)


async def _handed_over(runtime: Runtime, tenant_id: int, seconds: int) -> bool:
    """Whether the tenant's events have reached their subscribers, waiting for it a while."""
    for turn in range(seconds + 1):
        if turn:
            await asyncio.sleep(1)
        async with runtime.reading(tenant_id) as read:
            if not await read.scalar(
                "SELECT EXISTS (SELECT 1 FROM platform_delivery WHERE tenant_id = :tenant AND state = 'pending')"
            ):
                return True
    return False


def _with_tenant(slug: str, run: Callable[[Runtime, int], Awaitable[T]]) -> T:
    """Run something for a tenant over the configured database; a refusal is one sentence and exit code 1. Progress goes to standard error."""
    settings = Settings.model_validate({**load_settings().model_dump(), "log_format": "console"})
    configure_logs(settings, "billing")

    async def opened() -> T:
        async with open_runtime(settings, pool_size=1) as runtime:
            return await run(runtime, await runtime.tenant_id_of(slug))

    with refusals_as_sentences():
        return asyncio.run(opened())


def _show_reports(reports: Sequence[billing.DayReport], *, english: bool) -> None:
    """A column for each date, a row for each figure."""
    if not reports:
        typer.echo("Nothing to close: every finished day is closed." if english else "没有待日终的营业日。")
        return
    table = _table(("", *(report.business_date.isoformat() for report in reports[-7:])), amounts_from=1)
    figures = [msgspec.structs.asdict(report) for report in reports[-7:]]
    for name, words in _REPORT.items():
        if name in figures[0]:
            shown = (to_yuan(each[name]) if name.endswith("_fen") else str(each[name]) for each in figures)
            table.add_row(words[english], *shown)
    Console().print(table)
    if reports[-1].dry_run:
        typer.echo("A dry run: nothing was changed." if english else "试算：未作任何更改。")
    elif reports[-1].was_closed:
        typer.echo("The date had been closed before." if english else "该营业日此前已日终。")
    elif len(reports) > len(figures):
        typer.echo(
            f"{len(reports)} days closed; the last {len(figures)} are shown."
            if english
            else f"已日终 {len(reports)} 天，仅列最近 {len(figures)} 天。"
        )


def _table(headings: Sequence[str], amounts_from: int) -> Table:
    table = Table(*headings)
    for column in table.columns[amounts_from:]:
        column.justify = "right"
    return table
