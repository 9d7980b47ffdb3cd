"""How a strategy reads models: which ones its graph names, and the scores that are computed before it.

What a model says becomes part of the inputs (``model.<key>.v<version>.score`` and its neighbours) and is stored with the decision. So the
graph stays a pure function of its inputs, and a decision can be made again when the model is long retired.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from xinzu.middle.decisions.model import Graph, Indicators
from xinzu.middle.decisions.rules.models.scoring import ReadyModel
from xinzu.middle.decisions.rules.nodes import ConfigWrong, Model, Scorer, Values, config_of

ModelName: TypeAlias = tuple[str, int]  # key and version
Ready: TypeAlias = Mapping[ModelName, ReadyModel]
REASON_SEPARATOR = ","


def models_read(graph: Graph) -> set[ModelName]:
    """The models that nodes of a graph name."""
    found: set[ModelName] = set()
    nodes = graph.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():  # whatever somebody tries to save
        content = node.get("content") if isinstance(node, Mapping) and node.get("type") == "customNode" else None
        if isinstance(content, Mapping) and content.get("kind") == "model":
            with suppress(ConfigWrong):
                config = config_of("model", content.get("config"))
                if isinstance(config, Model):
                    found.add((config.model, config.version))
    return found


def models_of(graph: Graph, models: Ready) -> Ready:
    """Those of the models that a graph reads."""
    return {name: models[name] for name in models_read(graph) & models.keys()} if models else models


def input_name(key: str, version: int, part: str) -> str:
    """Under which name a part of what a model says stands in the inputs.

    >>> input_name("phone_card", 2, "score")
    'model.phone_card.v2.score'
    """
    return f"model.{key}.v{version}.{part}"


def with_scores(inputs: Indicators, models: Ready) -> Indicators:
    """The inputs with what each model says of them."""
    found = dict(inputs)
    for (key, version), scored in models.items():
        said = scored(inputs)
        found[input_name(key, version, "score")] = said.score
        found[input_name(key, version, "pd")] = said.pd
        found[input_name(key, version, "reason_codes")] = REASON_SEPARATOR.join(said.reason_codes)
    return found


def given_scores(key: str, version: int, inputs: Values) -> Mapping[str, Any]:
    """The scorer of model nodes: what was computed before the graph. Raises LookupError when it was not."""
    said = inputs[input_name(key, version, "reason_codes")]
    return {
        "score": inputs[input_name(key, version, "score")],
        "pd": inputs[input_name(key, version, "pd")],
        "reason_codes": said.split(REASON_SEPARATOR) if said else [],
    }


def scorer_of(models: Ready) -> Scorer:
    """The scorer of checks and golden cases, whose inputs hold no scores: it asks the models themselves."""

    def asked(key: str, version: int, inputs: Values) -> Mapping[str, Any]:
        return models[key, version](inputs).as_values()

    return asked
