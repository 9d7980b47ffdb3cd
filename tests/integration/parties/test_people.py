"""People, their consents, and who opened what."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest
from tests.integration.applications.orders import CLERK, identity_no, phone

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock
from xinzu.platform.crypto.vault import SealBroken
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties


async def person(runtime: Runtime, tenant_id: int, number: int = 1, *purposes: parties.ConsentPurpose) -> UUID:
    async with runtime.unit(tenant_id, CLERK) as uow:
        draft = parties.PersonDraft(
            name="王小明", identity_no=identity_no(number), phone=phone(number), address="上海市静安区1号"
        )
        party_id = accepted((await parties.register_people(uow, [draft]))[0]).id
        await parties.record_consents(
            uow,
            [parties.ConsentDraft(party_id=party_id, purpose=purpose, text_version="v1", channel="pc") for purpose in purposes],
        )
    return party_id


async def test_a_person_is_shown_masked_with_consents(
    api: httpx.AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    party_id = await person(runtime, tenant_id, 1, parties.ConsentPurpose.DECISION)
    path = f"/v1/parties/{public_id(Prefix.PARTY, party_id)}"
    shown = (await api.get(path, headers=api_key)).json()
    assert (shown["name"], shown["identity_no"][:3], shown["address"]) == ("王**", "330", "上海市静安区****")
    assert [(consent["purpose"], consent["withdrawn_at"]) for consent in shown["consents"]] == [("decision", None)]
    assert (await api.get(path, headers=other_api_key)).status_code == 404


async def test_clear_values_open_only_with_consent_and_on_record(runtime: Runtime, tenant_id: int) -> None:
    party_id = await person(runtime, tenant_id)
    async with runtime.unit(tenant_id, CLERK) as uow:
        with pytest.raises(parties.ConsentMissing):
            await parties.open_people(uow, [party_id], parties.DisclosurePurpose.IDENTITY_CHECK)
        await parties.record_consents(
            uow,
            [
                parties.ConsentDraft(
                    party_id=party_id, purpose=parties.ConsentPurpose.IDENTITY_CHECK, text_version="v1", channel="pc"
                )
            ],
        )
        opened = (await parties.open_people(uow, [party_id], parties.DisclosurePurpose.IDENTITY_CHECK))[party_id]
    assert (opened.name, opened.identity_no, opened.phone) == ("王小明", identity_no(1), phone(1))
    assert identity_no(1) not in repr(opened)
    async with runtime.reading(tenant_id) as read:
        (row,) = await read.rows("SELECT party_id, purpose, actor FROM parties_disclosure WHERE tenant_id = :tenant")
    assert (row.party_id, row.purpose, row.actor) == (party_id, "identity_check", "system:test")


async def test_a_sealed_value_moved_to_another_person_does_not_open(runtime: Runtime, tenant_id: int) -> None:
    first, second = await person(runtime, tenant_id, 1), await person(runtime, tenant_id, 2)
    async with runtime.unit(tenant_id, CLERK) as uow:
        await uow.execute(
            "UPDATE parties_person SET phone_sealed = (SELECT phone_sealed FROM parties_person WHERE id = :first) WHERE id = :second",
            first=first,
            second=second,
        )
        with pytest.raises(SealBroken):
            await parties.open_people(uow, [second], parties.DisclosurePurpose.CONTRACT)


async def test_a_consent_is_withdrawn_once_and_may_be_given_again(
    api: httpx.AsyncClient, api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    party_id = await person(runtime, tenant_id, 1, parties.ConsentPurpose.DECISION)
    path = f"/v1/parties/{public_id(Prefix.PARTY, party_id)}/consents"
    assert (await api.post(f"{path}/decision/withdrawal", headers=api_key)).status_code == 200
    again = await api.post(f"{path}/decision/withdrawal", headers=api_key)
    assert (again.status_code, again.json()["code"]) == (404, "parties.consent_unknown")
    assert (await api.post(f"{path}/fishing/withdrawal", headers=api_key)).status_code == 404
    async with runtime.unit(tenant_id, CLERK) as uow:
        with pytest.raises(parties.ConsentMissing):
            await parties.require_consent(uow, [party_id], parties.ConsentPurpose.DECISION)
        draft = parties.ConsentDraft(party_id=party_id, purpose=parties.ConsentPurpose.DECISION, text_version="v1", channel="pc")
        assert await parties.record_consents(uow, [draft]) == 1
        assert await parties.record_consents(uow, [draft]) == 0
        await parties.require_consent(uow, [party_id], parties.ConsentPurpose.DECISION)
    async with runtime.reading(tenant_id) as read:
        types = [row.type for row in await read.rows("SELECT type FROM platform_event WHERE tenant_id = :tenant")]
    assert types == ["xinzu.parties.consent.withdrawn.v1"]


async def test_ages_are_told_without_the_birth_date(runtime: Runtime, tenant_id: int, clock: FixedClock) -> None:
    party_id = await person(runtime, tenant_id, 0)  # born on 1 January 1960
    async with runtime.reading(tenant_id) as read:
        assert await parties.ages_on(read, [party_id], read.business_date) == {party_id: 66}


async def test_people_are_found_by_phone_or_identity_number_and_the_phone_can_change(
    api: httpx.AsyncClient, api_key: dict[str, str], other_api_key: dict[str, str], runtime: Runtime, tenant_id: int
) -> None:
    party_id = public_id(Prefix.PARTY, await person(runtime, tenant_id))
    changed = await api.put(f"/v1/parties/{party_id}/phone", json={"phone": "139 0000 1111"}, headers=api_key)
    assert changed.json()["phone"] == "139****1111"

    async def found(headers: dict[str, str], **by: str) -> list[str]:
        answer = await api.post("/v1/party-searches", json=by, headers=headers)
        return [item["id"] for item in answer.json()["items"]]

    assert await found(api_key, phone="13900001111") == [party_id]
    assert await found(api_key, identity_no=identity_no(1)) == [party_id]
    assert await found(api_key, phone=phone(1)) == []
    assert await found(other_api_key, phone="13900001111") == []
    both = await api.post("/v1/party-searches", json={}, headers=api_key)
    assert both.json()["errors"][0]["code"] == "parties.search_by_one"
