"""Replaying a version of a strategy on what was decided: asked for, done batch by batch beside the database, kept with what it found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.middle.decisions.errors import StrategyUnknown
from xinzu.middle.decisions.model import MATURITY_DAYS, DecisionOutcome, Graph, ReasonUse
from xinzu.middle.decisions.rules.backtest import SEGMENTS, Cases, Sampled, Tally, drawn, tallied
from xinzu.middle.decisions.rules.backtest_figures import (
    DISAGREEMENTS_LISTED_MAX,
    Backtest,
    BacktestReport,
    CrossCheck,
    Disagreement,
    reported,
)
from xinzu.middle.decisions.rules.evaluation import ENGINE_VERSION, CompiledStrategy
from xinzu.middle.decisions.rules.graph import indicators_read
from xinzu.middle.decisions.rules.models.reading import models_read
from xinzu.middle.decisions.rules.nodes import handler
from xinzu.middle.decisions.rules.reasons import codes_of
from xinzu.middle.decisions.rules.replay.batch import Replay
from xinzu.middle.decisions.rules.replay.engine import GraphRefused
from xinzu.middle.decisions.rules.replay.walk import GraphUnreadable
from xinzu.middle.decisions.rules.strategy import graph_digest, is_protected, sanitised
from xinzu.middle.decisions.schemas.backtest import BacktestAsked
from xinzu.middle.decisions.store import backtest as store
from xinzu.middle.decisions.store import strategies
from xinzu.middle.decisions.strategies import reason_catalogue
from xinzu.platform.uow import ReadSession, UnitOfWork

JOB = "decisions.replay_history"
DECISIONS_MAX = 10_000_000
SAMPLE_ROWS, GUARDS_MAX = 400, 400
SETTLED_AFTER = timedelta(hours=1)  # no transaction takes that long
SESSIONS = 2  # readers; the figures are made by one thread beside them

Reading = Callable[[], AbstractAsyncContextManager[ReadSession]]
Writing = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
Progress = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AskBacktest:
    """A version to be replayed on the decisions of its key, from one business date to another, both included; at most the newest so many."""

    strategy_id: UUID
    since_on: BusinessDate
    until_on: BusinessDate | None = None
    limit: int = DECISIONS_MAX
    segments: Sequence[str] = ()
    maturity_days: int = MATURITY_DAYS


async def ask_backtests(uow: UnitOfWork, requests: Sequence[AskBacktest]) -> list[Outcome[BacktestAsked]]:
    """Ask for replays; a job does them. Refused with StrategyUnknown, or Invalid for a segment, period or graph that cannot be replayed."""
    outcomes: list[Outcome[BacktestAsked]] = []
    for request in requests:
        version = await strategies.version(uow, request.strategy_id)
        if version is None:
            outcomes.append(StrategyUnknown())
            continue
        try:
            asked = asked_for(uow, request, version.key, version.version, version.graph)
        except Invalid as refusal:
            outcomes.append(refusal)
            continue
        await store.insert(uow, asked)
        uow.enqueue(JOB, {"backtest_id": str(asked.id)})
        outcomes.append(BacktestAsked(id=public_id(Prefix.BACKTEST, asked.id), state=asked.state))
    return outcomes


def asked_for(
    read: ReadSession, request: AskBacktest, key: str, version: int | None, graph: Graph, *, by: str | None = None
) -> Backtest:
    """A replay about to be done; raises Invalid. ``version`` is None for a graph that is not saved."""
    until_on = request.until_on or read.business_date
    if until_on < request.since_on:
        raise Invalid.field(
            "/until_on", "decisions.period_backwards", "结束日期不得早于开始日期", "The last day must not be before the first"
        )
    _check_segments(request.segments)
    if models := sorted(f"{name} v{number}" for name, number in models_read(graph)):
        listed = ", ".join(models)
        raise Invalid.field(
            "/strategy_id",
            "decisions.backtest_of_model",
            f"该策略读取模型 {listed}，历史决策中未必有其得分，暂不支持历史回放；请先在影子模式下比较",
            f"The strategy reads {listed}, whose scores past decisions need not hold: it cannot be replayed; let it shadow the champion",
        )
    clean = sanitised(graph)
    return Backtest(
        id=new_id(),
        strategy_id=request.strategy_id if version is not None else None,
        key=key,
        version=version,
        graph=clean,
        graph_sha256=graph_digest(clean),
        engine_version=ENGINE_VERSION,
        since_on=request.since_on,
        until_on=until_on,
        limit_count=request.limit,
        segments=list(dict.fromkeys(request.segments)),
        maturity_days=request.maturity_days,
        state="asked",
        decisions_total=0,
        decisions_done=0,
        report=None,
        failure=None,
        asked_by=by or str(getattr(read, "actor", "")),
        asked_at=read.now,
        finished_at=None,
    )


def _check_segments(names: Sequence[str]) -> None:
    listed = ", ".join(SEGMENTS)
    for name in names:
        if is_protected(name):
            raise Invalid.field(
                "/segments",
                "decisions.protected_segment",
                f"受保护属性 {name} 不得用于分群；差别对待请看模型的公平性报告。可用分群：{listed}",
                f"{name} is a protected attribute and no segment; see the fairness report of models. Segments are: {listed}",
            )
        if name not in SEGMENTS:
            raise Invalid.field(
                "/segments",
                "decisions.unknown_segment",
                f"没有分群 {name}，可用：{listed}",
                f"There is no segment {name}: they are {listed}",
            )


async def replay_history(
    reading: Reading,
    asked: Backtest,
    progress: Progress | None = None,
    *,
    count_rows: bool = True,
    sessions: int = SESSIONS,
) -> BacktestReport:
    """Replay a graph on stored decisions and compare. Nothing is written; memory holds a batch per session.

    ``count_rows`` replays the versions that decided as well: then the rows of their tables are counted beside those of the graph, and a
    record that cannot be repeated shows. Raises Invalid when the graph cannot be read.
    """
    law = codes_of(reason_catalogue(), ReasonUse.LAW)
    after = _ready(asked.graph)
    async with reading() as read:
        period = store.Period(
            asked.key,
            read.calendar.opening(asked.since_on),
            read.calendar.opening(BusinessDate.fromordinal(asked.until_on.toordinal() + 1)),
            asked.limit_count,
        )
        slices = await store.slices(read, period)
        if slices:
            period = store.Period(asked.key, slices[0].begins_at, slices[-1].ends_before, asked.limit_count)
        before = {version: _ready(graph) for version, graph in (await _deciders(read, period)).items()} if count_rows else {}
        reasons = await store.reasons_given(read, period, law)
        kept = await store.kept_by_law(read, period, law)
    total = sum(each.count for each in slices)
    reads = frozenset().union(after[1], *(each[1] for each in before.values()))
    names = store.readable(reads | {SEGMENTS[name].indicator for name in asked.segments})
    tally, done = Tally(), 0
    odds, guards_max = min(1.0, SAMPLE_ROWS / max(1, total)), GUARDS_MAX
    async for part, cases in _read(reading, slices, asked, names, law, sessions):
        if cases is not None:
            sampled = drawn(cases.ids, odds)
            found = await asyncio.to_thread(tallied, cases, after, before, asked.segments, sampled, guards_max)
            guards_max = max(0, guards_max - sum(each.is_guard for each in found.sampled))
            tally.add(found)
        done += part.count
        if progress is not None:
            await progress(total, done)
    async with reading() as read:
        check = await _cross_checked(read, asked.graph, tally.sampled)
    return reported(tally, reasons, kept, check, counted_before=count_rows)


async def lay_down_history(writing: Writing, key: str) -> int:
    """Lay full slices of settled decisions down as columns, a transaction each; returns how many decisions were. A replay reads them from
    there, and what is not laid down from the snapshots, with the same figures."""
    law = codes_of(reason_catalogue(), ReasonUse.LAW)
    laid, more = 0, 1
    while more:
        async with writing() as uow:
            await strategies.lock_key(uow, f"{key}:columns")
            more = await store.lay_down(uow, key, law, uow.now - SETTLED_AFTER)
        laid += more
    return laid


async def _read(
    reading: Reading, slices: Sequence[store.Slice], asked: Backtest, names: Sequence[str], law: Sequence[str], sessions: int
) -> AsyncIterator[tuple[store.Slice, Cases | None]]:
    """The batches as they come from several sessions; each reads one ahead of what is asked for."""
    waiting = list(reversed(slices))
    async with AsyncExitStack() as opened:
        reads = [await opened.enter_async_context(reading()) for _ in range(min(sessions, len(slices)))]

        async def next_of(read: ReadSession) -> tuple[ReadSession, store.Slice, Cases | None]:
            part = waiting.pop()
            return read, part, await store.cases(read, asked.key, part, names, law, asked.maturity_days)

        running = {asyncio.create_task(next_of(read)) for read in reads}
        try:
            while running:
                finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    read, part, cases = task.result()
                    if waiting:
                        running.add(asyncio.create_task(next_of(read)))
                    yield part, cases
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _deciders(read: ReadSession, period: store.Period) -> dict[int, Graph]:
    """The versions that made the decisions of a period, where they are on file and read no models."""
    found = {number: await strategies.numbered(read, period.key, number) for number in await store.versions_in(read, period)}
    return {number: each.graph for number, each in found.items() if each is not None and not models_read(each.graph)}


def _ready(graph: Graph) -> tuple[Replay, frozenset[str]]:
    try:
        return Replay(graph, handler(None)), indicators_read(graph)
    except (GraphUnreadable, GraphRefused) as wrong:
        raise Invalid.field(
            "/graph", "decisions.graph_unreadable", f"决策图无法读取：{wrong}", f"The graph is none: {wrong}"
        ) from wrong


async def _cross_checked(read: ReadSession, graph: Graph, sampled: Sequence[Sampled]) -> CrossCheck:
    """Ask the engine about the sample, from the whole of what is stored."""
    inputs = await store.inputs_of(read, [each.decision_id for each in sampled])
    engine = CompiledStrategy(graph)
    listed, differing = [], 0
    for each in sampled:
        verdict = engine.decide(inputs[each.decision_id])
        mine, theirs = _words(each.outcome, each.reason_codes), _words(verdict.outcome, verdict.reason_codes)
        if mine != theirs:
            differing += 1
            listed.append(Disagreement(public_id(Prefix.DECISION, each.decision_id), mine, theirs))
    guards = sum(each.is_guard for each in sampled)
    return CrossCheck(len(sampled) - guards, guards, differing, listed[:DISAGREEMENTS_LISTED_MAX])


def _words(outcome: DecisionOutcome, codes: Iterable[str]) -> str:
    return " ".join([outcome, *sorted(codes)])


async def do_backtest(reading: Reading, writing: Writing, backtest_id: UUID) -> None:
    """Do a replay that was asked for and keep what it found, or that it failed. One that is finished is passed over."""
    async with reading() as read:
        asked = await store.backtest(read, backtest_id)
    if asked is None or asked.finished_at is not None:
        return

    async def progress(total: int, done: int) -> None:
        async with writing() as uow:
            await store.note_progress(uow, backtest_id, total, done)

    report, failure = None, None
    try:
        await lay_down_history(writing, asked.key)
        report = await replay_history(reading, asked, progress)
    except Invalid as refusal:
        failure = f"{refusal.detail_zh} / {refusal.detail_en}"
    async with writing() as uow:
        await store.finish(uow, backtest_id, ENGINE_VERSION, report, failure)


async def keep_backtest(uow: UnitOfWork, asked: Backtest, report: BacktestReport) -> None:
    """Keep a replay that was done without asking for it first (on the command line)."""
    await store.insert(uow, asked)
    await store.note_progress(uow, asked.id, report.decisions + report.kept_by_law, 0)
    await store.finish(uow, asked.id, ENGINE_VERSION, report, None)
