"""The register and the warehouse."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.assets import store
from xinzu.back.assets.errors import SerialTaken
from xinzu.back.assets.model import AssetDraft, Contact
from xinzu.back.assets.schemas import AssetView, WarehouseView, asset_view
from xinzu.kernel.errors import Invalid
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.crypto.masking import mask_address, mask_phone
from xinzu.platform.uow import UnitOfWork


async def register_assets(uow: UnitOfWork, drafts: Sequence[AssetDraft]) -> list[Outcome[AssetView]]:
    """Put things on the register, in stock; one statement for the batch. The books take them in on their next turn (``books.keep``).

    A serial that is known is refused with SerialTaken, a day of acquisition in the future with Invalid.
    """
    first_of: dict[str, AssetDraft] = {}
    for draft in drafts:
        if draft.acquired_on is None or draft.acquired_on <= uow.business_date:
            first_of.setdefault(draft.serial, draft)
    registered = await store.insert_assets(uow, list(first_of.values()))
    outcomes: list[Outcome[AssetView]] = []
    for draft in drafts:
        asset = registered.get(draft.serial)
        if draft.acquired_on is not None and draft.acquired_on > uow.business_date:
            outcomes.append(in_future("/acquired_on"))
        elif asset is None or first_of[draft.serial] is not draft:
            outcomes.append(SerialTaken(f"序列号 {draft.serial} 已登记", f"The serial {draft.serial} is registered already"))
        else:
            outcomes.append(asset_view(asset))
    return outcomes


def in_future(pointer: str) -> Invalid:
    """The problem that a day lies after today."""
    return Invalid.field(pointer, "assets.in_future", "不能晚于今天", f"{pointer[1:]} must not be after today")


async def set_warehouse(uow: UnitOfWork, contacts: Sequence[Contact]) -> list[Outcome[WarehouseView]]:
    """Where the courier fetches parcels; the last one counts."""
    await store.set_warehouse(uow, contacts[-1])
    return [warehouse_view(contact) for contact in contacts]


def warehouse_view(contact: Contact) -> WarehouseView:
    return WarehouseView(name=contact.name, phone=mask_phone(contact.phone), address=mask_address(contact.address))
