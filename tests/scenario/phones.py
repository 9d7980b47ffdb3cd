"""Rented phones on the network: enrolled by the warehouse over HTTP, obeying signed commands over MQTT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.devices.conftest import eventually
from tests.scenario.story import Rental, Shop

from xinzu.app.sandbox.phone import Phone, PhoneFleet, phones_folder, set_up, switch_on


@dataclass(frozen=True)
class Phones:
    """All phones of a shop, and what the gateway does with them."""

    shop: Shop
    home: Path
    fleet: PhoneFleet

    async def enrol(self, rental: Rental) -> RentedPhone:
        """The warehouse switches the picked phone on, enrols it, and it comes online."""
        key = switch_on(phones_folder(self.home), rental.serial)
        made = await self.shop.post("warehouse", "/v1/devices", {"asset_id": rental.asset_id, "public_key": key.hex()})
        login = await self.shop.get("warehouse", f"/v1/devices/{made['id']}/login")
        set_up(
            phones_folder(self.home),
            rental.serial,
            tenant=str(self.shop.tenant_id),
            device=made["id"],
            password=login["password"],
            pinned={key["number"]: key["public_key"] for key in made["pinned_keys"]},
        )
        self.fleet.look()
        phone = self.fleet.phone(rental.serial)
        assert phone is not None
        rented = RentedPhone(self.shop, made["id"], phone)
        await rented.is_heard()
        return rented


@dataclass(frozen=True)
class RentedPhone:
    """One phone: what it shows in the lessee's hand, and what the shop knows of it."""

    shop: Shop
    device_id: str
    phone: Phone

    async def record(self) -> dict[str, Any]:
        return await self.shop.get("warehouse", f"/v1/devices/{self.device_id}")

    async def is_heard(self) -> None:
        async def holds() -> bool:
            return (await self.record())["last_seen_at"] is not None

        await eventually(holds)

    async def becomes(self, level: str) -> None:
        """Wait until the phone is at a level and has said so itself."""

        async def holds() -> bool:
            return self.phone.level == level and (await self.record())["reported_level"] == level

        await eventually(holds)
        await self.shop.world.settle()

    async def commands(self) -> list[dict[str, Any]]:
        """What it was ordered, oldest first."""
        return list(reversed((await self.record())["commands"]))

    async def signed_orders(self) -> list[Mapping[str, Any]]:
        """The very bytes that were signed, as they were read by the phone."""
        rows = await self.shop.rows("SELECT body FROM devices_command WHERE tenant_id = :tenant ORDER BY counter")
        return [json.loads(bytes(row.body)) for row in rows]
