"""Living a history again with every receipt on its day: nothing is made or lost, and no customer owes more for it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.model import ItemKind, Segment
from xinzu.back.billing.rules.allocation import Across
from xinzu.back.billing.rules.late_fee import fen_days_of
from xinzu.back.billing.rules.value_dating import Claim, LateFee, Money, Replayed, replay

START, TODAY = date(2026, 1, 1), date(2026, 6, 30)
RATE, CEILING = Decimal("0.0005"), Decimal("12")

days = st.integers(0, (TODAY - START).days).map(lambda n: START + timedelta(days=n))
amounts = st.integers(1, 300_000)
monies = st.lists(st.tuples(days, amounts), max_size=6)


@st.composite
def claims_and_fees(draw: st.DrawFn) -> tuple[list[Claim], list[LateFee]]:
    """Legs, and on some the late fee of one who never paid: charged from the day after the due date up to yesterday."""
    claims, fees = [], []
    for n, (due_on, fen) in enumerate(draw(st.lists(st.tuples(days, amounts), min_size=1, max_size=5)), 1):
        claims.append(Claim(id=UUID(int=n), kind=ItemKind.PRINCIPAL, due_on=due_on, claimed_on=due_on, amount_fen=fen))
        if due_on < TODAY - timedelta(days=1) and draw(st.booleans()):
            segments = (Segment(due_on + timedelta(days=1), TODAY - timedelta(days=1), fen),)
            fees.append(LateFee(id=UUID(int=100 + n), leg_id=UUID(int=n), stands_fen=10**9, segments=segments))
    return claims, fees


def lived(claims: list[Claim], fees: list[LateFee], came: list[tuple[date, int]], from_on: date = START) -> Replayed:
    money = [Money(UUID(int=1_000 + n), on, fen) for n, (on, fen) in enumerate(came)]
    return replay(from_on, TODAY, claims, fees, money, across=Across.INSTALMENTS, daily_rate=RATE, ceiling_pct=CEILING)


@given(claims_and_fees(), monies)
def test_no_fen_is_made_or_lost(history: tuple[list[Claim], list[LateFee]], came: list[tuple[date, int]]) -> None:
    claims, fees = history
    found = lived(claims, fees, came)
    by_receipt: Counter[UUID] = Counter()
    by_item: Counter[UUID] = Counter()
    for each in found.settled:
        assert each.amount_fen > 0
        by_receipt[each.receipt_id] += each.amount_fen
        by_item[each.item_id] += each.amount_fen
    for n, (on, fen) in enumerate(came):
        assert by_receipt[UUID(int=1_000 + n)] <= fen
        assert all(each.on >= on for each in found.settled if each.receipt_id == UUID(int=1_000 + n))
    for claim in claims:
        assert by_item[claim.id] <= claim.amount_fen
    for fee in fees:
        assert by_item[fee.id] <= found.fee_fen[fee.id]


@given(claims_and_fees(), monies)
def test_a_fee_never_grows_and_its_days_are_days_that_were_charged(
    history: tuple[list[Claim], list[LateFee]], came: list[tuple[date, int]]
) -> None:
    claims, fees = history
    found = lived(claims, fees, came)
    unpaid = lived(claims, fees, [])
    for fee in fees:
        assert found.fee_fen[fee.id] <= unpaid.fee_fen[fee.id]
        assert fen_days_of(found.segments[fee.id]) <= fen_days_of(fee.segments)
        [charged] = fee.segments
        for segment in found.segments[fee.id]:
            assert charged.from_on <= segment.from_on <= segment.to_on <= charged.to_on


@given(claims_and_fees(), monies, days)
def test_lived_in_two_parts_is_lived_at_once(
    history: tuple[list[Claim], list[LateFee]], came: list[tuple[date, int]], cut: date
) -> None:
    """What stood before a day can be taken as given: a correction need only go back to the day the money came in."""
    claims, fees = history
    whole = lived(claims, fees, came)
    paid: Counter[UUID] = Counter()
    used: Counter[UUID] = Counter()
    for each in whole.settled:
        if each.on < cut:
            paid[each.item_id] += each.amount_fen
            used[each.receipt_id] += each.amount_fen
    second = replay(
        cut,
        TODAY,
        [
            Claim(
                id=claim.id,
                kind=claim.kind,
                due_on=claim.due_on,
                claimed_on=claim.claimed_on,
                amount_fen=claim.amount_fen,
                paid_fen=paid[claim.id],
            )
            for claim in claims
        ],
        [
            LateFee(
                id=fee.id,
                leg_id=fee.leg_id,
                stands_fen=fee.stands_fen,
                segments=whole.segments[fee.id],
                paid_fen=paid[fee.id],
            )
            for fee in fees
        ],
        [Money(UUID(int=1_000 + n), on, fen - used[UUID(int=1_000 + n)]) for n, (on, fen) in enumerate(came)],
        across=Across.INSTALMENTS,
        daily_rate=RATE,
        ceiling_pct=CEILING,
    )
    # Held money settles a fee on the next day anything happens, and a cut is such a day: what is charged is the same.
    assert {fee.id: second.segments[fee.id] for fee in fees} == {fee.id: whole.segments[fee.id] for fee in fees}
