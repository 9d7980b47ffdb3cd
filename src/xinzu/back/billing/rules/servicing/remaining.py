"""What is still to come of an agreement, and the terms and rows that take its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from itertools import pairwise

from xinzu.back.billing.model import InstalmentState, Leg, Role, Why
from xinzu.back.billing.rules.schedules.accrual import Accrual
from xinzu.back.billing.rules.schedules.amortise import PRECISION, Row, row_periods
from xinzu.back.billing.rules.schedules.cost import annual_cost_pct
from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.terms import (
    WEIGHTED,
    DayCount,
    Grace,
    InterestDays,
    Method,
    ScheduleTerms,
    Timing,
    refused,
)
from xinzu.back.billing.rules.servicing.accrued import accrued_to, actuarial_rate_pct, openings_of, timeline
from xinzu.back.billing.rules.servicing.change import Change, Delta, Part, Raised, not_before, whole
from xinzu.back.billing.rules.servicing.position import Position, legs_of
from xinzu.kernel.errors import unreachable
from xinzu.kernel.time import BusinessDate

_BY_CALENDAR = frozenset({DayCount.ACTUAL_360, DayCount.ACTUAL_364, DayCount.ACTUAL_365, DayCount.ACTUAL_ACTUAL})


@dataclass(frozen=True, slots=True)
class Remaining:
    """The rows to come after ``asked`` rows. They bear interest on ``principal_fen`` (less what is drawn only later) from ``from_on``.

    ``terms`` are those in force as falling-balance terms: flat interest has become equal instalments at its actuarial rate.
    ``deferred_fen`` is interest from before ``from_on`` that no row has asked for.
    """

    asked: int
    from_on: BusinessDate
    accruals: tuple[Accrual, ...]
    legs: tuple[Leg, ...]
    principal_fen: int
    deferred_fen: int
    terms: ScheduleTerms

    @property
    def dues(self) -> tuple[BusinessDate, ...]:
        return tuple(accrual.period.due_on for accrual in self.accruals[self.asked :])

    @property
    def drawn_later(self) -> tuple[tuple[BusinessDate, int], ...]:
        return tuple((on, fen) for on, fen in self.terms.disbursements if on > self.from_on)

    def asks_fen(self, role: Role) -> int:
        return sum(leg.standing_fen for leg in self.legs if leg.role is role)


def remaining_of(position: Position, on: BusinessDate, *, is_broken: bool = False, may_be_over: bool = False) -> Remaining:
    """What is to come after a date; rows paid whole ahead of their date count as asked for.

    ``is_broken``: the event changes the balance on the date itself, within a row. ``may_be_over``: nothing to come is an answer. Raises
    Invalid when nothing is to come, when a row to come is paid in part, and, broken, when rows are paid ahead, tranches are to come or
    the interest is being capitalised.
    """
    terms = position.financed
    if position.pause is None:
        not_before(on, terms.start_on)
    with localcontext(prec=PRECISION):
        accruals = timeline(terms)
    asked = by_date = sum(accrual.period.due_on <= on for accrual in accruals)
    if asked < position.behind:
        reckoned_on = accruals[position.behind - 1].period.due_on
        raise refused(
            "on",
            f"不得早于 {reckoned_on}：此前各日已由更早的追溯变更重新计算",
            f"must not be before {reckoned_on}: the days before were reckoned anew by an earlier backdated change",
        )
    standing = {n: [leg for leg in position.legs if position.row_of(leg) == n] for n in range(1, len(accruals) + 1)}
    while on >= position.as_of and asked < len(accruals) and _is_paid_whole(standing[asked + 1]):
        asked += 1
    to_come = [leg for n in range(asked + 1, len(accruals) + 1) for leg in standing[n]]
    if not any(leg.standing_fen for leg in to_come):
        if may_be_over:
            return Remaining(len(accruals), on, tuple(accruals), (), 0, 0, _falling(position, terms))
        raise refused("on", "此后已无未到期款项", "leaves nothing to come: the last row is due by then")
    for leg in to_come:
        if leg.paid_fen and (leg.state is InstalmentState.SCHEDULED or leg.due_on > position.as_of):
            raise refused(
                "legs",
                f"第 {leg.number} 期已部分支付：请先付清该期或退回款项",
                f"row {leg.number} is paid in part ahead of its date: complete it, or take the payment back first",
            )
    opening_fen = openings_of(position, accruals)[asked]
    start_on = accruals[asked - 1].period.due_on if asked else terms.start_on
    drawn_at_start = sum(segment.drawn_fen for segment in accruals[asked].segments if segment.from_on == start_on)
    left = Remaining(
        asked,
        start_on,
        tuple(accruals),
        tuple(to_come),
        opening_fen + drawn_at_start,
        accrued_to(position, start_on).deferred_fen if start_on >= terms.start_on else 0,
        _falling(position, terms),
    )
    if is_broken and (asked > by_date or left.drawn_later or on < terms.start_on):
        raise refused(
            "on",
            "有提前付清的期次、未放款项或利息正在资本化：请顺延至其后，或全部结清",
            "falls where rows are paid ahead, tranches are to come or interest is being capitalised: take a later date, or settle in full",
        )
    return left


def _is_paid_whole(legs: Sequence[Leg]) -> bool:
    return any(leg.paid_fen for leg in legs) and all(leg.open_fen == 0 for leg in legs)


def _falling(position: Position, terms: ScheduleTerms) -> ScheduleTerms:
    if terms.method is not Method.FLAT:
        return terms
    return replace(
        terms,
        method=Method.EQUAL_INSTALMENT,
        annual_rate_pct=actuarial_rate_pct(position),
        interest_days=InterestDays.PERIOD,
    )


def later_dues(left: Remaining, count: int, after_on: BusinessDate | None = None) -> tuple[BusinessDate, ...]:
    """So many due dates after the last (and after a date), in step with the schedule: counted from its longest day of month, so that a
    month-end is kept."""
    dues = [accrual.period.due_on for accrual in left.accruals]
    seed = max(dues, key=lambda due_on: (due_on.day, due_on))
    ahead = len(dues) - dues.index(seed)
    while after_on is not None and shift(left.terms.unit, left.terms.every, seed, ahead) <= after_on:
        ahead += 1
    return tuple(shift(left.terms.unit, left.terms.every, seed, ahead + n) for n in range(count))


def rate_on(terms: ScheduleTerms, on: BusinessDate) -> Decimal:
    """The annual rate in force on a date, in percent."""
    return next((pct for since_on, pct in reversed(terms.rate_changes) if since_on <= on), terms.annual_rate_pct)


def next_terms(
    left: Remaining,
    *,
    start_on: BusinessDate | None = None,
    principal_fen: int | None = None,
    dues: Sequence[BusinessDate] = (),
    method: Method | None = None,
    balloon_fen: int | None = None,
    grace: Grace | None = None,
    weights: tuple[Decimal, ...] | None = None,
    rate_pct: Decimal | None = None,
    rate_from_on: BusinessDate | None = None,
    drawn_on: BusinessDate | None = None,
    drawn_fen: int = 0,
    is_broken: bool = False,
) -> ScheduleTerms:
    """The terms in force, carried on from a date over the given due dates: every convention that changes a fen stays.

    In the middle of a term "in advance" is nothing but its due dates: a row asks for the interest since the row before, as in arrears;
    only a balloon in advance keeps a row of its own. ``rate_pct`` counts from ``rate_from_on``, ``drawn_fen`` bears interest from
    ``drawn_on``. ``is_broken``: a row begins within a period, whose days are counted as its share of it unless the contract counts calendar
    days. Raises Invalid when weights no longer fit or a balloon in advance would drift from its month-ends.
    """
    old = left.terms
    start_on = left.from_on if start_on is None else start_on
    dues = tuple(dues) or left.dues
    kind = old.method if method is None else method
    if method is Method.FLAT:
        raise refused("method", "重新安排的余额不能采用等本等息", "must bear interest on the falling balance, not flat")
    kept = old.weights[min(left.asked, len(old.weights)) :] if weights is None else weights
    balloon = old.balloon_fen if balloon_fen is None else balloon_fen
    ends_apart = old.timing is Timing.ADVANCE and old.balloon_fen > 0 and balloon_fen is None and len(dues) > 1
    if old.timing is Timing.ADVANCE and old.balloon_fen > 0 and len(dues) == 1:
        balloon = 0  # only the balloon is left: it is the principal of one row
    free = max(old.interest_free - left.asked + (old.timing is Timing.ADVANCE), 0) if old.interest_free else 0
    if ends_apart and free:
        raise refused(
            "on",
            "期初付款且有尾款的合同须在免息期届满后重排",
            "is within interest-free rows of a contract in advance with a balloon: take effect after them",
        )
    rows = len(dues) - ends_apart
    if kind in WEIGHTED and len(kept) != rows:
        raise refused(
            "method", "阶梯或不等额的期数已变：请另选还款方式", "has weights for another number of rows: choose another method"
        )
    changes = [(on, pct) for on, pct in old.rate_changes if start_on < on < dues[-1]]
    rate = rate_on(old, start_on)
    if rate_pct is not None:
        changes_on = max(rate_from_on or start_on, start_on)
        changes = [(on, pct) for on, pct in changes if on < changes_on]
        if changes_on == start_on:
            rate = rate_pct
        else:
            changes.append((changes_on, rate_pct))
    principal = left.principal_fen if principal_fen is None else principal_fen
    tranches = list(left.drawn_later)
    if drawn_fen and (drawn_on is None or drawn_on <= start_on):
        principal += drawn_fen
    elif drawn_fen and drawn_on is not None:
        tranches = sorted([*tranches, (drawn_on, drawn_fen)])
    pairs = list(pairwise([start_on, *dues])) if kind is not Method.BULLET else [(start_on, dues[-1])]
    fees = [(min(n, 1 if kind is Method.BULLET else rows), fen) for n, fen in _fees_to_come(left)]
    terms = replace(
        old,
        start_on=start_on,
        method=kind,
        annual_rate_pct=rate,
        rate_changes=tuple(changes),
        principal_fen=0 if tranches else principal,
        disbursements=((start_on, principal), *tranches) if tranches and principal else tuple(tranches),
        periods=rows if ends_apart else 0,
        period_dates=() if ends_apart else tuple(pairs),
        first_due_on=dues[0] if ends_apart else None,
        timing=Timing.ADVANCE if ends_apart else Timing.ARREARS,
        balloon_fen=balloon,
        weights=kept if kind in WEIGHTED else (),
        grace=grace or _grace_left(left, kind),
        interest_free=free,
        fees=tuple(fees),
        interest_days=InterestDays.PERIOD if is_broken and old.day_count not in _BY_CALENDAR else old.interest_days,
    )
    if ends_apart and tuple(period.due_on for period in row_periods(terms, has_balloon=True)) != dues:
        raise refused(
            "on",
            "期初付款且有尾款的合同不能自缩短的月末起重排：请改为其后的到期日",
            "would begin at a shortened month-end, from which a balloon in advance drifts: take effect after the next due date",
        )
    return terms


def _grace_left(left: Remaining, method: Method) -> Grace:
    old = left.terms.grace
    if method is Method.BULLET:
        return Grace()
    return Grace(max(old.principal - left.asked, 0), max(old.interest - left.asked, 0))


def _fees_to_come(left: Remaining) -> list[tuple[int, int]]:
    first = min((leg.number for leg in left.legs), default=0)
    return [(leg.number - first + 1, leg.standing_fen) for leg in left.legs if leg.role is Role.FEE and leg.standing_fen]


def replaced(
    position: Position,
    left: Remaining,
    terms: ScheduleTerms,
    rows: Sequence[Row],
    *,
    kind: str,
    on: BusinessDate,
    reason: Why,
    asked_now: tuple[Leg, ...] = (),
    spread: Mapping[Role, Sequence[int]] | None = None,
    carried_fen: int = 0,
    also_falls_away: tuple[Part, ...] = (),
    charges: tuple[Raised, ...] = (),
    skipped_rows: int = 0,
) -> Change:
    """The change that puts new rows in the place of those to come. ``spread`` are amounts added to each row by role; ``asked_now`` is a
    row before them that is due at once; rows a backdated event falls behind become deltas."""
    first_number = position.first_number + left.asked + (1 if asked_now else 0) + skipped_rows
    bare = rows  # what the terms cost, without interest and arrears from before them
    rows = list(rows)
    at = min(terms.grace.interest, len(rows) - 1)
    rows[at] = replace(rows[at], interest_fen=rows[at].interest_fen + carried_fen)
    for role, amounts in (spread or {}).items():
        name = f"{role.value}_fen"
        rows = [replace(row, **{name: getattr(row, name) + fen}) for row, fen in zip(rows, amounts, strict=True)]
    behind = {row.n for row in rows if row.due_on <= position.as_of} if on < position.as_of else set()
    legs = legs_of(rows, terms, version=position.next_version, first_number=first_number)
    is_behind = {first_number + n - 1 for n in behind}
    gap = 1 if asked_now else 0
    deltas, more_fen, back_fen = [], 0, 0
    made = {(leg.number, leg.role): leg for leg in legs}
    stood = {(leg.number + gap, leg.role): leg for leg in left.legs}
    for row in (row for row in rows if row.n in behind):
        for role, amount_fen in ((Role.PRINCIPAL, row.principal_fen), (Role.INTEREST, row.interest_fen)):
            old = stood.get((first_number + row.n - 1, role))
            moved_fen = amount_fen - (old.standing_fen if old else 0)
            if moved_fen:
                number = first_number + row.n - 1
                of = made.get((number, role)) or old or unreachable("a difference is of a leg that was or is")
                deltas.append(Delta(old.ref if old else "", number, role, of.from_on, of.to_on, row.due_on, moved_fen))
                more_fen += max(moved_fen, 0)
                back_fen += max(-moved_fen - (old.open_fen if old else 0), 0)
    fee_fen = sum(charge.amount_fen for charge in charges)
    flows = [(drawn_on, -fen) for drawn_on, fen in terms.disbursements or ((terms.start_on, terms.principal_fen),)]
    flows += [(terms.start_on, fee_fen)] * (fee_fen > 0) + [(row.due_on, row.total_fen) for row in bare]
    return Change(
        kind=kind,
        on=on,
        why=reason,
        version=position.next_version,
        first_number=first_number,
        terms=terms,
        falls_away=(*also_falls_away, *whole(leg for leg in left.legs if leg.number + gap not in is_behind)),
        new_legs=(*asked_now, *(leg for leg in legs if leg.number not in is_behind)),
        charges=charges,
        deltas=tuple(deltas),
        due_now_fen=sum(leg.amount_fen for leg in asked_now) + fee_fen + more_fen,
        credit_fen=back_fen,
        carried_fen=carried_fen,
        pause=position.pause,
        behind=len(behind),
        annual_cost_pct=annual_cost_pct(sorted(flows)),
    )
