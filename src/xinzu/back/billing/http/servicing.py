"""Routes by which an agreement is changed after commencement: preview, make, list, and what it takes to be free of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.back.billing import api, schemas
from xinzu.back.billing.http.doors import READER, WRITER
from xinzu.kernel.ids import Prefix
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import BusinessDate
from xinzu.platform.http.approvals import WAITS, run_or_wait
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, id_from, reading


@post(
    "/v1/agreements/{agreement_id:str}/amendments/preview",
    tags=["billing"],
    operation_id="preview_amendment",
    guards=READER,
    status_code=200,
)
async def preview_amendment(
    request: HttpRequest, agreement_id: FromPath[str], data: JSONBody[schemas.AnyAmendment]
) -> api.AmendmentPreview:
    """What a change would do, to the fen. Nothing is written; a date to come is allowed."""
    asked = api.amendment_of(id_from(Prefix.AGREEMENT, agreement_id), data)
    async with reading(request) as read:
        [outcome] = await api.preview_amendments(read, [asked])
    return accepted(outcome)


@post(
    "/v1/agreements/{agreement_id:str}/amendments",
    tags=["billing"],
    operation_id="amend_agreement",
    guards=WRITER,
    status_code=200,
    responses=WAITS,
)
async def amend_agreement(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.AnyAmendment],
    idempotency_key: IdempotencyKey = None,
) -> Response[api.Amended]:
    """Change the agreement. With the preview's ``position_sha256`` as ``expected_sha256`` exactly what was previewed is done, or nothing.
    Above the limit a second person must approve a termination."""
    asked = api.amendment_of(id_from(Prefix.AGREEMENT, agreement_id), data)
    return await run_or_wait(request, api.change, asked, key=idempotency_key)


@get("/v1/agreements/{agreement_id:str}/amendments", tags=["billing"], operation_id="list_amendments", guards=READER)
async def list_amendments(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.AmendmentList:
    """What was changed since commencement, newest first."""
    async with reading(request) as read:
        return schemas.AmendmentList(items=await api.amendments_of(read, id_from(Prefix.AGREEMENT, agreement_id)))


@get("/v1/agreements/{agreement_id:str}/payoff", tags=["billing"], operation_id="quote_payoff", guards=READER)
async def quote_payoff(
    request: HttpRequest,
    agreement_id: FromPath[str],
    on: Annotated[BusinessDate, QueryParameter(name="on", description="The day everything is to be paid, today or later")],
    fee_pct: Annotated[
        str,
        QueryParameter(
            name="fee_pct",
            required=False,
            pattern=r"^[0-9]{1,2}(\.[0-9]{1,6})?$",
            max_length=9,
            description="The agreed fee, in percent of the principal not due yet",
        ),
    ] = "0",
) -> api.AmendmentPreview:
    """What it takes to be free of a financing on a day, if nothing is paid or charged until then."""
    asked = api.Amendment(id_from(Prefix.AGREEMENT, agreement_id), api.Payoff(on=on, fee_pct=Decimal(fee_pct)), "quote")
    async with reading(request) as read:
        [outcome] = await api.preview_amendments(read, [asked])
    return accepted(outcome)


@get("/v1/agreements/{agreement_id:str}/buyout", tags=["billing"], operation_id="quote_buyout", guards=READER)
async def quote_buyout(
    request: HttpRequest,
    agreement_id: FromPath[str],
    on: Annotated[BusinessDate, QueryParameter(name="on", description="The day the thing is to be bought, today or later")],
) -> api.AmendmentPreview:
    """What it takes to keep a rented thing from a day on, by the contract's prices: ``inputs`` say the price, the month and how it came."""
    asked = api.Amendment(id_from(Prefix.AGREEMENT, agreement_id), api.Buyout(on=on), "quote")
    async with reading(request) as read:
        [outcome] = await api.preview_amendments(read, [asked])
    return accepted(outcome)


routes = [preview_amendment, amend_agreement, list_amendments, quote_payoff, quote_buyout]
