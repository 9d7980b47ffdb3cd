"""Routes of screening: relations, grey and black lists, watch lists, money and alerts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.middle.screening import api, schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.approvals import WAITS, run_or_wait
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_at, id_from, reading, requires, run
from xinzu.records.parties import api as parties

READER = [requires(Permission.SCREENING_READ)]
WRITER = [requires(Permission.SCREENING_WRITE)]
SEER = [requires(Permission.LAUNDERING_SEE)]
DECIDER = [requires(Permission.LAUNDERING_DECIDE)]
CASHIER = [requires(Permission.LAUNDERING_RECORD)]

OfColour = Annotated[
    api.ListColour | None, QueryParameter(name="colour", required=False, description="Only this list; default: both")
]
InState = Annotated[
    api.AlertState | None, QueryParameter(name="state", required=False, description="Only alerts in this state; default: all")
]


@get("/v1/screening/relations/{party_id:str}", tags=["screening"], operation_id="get_relations", guards=READER)
async def get_relations(request: HttpRequest, party_id: FromPath[str]) -> schemas.RelationsView:
    """Who is related to a party by what they share, as counts: degree, component, bad and listed neighbours."""
    found_id = id_from(Prefix.PARTY, party_id)
    async with reading(request) as read:
        await parties.masked_person(read, found_id)
        return schemas.relations_view(party_id, (await api.relations_of(read, [found_id], read.now))[found_id])


@post("/v1/screening/list-entries", tags=["screening"], operation_id="add_list_entry", guards=WRITER, status_code=201)
async def add_entry(
    request: HttpRequest, data: JSONBody[schemas.ListEntryBody], key: IdempotencyKey = None
) -> Response[api.Listed]:
    """Put a party, phone, address, device, contact, account or network on the grey or the black list."""
    body = api.AddToList(**msgspec.structs.asdict(data))
    return await run(request, api.add_to_lists, body, key=key, status=201, location="/v1/screening/list-entries/{id}")


@get("/v1/screening/list-entries", tags=["screening"], operation_id="list_list_entries", guards=READER)
async def list_entries(
    request: HttpRequest, colour: OfColour = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.ListEntryPage:
    """Entries with reason, source and expiry, those that no longer stand too. What is listed is not shown: it is kept as a digest only."""
    async with reading(request) as read:
        found = await api.list_entries(read, colour, decode_cursor(cursor), limit + 1)
    page = page_of(found, limit, lambda each: each.id)
    return schemas.ListEntryPage(items=[schemas.list_entry_view(each) for each in page.items], next_cursor=page.next_cursor)


@get("/v1/screening/list-entries/{list_entry_id:str}", tags=["screening"], operation_id="get_list_entry", guards=READER)
async def get_entry(request: HttpRequest, list_entry_id: FromPath[str]) -> schemas.ListEntryView:
    """One entry."""
    async with reading(request) as read:
        return schemas.list_entry_view(await api.list_entry(read, id_from(Prefix.LIST_ENTRY, list_entry_id)))


@post(
    "/v1/screening/list-entries/{list_entry_id:str}/removal",
    tags=["screening"],
    operation_id="remove_list_entry",
    guards=WRITER,
    status_code=200,
    responses=WAITS,
)
async def remove_entry(
    request: HttpRequest, list_entry_id: FromPath[str], data: JSONBody[schemas.RemovalBody], key: IdempotencyKey = None
) -> Response[Any]:
    """Take something off a list. It takes a second person, whoever asks."""
    return await run_or_wait(
        request, api.remove, api.RemoveFromList(id_from(Prefix.LIST_ENTRY, list_entry_id), data.reason), key=key
    )


@post("/v1/screening/watch-lists", tags=["screening"], operation_id="import_watch_list", guards=DECIDER, status_code=200)
async def import_watch_list(
    request: HttpRequest, data: JSONBody[schemas.WatchListBody], key: IdempotencyKey = None
) -> Response[api.WatchListImported]:
    """Take a published list in, in place of what it was. Everybody on file is compared with it in the background."""
    if (data.csv is None) == (data.json is None):
        raise Invalid.field(
            "/csv", "screening.one_form", "请只提供 csv 或 json 其中之一", "Give the list either as csv or as json"
        )
    return await run(
        request, api.import_watch_lists, api.ImportWatchList(data.name, data.kind, csv=data.csv, json=data.json), key=key
    )


@get("/v1/screening/watch-lists", tags=["screening"], operation_id="list_watch_lists", guards=SEER)
async def list_watch_lists(request: HttpRequest) -> schemas.WatchLists:
    """The lists as they were last imported, with the digests of their files."""
    async with reading(request) as read:
        found = await api.watch_lists(read)
    return schemas.WatchLists(items=[schemas.WatchListView(**msgspec.structs.asdict(each)) for each in found])


@post("/v1/screening/movements", tags=["screening"], operation_id="record_movement", guards=CASHIER, status_code=200)
async def record_movement(
    request: HttpRequest, data: JSONBody[schemas.MovementBody], key: IdempotencyKey = None
) -> Response[api.MovementRecorded]:
    """Say of money what no other record tells: cash, from abroad, paid by somebody else. With the number of a receipt or refund on file it says
    more of that one; it is looked at anew."""
    async with reading(request) as read:
        _refuse_future(data.moved_on, read.business_date)
    body = api.Movement(
        source=_source_of(data.reference),
        source_ref=data.reference,
        party_id=id_at(Prefix.PARTY, data.party_id, "/party_id"),
        agreement_id=id_at(Prefix.AGREEMENT, data.agreement_id, "/agreement_id"),
        direction=data.direction,
        method=data.method,
        purpose=data.purpose,
        amount_fen=data.amount_fen,
        moved_on=data.moved_on,
        payer_key=data.payer,
    )
    return await run(request, api.record_movements, body, key=key)


@get("/v1/screening/alerts", tags=["screening"], operation_id="list_alerts", guards=SEER)
async def list_alerts(
    request: HttpRequest, in_state: InState = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.AlertPage:
    """Alerts about money and about people like somebody on a watch list. Whom they concern must not be told (反洗钱法 art. 7)."""
    async with reading(request) as read:
        found = await api.alerts(read, in_state, decode_cursor(cursor), limit + 1)
    page = page_of(found, limit, lambda each: each.id)
    return schemas.AlertPage(items=[schemas.alert_view(each) for each in page.items], next_cursor=page.next_cursor)


@get("/v1/screening/alerts/{alert_id:str}", tags=["screening"], operation_id="get_alert", guards=SEER)
async def get_alert(request: HttpRequest, alert_id: FromPath[str]) -> schemas.AlertView:
    """One alert."""
    async with reading(request) as read:
        return schemas.alert_view(await api.alert(read, id_from(Prefix.ALERT, alert_id)))


@post(
    "/v1/screening/alerts/{alert_id:str}/assignment",
    tags=["screening"],
    operation_id="assign_alert",
    guards=DECIDER,
    status_code=200,
)
async def assign_alert(
    request: HttpRequest, alert_id: FromPath[str], data: JSONBody[schemas.AssignmentBody], key: IdempotencyKey = None
) -> Response[api.AlertMoved]:
    """Take an alert, or give it to somebody."""
    return await run(request, api.assign_alerts, api.AssignAlert(id_from(Prefix.ALERT, alert_id), data.assignee), key=key)


@post(
    "/v1/screening/alerts/{alert_id:str}/decision",
    tags=["screening"],
    operation_id="decide_alert",
    guards=DECIDER,
    status_code=200,
)
async def decide_alert(
    request: HttpRequest, alert_id: FromPath[str], data: JSONBody[schemas.AlertDecisionBody], key: IdempotencyKey = None
) -> Response[api.AlertMoved]:
    """Say that it was reported, under which number, or why not. Only whoever has it decides it."""
    if data.is_reported == (data.report_ref is None):
        raise Invalid.field(
            "/report_ref",
            "screening.report_ref",
            "已报告的须填写报告编号，未报告的不填",
            "A reported one takes the report's number, a dismissed one none",
        )
    state = api.AlertState.REPORTED if data.is_reported else api.AlertState.DISMISSED
    body = api.DecideAlert(id_from(Prefix.ALERT, alert_id), state, data.reason, data.report_ref)
    return await run(request, api.decide_alerts, body, key=key)


def _source_of(reference: str) -> str:
    """The number of a receipt or refund names what its event put on file; any other number is the cashier's own."""
    return {"rcp": "receipt", "rfd": "refund"}.get(reference.partition("_")[0], "cashier")


def _refuse_future(moved_on: date, today: date) -> None:
    if moved_on > today:
        raise Invalid.field("/moved_on", "screening.moved_in_future", "日期不能晚于今天", "It cannot have moved after today")


routes = [
    get_relations,
    add_entry,
    list_entries,
    get_entry,
    remove_entry,
    import_watch_list,
    list_watch_lists,
    record_movement,
    list_alerts,
    get_alert,
    assign_alert,
    decide_alert,
]
