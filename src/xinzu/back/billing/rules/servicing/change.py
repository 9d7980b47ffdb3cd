"""What an event does, as one frozen value: the same for the preview and for the commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from xinzu.back.billing.model import InstalmentState, Leg, Role, Why
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms, refused
from xinzu.back.billing.rules.servicing.accrued import Accrued
from xinzu.back.billing.rules.servicing.position import Item, OpenCharge, Pause, Position
from xinzu.kernel.time import BusinessDate


@dataclass(frozen=True, slots=True)
class Part:
    """An amount of something owed: all of it, or less."""

    item: Item
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Raised:
    """A charge that the event brings, due on its date."""

    kind: str
    amount_fen: int
    why: Why


@dataclass(frozen=True, slots=True)
class Delta:
    """What a backdated event adds to (or, negative, takes from) a leg that was asked for already. The leg itself is not rewritten: more is
    a leg of its own that is due now.

    ``number`` and the dates are the row's in the new version; ``leg_ref`` is empty where the row had no leg of the role."""

    leg_ref: str
    number: int
    role: Role
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is owed against what a recovered thing is worth. One of ``surplus_fen`` (to the lessee) and ``shortfall_fen`` is nothing."""

    owed_fen: int
    value_fen: int
    surplus_fen: int
    shortfall_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Everything an event does. What it leaves out does not change.

    ``falls_away`` is cancelled in whole or part; ``new_legs`` are inserted; ``pays`` is what the money needed now settles of legs
    that stand; ``charges`` are raised; ``deltas`` correct what was asked for since a backdated event. ``due_now_fen`` is the money
    needed on ``on``, ``arrears_fen`` of it what was owed anyway; ``credit_fen`` is what goes back to the customer. With ``terms``
    the legs that bear ``version`` follow new terms from ``first_number``; the first ``behind`` rows of these stand as deltas.
    ``annual_cost_pct`` is what the rest costs a year from the new terms' start. ``no_late_fee`` are days (both included) in which
    no penalty accrues. ``ageing_since`` is the oldest date days past due go on from when the legs that carried it fall away and
    ``reset_days_past_due`` is not set.
    """

    kind: str
    on: BusinessDate
    why: Why
    version: int = 0
    first_number: int = 0
    terms: ScheduleTerms | None = None
    falls_away: tuple[Part, ...] = ()
    new_legs: tuple[Leg, ...] = ()
    pays: tuple[Part, ...] = ()
    charges: tuple[Raised, ...] = ()
    deltas: tuple[Delta, ...] = ()
    accrued: Accrued | None = None
    due_now_fen: int = 0
    arrears_fen: int = 0
    credit_fen: int = 0
    rebate_fen: int = 0
    carried_fen: int = 0
    pause: Pause | None = None
    behind: int = 0
    no_late_fee: tuple[BusinessDate, BusinessDate] | None = None
    reset_days_past_due: bool = False
    ageing_since: BusinessDate | None = None
    needs_four_eyes: bool = False
    reckoning: Reckoning | None = None
    annual_cost_pct: str | None = None

    @property
    def falls_away_fen(self) -> int:
        return sum(part.amount_fen for part in self.falls_away)


def why(formula: str, words_zh: str, words_en: str, **inputs: object) -> Why:
    """The reason in words with its inputs: dates and rates as text."""
    shown: Mapping[str, str | int] = {name: value if isinstance(value, int) else str(value) for name, value in inputs.items()}
    return Why(formula, words_zh, words_en, shown)


def whole(items: Iterable[Item]) -> tuple[Part, ...]:
    """All that is open of these."""
    return tuple(Part(item, item.open_fen) for item in items if item.open_fen > 0)


def not_before(on: BusinessDate, earliest_on: BusinessDate) -> None:
    """Raises Invalid for an event dated before what it acts on."""
    if on < earliest_on:
        raise refused("on", f"不得早于 {earliest_on}", f"must not be before {earliest_on}")


def grounded(ground: str, field: str = "ground") -> None:
    """Raises Invalid unless the reason is recorded."""
    if not ground.strip():
        raise refused(field, "须记录依据", "must be recorded: say on what basis")


def row_due_now(
    position: Position, on: BusinessDate, since_on: BusinessDate, number: int, amounts: Mapping[Role, int]
) -> tuple[Leg, ...]:
    """One row of the next version that is due at once. What it asks for is earned by the day before."""
    to_on = on - timedelta(days=1)
    return tuple(
        Leg(
            version=position.next_version,
            number=number,
            role=role,
            from_on=min(since_on, to_on),
            to_on=to_on,
            due_on=on,
            amount_fen=amount_fen,
            state=InstalmentState.DUE,
        )
        for role, amount_fen in amounts.items()
        if amount_fen > 0
    )


def after(position: Position, change: Change) -> Position:
    """The position once the change is carried out, before any money comes in. What a leg bore beyond what it now asks for is the payer's
    again (``paid_fen`` falls)."""
    as_of = max(position.as_of, change.on)
    legs = {leg.ref: leg for leg in position.legs}
    charges = {charge.ref: charge for charge in position.charges}
    for part in change.falls_away:
        if isinstance(part.item, OpenCharge):
            charge = charges[part.item.ref]
            charges[charge.ref] = replace(charge, open_fen=charge.open_fen - part.amount_fen)
        else:
            legs[part.item.ref] = _less(legs[part.item.ref], part.amount_fen)
    for delta in change.deltas:
        if delta.amount_fen < 0:
            legs[delta.leg_ref] = _less(legs[delta.leg_ref], -delta.amount_fen)
        else:
            more = Leg(delta.number, delta.role, delta.from_on, delta.to_on, as_of, delta.amount_fen, change.version)
            legs[more.ref] = replace(more, state=InstalmentState.DUE)
    legs |= {leg.ref: leg for leg in change.new_legs}
    raised = (OpenCharge(f"{item.kind}@{change.on}", item.kind, change.on, item.amount_fen) for item in change.charges)
    moved = replace(
        position,
        as_of=as_of,
        legs=tuple(legs.values()),
        charges=(*(charge for charge in charges.values() if charge.open_fen), *raised),
    )
    if change.terms is None:
        return moved
    return replace(
        moved,
        terms=change.terms,
        version=change.version,
        first_number=change.first_number,
        carried_fen=change.carried_fen,
        pause=change.pause,
        behind=change.behind,
    )


def _less(leg: Leg, amount_fen: int) -> Leg:
    cancelled_fen = leg.cancelled_fen + amount_fen
    paid_fen = min(leg.paid_fen, leg.amount_fen - cancelled_fen)
    state = leg.state
    if paid_fen + cancelled_fen == leg.amount_fen:
        state = InstalmentState.PAID if paid_fen else InstalmentState.CANCELLED
    return replace(leg, cancelled_fen=cancelled_fen, paid_fen=paid_fen, state=state)
