"""SQL of reports: heads in clear, contents sealed in their own row, each opening written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from xinzu.kernel.ids import new_id
from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import AccessPurpose, ReportAccess, ReportHead, ReportKind
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_HEADS = (
    "SELECT id, kind, party_id, subject_key, report_no, institution_code, inquiry_purpose, consent_version, reported_at, imported_at,"
    " imported_by, is_synthetic, doubts, unknown_nodes, erased_at FROM credit_report"
)
_WHOLE = _HEADS.replace(" FROM ", ", content_sealed, content_blind FROM ")
_NEWEST = _WHOLE.replace("SELECT ", "SELECT DISTINCT ON (party_id) ")
_INSERT = """
INSERT INTO credit_report (
    tenant_id, id, kind, party_id, subject_key, report_no, institution_code, inquiry_purpose, consent_version, reported_at, imported_at,
    imported_by, is_synthetic, doubts, unknown_nodes, content_sealed, content_blind)
VALUES (
    :tenant, :id, :kind, :party_id, :subject_key, :report_no, :institution_code, :inquiry_purpose, :consent_version, :reported_at,
    :imported_at, :imported_by, :is_synthetic, to_jsonb(cast(:doubts AS text[])), to_jsonb(cast(:unknown_nodes AS text[])),
    :content_sealed, :content_blind)
ON CONFLICT (tenant_id, kind, report_no) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report before it is written, or as it stands: its head, its content sealed and the keyed digest of that content."""

    head: ReportHead
    content_sealed: bytes | None
    content_blind: bytes


async def insert_report(uow: UnitOfWork, report: SealedReport) -> bool:
    """Write a report; False when its number is on file."""
    head = report.head
    return (
        await uow.execute(
            _INSERT,
            id=head.id,
            kind=head.kind,
            party_id=head.party_id,
            subject_key=head.subject_key,
            report_no=head.report_no,
            institution_code=head.institution_code,
            inquiry_purpose=head.inquiry_purpose,
            consent_version=head.consent_version,
            reported_at=head.reported_at,
            imported_at=head.imported_at,
            imported_by=head.imported_by,
            is_synthetic=head.is_synthetic,
            doubts=[f"{path} {code}" for path, code in head.doubts],
            unknown_nodes=list(head.unknown_nodes),
            content_sealed=report.content_sealed,
            content_blind=report.content_blind,
        )
        == 1
    )


async def report_numbered(read: ReadSession, kind: ReportKind, report_no: str) -> SealedReport | None:
    """The report on file under a number."""
    return _sealed(
        await read.row(
            f"{_WHOLE} WHERE tenant_id = :tenant AND kind = :kind AND report_no = :report_no",
            kind=kind,
            report_no=report_no,
        )
    )


async def report(read: ReadSession, report_id: UUID) -> SealedReport | None:
    return _sealed(
        await read.row(
            f"{_WHOLE} WHERE tenant_id = :tenant AND id = :id",
            id=report_id,
        )
    )


async def heads_of(read: ReadSession, party_id: UUID, before_id: UUID | None, limit: int) -> list[ReportHead]:
    """A party's reports, last imported first."""
    rows = await read.rows(
        f"{_HEADS} WHERE tenant_id = :tenant AND party_id = :party"
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        party=party_id,
        before=before_id,
        limit=limit,
    )
    return [_head(row) for row in rows]


async def newest_of(read: ReadSession, party_ids: Sequence[UUID], kind: ReportKind, as_of: Instant) -> list[SealedReport]:
    """By party the newest report made before the instant and known by it."""
    rows = await read.rows(
        f"{_NEWEST} WHERE tenant_id = :tenant AND party_id = ANY(cast(:parties AS uuid[])) AND kind = :kind"
        " AND reported_at < :as_of AND imported_at <= :as_of ORDER BY party_id, reported_at DESC, id DESC",
        parties=list(party_ids),
        kind=kind,
        as_of=as_of,
    )
    return [SealedReport(_head(row), _bytes(row.content_sealed), bytes(row.content_blind)) for row in rows]


async def insert_accesses(uow: UnitOfWork, report_ids: Sequence[UUID], purpose: AccessPurpose) -> None:
    """Write down that the actor opens these reports."""
    await uow.execute(
        "INSERT INTO credit_report_access (tenant_id, id, report_id, actor, purpose, accessed_at)"
        " SELECT :tenant, a.id, a.report_id, :actor, :purpose, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:reports AS uuid[])) AS a(id, report_id)",
        ids=[new_id() for _ in report_ids],
        reports=list(report_ids),
        actor=str(uow.actor),
        purpose=purpose,
        now=uow.now,
    )


async def accesses_of(read: ReadSession, report_id: UUID, before_id: UUID | None, limit: int) -> list[ReportAccess]:
    """Who opened a report, last first."""
    rows = await read.rows(
        "SELECT id, report_id, actor, purpose, accessed_at FROM credit_report_access WHERE tenant_id = :tenant AND report_id = :report"
        " AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        report=report_id,
        before=before_id,
        limit=limit,
    )
    return [
        ReportAccess(
            id=row.id,
            report_id=row.report_id,
            actor=row.actor,
            purpose=AccessPurpose(row.purpose),
            accessed_at=row.accessed_at,
        )
        for row in rows
    ]


async def erase_contents(uow: UnitOfWork, made_before: Instant, limit: int) -> list[UUID]:
    """Erase what the oldest reports made before the instant say; their heads stay. Returns which."""
    rows = await uow.rows(
        "UPDATE credit_report SET content_sealed = NULL, erased_at = :now WHERE tenant_id = :tenant AND id IN"
        " (SELECT id FROM credit_report WHERE tenant_id = :tenant AND erased_at IS NULL AND reported_at < :made_before"
        " ORDER BY reported_at LIMIT :limit) RETURNING id",
        now=uow.now,
        made_before=made_before,
        limit=limit,
    )
    return [row.id for row in rows]


def _head(row: Row) -> ReportHead:
    return ReportHead(
        id=row.id,
        kind=ReportKind(row.kind),
        party_id=row.party_id,
        subject_key=row.subject_key,
        report_no=row.report_no,
        institution_code=row.institution_code,
        inquiry_purpose=row.inquiry_purpose,
        consent_version=row.consent_version,
        reported_at=row.reported_at,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        is_synthetic=row.is_synthetic,
        doubts=tuple((path, code) for path, _, code in (doubt.rpartition(" ") for doubt in row.doubts)),
        unknown_nodes=tuple(row.unknown_nodes),
        erased_at=row.erased_at,
    )


def _sealed(row: Row | None) -> SealedReport | None:
    return None if row is None else SealedReport(_head(row), _bytes(row.content_sealed), bytes(row.content_blind))


def _bytes(value: Any) -> bytes | None:  # noqa: ANN401 (a column)
    return None if value is None else bytes(value)
