"""Routes of credit lines."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath

from xinzu.kernel.ids import Prefix
from xinzu.middle.decisions import api
from xinzu.middle.decisions.schemas.credit_line import CreditLineView
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, id_from, reading, requires, run

READER = [requires(Permission.DECISION_READ)]
REVIEWER = [requires(Permission.DECISION_REVIEW)]


@get("/v1/parties/{party_id:str}/credit-line", tags=["credit lines"], operation_id="get_credit_line", guards=READER)
async def get_credit_line(request: HttpRequest, party_id: FromPath[str]) -> CreditLineView:
    """Up to how much a party may hold in all, why, and what is left of it."""
    async with reading(request) as read:
        return await api.credit_line_of(read, id_from(Prefix.PARTY, party_id))


@post(
    "/v1/parties/{party_id:str}/credit-line",
    tags=["credit lines"],
    operation_id="compute_credit_line",
    guards=REVIEWER,
    status_code=200,
)
async def compute_credit_line(
    request: HttpRequest, party_id: FromPath[str], key: IdempotencyKey = None
) -> Response[CreditLineView]:
    """Compute the line anew from what is known now; otherwise it is on the first of each month. Agreements that run are not touched."""
    return await run(request, api.compute_credit_lines, id_from(Prefix.PARTY, party_id), key=key)


routes = [get_credit_line, compute_credit_line]
