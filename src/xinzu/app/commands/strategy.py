"""``xinzu strategy``: strategies on the command line, with no server running."""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from io import UnsupportedOperation
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import UUID

import msgspec
import typer

from xinzu.app.commands import refusals_as_sentences
from xinzu.app.process import open_runtime
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.middle.decisions import api as decisions
from xinzu.middle.decisions.rules.models.reading import given_scores
from xinzu.middle.decisions.rules.nodes import handler
from xinzu.middle.decisions.rules.replay.batch import Replay, Report
from xinzu.middle.decisions.rules.replay.columns import Strings
from xinzu.middle.decisions.rules.replay.engine import Answer, GraphRefused
from xinzu.middle.decisions.rules.replay.walk import GraphUnreadable
from xinzu.platform.actor import system_actor
from xinzu.platform.settings import load_settings
from xinzu.platform.uow import ReadSession

app = typer.Typer(no_args_is_help=True)
_BY = system_actor("command_line")
LINE_BYTES_MAX = 1 << 20
CHUNK_LINES = 8_192
READ_BYTES = 1 << 20
_JSON = msgspec.json.Encoder()


class EngineName(StrEnum):
    """Who decides."""

    ZEN = "zen"
    REPLAY = "replay"


@app.callback()
def group() -> None:
    """Strategies: decision graphs in the JDM format."""


@app.command()
def evaluate(
    graph: Annotated[Path, typer.Argument(help="The graph, a JSON file in the JDM format.", dir_okay=False)],
    engine: Annotated[
        EngineName, typer.Option(help="zen: one input at a time; replay: in batches, with equal answers.")
    ] = EngineName.REPLAY,
    report: Annotated[
        bool, typer.Option("--report", help="At the end, tell on standard error how the inputs were decided.")
    ] = False,
) -> None:
    """Read one JSON input per line, write {"result": …} or {"error": "…"} per line, in order. Exit code 2: the graph cannot be used."""
    try:
        ready = Replay(_graph_of(graph), handler(given_scores))
    except (GraphUnreadable, GraphRefused) as wrong:
        raise _unusable(f"{graph} is no graph: {wrong}") from wrong
    told = run(ready, engine, sys.stdin.buffer, sys.stdout.buffer)
    if report:
        typer.echo(msgspec.json.encode(told), err=True)


def _graph_of(file: Path) -> Any:  # noqa: ANN401 (a JSON value)
    try:
        return msgspec.json.decode(file.read_bytes())
    except OSError as wrong:
        raise _unusable(f"{file} cannot be read: {wrong.strerror}") from wrong
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise _unusable(f"{file} is not JSON: {wrong}") from wrong


def _unusable(sentence: str) -> typer.Exit:
    typer.secho(sentence, err=True, fg=typer.colors.RED)
    return typer.Exit(2)


@app.command()
def replay(
    tenant: Annotated[str, typer.Option(help="The tenant's short name.")],
    draft: Annotated[str | None, typer.Option(help="A version by its id (stg_…), a draft or any other.")] = None,
    version: Annotated[int | None, typer.Option(help="A version by its number.")] = None,
    graph: Annotated[
        Path | None, typer.Option(help="A graph that is not saved, a JSON file in the JDM format.", dir_okay=False)
    ] = None,
    key: Annotated[str, typer.Option(help="The strategy's key, for --version and --graph.")] = decisions.PHONE_RENTAL,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first business date; default: a year ago.")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last; default: today.")] = None,
    segment: Annotated[
        list[str] | None, typer.Option(help="channel, product, price_band, age_band, score_band or periods; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many decisions, the newest.")] = 10_000_000,
    maturity_days: Annotated[int, typer.Option(min=30, max=1_095, help="When what became of an order counts as known.")] = (
        decisions.MATURITY_DAYS
    ),
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Replay a version, or a graph from a file, on stored decisions: whom it would have decided otherwise. Exit code 3: the replay and the
    engine disagree."""
    if sum(each is not None for each in (draft, version, graph)) != 1:
        raise typer.BadParameter("name one of --draft, --version, --graph")

    async def run_replay() -> decisions.BacktestReport:
        async with open_runtime(load_settings(), pool_size=4) as runtime:
            tenant_id = await runtime.tenant_id_of(tenant)
            async with runtime.reading(tenant_id) as read:
                found = await _version(read, key, draft, version) if graph is None else None
                since_on = first.date() if first else read.business_date - timedelta(days=365)
                request = decisions.AskBacktest(
                    found.id if found else UUID(int=0),
                    since_on,
                    last.date() if last else None,
                    limit,
                    segment or (),
                    maturity_days,
                )
                asked = decisions.asked_for(
                    read,
                    request,
                    found.key if found else key,
                    found.version if found else None,
                    found.graph if found else _graph_of(graph) if graph else {},
                    by=str(_BY),
                )
            report = await decisions.replay_history(lambda: runtime.reading(tenant_id), asked)
            async with runtime.unit(tenant_id, _BY) as uow:
                await decisions.keep_backtest(uow, asked, report)
            return report

    with refusals_as_sentences():
        report = asyncio.run(run_replay())
    typer.echo(msgspec.json.encode(report) if as_json else "\n".join(told(report)))
    if report.cross_check.disagreements:
        raise typer.Exit(3)


async def _version(read: ReadSession, key: str, draft: str | None, version: int | None) -> decisions.StrategyVersion:
    if draft is None:
        return await decisions.strategy_numbered(read, key, version or 0)
    try:
        return await decisions.strategy(read, parse_id(Prefix.STRATEGY, draft))
    except ValueError as wrong:
        raise typer.BadParameter("--draft is an id such as stg_…") from wrong


def told(report: decisions.BacktestReport) -> Iterator[str]:
    """A replay's figures as lines to read."""
    before, after, money = report.before, report.after, report.money
    yield f"{report.decisions:,} decisions, {report.changed:,} of them otherwise; {report.kept_by_law:,} left out (not automated, by law)"
    yield f"approval rate  {before.approval_rate:.2%} -> {after.approval_rate:.2%}"
    yield f"bad rate       {_rate(before)} -> {_rate(after)}"
    yield ""
    yield f"{'before':<8} {'after':<8} {'decisions':>10} {'exposure fen':>18} {'good':>8} {'bad':>8} {'unknown':>8}"
    for swap in report.swaps:
        outcomes = f"{swap.before:<8} {swap.after:<8}"
        yield f"{outcomes} {swap.count:>10,} {swap.exposed_fen:>18,} {swap.good:>8,} {swap.bad:>8,} {swap.unknown:>8,}"
    yield ""
    yield f"exposure approved  {money.approved_before_fen:,} -> {money.approved_after_fen:,} fen"
    for word, bad, good, unknown, share in (
        (
            "no more approved",
            money.avoided_bad_fen,
            money.avoided_good_fen,
            money.avoided_unknown_fen,
            money.avoided_unknown_share,
        ),
        ("newly approved", money.added_bad_fen, money.added_good_fen, money.added_unknown_fen, money.added_unknown_share),
    ):
        yield f"{word:<18} bad {bad:,} good {good:,} unknown {unknown:,} fen ({share:.1%} of it unknown)"
    yield ""
    if (known := report.inferred) is None:
        yield "of the declined nothing is known: no mature case was accepted at random"
    else:
        observed = "unknown" if known.observed is None else f"{known.observed:.2%}"
        yield (
            f"bad rate of whom it approves: observed {observed}, by the random arm {known.by_random_arm:.2%},"
            f" at its pessimistic end {known.pessimistic:.2%} ({known.random_arm.count:,} mature cases accepted at random)"
        )
    for each in report.segments:
        rates = (
            f"{each.before.approval_rate:.2%} -> {each.after.approval_rate:.2%}, bad {_rate(each.before)} -> {_rate(each.after)}"
        )
        yield f"{each.segment} {each.value}: {each.before.decisions:,} decisions, approved {rates}"
    for row in report.rows:
        yield f"row {row.node} {row.row}: {_count(row.before)} -> {_count(row.after)}"
    for reason in report.reasons:
        yield f"reason {reason.code}: {reason.before:,} -> {reason.after:,}"
    if report.record_differs:
        yield f"{report.record_differs:,} decisions come out otherwise today under the version that made them"
    engine, check = report.engine, report.cross_check
    yield f"{engine.vectorised:,} over columns, {engine.guard:,} by guard, {engine.fallback:,} by the engine {engine.fallback_reason or ''}"
    yield f"{check.disagreements} disagreements with the engine on {check.sampled} sampled and {check.guards} guarded decisions"
    for each_one in check.listed:
        yield f"  {each_one.decision_id}: replay {each_one.replay}; engine {each_one.engine}"


def _rate(approvals: decisions.Approvals) -> str:
    found = approvals.bad
    return "unknown" if found is None else f"{found.share:.2%} [{found.low:.2%}..{found.high:.2%}] of {found.count:,} known"


def _count(count: int | None) -> str:
    return "no such row" if count is None else f"{count:,}"


def run(ready: Replay, engine: EngineName, source: BinaryIO, sink: BinaryIO) -> Report:
    """One line out for each line in, in order, as soon as no more input is waiting or a chunk is full."""
    report = Report()
    for lines in _chunks(source):
        sink.write(_JSON.encode_lines([answer.as_json() for answer in answers_to(ready, engine, lines, report)]))
        sink.flush()
    return report


def answers_to(ready: Replay, engine: EngineName, lines: Sequence[bytes], report: Report) -> list[Answer]:
    """The answers to some lines; a line that is no JSON answers with an error of its own."""
    answers: list[Answer | None] = [None] * len(lines)
    inputs: dict[int, Any] = {}
    for place, line in enumerate(lines):
        if len(line) > LINE_BYTES_MAX:
            answers[place] = Answer(error=f"a line has at most {LINE_BYTES_MAX} bytes")
            continue
        try:
            inputs[place] = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            answers[place] = Answer(error=f"the line is not JSON: {wrong}")
    rows = list(inputs.values())
    if engine is EngineName.ZEN:
        found = ready.engine.answers(rows)
        report.fallback_rows += len(rows)
    else:
        found = ready.rows(rows, Strings(), report).answers()
    for place, answer in zip(inputs, found, strict=True):
        answers[place] = answer
    return [answer for answer in answers if answer is not None]


def _chunks(source: BinaryIO) -> Iterator[list[bytes]]:
    """Lines as they come, many at once when they come fast. What is beyond the longest line's length is dropped."""
    read = getattr(source, "read1", source.read)
    lines: list[bytes] = []
    rest = b""
    while block := read(READ_BYTES):
        *whole, rest = (rest + block).split(b"\n")
        lines += whole
        if len(rest) > 2 * LINE_BYTES_MAX:
            rest = rest[: LINE_BYTES_MAX + 1]
        while len(lines) >= CHUNK_LINES:
            yield lines[:CHUNK_LINES]
            lines = lines[CHUNK_LINES:]
        if lines and not _is_waiting(source):
            yield lines
            lines = []
    if rest:
        lines.append(rest)
    if lines:
        yield lines


def _is_waiting(source: BinaryIO) -> bool:
    """Whether more can be read at once."""
    try:
        return bool(select.select([source.fileno()], [], [], 0)[0])
    except (UnsupportedOperation, OSError, ValueError):
        return True
