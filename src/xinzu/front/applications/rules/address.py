"""When the delivery address of an application may change: only while nobody has decided on it.

The sign of 租机套现 (renting a phone to turn it into cash) is an address changed between approval and receipt, so that the device goes
to a buyer instead of the applicant (industry pattern behind the Shanghai judgment of 2025-03-12). What was decided on is what is
shipped: another address after approval needs a new application, which is decided on anew.
"""

from __future__ import annotations

from xinzu.front.applications.model import ApplicationState

CHANGEABLE_STATES = frozenset({ApplicationState.SUBMITTED})


def may_change_address(state: ApplicationState) -> bool:
    """Whether the address may still change. A referred application keeps its address too: the reviewer is looking at it.

    >>> [may_change_address(state) for state in (ApplicationState.SUBMITTED, ApplicationState.REFERRED, ApplicationState.APPROVED)]
    [True, False, False]
    """
    return state in CHANGEABLE_STATES
