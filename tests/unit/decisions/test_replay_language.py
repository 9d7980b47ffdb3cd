"""The expression language as the replay reads it: precedence, cells, intervals; and each operation beside the engine."""

from __future__ import annotations

from typing import Any

import pytest

from xinzu.middle.decisions.rules.replay.batch import Replay, Report
from xinzu.middle.decisions.rules.replay.columns import Strings
from xinzu.middle.decisions.rules.replay.language import Unreadable, parse, parse_cell

ROW: dict[str, Any] = {
    "a": 5,
    "b": 2.5,
    "c": 0.1,
    "s": "hello",
    "arr": [1, 2, 3],
    "o": {"k": {"z": 1}},
    "rows": [{"v": 1, "w": "x"}, {"v": 2.5}, {"v": None}],
}
EXPRESSIONS = """1/3|1/3*3|10/4|5 % 3|-5 % 3|5.5 % 0|5/0|2 ?? 3 ^ 2|-2 ^ 2|2^10|2^0.5|1.5^2|0.1+0.2|0.1+0.2 == 0.3|12345678901234567890
round(2.675,2)|round(-2.5)|trunc(-1.59,1)|floor(-1.5)|ceil(-1.5)|abs(-5.50)|1e20*1e10|1_000|1e3|a.b|a.b.c|arr[1]|arr[5]
arr[-1]|s[0]|s[0:1]|arr[1:]
null|nope|nope == null|nope != nope|a != nope|nope > 1|null and true|true and 5|5 or true|false or nope|true or nope > 1
false and nope > 1
not true|not null|not 1 == 2|!true|nope ?? 3|nope/0 ?? 2|1 ?? nope/0|a > 1 ? 'x' : 'y'|a ? 1 : 2|true == 1|'1' == 1
[1] == [1]|s == 'hello'
'a' < 'b'|s + 1|s + s|s + '!'|1 + 'a'|1 in [1,2]|a in [1..5]|a in [1..5)|a in ]0..5[|a in [1..5[|'x' in [1..5]|nope in [null]
nope in [1]
nope in [1..2]|'k' in o|'z' in o|[1] in [[1]]|a not in [1,2]|len('中文')|len(arr)|len(nope)|len(o)|sum([])|sum(arr)
sum([1,null])|max([])|max([1,'a'])
min([3, 1.5])|avg([1,2])|avg([1,1,2])|avg([])|median([3,1,2])|mode([1,1,2])|contains(arr, 2)|contains('abc','b')
contains([1,null],null)
contains('abc',1)|startsWith(s,'h')|startsWith(nope,'h')|endsWith(s,'o')|matches(s,'^h.*o$')|extract('a1','([0-9])')
split('a,b',',')|upper(s)|upper('é')
lower('ABC')|trim(' a ')|upper(1)|bool('')|bool('x')|bool(' true ')|bool(0)|bool(nope)|number('12.5')|number('x')
number(true)|isNumeric('1')
string(b)|string(1.50)|string(b * 2)|string(a)|string([1])|`v=${a}`|`v=${nope}`|`v=${1.50}`|type(1)|type(o)|type(nope)
type(d('2024-01-01'))
map(arr, # * 2)|filter(arr, # > 1)|some(arr, # > 2)|some([1,'a'], # > 0)|all([0,'a'], # > 0)|none([], #)
one([1,1,'a'], # > 0)|count(arr, # > 1)
count([1], #)|flatMap(arr, [#, #])|flatten([1,[2,[3]]])|map(nope, #)|map(s, #)|map(o, #)|map(arr, map(arr, # + 1))
map(rows, #.v)|filter(rows, #.v == null)
map(filter(rows, #.w == 'x'), #.v)|sum(map(filter(rows, #.v != null), #.v))|map([0..3], #)|{a: null, b: 1}|{[s]: 1}
{a: 1, a: 2}|[1, null]|[s, a]
$root.a|o['k']|#|+s|d('2024-01-31').add('1M')|d('2024-01-01') < d('2024-02-01')|d(nope)|date('2024-01-01')
d('2024-02-10').format('%Y-%m')|1 +|foo(1)|a b"""
CELLS = """5|> 5|>= 5|'a','b'|[1..5]|[1..5)|> 1 and < 10|null|!= 1|not in [1]|startsWith($,'h')|true|a|$|$ > 1|b > 1
-1|1+4|a + 0|contains([5],$)|(> 1)
$ > 1 or a == 2|some([5], # == $)|if|{a:1}|`5`|$ == 5 ? true : false|a == 5 ? 5 : 6|not ($ == 4)|> 5 or == null|null, > 5
in [5]|(1..5]|]1..3[|5, 6 and > 100
len('abcde')|map([5], #)|d('2024-01-01')|bool($)|isNumeric($)|!true|1,2 ,5|> 1, == 'q'|'5'|number('5')|z ?? 5|not $
5 > 4 and $ == 5|- """


def _graph(node: dict[str, Any]) -> dict[str, Any]:
    nodes = [{"id": "in", "name": "in", "type": "inputNode", "content": {}}, {"id": "n", "name": "n", **node}]
    return {"nodes": nodes, "edges": [{"id": "e", "sourceId": "in", "targetId": "n", "type": "edge"}]}


def _compare(graph: dict[str, Any], rows: list[dict[str, Any]]) -> Report:
    ready, report = Replay(graph), Report()
    assert ready.rows(rows, Strings(), report).answers() == ready.engine.answers(rows)
    return report


@pytest.mark.parametrize("expression", [each for line in EXPRESSIONS.splitlines() for each in line.split("|")])
def test_an_expression_has_the_engines_value(expression: str) -> None:
    content = {"expressions": [{"id": "r", "key": "r", "value": expression}, {"id": "t", "key": "t", "value": "type($.r)"}]}
    _compare(_graph({"type": "expressionNode", "content": content}), [ROW, {}, {"a": "x", "s": 1, "arr": [], "o": 3, "b": None}])


@pytest.mark.parametrize("cell", [each for line in CELLS.splitlines() for each in line.split("|")])
def test_a_cell_hits_where_the_engines_does(cell: str) -> None:
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "i", "name": "i", "field": "x"}],
        "outputs": [{"id": "o", "name": "o", "field": "hit"}],
        "rules": [{"_id": "1", "i": cell, "o": "true"}],
    }
    rows: list[dict[str, Any]] = [{"x": value, "a": 5, "b": 2} for value in (5, 6, 1.5, "a", "hello", None, True, [5], {"a": 1})]
    _compare(_graph({"type": "decisionTableNode", "content": content}), rows)


def test_precedence_has_its_traps() -> None:
    assert parse("not 1 == 2").kind == "=="
    assert parse("2 ?? 3 ^ 2").kind == "^"
    assert parse("-2 ^ 2").kind == "^"
    assert parse("2 ^ 3 ^ 2").args[1].kind == "^"
    assert parse("a or b and c").kind == "or"
    assert parse_cell("1, 2 and > 3").kind == "and"  # in a cell the joiners bind equally, left to right


@pytest.mark.parametrize("text", ["", "1 +", "(1", "[1, 2", "`a", "{a 1}", "a..b", "1 2", "a.", "'a"])
def test_what_is_no_expression_is_not_read(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_numbers_are_decimals_and_ties_are_met() -> None:
    content = {"expressions": [{"id": "t", "key": "t", "value": "price * 0.1 + 0.2 >= 0.3 and price * 3 / 3 == price"}]}
    report = _compare(_graph({"type": "expressionNode", "content": content}), [{"price": cents / 100} for cents in range(300)])
    assert report.vectorised_rows == 300
