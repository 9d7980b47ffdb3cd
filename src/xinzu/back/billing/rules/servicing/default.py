"""What a lessor or lender may do when payment is not made after a demand, and what it must show first.

Nothing here happens without the legal ground: a demand, a reasonable time that has passed, and an amount that is still unpaid.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xinzu.back.billing.model import Leg, Role
from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.terms import AMOUNT_MAX_FEN, Unit, refused, within
from xinzu.back.billing.rules.servicing.accrued import accrued_to, timeline
from xinzu.back.billing.rules.servicing.change import Change, Raised, Reckoning, grounded, not_before, row_due_now, whole, why
from xinzu.back.billing.rules.servicing.position import Position
from xinzu.back.billing.rules.servicing.prepayment import arrears_of
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate

# The law says "a reasonable time"; a guard of the product, open to counsel. No tenant can lower it.
REASONABLE_DAYS_MIN = 15
# Finance lease interpretation art. 5 (2): without an agreed ground, two rents or fifteen percent of all rents.
UNPAID_RENTS_MIN = 2
UNPAID_SHARE_PCT_MIN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The demand for payment as it is on record: when it reached the debtor, the time it gave, the amount, and where the proof is."""

    demanded_on: BusinessDate
    period_days: int
    amount_fen: int
    proof_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration:
    """All that is to come is asked for at once. ``clause`` is the contract's, which a loan needs."""

    on: BusinessDate
    demand: Demand
    clause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """The contract ends for default. ``clause`` names the agreed ground. ``recovered_value_fen`` is what the recovered thing is worth by
    ``valuation_ref``, None until it is known; ``residual_fen`` its value at the regular end where the lessor would have owned it."""

    on: BusinessDate
    demand: Demand
    clause: str = ""
    recovered_value_fen: int | None = None
    valuation_ref: str = ""
    costs_fen: int = 0
    residual_fen: int = 0


class ValueBasis(StrEnum):
    """How the value of a recovered thing came to be known: agreed or appraised, or by what its sale brought, less the costs and taxes of it."""

    VALUATION = "valuation"
    SALE = "sale"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueKnown:
    """What the thing of a terminated finance lease is worth became known after the termination. ``value_ref`` is the agreement, the appraisal
    or the sale."""

    on: BusinessDate
    value_fen: int
    basis: ValueBasis
    value_ref: str


def unpaid_after(position: Position, demand: Demand, on: BusinessDate) -> list[Leg]:
    """The legs that a demand covers and that are still unpaid when its time has run out.

    Raises Invalid unless the demand is on record with proof, gave at least the guard's days, these have passed before ``on``, and of what
    had fallen due by the demand at least one fen is unpaid; it may not demand more than had fallen due.
    """
    grounded(demand.proof_ref, "demand.proof_ref")
    within("demand.period_days", demand.period_days, REASONABLE_DAYS_MIN, 3_650)
    ends_on = shift(Unit.DAY, 1, demand.demanded_on, demand.period_days)
    if on <= ends_on:
        raise refused("on", f"催告期限至 {ends_on} 届满，此前不得行使", f"must be after the time demanded has run out, {ends_on}")
    covered = [leg for leg in position.legs if leg.due_on <= demand.demanded_on]
    within("demand.amount_fen", demand.amount_fen, 1, max(sum(leg.standing_fen for leg in covered), 1))
    unpaid = [leg for leg in covered if leg.open_fen > 0]
    if not unpaid:
        raise refused("demand", "催告的款项已付清", "has been met: nothing that was due by then is unpaid")
    return unpaid


def accelerate(position: Position, event: Acceleration) -> Change:
    """All rents of a finance lease are due at once (Civil Code art. 752: unpaid within a reasonable time after demand), or what a loan
    owes: the principal, and interest only to the date.

    A finance lease's rents are the whole of every row, as art. 752 says "all rents". A rental has no such right: terminate it. One must
    choose: terminating as well is refused until a judgment for the rents has gone unpaid (finance lease interpretation art. 10).
    """
    not_before(event.on, position.as_of)
    if position.family is Family.RENTAL:
        raise refused(
            "family", "租赁不能要求支付全部未到期租金：请解除合同", "gives no right to rents not yet due: terminate the rental"
        )
    if position.family is Family.LOAN:
        grounded(event.clause, "clause")
    unpaid = unpaid_after(position, event.demand, event.on)
    asked = sum(accrual.period.due_on <= event.on for accrual in timeline(position.financed))
    to_come = [leg for leg in position.legs if (position.row_of(leg) or 0) > asked and leg.open_fen > 0]
    if not to_come:
        raise refused("on", "已无未到期款项", "leaves nothing to come: everything is due already")
    accrued = accrued_to(position, event.on)
    by_role = {
        role: sum(leg.open_fen for leg in to_come if leg.role is role) for role in (Role.PRINCIPAL, Role.INTEREST, Role.FEE)
    }
    rebate_fen = 0
    if position.family is Family.LOAN:
        pausing_fen = position.pause.capitalised_fen if position.pause and event.on < position.pause.to_on else 0
        interest_fen = by_role[Role.INTEREST] + pausing_fen
        rebate_fen = max(interest_fen - accrued.interest_fen, 0)
        by_role = {Role.PRINCIPAL: by_role[Role.PRINCIPAL] - pausing_fen, Role.INTEREST: interest_fen - rebate_fen}
    new_legs = row_due_now(position, event.on, accrued.since_on, position.first_number + asked, by_role)
    arrears_fen = arrears_of(position, to_come, event.on)
    is_lease = position.family is Family.FINANCE_LEASE
    return Change(
        kind="acceleration",
        on=event.on,
        why=why(
            "acceleration",
            "经催告在合理期限内仍未支付，要求支付全部租金（民法典第七百五十二条）"
            if is_lease
            else "经催告仍未支付，依合同约定宣布借款提前到期（民法典第五百六十三条）",
            "Unpaid within a reasonable time after demand: all rents are due (Civil Code art. 752)"
            if is_lease
            else "Unpaid after demand: the loan is called in as agreed (Civil Code art. 563)",
            **_shown(event.demand, unpaid),
            clause=event.clause,
            accelerated_fen=sum(leg.amount_fen for leg in new_legs),
        ),
        version=position.next_version,
        falls_away=whole(to_come),
        new_legs=new_legs,
        accrued=accrued,
        arrears_fen=arrears_fen,
        rebate_fen=rebate_fen,
        due_now_fen=arrears_fen + sum(leg.amount_fen for leg in new_legs),
    )


def terminate(position: Position, event: Termination) -> Change:
    """The contract ends for default, and what is to come falls away.

    Rental (Civil Code arts. 563, 722): rents of periods not begun fall away; what the return brings is settled by inspection. Finance
    lease (arts. 752, 758; interpretation arts. 5, 11): besides an agreed ground, two rents or 15 % of all must be unpaid; the lessee
    owes all unpaid rents, costs and, where the lessor would have owned the thing, its residual value, less what the recovered thing is
    worth. What it is worth beyond that goes to the lessee. A loan is called in, not terminated.
    """
    not_before(event.on, position.as_of)
    if position.family is Family.LOAN:
        raise refused("family", "借款请宣布提前到期", "must be a lease or a rental: call a loan in by acceleration")
    for name, fen in (
        ("costs_fen", event.costs_fen),
        ("residual_fen", event.residual_fen),
        ("recovered_value_fen", event.recovered_value_fen or 0),
    ):
        within(name, fen, 0, AMOUNT_MAX_FEN)
    if event.recovered_value_fen is not None:
        grounded(event.valuation_ref, "valuation_ref")
    unpaid = unpaid_after(position, event.demand, event.on)
    if position.family is Family.RENTAL:
        return _end_rental(position, event, unpaid)
    all_fen = sum(leg.standing_fen for leg in position.legs)
    unpaid_fen = sum(leg.open_fen for leg in unpaid)
    unpaid_rows = len({(leg.version, leg.number) for leg in unpaid})
    if not event.clause.strip() and unpaid_rows < UNPAID_RENTS_MIN and unpaid_fen * 100 < all_fen * UNPAID_SHARE_PCT_MIN:
        raise refused(
            "clause",
            "合同未约定解除条件的，须拖欠两期以上或达全部租金的百分之十五",
            "must name the agreed ground: without one, two rents or 15 % of all rents must be unpaid",
        )
    to_come = [leg for leg in position.legs if leg.due_on > event.on and leg.open_fen > 0]
    arrears_fen = arrears_of(position, to_come, event.on)
    loss_fen = sum(leg.open_fen for leg in to_come) + event.costs_fen + event.residual_fen
    reason = why(
        "termination_of_finance_lease",
        "解除合同、收回租赁物；承租人应付全部未付租金及费用，扣除收回物价值，超出部分返还承租人（民法典第七百五十二、七百五十八条）",
        "Terminated and recovered: all unpaid rents and costs less the recovered value; the excess is the lessee's (arts. 752, 758)",
        **_shown(event.demand, unpaid),
        clause=event.clause,
        rents_to_come_fen=sum(leg.open_fen for leg in to_come),
        arrears_fen=arrears_fen,
        costs_fen=event.costs_fen,
        residual_fen=event.residual_fen,
        recovered_value_fen=event.recovered_value_fen or 0,
        valuation_ref=event.valuation_ref,
    )
    owed_fen = arrears_fen + loss_fen
    known = event.recovered_value_fen is not None
    reckoning = reckon(owed_fen, event.recovered_value_fen or 0) if known else None
    return Change(
        kind="termination",
        on=event.on,
        why=reason,
        falls_away=whole(to_come),
        charges=(Raised("termination_loss", loss_fen, reason),) if loss_fen else (),
        arrears_fen=arrears_fen,
        due_now_fen=reckoning.shortfall_fen if reckoning else owed_fen,
        credit_fen=reckoning.surplus_fen if reckoning else 0,
        reckoning=reckoning,
    )


def settle_value(position: Position, event: ValueKnown) -> Change:
    """The recovered thing's value is set against all that is still owed of a terminated finance lease. What it is worth beyond that is the
    lessee's (Civil Code art. 758; interpretation art. 11), what it falls short stays owed.

    That the lease was terminated and its value not settled yet is for the caller to know.
    """
    not_before(event.on, position.as_of)
    if position.family is not Family.FINANCE_LEASE:
        raise refused("family", "仅适用于已解除的融资租赁合同", "must be a finance lease: only there is value set against rents")
    within("value_fen", event.value_fen, 1, AMOUNT_MAX_FEN)
    grounded(event.value_ref, "value_ref")
    owed_fen = arrears_of(position, (), event.on)
    reckoning = reckon(owed_fen, event.value_fen)
    return Change(
        kind="recovered_value",
        on=event.on,
        why=why(
            "value_of_recovered_thing",
            "收回租赁物的价值抵偿承租人所欠款项，超出部分返还承租人，不足部分承租人仍应清偿（民法典第七百五十八条）",
            "The recovered thing's value is set against what is owed: the excess is the lessee's, a shortfall stays owed (art. 758)",
            owed_fen=owed_fen,
            value_fen=event.value_fen,
            basis=event.basis.value,
            value_ref=event.value_ref,
        ),
        arrears_fen=owed_fen,
        due_now_fen=reckoning.shortfall_fen,
        credit_fen=reckoning.surplus_fen,
        reckoning=reckoning,
    )


def reckon(owed_fen: int, value_fen: int) -> Reckoning:
    """What is owed against what the recovered thing is worth (Civil Code art. 758).

    >>> reckon(300_000, 420_000).surplus_fen, reckon(300_000, 250_000).shortfall_fen
    (120000, 50000)
    """
    return Reckoning(owed_fen, value_fen, max(value_fen - owed_fen, 0), max(owed_fen - value_fen, 0))


def _end_rental(position: Position, event: Termination, unpaid: list[Leg]) -> Change:
    to_come = [leg for leg in position.legs if leg.from_on > event.on]
    arrears_fen = arrears_of(position, to_come, event.on)
    return Change(
        kind="termination",
        on=event.on,
        why=why(
            "termination_of_rental",
            "经催告在合理期限内仍未支付租金，解除租赁合同；未开始各期租金免收（民法典第五百六十三、七百二十二条）",
            "Rent unpaid within a reasonable time after demand: terminated; rents of periods not begun fall away (arts. 563, 722)",
            **_shown(event.demand, unpaid),
        ),
        falls_away=whole(to_come),
        arrears_fen=arrears_fen,
        due_now_fen=arrears_fen,
        credit_fen=sum(leg.paid_fen for leg in to_come),
    )


def _shown(demand: Demand, unpaid: list[Leg]) -> dict[str, object]:
    return {
        "demanded_on": demand.demanded_on,
        "period_days": demand.period_days,
        "demanded_fen": demand.amount_fen,
        "unpaid_fen": sum(leg.open_fen for leg in unpaid),
        "proof_ref": demand.proof_ref,
    }
