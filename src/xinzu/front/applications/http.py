"""Routes of applications."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from xinzu.front.applications import api, schemas
from xinzu.front.applications.model import ApplicationState, CancelReason
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    answer_response,
    id_from,
    reading,
    requires,
    run,
    submit,
)

READER = [requires(Permission.APPLICATION_READ)]
WRITER = [requires(Permission.APPLICATION_WRITE)]
WAIT_MAX_S = 10
POLL_FIRST_S = 0.02
POLL_MAX_S = 0.25
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")

Prefer = Annotated[
    str | None,
    HeaderParameter(
        name="Prefer",
        required=False,
        max_length=200,
        description="wait=N (RFC 7240): wait up to N ≤ 10 seconds for the decision and answer 200 with it, else 202",
    ),
]
StateFilter = Annotated[ApplicationState | None, QueryParameter(name="state", required=False)]
PartyFilter = Annotated[str | None, QueryParameter(name="party_id", max_length=64, required=False)]


@post("/v1/applications", tags=["applications"], operation_id="submit_application", status_code=202, guards=WRITER)
async def submit_application(
    request: HttpRequest, data: JSONBody[schemas.SubmitApplication], key: IdempotencyKey = None, prefer: Prefer = None
) -> Response[schemas.ApplicationView]:
    """Apply for a rental. Answers 202 once it is durable; with ``Prefer: wait=N`` waits for the decision and answers 200."""
    accepted = await submit(request, api.submit, data, key=key)
    location = "/v1/applications/{id}"
    wait_s = wait_seconds(prefer)
    application_id = parse_id(Prefix.APPLICATION, msgspec.json.decode(accepted.content, type=_Id).id)
    if wait_s and await _decided_within(request, application_id, wait_s):
        async with reading(request) as read:
            view = await api.application_view(read, application_id)
        headers = {"Location": location.replace("{id}", view.id), "Preference-Applied": f"wait={wait_s}"}
        return Response(view, status_code=200, headers=headers)
    return answer_response(accepted, status=202, location=location)


class _Id(msgspec.Struct):
    id: str


def wait_seconds(prefer: str | None) -> int:
    """The seconds a ``Prefer`` header asks to wait, at most ten; 0 when it does not."""
    found = _WAIT.search(prefer.lower()) if prefer else None
    return min(int(found.group(1)), WAIT_MAX_S) if found else 0


async def _decided_within(request: HttpRequest, application_id: UUID, wait_s: int) -> bool:
    """Poll the state, ever slower, without holding a connection between the looks."""
    now = asyncio.get_running_loop().time
    until, pause_s = now() + wait_s, POLL_FIRST_S
    while True:
        await asyncio.sleep(min(pause_s, max(until - now(), 0)))
        async with reading(request) as read:
            if not await api.is_undecided(read, application_id):
                return True
        if now() >= until:
            return False
        pause_s = min(pause_s * 1.5, POLL_MAX_S)


@get("/v1/applications/{application_id:str}", tags=["applications"], operation_id="get_application", guards=READER)
async def get_application(request: HttpRequest, application_id: FromPath[str]) -> schemas.ApplicationView:
    """One application, the applicant masked."""
    async with reading(request) as read:
        return await api.application_view(read, id_from(Prefix.APPLICATION, application_id))


@get("/v1/applications", tags=["applications"], operation_id="list_applications", guards=READER)
async def list_applications(
    request: HttpRequest,
    application_state: StateFilter = None,
    party_id: PartyFilter = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> schemas.ApplicationPage:
    """Applications, newest first, of one state or party."""
    party = None if party_id is None else id_from(Prefix.PARTY, party_id)
    async with reading(request) as read:
        found = await api.application_views(
            read, state=application_state, party_id=party, before=decode_cursor(cursor), limit=limit + 1
        )
    page = page_of(found, limit, lambda pair: pair[0])
    return schemas.ApplicationPage(items=[view for _, view in page.items], next_cursor=page.next_cursor)


@post(
    "/v1/applications/{application_id:str}/cancellation",
    tags=["applications"],
    operation_id="cancel_application",
    status_code=200,
    guards=WRITER,
)
async def cancel_application(
    request: HttpRequest, application_id: FromPath[str], data: JSONBody[schemas.Cancellation], key: IdempotencyKey = None
) -> Response[schemas.ApplicationMoved]:
    """Withdraw an application before its agreement is signed."""
    asked = (id_from(Prefix.APPLICATION, application_id), CancelReason(data.reason))
    return await run(request, api.cancel_applications, asked, key=key)


@put(
    "/v1/applications/{application_id:str}/delivery-address",
    tags=["applications"],
    operation_id="change_delivery_address",
    guards=WRITER,
)
async def change_delivery_address(
    request: HttpRequest, application_id: FromPath[str], data: JSONBody[schemas.AddressChange], key: IdempotencyKey = None
) -> Response[schemas.AddressChanged]:
    """Change where the device goes, while the application is neither under review nor decided."""
    asked = (id_from(Prefix.APPLICATION, application_id), data.delivery_address)
    return await run(request, api.change_delivery_addresses, asked, key=key)


@post(
    "/v1/applications/{application_id:str}/human-review",
    tags=["applications"],
    operation_id="request_human_review",
    status_code=202,
    guards=WRITER,
)
async def request_human_review(
    request: HttpRequest, application_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.ApplicationMoved]:
    """Ask for a person to decide after an automated decline (PIPL art. 24)."""
    return await run(request, api.request_human_reviews, id_from(Prefix.APPLICATION, application_id), key=key, status=202)


routes = [
    submit_application,
    get_application,
    list_applications,
    cancel_application,
    change_delivery_address,
    request_human_review,
]
