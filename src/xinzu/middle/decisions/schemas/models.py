"""Models as they go over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.decisions.cards import ARTEFACT_BYTES_MAX, Card, RegisteredModel

NOT_ENOUGH = "not_enough_data"


class ModelBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A model to be registered: what `xinzu model train` writes to model.json. ``artefact`` is LightGBM's text or a scorecard as JSON."""

    card: Card
    artefact: Annotated[str, msgspec.Meta(min_length=1, max_length=ARTEFACT_BYTES_MAX)]


class ModelSaved(msgspec.Struct, kw_only=True):
    """The answer to each step in the life of a model."""

    id: str
    key: str
    version: int
    state: str
    artefact_sha256: str


class ModelSummary(ModelSaved, kw_only=True):
    """A version in a list."""

    kind: str
    feature_count: int
    registered_by: str
    registered_at: Instant
    published_by: str | None
    published_at: Instant | None
    retired_by: str | None
    retired_at: Instant | None


class ModelView(ModelSummary, kw_only=True):
    """A version with its card and artefact."""

    card: Card
    artefact: str


class ModelPage(msgspec.Struct, kw_only=True):
    """Versions, newest first."""

    items: list[ModelSummary]
    next_cursor: str | None


class WatchedView(msgspec.Struct, kw_only=True):
    """The score or a feature against training. ``verdict``: stable, watch, shifted or not_enough_data (fewer than 200 values)."""

    name: str
    count: int
    psi: float | None
    verdict: str
    missing_share: float | None
    missing_share_at_training: float


class SeparationView(msgspec.Struct, kw_only=True):
    """How well points told bad from good. ``verdict``: enough, or not_enough_data (fewer than 30 good or bad)."""

    mature_count: int
    bad_count: int
    auc: float | None
    auc_standard_error: float | None
    ks: float | None
    verdict: str


class VintageView(SeparationView, kw_only=True):
    """The decisions of one calendar month."""

    month_on: date
    decision_count: int


class IntervalView(msgspec.Struct, kw_only=True):
    """A share with its 95 % interval after Wilson; null where nobody was seen."""

    share: float
    low: float
    high: float
    count: int


class BandView(msgspec.Struct, kw_only=True):
    """Decisions of neighbouring probabilities: what the model said on average, and what came."""

    count: int
    pd_mean: float
    bad: IntervalView


class OverridesView(msgspec.Struct, kw_only=True):
    """What people made of the strategy's word: of all decisions those reviewed, of reviewed declines and referrals those approved."""

    reviewed: IntervalView | None
    overturned_declines: IntervalView | None
    approved_referrals: IntervalView | None


class GroupView(msgspec.Struct, kw_only=True):
    """A group beside the one that fares best. Figures are null with fewer than 30 people; ``verdict``: below four fifths is
    to_be_looked_at, else unremarkable, or not_enough_data."""

    group: str
    count: int
    approved: IntervalView | None
    adverse_impact_ratio: float | None
    good_approved: IntervalView | None
    equal_opportunity_difference: float | None
    verdict: str


class ModelWatchView(msgspec.Struct, kw_only=True):
    """A model in use. Bad is 90 days past due within ``maturity_days`` of the decision; only orders that commenced are known."""

    id: str
    key: str
    version: int
    from_on: date
    to_on: date
    maturity_days: int
    decision_count: int
    is_capped: bool
    score: WatchedView
    features: list[WatchedView]
    separation: SeparationView
    vintages: list[VintageView]
    calibration: list[BandView]
    brier: float | None
    overrides: OverridesView
    fairness_by_age: list[GroupView]


def model_saved(known: RegisteredModel) -> ModelSaved:
    return ModelSaved(
        id=public_id(Prefix.MODEL, known.id),
        key=known.card.key,
        version=known.version,
        state=known.state,
        artefact_sha256=known.artefact_sha256,
    )


def model_summary(known: RegisteredModel) -> ModelSummary:
    return ModelSummary(**_summary(known))


def model_view(known: RegisteredModel, artefact: str) -> ModelView:
    return ModelView(**_summary(known), card=known.card, artefact=artefact)


def _summary(known: RegisteredModel) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(model_saved(known)),
        "kind": known.card.kind,
        "feature_count": len(known.card.features),
        **{
            name: getattr(known, name)
            for name in ("registered_by", "registered_at", "published_by", "published_at", "retired_by", "retired_at")
        },
    }
