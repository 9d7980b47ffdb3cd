"""Acceptance by one-time code (Electronic Signature Law arts. 3, 13): send a code, check it, sign the very document that was read."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from xinzu.kernel.errors import FieldError, Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import AgreementTerms
from xinzu.middle.agreements import store
from xinzu.middle.agreements.errors import (
    AgreementUnknown,
    CodeExpired,
    CodeSentTooOften,
    CodeWrong,
    CostTableNotAccepted,
    DocumentNotReady,
    NotOpenForSigning,
    OtherDocument,
    RestrictionClauseNotAccepted,
)
from xinzu.middle.agreements.events import AgreementSigned
from xinzu.middle.agreements.model import AGREEMENT_MOVES, Agreement, AgreementState, Code
from xinzu.middle.agreements.rules.codes import (
    CODE_DIGITS,
    TRIES_MAX,
    VALID,
    VALID_MINUTES,
    WINDOW,
    CodeState,
    code_state,
    code_text,
    wait_before_next,
)
from xinzu.middle.agreements.schemas import CodeSent, Signed
from xinzu.platform.crypto.vault import TenantVault
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

CODE = "agreements_code.code"
ADDRESS = "agreements_acceptance.address"


@dataclass(frozen=True, slots=True)
class AcceptAgreement:
    """The customer accepts: a rental with its restriction clause, a financing with its all-in cost table, each ticked on its own.

    ``network_address`` is where the customer came from, as far as the channel knows.
    """

    agreement_id: UUID
    code: str = field(repr=False)
    document_sha256: str
    restriction_clause_accepted: bool = False
    cost_table_accepted: bool = False
    network_address: str | None = field(default=None, repr=False)


async def send_acceptance_codes(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[Outcome[CodeSent]]:
    """Send a fresh one-time code to each lessee's phone; earlier codes of the agreement stop working.

    Refused with AgreementUnknown, NotOpenForSigning, DocumentNotReady or CodeSentTooOften.
    """
    agreements = await store.lock_agreements(uow, agreement_ids)
    last = await store.newest_codes(uow, agreement_ids, uow.now - WINDOW)
    outcomes: list[Outcome[CodeSent]] = []
    codes: list[store.NewCode] = []
    messages: list[parties.MessageDraft] = []
    asked: set[UUID] = set()
    for agreement_id in agreement_ids:
        refusal = _not_signable(agreements.get(agreement_id))
        wait = wait_before_next(last.get(agreement_id), uow.now)
        if refusal is None and (wait or agreement_id in asked):
            seconds = max(int(wait.total_seconds()), 1)
            refusal = CodeSentTooOften(
                f"请 {seconds} 秒后再获取验证码", f"Ask for another code in {seconds} seconds", retry_after_s=seconds
            )
        if refusal is not None:
            outcomes.append(refusal)
            continue
        asked.add(agreement_id)
        agreement = agreements[agreement_id]
        code_id, text, expires_at = new_id(), code_text(secrets.randbelow(10**CODE_DIGITS)), uow.now + VALID
        codes.append(store.NewCode(code_id, agreement_id, _digest(uow.vault, code_id, text), expires_at))
        messages.append(
            parties.MessageDraft(
                party_id=agreement.party_id,
                subject_id=agreement_id,
                template=parties.MessageTemplate.ONE_TIME_CODE,
                variables={"code": text, "valid_minutes": VALID_MINUTES},
                expires_at=expires_at,
            )
        )
        outcomes.append(CodeSent(agreement_id=public_id(Prefix.AGREEMENT, agreement_id), expires_at=expires_at))
    if codes:
        await store.insert_codes(uow, codes)
        await parties.send_messages(uow, messages)
    return outcomes


async def accept_agreements(uow: UnitOfWork, requests: Sequence[AcceptAgreement]) -> list[Outcome[Signed]]:
    """Sign agreements whose lessees give the right code for the very document of the agreement.

    Refused with AgreementUnknown, NotOpenForSigning, DocumentNotReady, OtherDocument, RestrictionClauseNotAccepted,
    CostTableNotAccepted, CodeExpired or CodeWrong. A wrong code is the one refusal that writes: the try is counted, whatever is answered.
    """
    ids = [request.agreement_id for request in requests]
    agreements = await store.lock_agreements(uow, ids)
    codes = await store.newest_codes(uow, ids, uow.now - WINDOW)
    outcomes: list[Outcome[Signed]] = []
    acceptances: list[tuple[store.NewAcceptance, bytes | None, str | None]] = []
    tried: dict[UUID, int] = {}
    for request in requests:
        agreement = agreements.get(request.agreement_id)
        if agreement is None:
            outcomes.append(AgreementUnknown())
            continue
        refusal = _not_signable(agreement) or _not_accepted(request, agreement)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        code, refusal = _try_code(uow, request, codes.get(agreement.id))
        if code is not None:
            codes[agreement.id], tried[code.id] = code, code.tries
        if code is None or refusal is not None:
            outcomes.append(refusal or CodeExpired())
            continue
        salt, sealed = _sealed_address(uow.vault, agreement.id, request.network_address)
        acceptances.append((store.NewAcceptance(agreement, code, sealed), salt, request.network_address))
        # A second request for it in this batch meets a signed agreement.
        agreements[agreement.id] = replace(agreement, state=AgreementState.SIGNED)
        outcomes.append(
            Signed(
                id=public_id(Prefix.AGREEMENT, agreement.id),
                agreement_no=agreement.agreement_no,
                document_sha256=str(agreement.document_sha256),
                signed_at=uow.now,
            )
        )
    if tried:
        await store.count_tries(uow, tried)
    if acceptances:
        await store.sign(uow, [acceptance for acceptance, _, _ in acceptances])
        uow.emit(*(_signed(uow, acceptance.agreement) for acceptance, _, _ in acceptances))
        evidence.append(uow, [_leaf(acceptance, salt, address) for acceptance, salt, address in acceptances])
    return outcomes


def _not_signable(agreement: Agreement | None) -> Problem | None:
    if agreement is None:
        return AgreementUnknown()
    if not AGREEMENT_MOVES.allows(agreement.state, AgreementState.SIGNED):
        return NotOpenForSigning(
            f"合同当前状态为 {agreement.state}，只有 drafted 的合同可以签署",
            f"The agreement is {agreement.state}; only a drafted one can be signed",
            state=str(agreement.state),
        )
    return DocumentNotReady() if agreement.document_id is None else None


def _not_accepted(request: AcceptAgreement, agreement: Agreement) -> Problem | None:
    if request.document_sha256 != agreement.document_sha256:
        return OtherDocument()
    if agreement.terms.financing is not None:
        return None if request.cost_table_accepted else _cost_table_not_accepted()
    if not request.restriction_clause_accepted:
        detail_zh, detail_en = "请先阅读并单独勾选确认远程限制条款", "Read the remote restriction clause and accept it on its own"
        error = FieldError("/restriction_clause_accepted", RestrictionClauseNotAccepted.code, detail_zh, detail_en)
        return RestrictionClauseNotAccepted(detail_zh, detail_en, errors=(error,))
    return None


def _cost_table_not_accepted() -> Problem:
    detail_zh, detail_en = "请先阅读并单独勾选确认综合融资成本明示表", "Read the all-in cost table and accept it on its own"
    error = FieldError("/cost_table_accepted", CostTableNotAccepted.code, detail_zh, detail_en)
    return CostTableNotAccepted(detail_zh, detail_en, errors=(error,))


def _try_code(uow: UnitOfWork, request: AcceptAgreement, code: Code | None) -> tuple[Code | None, Problem | None]:
    """The code with this try counted, and the refusal when it does not hold."""
    if code is None or code_state(code, uow.now) is not CodeState.USABLE:
        return None, CodeExpired()
    counted = replace(code, tries=code.tries + 1)
    if hmac.compare_digest(_digest(uow.vault, code.id, request.code), code.digest):
        return counted, None
    left = TRIES_MAX - counted.tries
    if left == 0:
        return counted, CodeExpired("验证码错误次数过多，已失效，请重新获取", "Too many wrong tries: ask for a new code")
    detail_zh, detail_en = f"验证码不正确，还可尝试 {left} 次", f"The code is wrong; {left} tries are left"
    error = FieldError("/code", CodeWrong.code, detail_zh, detail_en)
    return counted, CodeWrong(detail_zh, detail_en, errors=(error,), tries_left=left)


def _digest(vault: TenantVault, code_id: UUID, code: str) -> bytes:
    """An HMAC under the tenant's key over row and code: a million codes would be tried in a second without the key."""
    return vault.blind(CODE, f"{code_id}:{code}")


def _sealed_address(vault: TenantVault, agreement_id: UUID, address: str | None) -> tuple[bytes | None, bytes | None]:
    """A salt for the digest of a network address, and both sealed together: deleting the row erases the person from the evidence."""
    if address is None:
        return None, None
    salt = evidence.new_salt()
    return salt, vault.seal_text(f"{ADDRESS}:{agreement_id}", f"{salt.hex()} {address}")


def _signed(uow: UnitOfWork, agreement: Agreement) -> AgreementSigned:
    return AgreementSigned(
        subject_id=agreement.id,
        application_id=agreement.application_id,
        party_id=agreement.party_id,
        agreement_no=agreement.agreement_no,
        document_sha256=str(agreement.document_sha256),
        terms=agreement.terms,
        signed_at=uow.now,
    )


def _accepted_apart(terms: AgreementTerms) -> dict[str, object]:
    """What was ticked on its own."""
    if terms.financing is not None:
        return {"cost_table_accepted": True, "annual_cost_pct": terms.annual_cost_pct}
    return {"restriction_clause_version": terms.restriction_clause_version, "restriction_clause_accepted": True}


def _leaf(acceptance: store.NewAcceptance, salt: bytes | None, address: str | None) -> evidence.Leaf:
    """What a court asks of an electronic signature: which document, by whose means, how checked, from where, when."""
    agreement, code = acceptance.agreement, acceptance.code
    document_id = agreement.document_id
    return evidence.Leaf(
        "agreements.agreement.accepted",
        agreement.id,
        {
            "agreement_no": agreement.agreement_no,
            "party_id": public_id(Prefix.PARTY, agreement.party_id),
            "document_id": None if document_id is None else public_id(Prefix.DOCUMENT, document_id),
            "document_sha256": agreement.document_sha256,
            **_accepted_apart(agreement.terms),
            "method": "one_time_code_by_sms",
            "code_id": str(code.id),
            "code_sent_at": code.sent_at.isoformat(),
            "code_tries": code.tries,
            "channel": agreement.channel,
            "address_digest": None if salt is None or address is None else evidence.salted_digest(salt, address),
        },
    )
