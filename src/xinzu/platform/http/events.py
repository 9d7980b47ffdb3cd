"""The event log over HTTP, as CloudEvents 1.0 in JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import QueryParameter

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.kernel.time import Instant
from xinzu.platform.actor import Permission
from xinzu.platform.db import Row
from xinzu.platform.http.door import Cursor, HttpRequest, Limit, reading, requires, subject_from

Subject = Annotated[
    str | None,
    QueryParameter(name="subject", required=False, max_length=64, description="Only what happened to this thing (any public id)"),
]
TypeFilter = Annotated[str | None, QueryParameter(name="type", required=False, max_length=120, description="Only this type")]


class CloudEvent(msgspec.Struct, kw_only=True):
    """One fact. ``data`` follows the JSON Schema of its type in docs/reference/events; ``actor`` is an extension attribute."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: Instant
    datacontenttype: str
    actor: str
    data: dict[str, Any]


class EventPage(msgspec.Struct, kw_only=True):
    """Facts, newest first."""

    items: list[CloudEvent]
    next_cursor: str | None


def cloud_event(tenant_id: int, row: Row) -> CloudEvent:
    """The CloudEvents 1.0 form of an event row."""
    return CloudEvent(
        specversion="1.0",
        id=public_id(Prefix.EVENT, row.id),
        source=f"/xinzu/tenants/{tenant_id}",
        type=row.type,
        subject=str(row.subject_id),
        time=row.occurred_at,
        datacontenttype="application/json",
        actor=row.actor,
        data=row.data,
    )


@get("/v1/events", tags=["events"], operation_id="list_events", guards=[requires(Permission.EVENT_READ)])
async def list_events(
    request: HttpRequest,
    subject: Subject = None,
    event_type: TypeFilter = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> EventPage:
    """What happened, newest first: all of the tenant, one thing's, or one type."""
    subject_id = None if subject is None else subject_from(subject)
    async with reading(request) as read:
        rows = await read.rows(
            "SELECT id, type, subject_id, actor, occurred_at, data FROM platform_event WHERE tenant_id = :tenant"
            " AND (cast(:subject AS uuid) IS NULL OR subject_id = :subject) AND (cast(:type AS text) IS NULL OR type = :type)"
            " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
            subject=subject_id,
            type=event_type,
            before=decode_cursor(cursor),
            limit=limit + 1,
        )
        page = page_of(rows, limit, lambda row: row.id)
        items = [cloud_event(read.tenant_id, row) for row in page.items]
    return EventPage(items=items, next_cursor=page.next_cursor)


event_routes = [list_events]
