"""Setting money against what is owed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from xinzu.back.billing.model import Allocation, Funds, ItemKind, OpenItem
from xinzu.kernel.terms import Family

# Civil Code art. 561: cost of enforcing, then interest, then the main debt, unless agreed otherwise; the contracts say the same.
WATERFALL: dict[ItemKind, int] = {
    ItemKind.LATE_FEE: 0,
    ItemKind.DAMAGE: 1,
    ItemKind.EARLY_RETURN: 1,
    ItemKind.PREPAYMENT_FEE: 1,
    ItemKind.BUYOUT: 1,
    ItemKind.TERMINATION_LOSS: 1,
    ItemKind.FEE: 1,
    ItemKind.INTEREST: 2,
    ItemKind.PRINCIPAL: 3,
    ItemKind.RENT: 3,
}


class Across(StrEnum):
    """Whether money fills one kind of item of every instalment first, or one instalment with all its items."""

    KINDS = "kinds"
    INSTALMENTS = "instalments"


# A rental's late fees come first whatever they are on. Who repays by instalments clears the oldest whole, so that days past due fall.
ACROSS: dict[Family, Across] = {
    Family.RENTAL: Across.KINDS,
    Family.FINANCE_LEASE: Across.INSTALMENTS,
    Family.LOAN: Across.INSTALMENTS,
}


def allocate(funds: Sequence[Funds], open_items: Sequence[OpenItem], across: Across = Across.KINDS) -> list[Allocation]:
    """Set receipts, in the order given, against items: penalties, then fees, then interest, then rent or principal; the oldest due first.

    Across kinds every penalty comes before every fee, whatever instalment it is of; across instalments the oldest due date comes first and
    the kinds order what is due on it. Conserves fen: what is allocated of a receipt is at most what was left of it, of an item at most
    what is open of it, and either all money or all items are used up. What is left of the receipts is the credit balance.
    """
    waiting: Sequence[OpenItem]
    if len(open_items) == 1:
        waiting = open_items
    elif across is Across.KINDS:
        waiting = sorted(open_items, key=lambda item: (WATERFALL[item.kind], item.due_on, item.id))
    else:
        waiting = sorted(open_items, key=lambda item: (item.due_on, WATERFALL[item.kind], item.id))
    allocations: list[Allocation] = []
    at, open_fen = 0, waiting[0].open_fen if waiting else 0
    for fund in funds:
        left_fen = fund.available_fen
        while left_fen > 0 and at < len(waiting):
            part_fen = min(left_fen, open_fen)
            if part_fen > 0:
                allocations.append(Allocation(fund.receipt_id, waiting[at], part_fen))
            left_fen -= part_fen
            open_fen -= part_fen
            if open_fen == 0:
                at += 1
                open_fen = waiting[at].open_fen if at < len(waiting) else 0
    return allocations


def draw(funds: Sequence[Funds], amount_fen: int) -> list[Funds]:
    """Take an amount out of receipts in the order given: how much of each. Raises ValueError when they hold less.

    >>> from uuid import UUID
    >>> [part.available_fen for part in draw([Funds(UUID(int=1), 30), Funds(UUID(int=2), 30)], 40)]
    [30, 10]
    """
    parts = []
    for fund in funds:
        part_fen = min(fund.available_fen, amount_fen)
        if part_fen > 0:
            parts.append(Funds(fund.receipt_id, part_fen))
            amount_fen -= part_fen
    if amount_fen > 0:
        raise ValueError(f"the receipts hold {amount_fen} fen less than is drawn")
    return parts
