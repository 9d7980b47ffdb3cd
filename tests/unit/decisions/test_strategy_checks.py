"""What keeps a strategy from being published."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from xinzu.middle.decisions.model import Severity
from xinzu.middle.decisions.rules.strategy import findings, graph_digest, sanitised
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph


@pytest.fixture
def graph() -> dict[str, Any]:
    return sanitised(deepcopy(shipped_graph(PHONE_RENTAL)))


def node(graph: dict[str, Any], node_id: str) -> dict[str, Any]:
    return next(each for each in graph["nodes"] if each["id"] == node_id)


def row(graph: dict[str, Any], table: str, row_id: str) -> dict[str, Any]:
    return next(each for each in node(graph, table)["content"]["rules"] if each["_id"] == row_id)


def complaints(graph: dict[str, Any]) -> str:
    return "\n".join(
        f"{each.where}: {each.text_en}" for each in findings(graph, reason_catalogue()) if each.severity is Severity.ERROR
    )


def test_null_cells_of_an_editor_become_empty(graph: dict[str, Any]) -> None:
    row(graph, "eligibility", "E02")["_description"] = None
    row(graph, "eligibility", "E02")["value"] = None
    assert complaints(sanitised(graph)) == ""


def test_the_digest_does_not_depend_on_the_order_of_members(graph: dict[str, Any]) -> None:
    assert graph_digest(graph) == graph_digest(dict(reversed(graph.items())))


def test_an_ordering_on_what_may_be_missing_needs_a_default(graph: dict[str, Any]) -> None:
    node(graph, "eligibility")["content"]["inputs"][1]["field"] = "age_years"
    assert "age_years may be missing, then this row never hits" in complaints(graph)


def test_an_undeclared_indicator_is_refused(graph: dict[str, Any]) -> None:
    node(graph, "velocity")["content"]["inputs"][0]["field"] = "zodiac_sign"
    assert "zodiac_sign is not a declared indicator" in complaints(graph)


@pytest.mark.parametrize("cell", ["> d().year()", "rand(5)", "> date($)"])
def test_the_clock_and_chance_are_refused(graph: dict[str, Any], cell: str) -> None:
    row(graph, "velocity", "V01")["day"] = cell
    assert "may not read the clock or chance" in complaints(graph)


def test_mixed_and_or_in_a_cell_is_refused(graph: dict[str, Any]) -> None:
    row(graph, "velocity", "V01")["day"] = "> 5 and < 9 or == 20"
    assert "and/or have no precedence" in complaints(graph)


def test_a_cell_that_does_not_parse_is_named(graph: dict[str, Any]) -> None:
    row(graph, "velocity", "V01")["day"] = ">= >="
    assert "node velocity, row V01, column day" in complaints(graph)


def test_a_reason_outside_the_catalogue_is_refused(graph: dict[str, Any]) -> None:
    row(graph, "velocity", "V01")["code"] = "'BAD_VIBES'"
    assert "reason BAD_VIBES is not in the catalogue" in complaints(graph)


def test_a_reviewers_reason_is_not_for_strategies(graph: dict[str, Any]) -> None:
    row(graph, "velocity", "V01")["code"] = "'REVIEW_RISK'"
    assert "reason REVIEW_RISK is not in the catalogue" in complaints(graph)


def test_a_row_may_not_approve(graph: dict[str, Any]) -> None:
    row(graph, "velocity", "V01")["outcome"] = "'approve'"
    assert "'decline' or 'refer'" in complaints(graph)


def test_a_row_without_conditions_is_refused(graph: dict[str, Any]) -> None:
    row(graph, "velocity", "V01")["day"] = ""
    assert "without any condition it always hits" in complaints(graph)


def test_code_nodes_and_foreign_nodes_are_refused(graph: dict[str, Any]) -> None:
    node(graph, "verdict")["type"] = "functionNode"
    assert "type 'functionNode' is not allowed" in complaints(graph)


def test_a_cycle_and_a_loose_edge_are_refused(graph: dict[str, Any]) -> None:
    graph["edges"].append({"id": "back", "sourceId": "verdict", "targetId": "eligibility", "type": "edge"})
    graph["edges"].append({"id": "loose", "sourceId": "verdict", "targetId": "nowhere", "type": "edge"})
    assert "form a cycle" in complaints(graph)
    assert "which are not both nodes" in complaints(graph)


def test_a_strategy_without_a_verdict_fails_the_trial(graph: dict[str, Any]) -> None:
    node(graph, "verdict")["content"]["expressions"][1]["key"] = "conclusion"
    assert "no verdict in the strategy's output" in complaints(graph)


def test_an_expression_that_fails_on_missing_values_fails_the_trial(graph: dict[str, Any]) -> None:
    node(graph, "verdict")["content"]["expressions"].append({"id": "x", "key": "double", "value": "hits.nothing * 2"})
    assert "case nothing known" in complaints(graph)


@pytest.mark.parametrize("nonsense", [{}, {"nodes": 1, "edges": []}, {"nodes": [1], "edges": []}, {"nodes": [{}], "edges": []}])
def test_nonsense_is_refused_without_falling_over(nonsense: dict[str, Any]) -> None:
    assert findings(sanitised(nonsense), reason_catalogue())
