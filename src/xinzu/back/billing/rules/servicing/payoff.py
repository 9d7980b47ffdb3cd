"""What it takes to be free of an agreement on a date (提前结清)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from xinzu.back.billing.model import Role
from xinzu.back.billing.rules.schedules.terms import refused
from xinzu.back.billing.rules.servicing.accrued import accrued_to, timeline
from xinzu.back.billing.rules.servicing.change import Change, Raised, not_before, row_due_now, whole, why
from xinzu.back.billing.rules.servicing.position import Position
from xinzu.back.billing.rules.servicing.prepayment import FEE_PCT_MAX, arrears_of, fee_of
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoff:
    """Everything is paid on a date. ``fee_pct`` is the agreed fee in percent of the principal that was not due yet."""

    on: BusinessDate
    fee_pct: Decimal = Decimal(0)


def pay_off(position: Position, event: Payoff) -> Change:
    """The payoff amount: what is owed anyway, the principal to come (a lease's residual with it), the interest accrued to the date by
    actual days (Civil Code art. 677), the agreed fee within its cap, and the price of ownership.

    Interest and fees of rows to come fall away: ``rebate_fen`` is the interest not asked for. Interest paid ahead is credited. A flat
    contract's interest is counted by the actuarial method (see ``accrued_to``): neither by equal parts, which would understate what was
    earned early, nor by the rule of 78, which would overstate it. Raises Invalid for a rental, a date before the position's, or when
    nothing is open.
    """
    not_before(event.on, position.as_of)
    if not (event.fee_pct.is_finite() and 0 <= event.fee_pct <= FEE_PCT_MAX):
        raise refused("fee_pct", "须为 0 至 100 之间的百分数", "must be a percentage from 0 to 100")
    terms = position.financed
    accruals = timeline(terms)
    asked = sum(accrual.period.due_on <= event.on for accrual in accruals)
    if any(fen for drawn_on, fen in terms.disbursements if drawn_on > event.on):
        raise refused("on", "尚有未放款项：请先撤销", "comes before a tranche is drawn: cancel the tranche first")
    to_come = [leg for leg in position.legs if (position.row_of(leg) or 0) > asked]
    accrued = accrued_to(position, event.on)
    pausing_fen = position.pause.capitalised_fen if position.pause and event.on < position.pause.to_on else 0
    principal_fen = sum(leg.open_fen for leg in to_come if leg.role is Role.PRINCIPAL) - pausing_fen
    interest = [leg for leg in to_come if leg.role is Role.INTEREST]
    paid_ahead_fen = sum(leg.paid_fen for leg in to_come if leg.role in (Role.INTEREST, Role.FEE))
    interest_fen = max(accrued.interest_fen - paid_ahead_fen, 0)
    arrears_fen = arrears_of(position, to_come, event.on)
    if not principal_fen and not arrears_fen and not position.buyout_fen:
        raise refused("on", "已无未付款项", "finds nothing open: there is nothing to settle")
    rebate_fen = max(sum(leg.open_fen for leg in interest) + pausing_fen - interest_fen, 0)
    charges = fee_of(event.fee_pct, principal_fen, rebate_fen)
    if position.buyout_fen:
        words = ("合同约定的留购价款", "The agreed price of ownership at the end of the lease")
        charges = (*charges, Raised("buyout", position.buyout_fen, why("agreed_buyout", *words, agreed_fen=position.buyout_fen)))
    number = position.first_number + asked
    amounts = {Role.PRINCIPAL: principal_fen, Role.INTEREST: interest_fen if principal_fen else 0}
    new_legs = row_due_now(position, event.on, accrued.since_on, number, amounts)
    total_fen = sum(leg.amount_fen for leg in new_legs) + sum(charge.amount_fen for charge in charges)
    change = Change(
        kind="payoff",
        on=event.on,
        why=why(
            "payoff",
            f"结清金额 = 未到期本金 + 计至 {event.on} 的利息 + 已到期未付 + 约定费用与留购价；未到期利息免收",
            f"Principal to come + interest to {event.on} + what is owed anyway + agreed fee and price; later interest falls away",
            principal_fen=principal_fen,
            accrued_fen=accrued.interest_fen,
            paid_ahead_fen=paid_ahead_fen,
            arrears_fen=arrears_fen,
            rebate_fen=rebate_fen,
        ),
        version=position.next_version,
        falls_away=whole(to_come),
        new_legs=new_legs,
        charges=charges,
        accrued=accrued,
        arrears_fen=arrears_fen,
        due_now_fen=total_fen + arrears_fen,
        rebate_fen=rebate_fen,
    )
    return replace(change, credit_fen=max(paid_ahead_fen - accrued.interest_fen, 0))
