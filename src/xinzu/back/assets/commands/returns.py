"""Getting a thing back: received, inspected, and free for the next lessee."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.assets import store
from xinzu.back.assets.errors import AssetUnknown, ChargeWithoutLessee, NotInspectable
from xinzu.back.assets.events import AssetInspected, AssetReturned
from xinzu.back.assets.model import ASSET_MOVES, AssetState, Inspection, InspectionDraft, LeavingCause, Stay
from xinzu.back.assets.schemas import AssetView, InspectionView, ReturnView, asset_view, inspection_view
from xinzu.back.assets.store import books
from xinzu.kernel.errors import Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

INSPECTABLE = (AssetState.RETURNED, AssetState.INSPECTING)


async def receive_returns(uow: UnitOfWork, asset_ids: Sequence[UUID]) -> list[Outcome[ReturnView]]:
    """The asset is back in the house: from today on no rent runs for it. Raises AssetUnknown and IllegalMove per item."""
    assets = await store.lock_assets(uow, asset_ids)
    stays = await store.stays_of_assets(uow, asset_ids)
    outcomes: list[Outcome[ReturnView]] = []
    received: dict[UUID, Stay] = {}
    for asset_id in asset_ids:
        asset, stay = assets.get(asset_id), stays.get(asset_id)
        if asset is None:
            outcomes.append(AssetUnknown())
            continue
        try:
            ASSET_MOVES.move(AssetState.RETURNED if asset_id in received else asset.state, AssetState.RETURNED)
        except Problem as refused:
            outcomes.append(refused)
            continue
        if stay is None:
            outcomes.append(AssetUnknown("该设备没有在租合同", "No agreement holds this asset"))
            continue
        received[asset_id] = stay
        outcomes.append(
            ReturnView(
                asset_id=public_id(Prefix.ASSET, asset_id),
                agreement_id=public_id(Prefix.AGREEMENT, stay.agreement_id),
                returned_on=uow.business_date,
            )
        )
    if received:
        await store.mark_returned(uow, list(received))
        await store.move_assets(uow, list(received), AssetState.RETURNED)
        for asset_id, stay in received.items():
            uow.emit(
                AssetReturned(subject_id=stay.agreement_id, asset_id=asset_id, returned_at=uow.now, returned_on=uow.business_date)
            )
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "assets.asset.returned",
                    stay.agreement_id,
                    {
                        "asset": public_id(Prefix.ASSET, asset_id),
                        "serial": assets[asset_id].serial,
                        "returned_on": uow.business_date.isoformat(),
                    },
                )
                for asset_id, stay in received.items()
            ],
        )
    return outcomes


async def begin_inspections(uow: UnitOfWork, asset_ids: Sequence[UUID]) -> list[Outcome[AssetView]]:
    """Somebody took the asset to the bench. Raises AssetUnknown and IllegalMove per item."""
    assets = await store.lock_assets(uow, asset_ids)
    outcomes: list[Outcome[AssetView]] = []
    for asset_id in asset_ids:
        asset = assets.get(asset_id)
        if asset is None:
            outcomes.append(AssetUnknown())
            continue
        try:
            ASSET_MOVES.move(asset.state, AssetState.INSPECTING)
        except Problem as refused:
            outcomes.append(refused)
            continue
        await store.move_assets(uow, [asset_id], AssetState.INSPECTING)
        found = await store.find_asset(uow, asset_id)
        outcomes.append(AssetUnknown() if found is None else asset_view(found))
    return outcomes


async def inspect(uow: UnitOfWork, drafts: Sequence[InspectionDraft]) -> list[Outcome[InspectionView]]:
    """Record what was found; the occupancy ends and the asset is free again (or retired).

    AssetInspected carries the sum of the charges, from which billing settles the account. A parcel that came back unopened is
    inspected too: nobody can be charged for it and nothing is settled. Raises AssetUnknown, NotInspectable, ChargeWithoutLessee.
    """
    assets = await store.lock_assets(uow, [draft.asset_id for draft in drafts])
    stays = await store.stays_of_assets(uow, [draft.asset_id for draft in drafts])
    outcomes: list[Outcome[InspectionView]] = []
    done: set[UUID] = set()
    for draft in drafts:
        asset, stay = assets.get(draft.asset_id), stays.get(draft.asset_id)
        damage_fen = sum(finding.charge_fen for finding in draft.findings)
        if asset is None:
            outcomes.append(AssetUnknown())
        elif asset.state not in INSPECTABLE or asset.id in done:
            outcomes.append(NotInspectable())
        elif stay is None and damage_fen:
            outcomes.append(ChargeWithoutLessee())
        else:
            ASSET_MOVES.move(AssetState.INSPECTING, draft.asset_state)
            inspection = Inspection(
                id=new_id(),
                asset_id=asset.id,
                agreement_id=None if stay is None else stay.agreement_id,
                inspected_at=uow.now,
                returned_on=None if stay is None else stay.returned_on,
                damage_fen=damage_fen,
                asset_state=draft.asset_state,
                findings=draft.findings,
            )
            await _inspected(uow, inspection, stay, asset.serial)
            done.add(asset.id)
            outcomes.append(inspection_view(inspection))
    return outcomes


async def _inspected(uow: UnitOfWork, inspection: Inspection, stay: Stay | None, serial: str) -> None:
    await store.insert_inspection(uow, inspection)
    await store.close_stays(uow, [inspection.asset_id])
    await store.move_assets(uow, [inspection.asset_id], inspection.asset_state)
    if inspection.asset_state is AssetState.RETIRED:
        await books.mark_leaving(uow, [inspection.asset_id], [uow.business_date], [LeavingCause.SCRAPPED])
    if stay is None:
        return
    returned_on = stay.returned_on or uow.business_date
    uow.emit(
        AssetInspected(
            subject_id=stay.agreement_id,
            asset_id=inspection.asset_id,
            inspection_id=inspection.id,
            returned_on=returned_on,
            damage_fen=inspection.damage_fen,
        )
    )
    # The words of a finding may name a person; amounts and photographs do not.
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "assets.asset.inspected",
                stay.agreement_id,
                {
                    "asset": public_id(Prefix.ASSET, inspection.asset_id),
                    "serial": serial,
                    "inspection": public_id(Prefix.INSPECTION, inspection.id),
                    "returned_on": returned_on.isoformat(),
                    "damage_fen": inspection.damage_fen,
                    "items": [
                        {"charge_fen": finding.charge_fen, "photo_sha256s": list(finding.photo_sha256s)}
                        for finding in inspection.findings
                    ],
                },
            )
        ],
    )
