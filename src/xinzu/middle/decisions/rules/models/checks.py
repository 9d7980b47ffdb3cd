"""What keeps a model out of the registry: a card that does not tell of its artefact, or an artefact that is no plain text of its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from xinzu.kernel.errors import FieldError
from xinzu.middle.decisions.cards import ARTEFACT_BYTES_MAX, Card, Feature
from xinzu.middle.decisions.model import Catalogue, ReasonUse
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS
from xinzu.middle.decisions.rules.indicators import DECLARED, SIGNAL_TYPES, TEXTS
from xinzu.middle.decisions.rules.models.coding import monotone_of
from xinzu.middle.decisions.rules.models.lightgbm_text import TextWrong, read_forest
from xinzu.middle.decisions.rules.models.scoring import ready_model, scorecard_of
from xinzu.middle.decisions.rules.nodes import Characteristic, ConfigWrong
from xinzu.middle.decisions.rules.strategy import is_protected

# How a pickle begins (protocol 2 and later), as it is and in base64.
_PICKLE = re.compile(r"\x80[\x02-\x05]|gA[I-X]")
# Age may floor a decision (adulthood); a score that falls with it would treat adults by their age.
_AGE = re.compile(r"^(age|age_.*|.*_age)$")


def problems(card: Card, artefact: str, catalogue: Catalogue) -> list[FieldError]:
    """Every finding, with the place in the request; none for a model that may be registered."""
    found = [*_features(card, catalogue), *_figures(card)]
    if len(artefact.encode()) > ARTEFACT_BYTES_MAX:
        return [*found, _at("/artefact", "size", f"超过 {ARTEFACT_BYTES_MAX} 字节", f"more than {ARTEFACT_BYTES_MAX} bytes")]
    if _PICKLE.match(artefact):
        return [
            *found,
            _at(
                "/artefact",
                "pickle",
                "不接受 pickle：读取它会执行其中的代码；请给出 LightGBM 文本模型或 JSON 评分卡",
                "a pickle is not read, because reading it runs what is in it: give LightGBM's text or a scorecard as JSON",
            ),
        ]
    return [*found, *(_lightgbm if card.kind == "lightgbm" else _scorecard)(card, artefact)]


def not_scoring(card: Card, artefact: str) -> list[FieldError]:
    """What keeps a checked artefact from scoring somebody of whom nothing is known."""
    try:
        ready_model(card.kind, artefact, card.features, card.calibration)({})
    except Exception as error:  # noqa: BLE001 (LightGBM raises what its native code says)
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        return [_at("/artefact", "artefact", f"模型无法评分：{why}", f"the model does not score: {why}")]
    return []


def not_delivered(card: Card) -> list[FieldError]:
    """Features that no indicator delivers in their kind: a model that reads them would score everybody as missing."""
    return [
        _at(
            f"/card/features/{place}",
            "not_delivered",
            f"没有类型为 {feature.kind} 的指标 {feature.name}",
            f"there is no indicator {feature.name} that is a {feature.kind}",
        )
        for place, feature in enumerate(card.features)
        if feature.name not in DECLARED or feature.kind != _kind_of(feature.name)
    ]


def _kind_of(indicator: str) -> str:
    if indicator in TEXTS:
        return "category"
    return "flag" if bool in (SIGNAL_TYPES.get(indicator), CREDIT_KINDS.get(indicator)) else "number"


def _features(card: Card, catalogue: Catalogue) -> Iterator[FieldError]:
    names = [feature.name for feature in card.features]
    for place, feature in enumerate(card.features):
        at = f"/card/features/{place}"
        if names.count(feature.name) > 1:
            yield _at(at, "twice", f"{feature.name} 出现多次", f"{feature.name} stands there more than once")
        if is_protected(feature.name) or _AGE.match(feature.name):
            yield _at(
                at,
                "protected",
                f"{feature.name} 是受保护属性，只可用于公平性报告，不可作为特征",
                f"{feature.name} is a protected attribute: it may be used to look at fairness, never as a feature",
            )
        if feature.code not in catalogue or catalogue[feature.code].use is not ReasonUse.STRATEGY:
            yield _at(at, "unknown_reason", f"目录中没有原因码 {feature.code}", f"the catalogue has no reason {feature.code}")
        if (feature.kind == "category") != bool(feature.values) or len(set(feature.values)) != len(feature.values):
            yield _at(
                at, "values", "类别须给出互不相同的 values，其他类型不给", "a category has distinct values, other kinds have none"
            )
        if feature.monotone and feature.kind != "number":
            yield _at(at, "monotone", "单调约束只用于数值特征", "only a number can be monotone")


def _figures(card: Card) -> Iterator[FieldError]:
    if card.training.bad_rows >= card.training.rows:
        yield _at("/card/training/bad_rows", "bad_rows", "坏样本须少于总样本", "not all rows can be bad")
    if card.baseline.features.keys() != {feature.name for feature in card.features}:
        yield _at(
            "/card/baseline/features", "baseline", "须为每个特征给出基线分布", "the baseline has the distribution of each feature"
        )
    if (card.calibration.slope > 0) != (card.kind == "lightgbm"):
        yield _at(
            "/card/calibration/slope",
            "calibration",
            "LightGBM 的斜率为正（分值是坏的对数几率），评分卡的为负（分越高风险越低）",
            "the slope is above nought for LightGBM (log odds of bad), below for a scorecard (more points, less risk)",
        )


def _lightgbm(card: Card, artefact: str) -> Iterator[FieldError]:
    try:
        forest = read_forest(artefact)
    except TextWrong as wrong:
        yield _at("/artefact", "artefact", wrong.zh, wrong.en)
        return
    names = [feature.name for feature in card.features]
    if list(forest.feature_names) != names:
        yield _at(
            "/card/features",
            "order",
            f"特征及其次序须与模型文本一致：{'、'.join(forest.feature_names)}",
            f"features and their order are those of the text: {', '.join(forest.feature_names)}",
        )
        return
    bound = {name: way for name, way in zip(names, forest.monotone, strict=True) if way}
    if bound != monotone_of(card.features):
        yield _at(
            "/card/features",
            "monotone",
            f"声明的单调约束与模型文本中的不符：文本为 {bound}",
            f"the monotone constraints declared are not those of the text: {bound}",
        )


def _scorecard(card: Card, artefact: str) -> Iterator[FieldError]:
    try:
        table = scorecard_of(artefact)
    except (msgspec.DecodeError, ConfigWrong) as wrong:
        yield _at("/artefact", "artefact", f"不是 JSON 评分卡：{wrong}", f"this is no scorecard in JSON: {wrong}")
        return
    if [each.indicator for each in table.characteristics] != [feature.name for feature in card.features]:
        yield _at("/card/features", "order", "特征及其次序须与评分卡一致", "features and their order are those of the scorecard")
        return
    for place, (each, feature) in enumerate(zip(table.characteristics, card.features, strict=True)):
        if each.code != feature.code:
            yield _at(
                f"/card/features/{place}", "code", f"原因码须为 {each.code}", f"the reason is {each.code}, as in the scorecard"
            )
        if not keeps_direction(each, feature):
            yield _at(
                f"/card/features/{place}",
                "monotone",
                f"{feature.name} 各段分值不符合声明的单调方向",
                f"the points of {feature.name} do not keep the direction declared",
            )


def keeps_direction(characteristic: Characteristic, feature: Feature) -> bool:
    """Whether points never rise (1) or never fall (-1) along the ranges of a characteristic."""
    ranges = sorted(
        (one.low if one.low is not None else float("-inf"), one.points)
        for one in characteristic.bins
        if not one.values and not one.is_missing
    )
    points: Sequence[int] = [each for _, each in ranges]
    return all((after - before) * feature.monotone <= 0 for before, after in pairwise(points))


def _at(pointer: str, code: str, zh: str, en: str) -> FieldError:
    return FieldError(pointer, f"decisions.model_finding.{code}", zh, en)
