"""Routes of loans that are paid out in tranches."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.back.billing import api, schemas
from xinzu.back.billing.http.doors import READER, WRITER
from xinzu.kernel.ids import Prefix
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, id_from, reading, run


@post(
    "/v1/agreements/{agreement_id:str}/disbursements",
    tags=["billing"],
    operation_id="record_disbursement",
    guards=WRITER,
    status_code=200,
)
async def record_disbursement(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.NewDisbursement],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Disbursement]:
    """Record that the next tranche of a loan was paid out as agreed. The same reference is recorded once."""
    asked = api.PayOut(id_from(Prefix.AGREEMENT, agreement_id), data.reference, data.disbursed_on, data.disbursed_fen)
    return await run(request, api.pay_out, asked, key=idempotency_key)


@get("/v1/agreements/{agreement_id:str}/disbursements", tags=["billing"], operation_id="list_disbursements", guards=READER)
async def list_disbursements(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.DisbursementList:
    """The tranches a loan is paid out in, and which of them were."""
    async with reading(request) as read:
        return schemas.DisbursementList(items=await api.disbursements_of(read, id_from(Prefix.AGREEMENT, agreement_id)))


routes = [record_disbursement, list_disbursements]
