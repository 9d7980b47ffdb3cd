"""Five folds, the model of all rows, and what is written of it: model.json, the artefact, report.json and report.txt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import msgspec
import numpy as np

from xinzu.app.modeling import boosting, scorecards
from xinzu.app.modeling.data import DataSet, Value
from xinzu.kernel.errors import FieldError
from xinzu.middle.credit import api as credit
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.cards import Baseline, Calibration, Card, Feature, Kind, Parts
from xinzu.middle.decisions.rules.models.checks import not_delivered, problems
from xinzu.middle.decisions.rules.models.coding import points_of
from xinzu.middle.decisions.rules.models.fairness import GroupFairness, Treated, group_fairness
from xinzu.middle.decisions.rules.models.metrics import Band, auc, brier, calibration_bands, ks, platt
from xinzu.middle.decisions.rules.models.scoring import ready_model

FOLDS, SEED = 5, 42
Folds = Sequence[tuple[list[int], list[int]]]  # rows to learn from, rows to be asked about
EXTENSION = {"lightgbm": "txt", "scorecard": "json"}


class Report(msgspec.Struct, frozen=True):
    """What five folds said. ``approved_share``: the share the fairness figures approve, those with the lowest probabilities."""

    data: str
    licence: str
    kind: Kind
    outcome: str
    rows: int
    bad_rows: int
    features: list[str]
    dropped: list[str]
    monotone: dict[str, int]
    folds: int
    auc: list[float]
    ks: list[float]
    brier: float
    calibration: list[Band]
    approved_share: float
    fairness: dict[str, list[GroupFairness]]
    absent: list[str]
    artefact_bytes: int
    not_delivered: list[str]


class Trained(msgspec.Struct, frozen=True):
    """A model that may be registered, with its report."""

    card: Card
    artefact: str
    report: Report


class CardWrong(ValueError):
    """The trained model would be refused by the registry: a fault of the training, told instead of written."""

    def __init__(self, found: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{each.pointer}: {each.detail_en}" for each in found))


def train(data: DataSet, kind: Kind, folds: Folds | None = None) -> Trained:
    """Folds (five stratified ones, if none are given), then a fit on all rows with the calibration of what the folds said of rows they had
    not seen. Raises CardWrong."""
    fit = boosting.fit if kind == "lightgbm" else scorecards.fit
    raws: list[float] = [0.0] * len(data.bads)
    areas, distances = [], []
    folds = folds or _folds(data.bads)
    for seen, unseen in folds:
        artefact, features = fit(_rows(data.columns, seen), [data.bads[row] for row in seen], data.features)
        said = _raw(kind, artefact, features, _rows(data.columns, unseen))
        for row, raw in zip(unseen, said, strict=True):
            raws[row] = raw
        risk = [raw if kind == "scorecard" else -raw for raw in said]
        bads = [data.bads[row] for row in unseen]
        areas.append(auc(risk, bads) or 0.0)
        distances.append(ks(risk, bads) or 0.0)
    intercept, slope = platt(raws, data.bads)
    calibration = Calibration(intercept=intercept, slope=slope)
    pds = [calibration.probability(raw) for raw in raws]
    points = [int(raw) if kind == "scorecard" else points_of(calibration.log_odds(raw)) for raw in raws]
    artefact, features = fit(data.columns, data.bads, data.features)
    card = Card(
        key=f"{data.name}_{kind}",
        kind=kind,
        features=tuple(features),
        training=data.training,
        metrics={
            "auc": round(mean(areas), 4),
            "auc_sd": round(stdev(areas), 4),
            "ks": round(mean(distances), 4),
            "ks_sd": round(stdev(distances), 4),
            "brier": brier(pds, data.bads) or 0.0,
            "folds": len(folds),
        },
        baseline=Baseline(
            score=_parts(Counter(points)),
            features={feature.name: _parts(Counter(data.columns[feature.name])) for feature in features},
        ),
        calibration=calibration,
        note=f"{data.licence}",
    )
    if found := problems(card, artefact, decisions.reason_catalogue()):
        raise CardWrong(found)
    return Trained(card, artefact, _report(data, card, artefact, areas, distances, pds))


def write(trained: Trained, folder: Path) -> None:
    """``model.json`` is the body of POST /v1/models."""
    folder.mkdir(parents=True, exist_ok=True)
    body = {"card": trained.card, "artefact": trained.artefact}
    (folder / "model.json").write_bytes(msgspec.json.encode(body))
    (folder / f"artefact.{EXTENSION[trained.card.kind]}").write_text(trained.artefact, encoding="utf-8")
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(trained.report)))
    (folder / "report.txt").write_text(table(trained.report), encoding="utf-8")


def table(report: Report) -> str:
    """The report as people read it."""
    lines = [
        f"{report.data} · {report.kind} · {report.rows} rows, {report.bad_rows} bad ({report.bad_rows / report.rows:.1%})",
        f"data:    {report.licence}",
        f"outcome: {report.outcome}",
        f"{report.folds} folds: AUC {_spread(report.auc)} · KS {_spread(report.ks)} · Brier {report.brier:.4f}",
        f"artefact: {report.artefact_bytes:,} bytes · {len(report.features)} features"
        + (f" · left out: {', '.join(report.dropped)}" if report.dropped else ""),
        "monotone: " + (", ".join(f"{name} {way:+d}" for name, way in report.monotone.items()) or "none"),
        "",
        "calibration (what the model said of rows it had not seen, and what came)",
        "  rows      said    came    95 % interval",
        *(
            f"  {band.count:5d}   {band.pd_mean:6.1%}  {band.bad.share:6.1%}   {band.bad.low:.1%} – {band.bad.high:.1%}"
            for band in report.calibration
        ),
        "",
        f"fairness when {report.approved_share:.0%} are approved (attributes are no features)",
    ]
    for attribute, groups in report.fairness.items():
        lines.append(f"  {attribute:16s} people  approved  adverse impact  equal opportunity")
        lines += [_group_line(each) for each in groups]
    lines += [f"  {attribute}: not in the data" for attribute in report.absent]
    if report.not_delivered:
        lines += ["", f"not to be published here as it is: no indicator delivers {', '.join(report.not_delivered)}"]
    return "\n".join(lines) + "\n"


def _group_line(each: GroupFairness) -> str:
    if each.approved is None or each.adverse_impact_ratio is None:
        return f"  {each.group:16s} {each.count:6d}  not enough data"
    difference = each.equal_opportunity_difference
    told = "not enough data" if difference is None else f"{difference:+.3f}"
    mark = "  ← below four fifths" if each.is_to_be_looked_at else ""
    return f"  {each.group:16s} {each.count:6d}   {each.approved.share:6.1%}      {each.adverse_impact_ratio:6.3f}         {told}{mark}"


def _spread(figures: Sequence[float]) -> str:
    return f"{mean(figures):.3f} ± {stdev(figures):.3f}"


def _report(data: DataSet, card: Card, artefact: str, areas: list[float], distances: list[float], pds: Sequence[float]) -> Report:
    good_share = 1 - data.training.bad_rows / data.training.rows
    cut = sorted(pds)[min(len(pds) - 1, round(good_share * len(pds)))]
    approved = [pd < cut for pd in pds]
    names = [feature.name for feature in card.features]
    return Report(
        data=data.name,
        licence=data.licence,
        kind=card.kind,
        outcome=data.training.outcome,
        rows=len(data.bads),
        bad_rows=sum(data.bads),
        features=names,
        dropped=[feature.name for feature in data.features if feature.name not in names],
        monotone={feature.name: feature.monotone for feature in card.features if feature.monotone},
        folds=len(areas),
        auc=[round(area, 4) for area in areas],
        ks=[round(distance, 4) for distance in distances],
        brier=card.metrics["brier"],
        calibration=calibration_bands(pds, data.bads),
        approved_share=round(sum(approved) / len(approved), 4),
        fairness={
            attribute: group_fairness([Treated(*each) for each in zip(groups, approved, data.bads, strict=True)])
            for attribute, groups in data.groups.items()
        },
        absent=list(data.absent),
        artefact_bytes=len(artefact.encode()),
        not_delivered=[card.features[int(each.pointer.rpartition("/")[2])].name for each in not_delivered(card)],
    )


def _raw(kind: Kind, artefact: str, features: Sequence[Feature], columns: Mapping[str, Sequence[Value]]) -> list[float]:
    """What a model says of each row: log odds of bad, or points. Scorecards are asked as they are in production."""
    if kind == "lightgbm":
        return boosting.raw_scores(artefact, columns, features)
    scored = ready_model(kind, artefact, features, Calibration(intercept=0.0, slope=-1.0))
    rows = zip(*columns.values(), strict=True)
    return [float(scored(dict(zip(columns, row, strict=True))).score) for row in rows]


def _folds(bads: Sequence[bool]) -> Folds:
    """Stratified folds of a seed."""
    from sklearn.model_selection import StratifiedKFold

    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(np.zeros(len(bads)), np.asarray(bads))
    return [(seen.tolist(), unseen.tolist()) for seen, unseen in splits]


def _rows(columns: Mapping[str, Sequence[Value]], rows: Sequence[int]) -> dict[str, Sequence[Value]]:
    return {name: [values[row] for row in rows] for name, values in columns.items()}


def _parts(counted: Mapping[Any, int]) -> Parts:
    base = credit.freeze(counted)
    assert base is not None
    return Parts(dict(base.shares), base.edges)
