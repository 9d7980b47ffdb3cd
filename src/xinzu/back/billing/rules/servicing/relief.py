"""Giving up, losing and suspending: waivers, write-off and recovery, charge-off, and interest that stops accruing in the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from xinzu.back.billing.model import Role, Why
from xinzu.back.billing.rules.schedules.terms import AMOUNT_MAX_FEN, refused, within
from xinzu.back.billing.rules.servicing.accrued import Accrued, accrued_to, timeline
from xinzu.back.billing.rules.servicing.change import Change, Part, grounded, not_before, whole, why
from xinzu.back.billing.rules.servicing.position import Item, OpenCharge, Position
from xinzu.kernel.time import BusinessDate

# Interest overdue for more than ninety days is taken out of income and kept off the books: Cai Jin [2001] no. 25 and after it the
# five-class guideline's practice. The product's guard, open to counsel.
SUSPENDED_AFTER_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """So much of each named item (leg or charge, by its ref) is given up. Above ``alone_max_fen`` a second person must approve."""

    on: BusinessDate
    amounts_fen: Mapping[str, int]
    ground: str
    alone_max_fen: int


class Loss(StrEnum):
    """Charge-off: no longer carried as performing, the whole claim stands. Write-off: out of the books, the claim is pursued off them."""

    CHARGE_OFF = "charge_off"
    WRITE_OFF = "write_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derecognition:
    """What is open is charged off or written off on a recorded ground."""

    on: BusinessDate
    loss: Loss
    ground: str


@dataclass(frozen=True, slots=True)
class Derecognised:
    """The amounts that leave the books, by what they were. No leg is cancelled: the debtor's duty is untouched (账销案存)."""

    on: BusinessDate
    loss: Loss
    parts: tuple[Part, ...]
    principal_fen: int
    interest_fen: int
    other_fen: int
    accrued: Accrued | None
    needs_four_eyes: bool
    why: Why

    @property
    def total_fen(self) -> int:
        return self.principal_fen + self.interest_fen + self.other_fen


@dataclass(frozen=True, slots=True)
class Recovered:
    """Money on a claim written off: so much is income from recovery, so much is left to recover, the excess is the customer's."""

    on: BusinessDate
    recovered_fen: int
    left_fen: int
    excess_fen: int
    why: Why


@dataclass(frozen=True, slots=True)
class Suspension:
    """Interest and the books: on a stop, ``reversed_fen`` (accrued or asked for and unpaid) leaves income; on a resumption, ``caught_up_fen``
    (the same, as it stands then) comes back. What the debtor owes does not change."""

    on: BusinessDate
    is_stop: bool
    parts: tuple[Part, ...]
    accrued: Accrued
    reversed_fen: int
    caught_up_fen: int
    why: Why


def waive(position: Position, event: Waiver) -> Change:
    """Named items are given up in part or whole (减免, Civil Code art. 575). Raises Invalid for an item that is not open or an amount
    above what is open of it; nothing is given up without a ground."""
    not_before(event.on, position.as_of)
    grounded(event.ground)
    within("alone_max_fen", event.alone_max_fen, 0, AMOUNT_MAX_FEN)
    if not event.amounts_fen:
        raise refused("amounts_fen", "须指明减免的款项", "must name at least one item")
    items: dict[str, Item] = {item.ref: item for item in position.items}
    parts = []
    for ref, amount_fen in event.amounts_fen.items():
        item = items.get(ref)
        if item is None or item.open_fen == 0:
            raise refused("amounts_fen", f"款项 {ref} 不存在或已结清", f"names {ref}, which is not open: name open items")
        within(f"amounts_fen.{ref}", amount_fen, 1, item.open_fen)
        parts.append(Part(item, amount_fen))
    total_fen = sum(part.amount_fen for part in parts)
    return Change(
        kind="waiver",
        on=event.on,
        why=why(
            "waiver",
            f"减免 {total_fen} 分：{event.ground}（民法典第五百七十五条）",
            f"{total_fen} fen given up: {event.ground} (Civil Code art. 575)",
            waived_fen=total_fen,
            alone_max_fen=event.alone_max_fen,
            ground=event.ground,
        ),
        falls_away=tuple(parts),
        needs_four_eyes=total_fen > event.alone_max_fen,
    )


def derecognise(position: Position, event: Derecognition) -> Derecognised:
    """A charge-off or write-off (核销): the principal open, interest asked for and accrued, and charges; always by two people.

    Interest of rows to come has not accrued and is no part of it. Raises Invalid without a ground or when nothing is open.
    """
    not_before(event.on, position.as_of)
    grounded(event.ground)
    asked, accrued = len(position.legs), None
    if position.terms is not None:
        asked = sum(accrual.period.due_on <= event.on for accrual in timeline(position.terms))
        accrued = accrued_to(position, event.on)
    pausing_fen = position.pause.capitalised_fen if position.pause and event.on < position.pause.to_on else 0

    def counts(item: Item) -> bool:
        if isinstance(item, OpenCharge):
            return True
        is_to_come = item.due_on > event.on if position.terms is None else (position.row_of(item) or 0) > asked
        return not is_to_come or item.role is Role.PRINCIPAL

    parts = whole(item for item in position.items if counts(item))
    by_role = dict.fromkeys(Role, 0)
    other_fen = 0
    for part in parts:
        if isinstance(part.item, OpenCharge):
            other_fen += part.amount_fen
        else:
            by_role[part.item.role] += part.amount_fen
    accrued_fen = accrued.interest_fen if accrued else 0
    principal_fen, interest_fen = by_role[Role.PRINCIPAL] - pausing_fen, by_role[Role.INTEREST] + accrued_fen
    other_fen += sum(fen for role, fen in by_role.items() if role not in (Role.PRINCIPAL, Role.INTEREST))
    if principal_fen + interest_fen + other_fen == 0:
        raise refused("on", "已无未付款项", "finds nothing open: there is nothing to write off")
    words = {
        Loss.WRITE_OFF: ("核销：账销案存，债权继续追索", "Written off: out of the books, the claim is still pursued"),
        Loss.CHARGE_OFF: ("转为损失：不再作为正常资产，债权不变", "Charged off: no longer performing, the claim stands"),
    }
    return Derecognised(
        event.on,
        event.loss,
        parts,
        principal_fen,
        interest_fen,
        other_fen,
        accrued,
        True,
        why(event.loss.value, *words[event.loss], ground=event.ground, accrued_fen=accrued_fen),
    )


def recover(written_off_fen: int, recovered_before_fen: int, amount_fen: int, on: BusinessDate) -> Recovered:
    """Money on a claim that was written off.

    >>> from datetime import date
    >>> found = recover(100_000, 30_000, 80_000, date(2026, 5, 1))
    >>> found.recovered_fen, found.left_fen, found.excess_fen
    (70000, 0, 10000)
    """
    within("written_off_fen", written_off_fen, 1, AMOUNT_MAX_FEN)
    within("recovered_before_fen", recovered_before_fen, 0, written_off_fen)
    within("amount_fen", amount_fen, 1, AMOUNT_MAX_FEN)
    recovered_fen = min(amount_fen, written_off_fen - recovered_before_fen)
    left_fen = written_off_fen - recovered_before_fen - recovered_fen
    reason = why(
        "recovery",
        "收回已核销款项",
        "Money on a claim that was written off",
        written_off_fen=written_off_fen,
        recovered_before_fen=recovered_before_fen,
    )
    return Recovered(on, recovered_fen, left_fen, amount_fen - recovered_fen, reason)


def stop_accrual(position: Position, on: BusinessDate, days_past_due: int, ground: str = "") -> Suspension:
    """Interest leaves the books when it has been overdue for more than ninety days, or earlier on a recorded ground."""
    within("days_past_due", days_past_due, 0, 100_000)
    if days_past_due <= SUSPENDED_AFTER_DAYS and not ground.strip():
        raise refused(
            "days_past_due",
            f"未超过 {SUSPENDED_AFTER_DAYS} 天：须记录依据",
            f"must be above {SUSPENDED_AFTER_DAYS}, or a ground must be recorded",
        )
    words = ("应收利息逾期超过九十天或按所记依据，停止计入收入，转表外核算", "Interest leaves income and is kept off the books")
    return _suspension(position, on, words, days_past_due, ground, is_stop=True)


def resume_accrual(position: Position, on: BusinessDate, days_past_due: int) -> Suspension:
    """Interest comes back into the books once nothing is overdue: what accrued since counts with it."""
    if days_past_due != 0:
        raise refused("days_past_due", "仍有逾期：清偿后方可恢复", "must be nothing: clear the arrears first")
    words = ("逾期已清偿，恢复计息入账", "Nothing is overdue: interest is income again")
    return _suspension(position, on, words, days_past_due, "", is_stop=False)


def _suspension(
    position: Position, on: BusinessDate, words: tuple[str, str], days_past_due: int, ground: str, *, is_stop: bool
) -> Suspension:
    not_before(on, position.as_of)
    accrued = accrued_to(position, on)
    asked = sum(accrual.period.due_on <= on for accrual in timeline(position.financed))
    parts = whole(leg for leg in position.legs if leg.role is Role.INTEREST and not (position.row_of(leg) or 0) > asked)
    total_fen = accrued.interest_fen + sum(part.amount_fen for part in parts)
    reason = why(
        "accrual_stopped" if is_stop else "accrual_resumed",
        *words,
        days_past_due=days_past_due,
        ground=ground,
        interest_fen=total_fen,
    )
    return Suspension(on, is_stop, parts, accrued, total_fen if is_stop else 0, 0 if is_stop else total_fen, reason)
