"""Two people who give a strategy its life: one writes and submits, the other approves and publishes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from uuid import UUID

from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import accepted
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.strategies import shipped_graph
from xinzu.platform.actor import Actor, ActorKind
from xinzu.platform.runtime import Runtime

AUTHOR = Actor(ActorKind.OPERATOR, "author")
MANAGER = Actor(ActorKind.OPERATOR, "manager")


def phone_rental(**cells: str) -> dict[str, Any]:
    """The shipped graph with some cells written anew: ``score_band__S01__score="< 600"``; a row's value ``None`` takes the row out."""
    graph = deepcopy(shipped_graph(decisions.PHONE_RENTAL))
    for place, cell in cells.items():
        node_id, row_id, column = place.split("__")
        node = next(each for each in graph["nodes"] if each["id"] == node_id)
        next(row for row in node["content"]["rules"] if row["_id"] == row_id)[column] = cell
    return graph


STRICTER = {"score_band__S01__score": "< 600", "score_band__S02__score": "[600..601]"}


async def save(runtime: Runtime, tenant_id: int, graph: Mapping[str, Any], *, by: Actor = AUTHOR) -> decisions.StrategySaved:
    async with runtime.unit(tenant_id, by) as uow:
        return accepted((await decisions.save_strategies(uow, [decisions.SaveStrategy(decisions.PHONE_RENTAL, graph)]))[0])


async def approved(runtime: Runtime, tenant_id: int, graph: Mapping[str, Any]) -> UUID:
    """A version that two people have agreed on; it decides nothing yet."""
    strategy_id = parse_id(Prefix.STRATEGY, (await save(runtime, tenant_id, graph)).id)
    async with runtime.unit(tenant_id, AUTHOR) as uow:
        accepted((await decisions.submit_strategies(uow, [decisions.StepStrategy(strategy_id)]))[0])
    async with runtime.unit(tenant_id, MANAGER) as uow:
        accepted((await decisions.approve_strategies(uow, [decisions.StepStrategy(strategy_id)]))[0])
    return strategy_id


async def published(runtime: Runtime, tenant_id: int, graph: Mapping[str, Any], share_pct: int = 100) -> UUID:
    """A version that decides for a share of the parties."""
    strategy_id = await approved(runtime, tenant_id, graph)
    await publish(runtime, tenant_id, strategy_id, share_pct)
    return strategy_id


async def publish(runtime: Runtime, tenant_id: int, strategy_id: UUID, share_pct: int) -> None:
    async with runtime.unit(tenant_id, MANAGER) as uow:
        step = decisions.StepStrategy(strategy_id, share_pct=share_pct)
        accepted((await decisions.publish_strategies(uow, [step]))[0])
