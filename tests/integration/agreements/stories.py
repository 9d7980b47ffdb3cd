"""A tenant's agreements, moved through their life by the module's own front door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import msgspec
from tests.integration.decisions.people import register, terms

from xinzu.front.applications.events import ApplicationApproved
from xinzu.kernel.events import Event
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome, accepted
from xinzu.middle.agreements import api as agreements
from xinzu.middle.agreements.rendering import render
from xinzu.platform.actor import Actor
from xinzu.platform.events.relay import Relay
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties


def approved(party_id: UUID, application_id: UUID | None = None) -> ApplicationApproved:
    return ApplicationApproved(
        subject_id=application_id or new_id(), party_id=party_id, channel="alipay", decision_id=new_id(), terms=terms()
    )


class Shop:
    """One tenant and its agreements."""

    def __init__(self, runtime: Runtime, tenant_id: int, actor: Actor) -> None:
        self.runtime, self.tenant_id, self.actor = runtime, tenant_id, actor

    async def say(self, *events: Event) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            uow.emit(*events)
        await Relay(self.runtime).drain([self.tenant_id])

    async def customers(self, count: int = 1, **how: object) -> list[UUID]:
        return await register(self.runtime, self.tenant_id, self.actor, count=count, **how)  # type: ignore[arg-type]

    async def drafted(self, party_id: UUID | None = None) -> agreements.Agreement:
        event = approved(party_id or (await self.customers())[0])
        await self.say(event)
        return await self.of_application(event.subject_id)

    async def of_application(self, application_id: UUID) -> agreements.Agreement:
        async with self.runtime.reading(self.tenant_id) as read:
            found = await agreements.agreement_of_application(read, application_id)
        assert found is not None
        return found

    async def agreement(self, agreement_id: UUID) -> agreements.Agreement:
        async with self.runtime.reading(self.tenant_id) as read:
            return await agreements.agreement(read, agreement_id)

    async def answered(
        self, agreement_ids: Sequence[UUID], state: agreements.IdentityState = agreements.IdentityState.PASSED
    ) -> list[agreements.Signer]:
        """The register has answered about these signers."""
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            signers = await agreements.begin_identity_checks(uow, agreement_ids)
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            await agreements.record_identity_checks(
                uow, [agreements.IdentityOutcome(signer.agreement_id, state, "idc1", "answer") for signer in signers]
            )
        return signers

    async def rendered(self, agreement_ids: Sequence[UUID]) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            contracts = await agreements.contracts_to_render(uow, agreement_ids, None)
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            await agreements.record_documents(uow, [render(contract) for contract in contracts])

    async def ready(self) -> agreements.Agreement:
        """An agreement whose document can be read and accepted."""
        agreement = await self.drafted()
        await self.answered([agreement.id])
        await self.rendered([agreement.id])
        return await self.agreement(agreement.id)

    async def send_code(self, agreement_id: UUID) -> Outcome[agreements.CodeSent]:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            return (await agreements.send_acceptance_codes(uow, [agreement_id]))[0]

    async def code_on_phone(self, agreement_id: UUID) -> str:
        """What stands in the newest message to the lessee."""
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT id FROM parties_message WHERE tenant_id = :tenant AND subject_id = :id ORDER BY id DESC LIMIT 1",
                id=agreement_id,
            )
            contents = await parties.message_contents(read, [rows[0].id])
        text = contents[rows[0].id].text
        return text.split("确认码为")[1][:6]

    async def accept(self, agreement: agreements.Agreement, code: str, **changed: object) -> Outcome[agreements.Signed]:
        request = agreements.AcceptAgreement(
            agreement.id, code, str(agreement.document_sha256), restriction_clause_accepted=True, network_address="192.0.2.7"
        )
        request = replace(request, **changed)  # type: ignore[arg-type]
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            return (await agreements.accept_agreements(uow, [request]))[0]

    async def signed(self) -> agreements.Agreement:
        agreement = await self.ready()
        accepted(await self.send_code(agreement.id))
        accepted(await self.accept(agreement, await self.code_on_phone(agreement.id)))
        return await self.agreement(agreement.id)

    async def facts(self, subject_id: UUID) -> dict[str, dict[str, object]]:
        """Evidence of an agreement: the facts by kind."""
        async with self.runtime.reading(self.tenant_id) as read:
            found = await evidence.facts_of(read, subject_id)
        return {
            fact.kind.removeprefix("agreements."): msgspec.json.decode(fact.body)["facts"]
            for fact in found
            if fact.kind.startswith("agreements.")
        }

    async def events(self, subject_id: UUID) -> list[str]:
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT type FROM platform_event WHERE tenant_id = :tenant AND subject_id = :id"
                " AND type LIKE 'xinzu.agreements.%' ORDER BY id",
                id=subject_id,
            )
        return [".".join(row.type.split(".")[2:4]) for row in rows]
