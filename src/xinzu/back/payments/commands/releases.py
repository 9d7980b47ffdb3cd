"""Give back what is left of a pre-authorisation once nothing more is to be collected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import structlog

from xinzu.back.payments.events import DepositReleased
from xinzu.back.payments.model import MANDATE, RELEASE, AttemptState, Mandate, MandateState, Verdict
from xinzu.back.payments.store import attempts, mandates, payments
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

log = structlog.get_logger(__name__)


async def release_rests(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """Collect nothing more from these agreements and release the rest as soon as nothing is under way.

    A mandate the customer has not confirmed yet is withdrawn at the provider instead.
    """
    found = await mandates.lock_by_agreement(uow, agreement_ids)
    ids = [mandate.id for mandate in found.values()]
    if not ids:
        return
    await mandates.mark_release_due(uow, ids)
    await payments.stop_retries(uow, list(found))
    unconfirmed = [mandate.id for mandate in found.values() if mandate.state is MandateState.INTENDED]
    if unconfirmed:
        uow.enqueue("payments.withdraw_mandates", {"mandate_ids": [str(id_) for id_ in unconfirmed]})
    await release_what_is_due(uow, ids)


async def release_what_is_due(uow: UnitOfWork, mandate_ids: Iterable[UUID]) -> None:
    """Intend the release of each mandate that waits for it and has nothing under way; end those with nothing left.

    Called whenever the last thing in the way may have gone: a payment settled, an account settled, a new business day.
    """
    found = await mandates.lock_by_id(uow, list(mandate_ids))
    due = [
        mandate
        for mandate in found.values()
        if mandate.state is MandateState.AUTHORISED and mandate.release_due_since is not None and mandate.reserved_fen == 0
    ]
    await _end(uow, [mandate for mandate in due if mandate.rest_fen == 0], {})
    releases = [(new_id(), mandate) for mandate in due if mandate.rest_fen > 0]
    if releases:
        await payments.insert_releases(
            uow,
            [
                (id_, mandate.id, mandate.agreement_id, mandate.rest_fen, public_id(Prefix.RELEASE, id_))
                for id_, mandate in releases
            ],
        )
        uow.enqueue("payments.execute_releases", {"ids": [str(id_) for id_, _ in releases]})


async def release_again(uow: UnitOfWork) -> None:
    """On a new business day: try again what the provider refused to release on an earlier one."""
    await release_what_is_due(uow, await mandates.to_release_again(uow))


async def settle_releases(uow: UnitOfWork, verdicts: Sequence[Verdict]) -> None:
    """Record what became of releases; each takes effect once, whoever brings the news first.

    Emits DepositReleased and leaves evidence when the mandate has ended by it.
    """
    owners = await mandates.lock_owners(uow, attempts.Kind.RELEASE, [verdict.id for verdict in verdicts])
    standing = await payments.releases_by_id(uow, [verdict.id for verdict in verdicts])
    moved = {
        verdict.id: verdict
        for verdict in verdicts
        if verdict.id in standing and RELEASE.allows(standing[verdict.id].state, verdict.state)
    }
    if not moved:
        return
    await attempts.record(uow, attempts.Kind.RELEASE, list(moved.values()))
    unknown = [str(id_) for id_, verdict in moved.items() if verdict.state is AttemptState.UNKNOWN]
    if unknown:
        uow.enqueue("payments.resolve_releases", {"ids": unknown}, after=attempts.RESOLVE_AFTER)
    for id_, verdict in moved.items():
        if verdict.state is AttemptState.FAILED:
            log.warning("deposit release refused", release_id=str(id_), reason=verdict.reason)
    released_fen = {
        standing[id_].mandate_id: standing[id_].amount_fen
        for id_, verdict in moved.items()
        if verdict.state is AttemptState.SUCCEEDED
    }
    await _end(uow, [owners[mandate_id] for mandate_id in released_fen], released_fen)


async def settle_withdrawals(uow: UnitOfWork, withdrawn: Sequence[tuple[UUID, str | None, bool]]) -> None:
    """Close mandates (id, auth_no, was frozen) that the provider withdrew, before or just after the customer confirmed."""
    found = await mandates.lock_by_id(uow, [item[0] for item in withdrawn])
    endings = []
    for mandate_id, auth_no, was_frozen in withdrawn:
        mandate = found.get(mandate_id)
        if mandate is None or mandate.collected_fen or not MANDATE.allows(mandate.state, MandateState.CLOSED):
            continue
        released_fen = mandate.authorised_fen if was_frozen else 0
        endings.append(mandates.Ending(mandate_id, MandateState.CLOSED, released_fen, auth_no if was_frozen else None))
        if was_frozen:
            _tell_released(uow, mandate, released_fen)
    if endings:
        await mandates.end(uow, endings)


async def _end(uow: UnitOfWork, ended: Sequence[Mandate], released_fen: dict[UUID, int]) -> None:
    if not ended:
        return
    endings = []
    for mandate in ended:
        released = released_fen.get(mandate.id, 0)
        state = MandateState.FINISHED if mandate.collected_fen else MandateState.CLOSED
        endings.append(mandates.Ending(mandate.id, MANDATE.move(mandate.state, state), released))
        _tell_released(uow, mandate, mandate.released_fen + released)
    await mandates.end(uow, endings)


def _tell_released(uow: UnitOfWork, mandate: Mandate, released_fen: int) -> None:
    uow.emit(
        DepositReleased(
            subject_id=mandate.agreement_id,
            mandate_id=mandate.id,
            party_id=mandate.party_id,
            collected_fen=mandate.collected_fen,
            released_fen=released_fen,
        )
    )
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "payments.deposit.released",
                mandate.agreement_id,
                {
                    "mandate_id": str(mandate.id),
                    "out_order_no": mandate.out_order_no,
                    "authorised_fen": mandate.authorised_fen,
                    "collected_fen": mandate.collected_fen,
                    "released_fen": released_fen,
                },
            )
        ],
    )
