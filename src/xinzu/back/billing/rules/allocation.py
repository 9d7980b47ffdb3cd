"""Setting money against what is owed."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.billing.model import Allocation, Funds, ItemKind, OpenItem

# Civil Code art. 561: cost of enforcing, then interest, then the main debt, unless agreed otherwise; the lease says the same.
WATERFALL: dict[ItemKind, int] = {ItemKind.LATE_FEE: 0, ItemKind.DAMAGE: 1, ItemKind.EARLY_RETURN: 1, ItemKind.RENT: 2}


def allocate(funds: Sequence[Funds], open_items: Sequence[OpenItem]) -> list[Allocation]:
    """Set receipts, in the order given, against items: late fees, then other charges, then rent; the oldest due first.

    Conserves fen: what is allocated of a receipt is at most what was left of it, of an item at most what is open of it, and either all
    money or all items are used up. What is left of the receipts is the credit balance.
    """
    waiting = sorted(open_items, key=lambda item: (WATERFALL[item.kind], item.due_on, item.id))
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
