"""What the customer, or the merchant for them, may still do: cancel, ask for a person, take back a consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from xinzu.front.applications import schemas, store
from xinzu.front.applications.errors import ApplicationUnknown, NothingToReview
from xinzu.front.applications.events import ApplicationCancelled, HumanReviewRequested
from xinzu.front.applications.model import APPLICATION_MOVES, OPEN_STATES, Application, ApplicationState, CancelReason
from xinzu.front.applications.rules.consents import MANDATORY_PURPOSES
from xinzu.front.applications.rules.review import may_request_human_review
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.states import IllegalMove
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence


async def cancel_applications(
    uow: UnitOfWork, requests: Sequence[tuple[UUID, CancelReason]]
) -> list[Outcome[schemas.ApplicationMoved]]:
    """Withdraw applications before a signature, (application, reason) each. Refused per item: ApplicationUnknown, IllegalMove."""
    held = await store.locked(uow, [application_id for application_id, _ in requests])
    cancelled: list[tuple[Application, CancelReason]] = []
    outcomes: list[Outcome[schemas.ApplicationMoved]] = []
    for application_id, reason in requests:
        application = held.get(application_id)
        if application is None:
            outcomes.append(ApplicationUnknown())
            continue
        if application.state not in OPEN_STATES:
            outcomes.append(_cannot_cancel(application))
            continue
        held[application_id] = replace(application, state=ApplicationState.CANCELLED)
        cancelled.append((application, reason))
        outcomes.append(_moved(application_id, ApplicationState.CANCELLED))
    await _write_cancellations(uow, cancelled)
    return outcomes


def _cannot_cancel(application: Application) -> IllegalMove:
    return IllegalMove(
        f"申请处于 {application.state}，不能取消；已签约的请通过合同办理",
        f"The application is {application.state} and cannot be cancelled; a signed one is ended through its agreement",
        current=str(application.state),
        target=str(ApplicationState.CANCELLED),
    )


async def stop_after_withdrawal(uow: UnitOfWork, withdrawn: Sequence[tuple[UUID, str]]) -> None:
    """Consents were taken back, (party, purpose) each: keep that as evidence, and go no further with open applications.

    What was signed goes on, because there the data are necessary to perform the contract (PIPL arts. 13(1)(2) and 15).
    """
    evidence.append(
        uow,
        [evidence.Leaf("parties.consent.withdrawn", party_id, {"purpose": purpose}) for party_id, purpose in withdrawn],
    )
    stopped = sorted({party_id for party_id, purpose in withdrawn if purpose in MANDATORY_PURPOSES})
    if stopped:
        found = await store.open_of_parties(uow, stopped, sorted(OPEN_STATES))
        await _write_cancellations(uow, [(application, CancelReason.CONSENT_WITHDRAWN) for application in found])


async def _write_cancellations(uow: UnitOfWork, cancelled: Sequence[tuple[Application, CancelReason]]) -> None:
    if not cancelled:
        return
    await store.cancel(uow, [(application.id, reason) for application, reason in cancelled])
    for application, reason in cancelled:
        APPLICATION_MOVES.move(application.state, ApplicationState.CANCELLED)
        uow.emit(ApplicationCancelled(subject_id=application.id, reason=str(reason)))
    evidence.append(
        uow,
        [
            evidence.Leaf("applications.application.cancelled", application.id, {"reason": str(reason)})
            for application, reason in cancelled
        ],
    )


async def request_human_reviews(uow: UnitOfWork, application_ids: Sequence[UUID]) -> list[Outcome[schemas.ApplicationMoved]]:
    """Applicants declined by the machine ask for a person to decide (PIPL art. 24).

    Refused per item: ApplicationUnknown, NothingToReview. Emits HumanReviewRequested; the application is referred until then.
    """
    held = await store.locked(uow, application_ids)
    outcomes: list[Outcome[schemas.ApplicationMoved]] = []
    reviewed: list[Application] = []
    for application_id in application_ids:
        application = held.get(application_id)
        if application is None:
            outcomes.append(ApplicationUnknown())
        elif application.decision is None or not may_request_human_review(application):
            outcomes.append(
                NothingToReview(
                    "仅自动拒绝的申请可申请人工复核",
                    "Only an application that was declined automatically can be reviewed by a person",
                )
            )
        else:
            held[application_id] = replace(application, state=ApplicationState.REFERRED)
            reviewed.append(application)
            uow.emit(HumanReviewRequested(subject_id=application.id, decision_id=application.decision.id))
            outcomes.append(_moved(application_id, ApplicationState.REFERRED))
    if reviewed:
        await store.request_human_review(uow, [application.id for application in reviewed])
        evidence.append(
            uow, [evidence.Leaf("applications.human_review.requested", application.id, {}) for application in reviewed]
        )
    return outcomes


def _moved(application_id: UUID, state: ApplicationState) -> schemas.ApplicationMoved:
    return schemas.ApplicationMoved(id=public_id(Prefix.APPLICATION, application_id), state=str(state))
