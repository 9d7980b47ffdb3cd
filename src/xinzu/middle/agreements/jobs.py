"""Preparing documents, outside any transaction: the intent is committed, the register asked, the outcome recorded, the PDF rendered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from xinzu.middle.agreements import api
from xinzu.middle.agreements.providers.base import IdentityRegister
from xinzu.middle.agreements.providers.signed_identity import SignedIdentityRegister, identity_peer
from xinzu.middle.agreements.rendering import pool, render
from xinzu.platform.actor import system_actor
from xinzu.platform.jobs import cron, job

if TYPE_CHECKING:
    from xinzu.platform.runtime import Runtime

log = structlog.get_logger(__name__)

ACTOR = system_actor("agreements.prepare_documents")
AT_A_TIME = 32  # agreements per transaction: bounds memory (a document is some 120 KB) and what a crash makes us repeat
PARALLEL_CHECKS_MAX = 8
DUE_AFTER = timedelta(minutes=10)
DUE_MAX = 500


@job("agreements.prepare_documents", at_a_time=1)
async def prepare_documents(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Verify the signers of these agreements and render their contracts. What is done already is passed over."""
    await _prepare(runtime, tenant_id, [UUID(text) for text in arguments["agreement_ids"]])


@cron("agreements.prepare_due_documents", "* * * * *")
async def prepare_due_documents(runtime: Runtime, tenant_id: int, arguments: Mapping[str, Any]) -> None:
    """Take up drafts that still wait for a document, for example because no register was configured."""
    if identity_peer(runtime.settings) is None:
        return
    async with runtime.reading(tenant_id) as read:
        due = await api.awaiting_document(read, DUE_AFTER, DUE_MAX)
    await _prepare(runtime, tenant_id, due)


async def _prepare(runtime: Runtime, tenant_id: int, agreement_ids: Sequence[UUID]) -> None:
    peer = identity_peer(runtime.settings)
    if peer is None:
        log.warning(
            "documents wait: XINZU_IDENTITY_URL and XINZU_IDENTITY_KEY are not set", tenant_id=tenant_id, count=len(agreement_ids)
        )
        return
    register: IdentityRegister = SignedIdentityRegister(runtime.outbound, peer)
    for start in range(0, len(agreement_ids), AT_A_TIME):
        part = agreement_ids[start : start + AT_A_TIME]
        await runtime.give_way()
        await _check_signers(runtime, tenant_id, register, part)
        await _render(runtime, tenant_id, part)


async def _check_signers(runtime: Runtime, tenant_id: int, register: IdentityRegister, part: Sequence[UUID]) -> None:
    async with runtime.unit(tenant_id, ACTOR) as uow:
        signers = await api.begin_identity_checks(uow, part)
    turns = asyncio.Semaphore(PARALLEL_CHECKS_MAX)

    async def ask(signer: api.Signer) -> api.IdentityOutcome:
        async with turns:
            return await register.check(signer)

    outcomes = await asyncio.gather(*(ask(signer) for signer in signers))
    async with runtime.unit(tenant_id, ACTOR) as uow:
        await api.record_identity_checks(uow, outcomes)


async def _render(runtime: Runtime, tenant_id: int, part: Sequence[UUID]) -> None:
    async with runtime.unit(tenant_id, ACTOR) as uow:
        contracts = await api.contracts_to_render(uow, part, runtime.settings.arbitration_commission)
    if not contracts:
        return
    loop = asyncio.get_running_loop()
    rendered = await asyncio.gather(*(loop.run_in_executor(pool(), render, contract) for contract in contracts))
    async with runtime.unit(tenant_id, ACTOR) as uow:
        await api.record_documents(uow, rendered)
