"""Routes of strategies: save, check, compare, submit, approve, publish, roll back; golden cases, challengers, experiments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor
from xinzu.middle.decisions import api
from xinzu.middle.decisions.schemas import strategies as schemas
from xinzu.middle.decisions.schemas.strategies import KEY
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run
from xinzu.platform.http.fields import ONE_LINE

READER = [requires(Permission.STRATEGY_READ)]
AUTHOR = [requires(Permission.STRATEGY_WRITE)]
APPROVER = [requires(Permission.STRATEGY_APPROVE)]

Key = Annotated[
    str | None,
    QueryParameter(name="key", required=False, max_length=40, pattern=KEY, description="Only versions of this strategy"),
]
OfKey = Annotated[str, QueryParameter(name="key", max_length=40, pattern=KEY, description="The strategy's key")]
OfName = Annotated[
    str, QueryParameter(name="name", min_length=1, max_length=100, pattern=ONE_LINE, description="The golden case's name")
]
StrategyIs = Annotated[
    api.StrategyState | None, QueryParameter(name="state", required=False, description="Only versions in this state")
]
Against = Annotated[
    str | None,
    QueryParameter(
        name="against", required=False, max_length=64, description="The version to compare with; without it the champion"
    ),
]


@get("/v1/strategies", tags=["strategies"], operation_id="list_strategies", guards=READER)
async def list_strategies(
    request: HttpRequest, of_key: Key = None, in_state: StrategyIs = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.StrategyPage:
    """Versions of strategies, newest first; those that are submitted wait for a second person."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        page = await api.list_strategies(read, of_key, in_state, before, limit)
    return schemas.StrategyPage(items=[schemas.strategy_summary(each) for each in page.items], next_cursor=page.next_cursor)


@post("/v1/strategies", tags=["strategies"], operation_id="save_strategy", guards=AUTHOR, status_code=201)
async def save_strategy(
    request: HttpRequest, data: JSONBody[schemas.DraftBody], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Save a graph as the next version of a key: a draft, or checked when nothing forbids submitting it."""
    body = api.SaveStrategy(data.key, data.graph, data.note)
    return await run(request, api.save_strategies, body, key=key, status=201, location="/v1/strategies/{id}")


@get("/v1/strategies/{strategy_id:str}", tags=["strategies"], operation_id="get_strategy", guards=READER)
async def get_strategy(request: HttpRequest, strategy_id: FromPath[str]) -> schemas.StrategyVersionView:
    """One version with its graph and what the checks found."""
    async with reading(request) as read:
        return schemas.strategy_version_view(await api.strategy(read, id_from(Prefix.STRATEGY, strategy_id)))


@put("/v1/strategies/{strategy_id:str}", tags=["strategies"], operation_id="edit_strategy", guards=AUTHOR)
async def edit_strategy(
    request: HttpRequest, strategy_id: FromPath[str], data: JSONBody[schemas.EditBody], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Save a graph over a draft whose revision was read before; what was submitted changes no more."""
    known_id = id_from(Prefix.STRATEGY, strategy_id)
    async with reading(request) as read:
        known = await api.strategy(read, known_id)
    body = api.SaveStrategy(known.key, data.graph, data.note, known_id, data.revision)
    return await run(request, api.save_strategies, body, key=key)


@get("/v1/strategies/{strategy_id:str}/changes", tags=["strategies"], operation_id="list_strategy_changes", guards=READER)
async def list_strategy_changes(request: HttpRequest, strategy_id: FromPath[str], against: Against = None) -> schemas.ChangesView:
    """What a version changes against another: nodes, edges, rows, cells, expressions, settings."""
    other = None if against is None else id_from(Prefix.STRATEGY, against)
    async with reading(request) as read:
        return schemas.changes_view(*await api.changes_between(read, id_from(Prefix.STRATEGY, strategy_id), other))


@post(
    "/v1/strategies/{strategy_id:str}/submission",
    tags=["strategies"],
    operation_id="submit_strategy",
    guards=AUTHOR,
    status_code=200,
)
async def submit_strategy(
    request: HttpRequest, strategy_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """The author asks a second person to approve; refused while a check or a golden case fails. Operators only."""
    return await run(request, api.submit_strategies, api.StepStrategy(id_from(Prefix.STRATEGY, strategy_id)), key=key)


@post(
    "/v1/strategies/{strategy_id:str}/approval",
    tags=["strategies"],
    operation_id="approve_strategy",
    guards=APPROVER,
    status_code=200,
)
async def approve_strategy(
    request: HttpRequest, strategy_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Somebody who neither wrote nor submitted the version approves it. Operators only."""
    return await run(request, api.approve_strategies, api.StepStrategy(id_from(Prefix.STRATEGY, strategy_id)), key=key)


@post(
    "/v1/strategies/{strategy_id:str}/rejection",
    tags=["strategies"],
    operation_id="reject_strategy",
    guards=APPROVER,
    status_code=200,
)
async def reject_strategy(
    request: HttpRequest, strategy_id: FromPath[str], data: JSONBody[schemas.StepReasonBody], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Give a submitted version back to its authors, with the reason. Operators only."""
    body = api.StepStrategy(id_from(Prefix.STRATEGY, strategy_id), data.reason)
    return await run(request, api.reject_strategies, body, key=key)


@post(
    "/v1/strategies/{strategy_id:str}/publication",
    tags=["strategies"],
    operation_id="publish_strategy",
    guards=APPROVER,
    status_code=200,
)
async def publish_strategy(
    request: HttpRequest, strategy_id: FromPath[str], data: JSONBody[schemas.PublicationBody], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Let an approved version decide a share of the parties, or all of them. Never by its authors; operators only."""
    body = api.StepStrategy(id_from(Prefix.STRATEGY, strategy_id), share_pct=data.share_pct)
    return await run(request, api.publish_strategies, body, key=key)


@post(
    "/v1/strategies/{strategy_id:str}/rollback",
    tags=["strategies"],
    operation_id="roll_back_strategy",
    guards=APPROVER,
    status_code=200,
)
async def roll_back_strategy(
    request: HttpRequest, strategy_id: FromPath[str], data: JSONBody[schemas.StepReasonBody], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Take back a version that decides; answers with the one that decides now. Operators only."""
    body = api.StepStrategy(id_from(Prefix.STRATEGY, strategy_id), data.reason)
    return await run(request, api.roll_back_strategies, body, key=key)


@post(
    "/v1/strategies/{strategy_id:str}/retirement",
    tags=["strategies"],
    operation_id="retire_strategy",
    guards=AUTHOR,
    status_code=200,
)
async def retire_strategy(
    request: HttpRequest, strategy_id: FromPath[str], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Put away a version that decides nothing."""
    return await run(request, api.retire_strategies, api.StepStrategy(id_from(Prefix.STRATEGY, strategy_id)), key=key)


@put("/v1/strategies/{strategy_id:str}/shadow", tags=["strategies"], operation_id="set_strategy_shadow", guards=APPROVER)
async def set_strategy_shadow(
    request: HttpRequest, strategy_id: FromPath[str], data: JSONBody[schemas.ShadowBody], key: IdempotencyKey = None
) -> Response[schemas.StrategySaved]:
    """Ask an approved version after each decision what it would have decided, or no more. Operators only."""
    return await run(request, api.shadow_strategies, (id_from(Prefix.STRATEGY, strategy_id), data.is_shadowed), key=key)


@get("/v1/strategies/{strategy_id:str}/shadow", tags=["strategies"], operation_id="get_strategy_shadow", guards=READER)
async def get_strategy_shadow(request: HttpRequest, strategy_id: FromPath[str]) -> schemas.ShadowView:
    """What a challenger would have decided beside what was decided."""
    async with reading(request) as read:
        return schemas.shadow_view(*await api.shadow_comparison(read, id_from(Prefix.STRATEGY, strategy_id)))


@post("/v1/strategy-checks", tags=["strategies"], operation_id="check_strategy", guards=AUTHOR, status_code=200)
async def check_strategy(request: HttpRequest, data: JSONBody[schemas.GraphBody]) -> schemas.ReportView:
    """What a save would find, without saving: findings and golden cases."""
    async with reading(request) as read:
        return schemas.report_view(await api.check_graph(read, data.key, data.graph))


@get("/v1/golden-cases", tags=["strategies"], operation_id="list_golden_cases", guards=READER)
async def list_golden_cases(request: HttpRequest, of_key: OfKey) -> schemas.GoldenCases:
    """The cases every version of a strategy must answer as they say."""
    async with reading(request) as read:
        cases = await api.golden_cases(read, of_key)
    return schemas.GoldenCases(items=[schemas.golden_case_view(of_key, case) for case in cases])


@put("/v1/golden-cases", tags=["strategies"], operation_id="put_golden_case", guards=AUTHOR)
async def put_golden_case(
    request: HttpRequest, data: JSONBody[schemas.GoldenCaseBody], key: IdempotencyKey = None
) -> Response[schemas.GoldenCaseSet]:
    """Keep a golden case under its name."""
    case = api.GoldenCase(data.name, {**data.inputs}, api.DecisionOutcome(data.outcome), data.reason_codes)
    return await run(request, api.put_golden_cases, api.PutGoldenCase(data.key, case), key=key)


@delete("/v1/golden-cases", tags=["strategies"], operation_id="remove_golden_case", guards=AUTHOR, status_code=200)
async def remove_golden_case(
    request: HttpRequest, of_key: OfKey, name: OfName, key: IdempotencyKey = None
) -> Response[schemas.GoldenCaseSet]:
    """Take a golden case away; who did so stays on record."""
    return await run(request, api.remove_golden_cases, api.RemoveGoldenCase(of_key, name), key=key)


@get("/v1/strategy-experiments", tags=["strategies"], operation_id="get_strategy_experiment", guards=READER)
async def get_strategy_experiment(request: HttpRequest, of_key: OfKey) -> schemas.ExperimentSet:
    """The random accept arm and the guard rails of a key."""
    async with reading(request) as read:
        return schemas.ExperimentSet(key=of_key, **asdict(await api.experiment(read, of_key)))


@put("/v1/strategy-experiments", tags=["strategies"], operation_id="set_strategy_experiment", guards=APPROVER)
async def set_strategy_experiment(
    request: HttpRequest, of_key: OfKey, data: JSONBody[schemas.ExperimentBody], key: IdempotencyKey = None
) -> Response[schemas.ExperimentSet]:
    """Set the random accept arm with its budget, and the guard rails. Operators only."""
    settings = api.Experiment(**msgspec.structs.asdict(data))
    return await run(request, api.set_experiments, api.SetExperiment(of_key, settings), key=key)


routes = [
    list_strategies,
    save_strategy,
    get_strategy,
    edit_strategy,
    list_strategy_changes,
    submit_strategy,
    approve_strategy,
    reject_strategy,
    publish_strategy,
    roll_back_strategy,
    retire_strategy,
    set_strategy_shadow,
    get_strategy_shadow,
    check_strategy,
    list_golden_cases,
    put_golden_case,
    remove_golden_case,
    get_strategy_experiment,
    set_strategy_experiment,
]
