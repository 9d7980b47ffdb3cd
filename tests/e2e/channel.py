"""A channel's server and its customers: patient with outages, each request under a key of its own, one rental from start to end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from xinzu.app.demo.fill import CONSENTS
from xinzu.app.demo.people import Customer
from xinzu.app.demo.shop import Shop, rented
from xinzu.kernel.time import DEFAULT_CALENDAR, Clock

ANSWER_MAX_S = 15.0
# For one step of a rental, with every outage in it: a callback that met five of them is sent again after 61 s (deliveries.RETRY_AFTER_S), and a
# parcel has three callbacks.
PATIENCE_S = 200.0
PAUSE_S = 0.15
WALLET_SILENCE_S = 4.0
COME_BACK_LATER = {429, 502, 503, 504}


class Refused(Exception):
    """An answer that asking again does not change."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.request.method} {response.request.url.path} → {response.status_code} {response.text}")
        self.code = response.json().get("code", "") if "json" in response.headers.get("content-type", "") else ""
        self.status = response.status_code


@dataclass(slots=True)
class Line:
    """The connection to the product and to the twins, and what was seen on it."""

    api: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    clock: Clock
    seen: Counter[str] = field(default_factory=Counter)
    defects: list[str] = field(default_factory=list)

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: object = None,
        key: str | None = None,
        *,
        of: httpx.AsyncClient | None = None,
    ) -> Any:
        """Ask until there is an answer, as a real channel does: the same key and the same body. Raises Refused."""
        client = of or self.api
        sent = {**headers, **({"Idempotency-Key": key} if key else {})}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    response = await client.request(method, path, json=body, headers=sent, timeout=ANSWER_MAX_S)
                except httpx.TransportError as lost:
                    self.seen[type(lost).__name__] += 1
                else:
                    if response.is_success:
                        self.seen["replayed"] += "Idempotent-Replayed" in response.headers
                        return response.json() if response.content else {}
                    self.seen[str(response.status_code)] += 1
                    if response.status_code >= 500 and response.status_code not in COME_BACK_LATER and client is self.api:
                        self.defects.append(f"{method} {path} → {response.status_code} {response.text}")
                    elif response.status_code not in COME_BACK_LATER and response.status_code < 500:
                        raise Refused(response)
                await asyncio.sleep(PAUSE_S)

    async def until(self, what: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """Look again and again until there is something to see."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (found := await look()):
                    await asyncio.sleep(PAUSE_S)
                return found
        except TimeoutError:
            raise AssertionError(f"waited in vain: {what}") from None


@dataclass(slots=True)
class Order:
    """What the channel knows of one customer's order. Keys are made of the order's number, hence the same at every try."""

    line: Line
    shop: Shop
    customer: Customer
    comes_back: bool = False
    application_id: str = ""
    agreement_id: str = ""
    asset_id: str = ""
    stage: str = "new"

    @property
    def offer_number(self) -> int:
        numbers = rented(self.shop.slug)
        return numbers[self.customer.number % len(numbers)]

    def key(self, step: str) -> str:
        return f"order-{self.customer.number:04d}-{step}"

    async def live(self) -> None:
        """From the application to the handover; who ``comes_back`` also returns the device and is settled."""
        await self._apply()
        await self._sign()
        await self._freeze_deposit()
        await self._receive()
        if self.comes_back:
            await self._return()
        self.stage = "done"

    async def _call(self, method: str, path: str, role: str = "channel", body: object = None, step: str | None = None) -> Any:
        return await self.line.ask(method, path, self.shop.headers(role), body, self.key(step) if step else None)

    async def _apply(self) -> None:
        self.stage = "applying"
        customer = self.customer
        body = {
            "channel": ("alipay", "alipay", "wechat", "pc")[customer.number % 4],
            "plan_id": self.shop.plan_ids[self.offer_number],
            "applicant": {"name": customer.name, "identity_no": customer.identity_no, "phone": customer.phone},
            "delivery_address": customer.address,
            "consents": CONSENTS,
            "signals": {"credit_score": 780, "channel_admitted": True, "rent_risk_rank": "low"},
        }

        async def send() -> str:
            return str((await self._call("POST", "/v1/applications", body=body, step="apply"))["id"])

        # Every third channel is impatient and sends the same application twice at the same time.
        ids = set(await asyncio.gather(*(send() for _ in range(2 if customer.number % 3 == 0 else 1))))
        assert len(ids) == 1, f"one key, several applications: {ids}"
        self.application_id = ids.pop()

    async def _sign(self) -> None:
        self.stage = "waiting for the decision"

        async def approved() -> Any:
            found = await self._call("GET", f"/v1/applications/{self.application_id}")
            assert found["state"] in ("submitted", "deciding", "approved", "signed"), found
            return found["agreement_id"]

        self.agreement_id = await self.line.until(f"approval of {self.application_id}", approved)
        self.stage = "waiting for the document"
        path = f"/v1/agreements/{self.agreement_id}"

        async def document() -> Any:
            return (await self._call("GET", path))["document"]

        shown = await self.line.until(f"document of {self.agreement_id}", document)
        self.stage = "waiting for the code"
        await self._call("POST", f"{path}/acceptance-codes", step="code")
        code = await self.line.until(f"one-time code of {self.agreement_id}", self._code)
        self.stage = "accepting"
        body = {"code": code, "document_sha256": shown["sha256"], "restriction_clause_accepted": True}
        await self._call("POST", f"{path}/acceptance", body=body, step="accept")

    async def _code(self) -> str | None:
        inbox = await self.line.ask("GET", f"/phone/{self.customer.phone}/messages", {}, of=self.line.sandbox)
        for message in inbox:
            if message["template"] == "one_time_code":
                digits = "".join(char if char.isdigit() else " " for char in message["text"]).split()
                return next((word for word in digits if len(word) == 6), None)
        return None

    async def _freeze_deposit(self) -> None:
        self.stage = "waiting for the order string"
        path = f"/v1/agreements/{self.agreement_id}/pre-authorisation"

        async def mandate() -> Any:
            try:
                return await self._call("GET", path)
            except Refused as refused:
                if refused.status == 404:  # payments has not heard of the signature yet
                    return None
                raise

        standing = await self.line.until(f"mandate of {self.agreement_id}", mandate)
        self.stage = "confirming in the wallet"
        local = self.line.clock.now().astimezone(DEFAULT_CALENDAR.zone).strftime("%Y-%m-%d %H:%M:%S")
        body = {"order_str": standing["order_string"], "buyer_id": self.customer.buyer_id, "at": local}
        await self.line.ask("POST", "/wallet/confirm", {}, body, of=self.line.sandbox)
        self.stage = "waiting for the first rent"
        loop = asyncio.get_running_loop()
        asked_at = loop.time()

        async def deliverable() -> Any:
            nonlocal asked_at
            if loop.time() - asked_at > WALLET_SILENCE_S:  # the mini program asks for itself when it hears nothing
                asked_at = loop.time()
                await self._call("POST", f"{path}/check", body=None)
            try:
                delivery = await self._call("GET", f"/v1/deliveries/{self.agreement_id}", "warehouse")
            except Refused as refused:
                if refused.status == 404:
                    return None
                raise
            return delivery["state"] == "awaiting"

        await self.line.until(f"first rent of {self.agreement_id}", deliverable)

    async def _receive(self) -> None:
        self.stage = "picking"
        product_id = self.shop.product_ids[self.offer_number]
        for turn in range(20):
            stock = await self._call("GET", f"/v1/assets?state=in_stock&product_id={product_id}&limit=50", "warehouse")
            serial = stock["items"][self.customer.number % len(stock["items"])]["serial"]
            try:
                shipment = await self._call(
                    "POST", f"/v1/deliveries/{self.agreement_id}/shipments", "warehouse", {"serial": serial}, f"ship-{turn}"
                )
            except Refused as refused:
                if refused.code != "assets.not_available":  # a colleague took the same phone: take another
                    raise
            else:
                self.asset_id = shipment["asset_id"]
                break
        self.stage = "travelling"

        async def handed_over() -> Any:
            at = self.line.clock.now().isoformat()
            await self.line.ask("POST", "/control/courier/advance", {}, {"occurred_at": at}, of=self.line.sandbox)
            delivery = await self._call("GET", f"/v1/deliveries/{self.agreement_id}", "warehouse")
            return delivery["handed_over_at"]

        await self.line.until(f"handover of {self.agreement_id}", handed_over)
        self.stage = "commencing"

        async def active() -> Any:
            return (await self._call("GET", f"/v1/agreements/{self.agreement_id}"))["state"] == "active"

        await self.line.until(f"commencement of {self.agreement_id}", active)

    async def _return(self) -> None:
        self.stage = "returning"
        await self._call("POST", f"/v1/assets/{self.asset_id}/returns", "warehouse", step="return")
        item = {"description": "屏幕左下角碎裂", "charge_fen": 35_000}
        await self._call("POST", "/v1/inspections", "warehouse", {"asset_id": self.asset_id, "items": [item]}, "inspect")
        self.stage = "waiting for the settlement"

        async def ended() -> Any:
            return (await self._call("GET", f"/v1/agreements/{self.agreement_id}"))["state"] == "ended"

        await self.line.until(f"settlement of {self.agreement_id}", ended)
