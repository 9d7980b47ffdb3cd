"""One rental told in the terminal: what each party does, what the system writes down, and the ids under which it can be looked up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx
from rich.console import Console

from xinzu.app.demo import fill
from xinzu.app.demo.access import sandbox_url
from xinzu.app.demo.people import Behaviour, Customer, customers
from xinzu.app.demo.shop import Shop, get, saved_shops
from xinzu.app.demo.world import World
from xinzu.app.process import open_runtime
from xinzu.kernel.errors import NotFound
from xinzu.kernel.money import Money
from xinzu.kernel.time import FixedClock
from xinzu.platform.events.relay import Relay
from xinzu.platform.servers.ports import recorded
from xinzu.platform.settings import Settings

PATIENCE_S = 30.0


class DemoNotRunning(NotFound):
    code = "demo.not_running"
    title_zh = "演示未运行：请先执行 make run"
    title_en = "The demo is not running: start it with make run"


def tell(settings: Settings, *, english: bool) -> None:
    """Play one rental against the running demo, from the click to the handover; raises DemoNotRunning."""
    asyncio.run(_tell(settings, english))


async def _tell(settings: Settings, english: bool) -> None:
    shops = saved_shops(settings.home)
    api_port = recorded(settings.home, "api")
    if shops is None or api_port is None:
        raise DemoNotRunning()
    console = Console(highlight=False)
    sandbox_port = recorded(settings.home, "sandbox") or settings.sandbox_port
    async with (
        open_runtime(settings, pool_size=2) as runtime,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{api_port}", timeout=60) as api,
        httpx.AsyncClient(base_url=sandbox_url(sandbox_port), timeout=60) as sandbox,
    ):
        try:
            await api.get("/livez")
        except httpx.TransportError:
            raise DemoNotRunning() from None
        world = World(runtime, FixedClock(runtime.clock.now()), Relay(runtime), api, sandbox)
        await _Story(world, shops[0], console, english).play()


class _Story:
    """The teller: plays a step, waits until its consequence is there, and says both."""

    def __init__(self, world: World, shop: Shop, console: Console, english: bool) -> None:
        self.world = world
        self.shop = shop
        self.console = console
        self.english = english
        self.number = 0

    def say(self, zh: str, en: str, **ids: object) -> None:
        self.number += 1
        self.console.print(f"[bold]{self.number:>2}.[/bold] {en if self.english else zh}")
        for name, value in ids.items():
            self.console.print(f"      [dim]{name}[/dim] {value}")

    async def see(self, path: str, role: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask until it is so; raises TimeoutError when it never is."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            response = await self.world.api.get(path, headers=self.shop.headers(role))
            if response.status_code == 200 and until(found := response.json()):
                return dict(found)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} did not come to pass: {response.text[:200]}")
            await asyncio.sleep(0.1)

    async def play(self) -> None:
        rental = fill.Rental(_new_customer(self.world.clock.now().date()), self.shop, 0)
        world, customer = self.world, rental.customer
        await fill.submit(world, rental)
        self.say(
            f"客户在小程序点击“免押租”。申请、同意书、报价、事件与存证在同一事务写入（{customer.name[0]}*）。",
            "The customer clicks “rent”. Application, consents, quote, event and evidence leaf commit together.",
            application=rental.application_id,
        )
        path = f"/v1/applications/{rental.application_id}"
        decided = await self.see(path, "channel", lambda a: a["state"] not in {"submitted"} and a["decision"] is not None)
        self.say(
            f"决策引擎给出结论：{decided['state']}。",
            f"The decision engine answers: {decided['state']}.",
            decision=decided["decision"]["id"],
            why=f"/v1/decisions/{decided['decision']['id']}/explanation",
        )
        drafted = await self.see(path, "channel", lambda a: a["agreement_id"] is not None)
        rental.agreement_id = drafted["agreement_id"]
        agreement_path = f"/v1/agreements/{rental.agreement_id}"
        agreement = await self.see(agreement_path, "channel", lambda a: a["document"] is not None)
        self.say(
            "核验签署人身份，生成中文合同 PDF，文件哈希入存证日志。",
            "The signer's identity is verified, the Chinese contract is rendered, its hash goes into the evidence log.",
            agreement=rental.agreement_id,
            document_sha256=agreement["document"]["sha256"],
        )
        await fill.ask_for_code(world, rental)
        await self._code_arrives(customer.phone)
        await fill.accept(world, rental)
        self.say("客户读短信验证码，确认的正是这份文件。", "The customer reads the one-time code and accepts that very document.")
        pre_path = f"{agreement_path}/pre-authorisation"
        order = await self.see(pre_path, "channel", lambda m: bool(m["order_string"]))
        await fill.confirm_pre_authorisation(world, rental)
        await self.see(pre_path, "channel", lambda m: m["state"] == "authorised")
        self.say(
            f"支付宝预授权 {Money(order['amount_fen'])}：信用免押，未付押金。回调验签通过。",
            f"Alipay pre-authorises {Money(order['amount_fen'])} on credit; the signed callback is verified.",
            mandate=order["id"],
        )
        paid = await self.see(
            f"{agreement_path}/payments", "channel", lambda p: any(x["state"] == "succeeded" for x in p["items"])
        )
        first = paid["items"][-1]
        self.say(
            f"首期租金 {Money(first['amount_fen'])} 扣款成功。",
            f"The first rent of {Money(first['amount_fen'])} is collected.",
            payment=first["id"],
            provider_trade_no=first["trade_no"],
        )
        await self.see(f"/v1/deliveries/{rental.agreement_id}", "warehouse", lambda d: d["state"] == "awaiting")
        await fill.ship(world, rental)
        await self._courier_delivers(rental)
        self.say(
            "仓库发货，顺路快递签收：起租。",
            "The warehouse ships, the courier's signed-for notice commences the rental.",
            asset=rental.asset_id,
        )
        schedule = await self.see(f"{agreement_path}/instalments", "finance", lambda s: bool(s["items"]))
        row = schedule["items"][0]
        why = await get(world.api, f"{agreement_path}/amounts/{row['id']}/why", self.shop.headers("finance"))
        self.say(
            f"租金计划 {len(schedule['items'])} 期。第 1 期 {Money(row['amount_fen'])} 为什么：{why['words_zh']}",
            f"{len(schedule['items'])} instalments. Why {Money(row['amount_fen'])}: {why['words_en']}",
            instalment=row["id"],
        )
        await self._prove(rental)
        self.console.print(
            f"\n{str(self.world.api.base_url).rstrip('/')}/overview/orders/{rental.application_id}   (tenant {self.shop.slug}, login owner)"
        )

    async def _code_arrives(self, phone: str) -> None:
        await _until(lambda: self._has_code(phone))

    async def _has_code(self, phone: str) -> bool:
        return any(m["template"] == "one_time_code" for m in (await self.world.sandbox.get(f"/phone/{phone}/messages")).json())

    async def _courier_delivers(self, rental: fill.Rental) -> None:
        path = f"/v1/deliveries/{rental.agreement_id}"
        await self.see(path, "warehouse", lambda d: any(s["courier_shipment_id"] for s in d["shipments"]))
        for _ in range(3):
            await self.world.tell_sandbox("/control/courier/advance", {"occurred_at": self.world.clock.now().isoformat()})
        await self.see(path, "warehouse", lambda d: d["handed_over_at"] is not None)

    async def _prove(self, rental: fill.Rental) -> None:
        subject = f"/v1/evidence?subject={rental.agreement_id}"
        leaves = await self.see(subject, "channel", lambda page: bool(page["items"]))
        leaf = leaves["items"][0]
        proof = await get(self.world.api, f"/v1/evidence/leaves/{leaf['id']}/proof", self.shop.headers("channel"))
        self.say(
            f"存证：{len(leaves['items'])} 条事实可核验，例如“{leaf['kind']}”。",
            f"Proof: {len(leaves['items'])} facts can be verified, such as “{leaf['kind']}”.",
            leaf=leaf["id"],
            proof_members=", ".join(sorted(proof)),
        )


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the sandbox did not deliver the message")
        await asyncio.sleep(0.1)


def _new_customer(today: date) -> Customer:
    """Somebody who has not applied yet: numbers above those of the filling, different for every telling."""
    made = customers(1, 1, today)[0]
    serial = time.time_ns() // 1_000_000_000 % 10_000_000
    identity_no = _another_identity(serial)
    return Customer(
        number=100_000 + serial,
        behaviour=Behaviour.PROMPT,
        name=made.name,
        identity_no=identity_no,
        phone=f"198{serial:08d}",
        address=made.address,
        buyer_id=f"2088{100_000 + serial:012d}",
        applies_on_day=0,
        score=780,
    )


def _another_identity(serial: int) -> str:
    from xinzu.platform.crypto.identifiers import identity_no_check

    first_17 = f"4403051990{serial // 1000 % 12 + 1:02d}{serial // 12_000 % 28 + 1:02d}{serial % 1000:03d}"
    return first_17 + identity_no_check(first_17)
