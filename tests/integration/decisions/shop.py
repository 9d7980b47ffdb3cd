"""One tenant whose applications are decided, as the tests of decisions see it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from tests.integration.decisions.people import register, terms

from xinzu.front.applications.events import ApplicationSubmitted
from xinzu.kernel.ids import new_id
from xinzu.middle.decisions import api as decisions
from xinzu.platform.actor import Actor, ActorKind
from xinzu.platform.events.relay import Relay
from xinzu.platform.runtime import Runtime
from xinzu.records.evidence import api as evidence

GOOD: dict[str, str | int | bool | None] = {"channel_admitted": True, "credit_score": 720}
REVIEWER = Actor(ActorKind.OPERATOR, "linda", new_id())


def submitted(
    party_id: UUID,
    *,
    application_id: UUID | None = None,
    value_fen: int = 599_900,
    signals: Mapping[str, str | int | bool | None] = GOOD,
) -> ApplicationSubmitted:
    return ApplicationSubmitted(
        subject_id=application_id or new_id(), party_id=party_id, channel="alipay", terms=terms(value_fen), signals=dict(signals)
    )


class Shop:
    """One tenant and what happens in it."""

    def __init__(self, runtime: Runtime, tenant_id: int, actor: Actor) -> None:
        self.runtime, self.tenant_id, self.actor = runtime, tenant_id, actor

    async def say(self, *events: object) -> None:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            uow.emit(*events)  # type: ignore[arg-type]
        await Relay(self.runtime).drain([self.tenant_id])

    async def decide(self, *events: ApplicationSubmitted) -> list[decisions.Decision]:
        await self.say(*events)
        return [await self.decision(event.subject_id) for event in events]

    async def decision(self, application_id: UUID) -> decisions.Decision:
        async with self.runtime.reading(self.tenant_id) as read:
            found = await decisions.decision_of_application(read, application_id)
        assert found is not None
        return found

    async def made(self, application_id: UUID) -> list[dict[str, object]]:
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT data FROM platform_event WHERE subject_id = :id AND type = 'xinzu.decisions.decision.made.v1' ORDER BY id",
                id=application_id,
            )
        return [row.data for row in rows]

    async def leaves(self, subject_id: UUID) -> list[str]:
        async with self.runtime.reading(self.tenant_id) as read:
            return [fact.kind for fact in await evidence.facts_of(read, subject_id) if fact.kind.startswith("decisions.")]

    async def customer(self, **how: object) -> UUID:
        return (await register(self.runtime, self.tenant_id, self.actor, **how))[0]  # type: ignore[arg-type]

    async def review(self, request: decisions.ReviewDecision, by: Actor = REVIEWER) -> object:
        async with self.runtime.unit(self.tenant_id, by) as uow:
            return (await decisions.review_decision(uow, [request]))[0]
