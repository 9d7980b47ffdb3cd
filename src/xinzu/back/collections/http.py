"""Routes of collections."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.back.collections import api, schemas
from xinzu.back.collections.commands.holds import lift_holds, place_holds
from xinzu.back.collections.commands.policies import change_policy
from xinzu.back.collections.model import CaseState
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run

READER = [requires(Permission.COLLECTION_READ)]
WRITER = [requires(Permission.COLLECTION_WRITE)]

State = Annotated[CaseState | None, QueryParameter(name="state", required=False, description="Only cases in this state")]


@get("/v1/collections/cases", tags=["collections"], operation_id="list_cases", guards=READER)
async def list_cases(
    request: HttpRequest, in_state: State = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.CasePage:
    """Cases, newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        cases = await api.list_cases(read, in_state, before, limit + 1)
    page = page_of(cases, limit, lambda case: case.id)
    return schemas.CasePage(items=[schemas.CaseSummary.of(case) for case in page.items], next_cursor=page.next_cursor)


@get("/v1/collections/cases/{case_id:str}", tags=["collections"], operation_id="get_case", guards=READER)
async def get_case(request: HttpRequest, case_id: FromPath[str]) -> schemas.CaseView:
    """A case with every reminder, notice and requested restriction, and its holds."""
    async with reading(request) as read:
        return await api.case_of(read, id_from(Prefix.CASE, case_id))


@post(
    "/v1/collections/cases/{case_id:str}/holds",
    tags=["collections"],
    operation_id="place_hold",
    guards=WRITER,
    status_code=201,
)
async def place_hold(
    request: HttpRequest, case_id: FromPath[str], data: JSONBody[schemas.PlaceHold], idempotency_key: IdempotencyKey = None
) -> Response[schemas.CaseView]:
    """Stop the ladder: a dispute, hardship, a death or a disaster."""
    body = schemas.HoldPlacement(case_id=id_from(Prefix.CASE, case_id), reason=data.reason)
    return await run(request, place_holds, body, key=idempotency_key, status=201, location="/v1/collections/cases/{id}")


@delete(
    "/v1/collections/cases/{case_id:str}/holds/{hold_id:str}",
    tags=["collections"],
    operation_id="lift_hold",
    guards=WRITER,
    status_code=200,
)
async def lift_hold(
    request: HttpRequest, case_id: FromPath[str], hold_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[schemas.CaseView]:
    """The reason is gone: the ladder goes on with the next close of business."""
    body = schemas.HoldLifting(case_id=id_from(Prefix.CASE, case_id), hold_id=id_from(Prefix.HOLD, hold_id))
    return await run(request, lift_holds, body, key=idempotency_key)


@get("/v1/collections/policy", tags=["collections"], operation_id="get_collection_policy", guards=READER)
async def get_policy(request: HttpRequest) -> schemas.PolicyView:
    """The policy in force: the product's floor with the tenant's stricter values."""
    async with reading(request) as read:
        return schemas.policy_view(await api.policy_in_force(read))


@put("/v1/collections/policy", tags=["collections"], operation_id="change_collection_policy", guards=WRITER)
async def put_policy(
    request: HttpRequest, data: JSONBody[schemas.PolicyChange], idempotency_key: IdempotencyKey = None
) -> Response[schemas.PolicyView]:
    """Replace the tenant's values. A value that protects the debtor less than the floor is refused and named."""
    return await run(request, change_policy, data, key=idempotency_key)


routes = [list_cases, get_case, place_hold, lift_hold, get_policy, put_policy]
