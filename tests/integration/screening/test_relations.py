"""Rings, their neighbours and cash-out rentals, as a merchant would tell them."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from uuid import UUID

import httpx
import pytest
from tests.conftest import key_headers
from tests.integration.decisions.people import register, terms

from xinzu.back.billing.events import ArrearsAged, ArrearsCleared
from xinzu.front.applications.commands.delivery import address_key
from xinzu.front.applications.events import (
    ApplicationApproved,
    ApplicationCancelled,
    ApplicationSubmitted,
)
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock, Instant
from xinzu.middle.agreements.events import AgreementCommenced
from xinzu.middle.decisions import api as decisions
from xinzu.middle.screening import api as screening
from xinzu.platform.actor import Actor
from xinzu.platform.events.relay import Relay
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties

GOOD: dict[str, str | int | bool | None] = {"channel_admitted": True, "credit_score": 720}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOME, FLAT = "a" * 32, "b" * 32


class Shop:
    """One tenant, its customers and its clock."""

    def __init__(self, runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock) -> None:
        self.runtime, self.tenant_id, self.actor, self.clock = runtime, tenant_id, actor, clock

    async def customers(self, count: int) -> list[UUID]:
        return await register(self.runtime, self.tenant_id, self.actor, count=count)

    async def customer(self) -> UUID:
        return (await self.customers(1))[0]

    async def say(self, *events: object) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            uow.emit(*events)  # type: ignore[arg-type]
        await Relay(self.runtime).drain([self.tenant_id])

    def application(self, party_id: UUID, address: str | None = None, **signals: str) -> ApplicationSubmitted:
        return ApplicationSubmitted(
            subject_id=new_id(),
            party_id=party_id,
            channel="alipay",
            terms=terms(),
            signals={**GOOD, **signals},
            address_key=address,
        )

    async def apply(self, party_id: UUID, address: str | None = None, **signals: str) -> decisions.Decision:
        event = self.application(party_id, address, **signals)
        await self.say(event)
        return await self.decision(event.subject_id)

    async def decision(self, application_id: UUID) -> decisions.Decision:
        async with self.runtime.reading(self.tenant_id) as read:
            found = await decisions.decision_of_application(read, application_id)
        assert found is not None
        return found

    async def relations(self, party_id: UUID, asof: Instant | None = None) -> screening.Relations:
        async with self.runtime.reading(self.tenant_id) as read:
            return (await screening.relations_of(read, [party_id], asof or read.now))[party_id]


@pytest.fixture
def shop(runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock) -> Shop:
    return Shop(runtime, tenant_id, actor, clock)


@pytest.mark.parametrize("shared", ["device", "address"])
async def test_five_people_from_one_device_or_address_are_a_ring_and_the_fifth_is_referred(shop: Shop, shared: str) -> None:
    made = []
    for party_id in await shop.customers(5):
        if shared == "device":
            made.append(await shop.apply(party_id, device_key="phone-of-the-broker"))
        else:
            made.append(await shop.apply(party_id, HOME))
        shop.clock.advance(MINUTE)
    assert [each.outcome for each in made] == ["approve"] * 4 + ["refer"]
    assert made[4].reason_codes == ["RELATED_RING"]
    assert made[4].inputs["related_component_cnt"] == 5
    assert made[4].inputs["related_deg1_cnt"] == 4


async def test_a_ring_that_applies_at_once_is_seen_at_once(shop: Shop) -> None:
    events = [shop.application(party_id, HOME, device_key="one-phone") for party_id in await shop.customers(5)]
    await shop.say(*events)
    made = [await shop.decision(event.subject_id) for event in events]
    assert {(each.outcome, *each.reason_codes) for each in made} == {("refer", "RELATED_RING")}


async def test_a_chain_is_one_component_however_its_links_come(shop: Shop) -> None:
    """Nobody shares anything with all: device, contact, account and address hang together in turn, the middle last."""
    one, two, three, four, five = await shop.customers(5)
    await shop.apply(one, device_key="d1")
    await shop.apply(two, device_key="d1", contact_key="c1")
    await shop.apply(four, account_key="a1")
    await shop.apply(five, FLAT, account_key="a1")
    assert [(await shop.relations(each)).component_count for each in (one, four)] == [2, 2]
    last = await shop.apply(three, contact_key="c1", account_key="a1")
    assert last.reason_codes == ["RELATED_RING"]
    assert {(await shop.relations(each)).component_count for each in (one, two, three, four, five)} == {5}
    found = await shop.relations(one)
    assert (found.deg1_count, found.deg2_count) == (1, 1)


async def test_two_who_apply_at_the_same_moment_from_one_device_meet(shop: Shop) -> None:
    people = await shop.customers(8)

    async def screen(party_id: UUID) -> None:
        async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
            await screening.screen_applications(
                uow,
                [
                    screening.Screened(
                        application_id=new_id(), party_id=party_id, channel="alipay", signals={"device_key": "same"}
                    )
                ],
            )

    await asyncio.gather(*(screen(party_id) for party_id in people))
    assert {(await shop.relations(each)).component_count for each in people} == {8}


async def test_what_more_than_fifty_share_relates_nobody(shop: Shop) -> None:
    people = await shop.customers(51)
    await shop.say(*(shop.application(party_id, HOME) for party_id in people))
    assert (await shop.relations(people[0])).deg1_count == 0
    assert (await shop.relations(people[0])).component_count == 1


async def test_neighbours_that_were_declined_or_are_in_default_count_within_two_steps_until_they_are_cured(shop: Shop) -> None:
    late, between, far = await shop.customers(3)
    await shop.apply(late, device_key="d1")
    await shop.apply(between, device_key="d1", contact_key="c1")
    agreement_id = new_id()
    arrears = {"subject_id": agreement_id, "party_id": late, "business_date": date(2026, 1, 11), "overdue_fen": 39_900}
    await shop.say(ArrearsAged(**arrears, days_past_due=30))  # type: ignore[arg-type]
    assert (await shop.relations(between)).bad_deg1_count == 0
    await shop.say(ArrearsAged(**arrears, days_past_due=31))  # type: ignore[arg-type]
    shop.clock.advance(DAY)
    made = await shop.apply(far, contact_key="c1")
    assert (made.inputs["related_bad_deg1_cnt"], made.inputs["related_bad_deg2_cnt"]) == (0, 1)
    assert (await shop.apply(between)).reason_codes == ["RELATED_BAD"]
    then = shop.clock.now()
    shop.clock.advance(DAY)
    await shop.say(ArrearsCleared(subject_id=agreement_id, party_id=late))
    assert (await shop.relations(between)).bad_deg1_count == 0
    assert (await shop.relations(between, then)).bad_deg1_count == 1  # as it was known then

    declined = await shop.customer()
    assert (await shop.apply(declined, device_key="d2", **{"rent_risk_rank": "high"})).outcome == "decline"
    assert "RELATED_BAD" in (await shop.apply(await shop.customer(), device_key="d2")).reason_codes


async def test_as_of_an_instant_what_came_later_is_not_known(shop: Shop) -> None:
    one, two = await shop.customers(2)
    await shop.apply(one, device_key="d1")
    before = shop.clock.now()
    shop.clock.advance(MINUTE)
    await shop.apply(two, device_key="d1")
    assert (await shop.relations(one, before)).deg1_count == 0
    assert (await shop.relations(one)).deg1_count == 1
    shop.clock.advance(181 * DAY)
    assert (await shop.relations(one)).deg1_count == 0  # nobody was seen there for half a year


async def test_without_consent_nobody_is_related_pipl_arts_13_24(shop: Shop) -> None:
    one, other = await shop.customers(2)
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        await parties.withdraw_consents(uow, [(one, parties.ConsentPurpose.DECISION)])
    made = await shop.apply(one, device_key="d1")
    assert (made.reason_codes, made.inputs["related_deg1_cnt"]) == (["CONSENT_MISSING"], None)
    assert (await shop.apply(other, device_key="d1")).inputs["related_deg1_cnt"] == 0


async def test_another_tenant_is_not_related(shop: Shop, other_tenant_id: int) -> None:
    await shop.apply(await shop.customer(), device_key="d1")
    elsewhere = Shop(shop.runtime, other_tenant_id, shop.actor, shop.clock)
    made = await elsewhere.apply(await elsewhere.customer(), device_key="d1")
    assert made.inputs["related_deg1_cnt"] == 0


# --- cash-out rentals 租机套现 ---


async def test_approved_cancelled_and_applied_for_again_to_another_address_is_referred(shop: Shop) -> None:
    customer = await shop.customer()
    first = shop.application(customer, HOME)
    await shop.say(first)
    approved = ApplicationApproved(
        subject_id=first.subject_id, party_id=customer, channel="alipay", decision_id=new_id(), terms=terms()
    )
    await shop.say(approved)
    await shop.say(ApplicationCancelled(subject_id=first.subject_id, reason="customer_request"))
    shop.clock.advance(MINUTE)
    assert (await shop.apply(customer, HOME)).outcome == "approve"  # the same address is nothing
    made = await shop.apply(customer, FLAT)
    assert (made.outcome, made.reason_codes) == ("refer", ["READDRESSED"])
    shop.clock.advance(31 * DAY)
    assert "READDRESSED" not in (await shop.apply(customer, FLAT)).reason_codes


async def test_an_address_changed_before_the_decision_is_what_is_decided_on_and_after_it_stays(shop: Shop) -> None:
    one, two = await shop.customers(2)
    await shop.apply(one, FLAT)
    shop.clock.advance(MINUTE)
    event = shop.application(two, HOME)
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        assert await screening.readdress_applications(uow, {event.subject_id: FLAT}) == set()
    await shop.say(event)  # what was submitted says the old address
    made = await shop.decision(event.subject_id)
    assert (made.inputs["related_deg1_cnt"], made.inputs["addr_order_cnt"]) == (1, 1)
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        assert await screening.readdress_applications(uow, {event.subject_id: HOME}) == {event.subject_id}


async def test_ten_applications_at_once_from_one_dealer_are_flagged(shop: Shop) -> None:
    events = [shop.application(party_id, dealer_key="store-7") for party_id in await shop.customers(10)]
    await shop.say(*events[:9])
    assert [(await shop.decision(event.subject_id)).outcome for event in events[:9]] == ["approve"] * 9
    await shop.say(events[9])
    assert (await shop.decision(events[9].subject_id)).reason_codes == ["DEALER_BURST"]
    shop.clock.advance(11 * MINUTE)
    assert (await shop.apply(await shop.customer(), dealer_key="store-7")).outcome == "approve"


async def test_five_running_rentals_of_related_people_are_the_most(shop: Shop) -> None:
    people = await shop.customers(4)
    for number, party_id in enumerate([*people, people[0]]):
        event = shop.application(party_id, device_key="d1")
        await shop.say(event)
        await shop.say(
            AgreementCommenced(
                subject_id=new_id(),
                application_id=event.subject_id,
                party_id=party_id,
                asset_id=None,
                commencement_on=date(2026, 1, 10 + number),
                terms=terms(),
            )
        )
    made = await shop.apply(people[1])
    assert made.inputs["related_rental_cnt"] == 5
    assert "RELATED_RENTALS_MAX" in made.reason_codes


# --- lists ---


async def test_orders_to_a_recycler_on_the_black_list_are_declined_and_its_neighbours_referred(shop: Shop) -> None:
    linked, caught, neighbour = await shop.customers(3)
    await shop.apply(linked, HOME, device_key="d1")
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        accepted(
            (
                await screening.add_to_lists(
                    uow,
                    [
                        screening.AddToList(
                            colour=screening.ListColour.BLACK,
                            kind=screening.ListedKind.DEVICE,
                            value="phone-of-the-recycler",
                            reason=screening.ListReason.RECYCLER,
                            source="police-2026-17",
                            expires_on=shop.clock.now().date() + timedelta(days=30),
                        )
                    ],
                )
            )[0]
        )
    made = await shop.apply(caught, device_key="phone-of-the-recycler", contact_key="c1")
    assert (made.outcome, made.reason_codes) == ("decline", ["LIST_MATCH"])
    assert "RELATED_BLACK" in (await shop.apply(neighbour, contact_key="c1")).reason_codes
    shop.clock.advance(31 * DAY)
    assert (await shop.relations(caught)).black_hit_count == 0  # the entry has expired


@pytest.mark.parametrize("kind", ["phone", "address", "party"])
async def test_phones_addresses_and_parties_are_found_by_what_a_list_is_told_in_clear(
    shop: Shop, api: httpx.AsyncClient, kind: str
) -> None:
    headers = await key_headers(shop.runtime, shop.tenant_id, "risk")
    async with shop.runtime.unit(shop.tenant_id, shop.actor) as uow:
        address = "广东省深圳市福田区华强北路 1 号 回收站"
        key = address_key(uow.vault, address)
        phone = f"138{new_id().int % 10**8:08d}"
        person = accepted(
            (
                await parties.register_people(
                    uow,
                    [parties.PersonDraft(name="张三", identity_no="11010519491231002X", phone=phone, address=address)],
                )
            )[0]
        )
        await parties.record_consents(
            uow,
            [
                parties.ConsentDraft(party_id=person.id, purpose=purpose, text_version="2026-01", channel="alipay")
                for purpose in parties.ConsentPurpose
            ],
        )
    value = {"phone": f"+86 {phone}", "address": address.upper(), "party": public_id(Prefix.PARTY, person.id)}[kind]
    body = {"colour": "grey", "kind": kind, "value": value, "reason": "broker", "source": "own-research"}
    added = await api.post("/v1/screening/list-entries", json=body, headers=headers)
    assert added.status_code == 201, added.text
    assert value not in added.text
    again = await api.post("/v1/screening/list-entries", json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "screening.already_listed")
    made = await shop.apply(person.id, key)
    assert made.inputs["grey_list_cnt"] == 1
