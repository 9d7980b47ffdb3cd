"""A report from its document and back: the one way in and the one way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from xinzu.kernel.errors import FieldError
from xinzu.kernel.time import SHANGHAI, Instant, as_utc
from xinzu.middle.credit.errors import ReportInvalid
from xinzu.middle.credit.rules.pboc.checks import doubts_of, problems_of
from xinzu.middle.credit.rules.pboc.documents import json_of_tree, tree_of_json, tree_of_xml, xml_of_tree
from xinzu.middle.credit.rules.pboc.fields import Reading, Tree, read, write
from xinzu.middle.credit.rules.pboc.nodes.report import PersonalReport

PROBLEMS_TOLD_MAX = 100


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A report that may be used. ``doubts`` are its contradictions, ``unknown_nodes`` the paths of what this release cannot read: kept
    so that nothing is lost silently."""

    report: PersonalReport
    doubts: tuple[FieldError, ...]
    unknown_nodes: tuple[str, ...]


def read_xml(content: bytes) -> ReadReport:
    """A report from XML. Raises Invalid for what is no report and ReportInvalid naming every node that is wrong."""
    return read_tree(tree_of_xml(content))


def read_json(document: object) -> ReadReport:
    """A report from decoded JSON. Raises Invalid for what is no report and ReportInvalid naming every node that is wrong."""
    return read_tree(tree_of_json(document))


def read_tree(tree: Tree) -> ReadReport:
    """A report from its tree; raises ReportInvalid."""
    reading = Reading()
    report = read(PersonalReport, tree, reading, "/Document")
    problems = problems_of(report) if report is not None else reading.problems
    if report is None or problems:
        raise ReportInvalid(
            f"报告有 {len(problems)} 处错误，请按提示更正后重新导入",
            f"The report has {len(problems)} errors: correct them as named and import it again",
            errors=tuple(problems[:PROBLEMS_TOLD_MAX]),
        )
    return ReadReport(report, tuple(doubts_of(report)), tuple(reading.unknown))


def to_xml(report: PersonalReport) -> bytes:
    return xml_of_tree(write(report))


def to_json(report: PersonalReport) -> bytes:
    return json_of_tree(write(report))


def reported_at(report: PersonalReport) -> Instant:
    """The instant of the report: its time is Beijing's."""
    return as_utc(report.header.identity.reported_at.replace(tzinfo=SHANGHAI))


def local_time(at: Instant) -> datetime:
    """An instant as a report writes it."""
    return at.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)
