"""Assets as they are asked for and answered. Every amount is in fen."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from xinzu.back.assets.model import Asset, Delivery, Finding, Inspection, Shipment
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.http.fields import NAME, ONE_LINE, PROSE, Hex32, ProviderText, PublicId

Serial = Annotated[
    str,
    msgspec.Meta(min_length=4, max_length=40, pattern=NAME, description="IMEI or serial number on the device"),
]
CostFen = Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000)]


class AssetRegistration(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A thing to put on the register. ``purchase_cost_fen`` with VAT."""

    serial: Serial
    product_id: PublicId
    purchase_cost_fen: CostFen


class SerialPicked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """The asset taken from the shelf."""

    serial: Serial


class InspectionItem(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One finding. ``charge_fen`` is what the lessee is asked to bear for it: 0 for ordinary wear (Civil Code art. 710)."""

    description: Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=PROSE)]
    charge_fen: Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
    photo_sha256s: Annotated[list[Hex32], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)


class InspectionReport(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """What was found on a returned asset, and whether it can be rented out again."""

    asset_id: PublicId
    items: Annotated[list[InspectionItem], msgspec.Meta(max_length=50)]
    asset_state: Literal["in_stock", "retired"] = "in_stock"


class WarehouseContact(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Where the courier fetches parcels."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=ONE_LINE)]
    phone: Annotated[str, msgspec.Meta(pattern=r"^[0-9+][0-9-]{4,19}$(?!\n)")]
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=ONE_LINE)]

    def __repr__(self) -> str:
        return "WarehouseContact(…)"


class CourierNotice(msgspec.Struct, kw_only=True, frozen=True):
    """What the courier tells of a parcel, under its signature. ``reference`` is our shipment id."""

    event_id: ProviderText
    shipment_id: ProviderText
    reference: PublicId
    status: ProviderText
    occurred_at: Annotated[Instant, msgspec.Meta(tz=True)]


class AssetView(msgspec.Struct, kw_only=True, frozen=True):
    """One asset of the register."""

    id: str
    serial: str
    product_id: str
    purchase_cost_fen: int
    state: str
    registered_at: Instant


class AssetPage(msgspec.Struct, kw_only=True, frozen=True):
    """Assets, newest first."""

    items: list[AssetView]
    next_cursor: str | None


class ShipmentView(msgspec.Struct, kw_only=True, frozen=True):
    """One parcel. ``refusal`` is the courier's code when it would not take it."""

    id: str
    agreement_id: str
    asset_id: str
    state: str
    courier_shipment_id: str | None
    refusal: str | None


class DeliveryView(msgspec.Struct, kw_only=True, frozen=True):
    """What an agreement's lessee is to receive or has received."""

    agreement_id: str
    state: str
    product_id: str | None
    product_name: str | None
    asset_id: str | None
    serial: str | None
    handed_over_at: Instant | None
    shipments: list[ShipmentView] = msgspec.field(default_factory=list)


class DeliveryPage(msgspec.Struct, kw_only=True, frozen=True):
    """Deliveries, newest agreement first."""

    items: list[DeliveryView]
    next_cursor: str | None


class HandoverView(msgspec.Struct, kw_only=True, frozen=True):
    """The lessee has the asset."""

    agreement_id: str
    asset_id: str
    serial: str
    handed_over_on: BusinessDate


class ReturnView(msgspec.Struct, kw_only=True, frozen=True):
    """The asset is back, not yet inspected."""

    asset_id: str
    agreement_id: str
    returned_on: BusinessDate


class InspectionView(msgspec.Struct, kw_only=True, frozen=True):
    """One inspection. ``agreement_id`` is null for a parcel that came back unopened."""

    id: str
    asset_id: str
    agreement_id: str | None
    inspected_at: Instant
    returned_on: BusinessDate | None
    damage_fen: int
    asset_state: str
    items: list[InspectionItem]


class WarehouseView(msgspec.Struct, kw_only=True, frozen=True):
    """The sender, masked."""

    name: str
    phone: str
    address: str


class NoticeTaken(msgspec.Struct, kw_only=True, frozen=True):
    """The courier's notice was taken; ``repeated`` when it was known already."""

    shipment_id: str
    repeated: bool


def asset_view(asset: Asset) -> AssetView:
    return AssetView(
        id=public_id(Prefix.ASSET, asset.id),
        serial=asset.serial,
        product_id=public_id(Prefix.PRODUCT, asset.product_id),
        purchase_cost_fen=asset.purchase_cost_fen,
        state=asset.state,
        registered_at=asset.registered_at,
    )


def shipment_view(shipment: Shipment) -> ShipmentView:
    return ShipmentView(
        id=public_id(Prefix.SHIPMENT, shipment.id),
        agreement_id=public_id(Prefix.AGREEMENT, shipment.agreement_id),
        asset_id=public_id(Prefix.ASSET, shipment.asset_id),
        state=shipment.state,
        courier_shipment_id=shipment.courier_shipment_id,
        refusal=shipment.refusal,
    )


def delivery_view(delivery: Delivery, shipments: list[Shipment] | None = None) -> DeliveryView:
    return DeliveryView(
        agreement_id=public_id(Prefix.AGREEMENT, delivery.agreement_id),
        state=delivery.state,
        product_id=None if delivery.product_id is None else public_id(Prefix.PRODUCT, delivery.product_id),
        product_name=delivery.product_name,
        asset_id=None if delivery.asset_id is None else public_id(Prefix.ASSET, delivery.asset_id),
        serial=delivery.serial,
        handed_over_at=delivery.handed_over_at,
        shipments=[shipment_view(shipment) for shipment in shipments or []],
    )


def inspection_view(inspection: Inspection) -> InspectionView:
    return InspectionView(
        id=public_id(Prefix.INSPECTION, inspection.id),
        asset_id=public_id(Prefix.ASSET, inspection.asset_id),
        agreement_id=None if inspection.agreement_id is None else public_id(Prefix.AGREEMENT, inspection.agreement_id),
        inspected_at=inspection.inspected_at,
        returned_on=inspection.returned_on,
        damage_fen=inspection.damage_fen,
        asset_state=inspection.asset_state,
        items=[
            InspectionItem(description=item.description, charge_fen=item.charge_fen, photo_sha256s=list(item.photo_sha256s))
            for item in inspection.findings
        ],
    )


def finding_of(item: InspectionItem) -> Finding:
    return Finding(description=item.description, charge_fen=item.charge_fen, photo_sha256s=tuple(item.photo_sha256s))
