"""What decisions and agreements do to applications. Called by handlers: repeated and late facts change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xinzu.front.applications import store
from xinzu.front.applications.commands.delivery import fix_delivery_addresses
from xinzu.front.applications.events import ApplicationApproved, ApplicationDeclined, ApplicationReferred
from xinzu.front.applications.model import APPLICATION_MOVES, Application, ApplicationState, CancelReason, Decision
from xinzu.kernel.errors import invariant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties import api as parties

_STATE_OF_OUTCOME = {
    "approve": ApplicationState.APPROVED,
    "decline": ApplicationState.DECLINED,
    "refer": ApplicationState.REFERRED,
}


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """A decision as it was heard: ``outcome`` is approve, decline or refer."""

    application_id: UUID
    decision_id: UUID
    outcome: str
    decided_by: str
    reason_codes: list[str]


async def apply_decisions(uow: UnitOfWork, decisions: Sequence[DecisionTaken]) -> None:
    """Move applications as decided and say so; whoever was declined is told, with the right to a person's review.

    A decision on a cancelled application, or heard twice, is passed over. Emits ApplicationReferred, -Approved, -Declined.
    """
    held = await store.locked(uow, [decision.application_id for decision in decisions])
    moved: dict[UUID, store.DecidedRow] = {}
    declined: dict[UUID, Application] = {}
    for decision in decisions:
        application = held.get(decision.application_id)
        invariant(decision.outcome in _STATE_OF_OUTCOME, f"a decision's outcome is {decision.outcome}")
        target = _STATE_OF_OUTCOME[decision.outcome]
        if application is None or not _is_news(application, decision, target):
            continue
        standing = Decision(id=decision.decision_id, decided_by=decision.decided_by, reason_codes=decision.reason_codes)
        held[application.id] = replace(application, state=target, decision=standing)
        moved[application.id] = store.DecidedRow(
            application.id, target, decision.decision_id, decision.decided_by, decision.reason_codes
        )
        _say(uow, application, decision, target)
        if target is ApplicationState.DECLINED:
            declined[application.id] = application
        else:
            declined.pop(application.id, None)
    if moved:
        await store.write_decisions(uow, list(moved.values()))
    await parties.send_messages(
        uow,
        [
            parties.MessageDraft(
                party_id=application.party_id,
                subject_id=application.id,
                template=parties.MessageTemplate.DECISION_DECLINED,
                variables={"product_name": application.terms.product_name},
            )
            for application in declined.values()
        ],
    )


def _is_news(application: Application, decision: DecisionTaken, target: ApplicationState) -> bool:
    """A person's review keeps the decision's id: it is another verdict of the same decision, so who decided tells them apart."""
    standing = application.decision
    seen = standing is not None and (standing.id, standing.decided_by) == (decision.decision_id, decision.decided_by)
    return not (seen and application.state is target) and APPLICATION_MOVES.allows(application.state, target)


def _say(uow: UnitOfWork, application: Application, decision: DecisionTaken, target: ApplicationState) -> None:
    if target is ApplicationState.APPROVED:
        uow.emit(
            ApplicationApproved(
                subject_id=application.id,
                party_id=application.party_id,
                channel=application.channel,
                decision_id=decision.decision_id,
                terms=application.terms,
            )
        )
    elif target is ApplicationState.DECLINED:
        uow.emit(
            ApplicationDeclined(subject_id=application.id, decision_id=decision.decision_id, reason_codes=decision.reason_codes)
        )
    else:
        uow.emit(ApplicationReferred(subject_id=application.id, decision_id=decision.decision_id))


async def follow_drafts(uow: UnitOfWork, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Applications whose agreements were drafted, (application, agreement) each: from here on the channel finds the agreement."""
    await store.follow_agreements(uow, pairs, ApplicationState.APPROVED, [ApplicationState.APPROVED])


async def follow_signatures(uow: UnitOfWork, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Applications whose agreements were signed, (application, agreement) each: contracted; where a rental's device goes is fixed.

    Nothing is shipped for a financing, so its address goes nowhere.
    """
    moved = await store.follow_agreements(uow, pairs, ApplicationState.CONTRACTED, [ApplicationState.APPROVED])
    if moved:
        held = await store.locked(uow, list(moved))
        await fix_delivery_addresses(
            uow, [(held[a], agreement_id) for a, agreement_id in pairs if a in moved and held[a].terms.financing is None]
        )


async def follow_cancellations(uow: UnitOfWork, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Applications whose agreements were cancelled before commencement. The agreement's own event tells the world."""
    sources = [ApplicationState.APPROVED, ApplicationState.CONTRACTED]
    await store.follow_agreements(uow, pairs, ApplicationState.CANCELLED, sources, CancelReason.AGREEMENT_CANCELLED)


async def follow_ends(uow: UnitOfWork, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Applications whose agreements ended: closed."""
    sources = APPLICATION_MOVES.sources(ApplicationState.CLOSED)
    await store.follow_agreements(uow, pairs, ApplicationState.CLOSED, sources)
