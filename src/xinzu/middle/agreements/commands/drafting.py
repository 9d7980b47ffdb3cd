"""From an approved application to a document that can be read: draft, check the signer, render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.middle.agreements import store
from xinzu.middle.agreements.commands.disclosure import disclosure_of
from xinzu.middle.agreements.commands.life import cancel_agreements
from xinzu.middle.agreements.events import AgreementDrafted, DocumentRendered
from xinzu.middle.agreements.model import (
    Agreement,
    AgreementState,
    CancelReason,
    Contract,
    Draft,
    IdentityOutcome,
    IdentityState,
    RenderedDocument,
    Signer,
)
from xinzu.middle.agreements.rules.contract import Customer, contract_content
from xinzu.middle.agreements.rules.numbers import agreement_no
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

PREPARE_JOB = "agreements.prepare_documents"
CONTENT = "agreements_document.content"
ASK_AGAIN_FIRST = timedelta(seconds=2)
ASK_AGAIN_MAX = timedelta(minutes=10)


async def draft_agreements(uow: UnitOfWork, drafts: Sequence[Draft]) -> None:
    """Fix the terms of approved applications under numbers without a gap, and ask for their documents in one job.

    An application that has an agreement already is passed over.
    """
    drafted = await store.already_drafted(uow, [draft.application_id for draft in drafts])
    fresh = list({draft.application_id: draft for draft in drafts if draft.application_id not in drafted}.values())
    if not fresh:
        return
    year = uow.business_date.year
    first = await store.take_numbers(uow, year, len(fresh))
    made = [(new_id(), agreement_no(year, first + nth), draft) for nth, draft in enumerate(fresh)]
    await store.insert_agreements(uow, made)
    uow.emit(
        *(
            AgreementDrafted(
                subject_id=agreement_id,
                application_id=draft.application_id,
                party_id=draft.party_id,
                agreement_no=number,
                terms=draft.terms,
            )
            for agreement_id, number, draft in made
        )
    )
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "agreements.agreement.drafted",
                agreement_id,
                {
                    "agreement_no": number,
                    "application_id": public_id(Prefix.APPLICATION, draft.application_id),
                    "terms": msgspec.to_builtins(draft.terms),
                },
            )
            for agreement_id, number, draft in made
        ],
    )
    uow.enqueue(PREPARE_JOB, {"agreement_ids": [str(agreement_id) for agreement_id, _, _ in made]})


async def begin_identity_checks(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[Signer]:
    """Write down that the signers' identities are being checked, and open what the register needs, on record.

    Only drafts whose signer is not verified yet. A signer who has not consented, or has taken the consent back, is not asked about:
    the agreement is cancelled.
    """
    drafts = {
        agreement.id: agreement
        for agreement in (await store.lock_agreements(uow, agreement_ids)).values()
        if agreement.state is AgreementState.DRAFTED
    }
    known = await store.identity_states(uow, list(drafts))
    open_drafts = [agreement for agreement in drafts.values() if known.get(agreement.id) is not IdentityState.PASSED]
    if not open_drafts:
        return []
    refusing = await parties.parties_without_consent(
        uow, [agreement.party_id for agreement in open_drafts], parties.ConsentPurpose.IDENTITY_CHECK
    )
    await cancel_agreements(
        uow,
        {each.id: CancelReason.IDENTITY_CONSENT_MISSING for each in open_drafts if each.party_id in refusing},
    )
    asked = [each for each in open_drafts if each.party_id not in refusing]
    people = await parties.open_people(uow, [each.party_id for each in asked], parties.DisclosurePurpose.IDENTITY_CHECK)
    await store.ask_identity(uow, [each.id for each in asked])
    return [Signer(each.id, people[each.party_id].name, people[each.party_id].identity_no) for each in asked]


async def record_identity_checks(uow: UnitOfWork, outcomes: Sequence[IdentityOutcome]) -> None:
    """Keep what the register said. Failed cancels the agreement; unknown is asked again later under the same reference."""
    if not outcomes:
        return
    settled = await store.settle_identity(uow, outcomes)
    by_id = {outcome.agreement_id: outcome for outcome in outcomes}
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "agreements.identity.checked",
                agreement_id,
                {"result": str(state), "code": by_id[agreement_id].code, "check_id": by_id[agreement_id].check_id},
            )
            for agreement_id, (state, _) in settled.items()
            if state is not IdentityState.UNKNOWN
        ],
    )
    await cancel_agreements(
        uow,
        {each: CancelReason.IDENTITY_FAILED for each, (state, _) in settled.items() if state is IdentityState.FAILED},
    )
    unknown = {each: attempts for each, (state, attempts) in settled.items() if state is IdentityState.UNKNOWN}
    if unknown:
        wait = min(ASK_AGAIN_FIRST * 2 ** min(max(unknown.values()), 16), ASK_AGAIN_MAX)
        uow.enqueue(PREPARE_JOB, {"agreement_ids": [str(each) for each in unknown]}, after=wait)


async def contracts_to_render(uow: UnitOfWork, agreement_ids: Sequence[UUID], arbitration: str | None) -> list[Contract]:
    """The contents of contracts whose signer is verified and that have no document yet; opens the customers, on record.

    The schedule of a financing counts from the drafting day, as if it commenced then: the contract says so.
    """
    verified = await store.identity_states(uow, agreement_ids)
    ready = [
        agreement
        for agreement in (await store.agreements(uow, agreement_ids)).values()
        if agreement.state is AgreementState.DRAFTED
        and agreement.document_id is None
        and verified.get(agreement.id) is IdentityState.PASSED
    ]
    if not ready:
        return []
    people = await parties.open_people(uow, [each.party_id for each in ready], parties.DisclosurePurpose.CONTRACT)
    merchant = await store.merchant_name(uow)
    return [Contract(each.id, each.terms.family, _content(each, people, merchant, arbitration)) for each in ready]


def _content(agreement: Agreement, people: Mapping[UUID, parties.OpenPerson], merchant: str, arbitration: str | None) -> bytes:
    person = people[agreement.party_id]
    customer = Customer(person.name, person.identity_no, person.phone, person.address)
    disclosed = disclosure_of(agreement.terms, agreement.drafted_on)
    return msgspec.json.encode(
        contract_content(
            agreement.agreement_no, agreement.drafted_on, merchant, customer, agreement.terms, disclosed, arbitration
        )
    )


async def record_documents(uow: UnitOfWork, rendered: Sequence[RenderedDocument]) -> None:
    """Keep rendered contracts, sealed, and say that they can be read. One rendered meanwhile by another run stays."""
    documents = []
    for each in rendered:
        document_id = new_id()
        sealed = uow.vault.seal(f"{CONTENT}:{document_id}", each.pdf)
        documents.append(store.NewDocument(document_id, each, sha256(each.pdf).hexdigest(), sealed))
    written = await store.insert_documents(uow, documents)
    kept = [document for document in documents if document.id in written]
    agreements = await store.agreements(uow, [document.rendered.agreement_id for document in kept])
    for document in kept:
        agreement = agreements[document.rendered.agreement_id]
        uow.emit(
            DocumentRendered(
                subject_id=agreement.id,
                application_id=agreement.application_id,
                document_id=document.id,
                document_sha256=document.sha256,
            )
        )
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "agreements.document.rendered",
                document.rendered.agreement_id,
                {
                    "document_id": public_id(Prefix.DOCUMENT, document.id),
                    "document_sha256": document.sha256,
                    "byte_count": len(document.rendered.pdf),
                    "template_sha256": document.rendered.template_sha256,
                    "renderer": document.rendered.renderer,
                },
            )
            for document in kept
        ],
    )
