"""``xinzu strategy evaluate`` and its custom nodes; what ``replay`` says before it looks at any database."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from xinzu.app.commands.strategy import app

GRAPH = {
    "nodes": [
        {"id": "in", "name": "in", "type": "inputNode", "content": {}},
        {
            "id": "card",
            "name": "card",
            "type": "customNode",
            "content": {
                "kind": "scorecard",
                "config": {
                    "output": "card",
                    "base_points": 500,
                    "characteristics": [
                        {"indicator": "age_years", "code": "AGE", "bins": [{"high": 25, "points": 10}, {"low": 25, "points": 60}]}
                    ],
                },
            },
        },
    ],
    "edges": [{"id": "g", "sourceId": "in", "targetId": "card", "type": "edge"}],
}


@pytest.mark.parametrize("engine", ["zen", "replay"])
def test_custom_nodes_are_evaluated_by_both_engines(tmp_path: Path, engine: str) -> None:
    graph = tmp_path / "graph.json"
    graph.write_bytes(msgspec.json.encode(GRAPH))
    done = CliRunner().invoke(app, ["evaluate", str(graph), "--engine", engine], input='{"age_years": 22}\n{"age_years": 40}\n')
    assert done.exit_code == 0
    assert [msgspec.json.decode(line)["result"]["card"]["score"] for line in done.stdout.splitlines()] == [510, 560]


@pytest.mark.parametrize("named", [[], ["--version", "2", "--draft", "stg_1"]])
def test_a_replay_names_exactly_one_graph(named: list[str]) -> None:
    done = CliRunner().invoke(app, ["replay", "--tenant", "shop", *named])
    assert done.exit_code == 2
    assert "--draft, --version, --graph" in done.output
