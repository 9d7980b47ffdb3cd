"""What docs/manual/servicing.md shows is what the rules answer. ``python tests/unit/billing/servicing/test_servicing_manual.py`` writes it
anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from xinzu.app.commands.schedule import answer_to
from xinzu.back.billing.model import InstalmentState, Leg, Role
from xinzu.back.billing.rules.schedules.rentals import equal_rents
from xinzu.back.billing.rules.schedules.solve import schedule_of
from xinzu.back.billing.rules.schedules.terms import ScheduleTerms
from xinzu.back.billing.rules.servicing import default, ending, payoff, prepayment, relief, reschedule
from xinzu.back.billing.rules.servicing.change import Change
from xinzu.back.billing.rules.servicing.position import Position, legs_of, position_of
from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import Family

MANUAL = Path(__file__).parents[4] / "docs" / "manual" / "servicing.md"
EXAMPLE = re.compile(r"```json\n(?P<line>\{.*\})\n```\n(?:\n(?:> .*\n)+)?(?:\n(?:\|.*\n)+)?")
RULES: dict[str, tuple[Callable[[Position, Any], Any], Any]] = {
    "prepay": (prepayment.prepay, prepayment.Prepayment),
    "pay_off": (payoff.pay_off, payoff.Payoff),
    "change_rate": (reschedule.change_rate, reschedule.RateChange),
    "re_amortise": (reschedule.re_amortise, reschedule.ReAmortise),
    "extend": (reschedule.extend, reschedule.Extension),
    "pause": (reschedule.pause, reschedule.Moratorium),
    "restructure": (reschedule.restructure, reschedule.Restructure),
    "re_age": (reschedule.re_age, reschedule.ReAge),
    "renew": (ending.renew, ending.Renewal),
    "transfer": (ending.transfer, ending.Transfer),
    "accelerate": (default.accelerate, default.Acceleration),
    "terminate": (default.terminate, default.Termination),
    "waive": (relief.waive, relief.Waiver),
    "derecognise": (relief.derecognise, relief.Derecognition),
}
SUMS = ("due_now_fen", "arrears_fen", "credit_fen", "rebate_fen", "falls_away_fen")
ROLES = (Role.PRINCIPAL, Role.INTEREST, Role.FEE, Role.RENT)


def rendered(manual: str) -> str:
    """The page with each example's answer as it comes out now."""
    positions: dict[str, dict[str, Any]] = {}
    return EXAMPLE.sub(lambda found: _example(found.group("line"), positions), manual)


def _example(line: str, positions: dict[str, dict[str, Any]]) -> str:
    example = json.loads(line)
    if "position" in example:
        positions[example["position"]] = example
        return f"```json\n{line}\n```\n"
    try:
        shown = _answer(example, positions[example["of"]])
    except Invalid as problem:
        shown = [f"> refused: {problem.detail_en}"]
    return "\n".join(["```json", line, "```", "", *shown, ""])


def _answer(example: dict[str, Any], described: dict[str, Any]) -> list[str]:
    event = example["event"]
    position = _position(described, min(date(2026, 4, 25), date.fromisoformat(event["on"])))
    if example["do"] == "change_rate":  # the backdated one is told on 25 April
        position = _position(described, date(2026, 4, 25))
    if example["do"] == "stop_accrual":
        found = relief.stop_accrual(position, date.fromisoformat(event["on"]), event["days_past_due"], event["ground"])
        return [f"> `reversed_fen` {found.reversed_fen}, of it accrued {found.accrued.interest_fen}"]
    if described["family"] != "loan":
        position = _position(described, date.fromisoformat(event["on"]))
    if example["do"] == "buy_out":
        price = ending.PriceTable(prices_fen=tuple(event["price"]["prices_fen"]))
        return _change(ending.buy_out(position, ending.Buyout(on=date.fromisoformat(event["on"]), price=price)))
    rule, kind = RULES[example["do"]]
    result = rule(position, msgspec.convert(event, kind))
    if isinstance(result, Change):
        return _change(result)
    if isinstance(result, ending.Transferred):
        stays, moves = (sum(item.open_fen for item in items) for items in (result.stays, result.moves))
        return [f"> stays with the old lessee {stays}, moves to the new {moves}"]
    return [f"> `principal_fen` {result.principal_fen}, `interest_fen` {result.interest_fen}, `other_fen` {result.other_fen}"]


def _position(described: dict[str, Any], as_of: date) -> Position:
    paid_to = date.fromisoformat(described["paid_to"])
    terms: ScheduleTerms | None = None
    if "terms" in described:
        terms = _terms(described["terms"])
        legs = legs_of(schedule_of(terms).rows, terms)
    else:
        rows = equal_rents(described["rent_fen"], described["periods"], date.fromisoformat(described["start_on"]))
        legs = tuple(
            Leg(
                version=1,
                number=row.n,
                role=Role.RENT,
                from_on=row.from_on,
                to_on=date.fromordinal(row.to_on.toordinal() - 1),
                due_on=row.due_on,
                amount_fen=row.total_fen,
            )
            for row in rows
        )
    return position_of(Family(described["family"]), as_of, [_stands(leg, as_of, paid_to) for leg in legs], terms=terms)


def _terms(given: dict[str, Any]) -> ScheduleTerms:
    assert "error" not in json.loads(msgspec.json.encode(answer_to(json.dumps(given)))), "terms as xinzu schedule reads them"
    return msgspec.convert(given, ScheduleTerms)


def _stands(leg: Leg, as_of: date, paid_to: date) -> Leg:
    if leg.due_on <= paid_to:
        return replace(leg, paid_fen=leg.amount_fen, state=InstalmentState.PAID)
    return replace(leg, state=InstalmentState.OVERDUE) if leg.due_on <= as_of else leg


def _change(change: Change) -> list[str]:
    said = [f"`{name}` {getattr(change, name)}" for name in SUMS if getattr(change, name)]
    said += [f"charge `{charge.kind}` {charge.amount_fen}" for charge in change.charges]
    if change.accrued is not None:
        said.append(f"accrued {change.accrued.interest_fen}")
    if change.pays:
        said.append("pays " + ", ".join(f"{getattr(part.item, 'ref', '')} {part.amount_fen}" for part in change.pays))
    if change.deltas:
        said.append("deltas " + ", ".join(f"{delta.leg_ref} {delta.amount_fen:+}" for delta in change.deltas))
    if change.pause is not None:
        said.append(f"capitalised {change.pause.capitalised_fen} on {change.pause.to_on}")
    if change.no_late_fee is not None:
        said.append(f"no late fee from {change.no_late_fee[0]} to {change.no_late_fee[1]}")
    if change.ageing_since is not None:
        said.append(f"days past due go on from {change.ageing_since}")
    if change.reckoning is not None:
        known = change.reckoning
        said.append(
            f"owed {known.owed_fen}, worth {known.value_fen}: surplus {known.surplus_fen}, shortfall {known.shortfall_fen}"
        )
    if change.needs_four_eyes:
        said.append("needs a second person")
    if change.annual_cost_pct is not None:
        said.append(f"`annual_cost_pct` {change.annual_cost_pct}")
    return [f"> {'; '.join(said) or 'nothing falls away and nothing is due now'}", *_rows(change)]


def _rows(change: Change) -> list[str]:
    numbers = sorted({leg.number for leg in change.new_legs})
    if not numbers:
        return []
    roles = [role for role in ROLES if any(leg.role is role for leg in change.new_legs)]
    lines = [
        "",
        f"| number | from_on | to_on | due_on | {' | '.join(f'{role.value}_fen' for role in roles)} |",
        "|---|---|---|---|" + "--:|" * len(roles),
    ]
    for number in numbers:
        legs = [leg for leg in change.new_legs if leg.number == number]
        amounts = [sum(leg.amount_fen for leg in legs if leg.role is role) for role in roles]
        cells = [number, legs[0].from_on, legs[0].to_on, legs[0].due_on, *amounts]
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return lines


def test_every_example_of_the_manual_comes_out_as_shown() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(manual)) > 25
    assert rendered(manual) == manual, "write it anew: python tests/unit/billing/servicing/test_servicing_manual.py"


if __name__ == "__main__":
    MANUAL.write_text(rendered(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
