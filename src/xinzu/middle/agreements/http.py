"""Routes of agreements: look at them, read the contract, accept it by one-time code, begin a finance lease or loan."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.middle.agreements import api, schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    actor_of,
    id_from,
    reading,
    requires,
    run,
    runtime_of,
    tenant_of,
)

READER = [requires(Permission.AGREEMENT_READ)]
WRITER = [requires(Permission.AGREEMENT_WRITE)]
# Who pays a loan out, or takes a leased thing into the books: the owner and finance, no channel.
BOOKKEEPER = [requires(Permission.BILLING_WRITE)]

State = Annotated[
    api.AgreementState | None, QueryParameter(name="state", required=False, description="Only agreements in this state")
]
PartyId = Annotated[
    str | None, QueryParameter(name="party_id", required=False, max_length=64, description="Only this lessee's agreements")
]


@get("/v1/agreements", tags=["agreements"], operation_id="list_agreements", guards=READER)
async def list_agreements(
    request: HttpRequest, in_state: State = None, party_id: PartyId = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.AgreementPage:
    """Agreements, newest first."""
    before = decode_cursor(cursor)
    party = None if party_id is None else id_from(Prefix.PARTY, party_id)
    async with reading(request) as read:
        page = await api.list_agreements(read, state=in_state, party_id=party, before_id=before, limit=limit)
    return schemas.AgreementPage(items=[schemas.agreement_view(each) for each in page.items], next_cursor=page.next_cursor)


@get("/v1/agreements/{agreement_id:str}", tags=["agreements"], operation_id="get_agreement", guards=READER)
async def get_agreement(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.AgreementView:
    """One agreement."""
    async with reading(request) as read:
        return schemas.agreement_view(await api.agreement(read, id_from(Prefix.AGREEMENT, agreement_id)))


@get("/v1/agreements/{agreement_id:str}/terms", tags=["agreements"], operation_id="get_agreement_terms", guards=READER)
async def get_terms(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.TermsView:
    """The terms as agreed."""
    async with reading(request) as read:
        return schemas.terms_view(await api.agreement(read, id_from(Prefix.AGREEMENT, agreement_id)))


@get(
    "/v1/agreements/{agreement_id:str}/document",
    tags=["agreements"],
    operation_id="get_agreement_document",
    guards=READER,
    media_type="application/pdf",
)
async def get_document(request: HttpRequest, agreement_id: FromPath[str]) -> Response[bytes]:
    """The contract as a PDF/A-2b file with the lessee's personal data; each reading is recorded."""
    found = id_from(Prefix.AGREEMENT, agreement_id)
    async with runtime_of(request).unit(tenant_of(request), actor_of(request)) as uow:
        document = await api.open_document(uow, found)
    return Response(
        content=document.pdf,
        media_type="application/pdf",
        headers={
            "ETag": f'"{document.sha256}"',
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="{document.agreement_no}.pdf"',
        },
    )


@post(
    "/v1/agreements/{agreement_id:str}/acceptance-codes",
    tags=["agreements"],
    operation_id="send_acceptance_code",
    guards=WRITER,
    status_code=202,
)
async def send_acceptance_code(
    request: HttpRequest, agreement_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.CodeSent]:
    """Send a one-time code to the lessee's phone; it holds for five minutes and five tries."""
    return await run(request, api.send_acceptance_codes, id_from(Prefix.AGREEMENT, agreement_id), key=key, status=202)


@post(
    "/v1/agreements/{agreement_id:str}/acceptance",
    tags=["agreements"],
    operation_id="accept_agreement",
    guards=WRITER,
    status_code=200,
)
async def accept_agreement(
    request: HttpRequest, agreement_id: FromPath[str], data: JSONBody[schemas.AcceptanceBody], key: IdempotencyKey = None
) -> Response[schemas.Signed]:
    """The customer accepts the document by the one-time code: the agreement is signed."""
    body = api.AcceptAgreement(
        id_from(Prefix.AGREEMENT, agreement_id),
        data.code,
        data.document_sha256,
        data.restriction_clause_accepted,
        data.cost_table_accepted,
        _network_address(request, data.network_address),
    )
    return await run(request, api.accept_agreements, body, key=key)


@post(
    "/v1/agreements/{agreement_id:str}/commencement",
    tags=["agreements"],
    operation_id="commence_agreement",
    guards=BOOKKEEPER,
    status_code=200,
)
async def commence_agreement(
    request: HttpRequest, agreement_id: FromPath[str], data: JSONBody[schemas.CommencementBody], key: IdempotencyKey = None
) -> Response[schemas.AgreementView]:
    """A signed finance lease or loan begins on the day the thing was taken over or the loan paid out; a rental begins by handover."""
    body = api.CommenceFinancing(
        id_from(Prefix.AGREEMENT, agreement_id), data.commencement_on, data.reference, data.disbursed_fen
    )
    return await run(request, api.commence_financings, body, key=key)


def _network_address(request: HttpRequest, named: str | None) -> str | None:
    """Where the lessee came from: as the channel says, else where the request came from (None behind a socket without addresses)."""
    if named is not None:
        try:
            return str(ip_address(named))
        except ValueError:
            raise Invalid.field(
                "/network_address",
                "agreements.bad_network_address",
                "network_address 须为 IPv4 或 IPv6 地址",
                "network_address is an IPv4 or IPv6 address",
            ) from None
    try:
        return str(ip_address(request.client.host)) if request.client else None
    except ValueError:
        return None


routes = [list_agreements, get_agreement, get_terms, get_document, send_acceptance_code, accept_agreement, commence_agreement]
