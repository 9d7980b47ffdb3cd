"""What was decided."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event


@event("xinzu.decisions.decision.made.v1")
@dataclass(frozen=True, kw_only=True)
class DecisionMade(Event):
    """A decision on an application, by the strategy or by a reviewer. Subject: the application.

    ``outcome`` is approve, decline or refer; ``decided_by`` is strategy or reviewer.
    """

    decision_id: UUID
    outcome: str
    decided_by: str
    reason_codes: list[str]
    strategy_key: str
    strategy_version: int
