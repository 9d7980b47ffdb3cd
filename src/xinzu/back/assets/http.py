"""Routes of assets: the register, deliveries, inspections, and the courier's callback."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.back.assets import api, schemas
from xinzu.back.assets.errors import CallbackRefused
from xinzu.back.assets.model import AssetState, DeliveryState
from xinzu.back.assets.providers.courier import courier_peer
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission, system_actor
from xinzu.platform.commands import Request as CommandRequest
from xinzu.platform.http.callbacks import believed
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    answer_response,
    id_at,
    id_from,
    reading,
    requires,
    run,
    runtime_of,
    submit_as,
)
from xinzu.platform.http.fields import NAME
from xinzu.platform.signed_http import SignatureRefused

READER = [requires(Permission.ASSET_READ)]
WRITER = [requires(Permission.ASSET_WRITE)]
# Estimates change the result of every month to come: they are for whoever answers for the books.
ESTIMATOR = [requires(Permission.LEDGER_REOPEN)]
BOOKKEEPER = [requires(Permission.LEDGER_CLOSE)]
COURIER = system_actor("assets.courier_callback")

AssetStateFilter = Annotated[AssetState | None, QueryParameter(name="state", required=False)]
DeliveryStateFilter = Annotated[DeliveryState | None, QueryParameter(name="state", required=False)]
ProductFilter = Annotated[str | None, QueryParameter(name="product_id", required=False, max_length=30)]
SerialFilter = Annotated[str | None, QueryParameter(name="serial", required=False, max_length=40, pattern=NAME)]


@post("/v1/assets", tags=["assets"], operation_id="register_asset", guards=WRITER, status_code=201)
async def register_asset(
    request: HttpRequest, data: JSONBody[schemas.AssetRegistration], idempotency_key: IdempotencyKey = None
) -> Response[schemas.AssetView]:
    """Put a thing on the register, in stock. Problems: assets.serial_taken."""
    draft = api.AssetDraft(
        serial=data.serial,
        product_id=id_at(Prefix.PRODUCT, data.product_id, "/product_id"),
        purchase_cost_fen=data.purchase_cost_fen,
        acquired_on=data.acquired_on,
    )
    return await run(request, api.register_assets, draft, key=idempotency_key, status=201, location="/v1/assets/{id}")


@get("/v1/assets", tags=["assets"], operation_id="list_assets", guards=READER)
async def list_assets(
    request: HttpRequest,
    in_state: AssetStateFilter = None,
    product_id: ProductFilter = None,
    serial: SerialFilter = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> schemas.AssetPage:
    """The register, newest first."""
    product = None if product_id is None else id_at(Prefix.PRODUCT, product_id, "/query/product_id")
    async with reading(request) as read:
        found = await api.list_assets(
            read, state=in_state, product_id=product, serial=serial, before=decode_cursor(cursor), limit=limit + 1
        )
    page = page_of(found, limit, lambda asset: asset.id)
    return schemas.AssetPage(items=[schemas.asset_view(asset) for asset in page.items], next_cursor=page.next_cursor)


@get("/v1/assets/{asset_id:str}", tags=["assets"], operation_id="get_asset", guards=READER)
async def get_asset(request: HttpRequest, asset_id: FromPath[str]) -> schemas.AssetView:
    """One asset."""
    async with reading(request) as read:
        return schemas.asset_view(await api.asset_of(read, id_from(Prefix.ASSET, asset_id)))


@post("/v1/assets/{asset_id:str}/returns", tags=["assets"], operation_id="receive_return", guards=WRITER, status_code=201)
async def receive_return(
    request: HttpRequest, asset_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[schemas.ReturnView]:
    """The asset is back in the house. Problems: assets.asset_unknown, state.illegal_move."""
    return await run(request, api.receive_returns, id_from(Prefix.ASSET, asset_id), key=idempotency_key, status=201)


@post(
    "/v1/assets/{asset_id:str}/inspection-starts",
    tags=["assets"],
    operation_id="begin_inspection",
    guards=WRITER,
    status_code=200,
)
async def begin_inspection(
    request: HttpRequest, asset_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[schemas.AssetView]:
    """The asset is on the bench. Optional: an inspection may be recorded at once. Problems: state.illegal_move."""
    return await run(request, api.begin_inspections, id_from(Prefix.ASSET, asset_id), key=idempotency_key)


@put("/v1/assets/warehouse", tags=["assets"], operation_id="set_warehouse", guards=WRITER)
async def set_warehouse(request: HttpRequest, data: JSONBody[schemas.WarehouseContact]) -> Response[schemas.WarehouseView]:
    """Where the courier fetches parcels."""
    return await run(request, api.set_warehouse, api.Contact(name=data.name, phone=data.phone, address=data.address))


@get("/v1/assets/warehouse", tags=["assets"], operation_id="get_warehouse", guards=READER)
async def get_warehouse(request: HttpRequest) -> schemas.WarehouseView:
    """The sender, masked."""
    async with reading(request) as read:
        return api.warehouse_view(await api.warehouse_of(read))


@put("/v1/assets/depreciation-policies", tags=["assets"], operation_id="set_depreciation_policy", guards=ESTIMATOR)
async def set_estimate(
    request: HttpRequest, data: JSONBody[schemas.EstimateChange], idempotency_key: IdempotencyKey = None
) -> Response[schemas.EstimateView]:
    """Useful life and residual value of what comes into the books from now on."""
    draft = api.EstimateDraft(
        product_id=None if data.product_id is None else id_at(Prefix.PRODUCT, data.product_id, "/product_id"),
        useful_life_months=data.useful_life_months,
        residual_pct=data.residual_pct,
        purchase_vat_pct=data.purchase_vat_pct,
    )
    return await run(request, api.set_estimates, draft, key=idempotency_key)


@get("/v1/assets/depreciation-policies", tags=["assets"], operation_id="list_depreciation_policies", guards=READER)
async def list_estimates(request: HttpRequest) -> schemas.EstimateList:
    """The estimates in force."""
    async with reading(request) as read:
        return schemas.EstimateList(items=[schemas.estimate_view(draft) for draft in await api.estimates(read)])


@post("/v1/assets/depreciation-runs", tags=["assets"], operation_id="run_depreciation", guards=BOOKKEEPER, status_code=200)
async def run_depreciation(
    request: HttpRequest, data: JSONBody[schemas.BooksRun], idempotency_key: IdempotencyKey = None
) -> Response[schemas.BooksReport]:
    """Show what the books would take in, depreciate and let go up to the last month that is over, or do it now."""
    return await run(request, api.run_books, data, key=idempotency_key)


@get("/v1/assets/{asset_id:str}/book", tags=["assets"], operation_id="get_asset_book", guards=READER)
async def get_book(request: HttpRequest, asset_id: FromPath[str]) -> schemas.AssetBookView:
    """Cost, accumulated depreciation and carrying amount. Problems: assets.not_in_books."""
    async with reading(request) as read:
        return schemas.book_view(await api.book_of(read, id_from(Prefix.ASSET, asset_id)))


@post("/v1/assets/{asset_id:str}/disposals", tags=["assets"], operation_id="dispose_asset", guards=WRITER, status_code=201)
async def dispose(
    request: HttpRequest,
    asset_id: FromPath[str],
    data: JSONBody[schemas.DisposalReport],
    idempotency_key: IdempotencyKey = None,
) -> Response[schemas.AssetView]:
    """The asset is gone for good. Problems: assets.asset_unknown, state.illegal_move."""
    disposal = api.Disposal(
        asset_id=id_from(Prefix.ASSET, asset_id), cause=api.LeavingCause(data.cause), disposed_on=data.disposed_on
    )
    return await run(request, api.dispose_assets, disposal, key=idempotency_key, status=201)


@get("/v1/deliveries", tags=["assets"], operation_id="list_deliveries", guards=READER)
async def list_deliveries(
    request: HttpRequest, in_state: DeliveryStateFilter = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.DeliveryPage:
    """What is to be delivered or was, newest agreement first."""
    async with reading(request) as read:
        found = await api.list_deliveries(read, state=in_state, before=decode_cursor(cursor), limit=limit + 1)
    page = page_of(found, limit, lambda delivery: delivery.agreement_id)
    return schemas.DeliveryPage(items=[schemas.delivery_view(delivery) for delivery in page.items], next_cursor=page.next_cursor)


@get("/v1/deliveries/{agreement_id:str}", tags=["assets"], operation_id="get_delivery", guards=READER)
async def get_delivery(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.DeliveryView:
    """What an agreement's lessee is to receive, with every parcel."""
    async with reading(request) as read:
        delivery = await api.delivery_of(read, id_from(Prefix.AGREEMENT, agreement_id))
        return schemas.delivery_view(delivery, await api.shipments_of(read, delivery.agreement_id))


@post("/v1/deliveries/{agreement_id:str}/shipments", tags=["assets"], operation_id="ship", guards=WRITER, status_code=202)
async def ship(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.SerialPicked],
    idempotency_key: IdempotencyKey = None,
) -> Response[schemas.ShipmentView]:
    """Pick a serial and order the courier; the delivery shows what the courier answered.

    Problems: assets.delivery_unknown, delivery_not_ready, asset_unknown, not_available, wrong_product, warehouse_unset.
    """
    pick = api.Pick(agreement_id=id_from(Prefix.AGREEMENT, agreement_id), serial=data.serial)
    return await run(request, api.ship, pick, key=idempotency_key, status=202)


@post("/v1/deliveries/{agreement_id:str}/handovers", tags=["assets"], operation_id="hand_over", guards=WRITER, status_code=201)
async def hand_over(
    request: HttpRequest,
    agreement_id: FromPath[str],
    data: JSONBody[schemas.SerialPicked],
    idempotency_key: IdempotencyKey = None,
) -> Response[schemas.HandoverView]:
    """The lessee takes the asset at the counter. Problems: as for shipments, and assets.wrong_serial."""
    pick = api.Pick(agreement_id=id_from(Prefix.AGREEMENT, agreement_id), serial=data.serial)
    return await run(request, api.hand_over, pick, key=idempotency_key, status=201)


@post("/v1/inspections", tags=["assets"], operation_id="inspect", guards=WRITER, status_code=201)
async def inspect(
    request: HttpRequest, data: JSONBody[schemas.InspectionReport], idempotency_key: IdempotencyKey = None
) -> Response[schemas.InspectionView]:
    """Record what was found on an asset that came back. Problems: assets.not_inspectable, charge_without_lessee."""
    draft = api.InspectionDraft(
        asset_id=id_at(Prefix.ASSET, data.asset_id, "/asset_id"),
        findings=tuple(schemas.finding_of(item) for item in data.items),
        asset_state=AssetState(data.asset_state),
    )
    return await run(request, api.inspect, draft, key=idempotency_key, status=201, location="/v1/inspections/{id}")


@get("/v1/inspections/{inspection_id:str}", tags=["assets"], operation_id="get_inspection", guards=READER)
async def get_inspection(request: HttpRequest, inspection_id: FromPath[str]) -> schemas.InspectionView:
    """One inspection with its findings."""
    async with reading(request) as read:
        return schemas.inspection_view(await api.inspection_of(read, id_from(Prefix.INSPECTION, inspection_id)))


@post("/v1/callbacks/courier/{tenant:str}", tags=["assets"], operation_id="courier_callback", security=[{}], status_code=200)
async def courier_callback(
    request: HttpRequest, tenant: FromPath[str], data: JSONBody[schemas.CourierNotice]
) -> Response[schemas.NoticeTaken]:
    """The courier tells of a parcel. Believed only under its signature; told again it changes nothing.

    Problems: assets.callback_refused, assets.shipment_unknown.
    """
    runtime = runtime_of(request)
    peer = courier_peer(runtime.settings)
    if peer is None:
        raise CallbackRefused()
    try:
        await believed(request, peer)  # told again it is harmless: its event id is known
    except SignatureRefused as refused:
        raise CallbackRefused(reason=refused.code) from None
    told = api.CourierTold(
        courier_event_id=data.event_id,
        courier_shipment_id=data.shipment_id,
        shipment_id=id_from(Prefix.SHIPMENT, data.reference),
        status=data.status,
        occurred_at=data.occurred_at,
    )
    tenant_id = await runtime.tenant_id_of(tenant)
    answer = await submit_as(request, tenant_id, COURIER, api.record_courier_notices, CommandRequest(told))
    return answer_response(answer, status=200)


routes = [
    register_asset,
    list_assets,
    get_warehouse,
    set_warehouse,
    set_estimate,
    list_estimates,
    run_depreciation,
    get_asset,
    get_book,
    dispose,
    receive_return,
    begin_inspection,
    list_deliveries,
    get_delivery,
    ship,
    hand_over,
    inspect,
    get_inspection,
    courier_callback,
]
