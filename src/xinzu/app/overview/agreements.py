"""An agreement as the lines of its page: what it stands at, its instalments, charges, costs and what was done to it by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from xinzu.app.overview.words import state_text, value_text
from xinzu.back.billing import api as billing
from xinzu.back.billing.errors import AccountMissing
from xinzu.back.billing.schemas import AccountView, AdjustmentView, ChargeView, InstalmentView
from xinzu.kernel.money import Money
from xinzu.kernel.terms import AgreementTerms
from xinzu.middle.agreements import api as agreements
from xinzu.platform.uow import ReadSession

Line = Mapping[str, object]
_ROLES = ("rent", "principal", "interest", "fee")


async def agreement_page(read: ReadSession, agreement_id: UUID, english: bool) -> Line:
    """Everything the page shows of an agreement; what there is no account for yet is empty."""
    agreement = await agreements.agreement(read, agreement_id)
    table = billing.cost_table(agreement.terms, agreement.commencement_on or read.business_date)
    shown: dict[str, object] = {
        "costs": _costs(table, english),
        "instalments": [],
        "charges": [],
        "adjustments": [],
        "standing": [],
    }
    try:
        account = await billing.account_of(read, agreement_id)
    except AccountMissing:
        return shown
    legs = await billing.instalments_of(read, agreement_id)
    roles = [role for role in _ROLES if any(leg.role == role for leg in legs)]
    return shown | {
        "standing": _standing(account, agreement.terms, table, english),
        "roles": [value_text(role, english) for role in roles],
        "instalments": instalment_lines(legs, roles, english),
        "charges": [_charge(charge, english) for charge in await billing.charges_of(read, agreement_id)],
        "adjustments": [_adjustment(row, english) for row in await billing.adjustments_of(read, agreement_id)],
    }


def instalment_lines(legs: Sequence[InstalmentView], roles: Sequence[str], english: bool) -> list[Line]:
    """One line per instalment, its legs side by side in the order of ``roles``; of each version of the schedule that is or was in force."""
    lines: list[Line] = []
    ordered = sorted(legs, key=lambda leg: (leg.due_on, leg.version, leg.number))
    for (number, version), group in groupby(ordered, key=lambda leg: (leg.number, leg.version)):
        together = list(group)
        by_role = {leg.role: leg for leg in together}
        word, tone = state_text(_state_of(together), english)
        lines.append(
            {
                "number": number,
                "version": version,
                "period": f"{together[0].from_on} – {together[0].to_on}",
                "due_on": together[0].due_on,
                "legs": [
                    None if (leg := by_role.get(role)) is None else {"id": leg.id, "amount": Money(leg.amount_fen)}
                    for role in roles
                ],
                "amount": Money(sum(leg.amount_fen for leg in together)),
                "paid": Money(sum(leg.paid_fen for leg in together)),
                "state": word,
                "tone": tone,
            }
        )
    return lines


def _state_of(legs: Sequence[InstalmentView]) -> str:
    """The state of legs that fall due together: the worst of those that still stand, part paid when money has come for what is due."""
    states = {leg.state for leg in legs if leg.state != "cancelled"}
    if not states:
        return "cancelled"
    worst = next(state for state in ("overdue", "due", "scheduled", "paid") if state in states)
    return "part_paid" if worst == "due" and any(leg.paid_fen for leg in legs) else worst


def _standing(account: AccountView, terms: AgreementTerms, table: billing.CostTable, english: bool) -> list[tuple[str, object]]:
    """Balances, rate and annual cost as name and value."""
    words: list[tuple[str, str, object]] = [
        ("应付余额", "Balance due", Money(account.balance_due_fen)),
        ("溢缴余额", "Credit balance", Money(account.credit_balance_fen)),
    ]
    if account.principal_fen is not None:
        words.append(("剩余本金", "Principal outstanding", Money(account.principal_fen)))
    if account.next_due is not None:
        next_due = account.next_due
        words.append(("下期应付", "Next due", f"{next_due.due_on} · {Money(next_due.amount_fen)}"))
    words.append(("风险分类", "Risk class", value_text(account.asset_class, english)))
    if account.provision_fen:
        words.append(("减值准备", "Allowance", Money(account.provision_fen)))
    if table.annual_rate_pct is not None:
        words.append(("年利率", "Annual rate", f"{table.annual_rate_pct} %"))
    cost_pct = table.annual_cost_pct or terms.annual_cost_pct
    if cost_pct is not None:
        words.append(("综合年化成本", "All-in annual cost", f"{Decimal(cost_pct):.2f} %"))
    if account.written_off_on is not None:
        words.append(("核销日", "Written off on", account.written_off_on))
    return [(en if english else zh, value) for zh, en, value in words]


def _charge(charge: ChargeView, english: bool) -> Line:
    open_fen = charge.amount_fen - charge.paid_fen - charge.cancelled_fen
    word, tone = state_text("due" if open_fen else "paid" if charge.paid_fen or not charge.amount_fen else "cancelled", english)
    return {
        "id": charge.id,
        "kind": value_text(charge.kind, english),
        "due_on": charge.due_on,
        "amount": Money(charge.amount_fen),
        "paid": Money(charge.paid_fen),
        "state": word,
        "tone": tone,
    }


def _adjustment(row: AdjustmentView, english: bool) -> Line:
    return {
        "made_on": row.made_on,
        "kind": value_text(row.kind, english),
        "amount": Money(row.amount_fen),
        "reason": row.reason,
        "made_by": row.made_by,
    }


def _costs(table: billing.CostTable, english: bool) -> list[Line]:
    return [
        {
            "what": line.what_en if english else line.what_zh,
            "who": line.who_en if english else line.who_zh,
            "when": line.when_en if english else line.when_zh,
            "how_much": line.how_much_en if english else line.how_much_zh,
            "amount": "" if line.amount_fen is None else Money(line.amount_fen),
        }
        for line in table.lines
    ]
