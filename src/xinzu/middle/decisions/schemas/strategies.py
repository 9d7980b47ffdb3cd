"""Strategies, golden cases and experiments as they go over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import (
    Change,
    FailedCase,
    Finding,
    GoldenCase,
    Report,
    ShadowComparison,
    StrategyVersion,
)
from xinzu.middle.decisions.schemas.decisions import NOTE_CHARS_MAX, TextView
from xinzu.platform.http.fields import ONE_LINE, PROSE

KEY = r"^[a-z][a-z0-9_]*$(?!\n)"
StrategyKey = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=KEY)]
CaseName = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=ONE_LINE)]
ReasonText = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=ONE_LINE)]
ReasonCode = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[A-Z][A-Z0-9_]*$(?!\n)")]
IndicatorValue = (
    Annotated[str, msgspec.Meta(max_length=200, pattern=PROSE)]
    | Annotated[int, msgspec.Meta(ge=-(10**15), le=10**15)]
    | Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
    | bool
    | None
)


class GraphBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A graph in the JDM format to be checked without saving it."""

    key: StrategyKey
    graph: dict[str, Any]


class DraftBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A graph in the JDM format for the next version of a key. ``note`` tells whoever approves what it is for."""

    key: StrategyKey
    graph: dict[str, Any]
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARS_MAX, pattern=PROSE)] = ""


class EditBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A graph to be saved over a draft. ``revision`` is the one that was read: a draft saved in between is not overwritten."""

    graph: dict[str, Any]
    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARS_MAX, pattern=PROSE)] = ""


class StepReasonBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a version is rejected or rolled back."""

    reason: ReasonText


class PublicationBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The share of the parties the version decides, in percent; 100 puts it in the champion's place."""

    share_pct: Literal[1, 5, 20, 50, 100]


class ShadowBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether the version is asked after each decision."""

    is_shadowed: bool


class GoldenCaseBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A golden case. Indicators it does not name are missing; reasons are expected in this order."""

    key: StrategyKey
    name: CaseName
    inputs: dict[Annotated[str, msgspec.Meta(max_length=100)], IndicatorValue]
    outcome: Literal["approve", "decline", "refer"]
    reason_codes: Annotated[list[ReasonCode], msgspec.Meta(max_length=50)]


class ExperimentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How the versions of a key are tried out.

    ``accept_bp`` of the strategy's declines (basis points, at most 100 = 1 %) are accepted at random within the month's count and amount;
    never where a law or a list declines. A candidate is rolled back when its rates differ from the champion's by more than these
    percentage points over the window, from ``count_min`` decisions in each arm on.
    """

    accept_bp: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    accept_count_max: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    accept_max_fen: Annotated[int, msgspec.Meta(ge=0, le=100_000_000_000)] = 0
    window_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 24
    count_min: Annotated[int, msgspec.Meta(ge=30, le=1_000_000)] = 100
    approval_change_pct_max: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    refer_rise_pct_max: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    failure_rise_pct_max: Annotated[int, msgspec.Meta(ge=0, le=10)] = 1


class ExperimentSet(ExperimentBody, kw_only=True):
    """The settings of a key as they hold."""

    key: str


class FindingView(msgspec.Struct, kw_only=True):
    """What a check found, where, and what to do about it. ``counsel``: let a lawyer look at it before it is approved."""

    code: str
    severity: str
    node: str
    row: str
    column: str
    text: TextView
    remedy: TextView
    counsel: bool


class FailedCaseView(msgspec.Struct, kw_only=True):
    """A golden case the graph answers otherwise; ``outcome`` is null when it gives no verdict, ``broken`` then says why."""

    name: str
    expected_outcome: str
    expected_reason_codes: list[str]
    outcome: str | None
    reason_codes: list[str]
    broken: str


class ReportView(msgspec.Struct, kw_only=True):
    """What the checks of a save found. ``passed``: it may be submitted."""

    passed: bool
    findings: list[FindingView]
    failed_cases: list[FailedCaseView]
    cases_run: int


class StrategySaved(msgspec.Struct, kw_only=True):
    """The answer to each step in the life of a version."""

    id: str
    key: str
    version: int
    revision: int
    state: str
    share_pct: int
    is_shadowed: bool
    report: ReportView


class StrategySummary(msgspec.Struct, kw_only=True):
    """A version in a list. ``share_pct``: of the parties, decided by it beside the champion."""

    id: str
    key: str
    version: int
    revision: int
    state: str
    share_pct: int
    is_shadowed: bool
    note: str
    engine_version: str
    graph_sha256: str
    authors: list[str]
    submitted_by: str | None
    approved_by: str | None
    published_by: str | None
    published_at: Instant | None
    rejection: str | None
    changed_at: Instant


class StrategyVersionView(StrategySummary, kw_only=True):
    """A version with its graph and what the checks found when it was last saved or submitted."""

    graph: dict[str, Any]
    report: ReportView


class StrategyPage(msgspec.Struct, kw_only=True):
    """Versions, newest first."""

    items: list[StrategySummary]
    next_cursor: str | None


class ChangeView(msgspec.Struct, kw_only=True):
    """One difference. ``what`` is node, edge, row, column, cell, expression, statement or setting."""

    what: str
    node: str
    row: str
    column: str
    before: Any
    after: Any


class ChangesView(msgspec.Struct, kw_only=True):
    """What a version changes against another."""

    id: str
    against: str
    changes: list[ChangeView]


class GoldenCaseSet(msgspec.Struct, kw_only=True):
    """The answer to setting or removing a golden case."""

    key: str
    name: str


class GoldenCaseView(GoldenCaseSet, kw_only=True):
    """A golden case."""

    inputs: dict[str, str | float | bool | None]
    outcome: str
    reason_codes: list[str]


class GoldenCases(msgspec.Struct, kw_only=True):
    """The golden cases of a key, by name."""

    items: list[GoldenCaseView]


class ShadowCount(msgspec.Struct, kw_only=True):
    """How often ``decided`` was decided where the challenger says ``challenger``."""

    decided: str
    challenger: str
    count: int


class ShadowView(msgspec.Struct, kw_only=True):
    """A challenger beside what was decided. ``failed`` counts where it gave no verdict."""

    id: str
    version: int
    compared: int
    agreed: int
    failed: int
    counts: list[ShadowCount]


def strategy_saved(version: StrategyVersion) -> StrategySaved:
    return StrategySaved(
        id=public_id(Prefix.STRATEGY, version.id),
        key=version.key,
        version=version.version,
        revision=version.revision,
        state=version.state,
        share_pct=version.share_pct,
        is_shadowed=version.is_shadowed,
        report=report_view(version.report),
    )


def strategy_summary(version: StrategyVersion) -> StrategySummary:
    return StrategySummary(**_summary(version))


def strategy_version_view(version: StrategyVersion) -> StrategyVersionView:
    return StrategyVersionView(**_summary(version), graph=dict(version.graph), report=report_view(version.report))


def _summary(version: StrategyVersion) -> dict[str, Any]:
    return {
        "id": public_id(Prefix.STRATEGY, version.id),
        **{name: getattr(version, name) for name in StrategySummary.__struct_fields__ if name != "id"},
        "authors": list(version.authors),
    }


def report_view(report: Report) -> ReportView:
    return ReportView(
        passed=report.passed,
        findings=[_finding(each) for each in report.findings],
        failed_cases=[_failed_case(each) for each in report.failed_cases],
        cases_run=report.cases_run,
    )


def _finding(found: Finding) -> FindingView:
    return FindingView(
        code=found.code,
        severity=found.severity,
        node=found.node,
        row=found.row,
        column=found.column,
        text=TextView(zh=found.text_zh, en=found.text_en),
        remedy=TextView(zh=found.remedy_zh, en=found.remedy_en),
        counsel=found.counsel,
    )


def _failed_case(failed: FailedCase) -> FailedCaseView:
    return FailedCaseView(
        name=failed.name,
        expected_outcome=failed.expected_outcome,
        expected_reason_codes=list(failed.expected_reason_codes),
        outcome=failed.outcome,
        reason_codes=list(failed.reason_codes),
        broken=failed.broken,
    )


def changes_view(version: StrategyVersion, against: StrategyVersion, changes: Sequence[Change]) -> ChangesView:
    return ChangesView(
        id=public_id(Prefix.STRATEGY, version.id),
        against=public_id(Prefix.STRATEGY, against.id),
        changes=[
            ChangeView(what=each.what, node=each.node, row=each.row, column=each.column, before=each.before, after=each.after)
            for each in changes
        ],
    )


def golden_case_view(key: str, case: GoldenCase) -> GoldenCaseView:
    return GoldenCaseView(
        key=key, name=case.name, inputs={**case.inputs}, outcome=case.outcome, reason_codes=list(case.reason_codes)
    )


def shadow_view(version: StrategyVersion, compared: ShadowComparison) -> ShadowView:
    return ShadowView(
        id=public_id(Prefix.STRATEGY, version.id),
        version=compared.challenger,
        compared=compared.compared,
        agreed=compared.agreed,
        failed=compared.failed,
        counts=[ShadowCount(decided=decided, challenger=said, count=count) for decided, said, count in compared.counts],
    )
