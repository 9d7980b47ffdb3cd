"""What holds for billing's rules whatever the values."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.model import ChargeKind, Funds, Instalment, InstalmentState, ItemKind, OpenItem, Segment
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.allocation import WATERFALL, allocate, draw
from xinzu.back.billing.rules.delinquency import arrears
from xinzu.back.billing.rules.late_fee import fen_days_of, late_fee_fen
from xinzu.back.billing.rules.schedule import equal_rents_in_advance, term_end
from xinzu.back.billing.rules.settlement import determine

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
    rows = equal_rents_in_advance(rent, months, count, start)
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
    rows = [
        Instalment(UUID(int=r.number), UUID(int=1), r.number, r.from_on, r.to_on, r.due_on, rent, 0, 0, InstalmentState.SCHEDULED)
        for r in equal_rents_in_advance(rent, 1, count, start)
    ]
    settlement = determine(rows, start + timedelta(days=day), fee, damage, UUID(int=2))
    cancelled = settlement.cancelled_numbers
    assert cancelled == tuple(range(count - len(cancelled) + 1, count + 1))
    charged = {charge.kind: charge.amount_fen for charge in settlement.charges}
    assert charged.get(ChargeKind.DAMAGE, 0) == damage
    assert charged.get(ChargeKind.EARLY_RETURN, 0) == min(fee, rent * len(cancelled))


@given(amounts)
def test_net_and_vat_make_the_whole(amount: int) -> None:
    moved = postings.instalment_fell_due(amount)
    assert sum(transfer.amount_fen for transfer in moved) == amount
    back = postings.instalment_cancelled(amount, 0)
    swapped = {(t.credit_account, t.debit_account, t.amount_fen) for t in back}
    assert swapped == {(t.debit_account, t.credit_account, t.amount_fen) for t in moved}


@given(st.lists(st.integers(0, 500), max_size=40))
def test_a_charge_that_grows_daily_is_booked_as_one_that_came_at_once(growth: list[int]) -> None:
    total: Counter[str] = Counter()
    at = 0
    for step in growth:
        for transfer in postings.charge_raised(ChargeKind.LATE_FEE, at, at + step):
            assert transfer.amount_fen > 0
            total[transfer.credit_account] += transfer.amount_fen
        at += step
    assert total == Counter({t.credit_account: t.amount_fen for t in postings.charge_raised(ChargeKind.LATE_FEE, 0, at)})
