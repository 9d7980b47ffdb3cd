"""The custom nodes of a strategy: product, list check, scorecard, model, manual review. Pure functions of their configuration and input.

Each gives hits (an outcome and a reason code) or values, and puts them under ``output`` (a dotted path) into what it was given, so
that nodes after it read them like any table's. Configurations are checked when a version is saved, by the same types that read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeAlias

import msgspec
from msgspec import Meta

from xinzu.middle.decisions.cards import Code, Name
from xinzu.middle.decisions.model import DecisionOutcome, ReviewLevel

Hit: TypeAlias = dict[str, str]
Values: TypeAlias = Mapping[str, Any]
REASONS_LOST_MAX = 4


class Scorer(Protocol):
    """A registered model: the score of one set of inputs. Raises LookupError when it does not know the key or version."""

    def __call__(self, key: str, version: int, inputs: Values) -> Mapping[str, Any]: ...


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="product"):
    """For whom and what the strategy is made. What is outside is a hit; a bound that is not given does not bind."""

    output: Name
    families: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    period_count_min: int | None = None
    period_count_max: int | None = None
    value_fen_max: int | None = None
    outcome: Literal["decline", "refer"] = "refer"
    code: Code = "PRODUCT_NOT_OFFERED"


class ListCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="list_check"):
    """Lists the party was screened against, by the indicators that tell of it: true is a match, missing is not screened.

    What was not screened is never taken for clean: it is a referral.
    """

    output: Name
    indicators: Annotated[tuple[Name, ...], Meta(min_length=1)]
    outcome: Literal["decline", "refer"] = "decline"
    code: Code = "LIST_MATCH"
    unscreened_code: Code = "LIST_NOT_SCREENED"


class Bin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Points for a range ``[low, high)``, for listed values, or for what is missing. Points are whole numbers."""

    points: int
    low: float | None = None
    high: float | None = None
    values: tuple[str | int | bool, ...] = ()
    is_missing: bool = False


class Characteristic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One indicator of a scorecard. ``code`` is the reason given for the points lost against the best bin."""

    indicator: Name
    bins: Annotated[tuple[Bin, ...], Meta(min_length=1)]
    code: Code


class Scorecard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="scorecard"):
    """An additive scorecard: base points plus one bin of each characteristic. The first bin that fits counts."""

    output: Name
    characteristics: Annotated[tuple[Characteristic, ...], Meta(min_length=1)]
    base_points: int = 0


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="model"):
    """A model of the registry, named with its version so that the graph stays what was approved."""

    output: Name
    model: Name
    version: Annotated[int, Meta(ge=1)]


class ManualReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="manual_review"):
    """Whatever reaches it is referred, to people of this level. Put a switch before it."""

    output: Name
    level: ReviewLevel
    code: Code = "REVIEW_BY_POLICY"


Config: TypeAlias = Product | ListCheck | Scorecard | Model | ManualReview
KINDS = ("product", "list_check", "scorecard", "model", "manual_review")


class ConfigWrong(ValueError):
    """A configuration that cannot be read; says what is wrong."""


def config_of(kind: object, config: object) -> Config:
    """The configuration of a custom node; raises ConfigWrong."""
    if not isinstance(config, Mapping):
        raise ConfigWrong("a custom node has a kind and a config")
    try:
        read: Config = msgspec.convert({**config, "kind": kind}, Config)
    except msgspec.ValidationError as error:
        raise ConfigWrong(str(error)) from error
    for wrong in _inconsistent(read):
        raise ConfigWrong(wrong)
    return read


def _inconsistent(config: Config) -> Sequence[str]:
    if not isinstance(config, Scorecard):
        return ()
    return [
        f"{each.indicator}: give exactly one of a range, values or is_missing in each bin"
        for each in config.characteristics
        for one in each.bins
        if sum((one.low is not None or one.high is not None, bool(one.values), one.is_missing)) != 1
    ]


def reads(config: Config) -> list[str]:
    """The indicators a node looks at."""
    match config:
        case Product():
            return ["family", "channel", "period_count", "device_value_fen"]
        case ListCheck():
            return [*config.indicators]
        case Scorecard():
            return [each.indicator for each in config.characteristics]
        case Model() | ManualReview():
            return []


def codes(config: Config) -> list[str]:
    """The reason codes a node may give."""
    match config:
        case ListCheck():
            return [config.code, config.unscreened_code]
        case Scorecard():
            return [each.code for each in config.characteristics]
        case Product() | ManualReview():
            return [config.code]
        case Model():
            return []


def product_hits(config: Product, inputs: Values) -> list[Hit]:
    """One hit when the application is outside of what the product is made for."""
    periods, value_fen = inputs.get("period_count"), inputs.get("device_value_fen")
    outside = (
        (config.families and inputs.get("family") not in config.families)
        or (config.channels and inputs.get("channel") not in config.channels)
        or _beyond(periods, config.period_count_min, config.period_count_max)
        or _beyond(value_fen, None, config.value_fen_max)
    )
    return [{"outcome": config.outcome, "code": config.code}] if outside else []


def list_hits(config: ListCheck, inputs: Values) -> list[Hit]:
    """A hit for a match; for a list nobody looked at, a referral."""
    answers = [inputs.get(name) for name in config.indicators]
    hits = [{"outcome": config.outcome, "code": config.code}] if any(answer is True for answer in answers) else []
    if any(answer is None for answer in answers):
        hits.append({"outcome": str(DecisionOutcome.REFER), "code": config.unscreened_code})
    return hits


def score(config: Scorecard, inputs: Values) -> dict[str, Any]:
    """The score, the points of each characteristic, and the reasons why points were lost against the best bin, the greatest loss first.

    A value no bin fits gets the fewest points of its characteristic: what is unknown is never taken for good.

    >>> card = config_of("scorecard", {"output": "card", "base_points": 500, "characteristics": [{"indicator": "age_years", "code": "AGE",
    ...     "bins": [{"high": 25, "points": 10}, {"low": 25, "points": 60}, {"is_missing": True, "points": 5}]}]})
    >>> score(card, {"age_years": 22})
    {'score': 510, 'points': {'age_years': 10}, 'reason_codes': ['AGE']}
    """
    points, lost = {}, []
    for each in config.characteristics:
        value = inputs.get(each.indicator)
        worst = min(one.points for one in each.bins)
        got = next((one.points for one in each.bins if _fits(one, value)), worst)
        points[each.indicator] = got
        lost.append((max(one.points for one in each.bins) - got, each.code))
    reasons = [code for shortfall, code in sorted(lost, key=lambda loss: -loss[0]) if shortfall > 0]
    return {
        "score": config.base_points + sum(points.values()),
        "points": points,
        "reason_codes": [*dict.fromkeys(reasons)][:REASONS_LOST_MAX],
    }


def _fits(one: Bin, value: object) -> bool:
    if one.is_missing:
        return value is None
    if one.values:
        return any(type(value) is type(each) and value == each for each in one.values)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (one.low is None or value >= one.low) and (one.high is None or value < one.high)


def _beyond(value: object, low: int | None, high: int | None) -> bool:
    """Outside of the bounds given; what is not a number is outside of any bound."""
    if low is None and high is None:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    return (low is not None and value < low) or (high is not None and value > high)


def result_of(config: Config, inputs: Values, scorer: Scorer | None) -> Any:  # noqa: ANN401 (a JSON value)
    """What a node says. Raises LookupError for a model nobody has."""
    match config:
        case Product():
            return product_hits(config, inputs)
        case ListCheck():
            return list_hits(config, inputs)
        case Scorecard():
            return score(config, inputs)
        case ManualReview():
            return [{"outcome": str(DecisionOutcome.REFER), "code": config.code}]
        case Model():
            if scorer is None:
                raise LookupError(f"model {config.model} version {config.version} is not available")
            return dict(scorer(config.model, config.version, inputs))


def handler(scorer: Scorer | None) -> Callable[[Any], dict[str, Any]]:
    """What the engine calls for a custom node: the node's input with its result under the configured path.

    A handler serves one graph: the configuration of a node is read once.
    """
    configs: dict[str, Config] = {}

    def answer(request: Any) -> dict[str, Any]:  # noqa: ANN401 (the engine's request)
        node, inputs = request.node, {name: value for name, value in request.input.items() if name != "$nodes"}
        config = configs.get(node["id"]) or configs.setdefault(node["id"], config_of(node["kind"], node["config"]))
        result = result_of(config, inputs, scorer)
        output = _with(inputs, config.output.split("."), result)
        if isinstance(config, ManualReview):
            output["review_level"] = str(config.level)
        return {"output": output, "traceData": result if isinstance(result, dict) else {"hits": result}}

    return answer


def _with(values: Values, path: Sequence[str], result: object) -> dict[str, Any]:
    """A copy of the values with the result at the path."""
    head, *rest = path
    inner = values.get(head)
    return {**values, head: _with(inner if isinstance(inner, Mapping) else {}, rest, result) if rest else result}
