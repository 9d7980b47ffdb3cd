"""Applications that are declined, referred, stopped or changed before a device leaves the house."""

from __future__ import annotations

from tests.scenario.rentals import Rental
from tests.scenario.story import Shop


async def decision_id(rental: Rental) -> str:
    found = (await rental.application())["decision"]
    assert found is not None
    return str(found["id"])


async def explanation(rental: Rental) -> dict[str, object]:
    return await rental.shop.get("channel", f"/v1/decisions/{await decision_id(rental)}/explanation")


async def test_an_automated_decline_is_explained_and_a_person_may_overturn_it(shop: Shop) -> None:
    """PIPL art. 24: told why, without inside words, and a person decides when asked to."""
    rental = await shop.customer("李强").applies(credit_score=520)
    assert await rental.state() == "declined"
    told = await explanation(rental)
    assert (told["outcome"], told["decided_by"], told["human_review"]) == ("decline", "strategy", "available")
    assert told["reasons"]
    assert told["data_used"]
    assert "520" not in str(told)
    assert "SCORE_TOO_LOW" not in str(told)
    assert len(await rental.customer.messages("decision_declined")) == 1

    await shop.post("channel", f"/v1/applications/{rental.application_id}/human-review")
    assert (await rental.state(), (await explanation(rental))["human_review"]) == ("referred", "waiting")
    await shop.risk_officer(await decision_id(rental), "approve")
    assert await rental.state() == "approved"
    told = await explanation(rental)
    assert (told["outcome"], told["decided_by"], told["human_review"]) == ("approve", "reviewer", "done")

    await rental.signs()
    await rental.pre_authorises()
    await rental.is_shipped()
    await rental.receives_it()
    assert await rental.instalments() == ["paid", "scheduled", "scheduled"]


async def test_what_a_person_declined_has_had_its_review(shop: Shop) -> None:
    rental = await shop.customer().applies(credit_score=520)
    review = f"/v1/applications/{rental.application_id}/human-review"
    await shop.post("channel", review)
    await shop.risk_officer(await decision_id(rental), "decline")
    assert (await rental.state(), (await explanation(rental))["human_review"]) == ("declined", "done")
    status, problem = await shop.call("channel", "POST", review)
    assert (status, problem["code"]) == (409, "applications.nothing_to_review")


async def test_a_referral_waits_for_the_risk_officer_and_no_api_key_can_decide_it(shop: Shop) -> None:
    rental = await shop.customer().applies(shared_address=True)
    assert await rental.state() == "referred"
    await shop.next_day()
    assert await rental.state() == "referred"
    path = f"/v1/decisions/{await decision_id(rental)}/review"
    status, problem = await shop.call("owner", "POST", path, {"outcome": "approve", "reason_code": "REVIEW_CONFIRMED"})
    assert (status, await rental.state()) == (403, "referred"), problem
    await shop.risk_officer(await decision_id(rental), "approve")
    assert await rental.state() == "approved"
    await rental.signs()
    assert await rental.state() == "contracted"


async def test_a_signer_whom_the_register_does_not_know_ends_the_agreement(shop: Shop) -> None:
    customer = shop.customer()
    await customer.is_unknown_to_the_register()
    rental = await customer.applies()
    agreement = await rental.agreement()
    assert (agreement["state"], agreement["document"]) == ("cancelled", None)
    assert await rental.state() == "cancelled"
    status, problem = await shop.call("channel", "POST", await rental.path("/acceptance-codes"))
    assert (status, problem["code"]) == (409, "agreements.not_open_for_signing")


async def test_a_withdrawn_consent_stops_an_open_application_and_its_draft(shop: Shop) -> None:
    """PIPL art. 15."""
    rental = await shop.customer().applies()
    await shop.post("channel", f"/v1/parties/{rental.party_id}/consents/decision/withdrawal")
    application = await rental.application()
    assert (application["state"], application["cancel_reason"]) == ("cancelled", "consent_withdrawn")
    assert (await rental.agreement())["state"] == "cancelled"
    assert [leaf["kind"] for leaf in await shop.get_all(f"/v1/evidence?subject={rental.party_id}")] == [
        "parties.consent.withdrawn"
    ]


async def test_a_withdrawn_consent_leaves_a_running_rental_alone(shop: Shop) -> None:
    """PIPL art. 15: without effect on what was done before; art. 13(1)(2): the contract goes on."""
    rental = await shop.rents_out_to(shop.customer())
    await shop.post("channel", f"/v1/parties/{rental.party_id}/consents/decision/withdrawal")
    await rental.pays(1_000)
    assert (await rental.state(), (await rental.agreement())["state"]) == ("contracted", "active")
    assert (await rental.account())["credit_balance_fen"] == 1_000


async def test_the_address_that_was_decided_on_is_the_one_that_is_shipped_to(shop: Shop) -> None:
    """An address changed between approval and receipt is the sign of a phone rented to be sold."""
    rental = await shop.customer().applies()
    status, problem = await shop.call(
        "channel",
        "PUT",
        f"/v1/applications/{rental.application_id}/delivery-address",
        {"delivery_address": "广东省广州市天河区某某路9号"},
    )
    assert (status, problem["code"]) == (409, "applications.address_fixed")
    await rental.signs()
    (fixed,) = await shop.rows(
        "SELECT d.address_masked, p.address_masked AS first_masked FROM parties_delivery_address d"
        " JOIN parties_person p ON p.tenant_id = d.tenant_id AND p.id = d.party_id WHERE d.tenant_id = :tenant"
    )
    assert fixed.address_masked == (await rental.application())["delivery_address"]


async def test_a_second_order_is_shipped_to_its_own_address(shop: Shop) -> None:
    customer = shop.customer()
    await shop.rents_out_to(customer)
    customer.address = "广东省东莞市莞城区运河路88号"
    second = await shop.rents_out_to(customer)
    (fixed,) = await shop.rows(
        "SELECT count(*) AS orders, count(DISTINCT address_masked) AS addresses FROM parties_delivery_address"
        " WHERE tenant_id = :tenant"
    )
    assert (fixed.orders, fixed.addresses) == (2, 2)
    assert (await second.agreement())["state"] == "active"


async def test_an_application_cancelled_before_the_signature_leaves_nothing_behind(shop: Shop) -> None:
    rental = await shop.customer().applies()
    path = f"/v1/applications/{rental.application_id}/cancellation"
    await shop.post("channel", path, {"reason": "customer_request"})
    assert (await rental.state(), (await rental.agreement())["state"]) == ("cancelled", "cancelled")
    status, _ = await shop.call("channel", "GET", await rental.path("/account"))
    assert status == 404
