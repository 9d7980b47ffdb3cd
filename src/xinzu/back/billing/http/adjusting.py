"""Routes by which a person records receipts and refunds, takes receipts back, lets something off or writes it off."""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.back.billing import api, schemas
from xinzu.back.billing.http.doors import READER, WRITER, item_id_from
from xinzu.back.billing.model import AdjustmentKind
from xinzu.kernel.ids import Prefix
from xinzu.platform.http.approvals import WAITS, run_or_wait
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, id_from, reading, run


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
    "/v1/agreements/{agreement_id:str}/refunds",
    tags=["billing"],
    operation_id="record_refund",
    guards=WRITER,
    status_code=200,
    responses=WAITS,
)
async def record_refund(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.NewRefund],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Refunded]:
    """Record credit balance that is given back by bank transfer. What a provider collected goes back by itself. Above the limit a second
    person must approve: transfer the money only then."""
    asked = api.BankRefund(
        id_from(Prefix.AGREEMENT, agreement_id), data.reference, data.amount_fen, data.reason or "", data.evidence_ref or ""
    )
    return await run_or_wait(request, api.refund, asked, key=idempotency_key)


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
    responses=WAITS,
)
async def waive_amount(
    request: HttpRequest,
    agreement_id: FromPath[str],
    item_id: FromPath[str],
    data: JSONBody[schemas.WaiverBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Adjusted]:
    """Let part or all of something due off. Above the limit a second person must approve."""
    asked = api.Waiver(
        id_from(Prefix.AGREEMENT, agreement_id), item_id_from(item_id), data.amount_fen, data.reason, data.evidence_ref or ""
    )
    return await run_or_wait(request, api.waive, asked, key=idempotency_key)


@post(
    "/v1/agreements/{agreement_id:str}/write-off",
    tags=["billing"],
    operation_id="write_off_account",
    guards=WRITER,
    status_code=200,
    responses=WAITS,
)
async def write_off(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.WriteOffBody],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Adjusted]:
    """Give up what is due as lost; the claim stays. A second person must approve."""
    asked = api.WriteOff(id_from(Prefix.AGREEMENT, agreement_id), data.reason, data.evidence_ref or "")
    return await run_or_wait(request, api.write_off, asked, key=idempotency_key)


@get("/v1/agreements/{agreement_id:str}/adjustments", tags=["billing"], operation_id="list_adjustments", guards=READER)
async def list_adjustments(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.AdjustmentList:
    """What was waived, written off, recovered or reversed."""
    async with reading(request) as read:
        return schemas.AdjustmentList(items=await api.adjustments_of(read, id_from(Prefix.AGREEMENT, agreement_id)))


routes = [record_receipt, record_refund, reverse_receipt, waive_amount, write_off, list_adjustments]
