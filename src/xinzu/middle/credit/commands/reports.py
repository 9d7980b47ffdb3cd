"""Reports: consent put on file, reports taken in, opened on record, used while fresh, erased when their time is over."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from xinzu.kernel.errors import FieldError, Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import SHANGHAI, Instant, as_utc
from xinzu.middle.credit.errors import (
    InquiryConsentMissing,
    InquiryPurposeRefused,
    InstitutionDiffers,
    ReportErased,
    ReportInvalid,
    ReportKnown,
    ReportOfAnother,
    ReportUnknown,
    SyntheticReportRefused,
)
from xinzu.middle.credit.model import AccessPurpose, ReportFacts, ReportHead, ReportKind, Value
from xinzu.middle.credit.rules.enterprise import (
    enterprise_facts,
    is_synthetic_enterprise,
    read_enterprise,
    write_enterprise,
)
from xinzu.middle.credit.rules.pboc.codes import IDENTITY_CARD, INQUIRY_REASON_ZH
from xinzu.middle.credit.rules.pboc.indicators import indicators_of
from xinzu.middle.credit.rules.pboc.nodes.header import Inquiry
from xinzu.middle.credit.rules.pboc.reports import ReadReport, read_json, read_xml, reported_at, to_json
from xinzu.middle.credit.rules.pboc.synthetic import is_synthetic
from xinzu.middle.credit.rules.report_use import INQUIRY_PURPOSES, age_days, covers_inquiry, erased_before, why_not_used
from xinzu.middle.credit.store import reports as store
from xinzu.platform.crypto.identifiers import normalize_credit_code
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

CONTENT = "credit_report.content"
CLOCK_SKEW_MAX = timedelta(minutes=10)
ERASED_AT_A_TIME = 500
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """A person agreed, on a screen, to an inquiry or a query under a text."""

    party_id: UUID
    purpose: parties.ConsentPurpose
    text_version: str
    channel: str


class ConsentGiven(msgspec.Struct, kw_only=True):
    """A consent is on file."""

    party_id: str
    purpose: str
    text_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """A personal report to take in: as XML or as decoded JSON, with the authority it was obtained under.

    ``purpose`` is the code of the inquiry's reason, ``consent_version`` the text the person agreed to, ``institution_code`` who obtained
    the report. ``synthetic_allowed`` in a demo only.
    """

    party_id: UUID
    purpose: str
    consent_version: str
    institution_code: str
    xml: str | None = field(default=None, repr=False)
    document: object = field(default=None, repr=False)
    synthetic_allowed: bool = False


class Doubt(msgspec.Struct, kw_only=True):
    """Where a report disagrees with itself."""

    path: str
    code: str
    detail: str = ""


class ReportImported(msgspec.Struct, kw_only=True):
    """A report is on file. ``doubts`` and ``unknown_nodes`` are what to ask its institution about."""

    id: str
    party_id: str
    report_no: str
    reported_at: Instant
    is_synthetic: bool
    doubts: list[Doubt]
    unknown_nodes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReport:
    """A report in clear: opened on purpose and on record, kept in memory only."""

    head: ReportHead
    content: Mapping[str, object] = field(repr=False)
    values: Mapping[str, Value] = field(repr=False)


async def give_consents(uow: UnitOfWork, requests: Sequence[GiveConsent]) -> list[Outcome[ConsentGiven]]:
    """Put consents to inquiries on file, each with a leaf of evidence. Refused per item with PartyUnknown."""
    known = await parties.masked_people(uow, [request.party_id for request in requests])
    given = [request for request in requests if request.party_id in known]
    await parties.record_consents(
        uow,
        [
            parties.ConsentDraft(
                party_id=each.party_id, purpose=each.purpose, text_version=each.text_version, channel=each.channel
            )
            for each in given
        ],
    )
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "credit.consent.given",
                each.party_id,
                {"purpose": str(each.purpose), "text_version": each.text_version, "channel": each.channel},
            )
            for each in given
        ],
    )
    return [
        ConsentGiven(
            party_id=public_id(Prefix.PARTY, request.party_id), purpose=str(request.purpose), text_version=request.text_version
        )
        if request.party_id in known
        else parties.PartyUnknown()
        for request in requests
    ]


async def import_reports(uow: UnitOfWork, requests: Sequence[ImportReport]) -> list[Outcome[ReportImported]]:
    """Take reports in, sealed, each with a leaf of evidence; the same report again gives the same answer.

    Refused per item, with nothing of the report stored: InquiryPurposeRefused and InquiryConsentMissing (征信业管理条例 art. 18; PIPL arts.
    13, 29), PartyUnknown, Invalid and ReportInvalid naming the nodes, InstitutionDiffers, SyntheticReportRefused, ReportOfAnother,
    ReportKnown.
    """
    outcomes: list[Outcome[ReportImported]] = []
    for request in requests:
        try:
            outcomes.append(await _import(uow, request))
        except Problem as problem:
            outcomes.append(problem)
    return outcomes


async def _import(uow: UnitOfWork, request: ImportReport) -> ReportImported:
    consents = await _consents_for(uow, request)
    read = read_xml(request.xml.encode()) if request.xml is not None else read_json(request.document)
    inquiry = read.report.header.inquiry
    _check_time(uow, request, consents, reported_at(read.report), "/Document/PRH/PA01/PA01A/PA01AR01")
    _check_authority(request, inquiry.institution_code, inquiry.reason)
    _check_synthetic(request, is_synthetic(read.report))
    await _check_subject(uow, request.party_id, inquiry)
    return await _keep(uow, request, read)


async def _consents_for(uow: UnitOfWork, request: ImportReport) -> list[parties.Consent]:
    """The party's consents, one of which covers an inquiry now: without it we have no business looking at the report at all.

    Raises PartyUnknown, InquiryPurposeRefused, InquiryConsentMissing.
    """
    if request.party_id not in await parties.masked_people(uow, [request.party_id]):
        raise parties.PartyUnknown()
    if request.purpose not in INQUIRY_PURPOSES:
        words = "、".join(f"{code} {INQUIRY_REASON_ZH[code]}" for code in INQUIRY_PURPOSES)
        raise _wrong(
            InquiryPurposeRefused,
            "/purpose",
            f"查询用途须为 {words} 之一",
            f"the purpose is one of {', '.join(INQUIRY_PURPOSES)}: name what the person agreed to",
        )
    consents = await parties.consents_of(uow, request.party_id)
    if not covers_inquiry(consents, parties.ConsentPurpose.CREDIT_INQUIRY, request.consent_version, uow.now):
        raise _no_consent()
    return consents


def _check_time(
    uow: UnitOfWork, request: ImportReport, consents: Sequence[parties.Consent], made_at: Instant, pointer: str
) -> None:
    """The report is not from the future, and the consent was there when it was made. Raises ReportInvalid, InquiryConsentMissing."""
    if made_at > uow.now + CLOCK_SKEW_MAX:
        raise _wrong(ReportInvalid, pointer, "报告时间晚于现在，请核对报告", "the report is from the future: check it")
    if not covers_inquiry(consents, parties.ConsentPurpose.CREDIT_INQUIRY, request.consent_version, made_at):
        raise _no_consent()


def _check_synthetic(request: ImportReport, synthetic: bool) -> None:
    if synthetic and not request.synthetic_allowed:
        raise SyntheticReportRefused(
            "这是合成报告，仅可在演示环境导入", "This report is synthetic: it can be imported in a demo only"
        )


def _check_authority(request: ImportReport, institution_code: str, reason: str) -> None:
    """The report was obtained by whom and for what the caller says. Raises InstitutionDiffers, InquiryPurposeRefused."""
    if institution_code != request.institution_code:
        raise _wrong(
            InstitutionDiffers,
            "/institution_code",
            "与报告头中的查询机构代码（PA01BI02）不符，请填写实际查询机构",
            "it is not the inquiring institution of the report (PA01BI02): name the one that inquired",
        )
    if reason != request.purpose:
        raise _wrong(
            InquiryPurposeRefused,
            "/purpose",
            f"报告以用途 {reason} 查得，不得改作 {request.purpose}，请按授权用途重新查询",
            f"the report was obtained for {reason} and may not be used for {request.purpose}: inquire for that",
        )


async def _check_subject(uow: UnitOfWork, party_id: UUID, inquiry: Inquiry) -> None:
    """The report is about the party. Opens the party's number, on record. Raises ReportOfAnother."""
    person = (await parties.open_people(uow, [party_id], parties.DisclosurePurpose.CREDIT_INQUIRY))[party_id]
    same_name = unicodedata.normalize("NFKC", inquiry.name).strip() == unicodedata.normalize("NFKC", person.name).strip()
    if inquiry.id_type != IDENTITY_CARD or inquiry.id_no.upper() != person.identity_no.upper() or not same_name:
        raise _wrong(
            ReportOfAnother,
            "/party_id",
            "报告中的姓名或证件号码与该当事人不符，请核对是否选错当事人或报告",
            "name or number in the report are not this party's: check that party and report belong together",
        )


async def _keep(uow: UnitOfWork, request: ImportReport, read: ReadReport) -> ReportImported:
    content = to_json(read.report)
    salt = evidence.new_salt()
    head = ReportHead(
        id=new_id(),
        kind=ReportKind.PERSONAL_PBOC,
        party_id=request.party_id,
        subject_key=None,
        report_no=read.report.header.identity.report_no,
        institution_code=request.institution_code,
        inquiry_purpose=request.purpose,
        consent_version=request.consent_version,
        reported_at=reported_at(read.report),
        imported_at=uow.now,
        imported_by=str(uow.actor),
        is_synthetic=is_synthetic(read.report),
        doubts=tuple((doubt.pointer, doubt.code) for doubt in read.doubts),
        unknown_nodes=read.unknown_nodes,
        erased_at=None,
    )
    return _told(await keep_report(uow, head, content, salt), read.doubts)


def _told(kept: ReportHead, doubts: Sequence[FieldError]) -> ReportImported:
    return ReportImported(
        id=public_id(Prefix.CREDIT_REPORT, kept.id),
        party_id=public_id(Prefix.PARTY, kept.party_id),
        report_no=kept.report_no,
        reported_at=kept.reported_at,
        is_synthetic=kept.is_synthetic,
        doubts=[Doubt(path=doubt.pointer, code=doubt.code, detail=doubt.detail_zh) for doubt in doubts],
        unknown_nodes=list(kept.unknown_nodes),
    )


async def import_enterprise_reports(uow: UnitOfWork, requests: Sequence[ImportReport]) -> list[Outcome[ReportImported]]:
    """Take enterprises' reports in, under the authority of the person who acts for each; the same rules as for a person's report.

    Refused per item with what ``import_reports`` refuses, and Invalid for a unified social credit code that is not well made.
    """
    outcomes: list[Outcome[ReportImported]] = []
    for request in requests:
        try:
            outcomes.append(await _import_enterprise(uow, request))
        except Problem as problem:
            outcomes.append(problem)
    return outcomes


async def _import_enterprise(uow: UnitOfWork, request: ImportReport) -> ReportImported:
    consents = await _consents_for(uow, request)
    report, unknown = read_enterprise(request.document)
    made_at = as_utc(report.header.reported_at.replace(tzinfo=SHANGHAI))
    _check_time(uow, request, consents, made_at, "/document/header/reported_at")
    _check_authority(request, report.header.institution_code, report.header.reason)
    _check_synthetic(request, is_synthetic_enterprise(report))
    head = ReportHead(
        id=new_id(),
        kind=ReportKind.ENTERPRISE,
        party_id=request.party_id,
        subject_key=normalize_credit_code(report.basics.credit_code, "/document/basics/credit_code"),
        report_no=report.header.report_no,
        institution_code=request.institution_code,
        inquiry_purpose=request.purpose,
        consent_version=request.consent_version,
        reported_at=made_at,
        imported_at=uow.now,
        imported_by=str(uow.actor),
        is_synthetic=is_synthetic_enterprise(report),
        doubts=(),
        unknown_nodes=unknown,
        erased_at=None,
    )
    content = json.dumps(write_enterprise(report), ensure_ascii=False, separators=(",", ":")).encode()
    return _told(await keep_report(uow, head, content, evidence.new_salt()), [])


async def keep_report(uow: UnitOfWork, head: ReportHead, content: bytes, salt: bytes) -> ReportHead:
    """Seal and write a report with its evidence; the head on file when it is there already. Raises ReportKnown."""
    blind = uow.vault.blind(CONTENT, content.decode())
    sealed = uow.vault.seal(f"{CONTENT}:{head.id}", salt + content)
    if not await store.insert_report(uow, store.SealedReport(head, sealed, blind)):
        found = await store.report_numbered(uow, head.kind, head.report_no)
        if found is None or found.content_blind != blind or found.head.party_id != head.party_id:
            raise ReportKnown(
                "该报告编号已有不同内容的报告，请核对报告编号或重新查询",
                "Another content is on file under this report number: check it",
            )
        return found.head
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "credit.report.imported",
                head.id,
                {
                    "kind": str(head.kind),
                    "purpose": head.inquiry_purpose,
                    "institution_code": head.institution_code,
                    "consent_version": head.consent_version,
                    "reported_at": head.reported_at.isoformat(),
                    "is_synthetic": head.is_synthetic,
                    "content_digest": evidence.salted_digest(salt, content.decode()),
                },
            )
        ],
    )
    return head


async def open_report(uow: UnitOfWork, report_id: UUID, purpose: AccessPurpose) -> OpenedReport:
    """What a report says, on record (who, when, why). Raises ReportUnknown, ReportErased."""
    found = await store.report(uow, report_id)
    if found is None:
        raise ReportUnknown()
    if found.content_sealed is None:
        raise ReportErased()
    await store.insert_accesses(uow, [report_id], purpose)
    content = _content(uow, report_id, found.content_sealed)
    is_personal = found.head.kind is ReportKind.PERSONAL_PBOC
    values = _values(content) if is_personal else enterprise_facts(read_enterprise(content)[0])
    return OpenedReport(head=found.head, content=content, values=values)


async def latest_reports(uow: UnitOfWork, party_ids: Sequence[UUID], as_of: Instant) -> dict[UUID, ReportFacts]:
    """By party the newest personal report made before the instant and known by it, with its indicators: for a decision, on record.

    Takes a unit of work and not a read session, because looking into a report is written down. A report that is stale, erased or no
    longer consented to is named with why it says nothing, and is not opened. Parties without a report are left out.
    """
    found = await store.newest_of(uow, party_ids, ReportKind.PERSONAL_PBOC, as_of)
    refusing = await parties.parties_without_consent(
        uow, [each.head.party_id for each in found], parties.ConsentPurpose.CREDIT_INQUIRY
    )
    facts: dict[UUID, ReportFacts] = {}
    opened: list[UUID] = []
    for each in found:
        why = why_not_used(
            reported_at=each.head.reported_at,
            as_of=as_of,
            has_consent=each.head.party_id not in refusing,
            is_erased=each.content_sealed is None,
        )
        values: Mapping[str, Value] = {}
        if why is None and each.content_sealed is not None:
            values = _values(_content(uow, each.head.id, each.content_sealed))
            opened.append(each.head.id)
        facts[each.head.party_id] = ReportFacts(
            report=each.head, age_days=age_days(each.head.reported_at, as_of), not_used=why, values=values
        )
    if opened:
        await store.insert_accesses(uow, opened, AccessPurpose.DECISION)
    return facts


async def erase_expired_reports(uow: UnitOfWork) -> int:
    """Erase the contents of reports whose time is over (征信业管理条例 art. 16; PIPL arts. 19, 47). Returns how many; call until 0."""
    made_before = uow.calendar.opening(erased_before(uow.business_date))
    erased = await store.erase_contents(uow, made_before, ERASED_AT_A_TIME)
    evidence.append(
        uow, [evidence.Leaf("credit.report.erased", report_id, {"made_before": made_before.isoformat()}) for report_id in erased]
    )
    return len(erased)


def _content(uow: UnitOfWork, report_id: UUID, sealed: bytes) -> Mapping[str, object]:
    found: Mapping[str, object] = json.loads(uow.vault.open(f"{CONTENT}:{report_id}", sealed)[_SALT_BYTES:])
    return found


def _values(content: Mapping[str, object]) -> dict[str, Value]:
    """Indicators as facts: ratios as fractions of binary floating point, as all indicators are."""
    found = indicators_of(read_json(content).report)
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in found.items()}


def _wrong(kind: type[Problem], pointer: str, zh: str, en: str) -> Problem:
    return kind(zh, en, errors=(FieldError(pointer, kind.code, zh, en),))


def _no_consent() -> Problem:
    return _wrong(
        InquiryConsentMissing,
        "/consent_version",
        "没有当事人在查询之前按该文本作出且仍有效的书面查询授权（征信业管理条例第十八条），请先取得授权再查询",
        "There is no written consent under this text that was given before the inquiry and still holds: obtain it, then inquire",
    )
