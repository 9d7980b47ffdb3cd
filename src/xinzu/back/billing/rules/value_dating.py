"""Money that came in before it was recorded counts from the day it came in (起息日), not from the day somebody wrote it down.

What the customer owes is then what he would owe had the receipt been recorded on its day: what it and every receipt since would have
settled is worked out anew from that day on (``replay``), and of the days a late fee was charged for, each is charged on what would have
been open on it. Delay ends with performance, and performance is the day the money is the creditor's (Civil Code arts. 585, 589).

Nothing is charged that was not charged before: days keep their fee or lose it, a base falls or stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from xinzu.back.billing.model import Funds, ItemKind, OpenItem, Segment
from xinzu.back.billing.rules.allocation import Across, allocate
from xinzu.back.billing.rules.late_fee import fen_days_of, late_fee_fen
from xinzu.kernel.time import BusinessDate

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A leg, or a charge that is no late fee. It can be paid from ``claimed_on`` on; ``paid_fen`` is what stood paid before the replay
    begins, ``let_off`` what was let off, by date."""

    id: UUID
    kind: ItemKind
    due_on: BusinessDate
    claimed_on: BusinessDate
    amount_fen: int
    paid_fen: int = 0
    let_off: tuple[tuple[BusinessDate, int], ...] = ()

    @property
    def is_leg(self) -> bool:
        return OpenItem(self.id, self.kind, self.due_on, 0).is_leg

    @property
    def payable_fen(self) -> int:
        return self.amount_fen - sum(fen for _, fen in self.let_off)

    def let_off_fen(self, on: BusinessDate) -> int:
        return sum(fen for at, fen in self.let_off if at <= on)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFee:
    """The late fee on a leg as it was charged: ``stands_fen`` for ``segments``. ``let_off_fen`` was waived of it."""

    id: UUID
    leg_id: UUID
    stands_fen: int
    segments: tuple[Segment, ...]
    paid_fen: int = 0
    let_off_fen: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """A receipt and what of it is free when the replay begins."""

    receipt_id: UUID
    received_on: BusinessDate
    available_fen: int


@dataclass(frozen=True, slots=True)
class Settled:
    """So much of a receipt settled so much of an item, on that day."""

    on: BusinessDate
    receipt_id: UUID
    item_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What each receipt settles and when, and what each late fee is: its segments and its amount, never above what stands."""

    settled: tuple[Settled, ...]
    segments: Mapping[UUID, tuple[Segment, ...]]
    fee_fen: Mapping[UUID, int]


def replay(
    from_on: BusinessDate,
    until_on: BusinessDate,
    claims: Sequence[Claim],
    fees: Sequence[LateFee],
    money: Sequence[Money],
    *,
    across: Across,
    daily_rate: Decimal,
    ceiling_pct: Decimal,
) -> Replayed:
    """Live the days ``from_on`` to ``until_on`` again with every receipt on its day.

    On each day what is claimed can be paid, then money is set against it by the waterfall; late fees stand as of the close before. Pure:
    the same history gives the same answer, and a receipt that was recorded on its day changes nothing.
    """
    legs = {claim.id: claim for claim in claims}
    paid = {claim.id: claim.paid_fen for claim in claims} | {fee.id: fee.paid_fen for fee in fees}
    left = {each.receipt_id: each.available_fen for each in money}
    segments = {fee.id: _before(fee.segments, from_on) for fee in fees}
    in_order = sorted(money, key=lambda each: (each.received_on, each.receipt_id))

    def fee_fen(fee: LateFee) -> int:
        computed = late_fee_fen(fen_days_of(segments[fee.id]), legs[fee.leg_id].amount_fen, daily_rate, ceiling_pct)
        return min(computed, fee.stands_fen)

    def open_items(on: BusinessDate) -> list[OpenItem]:
        found = [
            OpenItem(claim.id, claim.kind, claim.due_on, claim.payable_fen - paid[claim.id])
            for claim in claims
            if claim.claimed_on <= on
        ] + [
            OpenItem(fee.id, ItemKind.LATE_FEE, legs[fee.leg_id].due_on, fee_fen(fee) - fee.let_off_fen - paid[fee.id])
            for fee in fees
        ]
        return [item for item in found if item.open_fen > 0]

    settled: list[Settled] = []
    days = _days_of_change(from_on, until_on, claims, money)
    for on, next_on in zip(days, [*days[1:], until_on + ONE_DAY], strict=True):
        funds = [Funds(each.receipt_id, left[each.receipt_id]) for each in in_order if each.received_on <= on]
        for part in allocate([fund for fund in funds if fund.available_fen > 0], open_items(on), across):
            left[part.receipt_id] -= part.amount_fen
            paid[part.item.id] += part.amount_fen
            settled.append(Settled(on, part.receipt_id, part.item.id, part.amount_fen))
        for fee in fees:
            leg = legs[fee.leg_id]
            open_fen = leg.amount_fen - leg.let_off_fen(on) - paid[leg.id]
            segments[fee.id] += _recharged(fee.segments, on, next_on - ONE_DAY, open_fen)
    joined = {fee_id: _joined(parts) for fee_id, parts in segments.items()}
    return Replayed(tuple(settled), joined, {fee.id: fee_fen(fee) for fee in fees})


def _days_of_change(
    from_on: BusinessDate, until_on: BusinessDate, claims: Iterable[Claim], money: Iterable[Money]
) -> list[BusinessDate]:
    days = {from_on}
    for claim in claims:
        days.update((claim.claimed_on, *(on for on, _ in claim.let_off)))
    days.update(each.received_on for each in money)
    return sorted(on for on in days if from_on <= on <= until_on)


def _before(segments: Iterable[Segment], on: BusinessDate) -> tuple[Segment, ...]:
    return tuple(Segment(each.from_on, min(each.to_on, on - ONE_DAY), each.base_fen) for each in segments if each.from_on < on)


def _recharged(charged: Iterable[Segment], first_on: BusinessDate, last_on: BusinessDate, open_fen: int) -> tuple[Segment, ...]:
    """The days of a stretch that were charged, on what is open on them now."""
    parts = []
    for each in charged:
        from_on, to_on, base_fen = max(each.from_on, first_on), min(each.to_on, last_on), min(each.base_fen, open_fen)
        if from_on <= to_on and base_fen > 0:
            parts.append(Segment(from_on, to_on, base_fen))
    return tuple(parts)


def _joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Days next to each other on the same base as one stretch."""
    joined: list[Segment] = []
    for each in segments:
        if joined and joined[-1].base_fen == each.base_fen and joined[-1].to_on + ONE_DAY == each.from_on:
            joined[-1] = Segment(joined[-1].from_on, each.to_on, each.base_fen)
        else:
            joined.append(each)
    return tuple(joined)
