"""Routes of billing: an agreement's account, schedule, receipts and whys; closing a day by hand."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.back.billing import api, schemas
from xinzu.back.billing.errors import ItemUnknown
from xinzu.back.billing.model import AdjustmentKind
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run

READER = [requires(Permission.BILLING_READ)]
WRITER = [requires(Permission.BILLING_WRITE)]


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
        return await api.why(read, id_from(Prefix.AGREEMENT, agreement_id), _item_id(item_id))


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


@post(
    "/v1/agreements/{agreement_id:str}/receipts",
    tags=["billing"],
    operation_id="record_receipt",
    guards=WRITER,
    status_code=200,
)
async def record_receipt(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.NewReceipt],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Allocated]:
    """Record money that came in by bank transfer and set it against what is due. The same reference is recorded once."""
    return await run(
        request,
        api.record_transfers,
        api.Transfer(id_from(Prefix.AGREEMENT, agreement_id), **msgspec.structs.asdict(data)),
        key=idempotency_key,
    )


@post(
    "/v1/agreements/{agreement_id:str}/receipts/{receipt_id:str}/reversal",
    tags=["billing"],
    operation_id="reverse_receipt",
    guards=WRITER,
    status_code=200,
)
async def reverse_receipt(
    request: HttpRequest,
    agreement_id: FromPath[str],
    receipt_id: FromPath[str],
    data: JSONBody[schemas.ReversalBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Adjusted]:
    """Take a receipt back: what it had settled is owed again."""
    asked = api.Reversal(
        id_from(Prefix.AGREEMENT, agreement_id), id_from(Prefix.RECEIPT, receipt_id), AdjustmentKind(data.kind), data.reason
    )
    return await run(request, api.reverse_receipts, asked, key=idempotency_key)


@post(
    "/v1/agreements/{agreement_id:str}/amounts/{item_id:str}/waiver",
    tags=["billing"],
    operation_id="waive_amount",
    guards=WRITER,
    status_code=200,
)
async def waive_amount(
    request: HttpRequest,
    agreement_id: FromPath[str],
    item_id: FromPath[str],
    data: JSONBody[schemas.WaiverBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Adjusted]:
    """Let part or all of something due off."""
    asked = api.Waiver(id_from(Prefix.AGREEMENT, agreement_id), _item_id(item_id), data.amount_fen, data.reason)
    return await run(request, api.waive_items, asked, key=idempotency_key)


@post(
    "/v1/agreements/{agreement_id:str}/write-off",
    tags=["billing"],
    operation_id="write_off_account",
    guards=WRITER,
    status_code=200,
)
async def write_off(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.WriteOffBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Adjusted]:
    """Give up what is due as lost; the claim stays."""
    asked = api.WriteOff(id_from(Prefix.AGREEMENT, agreement_id), data.reason)
    return await run(request, api.write_off_accounts, asked, key=idempotency_key)


@get("/v1/agreements/{agreement_id:str}/adjustments", tags=["billing"], operation_id="list_adjustments", guards=READER)
async def list_adjustments(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.AdjustmentList:
    """What was waived, written off, recovered or reversed."""
    async with reading(request) as read:
        return schemas.AdjustmentList(items=await api.adjustments_of(read, id_from(Prefix.AGREEMENT, agreement_id)))


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


def _item_id(text: str) -> UUID:
    for prefix in (Prefix.INSTALMENT, Prefix.CHARGE):
        try:
            return parse_id(prefix, text)
        except ValueError:
            continue
    raise ItemUnknown


routes = [
    get_account,
    list_instalments,
    explain_amount,
    list_receipts,
    record_receipt,
    reverse_receipt,
    waive_amount,
    write_off,
    list_adjustments,
    reconcile_books,
    close_day,
]
