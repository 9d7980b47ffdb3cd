"""Assets as they are asked for and answered. Every amount is in fen."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from xinzu.back.assets.model import (
    Asset,
    AssetBook,
    AssetState,
    BookedLine,
    Delivery,
    EstimateDraft,
    Finding,
    Inspection,
    Shipment,
)
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.http.fields import NAME, ONE_LINE, PROSE, Hex32, ProviderText, PublicId

Serial = Annotated[
    str,
    msgspec.Meta(min_length=4, max_length=40, pattern=NAME, description="IMEI or serial number on the device"),
]
CostFen = Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000)]


class AssetRegistration(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A thing to put on the register. ``purchase_cost_fen`` with VAT; ``acquired_on`` when it was ready for use, today if left out."""

    serial: Serial
    product_id: PublicId
    purchase_cost_fen: CostFen
    acquired_on: BusinessDate | None = None


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


class EstimateChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Useful life, residual value and invoiced VAT of a product's things, or, without a product, of all others (CAS 4 art. 15)."""

    useful_life_months: Annotated[int, msgspec.Meta(ge=1, le=600)]
    residual_pct: Annotated[int, msgspec.Meta(ge=0, le=90)]
    purchase_vat_pct: Annotated[int, msgspec.Meta(ge=0, le=13, description="0 when no VAT invoice came with the purchase")] = 13
    product_id: PublicId | None = None


class BooksRun(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Ask what the books would take in, depreciate and let go; without ``dry_run``, do it now."""

    dry_run: bool = True


class DisposalReport(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A thing is gone. ``sold`` to whoever bought it, the lessee included."""

    cause: Literal["sold", "scrapped", "lost"]
    disposed_on: BusinessDate | None = None


class EstimateView(msgspec.Struct, kw_only=True, frozen=True):
    """An estimate in force. ``product_id`` is null for every product without its own."""

    product_id: str | None
    useful_life_months: int
    residual_pct: int
    purchase_vat_pct: int


class EstimateList(msgspec.Struct, kw_only=True, frozen=True):
    """The estimates, the general one first."""

    items: list[EstimateView]


class BooksLine(msgspec.Struct, kw_only=True, frozen=True):
    """What one kind of entry of one date moves between two accounts."""

    kind: str
    business_date: BusinessDate
    debit_account: str
    credit_account: str
    asset_count: int
    amount_fen: int


class BooksReport(msgspec.Struct, kw_only=True, frozen=True):
    """What was booked, or would be, for months up to ``through_on``."""

    through_on: BusinessDate
    dry_run: bool
    entry_count: int
    items: list[BooksLine]


class AssetBookView(msgspec.Struct, kw_only=True, frozen=True):
    """One thing in the books, without VAT. ``carrying_fen`` is cost less depreciation, 0 once it left."""

    asset_id: str
    cost_fen: int
    vat_fen: int
    residual_fen: int
    life_months: int
    in_use_on: BusinessDate
    depreciated_fen: int
    depreciated_months: int
    carrying_fen: int
    left_on: BusinessDate | None


class AssetView(msgspec.Struct, kw_only=True, frozen=True):
    """One asset of the register."""

    id: str
    serial: str
    product_id: str
    purchase_cost_fen: int
    acquired_on: BusinessDate
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


def asset_view(asset: Asset, *, state: AssetState | None = None) -> AssetView:
    """An asset as answered, in the state it was just moved to, if it was."""
    return AssetView(
        id=public_id(Prefix.ASSET, asset.id),
        serial=asset.serial,
        product_id=public_id(Prefix.PRODUCT, asset.product_id),
        purchase_cost_fen=asset.purchase_cost_fen,
        acquired_on=asset.acquired_on,
        state=state or asset.state,
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


def estimate_view(draft: EstimateDraft) -> EstimateView:
    return EstimateView(
        product_id=None if draft.product_id is None else public_id(Prefix.PRODUCT, draft.product_id),
        useful_life_months=draft.useful_life_months,
        residual_pct=draft.residual_pct,
        purchase_vat_pct=draft.purchase_vat_pct,
    )


def line_view(line: BookedLine) -> BooksLine:
    return BooksLine(
        kind=line.kind,
        business_date=line.business_date,
        debit_account=line.debit_account,
        credit_account=line.credit_account,
        asset_count=line.asset_count,
        amount_fen=line.amount_fen,
    )


def book_view(book: AssetBook) -> AssetBookView:
    return AssetBookView(
        asset_id=public_id(Prefix.ASSET, book.asset_id),
        cost_fen=book.cost_fen,
        vat_fen=book.vat_fen,
        residual_fen=book.residual_fen,
        life_months=book.life_months,
        in_use_on=book.in_use_on,
        depreciated_fen=book.depreciated_fen,
        depreciated_months=book.depreciated_months,
        carrying_fen=book.carrying_fen,
        left_on=book.left_on,
    )
