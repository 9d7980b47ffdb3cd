"""Reports as they go over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import ReportAccess, ReportHead, Value

XML_CHARS_MAX = 900_000  # below the largest request body
Id = Annotated[str, msgspec.Meta(max_length=64)]
Version = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z-]+$(?!\n)")]


class ConsentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A consent in writing. ``text_version`` names the exact text shown, ``channel`` where it was given."""

    party_id: Id
    purpose: Literal["credit_inquiry", "score_query"]
    text_version: Version
    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class ReportBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A report, as ``xml`` or as ``document`` (the same nodes in JSON). ``purpose`` is the code of the inquiry's reason."""

    party_id: Id
    purpose: Annotated[str, msgspec.Meta(min_length=2, max_length=2, pattern=r"^[0-9]{2}$(?!\n)")]
    consent_version: Version
    institution_code: Code
    xml: Annotated[str, msgspec.Meta(max_length=XML_CHARS_MAX)] | None = None
    document: dict[str, Any] | None = None


class EnterpriseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An enterprise's report. ``party_id`` is the person who acts for it and has authorised the inquiry."""

    party_id: Id
    purpose: Annotated[str, msgspec.Meta(min_length=2, max_length=2, pattern=r"^[0-9]{2}$(?!\n)")]
    consent_version: Version
    institution_code: Code
    document: dict[str, Any]


class DoubtView(msgspec.Struct, kw_only=True):
    """A node that disagrees with others, and how."""

    path: str
    code: str


class HeadView(msgspec.Struct, kw_only=True):
    """That a report is on file, and under which authority."""

    id: str
    kind: str
    party_id: str
    credit_code: str | None
    report_no: str
    institution_code: str
    purpose: str
    consent_version: str
    reported_at: Instant
    imported_at: Instant
    imported_by: str
    is_synthetic: bool
    doubts: list[DoubtView]
    unknown_nodes: list[str]
    erased_at: Instant | None


class ReportPage(msgspec.Struct, kw_only=True):
    """Reports, last imported first."""

    items: list[HeadView]
    next_cursor: str | None


class ReportView(msgspec.Struct, kw_only=True):
    """A report opened: its nodes by tag and its indicators by name (amounts in fen, ratios as fractions)."""

    report: HeadView
    indicators: Mapping[str, Value]
    document: Mapping[str, Any]


class AccessView(msgspec.Struct, kw_only=True):
    """One opening of a report."""

    actor: str
    purpose: str
    accessed_at: Instant


class AccessPage(msgspec.Struct, kw_only=True):
    """Openings, last first."""

    items: list[AccessView]
    next_cursor: str | None


def head_view(head: ReportHead) -> HeadView:
    return HeadView(
        id=public_id(Prefix.CREDIT_REPORT, head.id),
        kind=str(head.kind),
        party_id=public_id(Prefix.PARTY, head.party_id),
        credit_code=head.subject_key,
        report_no=head.report_no,
        institution_code=head.institution_code,
        purpose=head.inquiry_purpose,
        consent_version=head.consent_version,
        reported_at=head.reported_at,
        imported_at=head.imported_at,
        imported_by=head.imported_by,
        is_synthetic=head.is_synthetic,
        doubts=[DoubtView(path=path, code=code) for path, code in head.doubts],
        unknown_nodes=list(head.unknown_nodes),
        erased_at=head.erased_at,
    )


def report_view(head: ReportHead, values: Mapping[str, Value], document: Mapping[str, Any]) -> ReportView:
    return ReportView(report=head_view(head), indicators=values, document=document)


def access_view(access: ReportAccess) -> AccessView:
    return AccessView(actor=access.actor, purpose=str(access.purpose), accessed_at=access.accessed_at)
