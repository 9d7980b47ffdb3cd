"""What the checks find in a table that decides by its first row, in expressions, and in custom nodes; each with its place and remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import pytest

from xinzu.middle.decisions.model import Finding, Severity
from xinzu.middle.decisions.rules.findings import LINTS
from xinzu.middle.decisions.rules.strategy import findings, report, sanitised
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph


def with_table(fields: Sequence[str], rows: Sequence[Sequence[str]], hit_policy: str = "first") -> dict[str, Any]:
    """The shipped graph with one more table, whose result nothing reads: rows are cells over the fields, then a result."""
    graph = sanitised(deepcopy(shipped_graph(PHONE_RENTAL)))
    first = next(node["id"] for node in graph["nodes"] if node["type"] == "inputNode")
    content = {
        "hitPolicy": hit_policy,
        "passThrough": True,
        "outputPath": "band",
        "inputs": [{"id": f"i{at}", "name": field, "field": field} for at, field in enumerate(fields)],
        "outputs": [{"id": "o", "name": "档位", "field": "band"}],
        "rules": [
            {"_id": f"R{at + 1}", **{f"i{column}": cell for column, cell in enumerate(cells[:-1])}, "o": cells[-1]}
            for at, cells in enumerate(rows)
        ],
    }
    graph["nodes"].append({"id": "bands", "type": "decisionTableNode", "name": "档位", "content": content})
    graph["edges"].append({"id": "b", "sourceId": first, "targetId": "bands", "type": "edge"})
    return graph


def with_node(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    graph = sanitised(deepcopy(shipped_graph(PHONE_RENTAL)))
    first = next(node["id"] for node in graph["nodes"] if node["type"] == "inputNode")
    graph["nodes"].append({"id": "own", "type": "customNode", "name": "自有", "content": {"kind": kind, "config": dict(config)}})
    graph["edges"].append({"id": "b", "sourceId": first, "targetId": "own", "type": "edge"})
    return graph


def found(graph: Mapping[str, Any], code: str) -> list[Finding]:
    return [each for each in findings(graph, reason_catalogue()) if each.code == code]


def test_a_row_covered_by_an_earlier_one_is_unreachable() -> None:
    graph = with_table(["period_count"], [["<= 12", "'A'"], ["[6..12]", "'B'"], ["> 12", "'C'"]])
    [unreachable] = found(graph, "unreachable")
    assert (unreachable.row, unreachable.severity, "R1" in unreachable.text_zh) == ("R2", Severity.WARNING, True)
    assert unreachable.remedy_zh
    assert unreachable.remedy_en


def test_a_row_covered_by_several_together_is_unreachable() -> None:
    graph = with_table(["period_count"], [["< 12", "'A'"], [">= 12", "'B'"], ["[6..24]", "'C'"]])
    [unreachable] = found(graph, "unreachable")
    assert (unreachable.row, "R1, R2" in unreachable.text_en) == ("R3", True)


def test_neighbouring_whole_numbers_leave_no_gap_but_fen_do() -> None:
    assert found(with_table(["period_count"], [["<= 12", "'A'"], [">= 13", "'B'"]]), "gap") == []
    [gap] = found(with_table(["period_count"], [["< 12", "'A'"], ["> 12", "'B'"]]), "gap")
    assert "period_count = 12" in gap.text_en


def test_a_gap_of_an_enumeration_names_what_is_missing_and_null_is_one() -> None:
    [gap] = found(with_table(["family"], [["'rental'", "'A'"], ["'loan'", "'B'"]]), "gap")
    assert "family = finance_lease" in gap.text_zh
    [gap] = found(with_table(["rent_risk_rank"], [["'low', 'medium'", "'A'"], ["'high'", "'B'"]]), "gap")
    assert "rent_risk_rank = null" in gap.text_en
    assert found(with_table(["rent_risk_rank"], [["'low'", "'A'"], ["", "'B'"]]), "gap") == []


def test_rows_that_overlap_in_part_with_another_result_are_named() -> None:
    rows = [["< 12", "", "'A'"], ["", "'loan'", "'B'"], ["", "", "'C'"]]
    [overlap] = found(with_table(["period_count", "family"], rows), "overlap")
    assert (overlap.row, "R1" in overlap.text_en) == ("R2", True)
    same = [[*row[:2], "'A'"] for row in rows]
    assert found(with_table(["period_count", "family"], same), "overlap") == []


def test_of_expressions_nothing_is_claimed() -> None:
    graph = with_table(["rent_fen * 2"], [["< 12", "'A'"], ["[6..9]", "'B'"]])
    assert not [each for each in findings(graph, reason_catalogue()) if each.code in ("unreachable", "gap", "overlap")]


def test_an_attribute_no_credit_decision_may_rest_on_is_an_error_for_counsel() -> None:
    [by_name] = found(with_table(["applicant_sex"], [["'f'", "'A'"]]), "protected")
    assert (by_name.severity, by_name.counsel) == (Severity.ERROR, True)
    graph = with_table(["channel"], [["'x'", "'A'"]])
    graph["nodes"][-1]["content"]["inputs"][0]["name"] = "申请人民族"
    assert len(found(graph, "protected")) == 1


def test_age_is_free_to_use_only_for_the_lawful_floor() -> None:
    rows = [["< 18", "'A'"], [">= 60", "'B'"], ["", "'C'"]]
    [beyond] = found(with_table(["age_years ?? 30"], rows), "age_beyond_floor")[-1:]
    assert (beyond.node, beyond.row, beyond.counsel, beyond.severity) == ("bands", "R2", True, Severity.WARNING)


@pytest.mark.parametrize(
    ("expression", "code", "severity"),
    [
        ("not family == 'loan'", "loose_not", Severity.ERROR),
        ("rent_fen + deposit_fen ?? 0", "loose_default", Severity.WARNING),
        ("len(channel) > 6", "byte_length", Severity.WARNING),
        ("len('支付宝') > 6", "byte_length", Severity.WARNING),
        ("credit_score > 600", "null_unsafe", Severity.ERROR),
        ("credit_score + 1", "null_unsafe", Severity.ERROR),
        ("rand(5) > 1", "impure", Severity.ERROR),
        ("zodiac_sign", "unknown_indicator", Severity.ERROR),
    ],
)
def test_an_expression_that_reads_otherwise_than_it_looks(expression: str, code: str, severity: Severity) -> None:
    graph = with_table([expression], [["true", "'A'"]])
    [one] = found(graph, code)
    assert (one.node, one.column, one.severity) == ("bands", "i0", severity)


@pytest.mark.parametrize(
    "expression",
    [
        "not (family == 'loan')",
        "(rent_fen ?? 0) + 1",
        "credit_score ?? 0 > 5",
        "d(as_of).year()",
        "credit_score == null or credit_score > 5",
    ],
)
def test_what_is_written_safely_is_left_alone(expression: str) -> None:
    graph = with_table([expression], [["true", "'A'"]])
    assert [
        each for each in findings(graph, reason_catalogue()) if each.node == "bands" and each.severity is Severity.ERROR
    ] == []


@pytest.mark.parametrize(
    ("kind", "config", "code"),
    [
        ("scorecard", {"output": "card"}, "bad_config"),
        (
            "scorecard",
            {
                "output": "card",
                "characteristics": [{"indicator": "credit_score", "code": "SCORE_TOO_LOW", "bins": [{"points": 1}]}],
            },
            "bad_config",
        ),
        ("list_check", {"output": "hits.lists", "indicators": ["list_match"], "code": "NO_SUCH_CODE"}, "unknown_reason"),
        ("list_check", {"output": "hits.lists", "indicators": ["zodiac"]}, "unknown_indicator"),
        ("model", {"output": "model", "model": "pd", "version": 3}, "unknown_model"),
        ("javascript", {"output": "x"}, "bad_config"),
    ],
)
def test_a_custom_node_is_checked_like_any_other(kind: str, config: dict[str, Any], code: str) -> None:
    [one] = found(with_node(kind, config), code)
    assert (one.node, one.severity) == ("own", Severity.ERROR)


def test_a_graph_with_errors_is_not_run_on_golden_cases_and_one_with_warnings_is() -> None:
    assert report(with_table(["zodiac"], [["1", "'A'"]]), reason_catalogue()).passed is False
    assert report(with_table(["period_count"], [["< 12", "'A'"]]), reason_catalogue()).passed is True


def test_large_tables_are_said_not_to_be_compared() -> None:
    graph = with_table(["period_count"], [[str(at), "'A'"] for at in range(501)])
    assert len(found(graph, "not_compared")) == 1


def test_every_lint_speaks_both_languages_and_names_a_remedy() -> None:
    for lint in LINTS.values():
        assert all((lint.text_zh, lint.text_en, lint.remedy_zh, lint.remedy_en))
