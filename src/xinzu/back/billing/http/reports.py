"""Routes for a risk officer and for finance: ageing and risk classes, on the screen and as files; the risk policy; lease classification."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import Response, get, put
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from xinzu.back.billing import api, risk_schemas
from xinzu.back.billing.http.doors import POLICY_MAKER, READER
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.kernel.terms import Family
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, run
from xinzu.platform.http.files import Bom, FileOperation, Format, file_response, form_of

On = Annotated[
    date | None,
    QueryParameter(name="on", required=False, description="At the close of this business date; default: as it stands now"),
]
InBucket = Annotated[api.AgeingBucket, QueryParameter(name="bucket", description="Days past the due date")]
OfFamily = Annotated[
    Family | None, QueryParameter(name="family", required=False, description="Only rentals, finance leases or loans")
]


@get("/v1/billing/receivables-ageing", tags=["billing"], operation_id="get_receivables_ageing", guards=READER)
async def get_ageing(request: HttpRequest, on: On = None) -> api.AgeingReport:
    """What customers owe by how long it is past due 账龄分析, by family."""
    async with reading(request) as read:
        return await api.ageing_of(read, on)


@get("/v1/billing/receivables-ageing/agreements", tags=["billing"], operation_id="list_aged_agreements", guards=READER)
async def list_aged(
    request: HttpRequest,
    bucket: InBucket,
    on: On = None,
    family: OfFamily = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> risk_schemas.AgedAgreementPage:
    """The agreements behind a bucket."""
    after = decode_cursor(cursor)
    async with reading(request) as read:
        found = await api.aged_agreements(read, bucket, on, family, after=after, limit=limit + 1)
    page = page_of(found, limit, lambda each: each[0])
    return risk_schemas.AgedAgreementPage(items=[aged for _, aged in page.items], next_cursor=page.next_cursor)


@get("/v1/billing/asset-classes", tags=["billing"], operation_id="get_asset_classes", guards=READER)
async def get_asset_classes(request: HttpRequest) -> api.AssetClassReport:
    """The five risk classes 五级分类 by family: agreements, exposure, provision, and how much of the exposure is provided for."""
    async with reading(request) as read:
        return await api.asset_classes(read)


@get(
    "/v1/billing/exports/receivables-ageing",
    tags=["billing"],
    operation_id="export_receivables_ageing",
    operation_class=FileOperation,
    guards=READER,
)
async def export_ageing(request: HttpRequest, on: On = None, table: Format = None, bom: Bom = False) -> Stream:
    """The ageing 账龄明细表 as CSV or Excel workbook, a row per agreement that owes something."""
    form = form_of(request, table, bom)
    async with reading(request) as read:
        name = f"receivables-ageing-{on or read.business_date}"
        return await file_response(form, name, lambda target: api.export_ageing(read, target, form, on))


@get(
    "/v1/billing/exports/asset-classes",
    tags=["billing"],
    operation_id="export_asset_classes",
    operation_class=FileOperation,
    guards=READER,
)
async def export_asset_classes(request: HttpRequest, table: Format = None, bom: Bom = False) -> Stream:
    """The risk classes 资产分类表 as CSV or Excel workbook."""
    form = form_of(request, table, bom)
    async with reading(request) as read:
        name = f"asset-classes-{read.business_date}"
        return await file_response(form, name, lambda target: api.export_asset_classes(read, target, form))


@get(
    "/v1/agreements/{agreement_id:str}/account/classification",
    tags=["billing"],
    operation_id="get_lease_classification",
    guards=READER,
)
async def get_classification(request: HttpRequest, agreement_id: FromPath[str]) -> risk_schemas.LeaseClassView:
    """How a lease was classified at its inception 租赁分类, with every test. Problems: billing.account_missing, billing.lease_unclassified."""
    async with reading(request) as read:
        return await api.lease_class_of(read, id_from(Prefix.AGREEMENT, agreement_id))


@get("/v1/billing/risk-policy", tags=["billing"], operation_id="get_risk_policy", guards=READER)
async def get_risk_policy(request: HttpRequest) -> api.RiskPolicyView:
    """The lines and rates by which the close classifies, provides and stops accrual."""
    async with reading(request) as read:
        return await api.risk_policy_of(read)


@put("/v1/billing/risk-policy", tags=["billing"], operation_id="set_risk_policy", guards=POLICY_MAKER)
async def set_risk_policy(
    request: HttpRequest, data: JSONBody[risk_schemas.RiskPolicyBody], idempotency_key: IdempotencyKey = None
) -> Response[api.RiskPolicyView]:
    """Set stricter lines and rates than the measures'; from the next close on. Looser ones are refused."""
    lines = (data.attention_days, data.substandard_days, data.doubtful_days, data.loss_days)
    return await run(
        request, api.set_risk_policies, api.RiskPolicyChange(lines, data.by_class, data.non_accrual_days), key=idempotency_key
    )


routes = [
    get_ageing,
    list_aged,
    get_asset_classes,
    export_ageing,
    export_asset_classes,
    get_classification,
    get_risk_policy,
    set_risk_policy,
]
