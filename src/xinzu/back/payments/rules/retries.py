"""What is collected again after a failed attempt, and how much of it is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.payments.model import ATTEMPTS_MAX, Demand, Purpose

RETRIED = frozenset({Purpose.FIRST_RENT, Purpose.INSTALMENT, Purpose.SETTLEMENT})


def is_tried_again(purpose: Purpose, attempt: int) -> bool:
    """Whether a failed attempt is followed by another by itself. Arrears are the customer's own act and never are."""
    return purpose in RETRIED and attempt < ATTEMPTS_MAX


def shortfalls(demands: Sequence[Demand], arrears_paid_fen: int) -> dict[UUID, int]:
    """What is still missing of each instalment once the customer's active payments are set against the oldest first.

    Billing allocates by its own waterfall, which may put late fees before rent; measured here they count against rent, so that a
    retry may ask for too little and never for too much.

    >>> from datetime import date
    >>> first, second = UUID(int=1), UUID(int=2)
    >>> due = [Demand(second, date(2026, 4, 1), 300, 0), Demand(first, date(2026, 3, 1), 300, 100)]
    >>> shortfalls(due, 250) == {first: 0, second: 250}
    True
    """
    left = arrears_paid_fen
    missing = {}
    for demand in sorted(demands, key=lambda demand: (demand.due_on, demand.instalment_id)):
        short = max(0, demand.asked_fen - demand.collected_fen)
        covered = min(short, left)
        left -= covered
        missing[demand.instalment_id] = short - covered
    return missing
