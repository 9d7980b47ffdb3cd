"""What partners' shares come to of what was received on an item: their agreement's words brought to ``splits.split_settlement``.

A share is a function of what has been received of the item by now, never of one receipt: money in parts, taken back or set elsewhere moves
it by the difference, and no fen is given twice or lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.billing.model import ItemKind, ShareBasis
from xinzu.back.billing.rules.splits import Share, split_settlement
from xinzu.kernel.time import BusinessDate

BASIS_OF = {ItemKind.RENT: ShareBasis.RENT, ItemKind.INTEREST: ShareBasis.INTEREST, ItemKind.BUYOUT: ShareBasis.RESIDUAL}


@dataclass(frozen=True, slots=True)
class AgreedShare:
    """A partner's share in items of one basis that fall due from ``from_on`` and before ``to_on``: ``share_bp`` of what is received, within
    floor and cap; or ``fixed_fen`` of each item."""

    id: UUID
    partner_id: UUID
    basis: ShareBasis
    share_bp: int
    fixed_fen: int
    floor_fen: int
    cap_fen: int | None
    from_on: BusinessDate
    to_on: BusinessDate | None = None

    def covers(self, kind: ItemKind, due_on: BusinessDate) -> bool:
        return BASIS_OF.get(kind) is self.basis and self.from_on <= due_on and (self.to_on is None or due_on < self.to_on)


@dataclass(frozen=True, slots=True)
class Received:
    """How much of what an item asks for has come in as money by now."""

    item_id: UUID
    kind: ItemKind
    due_on: BusinessDate
    asked_fen: int
    received_fen: int


def shares_of(received: Received, shares: Iterable[AgreedShare]) -> list[tuple[AgreedShare, int]]:
    """Each covering share with its fen. All together are at most what was received; fixed amounts and floors come with the last fen of the
    item, so that a partner is not paid before the merchant.

    >>> from datetime import date
    >>> on = date(2026, 3, 1)
    >>> dealer = AgreedShare(UUID(int=1), UUID(int=7), ShareBasis.RENT, 0, 2_000, 0, None, on)
    >>> channel = AgreedShare(UUID(int=2), UUID(int=8), ShareBasis.RENT, 500, 0, 0, None, on)
    >>> [fen for _, fen in shares_of(Received(UUID(int=9), ItemKind.RENT, on, 29_900, 10_000), [dealer, channel])]
    [0, 500]
    >>> [fen for _, fen in shares_of(Received(UUID(int=9), ItemKind.RENT, on, 29_900, 29_900), [dealer, channel])]
    [2000, 1495]
    """
    covering = [share for share in shares if share.covers(received.kind, received.due_on)]
    if not covering:
        return []
    is_whole = 0 < received.asked_fen <= received.received_fen
    split = split_settlement(max(received.received_fen, 0), [_terms(share, is_whole=is_whole) for share in covering])
    return list(zip(covering, split.parts_fen, strict=True))


def _terms(share: AgreedShare, *, is_whole: bool) -> Share:
    if share.fixed_fen:
        fixed_fen = share.fixed_fen if is_whole else 0
        return Share(share.partner_id, 0, floor_fen=fixed_fen, cap_fen=fixed_fen)
    return Share(share.partner_id, share.share_bp, floor_fen=share.floor_fen if is_whole else 0, cap_fen=share.cap_fen)


def moved(
    received: Sequence[Received], shares: Sequence[AgreedShare], stands_fen: dict[tuple[UUID, UUID], int]
) -> list[tuple[AgreedShare, Received, int]]:
    """By how much each share in each item must move from what stands of it, by (share, item). What a share no longer covers goes back."""
    by_id = {share.id: share for share in shares}
    items = {each.item_id: each for each in received}
    wanted = {(share.id, each.item_id): fen for each in received for share, fen in shares_of(each, shares)}
    return [
        (by_id[share_id], items[item_id], wanted.get((share_id, item_id), 0) - stands_fen.get((share_id, item_id), 0))
        for share_id, item_id in sorted(wanted.keys() | stands_fen.keys())
        if wanted.get((share_id, item_id), 0) != stands_fen.get((share_id, item_id), 0)
    ]
