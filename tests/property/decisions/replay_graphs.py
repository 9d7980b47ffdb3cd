"""Random decision graphs and inputs from a seed: everything the graph format allows, with nulls, ties, mixed types and failures.

``python -m tests.property.decisions.replay_graphs [graphs] [first seed]`` compares the replay with the engine on thousands of them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xinzu.middle.decisions.rules.replay.batch import Replay, Report
from xinzu.middle.decisions.rules.replay.columns import Strings

WORDS = ["low", "high", "a", "b", "ab", "", "租赁", "Gold", " x ", "true", "5"]
DATES = ["2024-01-31", "2024-02-29", "2023-12-31T23:00:00Z", "no date"]


class Maker:
    """Draws graphs and inputs from a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.dollar = False  # whether $ means something where the text will stand

    def pick(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.draw.integers(len(choices)))]

    def chance(self, odds: float) -> bool:
        return bool(self.draw.random() < odds)

    def count(self, low: int, high: int) -> int:
        return int(self.draw.integers(low, high + 1))

    # Inputs

    def number(self) -> Any:
        kind = self.count(0, 9)
        if kind < 5:
            return self.count(-5, 12)
        if kind < 8:
            return round(self.count(-400, 1200) / 100, 2)
        if self.chance(0.03):
            return self.pick([10**15, 0.1234567890123456, 2**60, 1e-7])
        return self.pick([0, 0.1, 0.2, 0.3, 1.005, 2.675, 123456789.123, -0.5])

    def value(self, name: str) -> Any:
        if self.chance(0.1):
            return None
        match name[0]:
            case "n" | "m":
                return self.number()
            case "s":
                return self.pick(WORDS)
            case "f":
                return self.chance(0.5)
            case "d":
                return self.pick(DATES)
            case "l":
                return [self.number() if self.chance(0.93) else self.pick([None, "a"]) for _ in range(self.count(0, 4))]
            case "r":
                rows = [{"v": self.number(), "w": self.pick(WORDS)} for _ in range(self.count(0, 3))]
                return [self.pick([row, {"v": None}, {**row, "u": {"z": 1}}]) if self.chance(0.3) else row for row in rows]
            case "o":
                inner: dict[str, Any] = {"x": self.number(), "y": self.pick(WORDS)}
                if self.chance(0.7):
                    inner["k"] = {"z": self.number(), "e": None} if self.chance(0.8) else self.pick([None, 3, "k"])
                if self.chance(0.2):
                    del inner["x"]
                return inner
        return self.pick([self.number(), self.pick(WORDS), self.chance(0.5), None, [1, 2], {"v": 1}])

    NAMES = ("n1", "n2", "m1", "m2", "s1", "s2", "f1", "f2", "d1", "l1", "r1", "o1", "x1")

    def row(self) -> dict[str, Any]:
        return {name: self.value(name) for name in self.NAMES if not self.chance(0.06)}

    # Expressions

    def num(self, depth: int, item: str = "") -> str:
        if depth <= 0 or self.chance(0.25):
            return str(
                self.pick(
                    [
                        *("n1", "n2", "m1", "m2", "o1.x", "n1", "m1"),
                        str(self.count(0, 12)),
                        f"{self.count(0, 400) / 100}",
                        *([item] * 3 if item else []),
                        *("x1", "o1.k.z", "l1[0]", "1.50", *(["$.r1"] if self.dollar else [])),
                    ]
                )
            )
        d = depth - 1
        kind = self.count(0, 17)
        if kind < 3:
            return f"{self.num(d, item)} {self.pick(['+', '-', '*'])} {self.num(d, item)}"
        if kind < 4:
            return f"({self.num(d, item)} {self.pick(['+', '-', '*', '/', '%'])} {self.num(d, item)})"
        if kind == 4:
            return f"{self.num(d, item)} / {self.pick(['100', '3', '4', self.num(d, item)])}"
        if kind == 5:
            return f"round({self.num(d, item)}, {self.count(0, 3)})"
        if kind == 6:
            return f"{self.pick(['floor', 'ceil', 'abs', 'round', 'trunc'])}({self.num(d, item)})"
        if kind == 7:
            return f"({self.num(d, item)} ?? {self.num(d, item)})"
        if kind == 8:
            return f"({self.truth(d, item)} ? {self.num(d, item)} : {self.num(d, item)})"
        if kind == 9:
            return f"{self.pick(['sum', 'min', 'max', 'avg', 'len', 'median'])}({self.array(d)})"
        if kind == 10:
            return f"len({self.text(d)})"
        if kind == 11:
            return f"-{self.num(0, item)}"
        if kind == 12:
            return f"{self.num(0, item)} ^ {self.pick(['2', '3', '0.5', '0', '-1'])}"
        if kind == 13:
            return f"count({self.array(d)}, {self.truth(d, '#')})"
        if kind == 14:
            return f"number({self.pick([self.text(d), 'f1', 'n1'])})"
        if kind == 15:
            return f"d(d1).{self.pick(['year()', 'month()', 'day()', 'add(1, `month`).month()', 'weekday()'])}"
        if kind == 16:
            return f"$nodes.{self.pick(['in', 'n1', 'n2'])}.{self.pick(['n1', 'm1', 'r1'])}"
        return f"({self.num(d, item)})"

    def text(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.3):
            return str(self.pick(["s1", "s2", "o1.y", "x1", *(f"'{word}'" for word in WORDS), "s1", "$nodes.in.s1"]))
        d = depth - 1
        return str(
            self.pick(
                [
                    f"{self.text(d)} + {self.text(d)}",
                    f"upper({self.text(d)})",
                    f"lower({self.text(d)})",
                    f"trim({self.text(d)})",
                    f"string({self.num(d)})",
                    f"string({self.pick(self.NAMES)})",
                    f"`{self.pick(['', 'v='])}${{{self.pick([self.num(d), self.text(0), 'f1', 'n1', 'm1'])}}}`",
                    f"({self.truth(d)} ? {self.text(d)} : {self.text(d)})",
                    f"({self.text(d)} ?? {self.text(d)})",
                    f"type({self.any(d)})",
                    f"{self.text(0)}[0:1]",
                    "d(d1).format('%Y-%m')",
                    f"split({self.text(0)}, 'b')[0]",
                ]
            )
        )

    def truth(self, depth: int, item: str = "") -> str:
        if depth <= 0 or self.chance(0.15):
            return str(self.pick(["f1", "f2", "true", "false", "f1", "x1", f"{self.num(0, item)} > {self.num(0, item)}"]))
        d = depth - 1
        kind = self.count(0, 15)
        if kind < 4:
            return f"{self.num(d, item)} {self.pick(['<', '<=', '>', '>=', '==', '!='])} {self.num(d, item)}"
        if kind == 4:
            return f"{self.text(d)} {self.pick(['==', '!='])} {self.text(d)}"
        if kind == 5:
            return f"{self.any(d)} {self.pick(['==', '!='])} {self.pick(['null', self.any(d)])}"
        if kind == 6:
            return f"({self.truth(d, item)} {self.pick(['and', 'or'])} {self.truth(d, item)})"
        if kind == 7:
            return f"{self.truth(d, item)} {self.pick(['and', 'or'])} {self.truth(d, item)}"
        if kind == 8:
            return f"not ({self.truth(d, item)})" if self.chance(0.7) else f"not {self.truth(d, item)}"
        if kind == 9:
            low = self.count(-2, 5)
            return f"{self.num(d, item)} {self.pick(['in', 'not in'])} {self.pick('[(')}{low}..{self.num(0)}{self.pick('])')}"
        if kind == 10:
            return f"{self.any(d)} {self.pick(['in', 'not in'])} {self.array(d)}"
        if kind == 11:
            return f"{self.text(d)} in ['a', 'low', {self.text(0)}]"
        if kind == 12:
            return f"{self.pick(['startsWith', 'endsWith', 'contains'])}({self.text(d)}, {self.pick(['`a`', self.text(0)])})"
        if kind == 13:
            return f"{self.pick(['some', 'all', 'none', 'one'])}({self.array(d)}, {self.truth(d, '#')})"
        if kind == 14:
            return str(
                self.pick(
                    [
                        f"contains({self.array(d)}, {self.any(0)})",
                        f"bool({self.any(d)})",
                        f"isNumeric({self.any(d)})",
                        f"matches({self.text(0)}, '^[a-z]+$')",
                        "d(d1) < d('2024-02-01')",
                        "d(d1).isValid()",
                        "'x' in o1",
                    ]
                )
            )
        return f"({self.truth(d, item)} ?? {self.truth(d, item)})"

    def array(self, depth: int) -> str:
        if depth <= 0 or self.chance(0.35):
            return str(self.pick(["l1", "l1", "[1, 2.5, n1]", "[m1, m2]", "[]", "map(r1, #.v)", "x1", "[n1, s1]"]))
        d = depth - 1
        return str(
            self.pick(
                [
                    f"map({self.array(d)}, {self.num(d, '#')})",
                    f"filter({self.array(d)}, {self.truth(d, '#')})",
                    f"map(r1, #.{self.pick(['v', 'w', 'u.z'])})",
                    f"map(filter(r1, #.v > {self.num(0)}), #.v)",
                    f"[{self.num(d)}, {self.num(d)}]",
                    f"flatten([{self.array(d)}, {self.num(d)}])",
                    f"flatMap(r1, [#.v, {self.num(0)}])",
                    f"map(l1, {{v: #, w: {self.any(0)}}})",
                    "l1[0:1]",
                    "map([1..3], # * n1)",
                ]
            )
        )

    def any(self, depth: int) -> str:
        kind = self.count(0, 9)
        if kind < 3:
            return self.num(depth)
        if kind < 5:
            return self.text(depth)
        if kind < 7:
            return self.truth(depth)
        if kind == 7:
            return self.array(depth)
        if kind == 8:
            return str(
                self.pick(["null", "o1", "r1", "o1.k", "x1", "nope", f"{{a: {self.num(0)}, b: null}}", "r1[0]", "r1[0].w", "d1"])
            )
        if self.dollar and self.chance(0.4):
            return str(self.pick(["$", "$.r1", "$.q"]))
        return str(self.pick(["t = n1; t", "[null]", "1 +", "{}", "[1..3]", "d(d1)", "#", "o1.k.e", "$root.n1"]))

    def cell(self, kind: str) -> str:
        if self.chance(0.3):
            return self.pick(["", " ", "-"]) if self.chance(0.1) else ""
        match kind:
            case "num":
                return str(
                    self.pick(
                        [
                            f"{self.pick(['<', '<=', '>', '>=', '==', '!='])} {self.num(0)}",
                            f"{self.count(-2, 8)}",
                            f"{self.pick('[(')}{self.count(-5, 3)}..{self.count(2, 12)}{self.pick('])')}",
                            f"> {self.count(-3, 3)} and <= {self.count(2, 10)}",
                            f"{self.count(0, 5)}, {self.count(0, 5)}",
                            "null",
                            f"null, > {self.count(0, 5)}",
                            f"> {self.count(0, 5)} or == null",
                            f"not in [{self.count(0, 5)}, 2]",
                            f"$ * 2 > {self.num(0)}",
                            f"[{self.num(0)}, {self.num(0)}]",
                            self.num(1),
                        ]
                    )
                )
            case "text":
                a, b = self.pick(WORDS), self.pick(WORDS)
                return str(
                    self.pick(
                        [
                            f"'{a}'",
                            f"'{a}', '{b}'",
                            f"!= '{a}'",
                            f"not in ['{a}', '{b}']",
                            "startsWith($, 'a')",
                            "null",
                            "s2",
                            "len($) > 2",
                        ]
                    )
                )
            case "bool":
                return str(self.pick(["true", "false", "null", "not $", "== true", "$ and n1 > 2"]))
        return self.truth(1)

    # Nodes

    def table(self) -> dict[str, Any]:
        kinds = [self.pick(["num", "num", "text", "bool", "free"]) for _ in range(self.count(1, 4))]
        inputs = []
        for place, kind in enumerate(kinds):
            column = {"id": f"i{place}", "name": kind}
            if kind != "free":
                column["field"] = {"num": self.num, "text": self.text, "bool": self.truth}[kind](self.count(0, 1))
            inputs.append(column)
        fields = list(
            dict.fromkeys(self.pick(["r1", "p", "q.a", "q.b", "n2", "list[]", "q.l[]", "o1.x"]) for _ in range(self.count(1, 3)))
        )
        outputs = [{"id": f"u{place}", "name": name, "field": name} for place, name in enumerate(fields)]
        rules = []
        for place in range(self.count(0, 11)):
            rule = {"_id": f"row{place}", **{column["id"]: self.cell(kind) for column, kind in zip(inputs, kinds, strict=True)}}
            for output in outputs:
                simple = self.pick([f"{self.count(0, 9)}", f"'{self.pick(WORDS)}'", "true", "0.5", "null"])
                rule[output["id"]] = "" if self.chance(0.15) else simple if self.chance(0.6) else self.any(1)
            rules.append(rule)
        return {"hitPolicy": self.pick(["first", "first", "collect"]), "inputs": inputs, "outputs": outputs, "rules": rules}

    def expressions(self) -> dict[str, Any]:
        self.dollar = True
        keys = [self.pick(["r1", "p", "q.a", "q.b", "n2", "t1", "x1", "n1", "s2"]) for _ in range(self.count(1, 4))]
        steps = [{"id": f"e{place}", "key": key, "value": self.safe()} for place, key in enumerate(keys)]
        self.dollar = self.chance(0.02)
        return {"expressions": steps}

    def safe(self) -> str:
        """An expression that seldom fails, for a failing one ends the row."""
        wild = self.any(self.count(1, 3))
        if self.chance(0.25):
            return wild
        return str(
            self.pick(
                [
                    f"(n1 ?? 0) * {self.count(1, 5)}",
                    "n1",
                    "s1",
                    "bool(f1) ? 'yes' : 'no'",
                    "o1",
                    "[n1, s1]",
                    f"round((bool(n1) and type(n1) == 'number' ? n1 : 1) / {self.count(1, 7)}, 2)",
                    f"type(m1) == 'number' ? m1 / {self.count(1, 9)} : null",
                    "{v: n1, w: null}",
                    "n1 == n2",
                    "type(l1) == 'array' ? len(l1) : 0",
                    "type(r1) == 'array' ? map(r1, #.w) : []",
                    "type(r1) == 'array' ? filter(r1, type(#.v) == 'number' and #.v > 2) : r1",
                    "null",
                    "$.r1 ?? 3",
                    "n1 ?? m1",
                    wild if self.chance(0.3) else "1.0",
                ]
            )
        )

    def node(self, name: str) -> dict[str, Any]:
        is_table = self.chance(0.55)
        content = self.table() if is_table else self.expressions()
        if self.chance(0.6):
            content["passThrough"] = True
        if self.chance(0.25):
            content["outputPath"] = self.pick(["res", "res.inner", "q", "n1"])
        if self.chance(0.08):
            content["inputField"] = self.pick(["o1", "o1.k", "r1[0]", "n1", "{n1: m1, s1: s2}"])
        elif self.chance(0.12):
            content.update(inputField=self.pick(["r1", "r1", "[{n1: 1}, {n1: m1}]", "l1", "x1"]), executionMode="loop")
        return {"id": name, "name": name, "type": "decisionTableNode" if is_table else "expressionNode", "content": content}

    def graph(self) -> dict[str, Any]:
        nodes: list[dict[str, Any]] = [{"id": "in", "name": "in", "type": "inputNode", "content": {}}]
        edges: list[dict[str, Any]] = []

        def edge(source: str, target: str, handle: str | None = None) -> None:
            made = {"id": f"g{len(edges)}", "sourceId": source, "targetId": target, "type": "edge"}
            edges.append(made if handle is None else {**made, "sourceHandle": handle})

        ends: list[tuple[str, str | None]] = [("in", None)]
        for place in range(1, self.count(1, 6) + 1):
            name = f"n{place}"
            parents = [self.pick(ends)] + ([self.pick(ends)] if self.chance(0.3) else [])
            if self.chance(0.22):
                statements = [
                    {"id": f"{name}w{way}", "condition": self.pick(["", self.truth(1), self.truth(2)])}
                    for way in range(self.count(1, 3))
                ]
                nodes.append(
                    {
                        "id": name,
                        "name": name,
                        "type": "switchNode",
                        "content": {"hitPolicy": self.pick(["first", "collect"]), "statements": statements},
                    }
                )
                ends += [(name, statement["id"]) for statement in statements]
            else:
                nodes.append(self.node(name))
                ends += [(name, None)]
            for source, handle in dict.fromkeys(parents):
                edge(source, name, handle)
        if self.chance(0.6):
            nodes.append({"id": "out", "name": "out", "type": "outputNode", "content": {}})
            for source, handle in dict.fromkeys(self.pick(ends) for _ in range(self.count(1, 3))):
                edge(source, "out", handle)
        return {"nodes": nodes, "edges": edges}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the replay and the engine disagree."""

    seed: int
    graph: Mapping[str, Any]
    row: Any
    replay: Any
    engine: Any


def compare(seed: int, rows: int, report: Report, reasons: Counter[str]) -> list[Difference]:
    """One graph, some rows, both ways."""
    maker = Maker(seed)
    graph = maker.graph()
    inputs = [maker.row() for _ in range(rows)]
    ready = Replay(graph)
    if ready.reason is not None:
        reasons[ready.reason.split(":")[0]] += 1
    found = ready.rows(inputs, Strings(), report).answers()
    wanted = ready.engine.answers(inputs)
    return [
        Difference(seed, graph, row, mine.as_json(), theirs.as_json())
        for row, mine, theirs in zip(inputs, found, wanted, strict=True)
        if canonical(mine.as_json()) != canonical(theirs.as_json())
    ]


def canonical(value: Any) -> str:
    """Text that tells 1 from 1.0 and ignores the order of members."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def main() -> None:
    """Compare many graphs; print the differences and how the rows were decided."""
    graphs, first = (int(each) for each in (*sys.argv[1:], "2000", "0")[:2]) if len(sys.argv) != 2 else (int(sys.argv[1]), 0)
    report, reasons, differences = Report(), Counter[str](), 0
    for seed in range(first, first + graphs):
        try:
            found = compare(seed, 24, report, reasons)
        except Exception as wrong:  # noqa: BLE001 (the seed is what matters)
            sys.stdout.write(f"seed {seed}: {type(wrong).__name__}: {wrong}\n")
            differences += 1
            continue
        for each in found[:1]:
            sys.stdout.write(f"seed {seed}: replay {canonical(each.replay)[:300]}\n  engine {canonical(each.engine)[:300]}\n")
        differences += len(found)
    sys.stdout.write(
        f"{graphs} graphs, {report.rows} rows: {report.vectorised_rows} vectorised, {report.guard_rows} by guard, "
        f"{report.fallback_rows} by fallback, {differences} differences\n{dict(reasons.most_common(12))}\n"
    )


if __name__ == "__main__":
    main()
