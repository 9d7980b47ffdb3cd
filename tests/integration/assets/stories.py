"""Steps shared by the stories of assets: an agreement that is signed and paid, and stock on the shelf."""

from __future__ import annotations

from itertools import count
from uuid import UUID

from xinzu.app.modules import load_modules
from xinzu.back.assets import api as assets
from xinzu.back.payments.events import PaymentSucceeded
from xinzu.kernel.events import Event
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import AgreementTerms
from xinzu.middle.agreements.events import AgreementSigned
from xinzu.platform.actor import Actor, system_actor
from xinzu.platform.events.subscribers import subscribers_of
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties

load_modules()

CLERK = system_actor("clerk")
PRODUCT: UUID = new_id()
_serials = count(356_000_000_000_001)
_people = count(1)


def terms(product_id: UUID = PRODUCT) -> AgreementTerms:
    return AgreementTerms(
        product_id=product_id,
        plan_id=new_id(),
        product_name="手机 256GB",
        period_months=1,
        period_count=12,
        rent_fen=29_900,
        deposit_fen=400_000,
        device_value_fen=599_900,
        buyout_fen=None,
        early_return_fee_fen=30_000,
        late_fee_daily_rate="0.0005",
        grace_days=3,
        restriction_clause_version="2026-01",
        annual_cost_pct=None,
    )


def serial() -> str:
    return str(next(_serials))


async def lessee(runtime: Runtime, tenant_id: int, address: str | None = "上海市浦东新区世纪大道100号") -> UUID:
    """A person on file."""
    number = next(_people)
    body = f"31011519900101{number:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]
    async with runtime.unit(tenant_id, CLERK) as uow:
        made = await parties.register_people(
            uow,
            [parties.PersonDraft(name="张三", identity_no=body + check, phone=f"139{number:08d}", address=address)],
        )
    return accepted(made[0]).id


async def hear(runtime: Runtime, tenant_id: int, *events: Event) -> None:
    """Hand events to the handlers of assets alone, as the relay would."""
    for event in events:
        for subscriber in subscribers_of(event.type):
            if subscriber.name.startswith("assets."):
                async with runtime.unit(tenant_id, CLERK) as uow:
                    await subscriber.handler(uow, [event])


def signed(agreement_id: UUID, party_id: UUID, runtime: Runtime, agreed: AgreementTerms | None = None) -> AgreementSigned:
    return AgreementSigned(
        subject_id=agreement_id,
        application_id=new_id(),
        party_id=party_id,
        agreement_no="XZ-2026-000001",
        document_sha256="0" * 64,
        terms=agreed or terms(),
        signed_at=runtime.clock.now(),
    )


def paid(agreement_id: UUID, party_id: UUID, runtime: Runtime, purpose: str = "first_rent") -> PaymentSucceeded:
    return PaymentSucceeded(
        subject_id=agreement_id,
        payment_id=new_id(),
        party_id=party_id,
        purpose=purpose,
        amount_fen=29_900,
        provider="alipay",
        provider_trade_no="2026030222001",
        paid_at=runtime.clock.now(),
    )


async def agreement_to_deliver(runtime: Runtime, tenant_id: int, party_id: UUID | None = None) -> UUID:
    """An agreement that is signed and whose first rent is in."""
    agreement_id, party_id = new_id(), party_id or new_id()
    await hear(runtime, tenant_id, signed(agreement_id, party_id, runtime), paid(agreement_id, party_id, runtime))
    return agreement_id


async def stock(runtime: Runtime, tenant_id: int, *serials: str, product_id: UUID = PRODUCT) -> list[UUID]:
    """Phones on the shelf."""
    async with runtime.unit(tenant_id, CLERK) as uow:
        outcomes = await assets.register_assets(
            uow, [assets.AssetDraft(serial=text, product_id=product_id, purchase_cost_fen=520_000) for text in serials]
        )
    return [parse_id(Prefix.ASSET, accepted(outcome).id) for outcome in outcomes]


async def open_warehouse(runtime: Runtime, tenant_id: int) -> None:
    async with runtime.unit(tenant_id, CLERK) as uow:
        await assets.set_warehouse(uow, [assets.Contact(name="珊瑚仓", phone="02150001234", address="上海市青浦区汇金路1号")])


async def handed_over(runtime: Runtime, tenant_id: int, actor: Actor) -> tuple[UUID, UUID]:
    """A rental that runs: (agreement, asset)."""
    agreement_id, text = await agreement_to_deliver(runtime, tenant_id), serial()
    (asset_id,) = await stock(runtime, tenant_id, text)
    async with runtime.unit(tenant_id, actor) as uow:
        accepted((await assets.hand_over(uow, [assets.Pick(agreement_id=agreement_id, serial=text)]))[0])
    return agreement_id, asset_id
