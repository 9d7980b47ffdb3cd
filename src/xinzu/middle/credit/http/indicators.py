"""Routes of indicators: what is declared, what a decision saw, how the sources are."""

from __future__ import annotations

from dataclasses import asdict

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix
from xinzu.middle.credit import api
from xinzu.middle.credit.schemas import indicators as schemas
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, id_from, reading, requires, run

# Values of people are for those who see decisions; the catalogue and the health of sources tell of nobody.
READER = [requires(Permission.DECISION_READ)]
WRITER = [requires(Permission.CREDIT_WRITE)]
BASE_DAYS_MAX = 366


@get("/v1/credit/indicators", tags=["credit"], operation_id="list_indicators", guards=READER)
async def list_indicators(request: HttpRequest) -> schemas.IndicatorCatalogue:
    """Every declared indicator, and of those without a source why."""
    declared = api.definitions()
    return schemas.IndicatorCatalogue(
        items=[schemas.indicator_view(definition) for definition in declared.values()],
        declared=len(declared),
        computed=len(api.computed()),
        catalogue_sha256=api.catalogue_sha256(),
    )


@get("/v1/credit/snapshots/{application_id:str}", tags=["credit"], operation_id="get_indicator_snapshot", guards=READER)
async def get_snapshot(request: HttpRequest, application_id: FromPath[str]) -> schemas.SnapshotView:
    """The indicators the decision on an application was made on, each with its source, status and age."""
    async with reading(request) as read:
        found = await api.snapshot(read, id_from(Prefix.APPLICATION, application_id))
    return schemas.snapshot_view(found, list(api.definitions().values()))


@get("/v1/credit/sources/health", tags=["credit"], operation_id="get_source_health", guards=READER)
async def get_health(request: HttpRequest) -> schemas.HealthView:
    """How the sources were over the last four weeks, and whether their values drift from the frozen base."""
    async with reading(request) as read:
        sources, drift = await api.source_health(read), await api.drift(read)
    return schemas.HealthView(
        sources=[schemas.SourceHealthView(**asdict(each)) for each in sources],
        drift_state="measured" if drift else "no_base",
        drift=[schemas.DriftView(**asdict(each), verdict=api.verdict(each.psi)) for each in drift],
    )


@post("/v1/credit/sources/drift-base", tags=["credit"], operation_id="freeze_drift_base", guards=WRITER, status_code=200)
async def freeze_base(
    request: HttpRequest, data: JSONBody[schemas.BaseBody], key: IdempotencyKey = None
) -> Response[schemas.BaseFrozen]:
    """Freeze the distribution of every indicator over these dates as what later weeks are held against."""
    if not 0 <= (data.last_on - data.first_on).days < BASE_DAYS_MAX:
        raise Invalid.field(
            "/last_on",
            "credit.bad_base_dates",
            f"截止日期不得早于起始日期，且区间最长 {BASE_DAYS_MAX} 天",
            f"The last date is not before the first, and at most {BASE_DAYS_MAX} days are taken",
        )
    return await run(request, api.freeze_bases, api.FreezeBase(data.first_on, data.last_on), key=key)


routes = [list_indicators, get_snapshot, get_health, freeze_base]
