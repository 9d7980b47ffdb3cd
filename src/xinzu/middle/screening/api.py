"""The front door of screening for other modules.

facts = await screening.screen_applications(uow, [Screened(application_id=…, party_id=…, channel="alipay", signals={…})])
facts[application_id]["related_component_cnt"]
relations = await screening.relations_of(read, [party_id], read.now)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.screening.commands.alerting import AlertMoved, AssignAlert, DecideAlert, assign_alerts, decide_alerts
from xinzu.middle.screening.commands.lists import AddToList, Listed, RemoveFromList, add_to_lists, remove
from xinzu.middle.screening.commands.money import MovementRecorded, note_movements, record_movements
from xinzu.middle.screening.commands.relate import (
    addresses_of,
    readdress_applications,
    relations_of,
    screen_applications,
)
from xinzu.middle.screening.commands.watch import (
    ImportWatchList,
    WatchListImported,
    import_watch_lists,
    screen_parties,
)
from xinzu.middle.screening.errors import AlertUnknown, ListEntryUnknown
from xinzu.middle.screening.model import (
    OVERDUE_BAD_DAYS,
    Alert,
    AlertRule,
    AlertState,
    Direction,
    ListColour,
    ListedKind,
    ListEntry,
    ListReason,
    Method,
    Movement,
    Relations,
    Screened,
    WatchKind,
)
from xinzu.middle.screening.rules.reasons import reasons_of
from xinzu.middle.screening.store import lists as _lists
from xinzu.middle.screening.store import money as _money
from xinzu.middle.screening.store import relations as _relations
from xinzu.middle.screening.store import watch as _watch
from xinzu.platform.uow import ReadSession, UnitOfWork

__all__ = [
    "OVERDUE_BAD_DAYS",
    "AddToList",
    "Alert",
    "AlertMoved",
    "AlertRule",
    "AlertState",
    "AssignAlert",
    "DecideAlert",
    "Direction",
    "ImportWatchList",
    "ListColour",
    "ListEntry",
    "ListReason",
    "Listed",
    "ListedKind",
    "Method",
    "Movement",
    "MovementRecorded",
    "Relations",
    "RemoveFromList",
    "Screened",
    "WatchKind",
    "WatchListImported",
    "add_to_lists",
    "addresses_of",
    "alert",
    "alerts",
    "assign_alerts",
    "decide_alerts",
    "import_watch_lists",
    "list_entries",
    "list_entry",
    "name_agreements",
    "note_approved",
    "note_cancelled",
    "note_commenced",
    "note_cured",
    "note_declined",
    "note_defaulted",
    "note_ended",
    "note_movements",
    "readdress_applications",
    "reasons_of",
    "record_movements",
    "relations_of",
    "remove",
    "screen_applications",
    "screen_next_parties",
    "screen_parties",
    "watch_lists",
]


async def list_entry(read: ReadSession, entry_id: UUID) -> ListEntry:
    """One entry; raises ListEntryUnknown."""
    found = await _lists.entry(read, entry_id)
    if found is None:
        raise ListEntryUnknown()
    return found


async def list_entries(read: ReadSession, colour: ListColour | None, before: UUID | None, limit: int) -> list[ListEntry]:
    """Entries of the grey and black lists, newest first, those that no longer stand too."""
    return await _lists.entries(read, colour, before, limit)


async def alert(read: ReadSession, alert_id: UUID) -> Alert:
    """One alert; raises AlertUnknown."""
    found = await _money.alert(read, alert_id)
    if found is None:
        raise AlertUnknown()
    return found


async def alerts(read: ReadSession, state: AlertState | None, before: UUID | None, limit: int) -> list[Alert]:
    """Alerts, newest first."""
    return await _money.alerts(read, state, before, limit)


async def watch_lists(read: ReadSession) -> list[WatchListImported]:
    """The watch lists as they were last imported."""
    return [
        WatchListImported(
            name=row.name, kind=row.kind, version=row.version, entry_count=row.entry_count, content_sha256=row.content_sha256
        )
        for row in await _watch.lists(read)
    ]


async def screen_next_parties(uow: UnitOfWork, limit: int) -> int:
    """Compare so many parties with the watch lists that have not been since the last import; gives how many."""
    return await screen_parties(uow, await _watch.next_unscreened(uow, limit))


# --- what happened elsewhere ---


async def name_agreements(uow: UnitOfWork, agreements: Mapping[UUID, UUID]) -> None:
    """Agreement → application: what happens later is told by agreement."""
    await _relations.name_agreements(uow, agreements)


async def note_approved(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    await _relations.mark_orders(uow, "approved_at", dict.fromkeys(application_ids, uow.now))


async def note_cancelled(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    await _relations.mark_orders(uow, "cancelled_at", dict.fromkeys(application_ids, uow.now))


async def note_commenced(uow: UnitOfWork, at: Mapping[UUID, Instant]) -> None:
    """Application → when the thing was handed over."""
    await _relations.mark_orders(uow, "commenced_at", at)


async def note_ended(uow: UnitOfWork, at: Mapping[UUID, Instant]) -> None:
    """Application → when the agreement ended."""
    await _relations.mark_orders(uow, "ended_at", at)


async def note_declined(uow: UnitOfWork, application_ids: Sequence[UUID]) -> None:
    await _relations.mark_declined(uow, application_ids)


async def note_defaulted(uow: UnitOfWork, party_ids: Sequence[UUID]) -> None:
    await _relations.mark_defaulted(uow, party_ids)


async def note_cured(uow: UnitOfWork, party_ids: Sequence[UUID]) -> None:
    await _relations.mark_cured(uow, party_ids)
