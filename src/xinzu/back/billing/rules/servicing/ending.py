"""How a rental goes on, changes hands or becomes a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from xinzu.back.billing.model import Leg, Role, Why
from xinzu.back.billing.rules.schedules.periods import shift
from xinzu.back.billing.rules.schedules.rentals import buyout_price_fen, buyout_price_of_month, equal_rents
from xinzu.back.billing.rules.schedules.terms import Timing, Unit, refused
from xinzu.back.billing.rules.servicing.change import Change, Part, Raised, grounded, not_before, why
from xinzu.back.billing.rules.servicing.position import Item, Position
from xinzu.back.billing.rules.servicing.prepayment import arrears_of
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate, add_months


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """So many more periods at a rent. ``rents_max_fen`` is the price guard: all rents of the rental together, where the plan has one."""

    on: BusinessDate
    periods: int
    rent_fen: int
    unit: Unit = Unit.MONTH
    every: int = 1
    rents_max_fen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The buy-out price for each month of the rental; after its end the last stands."""

    prices_fen: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFormula:
    """The value less a share of the rents paid, but not below a floor."""

    device_value_fen: int
    floor_fen: int = 0
    credited_share: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyout:
    """The lessee keeps the thing, from a date in the middle of the term or at its end. Without a price the contract's counts."""

    on: BusinessDate
    price: PriceTable | PriceFormula | None = None


class OpenItemsStay(StrEnum):
    """With whom stays what was open when another takes over."""

    WITH_OLD = "with_old"
    WITH_NEW = "with_new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Another lessee takes over from a date. ``consent_ref`` is the lessor's recorded consent, without which nothing passes."""

    on: BusinessDate
    open_items: OpenItemsStay
    consent_ref: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """Who owes what from the date: ``stays`` with the old lessee, ``moves`` to the new one. No amount changes."""

    on: BusinessDate
    stays: tuple[Item, ...]
    moves: tuple[Item, ...]
    why: Why


def renew(position: Position, event: Renewal) -> Change:
    """Rents for more periods, from the day after the last, due on the first day of each (续租, Civil Code art. 734: by agreement).

    Never above the rent in force, nor beyond the price guard. Raises Invalid naming what is too high, or after the end of the term.
    """
    not_before(event.on, position.as_of)
    rents = _rents(position)
    last = max(rents, key=lambda leg: leg.to_on)
    if event.on > last.to_on:
        raise refused("on", f"租期已于 {last.to_on} 届满", f"must not be after the last day of the term, {last.to_on}")
    if event.rent_fen > last.amount_fen:
        raise refused(
            "rent_fen", f"不得高于现行租金 {last.amount_fen} 分", f"must not be above the rent in force, {last.amount_fen}"
        )
    start_on = shift(Unit.DAY, 1, last.to_on, 1)
    rows = equal_rents(event.rent_fen, event.periods, start_on, unit=event.unit, every=event.every, timing=Timing.ADVANCE)
    total_fen = sum(leg.standing_fen for leg in rents) + event.rent_fen * event.periods
    if event.rents_max_fen is not None and total_fen > event.rents_max_fen:
        raise refused(
            "rent_fen",
            f"租金合计 {total_fen} 分超过上限 {event.rents_max_fen} 分",
            f"brings all rents to {total_fen}, above the guard of {event.rents_max_fen}: lower the rent or the periods",
        )
    number = max(leg.number for leg in position.legs)
    new_legs = tuple(
        Leg(
            version=position.next_version,
            number=number + row.n,
            role=Role.RENT,
            from_on=row.from_on,
            to_on=shift(Unit.DAY, 1, row.to_on, -1),
            due_on=row.due_on,
            amount_fen=event.rent_fen,
        )
        for row in rows
    )
    return Change(
        kind="renewal",
        on=event.on,
        why=why(
            "renewal",
            f"续租 {event.periods} 期，每期租金 {event.rent_fen} 分，自 {start_on} 起",
            f"Renewed for {event.periods} periods at {event.rent_fen} fen from {start_on}",
            periods=event.periods,
            rent_fen=event.rent_fen,
            rent_before_fen=last.amount_fen,
            rents_in_all_fen=total_fen,
        ),
        version=position.next_version,
        new_legs=new_legs,
    )


def buy_out(position: Position, event: Buyout) -> Change:
    """The lessee owes the price, the rents whose period has begun and what else is open; later rents fall away, paid ones come back.

    The price is that of a table for the month begun, or the value less the rents paid for periods begun. By the contract it is that of its
    table; without one the agreed price on the last day of the term or later, and before it the value less the rents paid, at least the
    agreed price.
    """
    not_before(event.on, position.as_of)
    rents = _rents(position)
    start_on = min(leg.from_on for leg in rents)
    not_before(event.on, start_on)
    later = [leg for leg in rents if leg.from_on > event.on]
    coming = {leg.ref for leg in later}
    months = 1
    while add_months(start_on, months) <= event.on:
        months += 1
    paid_fen = sum(leg.paid_fen for leg in rents if leg.ref not in coming)
    price = event.price or _contract_price(position, event.on >= max(leg.to_on for leg in rents))
    if isinstance(price, PriceTable):
        price_fen = buyout_price_of_month(price.prices_fen, months)
    else:
        price_fen = buyout_price_fen(
            price.device_value_fen,
            paid_fen,
            floor_fen=price.floor_fen,
            credited_share=price.credited_share,
        )
    reason = why(
        "buyout_price",
        "中途买断：买断价、已开始各期租金及其他未付款项；其后租金免收",
        "Bought out: the price, the rents of periods begun and what else is open; later rents fall away",
        month=months,
        paid_rents_fen=paid_fen,
        price_fen=price_fen,
        priced_by="table" if isinstance(price, PriceTable) else "value_less_rents",
        rents_falling_away_fen=sum(leg.standing_fen for leg in later),
    )
    arrears_fen = arrears_of(position, later, event.on)
    return Change(
        kind="buyout",
        on=event.on,
        why=reason,
        falls_away=tuple(Part(leg, leg.standing_fen) for leg in later),  # paid ahead or not
        charges=(Raised("buyout", price_fen, reason),) if price_fen else (),
        arrears_fen=arrears_fen,
        due_now_fen=price_fen + arrears_fen,
        credit_fen=sum(leg.paid_fen for leg in later),
    )


def _contract_price(position: Position, is_over: bool) -> PriceTable | PriceFormula:
    if position.buyout_prices_fen:
        return PriceTable(prices_fen=position.buyout_prices_fen)
    if is_over and position.buyout_fen:
        return PriceTable(prices_fen=(position.buyout_fen,))
    if not position.device_value_fen:
        raise refused("price_fen", "合同未记载价值：请给出买断价", "is needed: the contract names no value of the thing")
    return PriceFormula(device_value_fen=position.device_value_fen, floor_fen=min(position.buyout_fen, position.device_value_fen))


def transfer(position: Position, event: Transfer) -> Transferred:
    """Another lessee takes over what falls due after the date; what is open by then stays with whom the policy says.

    Raises Invalid without the recorded consent (Civil Code arts. 551, 555).
    """
    not_before(event.on, position.as_of)
    grounded(event.consent_ref, "consent_ref")
    due: list[Item] = [leg for leg in position.legs if leg.open_fen > 0 and leg.due_on <= event.on]
    due += [charge for charge in position.charges if charge.open_fen > 0]
    later: Sequence[Item] = [leg for leg in position.legs if leg.open_fen > 0 and leg.due_on > event.on]
    to_new = event.open_items is OpenItemsStay.WITH_NEW
    return Transferred(
        event.on,
        () if to_new else tuple(due),
        (*due, *later) if to_new else tuple(later),
        why(
            "transfer_of_lessee",
            "经出租人同意，承租人的权利义务自该日起由新承租人承担（民法典第五百五十一、五百五十五条）",
            "By the lessor's consent another lessee takes over from the date (Civil Code arts. 551, 555)",
            open_items=event.open_items.value,
            consent_ref=event.consent_ref,
            open_fen=sum(item.open_fen for item in due),
        ),
    )


def _rents(position: Position) -> list[Leg]:
    if position.family is not Family.RENTAL:
        raise refused("family", "仅适用于租赁", "must be a rental: settle a financed agreement in full instead")
    rents = [leg for leg in position.legs if leg.role is Role.RENT and leg.standing_fen > 0]
    if not rents:
        raise refused("legs", "没有租金", "hold no rent: there is nothing to change")
    return rents
