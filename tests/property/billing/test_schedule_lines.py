"""``xinzu schedule`` answers every line, whatever it says, with one line."""

from __future__ import annotations

import io
import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from xinzu.app.commands.schedule import LINE_BYTES_MAX, answer_to, run
from xinzu.back.billing.api import ScheduleTerms

GOOD = {"principal_fen": 1_200_000, "annual_rate_pct": "11.5", "periods": 12, "start_on": "2026-01-15"}

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(
        ["", "NaN", "Infinity", "-0", "1e400", "2026-02-30", "0001-01-01", "9999-12-31", "bullet", "advance", "week", "rate"]
    ),
    st.lists(st.one_of(st.integers(-5, 10**7), st.sampled_from(["2026-03-01", "1", "x"])), max_size=3),
    st.lists(st.lists(st.sampled_from(["2026-01-15", "2026-03-01", 5, 100_000, "9.5"]), min_size=2, max_size=2), max_size=3),
    st.fixed_dictionaries({}, optional={name: st.integers(-2, 20) for name in ("principal", "interest", "mode", "residue")}),
)
FIELDS = [*(each.name for each in fields(ScheduleTerms)), "surprise"]


@given(st.dictionaries(st.sampled_from(FIELDS), values, max_size=5))
def test_any_field_may_hold_anything(changes: dict[str, object]) -> None:
    answer = answer_to(json.dumps({**GOOD, **changes}))
    assert ("rows" in answer) != ("error" in answer)


@given(
    st.lists(
        st.one_of(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b" ")), st.just(json.dumps(GOOD).encode())),
        max_size=5,
    )
)
def test_one_line_out_for_each_line_in_and_in_order(lines: list[bytes]) -> None:
    sink = io.BytesIO()
    run(io.BytesIO(b"".join(line + b"\n" for line in lines)), sink)
    answers = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert len(answers) == len(lines)
    for line, answer in zip(lines, answers, strict=True):
        assert ("rows" in answer) == (line == json.dumps(GOOD).encode())


def test_a_line_without_end_is_one_error_and_the_next_is_answered() -> None:
    sink = io.BytesIO()
    run(io.BytesIO(b"x" * (3 * LINE_BYTES_MAX) + b"\n" + json.dumps(GOOD).encode()), sink)
    first, second = (json.loads(line) for line in sink.getvalue().splitlines())
    assert "at most" in first["error"]["detail"]
    assert second["totals"]["principal_fen"] == GOOD["principal_fen"]


def test_an_error_names_the_field_and_the_remedy() -> None:
    answer = answer_to(json.dumps({**GOOD, "balloon_fen": 2_000_000}))
    assert answer == {"error": {"code": "billing.terms_refused", "detail": "balloon_fen must not be above the principal"}}
    answer = answer_to(json.dumps({**GOOD, "annual_rate_pct": 11.5}))
    assert answer == {
        "error": {
            "code": "billing.terms_refused",
            "detail": 'annual_rate_pct is a decimal string, e.g. "11.5": a JSON number may lose digits',
        }
    }
