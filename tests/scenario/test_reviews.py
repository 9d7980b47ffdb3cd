"""A person declined, the customer appeals, and another person decides."""

from __future__ import annotations

from tests.scenario.story import PASSWORD, Shop
from tests.scenario.test_before_the_rental import decision_id, explanation

from xinzu.platform.actor import system_actor
from xinzu.platform.tenants import create_operator


async def reviews(shop: Shop, login: str, decision: str, body: dict[str, str]) -> int:
    """An operator of the merchant logs in and decides."""
    session = await shop.world.api.post("/v1/sessions", json={"tenant": shop.slug, "login": login, "password": PASSWORD})
    session.raise_for_status()
    headers = {"Cookie": session.headers["set-cookie"].partition(";")[0]}
    answer = await shop.world.api.post(f"/v1/decisions/{decision}/review", json=body, headers=headers)
    await shop.world.settle()
    return answer.status_code


async def test_a_person_declines_the_customer_appeals_another_approves_and_the_phone_is_rented(shop: Shop) -> None:
    async with shop.world.runtime.unit(shop.tenant_id, system_actor("test")) as uow:
        await create_operator(uow, "second", PASSWORD, ["risk"])
    rental = await shop.customer("王芳").applies(shared_address=True)
    decision = await decision_id(rental)
    await shop.risk_officer(decision, "decline")
    assert (await rental.state(), (await explanation(rental))["appeal"]) == ("declined", "available")

    await shop.post("channel", f"/v1/decisions/{decision}/appeal", {"grounds": "同住的是我父母"})
    assert (await rental.state(), (await explanation(rental))["appeal"]) == ("referred", "waiting")
    assert await reviews(shop, "risk", decision, {"outcome": "decline", "reason_code": "REVIEW_APPEAL_UPHELD"}) == 403
    assert await reviews(shop, "second", decision, {"outcome": "approve", "reason_code": "REVIEW_DATA_WRONG"}) == 200
    told = await explanation(rental)
    assert (await rental.state(), told["outcome"], told["appeal"]) == ("approved", "approve", "done")

    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await rental.receives_it()
    assert await rental.instalments() == ["paid", "scheduled", "scheduled"]


async def test_an_appeal_that_fails_is_answered_and_the_customer_told_again(shop: Shop) -> None:
    async with shop.world.runtime.unit(shop.tenant_id, system_actor("test")) as uow:
        await create_operator(uow, "second", PASSWORD, ["risk"])
    rental = await shop.customer().applies(shared_address=True)
    decision = await decision_id(rental)
    await shop.risk_officer(decision, "decline")
    await shop.post("channel", f"/v1/decisions/{decision}/appeal", {})
    assert await reviews(shop, "second", decision, {"outcome": "decline", "reason_code": "REVIEW_APPEAL_UPHELD"}) == 200
    assert (await rental.state(), (await explanation(rental))["appeal"]) == ("declined", "done")
    assert len(await rental.customer.messages("decision_declined")) == 2
