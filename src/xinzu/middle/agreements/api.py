"""The front door of agreements for other modules and the demo.

await agreements.send_acceptance_codes(uow, [agreement_id])
await agreements.accept_agreements(uow, [AcceptAgreement(agreement_id, "204816", sha256, restriction_clause_accepted=True)])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.paging import Page, page_of
from xinzu.middle.agreements import store
from xinzu.middle.agreements.commands.drafting import (
    CONTENT,
    begin_identity_checks,
    contracts_to_render,
    draft_agreements,
    record_documents,
    record_identity_checks,
)
from xinzu.middle.agreements.commands.life import (
    CommenceFinancing,
    cancel_of_applications,
    commence_agreements,
    commence_financings,
    end_agreements,
    pass_agreements,
)
from xinzu.middle.agreements.commands.signing import AcceptAgreement, accept_agreements, send_acceptance_codes
from xinzu.middle.agreements.errors import AgreementUnknown, DocumentNotReady
from xinzu.middle.agreements.model import (
    Agreement,
    AgreementState,
    Contract,
    Draft,
    IdentityOutcome,
    IdentityState,
    RenderedDocument,
    Signer,
)
from xinzu.middle.agreements.schemas import AgreementView, CodeSent, Signed
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence

__all__ = [
    "AcceptAgreement",
    "Agreement",
    "AgreementState",
    "AgreementView",
    "CodeSent",
    "CommenceFinancing",
    "Contract",
    "Draft",
    "IdentityOutcome",
    "IdentityState",
    "OpenDocument",
    "RenderedDocument",
    "Signed",
    "Signer",
    "accept_agreements",
    "agreement",
    "agreement_of_application",
    "agreements",
    "awaiting_document",
    "begin_identity_checks",
    "cancel_of_applications",
    "commence_agreements",
    "commence_financings",
    "contracts_to_render",
    "draft_agreements",
    "end_agreements",
    "list_agreements",
    "open_document",
    "pass_agreements",
    "record_documents",
    "record_identity_checks",
    "send_acceptance_codes",
]


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A contract in clear: for the one who may read it."""

    agreement_no: str
    sha256: str
    pdf: bytes = field(repr=False)


async def agreement(read: ReadSession, agreement_id: UUID) -> Agreement:
    """One agreement; raises AgreementUnknown."""
    found = (await store.agreements(read, [agreement_id])).get(agreement_id)
    if found is None:
        raise AgreementUnknown()
    return found


async def agreements(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, Agreement]:
    """Agreements by id; unknown ids are left out."""
    return await store.agreements(read, agreement_ids)


async def agreement_of_application(read: ReadSession, application_id: UUID) -> Agreement | None:
    """The agreement an application led to, or None when there is none yet."""
    return await store.agreement_of_application(read, application_id)


async def list_agreements(
    read: ReadSession,
    *,
    state: AgreementState | None = None,
    party_id: UUID | None = None,
    before_id: UUID | None = None,
    limit: int,
) -> Page[Agreement]:
    """Agreements of the tenant, newest first."""
    found = await store.list_agreements(read, state, party_id, before_id, limit + 1)
    return page_of(found, limit, lambda each: each.id)


async def open_document(uow: UnitOfWork, agreement_id: UUID) -> OpenDocument:
    """The contract as a PDF. Who read it and when becomes evidence. Raises AgreementUnknown, DocumentNotReady."""
    found = await agreement(uow, agreement_id)
    row = await store.document(uow, agreement_id)
    if row is None:
        raise DocumentNotReady()
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "agreements.document.read",
                agreement_id,
                {"document_id": public_id(Prefix.DOCUMENT, row.id), "document_sha256": row.sha256},
            )
        ],
    )
    return OpenDocument(found.agreement_no, row.sha256, uow.vault.open(f"{CONTENT}:{row.id}", bytes(row.content_sealed)))


async def awaiting_document(read: ReadSession, older_than: timedelta, limit: int) -> list[UUID]:
    """Drafts that have waited longer than this for their document, oldest first."""
    return await store.awaiting_document(read, read.now - older_than, limit)
