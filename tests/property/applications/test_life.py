"""Whatever happens to an application, in whatever order, it ends and never comes back from its end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xinzu.front.applications.model import APPLICATION_MOVES, OPEN_STATES, ApplicationState

FINAL = {state for state in ApplicationState if not APPLICATION_MOVES.table[state]}


def test_only_cancelled_and_closed_are_final() -> None:
    assert {ApplicationState.CANCELLED, ApplicationState.CLOSED} == FINAL


def test_every_open_application_can_be_cancelled() -> None:
    assert all(APPLICATION_MOVES.allows(state, ApplicationState.CANCELLED) for state in OPEN_STATES)


@given(st.lists(st.sampled_from(ApplicationState), max_size=12))
def test_nothing_leaves_a_final_state_and_nothing_contracts_without_an_approval(wishes: list[ApplicationState]) -> None:
    state, seen = ApplicationState.SUBMITTED, [ApplicationState.SUBMITTED]
    for wish in wishes:
        if APPLICATION_MOVES.allows(state, wish):
            assert state not in FINAL
            state = wish
            seen.append(wish)
    if ApplicationState.CONTRACTED in seen:
        assert ApplicationState.APPROVED in seen[: seen.index(ApplicationState.CONTRACTED)]
