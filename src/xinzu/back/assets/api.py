"""The front door of assets for applications above and for the demo.

await assets.ship(uow, [Pick(agreement_id=agreement_id, serial="356…")])
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.assets import store
from xinzu.back.assets.commands.books import derecognise_leased, dispose_assets, keep, run_books, set_estimates
from xinzu.back.assets.commands.deliveries import (
    cancel_deliveries,
    hand_over,
    record_booking,
    record_courier_notices,
    record_refusal,
    ship,
)
from xinzu.back.assets.commands.register import register_assets, set_warehouse, warehouse_view
from xinzu.back.assets.commands.returns import begin_inspections, inspect, receive_returns
from xinzu.back.assets.errors import AssetUnknown, DeliveryUnknown, InspectionUnknown, NotInBooks, WarehouseUnset
from xinzu.back.assets.model import (
    Asset,
    AssetBook,
    AssetDraft,
    AssetState,
    Contact,
    CourierTold,
    Delivery,
    DeliveryState,
    Disposal,
    EstimateDraft,
    Finding,
    Inspection,
    InspectionDraft,
    LeavingCause,
    Pick,
    Shipment,
)
from xinzu.back.assets.store import books
from xinzu.platform.uow import ReadSession

__all__ = [
    "Asset",
    "AssetBook",
    "AssetDraft",
    "AssetState",
    "Contact",
    "CourierTold",
    "Delivery",
    "DeliveryState",
    "Disposal",
    "EstimateDraft",
    "Finding",
    "InspectionDraft",
    "LeavingCause",
    "Pick",
    "Shipment",
    "asset_id_of_agreement",
    "asset_of",
    "begin_inspections",
    "book_of",
    "cancel_deliveries",
    "delivery_of",
    "derecognise_leased",
    "dispose_assets",
    "estimates",
    "hand_over",
    "inspect",
    "inspection_of",
    "keep",
    "list_assets",
    "list_deliveries",
    "receive_returns",
    "record_booking",
    "record_courier_notices",
    "record_refusal",
    "register_assets",
    "run_books",
    "set_estimates",
    "set_warehouse",
    "ship",
    "shipments_of",
    "warehouse_of",
    "warehouse_view",
]


async def asset_of(read: ReadSession, asset_id: UUID) -> Asset:
    """One asset; raises AssetUnknown."""
    found = await store.find_asset(read, asset_id)
    if found is None:
        raise AssetUnknown()
    return found


async def list_assets(
    read: ReadSession,
    *,
    state: str | None = None,
    product_id: UUID | None = None,
    serial: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Sequence[Asset]:
    """Assets, newest first, of a state, a product or a serial."""
    return await store.list_assets(read, state=state, product_id=product_id, serial=serial, before=before, limit=limit)


async def asset_id_of_agreement(read: ReadSession, agreement_id: UUID) -> UUID | None:
    """The asset an agreement holds now, or None."""
    return await store.asset_id_of_agreement(read, agreement_id)


async def delivery_of(read: ReadSession, agreement_id: UUID) -> Delivery:
    """What an agreement's lessee is to receive; raises DeliveryUnknown."""
    found = await store.find_delivery(read, agreement_id)
    if found is None:
        raise DeliveryUnknown()
    return found


async def list_deliveries(
    read: ReadSession, *, state: str | None = None, before: UUID | None = None, limit: int = 50
) -> Sequence[Delivery]:
    """Deliveries, newest agreement first."""
    return await store.list_deliveries(read, state=state, before=before, limit=limit)


async def shipments_of(read: ReadSession, agreement_id: UUID) -> list[Shipment]:
    """Every parcel of an agreement, oldest first."""
    return await store.shipments_of(read, agreement_id)


async def inspection_of(read: ReadSession, inspection_id: UUID) -> Inspection:
    """One inspection; raises InspectionUnknown."""
    found = await store.find_inspection(read, inspection_id)
    if found is None:
        raise InspectionUnknown()
    return found


async def book_of(read: ReadSession, asset_id: UUID) -> AssetBook:
    """One asset in the books; raises NotInBooks."""
    found = await books.book_of(read, asset_id)
    if found is None:
        raise NotInBooks()
    return found


async def estimates(read: ReadSession) -> list[EstimateDraft]:
    """The estimates in force for what is taken into the books, the general one first."""
    return await books.estimates(read)


async def warehouse_of(read: ReadSession) -> Contact:
    """The sender, in clear; raises WarehouseUnset."""
    found = await store.warehouse(read)
    if found is None:
        raise WarehouseUnset()
    return found
