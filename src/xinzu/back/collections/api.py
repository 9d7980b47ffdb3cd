"""The front door of collections for other modules, the command line and the demo."""

from __future__ import annotations

from xinzu.back.collections.commands.cases import close_cases, follow_arrears
from xinzu.back.collections.commands.holds import case_of, lift_holds, place_holds
from xinzu.back.collections.commands.policies import change_policy, policy_in_force
from xinzu.back.collections.commands.steps import carry_out_steps, note_deliveries
from xinzu.back.collections.store import list_cases, mark_refused, mark_undelivered, remember_agreements

__all__ = [
    "carry_out_steps",
    "case_of",
    "change_policy",
    "close_cases",
    "follow_arrears",
    "lift_holds",
    "list_cases",
    "mark_refused",
    "mark_undelivered",
    "note_deliveries",
    "place_holds",
    "policy_in_force",
    "remember_agreements",
]
