"""Checks a strategy before it may decide: sanitise the graph, look for what goes wrong silently, try it on cases.

What the engine lets pass and we do not: cells that are not text (an editor writes null, the engine then refuses the whole graph); a cell or
field that fails is simply false, so an ordering on a missing value never hits; ``and``/``or`` in a cell have no precedence;
functions that read the clock or chance; a reason code nobody can explain to the customer; attributes no credit decision may rest on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec
import zen

from xinzu.middle.decisions.model import (
    Catalogue,
    DecisionOutcome,
    FailedCase,
    Finding,
    GoldenCase,
    Graph,
    Indicators,
    ReasonUse,
    Report,
    Severity,
)
from xinzu.middle.decisions.rules import nodes as custom
from xinzu.middle.decisions.rules.cells import ROWS_COMPARED_MAX, Axis, coverage, spoken
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS, CREDIT_TEXTS, Kind
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy, StrategyBroken
from xinzu.middle.decisions.rules.findings import finding
from xinzu.middle.decisions.rules.graph import Node, expressions, given_before, has_cycle, links, reads, tables
from xinzu.middle.decisions.rules.indicators import DECLARED, NEVER_NULL, NULLABLE, SIGNAL_TYPES, TEXTS
from xinzu.middle.decisions.rules.language import (
    calls,
    has_loose_default,
    has_loose_not,
    mixes_and_or,
    names,
    tokens,
)

OVERLAPS_SHOWN_MAX = 20  # of one table; each row may overlap with every other
NODES_MAX, ROWS_MAX, CELL_CHARS_MAX, CASES_MAX = 100, 2_000, 500, 500
NODE_TYPES = frozenset({"inputNode", "outputNode", "decisionTableNode", "expressionNode", "switchNode", "customNode"})
AGE_MIN_YEARS = 18  # Civil Code art. 17: an adult, who alone can conclude such a contract
_COLUMN_META = frozenset({"_id", "_description"})
_IMPURE = frozenset({"date", "time", "now", "rand", "isToday", "isYesterday", "isTomorrow", "today"})
_ORDERING = re.compile(r"[<>]|\bin\b|^\s*[\[(]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FLOOR = re.compile(r"<\s*(\d+)")
_LITERAL = re.compile(r"""^(['"])(.*)\1$""")
_PROTECTED = frozenset(
    {
        *("sex", "gender", "sexual", "ethnicity", "ethnic", "race", "religion", "religious", "political", "hukou"),
        *("health", "disease", "disability", "disabled", "pregnancy", "pregnant", "genetic", "marital", "marriage"),
    }
)
_PROTECTED_ZH = re.compile("性别|民族|种族|宗教|信仰|健康|疾病|病史|怀孕|残疾|婚姻|婚育|政治面貌|户籍|基因")
_UNSAFE_BESIDE_NULL = frozenset({"<", ">", "<=", ">=", "+", "-", "*", "/", "%", "^"})


def sanitised(graph: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the graph as the engine needs it: nodes and edges only; null cells of tables become empty."""
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(graph))
    kept: dict[str, Any] = {name: copy[name] for name in ("nodes", "edges") if name in copy}
    for table in tables(kept):
        rows = table["content"].get("rules")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                row.update({column: "" for column, cell in row.items() if cell is None})
    return kept


def graph_digest(graph: Graph) -> str:
    """The hex SHA-256 of the graph's JSON with sorted members: the identity of its content."""
    return sha256(msgspec.json.encode(graph, order="sorted")).hexdigest()


def report(graph: Graph, catalogue: Catalogue, cases: Sequence[GoldenCase] = (), scorer: custom.Scorer | None = None) -> Report:
    """Everything a save looks at: the findings and, when none of them is an error, the golden cases."""
    found = findings(graph, catalogue, scorer)
    if any(each.severity is Severity.ERROR for each in found):
        return Report(found, [], 0)
    return Report(found, failed_cases(CompiledStrategy(graph, scorer), cases), len(cases))


def failed_cases(strategy: CompiledStrategy, cases: Sequence[GoldenCase]) -> list[FailedCase]:
    """The golden cases a strategy answers otherwise. An indicator a case does not name is missing (or nought)."""
    failed = []
    for case in cases:
        try:
            verdict = strategy.evaluate({**trial_cases()["nothing known"], **case.inputs})
        except StrategyBroken as error:
            failed.append(FailedCase(case.name, case.outcome, case.reason_codes, None, [], str(error)))
            continue
        if (verdict.outcome, [*verdict.reason_codes]) != (case.outcome, [*case.reason_codes]):
            failed.append(FailedCase(case.name, case.outcome, case.reason_codes, verdict.outcome, verdict.reason_codes))
    return failed


def findings(graph: Graph, catalogue: Catalogue, scorer: custom.Scorer | None = None) -> list[Finding]:
    """Errors, which forbid submitting, and warnings, each naming node, row and column."""
    found = list(_shape(graph))
    if found:
        return found
    before = given_before(graph)
    for node in graph["nodes"]:
        found += _unknown_names(node, before[node["id"]])
        found += _protected(node)
        found += _expressions(node)
        if node["type"] == "decisionTableNode":
            found += _table(node, catalogue)
        elif node["type"] == "customNode":
            found += _custom(node, catalogue, scorer)
    if any(each.severity is Severity.ERROR for each in found):
        return found
    return [*found, *_trial(graph, catalogue, scorer)]


def _shape(graph: Graph) -> Iterator[Finding]:
    nodes, edges = graph.get("nodes"), graph.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list) or not all(isinstance(n, dict) for n in [*nodes, *edges]):
        yield _malformed("策略由 nodes 与 edges 两个列表组成", "a strategy is an object with lists of nodes and edges")
        return
    if b"\\u0000" in msgspec.json.encode(graph):
        yield _malformed("不得含有 NUL 字符", "it may hold no NUL character")
        return
    if len(nodes) > NODES_MAX:
        yield finding("limit", what_zh="节点数", what_en="nodes", max=NODES_MAX, found=len(nodes))
    ids = [node.get("id") for node in nodes]
    if not all(isinstance(each, str) and each for each in ids) or len(set(ids)) != len(ids):
        yield _malformed("每个节点须有自己的 id", "every node has an id of its own")
        return
    for node in nodes:
        if not isinstance(node.get("type"), str):
            yield _malformed("节点须有类型", "a node has a type", node["id"])
        elif node["type"] == "functionNode":
            yield finding("function_node", node["id"])
        elif node["type"] not in NODE_TYPES:
            yield finding("node_type", node["id"], type=repr(node["type"]), allowed=", ".join(sorted(NODE_TYPES)))
        elif not isinstance(node.get("content"), dict) or not isinstance(node.get("name"), str):
            yield _malformed("节点须有名称与内容", "a node has a name and a content", node["id"])
        else:
            yield from _lists(node)
    if sum(node.get("type") == "inputNode" for node in nodes) != 1:
        yield _malformed("须有且仅有一个输入节点", "a strategy has exactly one input node")
    for source, target in links(graph):
        if source not in ids or target not in ids:
            yield finding("loose_edge", source=source, target=target)
    if has_cycle(ids, links(graph)):
        yield finding("cycle")


def _lists(node: Node) -> Iterator[Finding]:
    """What the checks below walk over has to be lists of objects."""
    content, is_table = node["content"], node["type"] == "decisionTableNode"
    parts = {name: content.get(name, ()) for name in ("inputs", "outputs", "expressions", "statements")}
    rows = content.get("rules") if is_table else []
    if not all(
        isinstance(part, list | tuple) and all(isinstance(each, dict) for each in part) for part in (*parts.values(), rows)
    ):
        yield _malformed(
            "列、行、表达式与条件须为对象的列表",
            "inputs, outputs, rules, expressions and statements are lists of objects",
            node["id"],
        )
        return
    if not all(isinstance(column.get("id"), str) for column in (*parts["inputs"], *parts["outputs"]) if is_table):
        yield _malformed("每一列须有 id", "every column has an id", node["id"])
    if is_table and len(rows) > ROWS_MAX:
        yield finding("limit", node["id"], what_zh="行数", what_en="rows", max=ROWS_MAX, found=len(rows))


def _malformed(why_zh: str, why_en: str, node: str = "") -> Finding:
    return finding("shape", node, why_zh=why_zh, why_en=why_en)


def _unknown_names(node: Node, given: set[str]) -> Iterator[Finding]:
    own = {str(each.get("key") or "").partition(".")[0] for each in node["content"].get("expressions", ())}
    for name, place in reads(node).items():
        if name not in DECLARED and name not in given and name not in own:
            yield finding("unknown_indicator", node["id"], *place, name=name)


def is_protected(name: str) -> bool:
    """Whether a name is that of an attribute no credit decision may rest on."""
    return bool(_PROTECTED & set(name.lower().split("_")) or _PROTECTED_ZH.search(name))


def _protected(node: Node) -> Iterator[Finding]:
    """Attributes a credit decision may not rest on. Their names are looked at, whether declared or not, and the words of columns."""
    places = reads(node)
    for column in node["content"].get("inputs", ()) if node["type"] == "decisionTableNode" else ():
        places.setdefault(str(column.get("name") or ""), ("", column["id"]))
    for name, place in places.items():
        if is_protected(name):
            yield finding("protected", node["id"], *place, name=name)
    if node["type"] != "decisionTableNode" and "age_years" in places:
        yield finding("age_beyond_floor", node["id"], *places["age_years"])


def _expressions(node: Node) -> Iterator[Finding]:
    for row, column, expression in expressions(node):
        if not expression:
            continue
        at = (node["id"], row, column)
        wrong = zen.validate_expression(expression)
        if wrong is not None:
            yield finding("syntax", *at, why=wrong.get("source", wrong))
            continue
        yield from _traps(at, expression)
        if node["type"] != "decisionTableNode" or not row:
            yield from _null_beside_operator(at, expression)


def _traps(at: tuple[str, str, str], expression: str, subject: str = "") -> Iterator[Finding]:
    """What reads otherwise than it looks. ``subject`` is the indicator that ``$`` stands for."""
    if has_loose_not(expression):
        yield finding("loose_not", *at)
    if has_loose_default(expression):
        yield finding("loose_default", *at)
    for function, arguments in calls(expression):
        if function in _IMPURE or (function == "d" and not arguments):
            yield finding("impure", *at)
        elif function == "len" and any(
            (token.kind == "text" and not token.text.isascii()) or token.text in TEXTS or (token.text == "$" and subject in TEXTS)
            for token in arguments
        ):
            yield finding("byte_length", *at)


def _null_beside_operator(at: tuple[str, str, str], expression: str) -> Iterator[Finding]:
    """A missing value beside an ordering or arithmetic is an error: a field is then false, an expression fails the whole strategy."""
    stream = tokens(expression)
    guarded = {
        stream[i].text for i in range(len(stream) - 2) if stream[i + 1].text in ("==", "!=") and stream[i + 2].text == "null"
    }
    for i, token in enumerate(stream):
        if token.kind == "name" and token.text in NULLABLE - guarded:
            beside = {each.text for each in (*stream[max(i - 1, 0) : i], *stream[i + 1 : i + 2]) if each.kind == "mark"}
            if "??" not in beside and beside & _UNSAFE_BESIDE_NULL:
                yield finding("null_unsafe", *at, name=token.text)


def _table(table: Node, catalogue: Catalogue) -> Iterator[Finding]:
    content, node = table["content"], table["id"]
    inputs = {column["id"]: str(column.get("field") or "").strip() for column in content.get("inputs", ())}
    outputs = {column["id"]: str(column.get("field") or "").strip() for column in content.get("outputs", ())}
    seen: set[str] = set()
    for column, expression in inputs.items():
        if not expression:
            yield finding("no_field", node, column=column)
    for row in content["rules"]:
        row_id = row.get("_id")
        if not isinstance(row_id, str) or not row_id or row_id in seen:
            yield finding("row_id", node, found=repr(row_id))
            continue
        seen.add(row_id)
        for column, cell in row.items():
            at = (node, row_id, column)
            if not isinstance(cell, str):
                yield finding("cell_not_text", *at, found=type(cell).__name__)
            elif len(cell) > CELL_CHARS_MAX:
                yield finding("limit", *at, what_zh="字符数", what_en="characters", max=CELL_CHARS_MAX, found=len(cell))
            elif column in inputs:
                yield from _input_cell(at, inputs[column], cell.strip())
            elif column in outputs:
                yield from _output_cell(at, outputs[column], cell.strip(), catalogue)
            elif column not in _COLUMN_META:
                yield finding("no_column", *at)
        if not any(str(row.get(column, "")).strip() for column in inputs) and content.get("hitPolicy") != "first":
            yield finding("no_condition", node, row_id)
    if content.get("hitPolicy") == "first":
        yield from _rows_together(node, inputs, [*outputs], content["rules"])


def _input_cell(at: tuple[str, str, str], field: str, cell: str) -> Iterator[Finding]:
    if not cell:
        return
    try:
        zen.compile_unary_expression(cell)
    except RuntimeError as error:
        yield finding("syntax", *at, why=_first_line(error))
        return
    yield from _traps(at, cell, field)
    if mixes_and_or(cell):
        yield finding("mixed_and_or", *at)
    if _NAME.fullmatch(field) and field in NULLABLE and _ORDERING.search(cell):
        yield finding("null_unsafe", *at, name=field)
    if "age_years" in names(field) and not _is_floor(field, cell):
        yield finding("age_beyond_floor", *at)


def _is_floor(field: str, cell: str) -> bool:
    """Whether a condition on age only asks whether the applicant is an adult, or whether the age is known at all."""
    if field.endswith("null") or cell == "null":
        return True
    below = _FLOOR.fullmatch(cell)
    return below is not None and int(below[1]) <= AGE_MIN_YEARS


def _output_cell(at: tuple[str, str, str], field: str, cell: str, catalogue: Catalogue) -> Iterator[Finding]:
    if field not in ("code", "outcome"):
        return
    literal = _LITERAL.match(cell)
    if literal is None:
        yield finding("unquoted", *at, field=field)
    elif field == "outcome" and literal[2] not in (DecisionOutcome.DECLINE, DecisionOutcome.REFER):
        yield finding("row_outcome", *at)
    elif field == "code":
        yield from _reason(at, literal[2], catalogue)


def _reason(at: tuple[str, str, str], code: str, catalogue: Catalogue) -> Iterator[Finding]:
    if code not in catalogue or catalogue[code].use is not ReasonUse.STRATEGY:
        yield finding("unknown_reason", *at, reason=code)


def _rows_together(
    node: str, inputs: Mapping[str, str], outputs: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Rows that never hit, rows whose order decides, and what no row takes."""
    if len(rows) > ROWS_COMPARED_MAX:
        yield finding("not_compared", node, max=ROWS_COMPARED_MAX)
        return
    columns = [*inputs]
    told = coverage(
        [axis_of(inputs[column]) for column in columns], [[str(row.get(column, "")) for column in columns] for row in rows]
    )
    ids = [str(row.get("_id", "")) for row in rows]
    for at, above in told.unreachable:
        yield finding("unreachable", node, ids[at], above=", ".join(ids[other] for other in above))
    differing = (
        (upper, lower)
        for upper, lower in told.overlapping
        if any(rows[upper].get(column) != rows[lower].get(column) for column in outputs)
    )
    for upper, lower in islice(differing, OVERLAPS_SHOWN_MAX):
        yield finding("overlap", node, ids[lower], other=ids[upper])
    if told.gap is not None:
        example = ", ".join(f"{inputs[columns[at]]} = {spoken(value)}" for at, value in told.gap.items())
        yield finding("gap", node, example=example)


def axis_of(field: str) -> Axis | None:
    """The values of a column over a plain indicator; None for any other expression."""
    if field not in DECLARED:
        return None
    kind: Kind = str if field in TEXTS else SIGNAL_TYPES.get(field) or CREDIT_KINDS.get(field, int)
    return Axis(kind, field in NULLABLE, TEXTS.get(field, ()))


def _custom(node: Node, catalogue: Catalogue, scorer: custom.Scorer | None) -> Iterator[Finding]:
    content = node["content"]
    try:
        config = custom.config_of(content.get("kind"), content.get("config"))
    except custom.ConfigWrong as error:
        yield finding("bad_config", node["id"], why=str(error)[:300])
        return
    for code in custom.codes(config):
        yield from _reason((node["id"], "", "code"), code, catalogue)
    if isinstance(config, custom.Model) and scorer is None:
        yield finding("unknown_model", node["id"], model=f"{config.model} v{config.version}")


def _trial(graph: Graph, catalogue: Catalogue, scorer: custom.Scorer | None) -> Iterator[Finding]:
    """Ask the strategy about extreme and ordinary applications: it must always give a verdict with known reasons."""
    try:
        strategy = CompiledStrategy(graph, scorer)
    except Exception as error:  # noqa: BLE001 (the engine raises bare Exception for a graph it cannot read)
        yield finding("unreadable", why=_first_line(error))
        return
    for name, case in trial_cases().items():
        try:
            verdict = strategy.evaluate(case)
        except StrategyBroken as error:
            yield finding("trial", case=name, why=_first_line(error))
            continue
        for code in verdict.reason_codes:
            if code not in catalogue:
                yield finding("trial", case=name, why=f"reason {code} is not in the catalogue")


def trial_cases() -> dict[str, Indicators]:
    """Indicator sets every strategy must survive: nothing known, an ordinary customer, everything at its largest."""
    words = {"as_of": "2026-01-01", "channel": "direct", "family": "rental"}
    nothing: Indicators = {**dict.fromkeys(NULLABLE), **dict.fromkeys(NEVER_NULL, 0), **words}
    ordinary: Indicators = {
        **nothing,
        "age_years": 30,
        "credit_score": 720,
        "rent_risk_rank": "low",
        "channel_admitted": True,
        "device_value_fen": 600_000,
        "exposure_after_fen": 600_000,
    }
    largest: Indicators = {**nothing, **dict.fromkeys(NEVER_NULL - words.keys(), 10**12), "age_years": 150}
    largest |= {name: True if kind is bool else 950 if kind is int else "high" for name, kind in SIGNAL_TYPES.items()}
    largest |= {
        name: True if kind is bool else CREDIT_TEXTS[name][-1] if kind is str else 10**12 for name, kind in CREDIT_KINDS.items()
    }
    return {"nothing known": nothing, "ordinary": ordinary, "everything at its largest": largest}


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
