"""What the checks claim of a table is true of the engine: rows said to be unreachable never hit, gaps are gaps."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import zen
from hypothesis import given, settings
from hypothesis import strategies as st

from xinzu.middle.decisions.rules.cells import Axis, Value, atoms, cell_test, coverage
from xinzu.middle.decisions.rules.diff import changes
from xinzu.middle.decisions.rules.experiments import BUCKETS, bucket, is_in_share
from xinzu.middle.decisions.rules.language import names, tokens

NUMBERS = st.integers(-3, 6)
WORDS = st.sampled_from(["low", "medium", "high"])
NUMBER_AXIS, WORD_AXIS = Axis(int, True), Axis(str, True, ("low", "medium", "high"))
NUMBER_CELLS = st.one_of(
    st.just(""),
    st.just("null"),
    NUMBERS.map(str),
    st.builds(lambda op, n: f"{op} {n}", st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
    st.builds(
        lambda a, b, o, c: f"{o}{min(a, b)}..{max(a, b)}{c}", NUMBERS, NUMBERS, st.sampled_from("[("), st.sampled_from("])")
    ),
    st.builds(lambda a, b: f"> {a} and < {b}", NUMBERS, NUMBERS),
    st.builds(lambda a, b: f"{a}, {b}", NUMBERS, NUMBERS),
    st.builds(lambda a, b: f"not in [{a}..{b}]", NUMBERS, NUMBERS.map(lambda n: n + 10)),
)
WORD_CELLS = st.one_of(
    st.just(""),
    st.just("null"),
    WORDS.map(lambda word: f"'{word}'"),
    WORDS.map(lambda word: f"!= '{word}'"),
    st.builds(lambda a, b: f"'{a}', '{b}'", WORDS, WORDS),
    WORDS.map(lambda word: f"not in ['{word}']"),
)
TABLES = st.lists(st.tuples(NUMBER_CELLS, WORD_CELLS), min_size=1, max_size=6)
POINTS = [(number, word) for number in [None, *range(-6, 20)] for word in (None, "low", "medium", "high")]


def hit_by(rows: Sequence[tuple[str, str]]) -> dict[tuple[int | None, str | None], int | None]:
    """By point the row the engine hits first."""
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": "n", "name": "n", "field": "n"}, {"id": "w", "name": "w", "field": "w"}],
        "outputs": [{"id": "o", "name": "o", "field": "row"}],
        "rules": [{"_id": str(at), "n": number, "w": word, "o": str(at)} for at, (number, word) in enumerate(rows)],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "content": {"schema": ""}},
        {"id": "t", "type": "decisionTableNode", "name": "t", "content": table},
    ]
    graph = {"nodes": nodes, "edges": [{"id": "e", "sourceId": "in", "targetId": "t", "type": "edge"}]}
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"t": graph}}})

    def row(number: int | None, word: str | None) -> int | None:
        result = engine.evaluate("t", {"n": number, "w": word})["result"]
        return result["row"] if result else None

    return {point: row(*point) for point in POINTS}


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_what_is_said_of_rows_is_true_of_the_engine(rows: list[tuple[str, str]]) -> None:
    told, hits = coverage([NUMBER_AXIS, WORD_AXIS], rows), hit_by(rows)
    reached = {row for row in hits.values() if row is not None}
    # Over these few points every piece of each axis is present, so that the claim is exact both ways.
    never = {at for at, cells in enumerate(rows) if at not in reached and _takes_something(cells)}
    assert {at for at, _ in told.unreachable if _takes_something(rows[at])} == never
    assert (told.gap is not None) == (None in hits.values())


@settings(deadline=None)
@given(st.one_of(NUMBER_CELLS, WORD_CELLS), st.sampled_from(POINTS))
def test_a_cell_takes_what_the_engine_takes(cell: str, point: tuple[int | None, str | None]) -> None:
    for value in point:
        found = cell_test(cell)
        assert found is not None
        try:
            engine = not cell or bool(zen.evaluate_unary_expression(cell, {"$": value}))
        except RuntimeError:
            engine = False  # an error in a cell is false
        assert found[0](_value(value)) == engine


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=5), st.booleans())
def test_the_atoms_of_an_axis_hold_a_value_of_each_piece(cuts: list[int], is_whole: bool) -> None:
    found = atoms(Axis(int if is_whole else Decimal, False), [Decimal(cut) for cut in cuts])
    for value in (Decimal(n) / 2 for n in range(-20, 30)):
        if is_whole and value != value.to_integral_value():
            continue
        assert any(all((value > cut) == (atom > cut) and (value < cut) == (atom < cut) for cut in cuts) for atom in found)  # type: ignore[operator]


@settings(deadline=None)
@given(st.integers(1, 10**6), st.uuids(version=4))
def test_whoever_is_in_at_five_percent_is_in_at_twenty(tenant_id: int, party_id: UUID) -> None:
    assert 0 <= bucket(tenant_id, "k", "v2", party_id) < BUCKETS
    shares = [is_in_share(tenant_id, "k", 2, party_id, share) for share in (0, 1, 5, 20, 50, 100)]
    assert shares == sorted(shares)
    assert shares[0] is False
    assert shares[-1] is True


@settings(deadline=None)
@given(TABLES, TABLES)
def test_the_difference_of_two_tables_is_empty_only_when_they_are_equal(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    graphs = [
        {
            "nodes": [
                {
                    "id": "t",
                    "name": "t",
                    "type": "decisionTableNode",
                    "content": {"rules": [{"_id": str(at), "n": number, "w": word} for at, (number, word) in enumerate(rows)]},
                }
            ],
            "edges": [],
        }
        for rows in (one, other)
    ]
    assert (changes(graphs[0], graphs[1]) == []) == (one == other)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_read_without_falling_over(text: str) -> None:
    tokens(text)
    names(text)
    cell_test(text)


def _takes_something(cells: tuple[str, str]) -> bool:
    tests = [cell_test(cell) for cell in cells]
    return any(
        all(test is not None and test[0](_value(value)) for test, value in zip(tests, point, strict=True)) for point in POINTS
    )


def _value(value: int | str | None) -> Value:
    return Decimal(value) if isinstance(value, int) else value
