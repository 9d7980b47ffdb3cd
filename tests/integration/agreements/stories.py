"""A tenant's agreements, moved through their life by the module's own front door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from tests.integration.decisions.people import register, terms

from xinzu.back.billing.rules.schedules.agreed import financed_cost_pct, schedule_terms
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.front.applications.events import ApplicationApproved
from xinzu.kernel.events import Event
from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import Outcome, accepted
from xinzu.kernel.terms import AgreementTerms, Family, Financing
from xinzu.middle.agreements import api as agreements
from xinzu.middle.agreements.rendering import render
from xinzu.platform.actor import Actor
from xinzu.platform.events.relay import Relay
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties


def lease(**changes: Any) -> AgreementTerms:
    """A car for three years with a residual value: a fifth is paid down."""
    financing: dict[str, Any] = {"method": "balloon", "balloon_fen": 3_000_000, "upfront_fee_fen": 50_000} | changes
    return _financed(
        Financing(family=Family.FINANCE_LEASE, principal_fen=10_384_000, annual_rate_pct="7.2", **financing),
        product_name="示例牌 纯电动轿车 2026 款",
        period_count=36,
        device_value_fen=12_980_000,
    )


def loan(**changes: Any) -> AgreementTerms:
    """Twelve thousand yuan for a year."""
    return _financed(
        Financing(family=Family.LOAN, principal_fen=1_200_000, annual_rate_pct="9.6", **changes),
        product_name="家电分期",
        period_count=12,
        device_value_fen=0,
    )


def _financed(financing: Financing, **given: Any) -> AgreementTerms:
    schedule = schedule_of(schedule_terms(financing, 1, given["period_count"], date(2026, 3, 2)))
    return replace(
        terms(),
        financing=financing,
        rent_fen=schedule.rows[0].total_fen,
        total_fen=schedule.total_fen,
        annual_cost_pct=financed_cost_pct(schedule, deposit_fen=0, buyout_fen=0),
        deposit_fen=0,
        buyout_fen=None,
        early_return_fee_fen=0,
        **given,
    )


def approved(party_id: UUID, application_id: UUID | None = None, agreed: AgreementTerms | None = None) -> ApplicationApproved:
    return ApplicationApproved(
        subject_id=application_id or new_id(), party_id=party_id, channel="alipay", decision_id=new_id(), terms=agreed or terms()
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

    async def drafted(self, party_id: UUID | None = None, agreed: AgreementTerms | None = None) -> agreements.Agreement:
        event = approved(party_id or (await self.customers())[0], agreed=agreed)
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

    async def ready(self, agreed: agreements.Agreement | AgreementTerms | None = None) -> agreements.Agreement:
        """An agreement, of a draft or of these terms, whose document can be read and accepted."""
        agreement = agreed if isinstance(agreed, agreements.Agreement) else await self.drafted(agreed=agreed)
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
        is_rental = agreement.terms.financing is None
        request = agreements.AcceptAgreement(
            agreement.id,
            code,
            str(agreement.document_sha256),
            restriction_clause_accepted=is_rental,
            cost_table_accepted=not is_rental,
            network_address="192.0.2.7",
        )
        request = replace(request, **changed)  # type: ignore[arg-type]
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            return (await agreements.accept_agreements(uow, [request]))[0]

    async def signed(self, agreed: agreements.Agreement | AgreementTerms | None = None) -> agreements.Agreement:
        agreement = await self.ready(agreed)
        accepted(await self.send_code(agreement.id))
        accepted(await self.accept(agreement, await self.code_on_phone(agreement.id)))
        return await self.agreement(agreement.id)

    async def commence(
        self, agreement: agreements.Agreement, commencement_on: date, reference: str = "BANK-1", disbursed_fen: int | None = None
    ) -> Outcome[agreements.AgreementView]:
        request = agreements.CommenceFinancing(agreement.id, commencement_on, reference, disbursed_fen)
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            return (await agreements.commence_financings(uow, [request]))[0]

    async def messages(self, subject_id: UUID) -> list[tuple[str, str]]:
        """Template and text of what the customer was told about a subject, in order."""
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT id, template FROM parties_message WHERE tenant_id = :tenant AND subject_id = :id ORDER BY id",
                id=subject_id,
            )
            contents = await parties.message_contents(read, [row.id for row in rows])
        return [(row.template, contents[row.id].text) for row in rows]

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
