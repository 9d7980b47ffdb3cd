"""A case from the first overdue day to the lock and the payment that ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
import pytest
from httpx import AsyncClient
from tests.integration.payments.shop import TERMS

from xinzu.back.billing.events import ArrearsAged, ArrearsCleared, LesseeTransferred
from xinzu.back.collections.events import CaseClosed, CaseOpened, RestrictionRequested
from xinzu.back.collections.jobs import carry_out_steps
from xinzu.back.devices.events import RestrictionRefused
from xinzu.kernel.events import Event
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import Family, Financing
from xinzu.kernel.time import SHANGHAI, FixedClock
from xinzu.middle.agreements.events import AgreementSigned
from xinzu.platform.actor import system_actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.events.codec import decode, encode
from xinzu.platform.events.subscribers import subscribers_of
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties
from xinzu.records.parties.events import MessageDelivered, MessageFailed

ACTOR = system_actor("test")
WORDS = {Family.FINANCE_LEASE: "融资租赁合同", Family.LOAN: "借款合同"}
_numbers = count(1)


class Office:
    """One tenant's collections and short words for what happens in them."""

    def __init__(self, runtime: Runtime, tenant_id: int, clock: FixedClock) -> None:
        self.runtime, self.tenant_id, self.clock = runtime, tenant_id, clock

    async def debtor(self) -> UUID:
        number = next(_numbers)
        first_17 = f"33010219900101{number:03d}"
        async with self.runtime.unit(self.tenant_id, ACTOR) as uow:
            person = parties.PersonDraft(
                name="张三", identity_no=first_17 + identity_no_check(first_17), phone=f"1391234{number:04d}"
            )
            return accepted((await parties.register_people(uow, [person]))[0]).id

    async def happen(self, *events: Event) -> None:
        """Collections hears facts; the neighbours are not asked in."""
        for event in events:
            for subscriber in subscribers_of(event.type):
                if subscriber.name.startswith("collections."):
                    async with self.runtime.unit(self.tenant_id, ACTOR) as uow:
                        await subscriber.handler(uow, [decode(event.type, encode(event))])

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(SHANGHAI).date()

    async def age(self, agreement_id: UUID, party_id: UUID, days: int, overdue_fen: int = 30_000) -> None:
        """A day closes with the agreement this much past due."""
        await self.happen(
            ArrearsAged(
                subject_id=agreement_id,
                party_id=party_id,
                business_date=self.today,
                days_past_due=days,
                overdue_fen=overdue_fen,
            )
        )

    async def sign(self, agreement_id: UUID, party_id: UUID, family: Family) -> None:
        """The agreement is signed as XZ-7."""
        terms = replace(TERMS, financing=Financing(family=family, principal_fen=360_000, annual_rate_pct="9.6"))
        await self.happen(
            AgreementSigned(
                subject_id=agreement_id,
                application_id=new_id(),
                party_id=party_id,
                agreement_no="XZ-7",
                document_sha256="0" * 64,
                terms=terms,
                signed_at=self.clock.now(),
            )
        )

    async def fact(self, agreement_id: UUID, kind: str) -> dict[str, Any]:
        """What the first leaf of a kind says."""
        async with self.runtime.reading(self.tenant_id) as read:
            leaves = await evidence.facts_of(read, agreement_id)
        found: dict[str, Any] = msgspec.json.decode(next(leaf.body for leaf in leaves if leaf.kind == kind))["facts"]
        return found

    async def text_of(self, agreement_id: UUID, kind: str) -> str:
        """What a step's message says."""
        message_id = await self.message_of(agreement_id, kind)
        async with self.runtime.reading(self.tenant_id) as read:
            return (await parties.message_contents(read, [message_id]))[message_id].text

    async def steps(self, agreement_id: UUID) -> list[tuple[str, str]]:
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT kind, state FROM collections_step WHERE tenant_id = :tenant AND agreement_id = :id ORDER BY id",
                id=agreement_id,
            )
        return [(row.kind, row.state) for row in rows]

    async def message_of(self, agreement_id: UUID, kind: str) -> UUID:
        async with self.runtime.reading(self.tenant_id) as read:
            found = await read.scalar(
                "SELECT message_id FROM collections_step WHERE tenant_id = :tenant AND agreement_id = :id AND kind = :kind"
                " ORDER BY id DESC LIMIT 1",
                id=agreement_id,
                kind=kind,
            )
        assert isinstance(found, UUID)
        return found

    async def deliver(self, agreement_id: UUID, party_id: UUID, kind: str) -> None:
        await self.happen(
            MessageDelivered(
                subject_id=agreement_id,
                message_id=await self.message_of(agreement_id, kind),
                party_id=party_id,
                template="restriction_notice",
                delivered_at=self.clock.now(),
            )
        )

    async def events(self, agreement_id: UUID, *types: type[Event]) -> list[Any]:
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT type, data FROM platform_event WHERE tenant_id = :tenant AND subject_id = :id"
                " AND type = ANY(cast(:types AS text[])) ORDER BY id",
                id=agreement_id,
                types=[cls.type for cls in types],
            )
        return [decode(row.type, msgspec.json.encode(row.data)) for row in rows]

    async def leaves(self, agreement_id: UUID) -> list[str]:
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT kind FROM evidence_leaf WHERE tenant_id = :tenant AND subject_id = :id ORDER BY position", id=agreement_id
            )
        return [row.kind for row in rows if row.kind.startswith("collections.")]

    async def case_id(self, agreement_id: UUID) -> str:
        async with self.runtime.reading(self.tenant_id) as read:
            found = await read.scalar(
                "SELECT id FROM collections_case WHERE tenant_id = :tenant AND agreement_id = :id ORDER BY id DESC LIMIT 1",
                id=agreement_id,
            )
        return public_id(Prefix.CASE, found)


@pytest.fixture
def office(runtime: Runtime, tenant_id: int, clock: FixedClock) -> Office:
    return Office(runtime, tenant_id, clock)


async def test_from_the_reminder_to_the_lock_and_the_payment_that_ends_it(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    for days in range(1, 11):
        await office.age(agreement_id, party_id, days)
        if days == 3:
            await office.deliver(agreement_id, party_id, "first_notice")
        if days == 7:
            await office.deliver(agreement_id, party_id, "second_notice")
        clock.advance(timedelta(days=1))
    assert await office.steps(agreement_id) == [
        ("reminder", "sent"),
        ("first_notice", "delivered"),
        ("limit", "requested"),
        ("second_notice", "delivered"),
        ("lock", "requested"),
    ]
    assert [event.days_past_due for event in await office.events(agreement_id, CaseOpened)] == [1]
    requested = await office.events(agreement_id, RestrictionRequested)
    assert [event.level for event in requested] == ["limit", "lock"]
    for event, kind in zip(requested, ("first_notice", "second_notice"), strict=True):
        assert event.notice_message_id == await office.message_of(agreement_id, kind)
        assert event.notice_delivered_at is not None
        assert "民法典" in event.legal_basis
    assert await office.leaves(agreement_id) == [
        "collections.notice.sent",
        "collections.notice.delivered",
        "collections.restriction.requested",
        "collections.notice.sent",
        "collections.notice.delivered",
        "collections.restriction.requested",
    ]
    await office.happen(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    assert len(await office.events(agreement_id, CaseClosed)) == 1


async def test_no_restriction_while_no_notice_was_delivered(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    for days in (1, 3, 5, 9, 20):
        await office.age(agreement_id, party_id, days)
        clock.advance(timedelta(days=1))
    assert await office.events(agreement_id, RestrictionRequested) == []


async def test_a_notice_that_did_not_get_through_is_sent_again(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 3)
    await office.happen(
        MessageFailed(
            subject_id=agreement_id,
            message_id=await office.message_of(agreement_id, "first_notice"),
            party_id=party_id,
            template="restriction_notice",
            reason="absent_subscriber",
        )
    )
    clock.advance(timedelta(days=1))
    await office.age(agreement_id, party_id, 4)
    assert await office.steps(agreement_id) == [("reminder", "sent"), ("first_notice", "failed"), ("first_notice", "sent")]


async def test_a_day_that_is_heard_twice_brings_every_step_once(office: Office) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 1)
    await office.age(agreement_id, party_id, 1)
    assert await office.steps(agreement_id) == [("reminder", "sent")]
    assert len(await office.events(agreement_id, CaseOpened)) == 1


async def test_what_is_planned_at_night_waits_for_the_morning(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    clock.set(clock.now().replace(hour=16, minute=5))  # 00:05 in Shanghai
    await office.age(agreement_id, party_id, 1)
    await carry_out_steps(office.runtime, office.tenant_id, {})
    assert await office.steps(agreement_id) == [("reminder", "planned")]
    clock.advance(timedelta(hours=7, minutes=55))
    await carry_out_steps(office.runtime, office.tenant_id, {})
    assert await office.steps(agreement_id) == [("reminder", "sent")]


async def test_a_debtor_of_several_agreements_is_contacted_three_times_a_day_at_most(office: Office, clock: FixedClock) -> None:
    party_id = await office.debtor()
    agreements = [new_id() for _ in range(5)]
    for agreement_id in agreements:
        await office.age(agreement_id, party_id, 1)
    states = [(await office.steps(agreement_id))[0][1] for agreement_id in agreements]
    assert sorted(states) == ["planned", "planned", "sent", "sent", "sent"]
    clock.advance(timedelta(days=1))
    await carry_out_steps(office.runtime, office.tenant_id, {})
    assert {(await office.steps(agreement_id))[0][1] for agreement_id in agreements} == {"sent"}


async def test_paying_cancels_what_was_planned(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    clock.set(clock.now().replace(hour=16))
    await office.age(agreement_id, party_id, 1)
    await office.happen(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    clock.advance(timedelta(hours=9))
    await carry_out_steps(office.runtime, office.tenant_id, {})
    assert await office.steps(agreement_id) == [("reminder", "cancelled")]


async def test_an_ageing_heard_after_the_payment_opens_no_case(office: Office) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.happen(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    await office.age(agreement_id, party_id, 1)
    assert await office.events(agreement_id, CaseOpened) == []


async def test_new_arrears_after_a_payment_are_a_new_case(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 2)
    await office.happen(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    clock.advance(timedelta(days=30))
    await office.age(agreement_id, party_id, 1)
    assert await office.steps(agreement_id) == [("reminder", "sent"), ("reminder", "sent")]
    assert len(await office.events(agreement_id, CaseOpened)) == 2


async def test_who_takes_over_is_reminded_first_and_the_one_before_is_left_alone(office: Office, clock: FixedClock) -> None:
    agreement_id, before_id, after_id = new_id(), await office.debtor(), await office.debtor()
    await office.age(agreement_id, before_id, 3)
    await office.deliver(agreement_id, before_id, "first_notice")
    transferred = LesseeTransferred(
        subject_id=agreement_id, party_before_id=before_id, party_id=after_id, effective_on=office.today
    )
    await office.happen(transferred)
    clock.advance(timedelta(days=3))
    await office.age(agreement_id, after_id, 6)
    assert [event.party_id for event in await office.events(agreement_id, CaseOpened)] == [before_id, after_id]
    assert (await office.steps(agreement_id))[2:] == [("reminder", "sent"), ("first_notice", "sent")]
    assert await office.events(agreement_id, RestrictionRequested) == []


async def test_a_refused_restriction_is_asked_for_again_at_the_next_close(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 3)
    await office.deliver(agreement_id, party_id, "first_notice")
    clock.advance(timedelta(days=2))
    await office.age(agreement_id, party_id, 5)
    await office.happen(RestrictionRefused(subject_id=agreement_id, device_id=None, level="limit", reason="offline"))
    clock.advance(timedelta(days=1))
    await office.age(agreement_id, party_id, 6)
    limits = [state for kind, state in await office.steps(agreement_id) if kind == "limit"]
    assert limits[0] == "failed"
    assert len(limits) == 2


@pytest.mark.parametrize("family", [Family.FINANCE_LEASE, Family.LOAN])
async def test_what_is_financed_is_demanded_with_a_term_and_no_device_is_ever_asked_for(
    office: Office, clock: FixedClock, family: Family
) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.sign(agreement_id, party_id, family)
    for days in range(1, 31):
        await office.age(agreement_id, party_id, days)
        if days == 8:
            await office.deliver(agreement_id, party_id, "payment_demand")
        clock.advance(timedelta(days=1))
    assert await office.steps(agreement_id) == [("reminder", "sent"), ("payment_demand", "delivered")]
    assert await office.events(agreement_id, RestrictionRequested) == []
    assert await office.leaves(agreement_id) == ["collections.demand.sent", "collections.demand.delivered"]
    demand = await office.fact(agreement_id, "collections.demand.sent")
    sent_on = date(2026, 3, 8)
    assert (demand["days_past_due"], demand["overdue_fen"], demand["period_days"]) == (7, 30_000, 15)
    assert date.fromisoformat(demand["pay_by"]) >= sent_on + timedelta(days=15)
    assert "民法典" in demand["legal_basis"]
    text = await office.text_of(agreement_id, "payment_demand")
    assert "催告函" in text
    assert f"{WORDS[family]}XZ-7已逾期7天，未付300.00元" in text
    assert demand["pay_by"] in text


async def test_a_demand_keeps_the_hours_and_the_frequency(office: Office, clock: FixedClock) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.sign(agreement_id, party_id, Family.LOAN)
    for _ in range(2):
        await office.age(new_id(), party_id, 1)  # two contacts today already
    await office.age(agreement_id, party_id, 7)
    assert await office.steps(agreement_id) == [("reminder", "sent"), ("payment_demand", "planned")]
    clock.set(clock.now().replace(hour=16))  # midnight in Shanghai
    await carry_out_steps(office.runtime, office.tenant_id, {})
    assert (await office.steps(agreement_id))[-1] == ("payment_demand", "planned")
    clock.advance(timedelta(hours=8))
    await carry_out_steps(office.runtime, office.tenant_id, {})
    assert (await office.steps(agreement_id))[-1] == ("payment_demand", "sent")


async def test_a_debtor_who_is_not_on_file_keeps_nobody_else_waiting(office: Office) -> None:
    known, unknown = new_id(), new_id()
    await office.age(unknown, new_id(), 1)
    await office.age(known, await office.debtor(), 1)
    assert await office.steps(unknown) == [("reminder", "failed")]
    assert await office.steps(known) == [("reminder", "sent")]


async def test_a_hold_stops_the_ladder_until_it_is_lifted(
    office: Office, clock: FixedClock, api: AsyncClient, api_key: dict[str, str]
) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 1)
    path = f"/v1/collections/cases/{await office.case_id(agreement_id)}"
    placed = await api.post(f"{path}/holds", json={"reason": "dispute"}, headers=api_key)
    assert placed.status_code == 201
    assert (await api.post(f"{path}/holds", json={"reason": "dispute"}, headers=api_key)).json() == placed.json()
    clock.advance(timedelta(days=5))
    await office.age(agreement_id, party_id, 6)
    assert await office.steps(agreement_id) == [("reminder", "sent")]
    assert (await api.get(path, headers=api_key)).json()["case"]["held"] is True
    hold_id = placed.json()["holds"][0]["id"]
    lifted = await api.delete(f"{path}/holds/{hold_id}", headers=api_key)
    assert (lifted.status_code, lifted.json()["case"]["held"]) == (200, False)
    assert (await api.delete(f"{path}/holds/{hold_id}", headers=api_key)).status_code == 404
    clock.advance(timedelta(days=1))
    await office.age(agreement_id, party_id, 7)
    assert ("first_notice", "sent") in await office.steps(agreement_id)


async def test_a_closed_case_takes_no_hold(office: Office, api: AsyncClient, api_key: dict[str, str]) -> None:
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 1)
    await office.happen(ArrearsCleared(subject_id=agreement_id, party_id=party_id))
    case_id = await office.case_id(agreement_id)
    refused = await api.post(f"/v1/collections/cases/{case_id}/holds", json={"reason": "death"}, headers=api_key)
    assert (refused.status_code, refused.json()["code"]) == (409, "collections.case_closed")


async def test_cases_are_listed_page_by_page_and_closed_to_other_tenants(
    office: Office, api: AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str]
) -> None:
    party_id = await office.debtor()
    for _ in range(3):
        await office.age(new_id(), party_id, 1)
    first = (await api.get("/v1/collections/cases", params={"limit": 2, "state": "open"}, headers=api_key)).json()
    rest = (await api.get("/v1/collections/cases", params={"limit": 2, "cursor": first["next_cursor"]}, headers=api_key)).json()
    ids = [item["id"] for item in (*first["items"], *rest["items"])]
    assert len(set(ids)) == 3
    assert ids == sorted(ids, reverse=True)
    assert (await api.get("/v1/collections/cases", headers=other_api_key)).json()["items"] == []
    stranger = await api.get(f"/v1/collections/cases/{ids[0]}", headers=other_api_key)
    assert stranger.status_code == 404
    held = await api.post(f"/v1/collections/cases/{ids[0]}/holds", json={"reason": "death"}, headers=other_api_key)
    assert (held.status_code, held.json()["code"]) == (404, "collections.case_unknown")


async def test_a_tenant_may_only_be_stricter(office: Office, api: AsyncClient, api_key: dict[str, str]) -> None:
    weaker = await api.put("/v1/collections/policy", json={"limit_days_past_due": 4}, headers=api_key)
    assert (weaker.status_code, weaker.json()["errors"][0]["pointer"]) == (422, "/limit_days_past_due")
    stricter = await api.put("/v1/collections/policy", json={"first_notice_days_past_due": 4}, headers=api_key)
    assert stricter.status_code == 200
    assert (await api.get("/v1/collections/policy", headers=api_key)).json()["first_notice_days_past_due"] == 4
    agreement_id, party_id = new_id(), await office.debtor()
    await office.age(agreement_id, party_id, 3)
    assert await office.steps(agreement_id) == [("reminder", "sent")]


@pytest.mark.parametrize("body", [{"reason": "because"}, {}, {"reason": "death", "more": 1}, []])
async def test_a_hold_needs_one_of_the_known_reasons(
    office: Office, api: AsyncClient, api_key: dict[str, str], body: object
) -> None:
    refused = await api.post(f"/v1/collections/cases/{public_id(Prefix.CASE, new_id())}/holds", json=body, headers=api_key)
    assert refused.status_code == 422
