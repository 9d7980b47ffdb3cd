"""From the shelf to the lessee and back, with a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg import IntegrityConstraintViolationError
from tests.integration.assets.stories import (
    CLERK,
    agreement_to_deliver,
    handed_over,
    hear,
    open_warehouse,
    paid,
    serial,
    signed,
    stock,
    terms,
)

from xinzu.back.assets import api as assets
from xinzu.back.assets.errors import (
    AssetNotAvailable,
    AssetUnknown,
    ChargeWithoutLessee,
    DeliveryNotReady,
    DeliveryUnknown,
    NotInspectable,
    SerialTaken,
    WarehouseUnset,
    WrongProduct,
    WrongSerial,
)
from xinzu.back.assets.schemas import HandoverView, InspectionView, ShipmentView
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.kernel.outcomes import Outcome, accepted
from xinzu.kernel.states import IllegalMove
from xinzu.kernel.terms import Family, Financing
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import Actor
from xinzu.platform.commands import Answer, Request, execute
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence


async def ship(runtime: Runtime, tenant_id: int, *picks: assets.Pick) -> Sequence[Outcome[ShipmentView]]:
    async with runtime.unit(tenant_id, CLERK) as uow:
        return await assets.ship(uow, picks)


async def hand_over(runtime: Runtime, tenant_id: int, agreement_id: UUID, text: str) -> Outcome[HandoverView]:
    async with runtime.unit(tenant_id, CLERK) as uow:
        return (await assets.hand_over(uow, [assets.Pick(agreement_id=agreement_id, serial=text)]))[0]


async def inspect(runtime: Runtime, tenant_id: int, asset_id: UUID, *charges_fen: int) -> Outcome[InspectionView]:
    findings = tuple(
        assets.Finding(description="屏幕划痕", charge_fen=charge_fen, photo_sha256s=("ab" * 32,)) for charge_fen in charges_fen
    )
    async with runtime.unit(tenant_id, CLERK) as uow:
        return (await assets.inspect(uow, [assets.InspectionDraft(asset_id=asset_id, findings=findings)]))[0]


async def told(runtime: Runtime, tenant_id: int, shipment: ShipmentView, status: str, event_id: str) -> object:
    notice = assets.CourierTold(
        courier_event_id=event_id,
        courier_shipment_id="SX1",
        shipment_id=parse_id(Prefix.SHIPMENT, shipment.id),
        status=status,
        occurred_at=runtime.clock.now(),
    )
    async with runtime.unit(tenant_id, CLERK) as uow:
        return (await assets.record_courier_notices(uow, [notice]))[0]


async def events_of(runtime: Runtime, tenant_id: int, agreement_id: UUID) -> list[str]:
    async with runtime.reading(tenant_id) as read:
        rows = await read.rows(
            "SELECT type FROM platform_event WHERE tenant_id = :tenant AND subject_id = :id ORDER BY id", id=agreement_id
        )
    return [row.type.split(".")[3] for row in rows if row.type.startswith("xinzu.assets.")]


async def state_of(runtime: Runtime, tenant_id: int, asset_id: UUID) -> str:
    async with runtime.reading(tenant_id) as read:
        return (await assets.asset_of(read, asset_id)).state


async def test_a_phone_goes_out_by_courier_comes_back_and_is_free_again(
    runtime: Runtime, tenant_id: int, clock: FixedClock
) -> None:
    await open_warehouse(runtime, tenant_id)
    agreement_id, text = await agreement_to_deliver(runtime, tenant_id), serial()
    (asset_id,) = await stock(runtime, tenant_id, text)
    shipment = accepted((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text)))[0])
    assert await state_of(runtime, tenant_id, asset_id) == "reserved"
    async with runtime.unit(tenant_id, CLERK) as uow:
        await assets.record_booking(uow, parse_id(Prefix.SHIPMENT, shipment.id), "SX1")
    assert await state_of(runtime, tenant_id, asset_id) == "shipped"
    clock.advance(timedelta(days=2))
    await told(runtime, tenant_id, shipment, "signed_for", "SX1-4")
    assert await state_of(runtime, tenant_id, asset_id) == "rented"

    clock.advance(timedelta(days=90))
    async with runtime.unit(tenant_id, CLERK) as uow:
        returned = accepted((await assets.receive_returns(uow, [asset_id]))[0])
    assert returned.returned_on.isoformat() == "2026-06-02"
    clock.advance(timedelta(hours=1))
    inspection = accepted(await inspect(runtime, tenant_id, asset_id, 8_000, 12_000))
    assert (inspection.damage_fen, inspection.asset_state) == (20_000, "in_stock")
    assert await state_of(runtime, tenant_id, asset_id) == "in_stock"
    assert await events_of(runtime, tenant_id, agreement_id) == ["shipped", "handed_over", "returned", "inspected"]
    async with runtime.reading(tenant_id) as read:
        facts = await evidence.facts_of(read, agreement_id)
        kept = await assets.inspection_of(read, parse_id(Prefix.INSPECTION, inspection.id))
    assert [fact.kind.rpartition(".")[2] for fact in facts] == ["shipped", "handed_over", "returned", "inspected"]
    assert json.loads(facts[-1].body)["facts"]["items"][0] == {"charge_fen": 8_000, "photo_sha256s": ["ab" * 32]}
    assert [finding.charge_fen for finding in kept.findings] == [8_000, 12_000]

    assert isinstance(await hand_over(runtime, tenant_id, await agreement_to_deliver(runtime, tenant_id), text), HandoverView)


async def test_two_clerks_ship_the_same_phone_and_one_is_told_to_pick_another(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    text = serial()
    await stock(runtime, tenant_id, text)
    picks = [assets.Pick(agreement_id=await agreement_to_deliver(runtime, tenant_id), serial=text) for _ in range(2)]
    outcomes = [
        outcome
        for found in await asyncio.gather(*(execute(runtime, tenant_id, CLERK, assets.ship, [Request(pick)]) for pick in picks))
        for outcome in found
    ]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Answer", "AssetNotAvailable"]


async def test_the_database_itself_refuses_a_double_occupancy(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    _, asset_id = await handed_over(runtime, tenant_id, actor)
    with pytest.raises(IntegrityConstraintViolationError, match="ex_assets_occupancy_asset_once"):
        async with runtime.unit(tenant_id, actor) as uow:
            await uow.execute(
                "INSERT INTO assets_occupancy (tenant_id, id, asset_id, agreement_id, during)"
                " VALUES (:tenant, :id, :asset, :agreement, tstzrange(:now, NULL))",
                id=new_id(),
                asset=asset_id,
                agreement=new_id(),
                now=uow.now,
            )


async def test_one_phone_for_two_agreements_in_one_batch_goes_to_the_first(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    text, other = serial(), serial()
    await stock(runtime, tenant_id, text, other)
    first, second = [await agreement_to_deliver(runtime, tenant_id) for _ in range(2)]
    outcomes = await ship(
        runtime,
        tenant_id,
        assets.Pick(agreement_id=first, serial=text),
        assets.Pick(agreement_id=second, serial=text),
        assets.Pick(agreement_id=first, serial=other),
        assets.Pick(agreement_id=second, serial=other),
    )
    assert [type(outcome) for outcome in outcomes] == [ShipmentView, AssetNotAvailable, DeliveryNotReady, ShipmentView]


async def test_nothing_leaves_the_house_before_signature_and_first_rent(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    text, agreement_id, party_id = serial(), new_id(), new_id()
    await stock(runtime, tenant_id, text)
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), DeliveryUnknown)
    await hear(runtime, tenant_id, paid(agreement_id, party_id, runtime, "instalment"))
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), DeliveryUnknown)
    await hear(runtime, tenant_id, paid(agreement_id, party_id, runtime))  # the events may arrive in any order
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), DeliveryNotReady)
    await hear(runtime, tenant_id, signed(agreement_id, party_id, runtime), paid(agreement_id, party_id, runtime))
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, "nobody-knows"), AssetUnknown)
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), HandoverView)
    assert await events_of(runtime, tenant_id, agreement_id) == ["handed_over"]
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), Problem)


async def test_another_model_than_agreed_is_refused(runtime: Runtime, tenant_id: int) -> None:
    text = serial()
    await stock(runtime, tenant_id, text, product_id=new_id())
    assert isinstance(await hand_over(runtime, tenant_id, await agreement_to_deliver(runtime, tenant_id), text), WrongProduct)


async def test_a_cancelled_agreement_frees_its_reserved_phone(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    agreement_id, text = await agreement_to_deliver(runtime, tenant_id), serial()
    (asset_id,) = await stock(runtime, tenant_id, text)
    shipment = accepted((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text)))[0])
    async with runtime.unit(tenant_id, CLERK) as uow:
        await assets.cancel_deliveries(uow, {agreement_id: new_id()})
    assert await state_of(runtime, tenant_id, asset_id) == "in_stock"
    async with runtime.unit(tenant_id, CLERK) as uow:  # the answer of the courier comes too late
        await assets.record_booking(uow, parse_id(Prefix.SHIPMENT, shipment.id), "SX1")
    assert await state_of(runtime, tenant_id, asset_id) == "in_stock"
    assert await events_of(runtime, tenant_id, agreement_id) == []


async def test_the_couriers_notice_counts_once_and_proves_the_booking(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    agreement_id, text = await agreement_to_deliver(runtime, tenant_id), serial()
    await stock(runtime, tenant_id, text)
    shipment = accepted((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text)))[0])
    for _ in range(3):
        await told(runtime, tenant_id, shipment, "signed_for", "SX1-4")
    await told(runtime, tenant_id, shipment, "lost", "SX1-5")
    assert await events_of(runtime, tenant_id, agreement_id) == ["shipped", "handed_over"]


async def test_a_parcel_nobody_accepts_is_checked_before_it_is_rented_again(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    agreement_id, text, spare = await agreement_to_deliver(runtime, tenant_id), serial(), serial()
    asset_id, _ = await stock(runtime, tenant_id, text, spare)
    shipment = accepted((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text)))[0])
    await told(runtime, tenant_id, shipment, "returned", "SX1-3")
    assert await state_of(runtime, tenant_id, asset_id) == "inspecting"
    assert isinstance(await inspect(runtime, tenant_id, asset_id, 500), ChargeWithoutLessee)
    assert accepted(await inspect(runtime, tenant_id, asset_id)).agreement_id is None
    assert isinstance((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=spare)))[0], ShipmentView)
    assert "inspected" not in await events_of(runtime, tenant_id, agreement_id)


async def test_at_the_counter_the_phone_on_its_way_is_the_one_that_counts(runtime: Runtime, tenant_id: int) -> None:
    await open_warehouse(runtime, tenant_id)
    agreement_id, text, other = await agreement_to_deliver(runtime, tenant_id), serial(), serial()
    await stock(runtime, tenant_id, text, other)
    shipment = accepted((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text)))[0])
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, other), WrongSerial)
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), HandoverView)
    await told(runtime, tenant_id, shipment, "signed_for", "SX1-4")
    assert await events_of(runtime, tenant_id, agreement_id) == ["handed_over"]


async def test_a_return_is_received_once_and_inspected_once(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    agreement_id, asset_id = await handed_over(runtime, tenant_id, actor)
    assert isinstance(await inspect(runtime, tenant_id, asset_id), NotInspectable)
    async with runtime.unit(tenant_id, actor) as uow:
        outcomes = await assets.receive_returns(uow, [asset_id, asset_id, new_id()])
    assert isinstance(outcomes[1], IllegalMove)
    assert isinstance(outcomes[2], AssetUnknown)
    async with runtime.unit(tenant_id, actor) as uow:
        assert accepted((await assets.begin_inspections(uow, [asset_id]))[0]).state == "inspecting"
    accepted(await inspect(runtime, tenant_id, asset_id))
    assert isinstance(await inspect(runtime, tenant_id, asset_id), NotInspectable)
    assert await events_of(runtime, tenant_id, agreement_id) == ["handed_over", "returned", "inspected"]


async def test_a_serial_is_registered_once_and_its_neighbours_are_not_disturbed(
    runtime: Runtime, tenant_id: int, other_tenant_id: int
) -> None:
    text, fresh = serial(), serial()
    await stock(runtime, tenant_id, text)
    drafts = [assets.AssetDraft(serial=name, product_id=new_id(), purchase_cost_fen=1) for name in (text, fresh, fresh)]
    outcomes = await execute(runtime, tenant_id, CLERK, assets.register_assets, [Request(draft) for draft in drafts])
    assert [type(outcome) for outcome in outcomes] == [SerialTaken, Answer, SerialTaken]
    await stock(runtime, other_tenant_id, text)  # another tenant's shelf is another world


async def test_without_a_warehouse_no_courier_is_ordered(runtime: Runtime, tenant_id: int) -> None:
    agreement_id, text = await agreement_to_deliver(runtime, tenant_id), serial()
    await stock(runtime, tenant_id, text)
    assert isinstance((await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text)))[0], WarehouseUnset)


async def test_another_tenant_cannot_pick_our_phone(runtime: Runtime, tenant_id: int, other_tenant_id: int) -> None:
    text = serial()
    await stock(runtime, tenant_id, text)
    theirs = await agreement_to_deliver(runtime, other_tenant_id)
    assert isinstance(await hand_over(runtime, other_tenant_id, theirs, text), AssetUnknown)


async def test_nothing_is_reserved_or_shipped_for_what_is_financed(runtime: Runtime, tenant_id: int) -> None:
    """The vehicle comes from the dealer: there is no delivery to hand it over at, and no shelf to take it from."""
    await open_warehouse(runtime, tenant_id)
    text, agreement_id = serial(), new_id()
    await stock(runtime, tenant_id, text)
    lease = replace(terms(), financing=Financing(family=Family.FINANCE_LEASE, principal_fen=500_000, annual_rate_pct="7.2"))
    await hear(runtime, tenant_id, signed(agreement_id, new_id(), runtime, lease))
    assert isinstance(await hand_over(runtime, tenant_id, agreement_id, text), DeliveryUnknown)
    (refused,) = await ship(runtime, tenant_id, assets.Pick(agreement_id=agreement_id, serial=text))
    assert isinstance(refused, DeliveryUnknown)
