"""What happened in collecting. The subject is the agreement."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import Instant


@event("xinzu.collections.case.opened.v1")
@dataclass(frozen=True, kw_only=True)
class CaseOpened(Event):
    """The agreement is worked as a case from now on."""

    case_id: UUID
    party_id: UUID
    days_past_due: int
    overdue_fen: int


@event("xinzu.collections.case.closed.v1")
@dataclass(frozen=True, kw_only=True)
class CaseClosed(Event):
    """Nothing is overdue any more."""

    case_id: UUID
    party_id: UUID


@event("xinzu.collections.restriction.requested.v1")
@dataclass(frozen=True, kw_only=True)
class RestrictionRequested(Event):
    """The ladder asks for a level on the device. ``notice_delivered_at`` proves that notice came before; devices checks it again."""

    case_id: UUID
    level: str
    notice_message_id: UUID | None
    notice_delivered_at: Instant | None
    legal_basis: str
