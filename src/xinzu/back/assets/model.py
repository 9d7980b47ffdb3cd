"""Assets, deliveries and shipments as values, one transition table per noun."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import BusinessDate, Instant


class AssetState(StrEnum):
    """Where an asset is in its life."""

    IN_STOCK = "in_stock"
    RESERVED = "reserved"
    SHIPPED = "shipped"
    RENTED = "rented"
    RETURNED = "returned"
    INSPECTING = "inspecting"
    RETIRED = "retired"


# Shipped to inspecting: a parcel nobody accepted. Shipped to returned: delivered although the agreement was cancelled on the way.
ASSET_MOVES: Transitions[AssetState] = Transitions(
    "asset",
    {
        AssetState.IN_STOCK: {AssetState.RESERVED, AssetState.RENTED, AssetState.RETIRED},
        AssetState.RESERVED: {AssetState.SHIPPED, AssetState.RENTED, AssetState.IN_STOCK},
        AssetState.SHIPPED: {AssetState.RENTED, AssetState.RETURNED, AssetState.INSPECTING, AssetState.RETIRED},
        AssetState.RENTED: {AssetState.RETURNED},
        AssetState.RETURNED: {AssetState.INSPECTING},
        AssetState.INSPECTING: {AssetState.IN_STOCK, AssetState.RETIRED},
        AssetState.RETIRED: set(),
    },
)


class DeliveryState(StrEnum):
    """What is owed to a lessee: unpaid until the first rent is in, then awaiting a pick."""

    UNPAID = "unpaid"
    AWAITING = "awaiting"
    SHIPPING = "shipping"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"


DELIVERY_MOVES: Transitions[DeliveryState] = Transitions(
    "delivery",
    {
        DeliveryState.UNPAID: {DeliveryState.AWAITING, DeliveryState.CANCELLED},
        DeliveryState.AWAITING: {DeliveryState.SHIPPING, DeliveryState.HANDED_OVER, DeliveryState.CANCELLED},
        DeliveryState.SHIPPING: {DeliveryState.AWAITING, DeliveryState.HANDED_OVER, DeliveryState.CANCELLED},
        DeliveryState.HANDED_OVER: set(),
        DeliveryState.CANCELLED: set(),
    },
)


class ShipmentState(StrEnum):
    """One parcel. ``booking`` is the recorded intent: it stays until the courier's answer is known."""

    BOOKING = "booking"
    BOOKED = "booked"
    SIGNED_FOR = "signed_for"
    REFUSED = "refused"
    RETURNED = "returned"
    LOST = "lost"
    CANCELLED = "cancelled"


SHIPMENT_MOVES: Transitions[ShipmentState] = Transitions(
    "shipment",
    {
        ShipmentState.BOOKING: {ShipmentState.BOOKED, ShipmentState.REFUSED, ShipmentState.CANCELLED},
        ShipmentState.BOOKED: {
            ShipmentState.SIGNED_FOR,
            ShipmentState.RETURNED,
            ShipmentState.LOST,
            ShipmentState.CANCELLED,
        },
        ShipmentState.SIGNED_FOR: set(),
        ShipmentState.REFUSED: set(),
        ShipmentState.RETURNED: set(),
        ShipmentState.LOST: set(),
        ShipmentState.CANCELLED: set(),
    },
)
SHIPMENT_OPEN = (ShipmentState.BOOKING, ShipmentState.BOOKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One registered thing. ``purchase_cost_fen`` is what it was bought for, VAT included."""

    id: UUID
    serial: str
    product_id: UUID
    purchase_cost_fen: int
    state: AssetState
    registered_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What an agreement's lessee is to receive. ``product_id`` is None until the signed terms were heard."""

    agreement_id: UUID
    party_id: UUID
    product_id: UUID | None
    product_name: str | None
    insured_fen: int | None
    state: DeliveryState
    asset_id: UUID | None
    serial: str | None
    handed_over_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One parcel to a lessee."""

    id: UUID
    agreement_id: UUID
    asset_id: UUID
    state: ShipmentState
    courier_shipment_id: str | None
    refusal: str | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """An asset's open occupancy by an agreement."""

    id: UUID
    asset_id: UUID
    agreement_id: UUID
    handed_over_at: Instant | None
    returned_at: Instant | None
    returned_on: BusinessDate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom a parcel is fetched from or brought to, in clear: in memory, and sealed, only."""

    name: str
    phone: str
    address: str

    def __repr__(self) -> str:
        return "Contact(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDraft:
    """A thing to put on the register."""

    serial: str
    product_id: UUID
    purchase_cost_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """This serial is taken for that agreement: to be shipped, or handed over at the counter."""

    agreement_id: UUID
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierTold:
    """What the courier says of one of our parcels; ``courier_event_id`` is the same when it says it again."""

    courier_event_id: str
    courier_shipment_id: str
    shipment_id: UUID
    status: str
    occurred_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing seen at an inspection; ``charge_fen`` is what the lessee is asked to bear for it."""

    description: str
    charge_fen: int
    photo_sha256s: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionDraft:
    """What was found on an asset that came back, and where it goes: ``in_stock`` or ``retired``."""

    asset_id: UUID
    findings: tuple[Finding, ...]
    asset_state: AssetState = AssetState.IN_STOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A recorded inspection."""

    id: UUID
    asset_id: UUID
    agreement_id: UUID | None
    inspected_at: Instant
    returned_on: BusinessDate | None
    damage_fen: int
    asset_state: AssetState
    findings: tuple[Finding, ...]
