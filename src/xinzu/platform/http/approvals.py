"""What waits for a second person, and that person's answer."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform import approvals, controls
from xinzu.platform.actor import Permission
from xinzu.platform.approvals import ApprovalState, ApprovalView, Waiting
from xinzu.platform.commands import Command
from xinzu.platform.controls import LimitView
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
    subject_from,
    submit,
)
from xinzu.platform.http.fields import ONE_LINE

READER = [requires(Permission.APPROVAL_READ)]
DECIDER = [requires(Permission.APPROVAL_DECIDE)]
SETTER = [requires(Permission.APPROVAL_SET)]
FEN_MAX = 1_000_000_000_000
Fen = Annotated[int, msgspec.Meta(ge=0, le=FEN_MAX)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=ONE_LINE)]
InState = Annotated[
    ApprovalState | None, QueryParameter(name="state", required=False, description="Only requests in this state; default: all")
]
AboutSubject = Annotated[
    str | None, QueryParameter(name="subject", required=False, max_length=64, description="Only requests about this thing")
]
# For routes whose command may need a second person.
WAITS: dict[int, ResponseSpec] = {
    202: ResponseSpec(
        Waiting,
        generate_examples=False,
        description="Not done yet: more than one person may do alone waits for another's approval",
    ),
}


class ApprovalPage(msgspec.Struct, kw_only=True):
    """Requests, newest first."""

    items: list[ApprovalView]
    next_cursor: str | None


class ApprovalBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is approved. ``amount_max_fen`` when the amount has grown since the request: up to this much."""

    reason: Words
    amount_max_fen: Fen | None = None


class RefusalBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why it is refused, or taken back."""

    reason: Words


class LimitBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to which amount one person may do it alone; 0: never."""

    command: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[a-z_]+\.[a-z_]+$(?!\n)")]
    alone_max_fen: Fen


class LimitList(msgspec.Struct, kw_only=True):
    """Limits by command."""

    items: list[LimitView]


async def run_or_wait(request: HttpRequest, command: Command[Any, Any], body: object, *, key: str | None = None) -> Response[Any]:
    """Run a command made by ``with_second_person``: 200 with its answer, or 202 with the request that waits."""
    answer = await submit(request, command, body, key=key)
    if answer.content.startswith(b'{"id":"apv_'):
        return answer_response(answer, status=202, location="/v1/approvals/{id}")
    return answer_response(answer, status=200)


@get("/v1/approvals", tags=["approvals"], operation_id="list_approvals", guards=READER)
async def list_approvals(
    request: HttpRequest,
    in_state: InState = None,
    subject: AboutSubject = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> ApprovalPage:
    """What waits for a second person, and what became of what did."""
    subject_id = None if subject is None else subject_from(subject)
    async with reading(request) as read:
        found = await approvals.approvals(read, in_state, subject_id, before=decode_cursor(cursor), limit=limit + 1)
    page = page_of(found, limit, lambda each: each[0])
    return ApprovalPage(items=[view for _, view in page.items], next_cursor=page.next_cursor)


@get("/v1/approvals/{approval_id:str}", tags=["approvals"], operation_id="get_approval", guards=READER)
async def get_approval(request: HttpRequest, approval_id: FromPath[str]) -> ApprovalView:
    """One request with its decision and what was done."""
    async with reading(request) as read:
        return await approvals.approval(read, id_from(Prefix.APPROVAL, approval_id))


@post(
    "/v1/approvals/{approval_id:str}/approval",
    tags=["approvals"],
    operation_id="approve_request",
    guards=DECIDER,
    status_code=200,
)
async def approve_request(
    request: HttpRequest, approval_id: FromPath[str], data: JSONBody[ApprovalBody], idempotency_key: IdempotencyKey = None
) -> Response[ApprovalView]:
    """Be the second person: what was asked for is done, with its checks made again. An operator's alone, and not the one's who asked."""
    asked = approvals.Decision(id_from(Prefix.APPROVAL, approval_id), data.reason, data.amount_max_fen)
    return await run(request, approvals.approve, asked, key=idempotency_key)


@post(
    "/v1/approvals/{approval_id:str}/refusal",
    tags=["approvals"],
    operation_id="refuse_request",
    guards=DECIDER,
    status_code=200,
)
async def refuse_request(
    request: HttpRequest, approval_id: FromPath[str], data: JSONBody[RefusalBody], idempotency_key: IdempotencyKey = None
) -> Response[ApprovalView]:
    """Refuse what was asked for; whoever asked takes it back this way."""
    asked = approvals.Decision(id_from(Prefix.APPROVAL, approval_id), data.reason)
    return await run(request, approvals.refuse, asked, key=idempotency_key)


@get("/v1/approval-limits", tags=["approvals"], operation_id="list_approval_limits", guards=READER)
async def list_limits(request: HttpRequest) -> LimitList:
    """Up to which amount one person may do what alone."""
    async with reading(request) as read:
        return LimitList(items=await controls.limits(read))


@put("/v1/approval-limits", tags=["approvals"], operation_id="set_approval_limit", guards=SETTER)
async def set_limit(
    request: HttpRequest, data: JSONBody[LimitBody], idempotency_key: IdempotencyKey = None
) -> Response[LimitView]:
    """Set an own limit, never above the product's."""
    return await run(request, controls.set_limits, controls.LimitChange(data.command, data.alone_max_fen), key=idempotency_key)


approval_routes = [list_approvals, get_approval, approve_request, refuse_request, list_limits, set_limit]
