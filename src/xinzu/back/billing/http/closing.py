"""Routes of the close of business and of the comparison with the books."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import JSONBody

from xinzu.back.billing import api, schemas
from xinzu.back.billing.http.doors import READER, WRITER
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, reading, run


@get("/v1/billing/reconciliation", tags=["billing"], operation_id="reconcile_books", guards=READER)
async def reconcile_books(request: HttpRequest) -> list[api.Reconciled]:
    """Every account billing keeps, in the ledger and in billing's own tables. All differences should be zero."""
    async with reading(request) as read:
        return await api.reconcile(read)


@post("/v1/billing/closes", tags=["billing"], operation_id="close_day", guards=WRITER, status_code=200)
async def close_day(
    request: HttpRequest, data: JSONBody[schemas.CloseRequest], idempotency_key: IdempotencyKey = None
) -> Response[api.DayReport]:
    """Close a finished business date, or see what closing it would do. Closing a closed date again changes nothing."""
    return await run(request, api.close_days, api.CloseDay(data.business_date, data.dry_run), key=idempotency_key)


routes = [reconcile_books, close_day]
