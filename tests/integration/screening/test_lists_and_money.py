"""Lists that take two people to be undone, money that is looked at, alerts that somebody decides, watch lists."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from asyncpg import CheckViolationError
from tests.conftest import key_headers
from tests.integration.decisions.people import ALL_CONSENTS, identity_no, register

from xinzu.back.billing.events import ReceiptAllocated, RefundRecorded
from xinzu.kernel.ids import Prefix, new_id, parse_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock
from xinzu.middle.screening import api as screening
from xinzu.platform.actor import Actor, system_actor
from xinzu.platform.events.relay import Relay
from xinzu.platform.jobs import drain_jobs
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_operator, log_in
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

PASSWORD = "correct horse battery"
BORN = date(1980, 5, 17)


class Office:
    """One tenant's compliance officers at their screens."""

    def __init__(self, runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock, api: httpx.AsyncClient) -> None:
        self.runtime, self.tenant_id, self.actor, self.clock, self.api = runtime, tenant_id, actor, clock, api
        self.today = runtime_today(clock)

    async def operator(self, login: str, role: str) -> dict[str, str]:
        async with self.runtime.unit(self.tenant_id, system_actor("test")) as uow:
            await create_operator(uow, login, PASSWORD, [role])
        async with self.runtime.reading(self.tenant_id) as read:
            slug = await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
        session = await log_in(self.runtime, str(slug), login, PASSWORD)
        return {"Cookie": f"xinzu_session={slug}.{session.token}"}

    async def key(self, role: str) -> dict[str, str]:
        return await key_headers(self.runtime, self.tenant_id, role)

    async def customer(self, name: str | None = None, born: date = BORN) -> UUID:
        return (await register(self.runtime, self.tenant_id, self.actor, name=name, born=born))[0]

    async def say(self, *events: object) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            uow.emit(*events)  # type: ignore[arg-type]
        await Relay(self.runtime).drain([self.tenant_id])

    async def alerts(self) -> list[dict[str, Any]]:
        answer = await self.api.get("/v1/screening/alerts", headers=await self.key("risk_manager"))
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def screen(self, *party_ids: UUID) -> dict[UUID, dict[str, int]]:
        applications = [
            screening.Screened(application_id=new_id(), party_id=party_id, channel="alipay") for party_id in party_ids
        ]
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            found = await screening.screen_applications(uow, applications)
        return {each.party_id: found[each.application_id] for each in applications}

    async def leaves(self, subject_id: UUID) -> list[str]:
        async with self.runtime.reading(self.tenant_id) as read:
            return [fact.kind for fact in await evidence.facts_of(read, subject_id)]


def runtime_today(clock: FixedClock) -> date:
    return (clock.now() + timedelta(hours=8)).date()


@pytest.fixture
def office(runtime: Runtime, tenant_id: int, actor: Actor, clock: FixedClock, api: httpx.AsyncClient) -> Office:
    return Office(runtime, tenant_id, actor, clock, api)


# --- lists ---


async def test_what_one_person_listed_two_take_off(office: Office) -> None:
    api, zhang, li = office.api, await office.operator("zhang", "risk"), await office.operator("li", "risk")
    party = public_id(Prefix.PARTY, await office.customer())
    body = {"colour": "black", "kind": "party", "value": party, "reason": "recycler", "source": "court-2026-1"}
    entry = (await api.post("/v1/screening/list-entries", json=body, headers=zhang)).json()["id"]
    removal = f"/v1/screening/list-entries/{entry}/removal"
    waits = await api.post(removal, json={"reason": "误列"}, headers=zhang)
    assert waits.status_code == 202, waits.text
    approval = f"{waits.headers['location']}/approval"
    alone = await api.post(approval, json={"reason": "同意"}, headers=zhang)
    assert (alone.status_code, alone.json()["code"]) == (403, "approval.same_person")
    assert (await api.get(f"/v1/screening/list-entries/{entry}", headers=li)).json()["removed_at"] is None
    done = await api.post(approval, json={"reason": "已核对判决书"}, headers=li)
    assert done.status_code == 200, done.text
    shown = (await api.get("/v1/screening/list-entries?colour=black", headers=li)).json()["items"]
    assert [(each["id"], each["removed_by"], each["removal_reason"]) for each in shown] == [(entry, "operator:li", "误列")]
    again = await api.post(removal, json={"reason": "再次"}, headers=zhang)
    assert (again.status_code, again.json()["code"]) == (409, "screening.list_entry_removed")
    assert [kind for kind in await office.leaves(parse_id(Prefix.LIST_ENTRY, entry)) if kind.startswith("screening.")] == [
        "screening.list_entry.added",
        "screening.list_entry.removed",
    ]


async def test_a_list_entry_says_which_field_is_wrong(office: Office) -> None:
    headers = await office.key("risk")
    good = {"colour": "grey", "kind": "phone", "value": "13912345678", "reason": "broker", "source": "own"}
    for changed, pointer in (
        ({"value": "139"}, "/value"),
        ({"kind": "party", "value": "pty_00000000000000000000000000"}, "/value"),
        ({"expires_on": office.today.isoformat()}, "/expires_on"),
    ):
        answer = await office.api.post("/v1/screening/list-entries", json=good | changed, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text
    viewer = await office.key("viewer")
    assert (await office.api.post("/v1/screening/list-entries", json=good, headers=viewer)).status_code == 403


# --- money ---


def received(party_id: UUID, amount_fen: int, on: date, agreement_id: UUID | None = None) -> ReceiptAllocated:
    return ReceiptAllocated(
        subject_id=agreement_id or new_id(),
        receipt_id=new_id(),
        amount_fen=amount_fen,
        allocated_fen=amount_fen,
        credit_balance_fen=0,
        party_id=party_id,
        purpose="transfer",
        received_on=on,
    )


async def test_aml_law_art_35_a_large_day_is_alerted_once_with_its_receipts_and_its_date_of_filing(office: Office) -> None:
    party_id = await office.customer()
    await office.say(received(party_id, 30_000_000, office.today))
    assert await office.alerts() == []
    await office.say(received(party_id, 20_000_000, office.today))
    await office.say(received(party_id, 1, office.today))
    (alert,) = await office.alerts()
    assert (alert["rule"], alert["state"], alert["amount_fen"], len(alert["references"])) == ("0503", "open", 50_000_001, 3)
    assert date.fromisoformat(alert["report_due_on"]) > office.today + timedelta(days=5)


async def test_aml_law_art_34_an_alert_and_its_money_are_kept_ten_years(office: Office) -> None:
    await office.say(received(await office.customer(), 50_000_000, office.today))
    (alert,) = await office.alerts()
    assert alert["keep_until_on"] == office.today.replace(year=office.today.year + 10).isoformat()
    for table, column in (("screening_alert", "raised_on"), ("screening_movement", "moved_on")):
        with pytest.raises(CheckViolationError):
            async with office.runtime.unit(office.tenant_id, office.actor) as uow:
                await uow.execute(f"UPDATE {table} SET keep_until_on = {column} + interval '9 years'")


async def test_an_alert_is_decided_by_whoever_took_it_and_a_report_has_its_number(office: Office) -> None:
    api, wang, zhao = office.api, await office.operator("wang", "risk_manager"), await office.operator("zhao", "risk_manager")
    await office.say(received(await office.customer(), 50_000_000, office.today))
    (alert,) = await office.alerts()
    path = f"/v1/screening/alerts/{alert['id']}"
    report = {"is_reported": True, "reason": "已报送大额交易", "report_ref": "LTR-2026-0001"}
    early = await api.post(f"{path}/decision", json=report, headers=wang)
    assert (early.status_code, early.json()["code"]) == (409, "state.illegal_move")
    assert (await api.post(f"{path}/assignment", json={}, headers=wang)).json()["assignee"] == "wang"
    other = await api.post(f"{path}/decision", json=report, headers=zhao)
    assert (other.status_code, other.json()["code"]) == (403, "screening.not_assignee")
    bare = await api.post(f"{path}/decision", json={**report, "report_ref": None}, headers=wang)
    assert (bare.status_code, bare.json()["errors"][0]["pointer"]) == (422, "/report_ref")
    assert (await api.post(f"{path}/decision", json=report, headers=wang)).json()["state"] == "reported"
    shown = (await api.get(path, headers=wang)).json()
    assert (shown["decided_by"], shown["report_ref"]) == ("operator:wang", "LTR-2026-0001")
    assert (await api.post(f"{path}/assignment", json={}, headers=zhao)).status_code == 409
    again = received(parse_id(Prefix.PARTY, alert["party_id"]), 1, office.today)
    await office.say(again)  # more of the same day: the report is not whole any more
    assert [(each["state"], each["amount_fen"]) for each in await office.alerts()] == [
        ("open", 50_000_001),
        ("reported", 50_000_000),
    ]
    assert await office.leaves(parse_id(Prefix.ALERT, alert["id"])) == [
        "screening.alert.raised",
        "screening.alert.assigned",
        "screening.alert.decided",
    ]


async def test_aml_law_art_7_nobody_else_sees_an_alert_and_its_event_names_no_person(office: Office) -> None:
    party_id = await office.customer()
    await office.say(received(party_id, 50_000_000, office.today))
    for role in ("risk", "finance", "viewer", "channel", "collector"):
        assert (await office.api.get("/v1/screening/alerts", headers=await office.key(role))).status_code == 403
    async with office.runtime.reading(office.tenant_id) as read:
        rows = await read.rows("SELECT data FROM platform_event WHERE type = 'xinzu.screening.alert.raised.v1'")
    assert len(rows) == 1
    assert str(party_id) not in json.dumps(rows[0].data)
    assert public_id(Prefix.PARTY, party_id) not in json.dumps(rows[0].data)


async def test_the_cashier_says_who_paid_of_a_receipt_on_file(office: Office) -> None:
    party_id, headers = await office.customer(), await office.key("finance")
    event = received(party_id, 600_000, office.today)
    await office.say(event)
    body = {
        "agreement_id": public_id(Prefix.AGREEMENT, event.subject_id),
        "party_id": public_id(Prefix.PARTY, party_id),
        "reference": public_id(Prefix.RECEIPT, event.receipt_id),
        "direction": "in",
        "method": "transfer",
        "purpose": "early_repayment",
        "amount_fen": 600_000,
        "moved_on": office.today.isoformat(),
        "payer": "6222020200112233",
    }
    answer = await office.api.post("/v1/screening/movements", json=body, headers=headers)
    assert (answer.status_code, answer.json()["is_new"]) == (200, False), answer.text
    assert [alert["rule"] for alert in await office.alerts()] == ["S02"]
    other = await office.api.post("/v1/screening/movements", json=body | {"amount_fen": 1}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "screening.movement_differs")
    nobody = body | {"party_id": public_id(Prefix.PARTY, new_id()), "reference": "cash-1", "method": "cash"}
    assert (await office.api.post("/v1/screening/movements", json=nobody, headers=headers)).status_code == 404
    late = body | {"moved_on": (office.today + timedelta(days=1)).isoformat()}
    answer = await office.api.post("/v1/screening/movements", json=late, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/moved_on")
    cash = body | {"reference": "cash-1", "method": "cash", "amount_fen": 5_000_000, "payer": None}
    assert (await office.api.post("/v1/screening/movements", json=cash, headers=headers)).json()["is_new"] is True
    assert [alert["rule"] for alert in await office.alerts()] == ["0501", "S02"]
    async with office.runtime.reading(office.tenant_id) as read:
        kept = await read.rows("SELECT payer_key FROM screening_movement WHERE tenant_id = :tenant")
    assert sorted(len(each.payer_key or "") for each in kept) == [0, 32]


async def test_money_refunded_soon_after_it_came_is_looked_at(office: Office) -> None:
    party_id, agreement_id = await office.customer(), new_id()
    await office.say(received(party_id, 2_000_000, office.today, agreement_id))
    refund = RefundRecorded(
        subject_id=agreement_id, refund_id=new_id(), amount_fen=1_900_000, credit_balance_fen=0, party_id=party_id
    )
    await office.say(refund)
    await office.say(refund)  # said again it is no other money
    (alert,) = await office.alerts()
    assert (alert["rule"], alert["amount_fen"], alert["report_due_on"]) == ("S03", 3_900_000, None)


# --- watch lists ---

CSV = "\ufeffreference,name,aliases,birth_on,document_no\nUN-1,Wang Xiaoming,王小明;Wang Hsiao-ming,1980-05-17,\nUN-2,Ivan Petrov,,,\n"


async def test_aml_law_art_40_a_customer_like_somebody_on_a_list_is_alerted_and_referred(office: Office) -> None:
    api, wang = office.api, await office.operator("wang", "risk_manager")
    listed, namesake = await office.customer("王小明"), await office.customer("王小明", date(1999, 1, 2))
    assert (await office.screen(listed))[listed]["watch_list_cnt"] == 0
    async with office.runtime.reading(office.tenant_id) as read:
        assert (
            await read.scalar("SELECT count(*) FROM parties_disclosure WHERE purpose = 'watch_list'") == 0
        )  # no list, no name opened
    answer = await api.post("/v1/screening/watch-lists", json={"name": "un-consolidated", "kind": "un", "csv": CSV}, headers=wang)
    assert (answer.status_code, answer.json()["version"], answer.json()["entry_count"]) == (200, 1, 2), answer.text
    await drain_jobs(office.runtime)  # everybody on file is compared
    (alert,) = await office.alerts()
    assert (alert["rule"], alert["party_id"], alert["score"]) == ("W01", public_id(Prefix.PARTY, listed), 1.0)
    assert alert["references"] == ["un-consolidated:UN-1:same_and_birth_date"]
    found = await office.screen(listed, namesake)
    assert (found[listed]["watch_list_cnt"], found[namesake]["watch_list_cnt"]) == (1, 0)
    await api.post(f"/v1/screening/alerts/{alert['id']}/assignment", json={}, headers=wang)
    decided = await api.post(
        f"/v1/screening/alerts/{alert['id']}/decision",
        json={"is_reported": False, "reason": "证件号不同，非同一人"},
        headers=wang,
    )
    assert decided.json()["state"] == "dismissed"
    assert (await office.screen(listed))[listed]["watch_list_cnt"] == 0
    office.clock.advance(timedelta(days=1))
    again = await office.key("risk_manager")
    await api.post("/v1/screening/watch-lists", json={"name": "un-consolidated", "kind": "un", "csv": CSV}, headers=again)
    await drain_jobs(office.runtime)
    assert [each["state"] for each in await office.alerts()] == ["dismissed"]  # what was decided is not asked again


async def test_aml_law_art_40_without_consent_the_lists_are_looked_at_all_the_same(office: Office) -> None:
    number = identity_no(date(1971, 2, 3))
    rows = [{"reference": "T-9", "name": "Somebody Else", "aliases": [], "document_no": number.lower()}]
    wang = await office.operator("wang", "risk_manager")
    body = {"name": "terrorism", "kind": "terrorism", "json": json.dumps(rows)}
    assert (await office.api.post("/v1/screening/watch-lists", json=body, headers=wang)).status_code == 200
    without = [purpose for purpose in ALL_CONSENTS if purpose is not parties.ConsentPurpose.DECISION]
    party_id = (await register(office.runtime, office.tenant_id, office.actor, number=number, consents=without))[0]
    async with office.runtime.unit(office.tenant_id, office.actor) as uow:
        application = screening.Screened(application_id=new_id(), party_id=party_id, channel="alipay", has_consented=False)
        assert await screening.screen_applications(uow, [application]) == {}
    (alert,) = await office.alerts()
    assert (alert["rule"], alert["references"]) == ("W01", ["terrorism:T-9:document"])


async def test_a_list_that_cannot_be_read_names_its_rows_and_changes_nothing(office: Office) -> None:
    wang = await office.operator("wang", "risk_manager")
    path, head = "/v1/screening/watch-lists", {"name": "own", "kind": "other"}
    wrong = "reference,name,birth_on\nA,甲,1980-13-01\nA,,\nB,乙,\nB,丙,\n"
    answer = await office.api.post(path, json={**head, "csv": wrong}, headers=wang)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/csv/1/birth_on", "/csv/2/name", "/csv/4/reference"]
    for body, pointer in (({"csv": "name\n甲\n"}, "/csv"), ({"json": "{"}, "/json"), ({"json": "[]"}, "/json"), ({}, "/csv")):
        answer = await office.api.post(path, json=head | body, headers=wang)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text
    assert (await office.api.get(path, headers=wang)).json()["items"] == []


async def test_a_list_imported_again_takes_the_place_of_what_it_was(office: Office) -> None:
    wang = await office.operator("wang", "risk_manager")
    for text, count in ((CSV, 2), ("reference,name\nX,Nobody Atall\n", 1)):
        async with office.runtime.unit(office.tenant_id, office.actor) as uow:
            asked = screening.ImportWatchList("un", screening.WatchKind.UN, csv=text)
            assert accepted((await screening.import_watch_lists(uow, [asked]))[0]).entry_count == count
    (shown,) = (await office.api.get("/v1/screening/watch-lists", headers=wang)).json()["items"]
    assert (shown["version"], shown["entry_count"]) == (2, 1)
    listed = await office.customer("王小明")
    assert (await office.screen(listed))[listed]["watch_list_cnt"] == 0
