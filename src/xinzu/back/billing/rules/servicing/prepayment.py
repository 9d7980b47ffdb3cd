"""Principal paid ahead of its date (提前还款), by three policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum

from xinzu.back.billing.model import InstalmentState, Leg, Role
from xinzu.back.billing.rules.schedules.amortise import PRECISION, Row, plan
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import (
    AMOUNT_MAX_FEN,
    WEIGHTED,
    Method,
    ScheduleTerms,
    Timing,
    check,
    refused,
    within,
)
from xinzu.back.billing.rules.servicing.accrued import accrued_to
from xinzu.back.billing.rules.servicing.change import Change, Part, Raised, not_before, row_due_now, why
from xinzu.back.billing.rules.servicing.position import Position
from xinzu.back.billing.rules.servicing.remaining import Remaining, next_terms, remaining_of, replaced
from xinzu.kernel.money import Rounding, round_fen
from xinzu.kernel.time import BusinessDate

FEE_PCT_MAX = Decimal(100)
_ORDER = {Role.FEE: 0, Role.INTEREST: 1, Role.PRINCIPAL: 2}


class Prepaid(StrEnum):
    """What a prepayment changes: the instalments, the number of them, or only when the next ones are paid."""

    REDUCE_INSTALMENT = "reduce_instalment"
    REDUCE_TERM = "reduce_term"
    NEXT_INSTALMENTS = "next_instalments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepayment:
    """So much is paid ahead on a date. ``amount_fen`` is principal; for the next instalments it is all that they are paid with.

    ``fee_pct`` is the agreed fee in percent of the principal prepaid; ``least_fen`` the least that may be prepaid in part.
    """

    on: BusinessDate
    amount_fen: int
    policy: Prepaid
    fee_pct: Decimal = Decimal(0)
    least_fen: int = 1


def prepay(position: Position, event: Prepayment) -> Change:
    """What a partial prepayment does.

    By the first two policies the principal and the interest accrued to the date by actual days (Civil Code art. 677) are due at once and
    the rest is computed anew from the date: over the same due dates, or at the same instalment over fewer of them. Equal principal over
    fewer rows is spread evenly over the fewest that ask for no more than before. By the third the coming instalments are paid in order
    and nothing is computed: the interest stays. What was owed anyway is part of the money needed now. Raises Invalid when there is
    nothing to come, and for amounts below the least or not below the principal: then settle in full.
    """
    within("amount_fen", event.amount_fen, max(event.least_fen, 1), AMOUNT_MAX_FEN)
    if not (event.fee_pct.is_finite() and 0 <= event.fee_pct <= FEE_PCT_MAX):
        raise refused("fee_pct", "须为 0 至 100 之间的百分数", "must be a percentage from 0 to 100")
    if event.policy is Prepaid.NEXT_INSTALMENTS:
        return _next_instalments(position, event)
    if event.policy is Prepaid.REDUCE_TERM:
        not_before(event.on, position.as_of)  # a row that fell due since cannot fall away
    left = remaining_of(position, event.on, is_broken=True)
    most_fen = left.principal_fen - max(left.terms.balloon_fen, 1)
    if event.amount_fen > most_fen:
        raise refused(
            "amount_fen",
            f"部分提前还款最多 {most_fen} 分；请改为全部结清",
            f"must be at most {most_fen}: beyond that, settle in full",
        )
    accrued = accrued_to(position, event.on)
    is_on_row = event.on == left.from_on
    terms = next_terms(left, start_on=event.on, principal_fen=left.principal_fen - event.amount_fen, is_broken=not is_on_row)
    rows: Sequence[Row] = schedule_of(terms).rows
    if event.policy is Prepaid.REDUCE_TERM:
        terms, rows = _fewer(left, terms)
    number = position.first_number + left.asked
    amounts = {Role.PRINCIPAL: event.amount_fen, Role.INTEREST: accrued.interest_fen}
    forgone_fen = max(left.asks_fen(Role.INTEREST) - accrued.interest_fen - sum(row.interest_fen for row in rows), 0)
    to_come = [leg for leg in left.legs if leg.state is InstalmentState.SCHEDULED]
    arrears_fen = arrears_of(position, to_come, event.on)
    change = replaced(
        position,
        left,
        terms,
        rows,
        kind="prepayment",
        on=event.on,
        reason=why(
            f"prepayment_{event.policy.value}",
            f"提前归还本金 {event.amount_fen} 分，利息计至 {event.on}，余额重新计算（民法典第六百七十七条）",
            f"{event.amount_fen} fen of principal prepaid; interest to {event.on}; the rest computed anew (Civil Code art. 677)",
            policy=event.policy.value,
            principal_before_fen=left.principal_fen,
            prepaid_fen=event.amount_fen,
            accrued_fen=accrued.interest_fen,
            interest_saved_fen=forgone_fen,
        ),
        asked_now=row_due_now(position, event.on, accrued.since_on, number, amounts),
        charges=fee_of(event.fee_pct, event.amount_fen, forgone_fen),
    )
    return replace(
        change,
        accrued=accrued,
        arrears_fen=arrears_fen,
        due_now_fen=change.due_now_fen + arrears_fen,
        rebate_fen=forgone_fen,
    )


def fee_of(fee_pct: Decimal, principal_fen: int, forgone_fen: int) -> tuple[Raised, ...]:
    """The agreed prepayment fee, at most the interest that the lender forgoes by it (Civil Code art. 585: a penalty may not exceed the
    loss). That cap is a guard and open to counsel: some consumer products may ask for no fee at all."""
    agreed_fen = round_fen(principal_fen * fee_pct / 100, Rounding.DOWN)
    amount_fen = min(agreed_fen, forgone_fen)
    if amount_fen == 0:
        return ()
    reason = why(
        "prepayment_fee",
        "合同约定的提前还款费用，以出租人或贷款人因此少收的利息为限",
        "The agreed prepayment fee, at most the interest that is forgone by the prepayment",
        agreed_fen=agreed_fen,
        forgone_interest_fen=forgone_fen,
        fee_pct=fee_pct,
    )
    return (Raised("prepayment_fee", amount_fen, reason),)


def arrears_of(position: Position, to_come: Sequence[Leg], on: BusinessDate) -> int:
    """What is owed anyway: open legs not to come, and open charges."""
    coming = {leg.ref for leg in to_come}
    legs_fen = sum(leg.open_fen for leg in position.legs if leg.ref not in coming)
    return legs_fen + sum(charge.open_fen for charge in position.charges if charge.due_on <= on)


def _fewer(left: Remaining, terms: ScheduleTerms) -> tuple[ScheduleTerms, Sequence[Row]]:
    """The same instalment over as few rows as suffice; the last asks for what is left."""
    if terms.method in WEIGHTED or terms.method in (Method.INTEREST_ONLY, Method.BULLET) or terms.timing is Timing.ADVANCE:
        raise refused(
            "policy", "该还款方式不能缩短期限：请选减少每期金额", "cannot be reduce_term for this method: take reduce_instalment"
        )
    asks = [
        sum(leg.standing_fen for leg in left.legs if leg.due_on == due_on and leg.role in (Role.PRINCIPAL, Role.INTEREST))
        for due_on in left.dues
    ]
    if terms.method is Method.EQUAL_PRINCIPAL:
        parts_fen = [leg.standing_fen for leg in left.legs if leg.role is Role.PRINCIPAL]  # the last may hold a balloon
        part_fen = parts_fen[0] if len(parts_fen) > 1 else terms.drawn_fen
        count = min(-(-(terms.drawn_fen - terms.balloon_fen) // part_fen) + terms.grace.principal, len(left.dues))
        shorter = _cut(terms, max(count, 1))
        return shorter, schedule_of(shorter).rows
    at = min(terms.grace.principal, len(asks) - 1)
    instalment_fen = asks[at] - (terms.balloon_fen if at == len(asks) - 1 else 0)
    with localcontext(prec=PRECISION):
        rows = plan(terms, instalment_fen)
        count = next(row.n for row in rows if row.balance_fen <= terms.balloon_fen)
        shorter = _cut(terms, count)
        check(shorter)
        return shorter, plan(shorter, instalment_fen)


def _cut(terms: ScheduleTerms, count: int) -> ScheduleTerms:
    return replace(
        terms,
        period_dates=terms.period_dates[:count],
        fees=tuple((min(n, count), fen) for n, fen in terms.fees),
        rate_changes=tuple((on, pct) for on, pct in terms.rate_changes if on < terms.period_dates[count - 1][1]),
    )


def _next_instalments(position: Position, event: Prepayment) -> Change:
    """Coming instalments are paid in order, of each the fee, then the interest, then the principal (Civil Code art. 561)."""
    not_before(event.on, position.as_of)
    coming = sorted(
        (leg for leg in position.legs if leg.state is InstalmentState.SCHEDULED and leg.due_on > event.on and leg.open_fen > 0),
        key=lambda leg: (leg.due_on, leg.number, _ORDER.get(leg.role, 3)),
    )
    within("amount_fen", event.amount_fen, 1, max(sum(leg.open_fen for leg in coming), 1))
    if not coming:
        raise refused("on", "此后已无未到期款项", "leaves nothing to come: the last row is due by then")
    left_fen, pays = event.amount_fen, []
    for leg in coming:
        part_fen = min(left_fen, leg.open_fen)
        if part_fen:
            pays.append(Part(leg, part_fen))
        left_fen -= part_fen
    arrears_fen = arrears_of(position, coming, event.on)
    return Change(
        kind="prepayment",
        on=event.on,
        why=why(
            "prepayment_next_instalments",
            "提前支付后续各期，依次抵充，不重新计算利息",
            "The coming instalments are paid in order ahead of their dates; no interest is computed anew",
            policy=event.policy.value,
            prepaid_fen=event.amount_fen,
        ),
        pays=tuple(pays),
        arrears_fen=arrears_fen,
        due_now_fen=event.amount_fen + arrears_fen,
    )
