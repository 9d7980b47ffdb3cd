"""The life of a model: registered by one person, published by another, retired; and its scores before a graph is asked.

A card is checked against its artefact when it is registered, and its features against the indicators at publication. Each step is
a leaf of evidence with the artefact's SHA-256. What is registered never changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from xinzu.kernel.errors import FieldError, Problem
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.decisions.cards import Card, RegisteredModel
from xinzu.middle.decisions.errors import (
    ModelInUse,
    ModelRejected,
    ModelSecondPersonNeeded,
    ModelUnknown,
    StrategistNotAPerson,
)
from xinzu.middle.decisions.model import MODEL_MOVES, Graph, ModelState
from xinzu.middle.decisions.rules.models.checks import not_delivered, not_scoring, problems
from xinzu.middle.decisions.rules.models.reading import Ready, models_read, scorer_of
from xinzu.middle.decisions.rules.models.scoring import ReadyModel, ready_model
from xinzu.middle.decisions.rules.nodes import Scorer
from xinzu.middle.decisions.schemas.models import ModelSaved, model_saved
from xinzu.middle.decisions.store import models as store
from xinzu.middle.decisions.strategies import reason_catalogue
from xinzu.platform.actor import ActorKind
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence

FINDINGS_SHOWN_MAX = 20
MODELS_KEPT = 32
_ready: dict[UUID, ReadyModel] = {}  # by id, the oldest first


@dataclass(frozen=True, slots=True)
class RegisterModel:
    """A card with its artefact: text of LightGBM, or a scorecard as JSON."""

    card: Card
    artefact: str


async def register_models(uow: UnitOfWork, requests: Sequence[RegisterModel]) -> list[Outcome[ModelSaved]]:
    """Keep models as the next versions of their keys. Refused with ModelRejected."""
    return [await _refusable(_register(uow, request)) for request in requests]


async def publish_models(uow: UnitOfWork, model_ids: Sequence[UUID]) -> list[Outcome[ModelSaved]]:
    """Let strategies read models: by a person who did not register them.

    Refused with StrategistNotAPerson, ModelUnknown, ModelSecondPersonNeeded, IllegalMove, or ModelRejected when no indicator delivers a
    feature.
    """
    return [await _refusable(_publish(uow, model_id)) for model_id in model_ids]


async def retire_models(uow: UnitOfWork, model_ids: Sequence[UUID]) -> list[Outcome[ModelSaved]]:
    """Put models away. Refused with StrategistNotAPerson, ModelUnknown, IllegalMove, or ModelInUse while a strategy that decides or waits
    to reads it."""
    return [await _refusable(_retire(uow, model_id)) for model_id in model_ids]


async def ready_models(read: ReadSession, graphs: Iterable[Graph]) -> Ready:
    """The published models these graphs read, ready to score; one that is not published is not among them.

    An artefact never changes, so a process reads it once; whether it is published is asked every time.
    """
    names = sorted({name for graph in graphs for name in models_read(graph)})
    if not names:
        return {}
    ids = await store.published_ids(read, names)
    wanted = [model_id for model_id in ids.values() if model_id not in _ready]
    known = await store.artefacts(read, wanted) if wanted else {}
    made = {model_id: _made_ready(each) for model_id, each in known.items()}
    _ready.update({model_id: model for model_id, model in made.items() if model is not None})
    found = {name: _ready[model_id] for name, model_id in ids.items() if model_id in _ready}
    while len(_ready) > MODELS_KEPT:
        del _ready[next(iter(_ready))]
    return found


async def scorer(read: ReadSession, graph: Graph) -> Scorer | None:
    """What answers the model nodes of a graph while it is checked; None when it reads a model that is not published."""
    names = models_read(graph)
    ready = await ready_models(read, [graph])
    return scorer_of(ready) if names <= ready.keys() else None


def _made_ready(known: store.Artefact) -> ReadyModel | None:
    """None when it cannot be read any more, by a later LightGBM perhaps: the strategies that read it then refer."""
    try:
        return ready_model(known.card.kind, known.text, known.card.features, known.card.calibration)
    except Exception:  # noqa: BLE001 (LightGBM raises what its native code says)
        return None


async def _register(uow: UnitOfWork, request: RegisterModel) -> RegisteredModel:
    _refuse(problems(request.card, request.artefact, reason_catalogue()) or not_scoring(request.card, request.artefact))
    await store.lock_key(uow, request.card.key)
    digest = sha256(request.artefact.encode()).hexdigest()
    return await _stepped(uow, await store.insert_model(uow, request.card, request.artefact, digest), "registered")


async def _publish(uow: UnitOfWork, model_id: UUID) -> RegisteredModel:
    _person(uow)
    known = await _locked(uow, model_id)
    if str(uow.actor) == known.registered_by:
        raise ModelSecondPersonNeeded()
    MODEL_MOVES.move(known.state, ModelState.PUBLISHED)
    _refuse(not_delivered(known.card))
    await store.publish(uow, model_id)
    return await _stepped(uow, model_id, "published")


async def _retire(uow: UnitOfWork, model_id: UUID) -> RegisteredModel:
    _person(uow)
    known = await _locked(uow, model_id)
    MODEL_MOVES.move(known.state, ModelState.RETIRED)
    for key, version, graph in await store.graphs_in_force(uow):
        if (known.card.key, known.version) in models_read(graph):
            raise ModelInUse(strategy=f"{key} v{version}")
    await store.retire(uow, model_id)
    return await _stepped(uow, model_id, "retired")


def _refuse(found: Sequence[FieldError]) -> None:
    if found:
        raise ModelRejected(
            f"模型有 {len(found)} 处需要修改，见 errors",
            f"The model has {len(found)} findings, see errors",
            errors=tuple(found[:FINDINGS_SHOWN_MAX]),
        )


async def _locked(uow: UnitOfWork, model_id: UUID) -> RegisteredModel:
    known = await store.lock_model(uow, model_id)
    if known is None:
        raise ModelUnknown()
    return known


async def _stepped(uow: UnitOfWork, model_id: UUID, step: str) -> RegisteredModel:
    known = await store.model(uow, model_id)
    if known is None:
        raise ModelUnknown()
    facts = {
        "key": known.card.key,
        "version": known.version,
        "kind": known.card.kind,
        "artefact_sha256": known.artefact_sha256,
        "training_source": known.card.training.source,
        "by": str(uow.actor),
    }
    evidence.append(uow, [evidence.Leaf(f"decisions.model.{step}", model_id, facts)])
    return known


async def _refusable(step: Awaitable[RegisteredModel]) -> Outcome[ModelSaved]:
    """A step's answer, or the problem it was refused with before anything was written."""
    try:
        return model_saved(await step)
    except Problem as refusal:
        return refusal


def _person(uow: UnitOfWork) -> None:
    if uow.actor.kind is not ActorKind.OPERATOR:
        raise StrategistNotAPerson()
