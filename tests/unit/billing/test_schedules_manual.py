"""What docs/manual/schedules.md shows is what the command prints. ``python tests/unit/billing/test_schedules_manual.py`` writes it anew."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from xinzu.app.commands.schedule import answer_to

MANUAL = Path(__file__).parents[3] / "docs" / "manual" / "schedules.md"
EXAMPLE = re.compile(r"```json\n(?P<terms>\{.*\})\n```\n(?:\n(?:\|.*\n)+\n`total_fen`.*\n|\n> .*\n)?")
COLUMNS = ("n", "from_on", "due_on", "principal_fen", "interest_fen", "fee_fen", "total_fen", "balance_fen")
SOLVED = {
    "rate": "annual_rate_pct",
    "periods": "periods",
    "principal": "principal_fen",
    "balloon": "balloon_fen",
    "subsidy": "subsidy_fen",
}


def rendered(manual: str) -> str:
    """The page with each example's answer as it comes out now."""
    return EXAMPLE.sub(lambda found: _example(found.group("terms")), manual)


def _example(line: str) -> str:
    answer = json.loads(msgspec.json.encode(answer_to(line)))
    shown = [f"> {answer['error']['detail']}"] if "error" in answer else _schedule(json.loads(line), answer)
    return "\n".join(["```json", line, "```", "", *shown, ""])


def _schedule(terms: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    totals = answer["totals"]
    solved = f"; solved `{SOLVED[terms['solve']]}` {totals[SOLVED[terms['solve']]]}" if "solve" in terms else ""
    return [
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * 3 + "--:|" * 5,
        *(f"| {' | '.join(str(row[name]) for name in COLUMNS)} |" for row in answer["rows"]),
        "",
        f"`total_fen` {totals['total_fen']}, `irr_pct` {answer['irr_pct']}, "
        f"`annual_cost_pct` {answer['annual_cost_pct']}{solved}",
    ]


def test_every_example_of_the_manual_comes_out_as_shown() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(manual)) > 25
    assert rendered(manual) == manual, "write it anew: python tests/unit/billing/test_schedules_manual.py"


if __name__ == "__main__":
    MANUAL.write_text(rendered(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
