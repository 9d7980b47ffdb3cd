"""``xinzu schedule`` and ``xinzu quote``: schedules on the command line, with no server running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from functools import cache
from typing import Any, BinaryIO, get_type_hints

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from xinzu.app.commands import refusals_as_sentences
from xinzu.back.billing import api as billing
from xinzu.front.catalogue import api as catalogue
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.money import to_yuan

LINE_BYTES_MAX = 256 * 1024
TERMS_REFUSED = "billing.terms_refused"


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """One line out for each line in, in order and at once; an empty line is refused like any other that is no object."""
    while line := source.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX:
            while line and not line.endswith(b"\n"):
                line = source.readline(LINE_BYTES_MAX)
            answer: object = _error(TERMS_REFUSED, f"a line has at most {LINE_BYTES_MAX} bytes")
        else:
            answer = answer_to(line)
        sink.write(msgspec.json.encode(answer) + b"\n")
        sink.flush()


def answer_to(line: bytes | str) -> Mapping[str, object]:
    """The schedule of one line of terms, or ``{"error": {"code", "detail"}}`` naming the field and the remedy."""
    try:
        return _as_json(billing.schedule_of(terms_of(line)))
    except Invalid as invalid:
        named = invalid.errors[0] if invalid.errors else None
        return _error(named.code if named else invalid.code, named.detail_en if named else invalid.detail_en)
    except Problem as problem:
        return _error(problem.code, problem.detail_en)
    except (ArithmeticError, ValueError) as trouble:  # no line may end the stream
        return _error(TERMS_REFUSED, f"the terms cannot be computed: {trouble}")


def terms_of(line: bytes | str) -> billing.ScheduleTerms:
    """The terms a JSON object gives. Raises Invalid when it is none, names an unknown field or holds a value of the wrong type."""
    try:
        given = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise _refused(f"the line is not JSON: {wrong}") from None
    if not isinstance(given, dict):
        raise _refused("the line is not a JSON object of terms")
    _known_only(billing.ScheduleTerms, given, "")
    try:
        return msgspec.convert(_without_nulls(given), billing.ScheduleTerms, str_keys=True)
    except msgspec.ValidationError as wrong:
        raise _refused(str(wrong)) from None
    except (ValueError, OverflowError, ArithmeticError) as wrong:
        raise _refused(f"a value cannot be read: {wrong}") from None


def _without_nulls(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


@cache
def _hints_of(of: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(of)


def _known_only(of: type[Any], given: Mapping[str, Any], path: str) -> None:
    hints = _hints_of(of)  # type: ignore[arg-type]  # a class is hashable
    known = {field.name for field in fields(of)}
    for name, value in given.items():
        if name not in known:
            raise _refused(f"unknown field {path}{name}: the fields are {', '.join(sorted(known))}")
        if isinstance(value, dict) and hasattr(hints[name], "__dataclass_fields__"):
            _known_only(hints[name], value, f"{name}.")
        if isinstance(value, float) and hints[name] is Decimal:
            raise _refused(f'{path}{name} is a decimal string, e.g. "{value}": a JSON number may lose digits')


def _refused(detail: str) -> Invalid:
    return Invalid.field("", TERMS_REFUSED, detail, detail)


def _error(code: str, detail: str) -> dict[str, object]:
    return {"error": {"code": code, "detail": detail}}


def _as_json(schedule: billing.Schedule) -> dict[str, object]:
    terms = schedule.terms
    totals: dict[str, object] = {
        "principal_fen": schedule.principal_fen,
        "interest_fen": schedule.interest_fen,
        "fee_fen": schedule.fee_fen,
        "total_fen": schedule.total_fen,
        "periods": len(schedule.rows),
        "annual_rate_pct": format(terms.annual_rate_pct, "f"),
        "balloon_fen": terms.balloon_fen,
        "subsidy_fen": schedule.subsidy_fen,
    }
    return {
        "rows": [
            {
                "n": row.n,
                "from_on": row.from_on,
                "due_on": row.due_on,
                "principal_fen": row.principal_fen,
                "interest_fen": row.interest_fen,
                "fee_fen": row.fee_fen,
                "total_fen": row.total_fen,
                "balance_fen": row.balance_fen,
            }
            for row in schedule.rows
        ],
        "totals": totals,
        "annual_cost_pct": schedule.annual_cost_pct,
        "irr_pct": schedule.irr_pct,
    }


_HEADINGS = {
    False: ("期", "起", "应还日", "本金", "利息", "费用", "合计", "余额"),
    True: ("n", "from", "due", "principal", "interest", "fee", "total", "balance"),
}


def show(line: str, *, english: bool) -> None:
    """Print the schedule as a table in yuan. Raises typer.Exit(1), after a sentence, for terms that cannot be or cost too much."""
    with refusals_as_sentences():
        schedule = billing.schedule_of(terms_of(line))
        cost = schedule.annual_cost_pct
        if cost is not None and not catalogue.is_within_cap(Decimal(cost)):
            raise catalogue.CostAboveCap(annual_cost_pct=cost, cap_pct=str(catalogue.ANNUAL_COST_MAX_PCT))
    table = Table(*_HEADINGS[english], caption=None)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in schedule.rows:
        amounts = (row.principal_fen, row.interest_fen, row.fee_fen, row.total_fen, row.balance_fen)
        table.add_row(str(row.n), row.from_on.isoformat(), row.due_on.isoformat(), *(to_yuan(fen) for fen in amounts))
    console = Console()
    console.print(table)
    total, interest = to_yuan(schedule.total_fen), to_yuan(schedule.interest_fen)
    words = (
        f"Total {total}, interest {interest} (yuan); all-in cost a year (compound) {cost or '-'} %, IRR (nominal) {schedule.irr_pct or '-'} %"
        if english
        else f"合计 {total} 元，其中利息 {interest} 元；综合年化成本（复利）{cost or '-'} %，内部收益率（单利）{schedule.irr_pct or '-'} %"
    )
    typer.echo(words)
