"""What devices hears: agreements that begin and end, notices that arrived, and what collecting and billing say of arrears."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.back.assets.events import AssetInspected
from xinzu.back.billing.events import ArrearsCleared
from xinzu.back.collections.events import CaseClosed, RestrictionRequested
from xinzu.back.devices import store
from xinzu.back.devices.commands.orders import Ask, ask_levels, free
from xinzu.back.devices.commands.terminals import bind_devices, release_devices
from xinzu.middle.agreements.events import AgreementCommenced, AgreementEnded
from xinzu.platform.events.subscribers import on
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties.events import MessageDelivered

RESTRICTION_NOTICE = "restriction_notice"
PAID = "arrears paid: the device is free"


@on(AgreementCommenced)
async def on_agreements_commenced(uow: UnitOfWork, events: Sequence[AgreementCommenced]) -> None:
    """The asset's device serves the agreement from now on, under the clause the lessee agreed to. A financing has no asset of ours."""
    commenced = {event.asset_id: event for event in events if event.asset_id is not None}
    if commenced:
        await bind_devices(
            uow, [(event.subject_id, asset_id, event.terms.restriction_clause_version) for asset_id, event in commenced.items()]
        )


@on(MessageDelivered)
async def on_messages_delivered(uow: UnitOfWork, events: Sequence[MessageDelivered]) -> None:
    """Keep our own proof of the notices that came before a restriction."""
    notices = [
        (event.message_id, event.subject_id, event.delivered_at) for event in events if event.template == RESTRICTION_NOTICE
    ]
    if notices:
        await store.insert_notices(uow, notices)


@on(RestrictionRequested)
async def on_restrictions_requested(uow: UnitOfWork, events: Sequence[RestrictionRequested]) -> None:
    """Guard, then order; or say why not."""
    await ask_levels(
        uow,
        [
            Ask(
                agreement_id=event.subject_id,
                level=event.level,
                legal_basis=event.legal_basis,
                notice_message_id=event.notice_message_id,
                case_id=event.case_id,
            )
            for event in events
        ],
    )


@on(ArrearsCleared)
async def on_arrears_cleared(uow: UnitOfWork, events: Sequence[ArrearsCleared]) -> None:
    """Paid: free at once, at any hour. Notices sent before count no more."""
    agreement_ids = sorted({event.subject_id for event in events})
    await free(uow, agreement_ids, PAID)
    await store.mark_cleared(uow, agreement_ids)


@on(CaseClosed)
async def on_cases_closed(uow: UnitOfWork, events: Sequence[CaseClosed]) -> None:
    """The same news from collecting: it stops what the case still asked for when the two cross on their way."""
    await store.mark_case_closed(uow, {event.subject_id: event.case_id for event in events})
    await free(uow, sorted({event.subject_id for event in events}), PAID)


@on(AssetInspected)
async def on_assets_inspected(uow: UnitOfWork, events: Sequence[AssetInspected]) -> None:
    """The asset is back: free and unbind."""
    await release_devices(uow, sorted({event.subject_id for event in events}))


@on(AgreementEnded)
async def on_agreements_ended(uow: UnitOfWork, events: Sequence[AgreementEnded]) -> None:
    """Over, also without a return (bought out): free and unbind."""
    await release_devices(uow, sorted({event.subject_id for event in events}))
