"""What a graph does with its nodes' values: hit policies, merges, switches, loops, failures; each beside the engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xinzu.app.commands.strategy import EngineName, app, run
from xinzu.middle.decisions.rules.replay.batch import Replay, Report, replay
from xinzu.middle.decisions.rules.replay.columns import Strings
from xinzu.middle.decisions.rules.replay.walk import GraphUnreadable

ROWS: list[dict[str, Any]] = [
    {"n": 1, "s": "a", "o": {"x": 1, "e": None}, "rows": [{"v": 1}, {"v": 5}]},
    {"n": 7, "s": "b", "o": {"x": 2}, "rows": []},
    {"n": None, "s": None, "o": None, "rows": [{"v": None}, 5]},
    {"n": 3.5, "s": "", "rows": "none"},
    {},
]


def _node(name: str, kind: str, **content: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "type": kind, "content": content}


def _graph(nodes: Sequence[dict[str, Any]], *edges: str) -> dict[str, Any]:
    """Edges as ``a>b`` or, out of a switch, ``a.statement>b``."""
    made = []
    for number, edge in enumerate(edges):
        source, target = edge.split(">")
        source, _, handle = source.partition(".")
        made.append(
            {
                "id": f"e{number}",
                "sourceId": source,
                "targetId": target,
                "type": "edge",
                **({"sourceHandle": handle} if handle else {}),
            }
        )
    return {"nodes": [_node("in", "inputNode"), *nodes], "edges": made}


def _table(name: str, hit_policy: str, outputs: Sequence[str], rows: Sequence[Sequence[str]], **more: Any) -> dict[str, Any]:
    return _node(
        name,
        "decisionTableNode",
        hitPolicy=hit_policy,
        inputs=[{"id": "i", "name": "i", "field": "n"}],
        outputs=[{"id": field, "name": field, "field": field} for field in outputs],
        rules=[{"_id": str(place), "i": row[0], **dict(zip(outputs, row[1:], strict=True))} for place, row in enumerate(rows)],
        **more,
    )


def _expressions(name: str, steps: dict[str, str], **more: Any) -> dict[str, Any]:
    return _node(
        name, "expressionNode", expressions=[{"id": key, "key": key, "value": value} for key, value in steps.items()], **more
    )


def _compare(graph: dict[str, Any], *, vectorised: bool = True) -> None:
    ready, report = Replay(graph), Report()
    assert ready.rows(ROWS, Strings(), report).answers() == ready.engine.answers(ROWS)
    assert (ready.reason is None) == vectorised, ready.reason


BANDS = [["> 5", "'high'", "1"], ["> 2", "'middle'", ""], ["null", "null", "3"], ["", "n + 'a'", "4"], ["", "'low'", "s"]]


@pytest.mark.parametrize("hit_policy", ["first", "collect"])
@pytest.mark.parametrize("outputs", [("band", "points"), ("band[]", "points"), ("out.band", "out.points"), ("o.x", "points[]")])
@pytest.mark.parametrize(
    "more", [{}, {"passThrough": True}, {"outputPath": "found.it"}, {"passThrough": True, "outputPath": "o"}]
)
def test_a_table_gives_what_the_engine_gives(hit_policy: str, outputs: Sequence[str], more: dict[str, Any]) -> None:
    _compare(_graph([_table("t", hit_policy, outputs, BANDS, **more)], "in>t"))


def test_a_null_takes_a_member_away_on_merging() -> None:
    _compare(
        _graph(
            [_expressions("e", {"n": "null", "o": "{x: null, y: 1}"}, passThrough=True), _node("out", "outputNode")],
            "in>e",
            "e>out",
        )
    )


@pytest.mark.parametrize("hit_policy", ["first", "collect"])
def test_a_switch_removes_what_is_not_reached(hit_policy: str) -> None:
    switch = _node(
        "w",
        "switchNode",
        hitPolicy=hit_policy,
        statements=[{"id": "big", "condition": "n > 5"}, {"id": "some", "condition": "n > 0"}],
    )
    nodes = [
        switch,
        _expressions("a", {"a": "n"}),
        _expressions("b", {"b": "n"}, passThrough=True),
        _expressions("c", {"c": "1"}),
    ]
    _compare(_graph([*nodes, _node("out", "outputNode")], "in>w", "w.big>a", "w.some>b", "a>c", "b>c", "c>out"))
    _compare(_graph(nodes, "in>w", "w.big>a", "w.some>b", "in>c"))
    _compare(_graph(nodes[:2], "in>w", "w.big>a"))


def test_several_parents_merge_in_the_engines_order() -> None:
    nodes = [
        _expressions("a", {"r": "1", "o.x": "10", "only_a": "1"}),
        _expressions("b", {"r": "2", "o.y": "n"}),
        _node("out", "outputNode"),
    ]
    _compare(_graph(nodes, "in>a", "in>b", "a>out", "b>out", "in>out"))
    _compare(_graph(nodes, "in>b", "in>a", "in>out", "b>out", "a>out"))
    _compare(_graph(nodes[:2], "in>a", "in>b"))


@pytest.mark.parametrize("more", [{}, {"passThrough": True}, {"outputPath": "made"}, {"passThrough": True, "outputPath": "made"}])
def test_a_loop_maps_the_node_over_an_array(more: dict[str, Any]) -> None:
    _compare(_graph([_expressions("e", {"w": "v ?? 0"}, inputField="rows", executionMode="loop", **more)], "in>e"))
    table = _table("t", "first", ("band", "points"), BANDS, inputField="[{n: 1}, {n: 9}, {s: 'x'}]", executionMode="loop", **more)
    _compare(_graph([table], "in>t"))


def test_earlier_nodes_are_read_by_name() -> None:
    nodes = [
        _expressions("a", {"r": "n"}),
        _expressions("b", {"r": "$nodes.a.r", "n": "$nodes.in.n", "none": "$nodes.c.x", "again": "$.r"}),
    ]
    _compare(_graph(nodes, "in>a", "a>b"))


def test_a_failing_expression_ends_the_row_and_names_the_node() -> None:
    ready = Replay(_graph([_expressions("e", {"r": "n + 1"})], "in>e"))
    found = ready.rows(ROWS, Strings(), Report()).answers()
    assert found == ready.engine.answers(ROWS)
    assert found[2].error == 'node e: Failed to evaluate expression: "n + 1"'


@pytest.mark.parametrize(
    "node",
    [
        _node("f", "functionNode", source="export const handler = async (input) => ({doubled: (input.n ?? 0) * 2});"),
        _expressions("e", {"r": "$root"}),
        _node("d", "decisionNode", key="elsewhere"),
        _expressions("e", {"o.x": "1", "o": "o"}),
    ],
)
def test_what_the_replay_cannot_know_is_the_engines(node: dict[str, Any]) -> None:
    _compare(_graph([node], f"in>{node['id']}"), vectorised=False)


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        ([], "lists of nodes and edges"),
        ({"nodes": [], "edges": []}, "exactly one input node"),
        (_graph([_node("a", "weirdNode")]), "unknown type 'weirdNode'"),
        (_graph([_node("a", "outputNode")], "in>b"), "which is no node"),
        (_graph([_expressions("a", {}), _expressions("b", {})], "in>a", "a>b", "b>a"), "cycle"),
        (_graph([_node("in", "outputNode")]), "an id of its own"),
    ],
)
def test_what_is_no_graph_is_refused_with_a_sentence(graph: Any, sentence: str) -> None:
    with pytest.raises(GraphUnreadable, match=sentence):
        Replay(graph)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        replay(_graph([_expressions("e", {"r": "n"})], "in>e"), {"n": [1, 2], "s": ["a"]})


def test_result_columns_are_read_by_path() -> None:
    graph = _graph([_expressions("e", {"out.total": "n * 2", "name": "s"}, passThrough=True)], "in>e")
    replayed = replay(graph, {"n": [1, 2.5, None], "s": ["a", None, "c"]})
    assert replayed.values("out.total") == [2, 5, None]
    assert replayed.values("name") == ["a", None, None]
    assert [answer.error is None for answer in replayed.answers()] == [True, True, False]


@pytest.mark.parametrize("engine", list(EngineName))
def test_lines_are_answered_in_order_and_a_bad_line_alone(engine: EngineName) -> None:
    ready = Replay(_graph([_expressions("e", {"r": "n + 1"})], "in>e"))
    sink = BytesIO()
    run(ready, engine, BytesIO(b'{"n":1}\nno json\n\n{"n":"x"}\n{"n":0.5}\n"text"\n[1]\n{"n":2}'), sink)
    answers = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert [list(answer) for answer in answers] == [
        ["result"],
        ["error"],
        ["error"],
        ["error"],
        ["result"],
        *[list(a) for a in answers[5:7]],
        ["result"],
    ]
    assert answers[0] == {"result": {"r": 2}}
    assert answers[4] == {"result": {"r": 1.5}}
    assert "not JSON" in answers[1]["error"]
    assert answers[3] == {"error": 'node e: Failed to evaluate expression: "n + 1"'}


def test_the_command_answers_and_refuses(tmp_path: Path) -> None:
    runner, path = CliRunner(), tmp_path / "graph.json"
    path.write_text(json.dumps(_graph([_expressions("e", {"r": "n"})], "in>e")))
    assert runner.invoke(app, ["evaluate", str(path), "--engine", "replay"], input='{"n":1}\n').stdout == '{"result":{"r":1}}\n'
    path.write_text("{")
    refused = runner.invoke(app, ["evaluate", str(path)], input="")
    assert refused.exit_code == 2
    assert "is not JSON" in refused.stderr
    assert runner.invoke(app, ["evaluate", str(tmp_path / "none.json")], input="").exit_code == 2
