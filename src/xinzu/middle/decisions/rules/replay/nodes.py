"""What a node makes of its input: decision tables, expressions, and what every node can do with its input and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xinzu.middle.decisions.rules.replay.columns import (
    ABSENT,
    ARR,
    ASK,
    FAIL,
    NULL,
    OBJ,
    Column,
    Mask,
    Rows,
    arrays,
    bit,
    choose,
    constant_of,
    inserted,
    objects,
    tagged,
    take,
)
from xinzu.middle.decisions.rules.replay.comparing import NOTHING
from xinzu.middle.decisions.rules.replay.expressions import compiled, compiled_cell, reads_dollar
from xinzu.middle.decisions.rules.replay.group import Group, scope_of
from xinzu.middle.decisions.rules.replay.merging import copied, merged
from xinzu.middle.decisions.rules.replay.scope import NeedsEngine, Run, Scope

COPY_DEPTH = 9  # what a table hands out are other objects than its input's


Handle = Callable[["Group", Column, Mapping[str, Column], "Mask | None"], Column]


@dataclass(frozen=True, slots=True)
class Switch:
    statements: tuple[tuple[str, Run | None], ...]
    first_only: bool


def switch_of(content: Mapping[str, Any]) -> Switch:
    statements = content.get("statements") or []
    if len(statements) > 62:
        raise NeedsEngine("a switch with more than 62 ways")
    made = []
    for statement in statements:
        condition = statement.get("condition") or ""
        if condition and reads_dollar(condition):
            raise NeedsEngine("$ in a switch")
        made.append((str(statement.get("id")), compiled(condition) if condition else None))
    if len({name for name, _ in made}) != len(made):
        raise NeedsEngine("two statements of one id")
    return Switch(tuple(made), (content.get("hitPolicy") or "first") == "first")


def transformed(node_id: str, content: Mapping[str, Any], handle: Handle) -> Handle:
    """The node with its input field, loop, output path and pass-through, in the engine's order."""
    field_text = content.get("inputField") or ""
    field_run = compiled(field_text) if field_text else None
    if field_text and reads_dollar(field_text):
        raise NeedsEngine("$ in an input field")
    path = [*content["outputPath"].split(".")] if content.get("outputPath") else None
    passes, loops = bool(content.get("passThrough")), content.get("executionMode") == "loop"
    if not passes and not loops and path is None and field_run is None:
        return handle

    def run(group: Group, given: Column, nodes: Mapping[str, Column], where: Mask | None) -> Column:
        taken = given
        if field_run is not None:
            taken = group.settle(field_run(scope_of(group, given, nodes)), f"node {node_id}: Failed to evaluate expression")
        if loops:
            group.fail(np.broadcast_to(~taken.has(ARR), group.dead.shape), f"node {node_id}: Expected an array")
            items: list[tuple[Mask, Column]] = []
            for mask, item in taken.items:
                present = mask & taken.has(ARR)
                if not present.any():
                    continue
                made = handle(group, item, nodes, present)
                items.append((present, merged(item, made) if passes else made))
            output = arrays(items)
        else:
            output = handle(group, taken, nodes, where)
        if path is not None:
            output = inserted(objects({}), path, output)
        return merged(given, output) if passes else output

    return run


def expression_node(node_id: str, content: Mapping[str, Any]) -> Handle:
    steps: list[tuple[list[str], Run, str]] = []
    for expression in content.get("expressions") or []:
        key, value = expression.get("key") or "", expression.get("value") or ""
        if key and value:
            steps.append((key.split("."), compiled(value), f'node {node_id}: Failed to evaluate expression: "{value}"'))
    _no_crossing([path for path, _, _ in steps])

    def run(group: Group, given: Column, nodes: Mapping[str, Column], where: Mask | None) -> Column:
        result = objects({})
        scope = scope_of(group, given, nodes)
        for path, expression, failure in steps:
            if result.members:
                seen = copied(result, 2)
                scope.reference = (
                    seen if given.is_only(OBJ, NULL) else choose(np.asarray(given.has(OBJ) | given.has(NULL)), seen, NOTHING)
                )
            value = group.settle(expression(scope), failure, where)
            result = inserted(result, path, value)
        return result

    return run


def _no_crossing(paths: Sequence[Sequence[str]]) -> None:
    """The engine shares values between places: a member set inside another result, or inside the input, changes both."""
    for place, path in enumerate(paths):
        if path[0].startswith("$"):
            raise NeedsEngine("a result under a $ name")
        for other in paths[:place]:
            if path != other and (path[: len(other)] == other or other[: len(path)] == path):
                raise NeedsEngine("a result inside another result")


def table_node(node_id: str, content: Mapping[str, Any]) -> Handle:
    inputs = [(column["id"], (column.get("field") or "").strip()) for column in content.get("inputs") or []]
    outputs = [(column["id"], column.get("field") or "") for column in content.get("outputs") or []]
    collects = content.get("hitPolicy") == "collect"
    if any(not path for _, path in outputs):
        raise NeedsEngine("an output without a field")
    gathered = [path.endswith("[]") and not collects for _, path in outputs]
    paths = [(path.removesuffix("[]") if path.endswith("[]") else path).split(".") for _, path in outputs]
    if len({tuple(path) for path in paths}) != len(paths):
        raise NeedsEngine("two outputs of one field")
    _no_crossing(paths)
    fields: list[Run | None] = []
    for _, text in inputs:
        if text and reads_dollar(text):
            raise NeedsEngine("$ in a column's field")
        fields.append(compiled(text) if text else None)
    rules: list[tuple[list[tuple[int, str, Run]], list[Run | None]]] = []
    names: list[tuple[str, str]] = []
    for rule in content.get("rules") or []:
        names.append((node_id, str(rule.get("_id", ""))))
        conditions: list[tuple[int, str, Run]] = []
        for place, (column, text) in enumerate(inputs):
            cell = (rule.get(column) or "").strip()
            if not cell:
                continue
            if not text and reads_dollar(cell):
                raise NeedsEngine("$ in a cell without a field")
            conditions.append((place, cell, compiled_cell(cell) if text else compiled(cell)))
        results: list[Run | None] = []
        for column, _ in outputs:
            cell = (rule.get(column) or "").strip()
            if cell and reads_dollar(cell):
                raise NeedsEngine("$ in an output cell")
            results.append(compiled(cell) if cell else None)
        rules.append((conditions, results))

    def run(group: Group, given: Column, nodes: Mapping[str, Column], where: Mask | None) -> Column:
        scope = scope_of(group, given, nodes)
        references: dict[int, tuple[Column, Scope]] = {}
        truths: dict[tuple[int, str], tuple[Mask, Mask | None]] = {}

        def holds(place: int, cell: str, condition: Run) -> tuple[Mask, Mask | None]:
            known = truths.get((place, cell))
            if known is None:
                field_run = fields[place]
                if field_run is None:
                    value = condition(scope)
                    failed = None
                else:
                    if place not in references:
                        looked_at = field_run(scope)
                        references[place] = looked_at, replace(scope, reference=looked_at)
                    reference, cell_scope = references[place]
                    value = condition(cell_scope)
                    failed = reference.tags == FAIL if reference.may_be(FAIL) else None
                    if reference.may_be(ASK):
                        value = tagged(value, reference.tags == ASK, ASK)
                truth = value.truth() if failed is None else value.truth() & ~failed
                known = truths[place, cell] = (truth, value.tags == ASK if value.may_be(ASK) else None)
            return known

        return _hit(group, scope, rules, names, holds, paths, gathered, collects=collects, where=where)

    return run


def _hit(
    group: Group,
    scope: Scope,
    rules: Sequence[tuple[Sequence[tuple[int, str, Run]], Sequence[Run | None]]],
    names: Sequence[tuple[str, str]],
    holds: Callable[[int, str, Run], tuple[Mask, Mask | None]],
    paths: Sequence[Sequence[str]],
    gathered: Sequence[bool],
    *,
    collects: bool,
    where: Mask | None,
) -> Column:
    """The rules' outcome: the first row's values, all rows' objects, or arrays for the columns that gather."""
    wants_all = collects or any(gathered)
    free: Mask = ~group.dead if where is None else ~group.dead & where
    hits: list[tuple[Mask, list[Column | None]]] = []
    found: Mask = np.zeros(1, dtype=np.bool_)
    for name, (conditions, results) in zip(names, rules, strict=True):
        truth = free
        unsure: Mask | None = None
        for place, cell, condition in conditions:
            true, asked = holds(place, cell, condition)
            if asked is not None:
                unsure = asked if unsure is None else unsure | asked
                truth = truth & (true | asked)
            else:
                truth = truth & true
        if unsure is not None and (doubtful := unsure & truth).any():
            group.ask(doubtful)
            truth = truth & ~doubtful
        if not truth.any():
            continue
        values: list[Column | None] = []
        for place, result in enumerate(results):
            value = copied(result(scope), COPY_DEPTH) if result is not None else None
            if value is not None and value.may_be(FAIL, ASK):
                matters = (
                    truth if collects or gathered[place] else truth & ~found
                )  # a scalar is computed for the first row hit only
                if value.may_be(ASK):
                    group.ask((value.tags == ASK) & matters)
                truth = truth & ~(matters & ((value.tags == FAIL) | (value.tags == ASK)))
                value = replace(
                    tagged(value, (value.tags == FAIL) | (value.tags == ASK), NULL),
                    kinds=value.kinds & ~bit(FAIL, ASK) | bit(NULL),
                )
            values.append(value)
        hits.append((truth, values))
        group.hit(name, truth)
        found = found | truth
        if not wants_all:
            free = free & ~truth
            if not free.any():
                break
    if collects:
        return arrays([(truth, _row(paths, values)) for truth, values in hits])
    return _first(hits, paths, gathered, group.batch.count)


def _row(paths: Sequence[Sequence[str]], values: Sequence[Column | None]) -> Column:
    result = objects({})
    for path, value in zip(paths, values, strict=True):
        if value is not None:
            result = inserted(result, path, value)
    return result


def _first(
    hits: Sequence[tuple[Mask, list[Column | None]]], paths: Sequence[Sequence[str]], gathered: Sequence[bool], count: int
) -> Column:
    """Scalars of the first row hit, arrays of all rows hit; null where none is."""
    which = np.full(count, len(hits), dtype=np.intp)
    for place in range(len(hits) - 1, -1, -1):
        which[np.broadcast_to(hits[place][0], count)] = place
    result = objects({})
    absent = constant_of(ABSENT)
    for place, path in enumerate(paths):
        cells = [values[place] for _, values in hits]
        if gathered[place]:
            value = arrays([(truth, cell) for (truth, _), cell in zip(hits, cells, strict=True) if cell is not None])
        else:
            value = _selected([cell if cell is not None else absent for cell in cells] + [absent], which)
        result = _inserted_absent(result, path, value)
    return choose(which < len(hits), result, NOTHING)


def _inserted_absent(target: Column, path: Sequence[str], value: Column) -> Column:
    """Set a value at a path; where it is absent the objects on the way are absent too."""
    if len(path) == 1 or not value.may_be(ABSENT):
        return inserted(target, path, value)
    old = target.members.get(path[0], constant_of(ABSENT))
    base = replace(old, tags=np.full(1, OBJ, dtype=np.uint8), kinds=bit(OBJ)) if old.members else objects({})
    inner = _inserted_absent(base, path[1:], value)
    there = np.asarray(old.has(OBJ) | ~value.has(ABSENT))
    return replace(target, members={**target.members, path[0]: choose(there, inner, constant_of(ABSENT))})


def _selected(cells: Sequence[Column], which: Rows) -> Column:
    """One of several columns per row."""
    if all(len(cell.tags) == 1 and len(cell.data) == 1 and not cell.members and not cell.items for cell in cells):
        places = np.arange(len(cells))
        constants = cells[-1]
        for place in range(len(cells) - 1):
            constants = choose(places == place, cells[place], constants)
        constants = replace(
            constants, tags=np.broadcast_to(constants.tags, len(cells)), data=np.broadcast_to(constants.data, len(cells))
        )
        return take(constants, which)
    result = cells[-1]
    for place in range(len(cells) - 2, -1, -1):
        result = choose(which == place, cells[place], result)
    return result
