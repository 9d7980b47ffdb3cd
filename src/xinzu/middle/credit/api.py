"""The front door of credit for other modules.

snapshots = await credit.take_snapshots(uow, [Applicant(application_id=…, party_id=…, channel="alipay", terms=terms, signals={…})])
snapshots[application_id].values["apply_cnt_24h"].value
"""

from __future__ import annotations

from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.credit.commands.behaviour import behaviour_of
from xinzu.middle.credit.commands.facts import name_agreements, note
from xinzu.middle.credit.commands.health import FreezeBase, drift, freeze_bases, source_health
from xinzu.middle.credit.commands.reports import (
    ConsentGiven,
    GiveConsent,
    ImportReport,
    OpenedReport,
    ReportImported,
    erase_expired_reports,
    give_consents,
    import_enterprise_reports,
    import_reports,
    latest_reports,
    open_report,
)
from xinzu.middle.credit.commands.snapshots import computed_again, take_snapshots
from xinzu.middle.credit.commands.sources import (
    Asked,
    AskScore,
    Errand,
    ScoreAsked,
    SourceView,
    ask_scores,
    begin_queries,
    configure_sources,
    record_answers,
    score_results,
    view_of,
)
from xinzu.middle.credit.definitions import catalogue_sha256, computed, definitions
from xinzu.middle.credit.errors import ReportUnknown, SnapshotUnknown
from xinzu.middle.credit.model import (
    AccessPurpose,
    Applicant,
    Capability,
    Definition,
    FactKind,
    Happening,
    IndicatorValue,
    NotUsed,
    ReportAccess,
    ReportFacts,
    ReportHead,
    ScoreOutcome,
    ScoreResult,
    Snapshot,
    Source,
    SourceStyle,
    Status,
    Value,
)
from xinzu.middle.credit.rules.drift import MISSING, Base, freeze, stability_index, verdict
from xinzu.middle.credit.store import indicators as _indicators
from xinzu.middle.credit.store import reports as _reports
from xinzu.middle.credit.store import sources as _sources
from xinzu.platform.uow import ReadSession

__all__ = [
    "MISSING",
    "AccessPurpose",
    "Applicant",
    "AskScore",
    "Asked",
    "Base",
    "Capability",
    "ConsentGiven",
    "Definition",
    "Errand",
    "FactKind",
    "FreezeBase",
    "GiveConsent",
    "Happening",
    "ImportReport",
    "IndicatorValue",
    "NotUsed",
    "OpenedReport",
    "ReportAccess",
    "ReportFacts",
    "ReportHead",
    "ReportImported",
    "ScoreAsked",
    "ScoreOutcome",
    "ScoreResult",
    "Snapshot",
    "SnapshotUnknown",
    "Source",
    "SourceStyle",
    "SourceView",
    "Status",
    "Value",
    "ask_scores",
    "begin_queries",
    "behaviour_of",
    "catalogue_sha256",
    "computed",
    "computed_again",
    "configure_sources",
    "definitions",
    "drift",
    "erase_expired_reports",
    "freeze",
    "freeze_bases",
    "give_consents",
    "import_enterprise_reports",
    "import_reports",
    "latest_reports",
    "name_agreements",
    "note",
    "open_report",
    "record_answers",
    "report_accesses",
    "report_heads",
    "results_about",
    "score_results",
    "snapshot",
    "source_health",
    "source_views",
    "stability_index",
    "take_snapshots",
    "unsettled_queries",
    "verdict",
]


async def snapshot(read: ReadSession, application_id: UUID) -> Snapshot:
    """What the decision on an application was made on; raises SnapshotUnknown."""
    found = await _indicators.snapshot(read, application_id)
    if found is None:
        raise SnapshotUnknown()
    return found


# --- reports and score sources ---


async def report_heads(read: ReadSession, party_id: UUID, before_id: UUID | None, limit: int) -> list[ReportHead]:
    """Which reports of a person are on file, without what they say; last imported first."""
    return await _reports.heads_of(read, party_id, before_id, limit)


async def report_accesses(read: ReadSession, report_id: UUID, before_id: UUID | None, limit: int) -> list[ReportAccess]:
    """Who opened a report, last first; raises ReportUnknown."""
    if await _reports.report(read, report_id) is None:
        raise ReportUnknown()
    return await _reports.accesses_of(read, report_id, before_id, limit)


async def source_views(read: ReadSession) -> list[SourceView]:
    """The tenant's sources by capability in the order they are asked in, without their secrets."""
    return [view_of(source) for source in await _sources.sources(read)]


async def results_about(read: ReadSession, party_id: UUID, before_id: UUID | None, limit: int) -> list[ScoreResult]:
    """Everything sources said or did not say about a person, last first."""
    return await _sources.results_of(read, party_id, before_id, limit)


async def unsettled_queries(read: ReadSession, asked_before: Instant, limit: int) -> list[UUID]:
    """Questions whose asking was interrupted, oldest first."""
    return await _sources.unsettled_queries(read, asked_before, limit)
