"""Rented phones on the network: enrolled by the warehouse over HTTP, obeying signed commands over MQTT."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.devices.conftest import eventually
from tests.scenario.rentals import Rental
from tests.scenario.story import Shop

from xinzu.app.sandbox.phone import Phone, PhoneFleet, phones_folder, set_up, switch_on


@dataclass
class Phones:
    """All phones of a shop. ``make_fleet`` gives phones that are off until they are looked for."""

    shop: Shop
    home: Path
    make_fleet: Callable[[], PhoneFleet]
    fleet: PhoneFleet = field(init=False)
    rented: dict[str, RentedPhone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fleet = self.make_fleet()

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
        rented = self._look(rental, made["id"])
        await rented.is_heard()
        return rented

    def of(self, rental: Rental) -> RentedPhone:
        return self.rented[rental.serial]

    async def switch_off(self) -> None:
        await self.fleet.close()

    def switch_on_again(self, rental: Rental) -> RentedPhone:
        """The same phone with what it remembers."""
        self.fleet = self.make_fleet()
        return self._look(rental, self.of(rental).device_id)

    def _look(self, rental: Rental, device_id: str) -> RentedPhone:
        self.fleet.look()
        phone = self.fleet.phone(rental.serial)
        assert phone is not None
        self.rented[rental.serial] = RentedPhone(self.shop, device_id, phone)
        return self.rented[rental.serial]


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
