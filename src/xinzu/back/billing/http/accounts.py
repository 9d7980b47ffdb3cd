"""Routes to read an agreement's account: what it owes, its schedule, receipts and whys."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from xinzu.back.billing import api, schemas
from xinzu.back.billing.http.doors import READER, item_id_from
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.http.door import Cursor, HttpRequest, Limit, id_from, reading


@get("/v1/agreements/{agreement_id:str}/account", tags=["billing"], operation_id="get_billing_account", guards=READER)
async def get_account(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.AccountView:
    """What the agreement owes, holds, how late it is, and what comes next."""
    async with reading(request) as read:
        return await api.account_of(read, id_from(Prefix.AGREEMENT, agreement_id))


@get("/v1/agreements/{agreement_id:str}/instalments", tags=["billing"], operation_id="list_instalments", guards=READER)
async def list_instalments(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.InstalmentList:
    """The schedule as it stands."""
    async with reading(request) as read:
        return schemas.InstalmentList(items=await api.instalments_of(read, id_from(Prefix.AGREEMENT, agreement_id)))


@get(
    "/v1/agreements/{agreement_id:str}/amounts/{item_id:str}/why", tags=["billing"], operation_id="explain_amount", guards=READER
)
async def explain_amount(request: HttpRequest, agreement_id: FromPath[str], item_id: FromPath[str]) -> schemas.AmountWhy:
    """Why an instalment or a charge is what it is."""
    async with reading(request) as read:
        return await api.why(read, id_from(Prefix.AGREEMENT, agreement_id), item_id_from(item_id))


@get("/v1/agreements/{agreement_id:str}/receipts", tags=["billing"], operation_id="list_receipts", guards=READER)
async def list_receipts(
    request: HttpRequest, agreement_id: FromPath[str], cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.ReceiptPage:
    """Money that came in, newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        found = await api.receipts_of(read, id_from(Prefix.AGREEMENT, agreement_id), before=before, limit=limit + 1)
    page = page_of(found, limit, lambda record: record.id)
    return schemas.ReceiptPage(items=[api.receipt_view(record) for record in page.items], next_cursor=page.next_cursor)


routes = [get_account, list_instalments, explain_amount, list_receipts]
