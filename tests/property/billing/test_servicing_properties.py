"""What holds for every servicing event, whatever the contract and the date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xinzu.back.billing.model import InstalmentState, Leg, Role
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import (
    ANNUITIES,
    DayCount,
    Grace,
    InterestDays,
    Method,
    RoundingPolicy,
    ScheduleTerms,
    Timing,
    Unit,
)
from xinzu.back.billing.rules.servicing.accrued import accrued_to, timeline
from xinzu.back.billing.rules.servicing.change import Change, after
from xinzu.back.billing.rules.servicing.default import Acceleration, Demand, accelerate
from xinzu.back.billing.rules.servicing.payoff import Payoff, pay_off
from xinzu.back.billing.rules.servicing.position import Position, legs_of, position_of
from xinzu.back.billing.rules.servicing.prepayment import Prepaid, Prepayment, prepay
from xinzu.back.billing.rules.servicing.reschedule import (
    Extension,
    Moratorium,
    PausedInterest,
    RateChange,
    ReAge,
    ReAmortise,
    change_rate,
    extend,
    pause,
    re_age,
    re_amortise,
)
from xinzu.kernel.errors import Invalid
from xinzu.kernel.money import Rounding
from xinzu.kernel.terms import Family

ROLES = (Role.PRINCIPAL, Role.INTEREST, Role.FEE)


@st.composite
def contracts(draw: st.DrawFn) -> ScheduleTerms:
    method = draw(st.sampled_from(Method))
    count = draw(st.integers(2, 40))
    principal_fen = draw(st.integers(100_000, 10**9))
    is_bullet = method is Method.BULLET
    graces = st.integers(0, (count - 1) // 2)
    start_on = draw(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
    timing = draw(st.sampled_from(Timing))
    weights = st.sampled_from([Decimal(1), Decimal(1), Decimal("1.5"), Decimal(2)])
    return ScheduleTerms(
        start_on=start_on,
        periods=count,
        method=method,
        principal_fen=principal_fen,
        annual_rate_pct=draw(st.decimals(0, 24, places=2)),
        unit=draw(st.sampled_from([Unit.MONTH, Unit.MONTH, Unit.WEEK, Unit.QUARTER])),
        timing=timing,
        day_count=draw(st.sampled_from(DayCount)),
        interest_days=draw(st.sampled_from(InterestDays)),
        balloon_fen=draw(st.integers(0, principal_fen // 2)) if method in ANNUITIES else 0,
        weights=tuple(draw(weights) for _ in range(count)) if method in (Method.STEPPED, Method.UNEVEN) else (),
        grace=Grace() if is_bullet else Grace(draw(graces), draw(graces)),
        interest_free=0 if is_bullet else draw(st.sampled_from([0, 0, 1])),
        rounding=RoundingPolicy(draw(st.sampled_from([Rounding.HALF_UP, Rounding.HALF_EVEN]))),
    )


def stands(terms: ScheduleTerms, on: date, *, family: Family = Family.LOAN, paid_to: date | None = None) -> Position:
    """The contract on a date, everything due by ``paid_to`` paid."""

    def as_it_stands(leg: Leg) -> Leg:
        if leg.due_on <= (paid_to or on):
            return replace(leg, paid_fen=leg.amount_fen, state=InstalmentState.PAID)
        return replace(leg, state=InstalmentState.OVERDUE) if leg.due_on <= on else leg

    legs = legs_of(schedule_of(terms).rows, terms)
    return position_of(family, on, [as_it_stands(leg) for leg in legs], terms=terms)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    terms = draw(contracts())
    dues = [accrual.period.due_on for accrual in timeline(terms)]
    term_days = (dues[-1] - terms.start_on).days
    assume(term_days > 1)
    on = terms.start_on + timedelta(days=draw(st.integers(0, term_days - 1)))
    try:
        position = stands(terms, on)
    except Invalid:  # graces may make a row that would pay money out
        assume(False)
        raise
    assume(scheduled(position) > 0)
    return position


def scheduled(position: Position, role: Role = Role.PRINCIPAL) -> int:
    return sum(leg.open_fen for leg in position.legs if leg.role is role and leg.state is InstalmentState.SCHEDULED)


def asked(change: Change, role: Role) -> int:
    return sum(leg.amount_fen for leg in change.new_legs if leg.role is role)


def or_refused(call: Callable[[], Change]) -> Change:
    """The change; an example that is refused does not count."""
    try:
        return call()
    except Invalid:
        assume(False)
        raise


@given(positions(), st.decimals(0, 1, places=3), st.sampled_from([Prepaid.REDUCE_INSTALMENT, Prepaid.REDUCE_TERM]))
def test_prepaid_and_new_principal_are_the_outstanding_principal(position: Position, share: Decimal, policy: Prepaid) -> None:
    on, outstanding_fen = position.as_of, scheduled(position)
    amount_fen = max(int(outstanding_fen * share), 1)
    event = Prepayment(on=on, amount_fen=amount_fen, policy=policy, fee_pct=Decimal(3))
    change = or_refused(lambda: prepay(position, event))
    assert asked(change, Role.PRINCIPAL) == outstanding_fen
    assert sum(leg.amount_fen for leg in change.new_legs if leg.due_on == on and leg.role is Role.PRINCIPAL) == amount_fen
    assert change == prepay(position, event), "the preview is the result"
    assert sum(charge.amount_fen for charge in change.charges) <= change.rebate_fen, "the fee is at most the interest forgone"
    later = after(position, change)
    assert scheduled(later) == outstanding_fen - amount_fen
    dues = sorted({leg.due_on for leg in change.new_legs})
    assert dues[-1] <= max(leg.due_on for leg in position.legs)
    assert change.accrued is not None
    assert change.accrued.interest_fen >= 0
    if policy is Prepaid.REDUCE_INSTALMENT:
        before = {leg.due_on for leg in position.legs if leg.due_on > on}
        assert set(dues) <= before | {on}


@given(positions(), st.sampled_from(Prepaid))
def test_a_prepayment_of_nothing_or_of_all_is_refused(position: Position, policy: Prepaid) -> None:
    for amount_fen in (0, -1, sum(leg.open_fen for leg in position.legs) + 1):
        with pytest.raises(Invalid):
            prepay(position, Prepayment(on=position.as_of, amount_fen=amount_fen, policy=policy))


@given(positions(), st.decimals(Decimal("0.01"), 1, places=2))
def test_the_next_instalments_are_paid_in_order_and_to_the_fen(position: Position, share: Decimal) -> None:
    coming_fen = sum(leg.open_fen for leg in position.legs if leg.state is InstalmentState.SCHEDULED)
    event = Prepayment(on=position.as_of, amount_fen=max(int(coming_fen * share), 1), policy=Prepaid.NEXT_INSTALMENTS)
    change = or_refused(lambda: prepay(position, event))
    assert sum(part.amount_fen for part in change.pays) == event.amount_fen
    assert not change.new_legs
    assert not change.falls_away
    dues = [part.item.due_on for part in change.pays]
    assert dues == sorted(dues)
    assert all(part.amount_fen == part.item.open_fen for part in change.pays[:-1])


@given(positions(), st.decimals(0, 5, places=2))
def test_after_a_payoff_is_paid_nothing_is_open(position: Position, fee_pct: Decimal) -> None:
    change = or_refused(lambda: pay_off(position, Payoff(on=position.as_of, fee_pct=fee_pct)))
    later = after(position, change)
    assert sum(item.open_fen for item in later.items) == change.due_now_fen
    assert all(leg.due_on <= position.as_of for leg in later.legs if leg.open_fen)
    assert change.accrued is not None
    assert asked(change, Role.PRINCIPAL) == scheduled(position)
    assert asked(change, Role.INTEREST) == change.accrued.interest_fen
    asked_fen = scheduled(position, Role.INTEREST)
    assert change.rebate_fen == max(asked_fen - change.accrued.interest_fen, 0)


@given(positions())
def test_interest_never_falls_with_time_and_ends_at_what_the_row_asks(position: Position) -> None:
    """Not more than the share of the row's interest that its actual days make up, but for a fen of rounding in each segment."""
    terms = position.financed
    on = position.as_of
    row = next(accrual for accrual in timeline(terms) if accrual.period.due_on > on)
    at_end = accrued_to(position, row.period.due_on - timedelta(days=1))
    now = accrued_to(position, on)
    assert now.interest_fen <= at_end.interest_fen
    if terms.method is Method.FLAT or (terms.grace.interest and row.period.number <= terms.grace.interest + 1):
        return
    asks_fen = position.standing(Role.INTEREST, len(timeline(terms)))[row.period.number - 1]
    days, of_days = (on - row.period.accrues_from).days, (row.period.due_on - row.period.accrues_from).days
    if terms.day_count is not DayCount.ACTUAL_ACTUAL:
        assert abs(now.interest_fen - Decimal(asks_fen) * days / of_days) <= 2
    else:
        assert now.interest_fen <= asks_fen + 1


@given(positions())
def test_re_amortising_what_has_not_changed_levels_the_residue_and_no_more(position: Position) -> None:
    """Exactly: the same dates and principal; each instalment within the old last row's residue spread over the rows, and two fen."""
    terms = position.financed
    change = or_refused(lambda: re_amortise(position, ReAmortise(on=position.as_of)))
    new_dues = sorted({leg.due_on for leg in change.new_legs})
    old = [leg for leg in position.legs if leg.state is InstalmentState.SCHEDULED]
    assert asked(change, Role.PRINCIPAL) == scheduled(position)
    if terms.method is not Method.FLAT:
        assert new_dues == sorted({leg.due_on for leg in old})
    if terms.method is not Method.EQUAL_INSTALMENT or terms.balloon_fen or terms.grace != Grace() or terms.interest_free:
        return

    def totals(legs: tuple[Leg, ...] | list[Leg]) -> list[int]:
        return [sum(leg.amount_fen for leg in legs if leg.due_on == due_on) for due_on in new_dues]

    before, now = totals(old), totals(change.new_legs)
    residue_fen = abs(before[-1] - before[0])
    assert all(abs(a - b) <= residue_fen // len(before) + 2 for a, b in zip(before[:-1], now[:-1], strict=True))


@given(positions(), st.decimals(0, 24, places=2))
def test_a_new_rate_repays_the_same_principal_and_at_the_same_rate_changes_little(position: Position, rate: Decimal) -> None:
    change = or_refused(lambda: change_rate(position, RateChange(on=position.as_of, annual_rate_pct=rate)))
    assert asked(change, Role.PRINCIPAL) == scheduled(position)
    assert change.due_now_fen == 0


@given(positions(), st.integers(1, 6))
def test_an_extension_moves_every_date_on(position: Position, periods: int) -> None:
    change = or_refused(lambda: extend(position, Extension(on=position.as_of, periods=periods)))
    assert asked(change, Role.PRINCIPAL) == scheduled(position)
    old_last = max(leg.due_on for leg in position.legs)
    dues = sorted({leg.due_on for leg in change.new_legs})
    assert dues[-1] > old_last
    assert all(a < b for a, b in pairwise(dues))
    if position.financed.unit is not Unit.WEEK:
        assert max(due_on.day for due_on in dues) <= max(31, old_last.day)


@given(positions(), st.integers(1, 6), st.sampled_from(PausedInterest), st.integers(0, 100))
def test_a_moratorium_keeps_the_principal(position: Position, periods: int, interest: PausedInterest, share: int) -> None:
    change = or_refused(lambda: pause(position, Moratorium(on=position.as_of, periods=periods, interest=interest)))
    added_fen = change.pause.capitalised_fen if change.pause else 0
    assert asked(change, Role.PRINCIPAL) == scheduled(position) + added_fen
    assert (added_fen == 0) or interest is PausedInterest.CAPITALISED
    assert change.no_late_fee is not None
    until_on = change.no_late_fee[1]
    assert not any(leg.role is Role.PRINCIPAL and leg.due_on <= until_on for leg in change.new_legs)
    if interest is not PausedInterest.PAID:
        assert not any(leg.role is Role.INTEREST and leg.due_on <= until_on for leg in change.new_legs)
    # Within the pause one may settle: principal without what is to be capitalised, interest by the days.
    on = position.as_of + (until_on - position.as_of) * share // 100
    paused = after(position, change)
    settled = or_refused(lambda: pay_off(paused, Payoff(on=on)))
    later = after(paused, settled)
    assert sum(item.open_fen for item in later.items) == settled.due_now_fen
    if interest is PausedInterest.CAPITALISED and on < until_on:
        assert asked(settled, Role.PRINCIPAL) == scheduled(position)
        assert asked(settled, Role.INTEREST) <= added_fen


@given(positions(), st.integers(1, 80))
def test_a_re_ageing_loses_nothing(position: Position, days_behind: int) -> None:
    terms, on = position.financed, position.as_of
    behind = stands(terms, on, paid_to=on - timedelta(days=days_behind))
    change = or_refused(lambda: re_age(behind, ReAge(on=on)))
    for role in (Role.PRINCIPAL, Role.FEE):
        fell_fen = sum(part.amount_fen for part in change.falls_away if getattr(part.item, "role", None) is role)
        assert asked(change, role) == fell_fen
    assert change.ageing_since == min(leg.due_on for leg in behind.legs if leg.open_fen)
    assert not change.reset_days_past_due
    assert not any(leg.open_fen for leg in after(behind, change).legs if leg.due_on <= on)


@given(positions(), st.sampled_from([Family.FINANCE_LEASE, Family.LOAN]))
def test_accelerated_paid_and_cancelled_are_what_was_asked_for(position: Position, family: Family) -> None:
    terms = position.financed
    dues = [leg.due_on for leg in position.legs if leg.due_on <= position.as_of]
    assume(dues)
    demanded_on = position.as_of
    on = demanded_on + timedelta(days=16)
    behind = stands(terms, on, family=family, paid_to=max(dues) - timedelta(days=1))
    demand = Demand(demanded_on=demanded_on, period_days=15, amount_fen=1, proof_ref="EMS 1")
    change = or_refused(lambda: accelerate(behind, Acceleration(on=on, demand=demand, clause="12.3")))
    later = after(behind, change)
    original_fen = sum(leg.amount_fen for leg in behind.legs)
    paid_fen = sum(leg.paid_fen for leg in later.legs)
    open_fen = sum(leg.open_fen for leg in later.legs)
    given_up_fen = change.falls_away_fen - sum(leg.amount_fen for leg in change.new_legs)
    assert open_fen + paid_fen + given_up_fen == original_fen
    if family is Family.FINANCE_LEASE:
        assert given_up_fen == 0
    else:
        assert asked(change, Role.PRINCIPAL) == scheduled(behind)
    assert all(leg.due_on <= on for leg in later.legs if leg.open_fen)


@given(positions(), st.decimals(0, 24, places=2), st.integers(1, 200))
def test_a_backdated_rate_posts_the_difference_and_rewrites_nothing(position: Position, rate: Decimal, days: int) -> None:
    on = position.as_of - timedelta(days=days)
    assume(on >= position.financed.start_on)
    change = or_refused(lambda: change_rate(position, RateChange(on=on, annual_rate_pct=rate)))
    assert not {part.item.ref for part in change.falls_away} & {leg.ref for leg in position.legs if leg.due_on <= position.as_of}
    assert all(delta.due_on <= position.as_of for delta in change.deltas)
    moved_fen = sum(delta.amount_fen for delta in change.deltas if delta.role is Role.PRINCIPAL)
    assert asked(change, Role.PRINCIPAL) + moved_fen == scheduled(position)
