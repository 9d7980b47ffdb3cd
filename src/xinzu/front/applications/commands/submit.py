"""Taking applications in: the hot path. A batch costs the same few statements whatever its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.front.applications import schemas, store
from xinzu.front.applications.commands.delivery import address_digest, address_key, seal_address
from xinzu.front.applications.errors import ConsentsIncomplete
from xinzu.front.applications.events import ApplicationSubmitted
from xinzu.front.applications.model import Application, ApplicationState
from xinzu.front.applications.rules.consents import PURPOSE_ZH, missing_purposes
from xinzu.front.catalogue import api as catalogue
from xinzu.kernel.errors import FieldError, Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, parse_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import AgreementTerms
from xinzu.platform.crypto.masking import mask_address
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties


@dataclass(slots=True)
class _Intake:
    """One request on its way through the batch."""

    index: int
    request: schemas.SubmitApplication
    plan_id: UUID | None
    quote_id: UUID | None
    consents: dict[str, str]
    terms: AgreementTerms | None = None


async def submit(uow: UnitOfWork, requests: Sequence[schemas.SubmitApplication]) -> list[Outcome[schemas.ApplicationView]]:
    """Take applications in: check consents, freeze terms, register people, write rows, event and evidence in one transaction.

    Refused per item, with nothing written for it: ConsentsIncomplete (before any value is looked at), Invalid with a pointer,
    the catalogue's refusals of a plan or quote, NameDiffers and PhoneDiffers of parties. No accounting effect.
    """
    outcomes: dict[int, Outcome[schemas.ApplicationView]] = {}
    intakes: list[_Intake] = []
    ids: dict[tuple[Prefix, str], UUID] = {}
    for index, request in enumerate(requests):
        try:
            intakes.append(_checked(index, request, ids))
        except Problem as problem:
            outcomes[index] = problem
    intakes = await _with_terms(uow, intakes, outcomes)
    people = await _registered(uow, intakes, outcomes)
    if people:
        await _write(uow, people, outcomes)
    return [outcomes[index] for index in range(len(requests))]


def _checked(index: int, request: schemas.SubmitApplication, ids: dict[tuple[Prefix, str], UUID]) -> _Intake:
    given = request.consents
    consents = {
        purpose: version
        for purpose, version in (
            ("application", given.application),
            ("identity_check", given.identity_check),
            ("decision", given.decision),
        )
        if version is not None
    }
    missing = missing_purposes(consents)
    if missing:
        raise ConsentsIncomplete(
            "缺少必要的单独同意，请逐项取得后再提交",
            "A mandatory separate consent is missing: obtain each before submitting",
            errors=tuple(
                FieldError(
                    f"/consents/{purpose}",
                    "applications.consent_missing",
                    f"请取得“{PURPOSE_ZH[purpose]}”的单独同意，并填写其文本版本",
                    f"Obtain the consent for {purpose} and give the version of its text",
                )
                for purpose in missing
            ),
        )
    if (request.plan_id is None) == (request.quote_id is None):
        raise Invalid.field(
            "/plan_id", "applications.plan_or_quote", "请填写方案或报价其中之一", "Give exactly one of plan_id and quote_id"
        )
    return _Intake(
        index,
        request,
        None if request.plan_id is None else _id(ids, Prefix.PLAN, request.plan_id, "/plan_id"),
        None if request.quote_id is None else _id(ids, Prefix.QUOTE, request.quote_id, "/quote_id"),
        consents,
    )


def _id(ids: dict[tuple[Prefix, str], UUID], prefix: Prefix, text: str, pointer: str) -> UUID:
    """A public id, parsed once per batch: applications of a batch share few plans."""
    found = ids.get((prefix, text))
    if found is None:
        try:
            found = ids[(prefix, text)] = parse_id(prefix, text)
        except ValueError:
            raise Invalid.field(
                pointer, "applications.bad_id", f"编号应以 {prefix}_ 开头，请核对", f"The id begins with {prefix}_: check it"
            ) from None
    return found


async def _with_terms(
    uow: UnitOfWork, intakes: Sequence[_Intake], outcomes: dict[int, Outcome[schemas.ApplicationView]]
) -> list[_Intake]:
    """Freeze the terms; those whose plan or quote is refused drop out."""
    plan_ids = {intake.plan_id for intake in intakes if intake.plan_id is not None}
    quote_ids = {intake.quote_id for intake in intakes if intake.quote_id is not None}
    by_plan = await catalogue.quote(uow, sorted(plan_ids)) if plan_ids else {}
    by_quote = await catalogue.terms_of_quotes(uow, sorted(quote_ids)) if quote_ids else {}
    kept = []
    for intake in intakes:
        found = by_plan[intake.plan_id] if intake.plan_id is not None else by_quote[intake.quote_id]  # type: ignore[index]
        if isinstance(found, Problem):
            outcomes[intake.index] = found
            continue
        intake.terms = found
        kept.append(intake)
    return kept


async def _registered(
    uow: UnitOfWork, intakes: Sequence[_Intake], outcomes: dict[int, Outcome[schemas.ApplicationView]]
) -> list[tuple[_Intake, parties.MaskedPerson]]:
    if not intakes:
        return []
    drafts = [
        parties.PersonDraft(
            name=intake.request.applicant.name,
            identity_no=intake.request.applicant.identity_no,
            phone=intake.request.applicant.phone,
            address=intake.request.delivery_address,
            pointer="/applicant",
        )
        for intake in intakes
    ]
    people = []
    for intake, outcome in zip(intakes, await parties.register_people(uow, drafts), strict=True):
        if isinstance(outcome, Problem):
            outcomes[intake.index] = outcome
        else:
            people.append((intake, outcome))
    return people


async def _write(
    uow: UnitOfWork,
    people: Sequence[tuple[_Intake, parties.MaskedPerson]],
    outcomes: dict[int, Outcome[schemas.ApplicationView]],
) -> None:
    consents: list[parties.ConsentDraft] = []
    rows: list[store.NewApplication] = []
    leaves: list[evidence.Leaf] = []
    shown: dict[UUID, catalogue.TermsView] = {}
    for intake, person in people:
        request, terms = intake.request, intake.terms
        if terms is None:
            continue
        application_id, salt = new_id(), evidence.new_salt()
        masked = mask_address(request.delivery_address)
        consents += [
            parties.ConsentDraft(
                party_id=person.id,
                purpose=parties.ConsentPurpose(purpose),
                text_version=version,
                channel=request.channel,
            )
            for purpose, version in intake.consents.items()
        ]
        rows.append(
            store.NewApplication(
                id=application_id,
                party_id=person.id,
                quote_id=intake.quote_id,
                channel=request.channel,
                terms=terms,
                signals=request.signals,
                address_sealed=seal_address(uow.vault, application_id, request.delivery_address, salt),
                address_masked=masked,
            )
        )
        uow.emit(
            ApplicationSubmitted(
                subject_id=application_id,
                party_id=person.id,
                channel=request.channel,
                terms=terms,
                signals=request.signals,
                address_key=address_key(uow.vault, request.delivery_address),
            )
        )
        application = Application(
            id=application_id,
            party_id=person.id,
            channel=request.channel,
            state=ApplicationState.SUBMITTED,
            terms=terms,
            delivery_address=masked,
            submitted_at=uow.now,
            updated_at=uow.now,
        )
        # Keyed by plan and quote: two quotes of one plan may differ.
        shared = shown.get(intake.quote_id or terms.plan_id)
        if shared is None:
            shared = shown[intake.quote_id or terms.plan_id] = catalogue.terms_view(terms)
        view = outcomes[intake.index] = schemas.application_view(application, person, False, shared)
        leaves.append(
            evidence.Leaf(
                "applications.application.submitted",
                application_id,
                {
                    "party_id": view.party_id,
                    "channel": request.channel,
                    "plan_id": shared.plan_id,
                    "family": str(terms.family),
                    "rent_fen": terms.rent_fen,
                    "period_months": terms.period_months,
                    **({"period_days": terms.period_days} if terms.period_days else {}),
                    "period_count": terms.period_count,
                    "deposit_fen": terms.deposit_fen,
                    "annual_cost_pct": terms.annual_cost_pct,
                    "consents": intake.consents,
                    "delivery_address_digest": address_digest(salt, request.delivery_address),
                },
            )
        )
    await parties.record_consents(uow, consents)
    await store.insert_applications(uow, rows)
    evidence.append(uow, leaves)
