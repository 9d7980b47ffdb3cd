"""Out of which payments an amount is given back: a provider refunds trades, not customers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID


def split_refund(refundable: Sequence[tuple[UUID, int]], amount_fen: int) -> list[tuple[UUID, int]]:
    """Parts per payment, in the order given (newest first keeps within the provider's refund period).

    The parts sum to the amount, or to all that is refundable when that is less.

    >>> split_refund([(UUID(int=2), 300), (UUID(int=1), 500)], 400)
    [(UUID('00000000-0000-0000-0000-000000000002'), 300), (UUID('00000000-0000-0000-0000-000000000001'), 100)]
    """
    parts = []
    left = amount_fen
    for payment_id, refundable_fen in refundable:
        part = min(left, refundable_fen)
        if part > 0:
            parts.append((payment_id, part))
            left -= part
    return parts
