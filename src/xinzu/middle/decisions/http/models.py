"""Routes of models: register, look at, publish, retire, watch."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.middle.decisions import api
from xinzu.middle.decisions.rules.models.fairness import GroupFairness
from xinzu.middle.decisions.rules.models.metrics import Band, Interval
from xinzu.middle.decisions.rules.models.monitoring import Overrides, Separation
from xinzu.middle.decisions.schemas import models as schemas
from xinzu.middle.decisions.schemas.strategies import KEY
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run

READER = [requires(Permission.STRATEGY_READ)]
AUTHOR = [requires(Permission.STRATEGY_WRITE)]
APPROVER = [requires(Permission.STRATEGY_APPROVE)]

Key = Annotated[
    str | None,
    QueryParameter(name="key", required=False, max_length=40, pattern=KEY, description="Only versions of this model"),
]
ModelIs = Annotated[
    api.ModelState | None, QueryParameter(name="state", required=False, description="Only versions in this state")
]
From = Annotated[
    date | None,
    QueryParameter(name="from", required=False, description="First business date of the decisions; by default 1,100 days back"),
]
To = Annotated[date | None, QueryParameter(name="to", required=False, description="Last business date; by default today")]
Maturity = Annotated[
    int,
    QueryParameter(
        name="maturity_days", required=False, ge=90, le=1_095, description="Days after which a decision is good or bad"
    ),
]


@get("/v1/models", tags=["models"], operation_id="list_models", guards=READER)
async def list_models(
    request: HttpRequest, of_key: Key = None, in_state: ModelIs = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.ModelPage:
    """Versions of models, newest first; those that are registered wait for a second person."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        page = await api.list_models(read, of_key, in_state, before, limit)
    return schemas.ModelPage(items=[schemas.model_summary(each) for each in page.items], next_cursor=page.next_cursor)


@post("/v1/models", tags=["models"], operation_id="register_model", guards=AUTHOR, status_code=201)
async def register_model(
    request: HttpRequest, data: JSONBody[schemas.ModelBody], key: IdempotencyKey = None
) -> Response[schemas.ModelSaved]:
    """Keep a model as the next version of its key: the body is the model.json of `xinzu model train`. No pickles."""
    body = api.RegisterModel(data.card, data.artefact)
    return await run(request, api.register_models, body, key=key, status=201, location="/v1/models/{id}")


@get("/v1/models/{model_id:str}", tags=["models"], operation_id="get_model", guards=READER)
async def get_model(request: HttpRequest, model_id: FromPath[str]) -> schemas.ModelView:
    """One version with its card and artefact."""
    async with reading(request) as read:
        return schemas.model_view(*await api.model(read, id_from(Prefix.MODEL, model_id)))


@post("/v1/models/{model_id:str}/publication", tags=["models"], operation_id="publish_model", guards=APPROVER, status_code=200)
async def publish_model(
    request: HttpRequest, model_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.ModelSaved]:
    """Let strategies read the version. By somebody who did not register it; operators only."""
    return await run(request, api.publish_models, id_from(Prefix.MODEL, model_id), key=key)


@post("/v1/models/{model_id:str}/retirement", tags=["models"], operation_id="retire_model", guards=APPROVER, status_code=200)
async def retire_model(request: HttpRequest, model_id: FromPath[str], key: IdempotencyKey = None) -> Response[schemas.ModelSaved]:
    """Put a version away that no strategy in force reads. Operators only."""
    return await run(request, api.retire_models, id_from(Prefix.MODEL, model_id), key=key)


@get("/v1/models/{model_id:str}/watch", tags=["models"], operation_id="watch_model", guards=READER)
async def watch_model(
    request: HttpRequest, model_id: FromPath[str], from_on: From = None, to_on: To = None, maturity_days: Maturity = 365
) -> schemas.ModelWatchView:
    """Drift, missing values, area and distance by month, calibration, overrides, fairness by age; not enough data is an answer."""
    async with reading(request) as read:
        watch = await api.watch_model(read, id_from(Prefix.MODEL, model_id), from_on, to_on, maturity_days)
    return _view(watch)


def _view(watch: api.ModelWatch) -> schemas.ModelWatchView:
    seen = watch.performance
    return schemas.ModelWatchView(
        id=public_id(Prefix.MODEL, watch.model.id),
        key=watch.model.card.key,
        version=watch.model.version,
        from_on=watch.from_on,
        to_on=watch.to_on,
        maturity_days=watch.maturity_days,
        decision_count=seen.decisions,
        is_capped=watch.is_capped,
        score=_watched(watch.score),
        features=[_watched(each) for each in watch.features],
        separation=schemas.SeparationView(**_separation(seen.separation)),
        vintages=[
            schemas.VintageView(month_on=each.month_on, decision_count=each.decisions, **_separation(each.separation))
            for each in seen.vintages
        ],
        calibration=[_band_view(each) for each in seen.calibration],
        brier=seen.brier,
        overrides=_overrides_view(seen.overrides),
        fairness_by_age=[_group_view(each) for each in seen.fairness_by_age],
    )


def _watched(each: api.Watched) -> schemas.WatchedView:
    return schemas.WatchedView(
        name=each.name,
        count=each.count,
        psi=each.psi,
        verdict=api.drift_verdict(each.psi),
        missing_share=each.missing,
        missing_share_at_training=each.missing_then,
    )


def _separation(separation: Separation) -> dict[str, Any]:
    """The members ``SeparationView`` and ``VintageView`` share."""
    return {
        "mature_count": separation.mature,
        "bad_count": separation.bad,
        "auc": separation.auc,
        "auc_standard_error": separation.auc_error,
        "ks": separation.ks,
        "verdict": schemas.NOT_ENOUGH if separation.auc is None else "enough",
    }


def _interval_view(interval: Interval | None) -> schemas.IntervalView | None:
    if interval is None:
        return None
    return schemas.IntervalView(share=interval.share, low=interval.low, high=interval.high, count=interval.count)


def _band_view(band: Band) -> schemas.BandView:
    bad = _interval_view(band.bad)
    assert bad is not None
    return schemas.BandView(count=band.count, pd_mean=band.pd_mean, bad=bad)


def _overrides_view(overrides: Overrides) -> schemas.OverridesView:
    return schemas.OverridesView(
        reviewed=_interval_view(overrides.reviewed),
        overturned_declines=_interval_view(overrides.overturned),
        approved_referrals=_interval_view(overrides.approved_referrals),
    )


def _group_view(each: GroupFairness) -> schemas.GroupView:
    verdict = "to_be_looked_at" if each.is_to_be_looked_at else "unremarkable"
    return schemas.GroupView(
        group=each.group,
        count=each.count,
        approved=_interval_view(each.approved),
        adverse_impact_ratio=each.adverse_impact_ratio,
        good_approved=_interval_view(each.good_approved),
        equal_opportunity_difference=each.equal_opportunity_difference,
        verdict=verdict if each.adverse_impact_ratio is not None else schemas.NOT_ENOUGH,
    )


routes = [list_models, register_model, get_model, publish_model, retire_model, watch_model]
