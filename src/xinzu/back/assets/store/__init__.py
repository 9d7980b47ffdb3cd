"""SQL of assets. Rows that decide are locked first, deliveries before assets, each in the order of their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from asyncpg import ExclusionViolationError

from xinzu.back.assets.errors import AssetNotAvailable
from xinzu.back.assets.model import (
    SHIPMENT_OPEN,
    Asset,
    AssetDraft,
    AssetState,
    Contact,
    CourierTold,
    Delivery,
    DeliveryState,
    Finding,
    Inspection,
    Shipment,
    ShipmentState,
    Stay,
)
from xinzu.kernel.ids import new_id
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

WAREHOUSE_PLACE = "assets_warehouse.contact_sealed:warehouse"

_ASSET = "SELECT id, serial, product_id, purchase_cost_fen, acquired_on, state, registered_at FROM assets_asset"
_DELIVERY = """
SELECT d.agreement_id, d.party_id, d.product_id, d.product_name, d.insured_fen, d.state, d.asset_id, a.serial, d.handed_over_at
FROM assets_delivery d LEFT JOIN assets_asset a ON a.tenant_id = d.tenant_id AND a.id = d.asset_id
"""
_SHIPMENT = "SELECT id, agreement_id, asset_id, state, courier_shipment_id, refusal, attempts FROM assets_shipment"
_STAY = "SELECT id, asset_id, agreement_id, handed_over_at, returned_at, returned_on FROM assets_occupancy"


def _asset(row: Row) -> Asset:
    return Asset(
        id=row.id,
        serial=row.serial,
        product_id=row.product_id,
        purchase_cost_fen=row.purchase_cost_fen,
        acquired_on=row.acquired_on,
        state=AssetState(row.state),
        registered_at=row.registered_at,
    )


def _delivery(row: Row) -> Delivery:
    return Delivery(**{**row, "state": DeliveryState(row.state)})


def _shipment(row: Row) -> Shipment:
    return Shipment(**{**row, "state": ShipmentState(row.state)})


# --- the register ------------------------------------------------------------------------------------------------------


async def insert_assets(uow: UnitOfWork, drafts: Sequence[AssetDraft]) -> dict[str, Asset]:
    """Register what is new, by serial; a serial that is taken is left out of the answer."""
    ordered = sorted(drafts, key=lambda draft: draft.serial)
    rows = await uow.rows(
        "INSERT INTO assets_asset (tenant_id, id, serial, product_id, purchase_cost_fen, acquired_on, state, registered_at, is_booked)"
        " SELECT :tenant, a.id, a.serial, a.product_id, a.cost, a.acquired_on, 'in_stock', :now, false"
        " FROM unnest(cast(:ids AS uuid[]), cast(:serials AS text[]), cast(:products AS uuid[]), cast(:costs AS bigint[]),"
        " cast(:acquired AS date[])) AS a(id, serial, product_id, cost, acquired_on)"
        " ON CONFLICT (tenant_id, serial) DO NOTHING"
        " RETURNING id, serial, product_id, purchase_cost_fen, acquired_on, state, registered_at",
        now=uow.now,
        ids=[new_id() for _ in ordered],
        serials=[draft.serial for draft in ordered],
        products=[draft.product_id for draft in ordered],
        costs=[draft.purchase_cost_fen for draft in ordered],
        acquired=[draft.acquired_on or uow.business_date for draft in ordered],
    )
    return {row.serial: _asset(row) for row in rows}


async def lock_assets_by_serial(uow: UnitOfWork, serials: Sequence[str]) -> dict[str, Asset]:
    rows = await uow.rows(
        f"{_ASSET} WHERE tenant_id = :tenant AND serial = ANY(cast(:serials AS text[])) ORDER BY id FOR UPDATE",
        serials=list(serials),
    )
    return {row.serial: _asset(row) for row in rows}


async def lock_assets(uow: UnitOfWork, asset_ids: Sequence[UUID]) -> dict[UUID, Asset]:
    rows = await uow.rows(
        f"{_ASSET} WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) ORDER BY id FOR UPDATE", ids=list(asset_ids)
    )
    return {row.id: _asset(row) for row in rows}


async def move_assets(uow: UnitOfWork, asset_ids: Sequence[UUID], state: AssetState) -> None:
    """Write a state that the caller checked against the transition table on locked rows."""
    if asset_ids:
        await uow.execute(
            "UPDATE assets_asset SET state = :state WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
            state=state,
            ids=list(asset_ids),
        )


async def find_asset(read: ReadSession, asset_id: UUID) -> Asset | None:
    row = await read.row(f"{_ASSET} WHERE tenant_id = :tenant AND id = :id", id=asset_id)
    return None if row is None else _asset(row)


async def list_assets(
    read: ReadSession, *, state: str | None, product_id: UUID | None, serial: str | None, before: UUID | None, limit: int
) -> list[Asset]:
    """Assets, newest first, of a state, a product or a serial."""
    rows = await read.rows(
        f"{_ASSET} WHERE tenant_id = :tenant AND (cast(:state AS text) IS NULL OR state = :state)"
        " AND (cast(:product AS uuid) IS NULL OR product_id = :product)"
        " AND (cast(:serial AS text) IS NULL OR serial = :serial)"
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        state=state,
        product=product_id,
        serial=serial,
        before=before,
        limit=limit,
    )
    return [_asset(row) for row in rows]


# --- occupancy ---------------------------------------------------------------------------------------------------------


async def open_stays(uow: UnitOfWork, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Occupy (asset, agreement) pairs from now on. Raises AssetNotAvailable when the database finds a double occupancy."""
    try:
        await uow.execute(
            "INSERT INTO assets_occupancy (tenant_id, id, asset_id, agreement_id, during, handed_over_at)"
            " SELECT :tenant, o.id, o.asset_id, o.agreement_id, tstzrange(:now, NULL), NULL"
            " FROM unnest(cast(:ids AS uuid[]), cast(:assets AS uuid[]), cast(:agreements AS uuid[]))"
            " AS o(id, asset_id, agreement_id)",
            now=uow.now,
            ids=[new_id() for _ in pairs],
            assets=[asset_id for asset_id, _ in pairs],
            agreements=[agreement_id for _, agreement_id in pairs],
        )
    except ExclusionViolationError as error:
        raise AssetNotAvailable() from error


async def stays_of_assets(read: ReadSession, asset_ids: Sequence[UUID]) -> dict[UUID, Stay]:
    """The open occupancies, by asset."""
    rows = await read.rows(
        f"{_STAY} WHERE tenant_id = :tenant AND asset_id = ANY(cast(:ids AS uuid[])) AND upper_inf(during)", ids=list(asset_ids)
    )
    return {row.asset_id: Stay(**row) for row in rows}


async def asset_id_of_agreement(read: ReadSession, agreement_id: UUID) -> UUID | None:
    """The asset an agreement holds now."""
    found: UUID | None = await read.scalar(
        "SELECT asset_id FROM assets_occupancy WHERE tenant_id = :tenant AND agreement_id = :id AND upper_inf(during)",
        id=agreement_id,
    )
    return found


async def mark_handed_over(uow: UnitOfWork, asset_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE assets_occupancy SET handed_over_at = :now"
        " WHERE tenant_id = :tenant AND asset_id = ANY(cast(:ids AS uuid[])) AND upper_inf(during)",
        now=uow.now,
        ids=list(asset_ids),
    )


async def mark_returned(uow: UnitOfWork, asset_ids: Sequence[UUID]) -> None:
    await uow.execute(
        "UPDATE assets_occupancy SET returned_at = :now, returned_on = :today"
        " WHERE tenant_id = :tenant AND asset_id = ANY(cast(:ids AS uuid[])) AND upper_inf(during)",
        now=uow.now,
        today=uow.business_date,
        ids=list(asset_ids),
    )


async def close_stays(uow: UnitOfWork, asset_ids: Sequence[UUID]) -> None:
    """End the open occupancies now. One that began at this very instant never was: its range becomes empty."""
    if asset_ids:
        await uow.execute(
            "UPDATE assets_occupancy"
            " SET during = tstzrange(lower(during), greatest(cast(:now AS timestamptz), lower(during)))"
            " WHERE tenant_id = :tenant AND asset_id = ANY(cast(:ids AS uuid[])) AND upper_inf(during)",
            now=uow.now,
            ids=list(asset_ids),
        )


# --- deliveries --------------------------------------------------------------------------------------------------------


async def note_agreed(uow: UnitOfWork, agreed: Sequence[tuple[UUID, UUID, UUID, str, int]]) -> None:
    """What signed agreements promise: (agreement, party, product, product name, insured value in fen)."""
    await uow.execute(
        "INSERT INTO assets_delivery"
        " (tenant_id, agreement_id, party_id, product_id, product_name, insured_fen, state, created_at)"
        " SELECT :tenant, d.agreement_id, d.party_id, d.product_id, d.product_name, d.insured_fen, 'unpaid', :now"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:parties AS uuid[]), cast(:products AS uuid[]), cast(:names AS text[]),"
        " cast(:insured AS bigint[])) AS d(agreement_id, party_id, product_id, product_name, insured_fen)"
        " ON CONFLICT (tenant_id, agreement_id) DO UPDATE SET product_id = excluded.product_id,"
        " product_name = excluded.product_name, insured_fen = excluded.insured_fen",
        now=uow.now,
        agreements=[item[0] for item in agreed],
        parties=[item[1] for item in agreed],
        products=[item[2] for item in agreed],
        names=[item[3] for item in agreed],
        insured=[item[4] for item in agreed],
    )


async def note_paid(uow: UnitOfWork, paid: Mapping[UUID, UUID]) -> None:
    """The first rent of these agreements (with their parties) is in: they await a pick. A cancelled one stays cancelled."""
    await uow.execute(
        "INSERT INTO assets_delivery (tenant_id, agreement_id, party_id, state, created_at)"
        " SELECT :tenant, d.agreement_id, d.party_id, 'awaiting', :now"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:parties AS uuid[])) AS d(agreement_id, party_id)"
        " ON CONFLICT (tenant_id, agreement_id) DO UPDATE SET state = 'awaiting' WHERE assets_delivery.state = 'unpaid'",
        now=uow.now,
        agreements=list(paid),
        parties=list(paid.values()),
    )


async def note_cancelled(uow: UnitOfWork, cancelled: Mapping[UUID, UUID]) -> None:
    """These agreements are off. What is with the lessee already stays handed over."""
    await uow.execute(
        "INSERT INTO assets_delivery (tenant_id, agreement_id, party_id, state, created_at)"
        " SELECT :tenant, d.agreement_id, d.party_id, 'cancelled', :now"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:parties AS uuid[])) AS d(agreement_id, party_id)"
        " ON CONFLICT (tenant_id, agreement_id) DO UPDATE SET state = 'cancelled'"
        " WHERE assets_delivery.state <> 'handed_over'",
        now=uow.now,
        agreements=list(cancelled),
        parties=list(cancelled.values()),
    )


async def lock_deliveries(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, Delivery]:
    rows = await uow.rows(
        f"{_DELIVERY} WHERE d.tenant_id = :tenant AND d.agreement_id = ANY(cast(:ids AS uuid[]))"
        " ORDER BY d.agreement_id FOR UPDATE OF d",
        ids=list(agreement_ids),
    )
    return {row.agreement_id: _delivery(row) for row in rows}


async def move_deliveries(uow: UnitOfWork, picks: Mapping[UUID, UUID | None], state: DeliveryState) -> None:
    """Write a state, with the asset of each agreement (None: none any more)."""
    await uow.execute(
        "UPDATE assets_delivery d SET state = :state, asset_id = p.asset_id,"
        " handed_over_at = CASE WHEN :state = 'handed_over' THEN cast(:now AS timestamptz) END"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:assets AS uuid[])) AS p(agreement_id, asset_id)"
        " WHERE d.tenant_id = :tenant AND d.agreement_id = p.agreement_id",
        state=str(state),
        now=uow.now,
        agreements=list(picks),
        assets=list(picks.values()),
    )


async def find_delivery(read: ReadSession, agreement_id: UUID) -> Delivery | None:
    row = await read.row(f"{_DELIVERY} WHERE d.tenant_id = :tenant AND d.agreement_id = :id", id=agreement_id)
    return None if row is None else _delivery(row)


async def list_deliveries(read: ReadSession, *, state: str | None, before: UUID | None, limit: int) -> list[Delivery]:
    rows = await read.rows(
        f"{_DELIVERY} WHERE d.tenant_id = :tenant AND (cast(:state AS text) IS NULL OR d.state = :state)"
        " AND (cast(:before AS uuid) IS NULL OR d.agreement_id < :before) ORDER BY d.agreement_id DESC LIMIT :limit",
        state=state,
        before=before,
        limit=limit,
    )
    return [_delivery(row) for row in rows]


# --- shipments ---------------------------------------------------------------------------------------------------------


async def insert_shipments(uow: UnitOfWork, pairs: Sequence[tuple[UUID, UUID, UUID]]) -> None:
    """The intent to ship: (shipment, agreement, asset)."""
    await uow.execute(
        "INSERT INTO assets_shipment (tenant_id, id, agreement_id, asset_id, state, created_at)"
        " SELECT :tenant, s.id, s.agreement_id, s.asset_id, 'booking', :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:assets AS uuid[]))"
        " AS s(id, agreement_id, asset_id)",
        now=uow.now,
        ids=[item[0] for item in pairs],
        agreements=[item[1] for item in pairs],
        assets=[item[2] for item in pairs],
    )


async def find_shipment(read: ReadSession, shipment_id: UUID) -> Shipment | None:
    row = await read.row(f"{_SHIPMENT} WHERE tenant_id = :tenant AND id = :id", id=shipment_id)
    return None if row is None else _shipment(row)


async def lock_shipment(uow: UnitOfWork, shipment_id: UUID) -> Shipment | None:
    row = await uow.row(f"{_SHIPMENT} WHERE tenant_id = :tenant AND id = :id FOR UPDATE", id=shipment_id)
    return None if row is None else _shipment(row)


async def open_shipment_of(uow: UnitOfWork, agreement_id: UUID) -> Shipment | None:
    row = await uow.row(
        f"{_SHIPMENT} WHERE tenant_id = :tenant AND agreement_id = :id AND state IN ('booking', 'booked') FOR UPDATE",
        id=agreement_id,
    )
    return None if row is None else _shipment(row)


async def shipments_of(read: ReadSession, agreement_id: UUID) -> list[Shipment]:
    """Every parcel of an agreement, oldest first."""
    rows = await read.rows(f"{_SHIPMENT} WHERE tenant_id = :tenant AND agreement_id = :id ORDER BY id", id=agreement_id)
    return [_shipment(row) for row in rows]


async def request_of(read: ReadSession, shipment_id: UUID) -> bytes | None:
    """The courier's request as it was decided at the first attempt, in clear; None when there was none yet."""
    sealed = await read.scalar(
        "SELECT request_sealed FROM assets_shipment WHERE tenant_id = :tenant AND id = :id", id=shipment_id
    )
    return None if sealed is None else read.vault.open(_request_place(shipment_id), bytes(sealed))


async def note_attempt(uow: UnitOfWork, shipment_id: UUID, request: bytes) -> None:
    """The courier is about to be called with this request."""
    await uow.execute(
        "UPDATE assets_shipment SET attempts = attempts + 1, request_sealed = :sealed"
        " WHERE tenant_id = :tenant AND id = :id AND state = 'booking'",
        id=shipment_id,
        sealed=uow.vault.seal(_request_place(shipment_id), request),
    )


async def move_shipment(
    uow: UnitOfWork,
    shipment_id: UUID,
    state: ShipmentState,
    *,
    courier_shipment_id: str | None = None,
    refusal: str | None = None,
) -> None:
    """Write a state; the recipient is forgotten with the courier's answer."""
    is_open = state in SHIPMENT_OPEN
    await uow.execute(
        "UPDATE assets_shipment SET state = :state, request_sealed = NULL,"
        " courier_shipment_id = coalesce(:courier_id, courier_shipment_id), refusal = coalesce(:refusal, refusal),"
        " booked_at = CASE WHEN :booked THEN cast(:now AS timestamptz) ELSE booked_at END,"
        " closed_at = CASE WHEN :closed THEN cast(:now AS timestamptz) ELSE closed_at END"
        " WHERE tenant_id = :tenant AND id = :id",
        id=shipment_id,
        state=str(state),
        courier_id=courier_shipment_id,
        refusal=refusal,
        booked=state is ShipmentState.BOOKED,
        closed=not is_open,
        now=uow.now,
    )


async def insert_notice(uow: UnitOfWork, told: CourierTold) -> bool:
    """Keep what the courier told; False when it was known already."""
    written = await uow.execute(
        "INSERT INTO assets_courier_notice (tenant_id, courier_event_id, shipment_id, status, occurred_at, received_at)"
        " VALUES (:tenant, :event_id, :shipment, :status, :occurred_at, :now)"
        " ON CONFLICT (tenant_id, courier_event_id) DO NOTHING",
        event_id=told.courier_event_id,
        shipment=told.shipment_id,
        status=told.status,
        occurred_at=told.occurred_at,
        now=uow.now,
    )
    return written == 1


def _request_place(shipment_id: UUID) -> str:
    return f"assets_shipment.request_sealed:{shipment_id}"


# --- inspections -------------------------------------------------------------------------------------------------------


async def insert_inspection(uow: UnitOfWork, inspection: Inspection) -> None:
    await uow.execute(
        "INSERT INTO assets_inspection"
        " (tenant_id, id, asset_id, agreement_id, inspector, inspected_at, returned_on, damage_fen, asset_state)"
        " VALUES (:tenant, :id, :asset, :agreement, :inspector, :now, :returned_on, :damage, :state)",
        id=inspection.id,
        asset=inspection.asset_id,
        agreement=inspection.agreement_id,
        inspector=str(uow.actor),
        now=inspection.inspected_at,
        returned_on=inspection.returned_on,
        damage=inspection.damage_fen,
        state=str(inspection.asset_state),
    )
    findings = inspection.findings
    if findings:
        await uow.execute(
            "INSERT INTO assets_inspection_item (tenant_id, inspection_id, number, description, charge_fen, photo_sha256s)"
            " SELECT :tenant, :id, i.number, i.description, i.charge, coalesce(string_to_array(nullif(i.photos, ''), ','), '{}')"
            " FROM unnest(cast(:numbers AS smallint[]), cast(:descriptions AS text[]), cast(:charges AS bigint[]),"
            " cast(:photos AS text[])) AS i(number, description, charge, photos)",
            id=inspection.id,
            numbers=list(range(1, len(findings) + 1)),
            descriptions=[finding.description for finding in findings],
            charges=[finding.charge_fen for finding in findings],
            photos=[",".join(finding.photo_sha256s) for finding in findings],
        )


async def find_inspection(read: ReadSession, inspection_id: UUID) -> Inspection | None:
    row = await read.row(
        "SELECT id, asset_id, agreement_id, inspected_at, returned_on, damage_fen, asset_state FROM assets_inspection"
        " WHERE tenant_id = :tenant AND id = :id",
        id=inspection_id,
    )
    if row is None:
        return None
    items = await read.rows(
        "SELECT description, charge_fen, photo_sha256s FROM assets_inspection_item"
        " WHERE tenant_id = :tenant AND inspection_id = :id ORDER BY number",
        id=inspection_id,
    )
    findings = tuple(
        Finding(description=item.description, charge_fen=item.charge_fen, photo_sha256s=tuple(item.photo_sha256s))
        for item in items
    )
    return Inspection(**{**row, "asset_state": AssetState(row.asset_state), "findings": findings})


# --- the warehouse -----------------------------------------------------------------------------------------------------


async def set_warehouse(uow: UnitOfWork, contact: Contact) -> None:
    await uow.execute(
        "INSERT INTO assets_warehouse (tenant_id, contact_sealed, updated_at) VALUES (:tenant, :sealed, :now)"
        " ON CONFLICT (tenant_id) DO UPDATE SET contact_sealed = excluded.contact_sealed, updated_at = excluded.updated_at",
        sealed=uow.vault.seal(WAREHOUSE_PLACE, msgspec.json.encode(contact)),
        now=uow.now,
    )


async def warehouse(read: ReadSession) -> Contact | None:
    sealed = await read.scalar("SELECT contact_sealed FROM assets_warehouse WHERE tenant_id = :tenant")
    return None if sealed is None else msgspec.json.decode(read.vault.open(WAREHOUSE_PLACE, bytes(sealed)), type=Contact)
