"""Filling the demo: about two hundred customers through eighteen months of business time, day by day, through the public commands."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from xinzu.app.demo import financed
from xinzu.app.demo.people import Behaviour, Customer, customers
from xinzu.app.demo.shop import OFFERS, PASSWORD, PlanOffer, Shop, get, open_shop, post, rented, save_shops, saved_shops
from xinzu.app.demo.world import World, open_world
from xinzu.app.sandbox.phone import phones_folder, set_up, switch_on
from xinzu.kernel.errors import Conflict
from xinzu.kernel.time import DEFAULT_CALENDAR, add_months
from xinzu.platform.business_clock import offset_to, set_offset
from xinzu.platform.db import create_engine, metadata
from xinzu.platform.servers.roles import database_urls
from xinzu.platform.settings import Settings

CUSTOMERS = 200
MONTHS = 18
CONCURRENT = 16
CONSENTS = {"application": "2026-01", "identity_check": "2026-01", "decision": "2026-01"}
# Behaviours that stop paying, and the instalment at which they do.
FIRST_MISSED = {
    Behaviour.SHORT_OF_MONEY: 3,
    Behaviour.FORGETFUL: 2,
    Behaviour.LIMITED: 3,
    Behaviour.LOCKED: 2,
    Behaviour.DEFAULTER: 4,
}
# After how many days past due they pay actively (days past due at which the ladder has reached the step that moves them).
PAYS_AFTER_DAYS = {Behaviour.FORGETFUL: 4, Behaviour.LIMITED: 8, Behaviour.LOCKED: 14}
REFUSALS_FOR_EVER = 1_000
DAMAGE_FEN = 35_000
PARCEL_DAYS = 3  # picked up, in transit, signed for
# What is filled is synthetic and made anew after a crash, so no commit waits for the disk. A connection runs each statement a few
# hundred times in all: planned anew for its first values, as PostgreSQL does five times, planning takes as long as the work.
FILLING = {"synchronous_commit": "off", "plan_cache_mode": "force_generic_plan"}
QUEUE_TABLES = ["pgqueuer", "pgqueuer_log", "pgqueuer_statistics"]


class NotADemo(Conflict):
    code = "demo.not_a_demo"
    title_zh = "此目录已有真实租户，不能填充演示数据：请换一个 XINZU_HOME"
    title_en = "This home holds real tenants and cannot be filled with a demo: choose another XINZU_HOME"


@dataclass(slots=True)
class Rental:
    """One customer's order as the customer and the shop remember it."""

    customer: Customer
    shop: Shop
    offer_number: int
    application_id: str = ""
    agreement_id: str = ""
    asset_id: str = ""
    commencement_on: date | None = None
    stage: str = "new"
    missed_on: date | None = None
    parcel_days: int = 0

    @property
    def offer(self) -> PlanOffer:
        return OFFERS[self.shop.slug][self.offer_number]

    def due_on(self, number: int) -> date:
        assert self.commencement_on is not None
        return add_months(self.commencement_on, number - 1)


def run(settings: Settings, *, count: int = CUSTOMERS, months: int = MONTHS) -> None:
    """Fill this home's demo unless it has been filled; shows a progress bar. The servers and the sandbox must be running."""
    if saved_shops(settings.home) is not None:
        return
    uvloop.run(_fill(settings, count, months))


async def _forget_unfinished(settings: Settings) -> None:
    """Empty a database in which an earlier filling was broken off; raises NotADemo when it holds anything else."""
    engine = create_engine(database_urls(settings).owner.get_secret_value(), pool_size=1)
    async with engine.begin() as connection:
        slugs = {row.slug for row in await connection.execute(text("SELECT slug FROM platform_tenant"))}
        if slugs - OFFERS.keys():
            raise NotADemo()
        if slugs:
            tables = ", ".join([table.name for table in metadata.sorted_tables] + QUEUE_TABLES)
            await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    await engine.dispose()


async def _fill(settings: Settings, count: int, months: int) -> None:
    today = datetime.now(DEFAULT_CALENDAR.zone).date()  # noqa: TID251 (the demo ends at the real today)
    first_day = add_months(today, -months)
    days = (today - first_day).days
    start = datetime.combine(first_day, datetime.min.time(), DEFAULT_CALENDAR.zone).replace(hour=8)
    await _forget_unfinished(settings)
    # Its few requests at a time have no neighbours to wait for.
    alone = Settings.model_validate({**settings.model_dump(), "batch_window_ms": 0})
    async with open_world(alone, start, FILLING) as world:
        shops = [await open_shop(world.runtime, world.api, slug, world.gateway_url) for slug in OFFERS]
        rentals = [_rental(customer, shops) for customer in customers(count, days, first_day)]
        rentals += [
            Rental(customer, shops[1], number) for number, customer in financed.orders(shops[1].slug, count, days, first_day)
        ]
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("business days, {task.fields[date]}"),
            TimeElapsedColumn(),
            console=Console(),
        )
        with bar:
            task = bar.add_task("filling the demo", total=days + 1, date=first_day.isoformat())
            for day in range(days + 1):
                on = first_day + timedelta(days=day)
                await live_one_day(world, rentals, day, on)
                bar.update(task, advance=1, date=on.isoformat())
        save_shops(settings.home, shops)
        await set_offset(world.runtime.database, offset_to(world.clock.now()), first=True)


def _rental(customer: Customer, shops: Sequence[Shop]) -> Rental:
    shop = shops[0] if customer.is_first_tenant else shops[1]
    numbers = rented(shop.slug)
    return Rental(customer, shop, numbers[customer.number // 3 % len(numbers)])


async def live_one_day(world: World, rentals: Sequence[Rental], day: int, on: date) -> None:
    """One business day: the close of the day before, then everybody's next step at the same time, until nobody has one left."""
    await _lose_money_before(world, rentals, on)
    await world.begin_day(on)
    travelling = [rental for rental in rentals if rental.stage == "shipped"]
    for rental in travelling:
        rental.parcel_days += 1
    if travelling:
        await world.tell_sandbox("/control/courier/advance", {"occurred_at": world.clock.now().isoformat()})
    await each(submit, world, [rental for rental in rentals if rental.customer.applies_on_day == day])
    await each(pay_arrears, world, [rental for rental in rentals if _pays_arrears(rental, on)])
    await each(financed.pay, world, [rental for rental in rentals if financed.pays_on(rental, on)], on)
    await each(receive_return, world, [rental for rental in rentals if rental.stage == "renting" and return_day(rental) == on])
    await world.settle()
    await each(_notice_handover, world, [rental for rental in travelling if rental.parcel_days >= PARCEL_DAYS], on)
    while acting := [rental for rental in rentals if rental.stage in NEXT_STEP]:
        await each(_next_step, world, acting)
        await world.settle()


async def each(
    step: Callable[..., Coroutine[Any, Any, None]], world: World, rentals: Iterable[Rental], *arguments: object
) -> None:
    """The same step for many customers at once."""
    limit = asyncio.Semaphore(CONCURRENT)

    async def one(rental: Rental) -> None:
        async with limit:
            await step(world, rental, *arguments)

    await asyncio.gather(*(one(rental) for rental in rentals))


# --- from the application to the parcel ---


def signals_of(customer: Customer) -> dict[str, object]:
    """What the channel says about a customer of this behaviour."""
    if customer.behaviour is Behaviour.DECLINED:
        return {"credit_score": 520, "channel_admitted": True, "rent_risk_rank": "medium"}
    if customer.behaviour is Behaviour.REFERRED:
        return {"credit_score": customer.score, "channel_admitted": True, "shared_address": True}
    return {"credit_score": max(customer.score, 720), "channel_admitted": True, "rent_risk_rank": "low"}


async def submit(world: World, rental: Rental) -> None:
    """The channel's server sends the application."""
    customer = rental.customer
    body = {
        "channel": ("alipay", "alipay", "wechat", "pc")[customer.number % 4],
        "plan_id": rental.shop.plan_ids[rental.offer_number],
        "applicant": {"name": customer.name, "identity_no": customer.identity_no, "phone": customer.phone},
        "delivery_address": customer.address,
        "consents": CONSENTS,
        "signals": signals_of(customer),
    }
    headers = {**rental.shop.headers("channel"), "Idempotency-Key": str(uuid.uuid4())}
    rental.application_id = (await post(world.api, "/v1/applications", body, headers))["id"]
    rental.stage = "submitted"


async def look_at_decision(world: World, rental: Rental) -> None:
    """The channel asks how it stands; a referred one is decided by the merchant's risk officer."""
    found = await get(world.api, f"/v1/applications/{rental.application_id}", rental.shop.headers("channel"))
    if found["state"] == "referred" and rental.stage != "reviewed":
        body = {"outcome": "approve", "reason_code": "REVIEW_CONFIRMED"}
        path = f"/v1/decisions/{found['decision']['id']}/review"
        await post(world.api, path, body, await operator_session(world, rental.shop, "risk"))
        rental.stage = "reviewed"
    elif found["state"] == "approved":
        rental.agreement_id = found["agreement_id"]
        rental.stage = "approved" if rental.customer.behaviour is not Behaviour.CHANGES_MIND else "left"
    else:
        rental.stage = found["state"]


async def operator_session(world: World, shop: Shop, login: str) -> dict[str, str]:
    """A person of the merchant logs in: only a person may decide a referral (PIPL art. 24)."""
    response = await world.api.post("/v1/sessions", json={"tenant": shop.slug, "login": login, "password": PASSWORD})
    response.raise_for_status()
    return {"Cookie": response.headers["set-cookie"].partition(";")[0]}


async def ask_for_code(world: World, rental: Rental) -> None:
    """The customer asks for the one-time code."""
    path = f"/v1/agreements/{rental.agreement_id}/acceptance-codes"
    await post(world.api, path, None, rental.shop.headers("channel"))
    rental.stage = "code_asked"


async def accept(world: World, rental: Rental) -> None:
    """The customer reads the code on the phone and accepts the very document that was shown."""
    agreement = await get(world.api, f"/v1/agreements/{rental.agreement_id}", rental.shop.headers("channel"))
    messages = (await world.sandbox.get(f"/phone/{rental.customer.phone}/messages")).json()
    code = next("".join(filter(str.isdigit, word)) for word in _codes(messages))
    body = {
        "code": code,
        "document_sha256": agreement["document"]["sha256"],
        "restriction_clause_accepted": True,
        "cost_table_accepted": True,
    }
    await post(world.api, f"/v1/agreements/{rental.agreement_id}/acceptance", body, rental.shop.headers("channel"))
    rental.stage = "signed" if rental.offer.financing is None else "financed"


def _codes(messages: list[dict[str, Any]]) -> Iterable[str]:
    """Six-digit words of one-time code messages; the phone shows the newest first."""
    for message in messages:
        if message["template"] == "one_time_code":
            digits = "".join(char if char.isdigit() else " " for char in message["text"]).split()
            yield from (word for word in digits if len(word) == 6)


async def confirm_pre_authorisation(world: World, rental: Rental) -> None:
    """The wallet confirms the signed order; Alipay's notification does the rest."""
    path = f"/v1/agreements/{rental.agreement_id}/pre-authorisation"
    order = await get(world.api, path, rental.shop.headers("channel"))
    body = {"order_str": order["order_string"], "buyer_id": rental.customer.buyer_id, "at": world.beijing_time}
    await world.tell_sandbox("/wallet/confirm", body)
    rental.stage = "authorised"


async def ship(world: World, rental: Rental) -> None:
    """The warehouse picks the next device of the product in stock and orders the courier."""
    product_id = rental.shop.product_ids[rental.offer_number]
    for _ in range(10):
        path = f"/v1/assets?state=in_stock&product_id={product_id}&limit=50"
        stock = (await get(world.api, path, rental.shop.headers("warehouse")))["items"]
        asset = stock[rental.customer.number % len(stock)]
        response = await world.api.post(
            f"/v1/deliveries/{rental.agreement_id}/shipments",
            json={"serial": asset["serial"]},
            headers=rental.shop.headers("warehouse"),
        )
        if response.status_code == 202:
            rental.asset_id = asset["id"]
            await set_up_phone(world, rental, asset["serial"])
            rental.stage = "shipped"
            return
        if response.json()["code"] != "assets.not_available":  # a colleague took the same phone: take another
            raise RuntimeError(response.text)
    raise RuntimeError("no device could be picked")


async def set_up_phone(world: World, rental: Rental, serial: str) -> None:
    """Before a phone leaves the house its agent is switched on, enrolled, and told whose commands to obey."""
    if rental.offer.category != "phone":
        return
    folder, headers = phones_folder(world.runtime.settings.home), rental.shop.headers("warehouse")
    body = {"asset_id": rental.asset_id, "public_key": switch_on(folder, serial).hex()}
    response = await world.api.post("/v1/devices", json=body, headers=headers)
    if response.status_code == 409:
        return  # this phone was rented before and kept its agent
    response.raise_for_status()
    device = response.json()
    login = await get(world.api, f"/v1/devices/{device['id']}/login", headers)
    set_up(
        folder,
        serial,
        tenant=str(rental.shop.tenant_id),
        device=device["id"],
        password=login["password"],
        pinned={key["number"]: key["public_key"] for key in device["pinned_keys"]},
    )


async def _notice_handover(world: World, rental: Rental, on: date) -> None:
    delivery = await get(world.api, f"/v1/deliveries/{rental.agreement_id}", rental.shop.headers("warehouse"))
    if delivery["handed_over_at"] is not None:
        rental.commencement_on = on
        rental.stage = "renting"


# --- paying, or not ---


async def _lose_money_before(world: World, rentals: Sequence[Rental], on: date) -> None:
    """The evening before the instalment they will miss, their accounts run dry."""
    for rental in rentals:
        number = FIRST_MISSED.get(rental.customer.behaviour)
        if rental.stage != "renting" or number is None or number > rental.offer.period_count or rental.due_on(number) != on:
            continue
        times = 1 if rental.customer.behaviour is Behaviour.SHORT_OF_MONEY else REFUSALS_FOR_EVER
        fault = {
            "subject": rental.customer.buyer_id,
            "kind": "insufficient_balance",
            "method": "alipay.trade.pay",
            "times": times,
        }
        await world.tell_sandbox("/control/faults", fault)
        if times > 1:
            rental.missed_on = on


def _pays_arrears(rental: Rental, on: date) -> bool:
    """Whether the day has come on which this customer pays what was missed."""
    after = PAYS_AFTER_DAYS.get(rental.customer.behaviour)
    return (
        rental.stage == "renting"
        and rental.missed_on is not None
        and after is not None
        and on >= rental.missed_on + timedelta(days=after)
    )


async def pay_arrears(world: World, rental: Rental) -> None:
    """Money is there again and the customer pays what is owed."""
    response = await world.sandbox.delete(f"/control/faults/{rental.customer.buyer_id}")
    response.raise_for_status()
    account = await get(world.api, f"/v1/agreements/{rental.agreement_id}/account", rental.shop.headers("finance"))
    body = {"amount_fen": account["balance_due_fen"]}
    await post(world.api, f"/v1/agreements/{rental.agreement_id}/payments", body, rental.shop.headers("finance"))
    rental.missed_on = None


# --- the end ---


def return_day(rental: Rental) -> date | None:
    """When this customer brings the device back; a defaulter does not."""
    if rental.commencement_on is None or rental.customer.behaviour is Behaviour.DEFAULTER:
        return None
    if rental.customer.behaviour is Behaviour.EARLY_RETURN:
        return rental.commencement_on + timedelta(days=100)
    return add_months(rental.commencement_on, rental.offer.period_count)


async def receive_return(world: World, rental: Rental) -> None:
    await post(world.api, f"/v1/assets/{rental.asset_id}/returns", None, rental.shop.headers("warehouse"))
    rental.stage = "returned"


async def inspect(world: World, rental: Rental) -> None:
    """Early ones come back with a cracked screen, the others with ordinary wear."""
    damaged = rental.customer.behaviour is Behaviour.EARLY_RETURN
    item = {
        "description": "屏幕左下角碎裂" if damaged else "正常使用痕迹",
        "charge_fen": DAMAGE_FEN if damaged else 0,
    }
    body = {"asset_id": rental.asset_id, "items": [item]}
    await post(world.api, "/v1/inspections", body, rental.shop.headers("warehouse"))
    rental.stage = "inspected"


# What comes next for an order at a stage; at any other stage it waits for time to pass.
NEXT_STEP: dict[str, Callable[[World, Rental], Coroutine[Any, Any, None]]] = {
    "submitted": look_at_decision,
    "reviewed": look_at_decision,
    "approved": ask_for_code,
    "code_asked": accept,
    "signed": confirm_pre_authorisation,
    "financed": financed.commence,
    "authorised": ship,
    "returned": inspect,
}


async def _next_step(world: World, rental: Rental) -> None:
    await NEXT_STEP[rental.stage](world, rental)
