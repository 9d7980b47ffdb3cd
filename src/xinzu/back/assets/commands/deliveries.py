"""Getting a thing to its lessee: picked and shipped, told of by the courier, or handed over at the counter."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.assets import store
from xinzu.back.assets.errors import (
    AssetNotAvailable,
    AssetUnknown,
    DeliveryNotReady,
    DeliveryUnknown,
    ShipmentUnknown,
    WarehouseUnset,
    WrongProduct,
    WrongSerial,
)
from xinzu.back.assets.events import AssetHandedOver, AssetShipped
from xinzu.back.assets.model import (
    ASSET_MOVES,
    DELIVERY_MOVES,
    SHIPMENT_MOVES,
    Asset,
    AssetState,
    CourierTold,
    Delivery,
    DeliveryState,
    LeavingCause,
    Pick,
    Shipment,
    ShipmentState,
)
from xinzu.back.assets.schemas import HandoverView, NoticeTaken, ShipmentView, shipment_view
from xinzu.back.assets.store import books
from xinzu.kernel.errors import Problem, invariant
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

BOOK_COURIER = "assets.book_courier"


async def ship(uow: UnitOfWork, picks: Sequence[Pick]) -> list[Outcome[ShipmentView]]:
    """Take each serial off the shelf for its agreement and ask for a courier.

    The asset is occupied and reserved from now on; it counts as shipped (AssetShipped) when the courier has taken the order. Raises
    per item DeliveryUnknown, DeliveryNotReady, AssetUnknown, AssetNotAvailable, WrongProduct; WarehouseUnset for all.
    """
    if await store.warehouse(uow) is None:
        return [WarehouseUnset() for _ in picks]
    deliveries = await store.lock_deliveries(uow, [pick.agreement_id for pick in picks])
    assets = await store.lock_assets_by_serial(uow, [pick.serial for pick in picks])
    outcomes: list[Outcome[ShipmentView]] = []
    made: list[tuple[UUID, UUID, UUID]] = []
    taken: set[UUID] = set()
    for pick in picks:
        try:
            delivery, asset = _fitting(pick, deliveries, assets)
            _ready(delivery)
            _available(asset, taken, {delivery.agreement_id} & taken)
            ASSET_MOVES.move(asset.state, AssetState.RESERVED)
        except Problem as refused:
            outcomes.append(refused)
            continue
        taken |= {asset.id, delivery.agreement_id}
        made.append((new_id(), delivery.agreement_id, asset.id))
        outcomes.append(
            shipment_view(
                Shipment(
                    id=made[-1][0],
                    agreement_id=delivery.agreement_id,
                    asset_id=asset.id,
                    state=ShipmentState.BOOKING,
                    courier_shipment_id=None,
                    refusal=None,
                    attempts=0,
                )
            )
        )
    if made:
        await store.open_stays(uow, [(asset_id, agreement_id) for _, agreement_id, asset_id in made])
        await store.move_assets(uow, [asset_id for _, _, asset_id in made], AssetState.RESERVED)
        await store.move_deliveries(uow, {item[1]: item[2] for item in made}, DeliveryState.SHIPPING)
        await store.insert_shipments(uow, made)
        for shipment_id, _, _ in made:
            uow.enqueue(BOOK_COURIER, {"shipment_id": str(shipment_id)})
    return outcomes


async def hand_over(uow: UnitOfWork, picks: Sequence[Pick]) -> list[Outcome[HandoverView]]:
    """The lessee takes the asset at the counter: picked there and then, or the one that was to be shipped.

    AssetHandedOver is what makes the agreement commence. Raises per item what ``ship`` raises, and WrongSerial when another asset
    is on its way.
    """
    deliveries = await store.lock_deliveries(uow, [pick.agreement_id for pick in picks])
    assets = await store.lock_assets_by_serial(uow, [pick.serial for pick in picks])
    outcomes: list[Outcome[HandoverView]] = []
    over: list[tuple[Delivery, Asset]] = []
    taken: set[UUID] = set()
    for pick in picks:
        try:
            delivery, asset = _fitting(pick, deliveries, assets)
            if delivery.state is DeliveryState.SHIPPING and delivery.asset_id != asset.id:
                raise WrongSerial()
            if delivery.state is not DeliveryState.SHIPPING:
                _ready(delivery)
                _available(asset, taken, {delivery.agreement_id} & taken)
            DELIVERY_MOVES.move(delivery.state, DeliveryState.HANDED_OVER)
            ASSET_MOVES.move(asset.state, AssetState.RENTED)
        except Problem as refused:
            outcomes.append(refused)
            continue
        taken |= {asset.id, delivery.agreement_id}
        over.append((delivery, asset))
        outcomes.append(
            HandoverView(
                agreement_id=public_id(Prefix.AGREEMENT, delivery.agreement_id),
                asset_id=public_id(Prefix.ASSET, asset.id),
                serial=asset.serial,
                handed_over_on=uow.business_date,
            )
        )
    fresh = [(asset.id, delivery.agreement_id) for delivery, asset in over if delivery.state is DeliveryState.AWAITING]
    if fresh:
        await store.open_stays(uow, fresh)
    for delivery, _ in over:
        if delivery.state is DeliveryState.SHIPPING:
            shipment = await store.open_shipment_of(uow, delivery.agreement_id)
            if shipment is not None:
                await store.move_shipment(uow, shipment.id, ShipmentState.CANCELLED)
    if over:
        await _handed_over(uow, [(delivery.agreement_id, asset.id, asset.serial) for delivery, asset in over], "counter")
    return outcomes


async def record_booking(uow: UnitOfWork, shipment_id: UUID, courier_shipment_id: str) -> None:
    """The courier took the order: the asset is on its way. Nothing happens when that is known already."""
    shipment = await store.lock_shipment(uow, shipment_id)
    if shipment is not None and shipment.state is ShipmentState.BOOKING:
        await _booked(uow, shipment, courier_shipment_id)


async def record_refusal(uow: UnitOfWork, shipment_id: UUID, code: str) -> None:
    """The courier would not take the order: the asset goes back to the shelf, the delivery waits for another pick."""
    shipment = await store.lock_shipment(uow, shipment_id)
    if shipment is None or shipment.state is not ShipmentState.BOOKING:
        return
    await store.move_shipment(uow, shipment.id, ShipmentState.REFUSED, refusal=code)
    await _unpick(uow, shipment, AssetState.IN_STOCK)


async def record_courier_notices(uow: UnitOfWork, notices: Sequence[CourierTold]) -> list[Outcome[NoticeTaken]]:
    """What the courier tells of parcels. ``signed_for`` is the handover; the same notice again changes nothing.

    A notice proves the booking, so it may come before the answer to our own order was recorded. Raises ShipmentUnknown per item.
    """
    outcomes: list[Outcome[NoticeTaken]] = []
    for told in notices:
        shipment = await store.lock_shipment(uow, told.shipment_id)
        if shipment is None or shipment.courier_shipment_id not in (None, told.courier_shipment_id):
            outcomes.append(ShipmentUnknown())
            continue
        is_new = await store.insert_notice(uow, told)
        if is_new:
            await _follow(uow, shipment, told)
        outcomes.append(NoticeTaken(shipment_id=public_id(Prefix.SHIPMENT, shipment.id), repeated=not is_new))
    return outcomes


async def cancel_deliveries(uow: UnitOfWork, cancelled: dict[UUID, UUID]) -> None:
    """These agreements (with their parties) are off: nothing is delivered, what was only reserved goes back to the shelf.

    A parcel already on its way stays with its occupancy until it is received back.
    """
    deliveries = await store.lock_deliveries(uow, list(cancelled))
    await store.note_cancelled(uow, cancelled)
    for delivery in deliveries.values():
        if delivery.state is not DeliveryState.SHIPPING:
            continue
        shipment = await store.open_shipment_of(uow, delivery.agreement_id)
        if shipment is not None and shipment.state is ShipmentState.BOOKING:
            await store.move_shipment(uow, shipment.id, ShipmentState.CANCELLED)
            await _released(uow, shipment.asset_id, AssetState.IN_STOCK)


def _fitting(pick: Pick, deliveries: dict[UUID, Delivery], assets: dict[str, Asset]) -> tuple[Delivery, Asset]:
    delivery = deliveries.get(pick.agreement_id)
    if delivery is None:
        raise DeliveryUnknown()
    asset = assets.get(pick.serial)
    if asset is None:
        raise AssetUnknown(f"没有登记序列号 {pick.serial}", f"No asset has the serial {pick.serial}: register it first")
    if delivery.product_id is not None and asset.product_id != delivery.product_id:
        raise WrongProduct()
    return delivery, asset


def _ready(delivery: Delivery) -> None:
    if delivery.state is DeliveryState.UNPAID or delivery.product_id is None:
        raise DeliveryNotReady()
    DELIVERY_MOVES.move(delivery.state, DeliveryState.SHIPPING)


def _available(asset: Asset, taken: set[UUID], agreement_taken: set[UUID]) -> None:
    if asset.state is not AssetState.IN_STOCK or asset.id in taken:
        raise AssetNotAvailable(
            f"设备 {asset.serial} 不在库（{asset.state}），请另选一台",
            f"The asset {asset.serial} is {asset.state}: pick another",
            asset_state=str(asset.state),
        )
    if agreement_taken:
        raise DeliveryNotReady("同一批中该合同已选定设备", "Another asset was picked for this agreement in the same batch")


async def _booked(uow: UnitOfWork, shipment: Shipment, courier_shipment_id: str) -> None:
    SHIPMENT_MOVES.move(shipment.state, ShipmentState.BOOKED)
    await store.move_shipment(uow, shipment.id, ShipmentState.BOOKED, courier_shipment_id=courier_shipment_id)
    asset = (await store.lock_assets(uow, [shipment.asset_id]))[shipment.asset_id]
    await store.move_assets(uow, [asset.id], ASSET_MOVES.move(asset.state, AssetState.SHIPPED))
    uow.emit(AssetShipped(subject_id=shipment.agreement_id, asset_id=asset.id, shipment_id=shipment.id))
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "assets.asset.shipped",
                shipment.agreement_id,
                {
                    "asset": public_id(Prefix.ASSET, asset.id),
                    "serial": asset.serial,
                    "shipment": public_id(Prefix.SHIPMENT, shipment.id),
                    "courier_shipment": courier_shipment_id,
                },
            )
        ],
    )


async def _follow(uow: UnitOfWork, shipment: Shipment, told: CourierTold) -> None:
    """Act on a new notice. A parcel whose story is over, or that nobody waits for any more, only keeps the notice."""
    delivery = (await store.lock_deliveries(uow, [shipment.agreement_id]))[shipment.agreement_id]
    state = shipment.state
    if state is ShipmentState.BOOKING:
        await _booked(uow, shipment, told.courier_shipment_id)
        state = ShipmentState.BOOKED
    if state is not ShipmentState.BOOKED:
        return
    if told.status == "signed_for":
        await store.move_shipment(uow, shipment.id, SHIPMENT_MOVES.move(state, ShipmentState.SIGNED_FOR))
        if delivery.state is DeliveryState.SHIPPING:
            asset = (await store.lock_assets(uow, [shipment.asset_id]))[shipment.asset_id]
            ASSET_MOVES.move(asset.state, AssetState.RENTED)
            await _handed_over(uow, [(shipment.agreement_id, asset.id, asset.serial)], told.courier_shipment_id)
    elif told.status == "returned":
        await store.move_shipment(uow, shipment.id, SHIPMENT_MOVES.move(state, ShipmentState.RETURNED))
        await _unpick(uow, shipment, AssetState.INSPECTING)
    elif told.status == "lost":
        await store.move_shipment(uow, shipment.id, SHIPMENT_MOVES.move(state, ShipmentState.LOST))
        await _unpick(uow, shipment, AssetState.RETIRED)
        await books.mark_leaving(uow, [shipment.asset_id], [uow.business_date], [LeavingCause.LOST])


async def _unpick(uow: UnitOfWork, shipment: Shipment, asset_state: AssetState) -> None:
    """The parcel will not arrive: free the asset; the delivery, unless cancelled, waits for another pick."""
    delivery = (await store.lock_deliveries(uow, [shipment.agreement_id]))[shipment.agreement_id]
    await _released(uow, shipment.asset_id, asset_state)
    if delivery.state is DeliveryState.SHIPPING:
        await store.move_deliveries(uow, {shipment.agreement_id: None}, DeliveryState.AWAITING)


async def _released(uow: UnitOfWork, asset_id: UUID, state: AssetState) -> None:
    asset = (await store.lock_assets(uow, [asset_id]))[asset_id]
    await store.close_stays(uow, [asset_id])
    await store.move_assets(uow, [asset_id], ASSET_MOVES.move(asset.state, state))


async def _handed_over(uow: UnitOfWork, items: Sequence[tuple[UUID, UUID, str]], how: str) -> None:
    """The lessees have the assets (agreement, asset, serial): state, event and evidence of the moment from which rent runs."""
    invariant(len({asset_id for _, asset_id, _ in items}) == len(items), "an asset is handed over once in a batch")
    await store.mark_handed_over(uow, [asset_id for _, asset_id, _ in items])
    await store.move_assets(uow, [asset_id for _, asset_id, _ in items], AssetState.RENTED)
    await store.move_deliveries(uow, {agreement: asset for agreement, asset, _ in items}, DeliveryState.HANDED_OVER)
    leaves = []
    for agreement_id, asset_id, serial in items:
        uow.emit(
            AssetHandedOver(subject_id=agreement_id, asset_id=asset_id, handed_over_at=uow.now, handed_over_on=uow.business_date)
        )
        leaves.append(
            evidence.Leaf(
                "assets.asset.handed_over",
                agreement_id,
                {
                    "asset": public_id(Prefix.ASSET, asset_id),
                    "serial": serial,
                    "handed_over_on": uow.business_date.isoformat(),
                    "by": how,
                },
            )
        )
    evidence.append(uow, leaves)
