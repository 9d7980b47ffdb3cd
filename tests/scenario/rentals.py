"""The people of the stories and what they do in a rental; see ``story`` for the shop and its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.time import add_months
from xinzu.middle.agreements.events import AgreementCancelled
from xinzu.platform.actor import system_actor

if TYPE_CHECKING:
    from tests.scenario.story import Shop

CONSENTS = {"application": "2026-01", "identity_check": "2026-01", "decision": "2026-01"}


@dataclass(slots=True)
class Customer:
    """A person with a phone number, a wallet and a door the courier can ring at."""

    shop: Shop
    name: str
    identity_no: str
    phone: str
    address: str
    buyer_id: str

    async def applies(self, plan_id: str | None = None, **signals: object) -> Rental:
        """Clicks “rent” in the channel's app, or another plan's button; ``signals`` are what the channel says about the person."""
        body = {
            "channel": "alipay",
            "plan_id": plan_id or self.shop.plan_id,
            "applicant": {"name": self.name, "identity_no": self.identity_no, "phone": self.phone},
            "delivery_address": self.address,
            "consents": CONSENTS,
            "signals": {"credit_score": 760, "channel_admitted": True, "rent_risk_rank": "low"} | signals,
        }
        answer = await self.shop.post("channel", "/v1/applications", body)
        rental = Rental(self, answer["id"], answer["party_id"])
        self.shop.rentals.append(rental)
        if not self.shop.kept_checkpoint:
            self.shop.kept_checkpoint = await self.shop.get("owner", "/v1/evidence/checkpoint")
        return rental

    async def messages(self, template: str) -> list[str]:
        """Texts of one kind on the phone, newest first."""
        inbox = (await self.shop.world.sandbox.get(f"/phone/{self.phone}/messages")).json()
        return [message["text"] for message in inbox if message["template"] == template]

    async def runs_into(self, kind: str, method: str = "", times: int = 1) -> None:
        """Something goes wrong at Alipay with this buyer, the next so many times."""
        fault = {"subject": self.buyer_id, "kind": kind, "method": method, "times": times}
        await self.shop.world.tell_sandbox("/control/faults", fault)

    async def has_money_again(self) -> None:
        (await self.shop.world.sandbox.delete(f"/control/faults/{self.buyer_id}")).raise_for_status()

    async def is_unknown_to_the_register(self) -> None:
        await self.shop.world.tell_sandbox("/control/identity/refused", {"identity_no": self.identity_no})


@dataclass(slots=True)
class Rental:
    """One order, as the customer, the shop and its back office see it."""

    customer: Customer
    application_id: str
    party_id: str
    asset_id: str = ""
    serial: str = ""
    commencement_on: date = date.max

    @property
    def shop(self) -> Shop:
        return self.customer.shop

    def due_on(self, number: int) -> date:
        return add_months(self.commencement_on, number - 1)

    # --- before the rental ---

    async def application(self) -> dict[str, Any]:
        return await self.shop.get("channel", f"/v1/applications/{self.application_id}")

    async def state(self) -> str:
        return str((await self.application())["state"])

    async def agreement_id(self) -> str:
        found = (await self.application())["agreement_id"]
        assert found is not None, "there is no agreement"
        return str(found)

    async def path(self, rest: str = "") -> str:
        return f"/v1/agreements/{await self.agreement_id()}{rest}"

    async def agreement(self) -> dict[str, Any]:
        return await self.shop.get("channel", await self.path())

    async def signs(self) -> None:
        """Reads the contract, asks for the one-time code, reads it on the phone and accepts that very document."""
        document = (await self.agreement())["document"]
        await self.shop.post("channel", await self.path("/acceptance-codes"))
        code = "".join(filter(str.isdigit, (await self.customer.messages("one_time_code"))[0]))[:6]
        body = {
            "code": code,
            "document_sha256": document["sha256"],
            "restriction_clause_accepted": True,
            "cost_table_accepted": True,
        }
        await self.shop.post("channel", await self.path("/acceptance"), body)

    async def mandate(self) -> dict[str, Any]:
        return await self.shop.get("channel", await self.path("/pre-authorisation"))

    async def pre_authorises(self) -> None:
        """Confirms in the wallet; the first rent is collected out of it."""
        order = (await self.mandate())["order_string"]
        world = self.shop.world
        body = {"order_str": order, "buyer_id": self.customer.buyer_id, "at": world.beijing_time}
        await world.tell_sandbox("/wallet/confirm", body)
        await world.settle()

    async def is_shipped(self, serial: str | None = None) -> None:
        """The warehouse picks a phone in stock, the oldest unless one is named, and the courier takes it."""
        stock = await self.shop.get_all(f"/v1/assets?state=in_stock&product_id={self.shop.product_id}")
        picked = next(asset for asset in reversed(stock) if serial in (None, asset["serial"]))
        self.asset_id, self.serial = picked["id"], picked["serial"]
        await self.shop.post("warehouse", f"/v1/deliveries/{await self.agreement_id()}/shipments", {"serial": self.serial})

    async def receives_it(self) -> None:
        """The courier rings; the rental begins."""
        await self.parcel_is("picked_up", "in_transit", "signed_for")
        self.commencement_on = self.shop.today
        assert (await self.agreement())["state"] == "active"

    async def parcel_is(self, *statuses: str) -> None:
        """The courier moves this rental's newest parcel and tells of it."""
        delivery = await self.shop.get("warehouse", f"/v1/deliveries/{await self.agreement_id()}")
        parcel = delivery["shipments"][-1]["courier_shipment_id"]
        for status in statuses:
            occurred_at = self.shop.world.clock.now().isoformat()
            await self.shop.world.tell_sandbox(f"/control/courier/{parcel}", {"status": status, "occurred_at": occurred_at})
            await self.shop.world.settle()

    # --- money ---

    async def account(self) -> dict[str, Any]:
        return await self.shop.get("finance", await self.path("/account"))

    async def instalments(self) -> list[str]:
        found = await self.shop.get("finance", await self.path("/instalments"))
        return [row["state"] for row in found["items"]]

    async def payments(self) -> list[dict[str, Any]]:
        """Attempts to collect, oldest first."""
        return list(reversed(await self.shop.get_all(await self.path("/payments"))))

    async def receipts_fen(self) -> list[int]:
        """What came in, oldest first."""
        return [row["amount_fen"] for row in reversed(await self.shop.get_all(await self.path("/receipts")))]

    async def pays(self, amount_fen: int | None = None) -> dict[str, Any]:
        """The customer pays in the app: this much, or all that is owed."""
        if amount_fen is None:
            amount_fen = (await self.account())["balance_due_fen"]
        return await self.shop.post("channel", await self.path("/payments"), {"amount_fen": amount_fen})

    # --- the end ---

    async def comes_back(self, damage_fen: int = 0) -> None:
        """The phone is received and inspected."""
        await self.is_received()
        await self.is_inspected(damage_fen)

    async def is_received(self) -> None:
        await self.shop.post("warehouse", f"/v1/assets/{self.asset_id}/returns")

    async def is_inspected(self, damage_fen: int = 0) -> None:
        item = {"description": "屏幕左下角碎裂" if damage_fen else "正常使用痕迹", "charge_fen": damage_fen}
        await self.shop.post("warehouse", "/v1/inspections", {"asset_id": self.asset_id, "items": [item]})

    async def is_called_off(self) -> None:
        """The signed agreement ends before the handover. No route leads there yet; its neighbours must be ready for the news."""
        agreement_id, (party_id, application_id) = await self.agreement_id(), map(_uuid, (self.party_id, self.application_id))
        async with self.shop.world.runtime.unit(self.shop.tenant_id, system_actor("story")) as uow:
            uow.emit(
                AgreementCancelled(
                    subject_id=_uuid(agreement_id), application_id=application_id, party_id=party_id, reason="out_of_stock"
                )
            )
        await self.shop.world.settle()

    # --- what stands written ---

    async def told(self, *types: str) -> list[dict[str, Any]]:
        """Events of these types about the application or the agreement, in order."""
        subjects = [self.application_id, (await self.application())["agreement_id"]]
        return [
            row.data
            for row in await self.shop.rows(
                "SELECT data FROM platform_event WHERE tenant_id = :tenant AND type = ANY(cast(:types AS text[]))"
                " AND subject_id = ANY(cast(:subjects AS uuid[])) ORDER BY id",
                types=[f"xinzu.{name}.v1" for name in types],
                subjects=[_uuid(text) for text in subjects if text is not None],
            )
        ]

    async def facts(self) -> list[str]:
        """Kinds of the evidence about the agreement, in order."""
        return [leaf["kind"] for leaf in await self.shop.get_all(f"/v1/evidence?subject={await self.agreement_id()}")]


def _uuid(public: str) -> UUID:
    return parse_id(Prefix(public.partition("_")[0]), public)
