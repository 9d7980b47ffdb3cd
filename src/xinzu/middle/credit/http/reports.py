"""Routes of reports: consent put on file, reports taken in, listed, opened on record."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.middle.credit import api
from xinzu.middle.credit.schemas import reports as schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    actor_of,
    id_at,
    id_from,
    reading,
    requires,
    run,
    runtime_of,
    tenant_of,
)
from xinzu.records.parties import api as parties

READER = [requires(Permission.CREDIT_READ)]
OPENER = [requires(Permission.CREDIT_OPEN)]
WRITER = [requires(Permission.CREDIT_WRITE)]

Party = Annotated[str, QueryParameter(name="party_id", max_length=64, description="Whose reports, pty_…")]
Purpose = Annotated[
    api.AccessPurpose, QueryParameter(name="purpose", description="Why the report is opened; kept with who and when")
]


@post("/v1/credit/consents", tags=["credit"], operation_id="give_credit_consent", guards=WRITER, status_code=200)
async def give_consent(
    request: HttpRequest, data: JSONBody[schemas.ConsentBody], key: IdempotencyKey = None
) -> Response[api.ConsentGiven]:
    """A person has agreed in writing to an inquiry of the credit bureau, or to being looked up at other sources."""
    body = api.GiveConsent(
        party_id=id_at(Prefix.PARTY, data.party_id, "/party_id"),
        purpose=parties.ConsentPurpose(data.purpose),
        text_version=data.text_version,
        channel=data.channel,
    )
    return await run(request, api.give_consents, body, key=key)


@post("/v1/credit/reports", tags=["credit"], operation_id="import_credit_report", guards=WRITER, status_code=201)
async def import_report(
    request: HttpRequest, data: JSONBody[schemas.ReportBody], key: IdempotencyKey = None
) -> Response[api.ReportImported]:
    """Take in a personal report of the second generation, as XML or JSON, under the consent and for the purpose it was obtained with."""
    if (data.xml is None) == (data.document is None):
        raise Invalid.field(
            "/xml",
            "credit.one_form",
            "请只提供 xml 或 document 其中之一",
            "Give the report either as xml or as document",
        )
    body = api.ImportReport(
        party_id=id_at(Prefix.PARTY, data.party_id, "/party_id"),
        purpose=data.purpose,
        consent_version=data.consent_version,
        institution_code=data.institution_code,
        xml=data.xml,
        document=data.document,
        synthetic_allowed=runtime_of(request).settings.demo,
    )
    return await run(request, api.import_reports, body, key=key, status=201, location="/v1/credit/reports/{id}")


@post("/v1/credit/enterprise-reports", tags=["credit"], operation_id="import_enterprise_report", guards=WRITER, status_code=201)
async def import_enterprise_report(
    request: HttpRequest, data: JSONBody[schemas.EnterpriseBody], key: IdempotencyKey = None
) -> Response[api.ReportImported]:
    """Take in an enterprise's report as structured JSON, under the authority of the person who acts for it."""
    body = api.ImportReport(
        party_id=id_at(Prefix.PARTY, data.party_id, "/party_id"),
        purpose=data.purpose,
        consent_version=data.consent_version,
        institution_code=data.institution_code,
        document=data.document,
        synthetic_allowed=runtime_of(request).settings.demo,
    )
    return await run(request, api.import_enterprise_reports, body, key=key, status=201, location="/v1/credit/reports/{id}")


@get("/v1/credit/reports", tags=["credit"], operation_id="list_credit_reports", guards=READER)
async def list_reports(
    request: HttpRequest, party_id: Party, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.ReportPage:
    """Which reports of a person are on file, without what they say; last imported first."""
    party, before = id_at(Prefix.PARTY, party_id, "/query/party_id"), decode_cursor(cursor)
    async with reading(request) as read:
        page = page_of(await api.report_heads(read, party, before, limit + 1), limit, lambda head: head.id)
    return schemas.ReportPage(items=[schemas.head_view(head) for head in page.items], next_cursor=page.next_cursor)


@get("/v1/credit/reports/{report_id:str}", tags=["credit"], operation_id="open_credit_report", guards=OPENER)
async def open_report(request: HttpRequest, report_id: FromPath[str], purpose: Purpose) -> Response[schemas.ReportView]:
    """What a report says, and its indicators. Each opening is recorded with who, when and why."""
    found = id_from(Prefix.CREDIT_REPORT, report_id)
    async with runtime_of(request).unit(tenant_of(request), actor_of(request)) as uow:
        opened = await api.open_report(uow, found, purpose)
    return Response(
        schemas.report_view(opened.head, opened.values, opened.content), headers={"Cache-Control": "private, no-store"}
    )


@get("/v1/credit/reports/{report_id:str}/accesses", tags=["credit"], operation_id="list_report_accesses", guards=READER)
async def list_accesses(
    request: HttpRequest, report_id: FromPath[str], cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.AccessPage:
    """Who opened a report, when and why; last first."""
    found, before = id_from(Prefix.CREDIT_REPORT, report_id), decode_cursor(cursor)
    async with reading(request) as read:
        page = page_of(await api.report_accesses(read, found, before, limit + 1), limit, lambda access: access.id)
    return schemas.AccessPage(items=[schemas.access_view(access) for access in page.items], next_cursor=page.next_cursor)


routes = [give_consent, import_report, import_enterprise_report, list_reports, open_report, list_accesses]
