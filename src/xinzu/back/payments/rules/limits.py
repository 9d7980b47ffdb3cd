"""No amount ever exceeds what is left of its mandate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID


def within_rest(wishes: Sequence[tuple[UUID, int]], rest_fen: Mapping[UUID, int]) -> list[int]:
    """What each wish (mandate, amount) may take, first come first served; 0 where nothing is left.

    >>> mandate = UUID(int=1)
    >>> within_rest([(mandate, 300), (mandate, 300), (mandate, 300)], {mandate: 500})
    [300, 200, 0]
    """
    left = dict(rest_fen)
    granted = []
    for mandate_id, amount_fen in wishes:
        amount = max(0, min(amount_fen, left[mandate_id]))
        left[mandate_id] -= amount
        granted.append(amount)
    return granted
