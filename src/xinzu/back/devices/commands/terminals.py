"""Enrolling terminals, binding them to agreements, letting them go."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.devices import signing, store
from xinzu.back.devices.commands.orders import free
from xinzu.back.devices.errors import DeviceEnrolled
from xinzu.back.devices.model import DeviceDraft
from xinzu.back.devices.schemas import EnrolmentView, PinnedKey, device_view
from xinzu.kernel.errors import invariant
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.uow import UnitOfWork

RELEASED = "agreement over: the device is free"


async def enrol_devices(uow: UnitOfWork, drafts: Sequence[DeviceDraft]) -> list[Outcome[EnrolmentView]]:
    """Put terminals on file with the keys they made themselves; the answer names the keys they must pin.

    A terminal enrolled again replaces its asset's earlier one, between rentals only. Raises per item DeviceEnrolled, KeyTaken.
    """
    pinned = [PinnedKey(number=key.number, public_key=key.public_key.hex()) for key in await signing.signers_of(uow)]
    outcomes: list[Outcome[EnrolmentView]] = []
    for draft in drafts:
        earlier = await store.device_of_asset(uow, draft.asset_id)
        if earlier is not None and earlier.agreement_id is not None:
            outcomes.append(DeviceEnrolled())
            continue
        device_id = await store.enrol(uow, draft)  # raises: the batch is then done again item by item
        device = await store.find_device(uow, device_id)
        invariant(device is not None, "a device that was just enrolled is there")
        assert device is not None
        outcomes.append(EnrolmentView(id=device_view(device).id, device=device_view(device), pinned_keys=pinned))
    return outcomes


async def bind_devices(uow: UnitOfWork, bound: Sequence[tuple[UUID, UUID, str]]) -> None:
    """These agreements (with asset and version of the restriction clause) commenced: their devices serve them from now on."""
    await store.bind(uow, bound)


async def release_devices(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """These agreements are over: whatever was restricted is freed, and nothing can be restricted any more."""
    await free(uow, agreement_ids, RELEASED)
    await store.release(uow, agreement_ids)
