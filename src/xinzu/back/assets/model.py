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


# Rented to retired: the lessee bought or lost it. Shipped to inspecting: a parcel nobody accepted. Shipped to returned: delivered although
# the agreement was cancelled on the way.
ASSET_MOVES: Transitions[AssetState] = Transitions(
    "asset",
    {
        AssetState.IN_STOCK: {AssetState.RESERVED, AssetState.RENTED, AssetState.RETIRED},
        AssetState.RESERVED: {AssetState.SHIPPED, AssetState.RENTED, AssetState.IN_STOCK},
        AssetState.SHIPPED: {AssetState.RENTED, AssetState.RETURNED, AssetState.INSPECTING, AssetState.RETIRED},
        AssetState.RENTED: {AssetState.RETURNED, AssetState.RETIRED},
        AssetState.RETURNED: {AssetState.INSPECTING},
        AssetState.INSPECTING: {AssetState.IN_STOCK, AssetState.RETIRED},
        AssetState.RETIRED: set(),
    },
)


class LeavingCause(StrEnum):
    """How a thing leaves the books: leased is let by a finance lease, and stays on the register."""

    SOLD = "sold"
    LEASED = "leased"
    SCRAPPED = "scrapped"
    LOST = "lost"


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
    """One registered thing. ``purchase_cost_fen`` is what it was bought for, VAT included; ``acquired_on`` when it was ready for use."""

    id: UUID
    serial: str
    product_id: UUID
    purchase_cost_fen: int
    acquired_on: BusinessDate
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
    """A thing to put on the register, ready for use since ``acquired_on`` (None: today)."""

    serial: str
    product_id: UUID
    purchase_cost_fen: int
    acquired_on: BusinessDate | None = None


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


@dataclass(frozen=True, slots=True)
class ChartLine:
    """An account assets books on, as the ledger opens it."""

    code: str
    name_zh: str
    name_en: str
    type: str
    normal_side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetBook:
    """A thing as it stands in the books. Costs are without ``vat_fen``, the invoiced VAT; ``left_on`` is the day it left them."""

    asset_id: UUID
    cost_fen: int
    vat_fen: int
    residual_fen: int
    life_months: int
    in_use_on: BusinessDate
    depreciated_fen: int
    depreciated_months: int
    left_on: BusinessDate | None

    @property
    def carrying_fen(self) -> int:
        return 0 if self.left_on else self.cost_fen - self.depreciated_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateDraft:
    """The owner's estimate for a product's things, or (None) for those of every product without its own."""

    product_id: UUID | None
    useful_life_months: int
    residual_pct: int
    purchase_vat_pct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """A thing is gone: sold, scrapped or lost, on a day not after today (None: today)."""

    asset_id: UUID
    cause: LeavingCause
    disposed_on: BusinessDate | None = None


@dataclass(frozen=True, slots=True)
class BookedLine:
    """What one kind of entry of one date moves between two accounts, over all things."""

    kind: str
    business_date: BusinessDate
    debit_account: str
    credit_account: str
    asset_count: int
    amount_fen: int
