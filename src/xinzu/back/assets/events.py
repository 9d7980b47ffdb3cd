"""What happened to a device as a thing. The subject is the agreement it is rented under."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import BusinessDate, Instant


@event("xinzu.assets.asset.shipped.v1")
@dataclass(frozen=True, kw_only=True)
class AssetShipped(Event):
    """An asset was picked for the agreement and given to the courier."""

    asset_id: UUID
    shipment_id: UUID


@event("xinzu.assets.asset.handed_over.v1")
@dataclass(frozen=True, kw_only=True)
class AssetHandedOver(Event):
    """The lessee has the asset (the courier's signed-for notice, or a handover at the counter)."""

    asset_id: UUID
    handed_over_at: Instant
    handed_over_on: BusinessDate


@event("xinzu.assets.asset.returned.v1")
@dataclass(frozen=True, kw_only=True)
class AssetReturned(Event):
    """The asset is back in the lessor's hands, not yet inspected."""

    asset_id: UUID
    returned_at: Instant
    returned_on: BusinessDate


@event("xinzu.assets.asset.inspected.v1")
@dataclass(frozen=True, kw_only=True)
class AssetInspected(Event):
    """The inspection after a return is done; ``damage_fen`` is what the lessee is asked to bear (beyond ordinary wear, Civil Code art. 710)."""

    asset_id: UUID
    inspection_id: UUID
    returned_on: BusinessDate
    damage_fen: int
