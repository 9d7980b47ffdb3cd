"""What holds for billing's rules whatever the values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.model import ChargeKind, Funds, ItemKind, OpenItem, Role, Segment, Transfer
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.allocation import WATERFALL, allocate, draw
from xinzu.back.billing.rules.delinquency import arrears
from xinzu.back.billing.rules.late_fee import fen_days_of, late_fee_fen
from xinzu.back.billing.rules.legs import rental_legs, standing, term_end
from xinzu.back.billing.rules.settlement import determine
from xinzu.kernel.terms import Family

dates = st.dates(date(2020, 1, 1), date(2060, 12, 31))
amounts = st.integers(1, 10**12)


@st.composite
def open_items(draw_value: st.DrawFn) -> list[OpenItem]:
    count = draw_value(st.integers(0, 12))
    return [
        OpenItem(UUID(int=n + 1), draw_value(st.sampled_from(ItemKind)), draw_value(dates), draw_value(st.integers(1, 10**6)))
        for n in range(count)
    ]


@st.composite
def funds(draw_value: st.DrawFn) -> list[Funds]:
    return [Funds(UUID(int=n + 1), draw_value(st.integers(0, 10**6))) for n in range(draw_value(st.integers(0, 6)))]


@given(amounts, st.integers(1, 12), st.integers(1, 60), dates)
def test_a_schedule_covers_the_term_day_by_day_and_sums_to_the_rents(rent: int, months: int, count: int, start: date) -> None:
    rows = rental_legs(rent, months, count, start)
    assert sum(row.amount_fen for row in rows) == rent * count
    assert [row.number for row in rows] == list(range(1, count + 1))
    assert rows[0].from_on == rows[0].due_on == start
    assert rows[-1].to_on == term_end(months, count, start)
    assert all(later.from_on == earlier.to_on + timedelta(days=1) for earlier, later in pairwise(rows))
    assert all(row.from_on <= row.to_on for row in rows)


@given(funds(), open_items())
def test_allocation_conserves_fen(given_funds: list[Funds], items: list[OpenItem]) -> None:
    parts = allocate(given_funds, items)
    of_receipt: Counter[UUID] = Counter()
    of_item: Counter[UUID] = Counter()
    for part in parts:
        assert part.amount_fen > 0
        of_receipt[part.receipt_id] += part.amount_fen
        of_item[part.item.id] += part.amount_fen
    assert all(of_receipt[fund.receipt_id] <= fund.available_fen for fund in given_funds)
    assert all(of_item[item.id] <= item.open_fen for item in items)
    money, owed = sum(fund.available_fen for fund in given_funds), sum(item.open_fen for item in items)
    assert sum(of_receipt.values()) == min(money, owed)
    # No item is touched before all that come earlier in the waterfall are paid in full.
    order = sorted(items, key=lambda item: (WATERFALL[item.kind], item.due_on, item.id))
    short = [item for item in order if of_item[item.id] < item.open_fen]
    if short:
        assert all(of_item[item.id] == 0 for item in order[order.index(short[0]) + 1 :])


@given(funds(), st.data())
def test_what_is_drawn_is_what_was_asked(given_funds: list[Funds], data: st.DataObject) -> None:
    amount_fen = data.draw(st.integers(0, sum(fund.available_fen for fund in given_funds)))
    parts = draw(given_funds, amount_fen)
    left = {fund.receipt_id: fund.available_fen for fund in given_funds}
    assert sum(part.available_fen for part in parts) == amount_fen
    assert all(0 < part.available_fen <= left[part.receipt_id] for part in parts)


@given(open_items(), st.integers(0, 30), dates, st.integers(1, 400))
def test_days_past_due_and_overdue_grow_until_something_is_paid(items: list[OpenItem], grace: int, on: date, later: int) -> None:
    now, then = arrears(items, grace, on), arrears(items, grace, on + timedelta(days=later))
    assert then.days_past_due >= now.days_past_due
    assert then.overdue_fen >= now.overdue_fen
    if now.days_past_due:
        assert then.days_past_due == now.days_past_due + later
        assert now.days_past_due > grace
    assert (now.days_past_due == 0) == (now.overdue_fen == 0)


@given(st.integers(0, 10**15), st.integers(0, 10**9), amounts, st.decimals(0, 1, places=8), st.decimals(0, 100, places=2))
def test_a_late_fee_never_falls_and_never_passes_a_cap(days: int, more: int, rent: int, rate: Decimal, ceiling: Decimal) -> None:
    fee = late_fee_fen(days, rent, rate, ceiling)
    assert 0 <= fee <= late_fee_fen(days + more, rent, rate, ceiling)
    assert fee * 100 <= rent * 30
    assert fee <= days * rate
    assert fee * 36_500 <= days * ceiling


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 10**7)), max_size=8))
def test_fen_days_do_not_depend_on_how_the_days_are_cut(stretches: list[tuple[int, int]]) -> None:
    at, whole, cut = date(2026, 1, 1), [], []
    for days, base in stretches:
        whole.append(Segment(at, at + timedelta(days=days - 1), base))
        cut += [Segment(at + timedelta(days=n), at + timedelta(days=n), base) for n in range(days)]
        at += timedelta(days=days)
    assert fen_days_of(whole) == fen_days_of(cut)


@given(amounts, st.integers(1, 24), dates, st.integers(-40, 900), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_settlement_cancels_the_tail_and_charges_no_more_than_it_forgoes(
    rent: int, count: int, start: date, day: int, fee: int, damage: int
) -> None:
    rows = [standing(leg, UUID(int=leg.number), UUID(int=1), version=1) for leg in rental_legs(rent, 1, count, start)]
    settlement = determine(rows, start + timedelta(days=day), fee, damage, UUID(int=2))
    cancelled = settlement.cancelled_numbers
    assert cancelled == tuple(range(count - len(cancelled) + 1, count + 1))
    charged = {charge.kind: charge.amount_fen for charge in settlement.charges}
    assert charged.get(ChargeKind.DAMAGE, 0) == damage
    assert charged.get(ChargeKind.EARLY_RETURN, 0) == min(fee, rent * len(cancelled))


@given(amounts, st.integers(0, 100))
def test_net_and_vat_make_the_whole(amount: int, earned_pct: int) -> None:
    """A rent that fell due, was earned in part and falls away leaves nothing behind."""
    earned = amount * earned_pct // 100
    due = postings.leg_fell_due(Family.RENTAL, Role.RENT, amount)
    assert sum(transfer.amount_fen for transfer in due) == amount
    moved = [*due, *postings.leg_earned(Family.RENTAL, Role.RENT, 0, earned), *postings.rent_cancelled(amount, 0, earned)]
    assert set(balances(moved).values()) <= {0}


@given(st.sampled_from(Family), amounts, amounts, st.integers(0, 100))
def test_an_agreement_that_ran_its_course_leaves_cash_income_and_tax(
    family: Family, principal: int, interest: int, earned_pct: int
) -> None:
    """Commenced, earned in two steps, due and paid: nothing receivable, unearned, deferred or accrued is left of either leg."""
    legs = [(Role.RENT, principal)] if family is Family.RENTAL else [(Role.PRINCIPAL, principal), (Role.INTEREST, interest)]
    moved = [*postings.commenced(family, legs)]
    for role, amount in legs:
        first = amount * earned_pct // 100
        if role is not Role.PRINCIPAL:
            moved += [*postings.leg_earned(family, role, 0, first), *postings.leg_earned(family, role, first, amount)]
        moved += postings.leg_fell_due(family, role, amount)
        moved += postings.receipt("1002", [(postings.receivable_of(family, ItemKind(role.value)), amount)], 0)
    left = {account for account, fen in balances(moved).items() if fen}
    assert left <= {"1002", "2202", "2221", "222101", "222106", "6001", "6011", "6041"}
    assert sum(fen for account, fen in balances(moved).items() if account != "1002") == -balances(moved)["1002"]


def balances(moved: Iterable[Transfer]) -> Counter[str]:
    total: Counter[str] = Counter()
    for transfer in moved:
        total[transfer.debit_account] += transfer.amount_fen
        total[transfer.credit_account] -= transfer.amount_fen
    return total


@given(st.lists(st.integers(0, 500), max_size=40))
def test_a_charge_that_grows_daily_is_booked_as_one_that_came_at_once(growth: list[int]) -> None:
    total: Counter[str] = Counter()
    at = 0
    for step in growth:
        for transfer in postings.charge_raised(Family.RENTAL, ChargeKind.LATE_FEE, at, at + step):
            assert transfer.amount_fen > 0
            total[transfer.credit_account] += transfer.amount_fen
        at += step
    assert total == Counter(
        {t.credit_account: t.amount_fen for t in postings.charge_raised(Family.RENTAL, ChargeKind.LATE_FEE, 0, at)}
    )
