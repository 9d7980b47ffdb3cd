"""The rules of billing by example."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest

from xinzu.back.billing.model import ChargeKind, Funds, Instalment, ItemKind, LateFeeDays, OpenItem, Role, Segment, Transfer
from xinzu.back.billing.rules import postings
from xinzu.back.billing.rules.allocation import Across, allocate, draw
from xinzu.back.billing.rules.delinquency import arrears
from xinzu.back.billing.rules.late_fee import explain, late_fee_fen
from xinzu.back.billing.rules.legs import fingerprint, rental_legs, standing, term_end, why_rent
from xinzu.back.billing.rules.settlement import determine
from xinzu.kernel.errors import Invalid
from xinzu.kernel.prime_rate import late_fee_ceiling_annual_pct
from xinzu.kernel.terms import Family


def item(number: int, kind: ItemKind, due_on: date, open_fen: int) -> OpenItem:
    return OpenItem(UUID(int=number), kind, due_on, open_fen)


def instalments(count: int, from_on: date, rent_fen: int = 29_900) -> list[Instalment]:
    legs = rental_legs(rent_fen, 1, count, from_on)
    return [standing(leg, UUID(int=leg.number), UUID(int=99), version=1) for leg in legs]


def test_a_rental_begun_on_the_31st_is_due_on_month_ends_and_in_february_on_the_29th() -> None:
    rows = rental_legs(29_900, 1, 4, date(2027, 11, 30)) + rental_legs(29_900, 1, 3, date(2028, 1, 31))
    assert [row.due_on.isoformat() for row in rows] == [
        "2027-11-30",
        "2027-12-30",
        "2028-01-30",
        "2028-02-29",
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
    ]


def test_periods_follow_one_another_without_gap_up_to_the_end_of_the_term() -> None:
    rows = rental_legs(29_900, 3, 5, date(2026, 8, 31))
    assert [later.from_on - earlier.to_on for earlier, later in pairwise(rows)] == [timedelta(days=1)] * 4
    assert rows[-1].to_on == term_end(3, 5, date(2026, 8, 31))


def test_every_row_tells_why() -> None:
    row = instalments(12, date(2026, 3, 2))[4]
    why = why_rent(row, 29_900, 1, 12, date(2026, 3, 2))
    assert why.inputs["rent_fen"] == row.amount_fen
    assert why.segments == (Segment(row.from_on, row.to_on, row.amount_fen),)


def test_the_fingerprint_changes_with_any_row() -> None:
    rows = rental_legs(29_900, 1, 12, date(2026, 3, 2))
    assert fingerprint(rows) != fingerprint(rental_legs(29_901, 1, 12, date(2026, 3, 2)))
    assert fingerprint(rows) != fingerprint(rows[:-1])


@pytest.mark.parametrize("wrong", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)])
def test_a_schedule_of_nothing_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(Invalid, match="must be from 1"):
        rental_legs(*wrong, date(2026, 3, 2))


def test_late_fees_come_first_then_charges_then_rent_and_the_oldest_of_each() -> None:
    march, april = date(2026, 3, 2), date(2026, 4, 2)
    items = [
        item(1, ItemKind.RENT, march, 100),
        item(2, ItemKind.RENT, april, 100),
        item(3, ItemKind.DAMAGE, april, 50),
        item(4, ItemKind.LATE_FEE, april, 5),
        item(5, ItemKind.LATE_FEE, march, 7),
    ]
    parts = allocate([Funds(UUID(int=9), 170)], items)
    assert [(part.item.id.int, part.amount_fen) for part in parts] == [(5, 7), (4, 5), (3, 50), (1, 100), (2, 8)]


def test_who_repays_a_loan_clears_the_oldest_instalment_whole_before_the_next() -> None:
    march, april = date(2026, 3, 2), date(2026, 4, 2)
    items = [
        item(1, ItemKind.PRINCIPAL, march, 100),
        item(2, ItemKind.INTEREST, march, 10),
        item(3, ItemKind.PRINCIPAL, april, 100),
        item(4, ItemKind.INTEREST, april, 9),
        item(5, ItemKind.LATE_FEE, april, 5),
        item(6, ItemKind.LATE_FEE, march, 7),
        item(7, ItemKind.FEE, april, 3),
    ]
    parts = allocate([Funds(UUID(int=9), 140)], items, Across.INSTALMENTS)
    assert [(part.item.id.int, part.amount_fen) for part in parts] == [(6, 7), (2, 10), (1, 100), (5, 5), (7, 3), (4, 9), (3, 6)]
    across = allocate([Funds(UUID(int=9), 140)], items, Across.KINDS)
    assert [part.item.id.int for part in across] == [6, 5, 7, 2, 4, 1, 3]


def test_two_receipts_share_an_item_in_their_order() -> None:
    parts = allocate([Funds(UUID(int=1), 60), Funds(UUID(int=2), 60)], [item(1, ItemKind.RENT, date(2026, 3, 2), 100)])
    assert [(part.receipt_id.int, part.amount_fen) for part in parts] == [(1, 60), (2, 40)]


def test_more_than_is_held_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="1 fen less"):
        draw([Funds(UUID(int=1), 10)], 11)


def test_days_past_due_count_from_the_due_date_once_grace_is_over() -> None:
    items = [item(1, ItemKind.RENT, date(2026, 3, 2), 100), item(2, ItemKind.RENT, date(2026, 4, 2), 100)]
    assert arrears(items, 3, date(2026, 3, 5)).days_past_due == 0
    assert arrears(items, 3, date(2026, 3, 6)).days_past_due == 4
    later = arrears(items, 3, date(2026, 4, 6))
    assert (later.days_past_due, later.overdue_fen) == (35, 200)


def test_the_ceiling_is_four_times_the_lpr_of_the_day_of_signing() -> None:
    assert late_fee_ceiling_annual_pct(date(2025, 5, 19)) == Decimal("12.40")
    assert late_fee_ceiling_annual_pct(date(2025, 5, 20)) == Decimal("12.00")
    assert late_fee_ceiling_annual_pct(date(2020, 1, 1)) == Decimal("14.60")


def test_a_late_fee_ends_at_thirty_percent_of_the_instalment() -> None:
    assert late_fee_fen(29_900 * 10_000, 29_900, Decimal("0.0003"), Decimal("12")) == 8_970


def test_a_late_fee_of_zero_rate_is_zero() -> None:
    assert late_fee_fen(29_900 * 100, 29_900, Decimal("0"), Decimal("12")) == 0


def test_the_explanation_of_a_late_fee_gives_its_amount() -> None:
    segments = [Segment(date(2026, 4, 6), date(2026, 4, 15), 29_900), Segment(date(2026, 4, 16), date(2026, 4, 16), 9_900)]
    explained = explain(LateFeeDays(tuple(segments)), 29_900, Decimal("0.0003"), Decimal("12.00"))
    assert explained.inputs["fen_days"] == 308_900
    assert explained.inputs["late_fee_fen"] == 92


def test_periods_not_begun_at_the_return_fall_away_and_begun_ones_stay() -> None:
    rows = instalments(3, date(2026, 3, 2))
    on_first_day = determine(rows, date(2026, 4, 2), 30_000, 0, UUID(int=1))
    assert on_first_day.cancelled_numbers == (3,)
    # The fee is at most the rent that falls away.
    assert [(charge.kind, charge.amount_fen) for charge in on_first_day.charges] == [(ChargeKind.EARLY_RETURN, 29_900)]
    day_before = determine(rows, date(2026, 4, 1), 30_000, 500, UUID(int=1))
    assert day_before.cancelled_numbers == (2, 3)
    assert [(charge.kind, charge.amount_fen) for charge in day_before.charges] == [
        (ChargeKind.EARLY_RETURN, 30_000),
        (ChargeKind.DAMAGE, 500),
    ]
    at_the_end = determine(rows, date(2026, 6, 1), 30_000, 0, UUID(int=1))
    assert (at_the_end.cancelled_numbers, at_the_end.charges) == ((), ())


def test_every_account_a_rule_books_on_is_in_the_chart() -> None:
    codes = {line.code for line in postings.CHART}
    moved = [
        *postings.rent_cancelled(29_900, 100, 50),
        *postings.receipt("1012", [("1122", 1)], 1),
        *postings.receipt_reversed("1002", [("1122", 1)], 1),
        *postings.credit_applied("1122", 1),
        *postings.refund(1),
    ]
    for family in Family:
        moved += postings.commenced(family, [(role, 10_000) for role in Role], 500)
        moved += [*postings.provided(family, 0, 1), *postings.provided(family, 1, 0)]
        for role in Role:
            moved += [*postings.leg_fell_due(family, role, 10_000), *postings.leg_earned(family, role, 0, 10_000)]
        for kind in ItemKind:
            moved += [*postings.waived(family, kind, 10_000), *postings.written_off(family, kind, 10_000)]
            moved += postings.reinstated(family, kind, 10_000)
        for charge in ChargeKind:
            moved += [*postings.charge_raised(family, charge, 0, 100), *postings.charge_cancelled(family, charge, 100, 50)]
    assert {account for transfer in moved for account in (transfer.debit_account, transfer.credit_account)} <= codes


def test_nothing_moved_makes_no_transfer() -> None:
    assert postings.receipt("1012", [], 100) == (Transfer("1012", "2203", 100),)
    assert postings.charge_raised(Family.RENTAL, ChargeKind.LATE_FEE, 8, 8) == ()
